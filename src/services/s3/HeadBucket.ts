/** HeadBucket and GetBucketLocation: that a bucket is there, and where. Source: contract s3-surface.md section 10. */
import { bucketArn } from '../../base/index.ts';
import type { S3Inputs, S3Outputs } from '../../wire/shapes.ts';
import type { Operation } from '../operation.ts';
import { bucketOf, bucketOperation } from './guard.ts';
import type { S3 } from './s3.ts';

export function HeadBucket(s3: S3): Operation<S3Inputs['HeadBucket'], S3Outputs['HeadBucket']> {
  return bucketOperation(s3, {
    name: 'HeadBucket',
    action: 's3:ListBucket',
    async act({ Bucket }, call) {
      return { BucketArn: bucketArn(Bucket), BucketRegion: bucketOf(call).region, AccessPointAlias: false };
    },
  });
}

export function GetBucketLocation(s3: S3): Operation<S3Inputs['GetBucketLocation'], S3Outputs['GetBucketLocation']> {
  return bucketOperation(s3, {
    name: 'GetBucketLocation',
    action: 's3:GetBucketLocation',
    async act(_, call) {
      const { region } = bucketOf(call);
      // The region that needs no name: the document is empty.
      return region === 'us-east-1' ? {} : { LocationConstraint: region as NonNullable<S3Outputs['GetBucketLocation']['LocationConstraint']> };
    },
  });
}
