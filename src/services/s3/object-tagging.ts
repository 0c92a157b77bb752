/**
 * Put, Get and DeleteObjectTagging. No key is needed: tags are not part of the encrypted object.
 * Source: contract s3-surface.md sections 4, 10; s3-encryption.md section 19.
 */
import { updateVersion, type BucketRecord, type Tag, type VersionRecord } from '../../objects/index.ts';
import type { S3Inputs, S3Outputs } from '../../wire/shapes.ts';
import type { Operation } from '../operation.ts';
import { s3Errors } from './errors.ts';
import { bucketOf, bucketOperation } from './guard.ts';
import { findObject } from './object-read.ts';
import type { S3 } from './s3.ts';
import { objectTagBounds, readTagSet } from './tags.ts';

interface VersionInput {
  Bucket: string;
  Key: string;
  VersionId?: string | undefined;
}

export function PutObjectTagging(s3: S3): Operation<S3Inputs['PutObjectTagging'], S3Outputs['PutObjectTagging']> {
  return bucketOperation<S3Inputs['PutObjectTagging'], S3Outputs['PutObjectTagging']>(s3, {
    name: 'PutObjectTagging',
    action: ({ VersionId }) => (VersionId === undefined ? 's3:PutObjectTagging' : 's3:PutObjectVersionTagging'),
    async act(input, call) {
      const tags = readTagSet(input.Tagging?.TagSet, objectTagBounds);
      return { VersionId: await setTags(s3, bucketOf(call), input, tags, 'PUT') };
    },
  });
}

export function GetObjectTagging(s3: S3): Operation<S3Inputs['GetObjectTagging'], S3Outputs['GetObjectTagging']> {
  return bucketOperation<S3Inputs['GetObjectTagging'], S3Outputs['GetObjectTagging']>(s3, {
    name: 'GetObjectTagging',
    action: ({ VersionId }) => (VersionId === undefined ? 's3:GetObjectTagging' : 's3:GetObjectVersionTagging'),
    async act(input, call) {
      const { record, versionId } = await findObject(s3, bucketOf(call), input, 'GET');
      return { TagSet: record.tags ?? [], VersionId: versionId };
    },
  });
}

export function DeleteObjectTagging(s3: S3): Operation<S3Inputs['DeleteObjectTagging'], S3Outputs['DeleteObjectTagging']> {
  return bucketOperation<S3Inputs['DeleteObjectTagging'], S3Outputs['DeleteObjectTagging']>(s3, {
    name: 'DeleteObjectTagging',
    action: ({ VersionId }) => (VersionId === undefined ? 's3:DeleteObjectTagging' : 's3:DeleteObjectVersionTagging'),
    async act(input, call) {
      return { VersionId: await setTags(s3, bucketOf(call), input, [], 'DELETE') };
    },
  });
}

/** The version id to be echoed. Throws NoSuchKey, NoSuchVersion, MethodNotAllowed. */
async function setTags(s3: S3, bucket: BucketRecord, input: VersionInput, tags: Tag[], method: string): Promise<string | undefined> {
  const { Key: key } = input;
  const found = await findObject(s3, bucket, input, method);
  const changed = await updateVersion(s3.store, bucket.name, key, input.VersionId, (record): VersionRecord => {
    // Another writer may have come between: a marker takes no tags.
    if (record.kind === 'delete-marker') throw s3Errors.noSuchKey(key, { 'x-amz-delete-marker': 'true' });
    const { tags: _replaced, ...untagged } = record;
    return tags.length === 0 ? untagged : { ...untagged, tags };
  });
  if (changed === undefined) throw input.VersionId === undefined ? s3Errors.noSuchKey(key) : s3Errors.noSuchVersion(key, input.VersionId);
  return found.versionId;
}
