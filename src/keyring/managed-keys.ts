/**
 * Keys that a service manages for the account, such as aws/s3: made once, on first need, rotated every year.
 * Source: contract kms-iam-audit.md 2.4.
 */
import { assert } from '../base/index.ts';
import { managedAliases } from './key-access.ts';
import type { KeyStore } from './key-store.ts';
import { newKey, type KeyMaking } from './new-key.ts';
import { catalogKeys, encodeRecord, recordVersion, type AliasRecord } from './records.ts';
import { rotationFrom } from './rotation.ts';

const descriptions: Readonly<Record<string, string>> = {
  s3: 'Default key that protects my S3 objects when no other key is defined',
};
const rotationPeriodDays = 365;

/** The ARN of the managed key of `service`. Of several processes that try at once, one makes it and all get the same. */
export async function makeManagedKey(service: KeyMaking & { store: KeyStore }, serviceName: string): Promise<string> {
  const name = `alias/aws/${serviceName}`;
  assert(managedAliases.has(name), `a service with a managed key: ${serviceName}`);
  const { store, home } = service;
  const present = await arnBehind(store, home, name);
  if (present !== undefined) return present;

  const { record, materials } = await newKey(service, {
    spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT', description: descriptions[serviceName]!, tags: [], manager: 'AWS', managedFor: serviceName,
  });
  record.rotation = rotationFrom(record.createdAtMs, rotationPeriodDays);
  const { keyId, createdAtMs } = record;
  const alias: AliasRecord = { version: recordVersion, name, keyId, createdAtMs, updatedAtMs: createdAtMs };
  const aliasKey = catalogKeys.alias(home.region, home.account, name);
  await store.create(record, materials, Infinity, {
    checks: [{ kind: 'value', key: aliasKey, value: undefined }],
    puts: [{ key: aliasKey, value: encodeRecord(alias) }, { key: catalogKeys.target(keyId, name), value: encodeRecord(alias) }],
  });
  const made = await arnBehind(store, home, name);
  assert(made !== undefined, 'a managed key, once made, is there');
  return made;
}

async function arnBehind(store: KeyStore, home: { region: string; account: string }, name: string): Promise<string | undefined> {
  const alias = await store.alias(home.region, home.account, name);
  if (alias === undefined) return undefined;
  return (await store.read({ ...home, keyId: alias.keyId }))?.arn;
}
