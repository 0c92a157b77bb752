/**
 * What the keyring keeps in the catalog, and under which catalog keys. All values are JSON with a `version`;
 * a record of a later version is refused, never guessed at. Key material appears only wrapped under the root.
 *
 *     k/root                                  which root of trust the data belongs to        RootRecord
 *     k/secret/<name>                         internal secret, made once                     WrappedRecord
 *     k/key/<region>/<account>/<key id>       KMS key: state, settings, list of materials    KeyRecord
 *     k/material/<material id>                one key material, wrapped, and whose it is     MaterialRecord
 *     k/alias/<region>/<account>/<alias name> alias, name with its `alias/`                  AliasRecord
 *     k/target/<key id>/<alias name>          the aliases of a key                           (the same AliasRecord)
 *     k/due/<time>/<region>/<account>/<key id>  rotation or deletion to come; 16 hex digits of ms   empty
 *     k/gone/<region>/<account>/<key id>      tombstone of a deleted key                     TombstoneRecord
 *     k/count/<region>/<account>              how many customer keys there are               CountRecord
 *     k/service/<name>/current                which version of a service key seals           ServiceKeyPointer
 *     k/service/<name>/version/<version id>   one version of a service key, wrapped          WrappedRecord
 *
 * Regions, accounts, ids and hex never contain `/`; an alias name may, and therefore stands last.
 */
import type { KeySpec, KeyUsageType } from '@aws-sdk/client-kms';
import { KeyringError } from './keyring-error.ts';

export const recordVersion = 1;

export interface RootRecord {
  version: number;
  fingerprint: string;
  /** Base64 of a known text, wrapped: shows that a root has the very key, not just its fingerprint. */
  proof: string;
}

export interface WrappedRecord {
  version: number;
  createdAtMs: number;
  /** Base64. */
  wrapped: string;
}

export interface ServiceKeyPointer {
  version: number;
  keyVersionId: string;
  createdAtMs: number;
}

export interface CountRecord {
  version: number;
  keys: number;
}

export interface AliasRecord {
  version: number;
  /** With its `alias/`. */
  name: string;
  keyId: string;
  createdAtMs: number;
  updatedAtMs: number;
}

/** Immutable from creation to destruction. */
export interface MaterialRecord {
  version: number;
  region: string;
  account: string;
  keyId: string;
  /** Base64 of the wrapped material: 32 bytes (symmetric), PKCS#8 DER (asymmetric), or the MAC key. */
  wrapped: string;
}

export type KeyState = 'Enabled' | 'Disabled' | 'PendingDeletion' | 'PendingImport' | 'Unavailable';

export interface MaterialEntry {
  /** 64 hex digits. */
  id: string;
  createdAtMs: number;
  /** Absent on the first material, which no rotation made. */
  rotationType?: 'AUTOMATIC' | 'ON_DEMAND';
}

export interface KeyRecord {
  version: number;
  keyId: string;
  arn: string;
  region: string;
  account: string;
  manager: 'CUSTOMER' | 'AWS';
  /** The service whose managed key this is, such as `s3`; only with manager AWS. */
  managedFor?: string;
  spec: KeySpec;
  usage: KeyUsageType;
  origin: 'AWS_KMS';
  description: string;
  createdAtMs: number;
  state: KeyState;
  /** When the key may be destroyed; only in PendingDeletion. */
  deletionAtMs?: number;
  /** In order of creation; the last one is current. */
  materials: MaterialEntry[];
  /** Automatic rotation, while it is on. Kept while the key is pending deletion, so that a cancel restores it. */
  rotation?: { periodDays: number; nextAtMs: number };
  /** In the order in which they came, as AWS lists them. */
  tags: { TagKey: string; TagValue: string }[];
  /** Byte for byte as it was put; absent while the default policy stands. */
  policy?: string;
  /** Base64 of the SubjectPublicKeyInfo of an asymmetric key. */
  publicKey?: string;
}

export interface TombstoneRecord {
  version: number;
  arn: string;
  createdAtMs: number;
  deletedAtMs: number;
  materialIds: string[];
}

/** Where a key lives. */
export interface KeyPlace {
  region: string;
  account: string;
  keyId: string;
}

export const catalogKeys = {
  root: Buffer.from('k/root'),
  secret: (name: string): Buffer => Buffer.from(`k/secret/${name}`),
  key: ({ region, account, keyId }: KeyPlace): Buffer => Buffer.from(`k/key/${region}/${account}/${keyId}`),
  material: (materialId: string): Buffer => Buffer.from(`k/material/${materialId}`),
  alias: (region: string, account: string, name: string): Buffer => Buffer.from(`k/alias/${region}/${account}/${name}`),
  target: (keyId: string, name: string): Buffer => Buffer.from(`k/target/${keyId}/${name}`),
  due: (atMs: number, { region, account, keyId }: KeyPlace): Buffer => Buffer.from(`k/due/${dueTime(atMs)}/${region}/${account}/${keyId}`),
  /** Everything due before `atMs` sorts before this. */
  dueEdge: (atMs: number): Buffer => Buffer.from(`k/due/${dueTime(atMs)}`),
  gone: ({ region, account, keyId }: KeyPlace): Buffer => Buffer.from(`k/gone/${region}/${account}/${keyId}`),
  count: (region: string, account: string): Buffer => Buffer.from(`k/count/${region}/${account}`),
  servicePointer: (name: string): Buffer => Buffer.from(`k/service/${name}/current`),
  serviceVersion: (name: string, keyVersionId: string): Buffer => Buffer.from(`k/service/${name}/version/${keyVersionId}`),
};

/** Fixed width, so that times sort as text. */
function dueTime(atMs: number): string {
  return Math.max(0, Math.floor(atMs)).toString(16).padStart(16, '0');
}

/** The first catalog key behind all keys that begin with `prefix`, whose last byte is never 0xff here. */
export function afterPrefix(prefix: Buffer): Buffer {
  const end = Buffer.from(prefix);
  end[end.length - 1]! += 1;
  return end;
}

export function encodeRecord(record: { version: number }): Buffer {
  return Buffer.from(JSON.stringify(record));
}

/** Throws KeyringError `newer-format` or `damaged`. */
export function decodeRecord<R extends { version: number }>(value: Buffer, what: string): R {
  let record: unknown;
  try {
    record = JSON.parse(value.toString());
  } catch (error) {
    throw new KeyringError('damaged', `${what} is not JSON`, { cause: error });
  }
  const version = typeof record === 'object' && record !== null && 'version' in record ? record.version : undefined;
  if (typeof version !== 'number') throw new KeyringError('damaged', `${what} has no version`);
  if (version > recordVersion) {
    throw new KeyringError('newer-format', `${what} has version ${version}; this program knows up to ${recordVersion}`);
  }
  return record as R;
}
