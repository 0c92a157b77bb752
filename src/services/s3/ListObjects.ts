/** ListObjects (V1) and ListObjectsV2. Source: contract s3-surface.md section 8; s3-encryption.md section 20. */
import { listObjects, type BucketRecord, type ListPage, type VersionRecord } from '../../objects/index.ts';
import type { S3Inputs, S3Outputs } from '../../wire/shapes.ts';
import type { Operation } from '../operation.ts';
import { bucketOf, bucketOperation } from './guard.ts';
import { decodeToken, encodeToken, readEncoding, readPageSize, requireSearchable, type NameEncoder } from './listing-options.ts';
import { ownerOf } from './owner.ts';
import type { S3 } from './s3.ts';

type ListedObject = NonNullable<S3Outputs['ListObjectsV2']['Contents']>[number];

export function ListObjects(s3: S3): Operation<S3Inputs['ListObjects'], S3Outputs['ListObjects']> {
  return bucketOperation<S3Inputs['ListObjects'], S3Outputs['ListObjects']>(s3, {
    name: 'ListObjects',
    action: 's3:ListBucket',
    async act(input, call) {
      const bucket = bucketOf(call);
      const { Prefix = '', Delimiter = '', Marker = '' } = input;
      const encode = readEncoding(input.EncodingType);
      const limit = readPageSize(input.MaxKeys, 'max-keys', 'maxKeys');
      requireSearchable({ prefix: Prefix, delimiter: Delimiter, marker: Marker });
      const page = await listObjects(s3.store, bucket.name, { prefix: Prefix, delimiter: Delimiter, after: Marker === '' ? undefined : Marker, limit });
      return {
        Name: bucket.name,
        Prefix: encode(Prefix),
        Marker: encode(Marker),
        MaxKeys: limit,
        IsTruncated: page.isTruncated,
        ...(Delimiter === '' ? {} : { Delimiter: encode(Delimiter) }),
        // Without a delimiter the last key is the next marker, and S3 does not repeat it.
        ...(page.isTruncated && Delimiter !== '' ? { NextMarker: encode(lastName(page)) } : {}),
        ...(input.EncodingType ? { EncodingType: 'url' as const } : {}),
        ...linesOf(page, encode, bucket),
      };
    },
  });
}

export function ListObjectsV2(s3: S3): Operation<S3Inputs['ListObjectsV2'], S3Outputs['ListObjectsV2']> {
  return bucketOperation<S3Inputs['ListObjectsV2'], S3Outputs['ListObjectsV2']>(s3, {
    name: 'ListObjectsV2',
    action: 's3:ListBucket',
    async act(input, call) {
      const bucket = bucketOf(call);
      const { Prefix = '', Delimiter = '', StartAfter, ContinuationToken } = input;
      const encode = readEncoding(input.EncodingType);
      const limit = readPageSize(input.MaxKeys, 'max-keys', 'maxKeys');
      requireSearchable({ prefix: Prefix, delimiter: Delimiter, 'start-after': StartAfter });
      const after = ContinuationToken === undefined ? StartAfter || undefined : decodeToken(bucket.name, ContinuationToken);
      const page = await listObjects(s3.store, bucket.name, { prefix: Prefix, delimiter: Delimiter, after, limit });
      return {
        Name: bucket.name,
        Prefix: encode(Prefix),
        MaxKeys: limit,
        KeyCount: page.entries.length,
        IsTruncated: page.isTruncated,
        ...(Delimiter === '' ? {} : { Delimiter: encode(Delimiter) }),
        ...(ContinuationToken === undefined ? {} : { ContinuationToken }),
        ...(ContinuationToken === undefined && StartAfter !== undefined ? { StartAfter: encode(StartAfter) } : {}),
        ...(page.isTruncated ? { NextContinuationToken: encodeToken(bucket.name, lastName(page)) } : {}),
        ...(input.EncodingType ? { EncodingType: 'url' as const } : {}),
        ...linesOf(page, encode, input.FetchOwner ? bucket : undefined),
      };
    },
  });
}

/** Only for truncated pages, which have at least one line. */
function lastName(page: ListPage<unknown>): string {
  const last = page.entries.at(-1)!;
  return last.kind === 'prefix' ? last.prefix : last.key;
}

/** `ownedBy` where owners are shown. */
function linesOf(page: ListPage<VersionRecord>, encode: NameEncoder, ownedBy: BucketRecord | undefined) {
  const Contents: ListedObject[] = [];
  const CommonPrefixes: { Prefix: string }[] = [];
  const owner = ownedBy && { Owner: ownerOf(ownedBy) };
  for (const line of page.entries) {
    if (line.kind === 'prefix') CommonPrefixes.push({ Prefix: encode(line.prefix) });
    else Contents.push({ Key: encode(line.key), ...objectLine(line.item), ...owner });
  }
  return { ...(Contents.length > 0 ? { Contents } : {}), ...(CommonPrefixes.length > 0 ? { CommonPrefixes } : {}) };
}

/** What every listing says of an object version beside its name. */
export function objectLine(record: VersionRecord) {
  const { checksum } = record;
  return {
    LastModified: new Date(record.modifiedMs),
    ETag: record.etag,
    Size: record.size,
    StorageClass: (record.storageClass ?? 'STANDARD') as 'STANDARD',
    ...(checksum === undefined
      ? {}
      : { ChecksumAlgorithm: [checksum.algorithm] as ListedObject['ChecksumAlgorithm'], ChecksumType: checksum.type }),
  };
}
