/** Put, Get and DeleteBucketTagging. Source: contract s3-surface.md sections 3, 4, 10. */
import { updateBucket } from '../../objects/index.ts';
import type { S3Inputs, S3Outputs } from '../../wire/shapes.ts';
import type { Operation } from '../operation.ts';
import { s3Errors } from './errors.ts';
import { bucketOf, bucketOperation } from './guard.ts';
import type { S3 } from './s3.ts';
import { bucketTagBounds, readTagSet } from './tags.ts';

export function PutBucketTagging(s3: S3): Operation<S3Inputs['PutBucketTagging'], S3Outputs['PutBucketTagging']> {
  return bucketOperation(s3, {
    name: 'PutBucketTagging',
    action: 's3:PutBucketTagging',
    async act({ Bucket, Tagging }) {
      const tags = readTagSet(Tagging?.TagSet, bucketTagBounds);
      await updateBucket(s3.store, Bucket, (record) => ({ ...record, tags }));
      return {};
    },
  });
}

export function GetBucketTagging(s3: S3): Operation<S3Inputs['GetBucketTagging'], S3Outputs['GetBucketTagging']> {
  return bucketOperation(s3, {
    name: 'GetBucketTagging',
    action: 's3:GetBucketTagging',
    async act({ Bucket }, call) {
      const { tags } = bucketOf(call);
      if (tags === undefined || tags.length === 0) throw s3Errors.noSuchTagSet(Bucket);
      return { TagSet: tags };
    },
  });
}

export function DeleteBucketTagging(s3: S3): Operation<S3Inputs['DeleteBucketTagging'], S3Outputs['DeleteBucketTagging']> {
  return bucketOperation(s3, {
    name: 'DeleteBucketTagging',
    action: 's3:PutBucketTagging',
    async act({ Bucket }) {
      await updateBucket(s3.store, Bucket, ({ tags: _gone, ...record }) => record);
      return {};
    },
  });
}
