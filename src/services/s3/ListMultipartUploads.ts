/** ListMultipartUploads. Source: contract s3-surface.md section 8. */
import { decodeUploadId, listUploads, type FoundUpload, type UploadPosition } from '../../objects/index.ts';
import type { S3Inputs, S3Outputs } from '../../wire/shapes.ts';
import type { Operation } from '../operation.ts';
import { s3Errors } from './errors.ts';
import { bucketOf, bucketOperation } from './guard.ts';
import { readEncoding, readPageSize, requireSearchable } from './listing-options.ts';
import { initiatorOf, ownerOf } from './owner.ts';
import type { S3 } from './s3.ts';

type Input = S3Inputs['ListMultipartUploads'];
type ListedUpload = NonNullable<S3Outputs['ListMultipartUploads']['Uploads']>[number];

export function ListMultipartUploads(s3: S3): Operation<Input, S3Outputs['ListMultipartUploads']> {
  return bucketOperation<Input, S3Outputs['ListMultipartUploads']>(s3, {
    name: 'ListMultipartUploads',
    action: 's3:ListBucketMultipartUploads',
    async act(input, call) {
      const bucket = bucketOf(call);
      const { Prefix = '', Delimiter = '', KeyMarker = '' } = input;
      // Without its key the upload id does not count.
      const uploadIdMarker = KeyMarker === '' ? '' : (input.UploadIdMarker ?? '');
      const encode = readEncoding(input.EncodingType);
      const limit = readPageSize(input.MaxUploads, 'max-uploads');
      requireSearchable({ prefix: Prefix, delimiter: Delimiter, 'key-marker': KeyMarker });
      const after = readMarker(KeyMarker, uploadIdMarker);
      const page = await listUploads(s3.store, bucket.name, { prefix: Prefix, delimiter: Delimiter, after, limit });
      const Uploads: ListedUpload[] = [];
      const CommonPrefixes: { Prefix: string }[] = [];
      for (const line of page.entries) {
        if (line.kind === 'prefix') CommonPrefixes.push({ Prefix: encode(line.prefix) });
        else Uploads.push({ Key: encode(line.key), ...uploadLine(line.item), Initiator: initiatorOf(line.item.record, bucket), Owner: ownerOf(bucket) });
      }
      const last = page.isTruncated ? page.entries.at(-1) : undefined;
      return {
        Bucket: bucket.name,
        Prefix: encode(Prefix),
        KeyMarker: encode(KeyMarker),
        UploadIdMarker: uploadIdMarker,
        NextKeyMarker: last === undefined ? '' : encode(last.kind === 'prefix' ? last.prefix : last.key),
        NextUploadIdMarker: last?.kind === 'item' ? last.item.uploadId : '',
        MaxUploads: limit,
        IsTruncated: page.isTruncated,
        ...(Delimiter === '' ? {} : { Delimiter: encode(Delimiter) }),
        ...(input.EncodingType ? { EncodingType: 'url' as const } : {}),
        ...(Uploads.length > 0 ? { Uploads } : {}),
        ...(CommonPrefixes.length > 0 ? { CommonPrefixes } : {}),
      };
    },
  });
}

function uploadLine({ uploadId, record }: FoundUpload): ListedUpload {
  return {
    UploadId: uploadId,
    Initiated: new Date(record.startedMs),
    StorageClass: (record.storageClass ?? 'STANDARD') as 'STANDARD',
    ...(record.checksumAlgorithm === undefined ? {} : { ChecksumAlgorithm: record.checksumAlgorithm as 'CRC32' }),
    ...(record.checksumType === undefined ? {} : { ChecksumType: record.checksumType }),
  };
}

/**
 * Where a page begins. The upload need not be there any more: clients abort what one page showed before they ask for
 * the next. Throws InvalidArgument for what is no upload id.
 */
function readMarker(key: string, uploadId: string): UploadPosition | undefined {
  if (key === '') return undefined;
  if (uploadId === '') return { key };
  if (decodeUploadId(uploadId) === undefined) throw s3Errors.invalidArgument('Invalid uploadId marker', 'upload-id-marker', uploadId);
  return { key, uploadId };
}
