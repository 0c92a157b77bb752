/**
 * User metadata and checksums as they lie in records: metadata under the store's own key, checksums of objects
 * with a key of their own under that key, since a checksum tells whether the bytes are what one guesses.
 *
 * Source: contract s3-encryption.md sections 10.2 and 19.
 */
import type { PayloadKeys } from '../keyring/data-keys.ts';
import { checksumsContext, metadataContext, open, seal, type ObjectVersion, type Scheme } from '../seal/index.ts';
import type { ChecksumRecord, StoredChecksum } from './records.ts';
import type { StoreContext } from './store-context.ts';

export type UserMetadata = Readonly<Record<string, string>>;

export async function sealMetadata(store: StoreContext, place: ObjectVersion, metadata: UserMetadata): Promise<string | undefined> {
  if (Object.keys(metadata).length === 0) return undefined;
  const { keyVersionId, key } = await store.metadataKey.current();
  const sealed = seal(key, metadataContext(place), Buffer.from(JSON.stringify(metadata), 'utf8'));
  return `${keyVersionId}.${sealed.toString('base64')}`;
}

export async function openMetadata(store: StoreContext, place: ObjectVersion, sealed: string | undefined): Promise<UserMetadata> {
  if (sealed === undefined) return {};
  const dot = sealed.indexOf('.');
  const key = await store.metadataKey.byId(sealed.slice(0, dot));
  return JSON.parse(open(key, metadataContext(place), Buffer.from(sealed.slice(dot + 1), 'base64')).toString('utf8')) as UserMetadata;
}

/** SSE-S3 and plain objects show their checksums to whoever may see the object's record. */
export function sealsChecksums(scheme: Scheme): boolean {
  return scheme === 'SSE-KMS' || scheme === 'DSSE-KMS' || scheme === 'SSE-C';
}

export function storeChecksum(checksum: StoredChecksum, scheme: Scheme, keys: PayloadKeys, place: ObjectVersion): ChecksumRecord {
  const { algorithm, type, value } = checksum;
  if (!sealsChecksums(scheme)) return { algorithm, type, value };
  return { algorithm, type, sealed: seal(innermost(keys), checksumsContext(place), Buffer.from(value, 'latin1')).toString('base64') };
}

/** `keys` are needed for sealed checksums only. */
export function openChecksum(checksum: ChecksumRecord, keys: PayloadKeys, place: ObjectVersion): StoredChecksum {
  if (!('sealed' in checksum)) return checksum;
  const value = open(innermost(keys), checksumsContext(place), Buffer.from(checksum.sealed, 'base64')).toString('latin1');
  return { algorithm: checksum.algorithm, type: checksum.type, value };
}

function innermost(keys: PayloadKeys): Buffer {
  if (keys.layers === 0) throw new Error('a plain object has no sealed checksum');
  return keys.layers === 1 ? keys.key : keys.inner;
}
