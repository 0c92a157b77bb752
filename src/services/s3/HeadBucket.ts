/** HeadBucket and GetBucketLocation: that a bucket is there, and where. Source: contract s3-surface.md section 10. */
import { Denied } from '../../audit/index.ts';
import { bucketArn, ServiceError } from '../../base/index.ts';
import type { S3Inputs, S3Outputs } from '../../wire/shapes.ts';
import type { Operation } from '../operation.ts';
import { bucketOf, bucketOperation } from './guard.ts';
import type { S3 } from './s3.ts';

export function HeadBucket(s3: S3): Operation<S3Inputs['HeadBucket'], S3Outputs['HeadBucket']> {
  return bucketOperation(s3, {
    name: 'HeadBucket',
    // Authorized here, so that a refusal too names the region: clients look there for where to go.
    async act({ Bucket }, call) {
      const { owner, region } = bucketOf(call);
      try {
        s3.gate.authorize(call.caller, [{ action: 's3:ListBucket', resource: bucketArn(Bucket), resourceAccount: owner }], Bucket);
      } catch (error) {
        if (!(error instanceof Denied)) throw error;
        throw new ServiceError('AccessDenied', 403, error.message, { headers: { 'x-amz-bucket-region': region } });
      }
      return { BucketArn: bucketArn(Bucket), BucketRegion: region, AccessPointAlias: false };
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
