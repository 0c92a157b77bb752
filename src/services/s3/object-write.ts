/**
 * Writing one whole object, the way PutObject, POST uploads and CopyObject share: keys, bytes, checks, commit.
 * Nothing is visible before all checks have passed, and what fails leaves nothing behind.
 */
import { freshRandom, ServiceError, type ByteSource } from '../../base/index.ts';
import type { ChecksumAlgorithm } from '../../checksum/index.ts';
import { wipeKeys, type EncryptionChoice } from '../../keyring/index.ts';
import {
  commitVersion, findVersion, ObjectStoreError, placeOf, sealMetadata, storeChecksum, writePayload,
  type CommittedVersion, type StoredChecksum, type StoredPayload, type SystemMetadata, type Tag, type UserMetadata,
} from '../../objects/index.ts';
import { encodeEnvelope, type Envelope } from '../../seal/index.ts';
import type { Call } from '../operation.ts';
import { checkWriteConditions, type WriteConditions } from './conditions.ts';
import { hasMd5ETag, inKmsWords, noteEncryption } from './encryption.ts';
import { s3Errors } from './errors.ts';
import type { S3 } from './s3.ts';

/** 5 GiB: what one PUT, part or copy may carry. */
export const objectSizeMaxBytes = 5 * 1024 ** 3;

export interface ObjectWrite {
  bucket: string;
  key: string;
  encryption: EncryptionChoice;
  body: ByteSource;
  /** Announced length, to refuse early. */
  announcedSizeBytes?: number | undefined;
  sizeMaxBytes?: number;
  /** Also needed for Content-MD5. */
  wantsMd5: boolean;
  checksumAlgorithm: ChecksumAlgorithm;
  /** Throws when the bytes are not what was announced. Runs before anything is visible. */
  verify: (stored: StoredPayload) => void;
  conditions: WriteConditions;
  system: SystemMetadata;
  userMetadata: UserMetadata;
  tags?: Tag[] | undefined;
  storageClass: string | undefined;
}

export interface WrittenObject extends CommittedVersion {
  envelope: Envelope;
  checksum: StoredChecksum;
}

export async function writeObject(s3: S3, call: Call, write: ObjectWrite): Promise<WrittenObject> {
  const { store } = s3;
  const { bucket, key } = write;
  const sizeMaxBytes = write.sizeMaxBytes ?? objectSizeMaxBytes;
  if (write.announcedSizeBytes !== undefined && write.announcedSizeBytes > sizeMaxBytes) throw s3Errors.entityTooLarge(write.announcedSizeBytes, sizeMaxBytes);
  const hasConditions = write.conditions.IfMatch !== undefined || write.conditions.IfNoneMatch !== undefined;
  if (hasConditions) checkWriteConditions(write.conditions, key, (await findVersion(store, bucket, key))?.record);

  const nonce = freshRandom(16).toString('base64url');
  const place = placeOf(bucket, key, { nonce });
  const { keys, envelope } = await inKmsWords(() => store.dataKeys.create(write.encryption, place, call.caller));
  noteEncryption(call, envelope);
  const md5IsETag = hasMd5ETag(envelope.scheme);
  let stored: StoredPayload | undefined;
  try {
    stored = await writePayload(store.blobs, {
      // Freed pages of the catalog keep their bytes: what lies open must be a file, which can go.
      keys, place, partNumber: 0, body: write.body, mayBeInline: keys.layers > 0, wantsMd5: md5IsETag || write.wantsMd5, checksumAlgorithms: [write.checksumAlgorithm],
      sizeMaxBytes, onTooLarge: (size) => { throw s3Errors.entityTooLarge(size, sizeMaxBytes); },
    });
    if (keys.layers > 0) store.meter.sealed(stored.sizeBytes);
    write.verify(stored);
    const checksum: StoredChecksum = {
      algorithm: write.checksumAlgorithm, type: 'FULL_OBJECT', value: (stored.checksums.get(write.checksumAlgorithm) as Buffer).toString('base64'),
    };
    const userMetadata = await sealMetadata(store, place, write.userMetadata);
    const committed = await commitVersion(store, {
      bucket, key,
      precondition: hasConditions ? (current) => checkWriteConditions(write.conditions, key, current) : undefined,
      inline: stored.stored.at === 'catalog' ? stored.stored.bytes : undefined,
      version: {
        kind: 'object', nonce, size: stored.sizeBytes,
        // Opaque and never repeated: an ETag that followed from the bytes would tell that two objects are equal.
        etag: (md5IsETag ? (stored.md5 as Buffer) : freshRandom(16)).toString('hex'),
        envelope: encodeEnvelope(envelope),
        payload: stored.stored.at === 'catalog' ? { at: 'catalog' } : { at: 'blob', id: stored.stored.id },
        checksum: storeChecksum(checksum, envelope.scheme, keys, place),
        ...(Object.keys(write.system).length > 0 ? { system: write.system } : {}),
        ...(userMetadata === undefined ? {} : { userMetadata }),
        ...(write.tags?.length ? { tags: write.tags } : {}),
        ...(write.storageClass === undefined ? {} : { storageClass: write.storageClass }),
      },
    });
    return { ...committed, envelope, checksum };
  } catch (error) {
    // After any other error the commit may have happened all the same: the scrubber decides about the blob.
    const isRefused = error instanceof ServiceError || error instanceof ObjectStoreError;
    if (isRefused && stored?.stored.at === 'blob') await store.blobs.remove(stored.stored.id).catch(() => undefined);
    throw error;
  } finally {
    wipeKeys(keys);
  }
}
