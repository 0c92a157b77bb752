/**
 * Configurations that cannot be made yet: reading one says that there is none, in S3's words for each, and deleting
 * one that is not there succeeds as everywhere. Whoever builds one of them takes its line out of here.
 * Source: contract s3-surface.md sections 3, 10 and case S68.
 */
import { ServiceError } from '../../base/index.ts';
import type { S3OperationName, S3Outputs } from '../../wire/shapes.ts';
import type { Operation } from '../operation.ts';
import { s3Errors } from './errors.ts';
import { bucketOf, bucketOperation } from './guard.ts';
import type { S3 } from './s3.ts';

type BucketOperation = Operation<{ Bucket: string }, unknown>;

/** A read that answers with an error: code and message. */
const missing: readonly (readonly [name: S3OperationName, action: string, code: string, message: string])[] = [
  ['GetBucketPolicy', 's3:GetBucketPolicy', 'NoSuchBucketPolicy', 'The bucket policy does not exist'],
  ['GetBucketPolicyStatus', 's3:GetBucketPolicyStatus', 'NoSuchBucketPolicy', 'The bucket policy does not exist'],
  ['GetBucketCors', 's3:GetBucketCORS', 'NoSuchCORSConfiguration', 'The CORS configuration does not exist'],
  ['GetBucketLifecycleConfiguration', 's3:GetLifecycleConfiguration', 'NoSuchLifecycleConfiguration', 'The lifecycle configuration does not exist'],
  ['GetBucketReplication', 's3:GetReplicationConfiguration', 'ReplicationConfigurationNotFoundError', 'The replication configuration was not found'],
  ['GetBucketWebsite', 's3:GetBucketWebsite', 'NoSuchWebsiteConfiguration', 'The specified bucket does not have a website configuration'],
  ['GetObjectLockConfiguration', 's3:GetBucketObjectLockConfiguration', 'ObjectLockConfigurationNotFoundError', 'Object Lock configuration does not exist for this bucket'],
  ['GetBucketInventoryConfiguration', 's3:GetInventoryConfiguration', 'NoSuchConfiguration', 'The specified configuration does not exist.'],
  ['DeleteBucketInventoryConfiguration', 's3:PutInventoryConfiguration', 'NoSuchConfiguration', 'The specified configuration does not exist.'],
  ['GetBucketAnalyticsConfiguration', 's3:GetAnalyticsConfiguration', 'NoSuchConfiguration', 'The specified configuration does not exist.'],
  ['GetBucketMetricsConfiguration', 's3:GetMetricsConfiguration', 'NoSuchConfiguration', 'The specified configuration does not exist.'],
  ['GetBucketIntelligentTieringConfiguration', 's3:GetIntelligentTieringConfiguration', 'NoSuchConfiguration', 'The specified configuration does not exist.'],
];

/** A read whose answer is the default, or an empty document. */
const defaults: { readonly [Name in S3OperationName]?: readonly [action: string, output: S3Outputs[Name]] } = {
  GetBucketRequestPayment: ['s3:GetBucketRequestPayment', { Payer: 'BucketOwner' }],
  GetBucketAccelerateConfiguration: ['s3:GetAccelerateConfiguration', {}],
  GetBucketLogging: ['s3:GetBucketLogging', {}],
  GetBucketNotificationConfiguration: ['s3:GetBucketNotification', {}],
  GetBucketAbac: ['s3:GetBucketAbac', { AbacStatus: { Status: 'Disabled' } }],
  ListBucketInventoryConfigurations: ['s3:GetInventoryConfiguration', { IsTruncated: false }],
  ListBucketAnalyticsConfigurations: ['s3:GetAnalyticsConfiguration', { IsTruncated: false }],
  ListBucketMetricsConfigurations: ['s3:GetMetricsConfiguration', { IsTruncated: false }],
  ListBucketIntelligentTieringConfigurations: ['s3:GetIntelligentTieringConfiguration', { IsTruncated: false }],
  DeleteBucketPolicy: ['s3:DeleteBucketPolicy', {}],
  DeleteBucketCors: ['s3:PutBucketCORS', {}],
  DeleteBucketLifecycle: ['s3:PutLifecycleConfiguration', {}],
  DeleteBucketReplication: ['s3:PutReplicationConfiguration', {}],
  DeleteBucketWebsite: ['s3:DeleteBucketWebsite', {}],
};

/** Reads of a lock in a bucket that cannot have one. */
const lockReads: readonly (readonly [name: S3OperationName, action: string])[] = [
  ['GetObjectRetention', 's3:GetObjectRetention'],
  ['GetObjectLegalHold', 's3:GetObjectLegalHold'],
];

export function absentConfigurations(s3: S3): BucketOperation[] {
  return [
    ...missing.map(([name, action, code, message]) =>
      bucketOperation<{ Bucket: string }, never>(s3, {
        name, action,
        act: async (_, call) => { throw new ServiceError(code, 404, message, { details: { BucketName: bucketOf(call).name } }); },
      })),
    ...Object.entries(defaults).map(([name, [action, output]]) => bucketOperation<{ Bucket: string }, unknown>(s3, { name, action, act: async () => output })),
    ...lockReads.map(([name, action]) =>
      bucketOperation<{ Bucket: string; Key: string }, never>(s3, {
        name, action,
        act: async () => { throw s3Errors.invalidRequest('Bucket is missing Object Lock Configuration'); },
      })),
  ];
}
