/** ListObjectVersions: versions and delete markers interleaved, newest first. Source: contract s3-surface.md section 8. */
import { decodeVersionId, encodeVersionId, findVersion, listVersions, type BucketRecord, type ListedVersion, type VersionMarker } from '../../objects/index.ts';
import type { S3Inputs, S3Outputs, VersionEntry } from '../../wire/shapes.ts';
import type { Operation } from '../operation.ts';
import { s3Errors } from './errors.ts';
import { bucketOf, bucketOperation } from './guard.ts';
import { objectLine } from './ListObjects.ts';
import { readEncoding, readPageSize, requireSearchable } from './listing-options.ts';
import { ownerOf } from './owner.ts';
import type { S3 } from './s3.ts';

type Input = S3Inputs['ListObjectVersions'];

export function ListObjectVersions(s3: S3): Operation<Input, S3Outputs['ListObjectVersions']> {
  return bucketOperation<Input, S3Outputs['ListObjectVersions']>(s3, {
    name: 'ListObjectVersions',
    action: 's3:ListBucketVersions',
    async act(input, call) {
      const bucket = bucketOf(call);
      const { Prefix = '', Delimiter = '', KeyMarker = '', VersionIdMarker = '' } = input;
      const encode = readEncoding(input.EncodingType);
      const limit = readPageSize(input.MaxKeys, 'max-keys', 'maxKeys');
      requireSearchable({ prefix: Prefix, delimiter: Delimiter, 'key-marker': KeyMarker });
      const after = await readMarker(s3, bucket, KeyMarker, VersionIdMarker);
      const page = await listVersions(s3.store, bucket.name, { prefix: Prefix, delimiter: Delimiter, after, limit });
      const owner = ownerOf(bucket);
      const Entries: VersionEntry[] = [];
      const CommonPrefixes: { Prefix: string }[] = [];
      for (const line of page.entries) {
        if (line.kind === 'prefix') CommonPrefixes.push({ Prefix: encode(line.prefix) });
        else Entries.push(versionEntry(encode(line.key), line.item, owner));
      }
      const last = page.isTruncated ? page.entries.at(-1) : undefined;
      return {
        Name: bucket.name,
        Prefix: encode(Prefix),
        KeyMarker: encode(KeyMarker),
        VersionIdMarker,
        MaxKeys: limit,
        IsTruncated: page.isTruncated,
        ...(Delimiter === '' ? {} : { Delimiter: encode(Delimiter) }),
        ...(input.EncodingType ? { EncodingType: 'url' as const } : {}),
        ...(last?.kind === 'prefix' ? { NextKeyMarker: encode(last.prefix) } : {}),
        ...(last?.kind === 'item' ? { NextKeyMarker: encode(last.key), NextVersionIdMarker: encodeVersionId(last.item.record) } : {}),
        ...(CommonPrefixes.length > 0 ? { CommonPrefixes } : {}),
        Entries,
      };
    },
  });
}

function versionEntry(Key: string, { record, isLatest }: ListedVersion, Owner: { ID: string }): VersionEntry {
  const name = { Key, VersionId: encodeVersionId(record), IsLatest: isLatest };
  if (record.kind === 'delete-marker') return { kind: 'DeleteMarker', ...name, LastModified: new Date(record.modifiedMs), Owner };
  return { kind: 'Version', ...name, ...objectLine(record), Owner };
}

/** Where a page begins. Throws InvalidArgument for a version without its key, and for what is no version id. */
async function readMarker(s3: S3, bucket: BucketRecord, key: string, versionId: string): Promise<VersionMarker | undefined> {
  if (key === '') {
    if (versionId === '') return undefined;
    throw s3Errors.invalidArgument('A version-id marker cannot be specified without a key marker.', 'version-id-marker', versionId);
  }
  if (versionId === '') return { key };
  if (versionId !== 'null') {
    const decoded = decodeVersionId(versionId);
    if (decoded === undefined) throw s3Errors.invalidArgument('Invalid version id specified', 'version-id-marker', versionId);
    return { key, sequence: decoded.sequence };
  }
  const nullVersion = await findVersion(s3.store, bucket.name, key, 'null');
  // The null version went away since it was shown, and its place with it: rather the key's versions once more than some never.
  return { key, sequence: nullVersion?.record.sequence ?? Number.MAX_SAFE_INTEGER };
}
