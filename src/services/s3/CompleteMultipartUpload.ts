/** CompleteMultipartUpload. Source: contract s3-encryption.md sections 9, 10.3, 10.4 and 11; s3-surface.md section 6. */
import { createHash } from 'node:crypto';
import type { CompletedPart } from '@aws-sdk/client-s3';
import type { ChecksumAlgorithm } from '../../checksum/index.ts';
import { CustomerKeyError, wipeKeys, type PayloadKeys } from '../../keyring/index.ts';
import {
  completeUpload, decodeUploadId, encodeVersionId, findVersion, getUpload, listParts, ObjectStoreError, openChecksum, placeOf, storeChecksum,
  type FoundUpload, type PartRecord, type StoredChecksum, type VersionRecord,
} from '../../objects/index.ts';
import { decodeEnvelope, type Envelope, type ObjectVersion } from '../../seal/index.ts';
import type { S3Inputs, S3Outputs } from '../../wire/shapes.ts';
import type { Call } from '../operation.ts';
import { checksumOutput } from './checksums.ts';
import { checkWriteConditions, matchesETag, requireKnownWriteConditions } from './conditions.ts';
import { encryptionOutput, hasMd5ETag, inKmsWords, noteEncryption, readCustomerKeyForWrite, requireCustomerKeysAllowed, requireKmsTransport } from './encryption.ts';
import { s3Errors } from './errors.ts';
import { bucketOf, bucketOperation } from './guard.ts';
import { checkListedPart, checkWholeChecksum, combineChecksums, requireChecksumType, type DeclaredChecksum, type PartDigest } from './multipart-checksums.ts';
import type { S3 } from './s3.ts';

type Input = S3Inputs['CompleteMultipartUpload'];
type Output = S3Outputs['CompleteMultipartUpload'];

const partSizeMinBytes = 5 * 1024 * 1024;

export function CompleteMultipartUpload(s3: S3) {
  return bucketOperation<Input, Output>(s3, {
    name: 'CompleteMultipartUpload',
    action: 's3:PutObject',
    async act(input, call) {
      requireKnownWriteConditions(input);
      const { Bucket: bucket, Key: key, UploadId: uploadId } = input;
      const listed = input.MultipartUpload?.Parts ?? [];
      if (listed.length === 0) throw s3Errors.invalidRequest('You must specify at least one part');
      try {
        return await completeFound(s3, call, input, await getUpload(s3.store, bucket, key, uploadId), listed);
      } catch (error) {
        // Sent again because the answer was lost or late: the upload is gone, or goes while we look at it.
        const finished = await alreadyCompleted(s3, input, call);
        if (finished !== undefined) return finished;
        throw error;
      }
    },
  });
}

async function completeFound(s3: S3, call: Call, input: Input, upload: FoundUpload, listed: readonly CompletedPart[]): Promise<Output> {
  const envelope = decodeEnvelope(upload.record.envelope);
  noteEncryption(call, envelope);
  const keys = await unwrapForCompletion(s3, call, input, upload, envelope);
  try {
    return await complete(s3, call, input, { upload, envelope, keys, listed });
  } finally {
    if (keys) wipeKeys(keys);
  }
}

interface Completing {
  upload: FoundUpload;
  envelope: Envelope;
  /** Absent for SSE-C without the key: then nothing is known of checksums. */
  keys: PayloadKeys | undefined;
  listed: readonly CompletedPart[];
}

async function complete(s3: S3, call: Call, input: Input, { upload, envelope, keys, listed }: Completing): Promise<Output> {
  const { record } = upload;
  const declared: DeclaredChecksum | undefined = record.checksumAlgorithm === undefined || record.checksumType === undefined
    ? undefined : { algorithm: record.checksumAlgorithm as ChecksumAlgorithm, type: record.checksumType };
  requireChecksumType(declared, input.ChecksumType);
  const place = placeOf(input.Bucket, input.Key, record);
  const stored = new Map((await listParts(s3.store, record)).map((part) => [part.number, part]));
  const parts = chooseParts(input.UploadId, listed, stored);
  const digests = keys && parts.map((part) => digestOf(part, keys, place));
  if (digests) {
    for (const [index, part] of listed.entries()) {
      checkListedPart(declared, part, digests[index] as PartDigest, () => s3Errors.invalidPart(partDetails(input.UploadId, part)));
    }
  }
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  if (input.MpuObjectSize !== undefined && input.MpuObjectSize !== size) {
    throw s3Errors.invalidRequest(`The provided 'x-amz-mp-object-size' header value ${input.MpuObjectSize} does not match what was computed: ${size}`);
  }
  const checksum = digests && combineChecksums(declared ?? { algorithm: 'CRC64NVME', type: 'FULL_OBJECT' }, digests);
  if (checksum) checkWholeChecksum(input, checksum, parts.length);
  const committed = await completeUpload(s3.store, {
    upload, parts,
    precondition: (current) => checkCompletionConditions(input, current, record.baseNonce),
    version: {
      size,
      etag: `${multipartETag(parts)}-${parts.length}`,
      ...(checksum && keys ? { checksum: storeChecksum(checksum, envelope.scheme, keys, place) } : {}),
      ...(record.system === undefined ? {} : { system: record.system }),
      ...(record.userMetadata === undefined ? {} : { userMetadata: record.userMetadata }),
      ...(record.tags === undefined ? {} : { tags: record.tags }),
      ...(record.storageClass === undefined ? {} : { storageClass: record.storageClass }),
    },
  });
  return completionOutput(call, input, committed.record, committed.versionId, envelope, showsChecksum(envelope, declared) ? checksum : undefined);
}

