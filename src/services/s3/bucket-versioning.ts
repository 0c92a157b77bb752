/** Get and PutBucketVersioning. Source: contract s3-surface.md section 7. */
import { updateBucket } from '../../objects/index.ts';
import type { S3Inputs, S3Outputs } from '../../wire/shapes.ts';
import type { Operation } from '../operation.ts';
import { s3Errors } from './errors.ts';
import { bucketOf, bucketOperation } from './guard.ts';
import type { S3 } from './s3.ts';

export function GetBucketVersioning(s3: S3): Operation<S3Inputs['GetBucketVersioning'], S3Outputs['GetBucketVersioning']> {
  return bucketOperation(s3, {
    name: 'GetBucketVersioning',
    action: 's3:GetBucketVersioning',
    async act(_, call) {
      const { versioning } = bucketOf(call);
      return versioning === undefined ? {} : { Status: versioning };
    },
  });
}

export function PutBucketVersioning(s3: S3): Operation<S3Inputs['PutBucketVersioning'], S3Outputs['PutBucketVersioning']> {
  return bucketOperation(s3, {
    name: 'PutBucketVersioning',
    action: 's3:PutBucketVersioning',
    async act({ Bucket, MFA, VersioningConfiguration }) {
      const { Status, MFADelete } = VersioningConfiguration;
      if (MFA !== undefined) throw s3Errors.notImplemented('x-amz-mfa');
      if (MFADelete === 'Enabled') throw s3Errors.notBuilt('MFA delete is not implemented.');
      if (MFADelete !== undefined && MFADelete !== 'Disabled') throw s3Errors.malformedXml();
      if (Status === undefined) throw s3Errors.illegalVersioningConfiguration();
      if (Status !== 'Enabled' && Status !== 'Suspended') throw s3Errors.malformedXml();
      await updateBucket(s3.store, Bucket, (record) => ({ ...record, versioning: Status }));
      return {};
    },
  });
}
