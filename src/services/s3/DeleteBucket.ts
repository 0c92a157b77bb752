/** DeleteBucket: empty of versions and markers; open uploads do not hinder. Source: contract s3-surface.md section 10. */
import { deleteBucket, ObjectStoreError } from '../../objects/index.ts';
import type { S3Inputs, S3Outputs } from '../../wire/shapes.ts';
import type { Operation } from '../operation.ts';
import { s3Errors } from './errors.ts';
import { bucketOf, bucketOperation } from './guard.ts';
import type { S3 } from './s3.ts';

export function DeleteBucket(s3: S3): Operation<S3Inputs['DeleteBucket'], S3Outputs['DeleteBucket']> {
  return bucketOperation(s3, {
    name: 'DeleteBucket',
    action: 's3:DeleteBucket',
    async act({ Bucket }, call) {
      try {
        await deleteBucket(s3.store, Bucket);
      } catch (error) {
        if (!(error instanceof ObjectStoreError) || error.code !== 'bucket-not-empty') throw error;
        throw s3Errors.bucketNotEmpty(Bucket, bucketOf(call).versioning !== undefined);
      }
      return {};
    },
  });
}