/** Parts in ascending order, each as it was uploaded, none but the last too small. */
function chooseParts(uploadId: string, listed: readonly CompletedPart[], stored: ReadonlyMap<number, PartRecord>): PartRecord[] {
  const parts: PartRecord[] = [];
  let previous = 0;
  for (const entry of listed) {
    const number = entry.PartNumber ?? 0;
    if (number <= previous) throw s3Errors.invalidPartOrder(uploadId);
    previous = number;
    const part = stored.get(number);
    if (part === undefined || !matchesETag(entry.ETag ?? '', part.etag)) throw s3Errors.invalidPart(partDetails(uploadId, entry));
    parts.push(part);
  }
  for (const part of parts.slice(0, -1)) {
    if (part.size < partSizeMinBytes) {
      throw s3Errors.entityTooSmall({ ProposedSize: String(part.size), MinSizeAllowed: String(partSizeMinBytes), PartNumber: String(part.number), ETag: part.etag });
    }
  }
  return parts;
}

function partDetails(uploadId: string, part: CompletedPart): Record<string, string> {
  return { UploadId: uploadId, PartNumber: String(part.PartNumber ?? ''), ETag: (part.ETag ?? '').replaceAll('"', '') };
}

function digestOf(part: PartRecord, keys: PayloadKeys, place: ObjectVersion): PartDigest {
  if (part.checksum === undefined) throw new ObjectStoreError('damaged', `part ${part.number} has no checksum`);
  return { number: part.number, sizeBytes: part.size, digest: Buffer.from(openChecksum(part.checksum, keys, place).value, 'base64') };
}

function multipartETag(parts: readonly PartRecord[]): string {
  const md5 = createHash('md5');
  for (const { etag } of parts) md5.update(Buffer.from(etag, 'hex'));
  return md5.digest('hex');
}

/** KMS objects need kms:Decrypt. Customer keys are optional unless a checksum was declared. */
async function unwrapForCompletion(s3: S3, call: Call, input: Input, upload: FoundUpload, envelope: Envelope): Promise<PayloadKeys | undefined> {
  const customerKey = readCustomerKeyForWrite(input);
  if (envelope.scheme === 'SSE-C') {
    requireCustomerKeysAllowed(call.caller, { bucket: bucketOf(call), key: input.Key, action: 's3:PutObject' });
    if (customerKey === undefined && upload.record.checksumAlgorithm !== undefined) throw s3Errors.customerKeyRequired();
    if (customerKey === undefined) return undefined;
  } else if (customerKey !== undefined) {
    throw s3Errors.partNeedsUploadEncryption();
  }
  if (envelope.scheme === 'SSE-KMS' || envelope.scheme === 'DSSE-KMS') requireKmsTransport(s3, call.caller);
  try {
    return await inKmsWords(() => s3.store.dataKeys.unwrap(envelope, placeOf(input.Bucket, input.Key, upload.record), call.caller, customerKey));
  } catch (error) {
    if (error instanceof CustomerKeyError && error.code === 'wrong') throw s3Errors.partEncryptionDiffers();
    throw error;
  }
}

/** What came between the start of the upload and now counts as a conflict. */
function checkCompletionConditions(input: Input, current: VersionRecord | undefined, baseNonce: string | undefined): void {
  const exists = current?.kind === 'object';
  if (input.IfNoneMatch !== undefined && !exists && baseNonce !== undefined) throw s3Errors.conditionalRequestConflict('If-None-Match', input.Key);
  if (input.IfMatch !== undefined && exists && current.nonce !== baseNonce) throw s3Errors.conditionalRequestConflict('If-Match', input.Key);
  checkWriteConditions(input, input.Key, current);
}

/** SSE-KMS answers name a checksum only where the upload declared one. */
function showsChecksum(envelope: Envelope, declared: DeclaredChecksum | undefined): boolean {
  return declared !== undefined || hasMd5ETag(envelope.scheme);
}

function completionOutput(
  call: Call, input: Input, record: VersionRecord, versionId: string | undefined, envelope: Envelope, checksum: StoredChecksum | undefined,
): Output {
  const partCount = record.payload.at === 'parts' ? record.payload.partCount : undefined;
  return {
    Location: `${call.origin}/${input.Bucket}/${encodeURIComponent(input.Key)}`,
    Bucket: input.Bucket,
    Key: input.Key,
    ETag: record.etag,
    ...(versionId === undefined ? {} : { VersionId: versionId }),
    ...checksumOutput(checksum, partCount),
    // An SSE-C completion echoes nothing.
    ...(envelope.scheme === 'SSE-C' ? {} : encryptionOutput(envelope)),
  };
}

/** Completing twice gives the same answer as long as the object is the current one: a client may not have heard the first. */
async function alreadyCompleted(s3: S3, input: Input, call: Call): Promise<Output | undefined> {
  const decoded = decodeUploadId(input.UploadId);
  const current = decoded && (await findVersion(s3.store, input.Bucket, input.Key));
  if (current === undefined || current.record.nonce !== decoded?.nonce.toString('base64url')) return undefined;
  const envelope = decodeEnvelope(current.record.envelope);
  const versionId = bucketOf(call).versioning === undefined ? undefined : encodeVersionId(current.record);
  return completionOutput(call, input, current.record, versionId, envelope, undefined);
}
