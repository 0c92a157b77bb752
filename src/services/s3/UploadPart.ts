/** UploadPart and UploadPartCopy. Source: contract s3-encryption.md sections 10.3, 11 and 12; s3-surface.md section 6. */
import { randomBytes } from 'node:crypto';
import { ServiceError, type ByteSource } from '../../base/index.ts';
import type { ChecksumAlgorithm } from '../../checksum/index.ts';
import { CustomerKeyError, wipeKeys, type PayloadKeys } from '../../keyring/index.ts';
import {
  asSource, getUpload, ObjectStoreError, placeOf, putPart, readVersion, storeChecksum, writePayload,
  type FoundUpload, type PartRecord, type StoredChecksum, type StoredPayload,
} from '../../objects/index.ts';
import { decodeEnvelope, type Envelope } from '../../seal/index.ts';
import type { S3Inputs, S3Outputs } from '../../wire/shapes.ts';
import type { Call } from '../operation.ts';
import { checksumOutput, expectChecksum, readContentMd5, verifyChecksum, verifyContentMd5 } from './checksums.ts';
import { copySourceDemands, openCopySource } from './copy-source.ts';
import {
  encryptionOutput, hasMd5ETag, inKmsWords, noteEncryption, readCustomerKeyForWrite, requireCustomerKeysAllowed, requireKmsTransport, type EncryptionInput,
} from './encryption.ts';
import { s3Errors } from './errors.ts';
import { bucketOf, bucketOperation } from './guard.ts';
import { requireDeclaredAlgorithm } from './multipart-checksums.ts';
import { requireLength } from './object-headers.ts';
import { readAgainWhenReplaced } from './object-read.ts';
import { objectSizeMaxBytes } from './object-write.ts';
import type { ByteRange } from './ranges.ts';
import type { S3 } from './s3.ts';

type PartInput = { Bucket: string; Key: string; UploadId: string; PartNumber: number } & EncryptionInput;

export function UploadPart(s3: S3) {
  return bucketOperation<S3Inputs['UploadPart'], S3Outputs['UploadPart']>(s3, {
    name: 'UploadPart',
    action: 's3:PutObject',
    async act(input, call) {
      requireLength(call);
      requirePartNumber(input.PartNumber);
      const contentMd5 = readContentMd5(input.ContentMD5);
      const target = await openUpload(s3, call, input);
      try {
        const declared = target.upload.record.checksumAlgorithm as ChecksumAlgorithm | undefined;
        const expected = expectChecksum(call, input, declared);
        requireDeclaredAlgorithm(declared, expected);
        const written = await writePart(s3, target, {
          number: input.PartNumber, body: call.payload.body, announcedSizeBytes: call.payload.decodedLength, wantsMd5: contentMd5 !== undefined,
          alsoChecksum: expected.algorithm,
          verify: ({ md5, checksums }) => {
            verifyContentMd5(contentMd5, md5);
            verifyChecksum(call, expected, checksums.get(expected.algorithm) as Buffer);
          },
        });
        const shown = expected.from === undefined && declared === undefined ? undefined : written.digests.get(expected.algorithm);
        return {
          ETag: written.part.etag,
          ...(shown === undefined ? {} : { [`Checksum${expected.algorithm}`]: shown.toString('base64') }),
          ...encryptionOutput(target.envelope, input.SSECustomerKeyMD5),
        };
      } finally {
        wipeKeys(target.keys);
      }
    },
  });
}

export function UploadPartCopy(s3: S3) {
  return bucketOperation<S3Inputs['UploadPartCopy'], S3Outputs['UploadPartCopy']>(s3, {
    name: 'UploadPartCopy',
    action: 's3:PutObject',
    alsoDemands: (input) => copySourceDemands(s3, input),
    async act(input, call) {
      requirePartNumber(input.PartNumber);
      return readAgainWhenReplaced(() => copyPart(s3, input, call));
    },
  });
}

async function copyPart(s3: S3, input: S3Inputs['UploadPartCopy'], call: Call): Promise<S3Outputs['UploadPartCopy']> {
  const source = await openCopySource(s3, call, input);
  let target: OpenUpload | undefined;
  try {
    target = await openUpload(s3, call, input);
    const { record, place } = source.object;
    const range = readCopyRange(input.CopySourceRange, record.size);
    const declared = target.upload.record.checksumAlgorithm as ChecksumAlgorithm | undefined;
    const written = await writePart(s3, target, {
      number: input.PartNumber, body: asSource(await readVersion(s3.store, place, record, source.keys, range.start, range.end)),
      wantsMd5: false, alsoChecksum: undefined, verify: () => undefined, announcedSizeBytes: range.end - range.start,
    });
    const { ChecksumType: _whole, ...checksum } = declared === undefined ? {} as ReturnType<typeof checksumOutput> : checksumOutput(written.checksum);
    return {
      CopyPartResult: { ETag: written.part.etag, LastModified: new Date(written.part.modifiedMs), ...checksum },
      CopySourceVersionId: source.object.versionId,
      ...encryptionOutput(target.envelope, input.SSECustomerKeyMD5),
    };
  } finally {
    wipeKeys(source.keys);
    if (target) wipeKeys(target.keys);
  }
}

