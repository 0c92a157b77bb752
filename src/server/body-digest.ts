/**
 * Digests that came with a structured S3 body, verified before anybody believes the document.
 * Source: contract s3-encryption.md 6.1; s3-surface.md section 2.
 */
import { hash } from 'node:crypto';
import type { Payload } from '../base/index.ts';
import { checksumAlgorithms, createChecksum } from '../checksum/index.ts';
import { expectChecksum, readContentMd5, verifyChecksum, verifyContentMd5, type ChecksumMembers } from '../services/s3/checksums.ts';

/** `withChecksums` false: the checksum headers are about something else. Throws InvalidDigest, BadDigest, InvalidRequest. */
export function verifyBodyDigests(call: { headers: Readonly<Record<string, string>>; payload: Payload }, body: Buffer, withChecksums: boolean): void {
  const { headers } = call;
  const contentMd5 = readContentMd5(headers['content-md5']);
  if (contentMd5 !== undefined) verifyContentMd5(contentMd5, hash('md5', body, 'buffer'));
  if (!withChecksums) return;
  const members: ChecksumMembers = {};
  let isGiven = headers['x-amz-trailer'] !== undefined;
  for (const algorithm of checksumAlgorithms) {
    const value = headers[`x-amz-checksum-${algorithm.toLowerCase()}`];
    if (value === undefined) continue;
    members[`Checksum${algorithm}`] = value;
    isGiven = true;
  }
  if (!isGiven) return;
  const expected = expectChecksum(call, members);
  const checksum = createChecksum(expected.algorithm);
  checksum.update(body);
  verifyChecksum(call, expected, checksum.digest());
}
