/**
 * What GetObject, HeadObject, GetObjectAttributes and copies do alike: find the version, prove the key, and say what
 * the object is.
 * Source: contract s3-encryption.md section 4.2; s3-surface.md sections 5 and 7.
 */
import { findVersion, ObjectStoreError, openChecksum, openMetadata, placeOf, encodeVersionId, type BucketRecord, type StoredChecksum, type VersionRecord } from '../../objects/index.ts';
import type { PayloadKeys } from '../../keyring/index.ts';
import { decodeEnvelope, type Envelope, type ObjectVersion } from '../../seal/index.ts';
import type { Call } from '../operation.ts';
import { customerKeyMd5, encryptionOutput, inKmsWords, noteEncryption, proveCustomerKey, readCustomerKeyForRead, requireKmsTransport, type EncryptionInput } from './encryption.ts';
import { s3Errors } from './errors.ts';
import type { S3 } from './s3.ts';

export interface FoundObject {
  record: VersionRecord;
  envelope: Envelope;
  place: ObjectVersion;
  versionId: string | undefined;
}

/** The object that a reader means. Throws NoSuchKey, NoSuchVersion, MethodNotAllowed for delete markers. */
export async function findObject(s3: S3, bucket: BucketRecord, input: { Key: string; VersionId?: string | undefined }, method: string): Promise<FoundObject> {
  const { Key: key, VersionId: versionId } = input;
  requireVersionIdForm(bucket, versionId);
  const found = await findVersion(s3.store, bucket.name, key, versionId);
  if (found === undefined) throw versionId === undefined ? s3Errors.noSuchKey(key) : s3Errors.noSuchVersion(key, versionId);
  const { record } = found;
  const shownId = bucket.versioning === undefined ? undefined : encodeVersionId(record);
  if (record.kind === 'delete-marker') {
    if (versionId !== undefined) throw s3Errors.methodNotAllowedOnMarker(method);
    throw s3Errors.noSuchKey(key, { 'x-amz-delete-marker': 'true', ...(shownId === undefined ? {} : { 'x-amz-version-id': shownId }) });
  }
  return { record, envelope: decodeEnvelope(record.envelope), place: placeOf(bucket.name, key, record), versionId: shownId };
}

/** A bucket that never had versioning knows only `null`. */
export function requireVersionIdForm(bucket: BucketRecord, versionId: string | undefined): void {
  if (versionId === undefined || versionId === 'null') return;
  if (versionId === '') throw s3Errors.invalidArgument('Version id cannot be the empty string', 'versionId', '');
  if (bucket.versioning === undefined || !/^[A-Za-z0-9._-]{1,1024}$/.test(versionId)) {
    throw s3Errors.invalidArgument('Invalid version id specified', 'versionId', versionId);
  }
}

/**
 * The customer's key of a read, checked in AWS's order: SSE header (E03), syntax, then fit and proof.
 * Returns what the answer echoes.
 */
export function proveReadKey(s3: S3, call: Call, input: EncryptionInput, envelope: Envelope): { customerKey: Buffer | undefined; keyMd5: string | undefined } {
  const sse = call.headers['x-amz-server-side-encryption'];
  if (sse !== undefined) throw s3Errors.encryptionNotForOperation(sse);
  const customerKey = readCustomerKeyForRead(input);
  proveCustomerKey(s3, envelope, customerKey);
  noteEncryption(call, envelope);
  return { customerKey, keyMd5: customerKey && (input.SSECustomerKeyMD5 ?? customerKeyMd5(customerKey)) };
}

/** The keys of an object's payload, in the caller's name. KMS objects need TLS and a signature. */
export async function unwrapForRead(s3: S3, call: Call, object: FoundObject, customerKey: Buffer | undefined): Promise<PayloadKeys> {
  const { envelope, place } = object;
  if (envelope.scheme === 'SSE-KMS' || envelope.scheme === 'DSSE-KMS') requireKmsTransport(s3, call.caller);
  return inKmsWords(() => s3.store.dataKeys.unwrap(envelope, place, call.caller, customerKey));
}

/** The stored checksum, which takes the object's keys where it is sealed. */
export function readChecksum(object: FoundObject, keys: PayloadKeys): StoredChecksum | undefined {
  return object.record.checksum && openChecksum(object.record.checksum, keys, object.place);
}

/** Members that GET and HEAD share, whatever the range. */
export async function describeObject(s3: S3, object: FoundObject, keyMd5: string | undefined) {
  const { record, envelope, place, versionId } = object;
  const userMetadata = await openMetadata(s3.store, place, record.userMetadata);
  return {
    AcceptRanges: 'bytes',
    LastModified: new Date(record.modifiedMs),
    ETag: record.etag,
    ContentType: 'binary/octet-stream',
    ...record.system,
    Metadata: userMetadata,
    ...(versionId === undefined ? {} : { VersionId: versionId }),
    ...(record.storageClass === undefined ? {} : { StorageClass: record.storageClass as 'STANDARD_IA' }),
    ...(record.tags?.length ? { TagCount: record.tags.length } : {}),
    ...encryptionOutput(envelope, keyMd5),
  };
}

/** A writer may replace the object between our look at its record and at its bytes: then we look again. Lost bytes are our failure, never a 404. */
export async function readAgainWhenReplaced<Output>(read: () => Promise<Output>): Promise<Output> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read();
    } catch (error) {
      if (attempt === 5 || !(error instanceof ObjectStoreError && error.code === 'bytes-missing')) throw error;
    }
  }
}