interface OpenUpload {
  bucket: string;
  upload: FoundUpload;
  envelope: Envelope;
  keys: PayloadKeys;
}

/** The upload and its keys in the caller's name. E03, E11 to E16, E20 to E22; KMS errors. */
async function openUpload(s3: S3, call: Call, input: PartInput): Promise<OpenUpload> {
  const sse = call.headers['x-amz-server-side-encryption'];
  if (sse !== undefined) throw s3Errors.encryptionNotForOperation(sse);
  const customerKey = readCustomerKeyForWrite(input);
  const upload = await getUpload(s3.store, input.Bucket, input.Key, input.UploadId);
  const envelope = decodeEnvelope(upload.record.envelope);
  noteEncryption(call, envelope);
  if ((envelope.scheme === 'SSE-C') !== (customerKey !== undefined)) throw s3Errors.partNeedsUploadEncryption();
  if (envelope.scheme === 'SSE-C') requireCustomerKeysAllowed(call.caller, { bucket: bucketOf(call), key: input.Key, action: 's3:PutObject' });
  if (envelope.scheme === 'SSE-KMS' || envelope.scheme === 'DSSE-KMS') requireKmsTransport(s3, call.caller);
  try {
    const keys = await inKmsWords(() => s3.store.dataKeys.unwrap(envelope, placeOf(input.Bucket, input.Key, upload.record), call.caller, customerKey));
    return { bucket: input.Bucket, upload, envelope, keys };
  } catch (error) {
    if (error instanceof CustomerKeyError && error.code === 'wrong') throw s3Errors.partEncryptionDiffers();
    throw error;
  }
}

interface PartWrite {
  number: number;
  body: ByteSource;
  announcedSizeBytes: number | undefined;
  wantsMd5: boolean;
  /** Beside the one that the upload keeps. */
  alsoChecksum: ChecksumAlgorithm | undefined;
  verify: (stored: StoredPayload) => void;
}

async function writePart(s3: S3, target: OpenUpload, write: PartWrite): Promise<{ part: PartRecord; checksum: StoredChecksum; digests: StoredPayload['checksums'] }> {
  const { store } = s3;
  const { upload, envelope, keys, bucket } = target;
  if (write.announcedSizeBytes !== undefined && write.announcedSizeBytes > objectSizeMaxBytes) throw s3Errors.entityTooLarge(write.announcedSizeBytes, objectSizeMaxBytes);
  const kept = (upload.record.checksumAlgorithm ?? 'CRC64NVME') as ChecksumAlgorithm;
  const place = placeOf(bucket, upload.record.key, upload.record);
  const md5IsETag = hasMd5ETag(envelope.scheme);
  const stored = await writePayload(store.blobs, {
    keys, place, partNumber: write.number, body: write.body, mayBeInline: false, wantsMd5: md5IsETag || write.wantsMd5,
    checksumAlgorithms: [...new Set([kept, ...(write.alsoChecksum === undefined ? [] : [write.alsoChecksum])])],
    sizeMaxBytes: objectSizeMaxBytes, onTooLarge: (size) => { throw s3Errors.entityTooLarge(size, objectSizeMaxBytes); },
  });
  const blob = stored.stored.at === 'blob' ? stored.stored.id : '';
  try {
    if (keys.layers > 0) store.meter.sealed(stored.sizeBytes);
    write.verify(stored);
    const checksum: StoredChecksum = { algorithm: kept, type: upload.record.checksumType ?? 'FULL_OBJECT', value: (stored.checksums.get(kept) as Buffer).toString('base64') };
    const part: PartRecord = {
      v: 1, number: write.number, size: stored.sizeBytes, blob, modifiedMs: store.clock.nowMs(),
      etag: (md5IsETag ? (stored.md5 as Buffer) : randomBytes(16)).toString('hex'),
      checksum: storeChecksum(checksum, envelope.scheme, keys, place),
    };
    await putPart(store, upload, part);
    return { part, checksum, digests: stored.checksums };
  } catch (error) {
    const isRefused = error instanceof ServiceError || error instanceof ObjectStoreError;
    if (isRefused) await store.blobs.remove(blob).catch(() => undefined);
    throw error;
  }
}

function requirePartNumber(partNumber: number): void {
  if (partNumber >= 1 && partNumber <= 10_000) return;
  throw s3Errors.invalidArgument('Part number must be an integer between 1 and 10000, inclusive', 'partNumber', String(partNumber));
}

/** Only `bytes=a-b`, within the source. */
function readCopyRange(header: string | undefined, sizeBytes: number): ByteRange {
  if (header === undefined) return { start: 0, end: sizeBytes };
  const match = /^bytes=(\d+)-(\d+)$/.exec(header);
  const start = Number(match?.[1]);
  const end = Number(match?.[2]) + 1;
  if (match === null || end <= start) {
    throw s3Errors.invalidArgument('The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy', 'x-amz-copy-source-range', header);
  }
  if (end > sizeBytes) {
    throw s3Errors.invalidArgument(`Range specified is not valid for source object of size: ${sizeBytes}`, 'x-amz-copy-source-range', header);
  }
  return { start, end };
}
