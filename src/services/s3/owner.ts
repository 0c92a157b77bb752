/**
 * How S3 names an account in listings and access lists: the canonical id. DisplayName is gone.
 * Source: contract s3-surface.md section 8.
 */
import { createHash } from 'node:crypto';
import { accountRootArn } from '../../base/index.ts';

const known = new Map<string, string>();

/** 64 hex digits, always the same for an account. Says nothing that the account number does not say. */
export function canonicalId(account: string): string {
  let id = known.get(account);
  if (id === undefined) {
    id = createHash('sha256').update(`coffer canonical id of ${account}`).digest('hex');
    known.set(account, id);
  }
  return id;
}

export function ownerOf(record: { owner: string }): { ID: string } {
  return { ID: canonicalId(record.owner) };
}

/** Who began an upload: the root user goes by the account's canonical id, others by their ARN. */
export function initiatorOf(upload: { initiator: string }, bucket: { owner: string }): { ID: string } {
  const { initiator } = upload;
  return { ID: initiator === '' || initiator === accountRootArn(bucket.owner) ? canonicalId(bucket.owner) : initiator };
}
