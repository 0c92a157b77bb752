/** How a key comes into being: metadata, material, first record. Not yet in the catalog. */
import { randomUUID } from 'node:crypto';
import type { KeySpec, KeyUsageType } from '@aws-sdk/client-kms';
import { kmsKeyArn, wipe, type Clock } from '../base/index.ts';
import type { KeyRegion } from './key-access.ts';
import { generateMaterial } from './key-specs.ts';
import type { MaterialVault } from './material-vault.ts';
import { recordVersion, type KeyRecord, type MaterialRecord } from './records.ts';

export interface NewKey {
  spec: KeySpec;
  usage: KeyUsageType;
  description: string;
  tags: { TagKey: string; TagValue: string }[];
  manager: 'CUSTOMER' | 'AWS';
  managedFor?: string;
}

export interface KeyMaking {
  home: KeyRegion;
  vault: MaterialVault;
  clock: Clock;
  draw: (sizeBytes: number) => Buffer;
}

export async function newKey({ home, vault, clock, draw }: KeyMaking, wanted: NewKey): Promise<{ record: KeyRecord; materials: Map<string, MaterialRecord> }> {
  const keyId = randomUUID();
  const { secret, publicKey } = await generateMaterial(wanted.spec, draw);
  try {
    const { id, record: material } = await vault.wrap({ ...home, keyId }, secret);
    const createdAtMs = clock.nowMs();
    const record: KeyRecord = {
      version: recordVersion,
      keyId,
      arn: kmsKeyArn(home.region, home.account, keyId),
      ...home,
      manager: wanted.manager,
      ...(wanted.managedFor === undefined ? {} : { managedFor: wanted.managedFor }),
      spec: wanted.spec,
      usage: wanted.usage,
      origin: 'AWS_KMS',
      description: wanted.description,
      createdAtMs,
      state: 'Enabled',
      materials: [{ id, createdAtMs }],
      tags: wanted.tags,
      ...(publicKey ? { publicKey: publicKey.toString('base64') } : {}),
    };
    return { record, materials: new Map([[id, material]]) };
  } finally {
    wipe(secret);
  }
}
