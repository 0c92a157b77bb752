/** ListParts. Source: contract s3-surface.md section 8; s3-encryption.md sections 10.3 and 11. */
import { wipeKeys, type PayloadKeys } from '../../keyring/index.ts';
import { getUpload, listParts, openChecksum, placeOf, type PartRecord, type UploadRecord } from '../../objects/index.ts';
import { decodeEnvelope, type ObjectVersion } from '../../seal/index.ts';
import type { S3Inputs, S3Outputs } from '../../wire/shapes.ts';
import type { Call, Operation } from '../operation.ts';
import { inKmsWords, noteEncryption, proveCustomerKey, readCustomerKeyForRead, requireKmsTransport } from './encryption.ts';
import { s3Errors } from './errors.ts';
import { bucketOf, bucketOperation } from './guard.ts';
import { readPageSize } from './listing-options.ts';
import { initiatorOf, ownerOf } from './owner.ts';
import type { S3 } from './s3.ts';

type Input = S3Inputs['ListParts'];
type ListedPart = NonNullable<S3Outputs['ListParts']['Parts']>[number];

export function ListParts(s3: S3): Operation<Input, S3Outputs['ListParts']> {
  return bucketOperation<Input, S3Outputs['ListParts']>(s3, {
    name: 'ListParts',
    action: 's3:ListMultipartUploadParts',
    async act(input, call) {
      const bucket = bucketOf(call);
      const { Key, UploadId } = input;
      const limit = readPageSize(input.MaxParts, 'max-parts');
      const after = readPartMarker(input.PartNumberMarker);
      const { record } = await getUpload(s3.store, bucket.name, Key, UploadId);
      const place = placeOf(bucket.name, Key, record);
      const keys = await unwrapForChecksums(s3, call, input, record, place);
      try {
        const found = limit === 0 ? [] : await listParts(s3.store, record, { after, limit: limit + 1 });
        const parts = found.slice(0, limit);
        return {
          Bucket: bucket.name,
          Key,
          UploadId,
          PartNumberMarker: String(after),
          NextPartNumberMarker: String(parts.at(-1)?.number ?? 0),
          MaxParts: limit,
          IsTruncated: found.length > limit,
          ...(parts.length > 0 ? { Parts: parts.map((part) => partLine(part, record, keys, place)) } : {}),
          Initiator: initiatorOf(record, bucket),
          Owner: ownerOf(bucket),
          StorageClass: (record.storageClass ?? 'STANDARD') as 'STANDARD',
          ...(record.checksumAlgorithm === undefined ? {} : { ChecksumAlgorithm: record.checksumAlgorithm as 'CRC32' }),
          ...(record.checksumType === undefined ? {} : { ChecksumType: record.checksumType }),
        };
      } finally {
        if (keys !== undefined) wipeKeys(keys);
      }
    },
  });
}

/**
 * The upload's keys where they are wanted: always under KMS, where listing parts needs kms:Decrypt; under SSE-C when
 * the caller brings the key. Undefined: parts are listed without checksums of their own.
 */
async function unwrapForChecksums(s3: S3, call: Call, input: Input, upload: UploadRecord, place: ObjectVersion): Promise<PayloadKeys | undefined> {
  const envelope = decodeEnvelope(upload.envelope);
  noteEncryption(call, envelope);
  const customerKey = readCustomerKeyForRead(input);
  if (envelope.scheme === 'SSE-C' && customerKey === undefined) return undefined;
  proveCustomerKey(s3, envelope, customerKey);
  if (envelope.scheme === 'SSE-KMS' || envelope.scheme === 'DSSE-KMS') requireKmsTransport(s3, call.caller);
  return inKmsWords(() => s3.store.dataKeys.unwrap(envelope, place, call.caller, customerKey));
}

function partLine(part: PartRecord, upload: UploadRecord, keys: PayloadKeys | undefined, place: ObjectVersion): ListedPart {
  const line: ListedPart = { PartNumber: part.number, LastModified: new Date(part.modifiedMs), ETag: part.etag, Size: part.size };
  // A checksum that the upload did not declare is not listed.
  if (part.checksum === undefined || upload.checksumAlgorithm === undefined || keys === undefined) return line;
  const { algorithm, value } = openChecksum(part.checksum, keys, place);
  return { ...line, [`Checksum${algorithm}`]: value };
}

function readPartMarker(text: string | undefined): number {
  if (text === undefined || text === '') return 0;
  const marker = /^[+-]?\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(marker) || marker > 0x7fff_ffff) {
    throw s3Errors.invalidArgument('Provided part-number-marker not an integer or within integer range', 'part-number-marker', text);
  }
  if (marker < 0) throw s3Errors.invalidArgument('Argument part-number-marker must be an integer between 0 and 2147483647', 'part-number-marker', text);
  return marker;
}
