/** A key record as KMS shows it. Source: contract kms-iam-audit.md 2.3, KMS API Reference "KeyMetadata". */
import type { KeyMetadata } from '@aws-sdk/client-kms';
import { algorithmsOf } from './key-specs.ts';
import type { StoredKey } from './key-store.ts';

export function keyMetadata(key: StoredKey): KeyMetadata {
  return {
    AWSAccountId: key.account,
    KeyId: key.keyId,
    Arn: key.arn,
    CreationDate: new Date(key.createdAtMs),
    Enabled: key.state === 'Enabled',
    Description: key.description,
    KeyUsage: key.usage,
    KeyState: key.state,
    ...(key.deletionAtMs === undefined ? {} : { DeletionDate: new Date(key.deletionAtMs) }),
    Origin: key.origin,
    KeyManager: key.manager,
    // Deprecated, and still sent by AWS for every spec, although its type knows only the old ones.
    CustomerMasterKeySpec: key.spec as NonNullable<KeyMetadata['CustomerMasterKeySpec']>,
    KeySpec: key.spec,
    ...algorithmsOf(key.spec, key.usage),
    MultiRegion: false,
    ...(key.spec === 'SYMMETRIC_DEFAULT' ? { CurrentKeyMaterialId: key.materials.at(-1)!.id } : {}),
  };
}
