/**
 * Who owns objects, and whether anything may be public. Both have one answer here, and settings that would ask for
 * another are refused.
 * Source: contract s3-surface.md sections 9, 10.
 */
import { updateBucket, type BucketRecord } from '../../objects/index.ts';
import type { S3Inputs, S3Outputs } from '../../wire/shapes.ts';
import type { Operation } from '../operation.ts';
import { s3Errors } from './errors.ts';
import { bucketOf, bucketOperation } from './guard.ts';
import type { S3 } from './s3.ts';

/** In `configurations`, by query name: taken away on purpose. Without an entry the default of new buckets holds. */
const removed = 'removed';

function withConfiguration(record: BucketRecord, name: string, value: unknown): BucketRecord {
  const { [name]: _replaced, ...others } = record.configurations ?? {};
  return { ...record, configurations: value === undefined ? others : { ...others, [name]: value } };
}

export function GetBucketOwnershipControls(s3: S3): Operation<S3Inputs['GetBucketOwnershipControls'], S3Outputs['GetBucketOwnershipControls']> {
  return bucketOperation(s3, {
    name: 'GetBucketOwnershipControls',
    action: 's3:GetBucketOwnershipControls',
    async act({ Bucket }, call) {
      if (bucketOf(call).configurations?.['ownershipControls'] === removed) throw s3Errors.noSuchOwnershipControls(Bucket);
      return { OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' as const }] } };
    },
  });
}

export function PutBucketOwnershipControls(s3: S3): Operation<S3Inputs['PutBucketOwnershipControls'], S3Outputs['PutBucketOwnershipControls']> {
  return bucketOperation(s3, {
    name: 'PutBucketOwnershipControls',
    action: 's3:PutBucketOwnershipControls',
    async act({ Bucket, OwnershipControls }) {
      const rules = OwnershipControls?.Rules ?? [];
      const ownership = rules.length === 1 ? rules[0]?.ObjectOwnership : undefined;
      if (ownership === 'BucketOwnerPreferred' || ownership === 'ObjectWriter') {
        throw s3Errors.notBuilt(`The object ownership ${ownership} is not implemented: buckets are BucketOwnerEnforced.`);
      }
      if (ownership !== 'BucketOwnerEnforced') throw s3Errors.malformedXml();
      await updateBucket(s3.store, Bucket, (record) => withConfiguration(record, 'ownershipControls', undefined));
      return {};
    },
  });
}

/** The setting is gone, and access lists stay refused: nothing that a bucket can have depends on it. */
export function DeleteBucketOwnershipControls(s3: S3): Operation<S3Inputs['DeleteBucketOwnershipControls'], S3Outputs['DeleteBucketOwnershipControls']> {
  return bucketOperation(s3, {
    name: 'DeleteBucketOwnershipControls',
    action: 's3:PutBucketOwnershipControls',
    async act({ Bucket }) {
      await updateBucket(s3.store, Bucket, (record) => withConfiguration(record, 'ownershipControls', removed));
      return {};
    },
  });
}

export function GetPublicAccessBlock(s3: S3): Operation<S3Inputs['GetPublicAccessBlock'], S3Outputs['GetPublicAccessBlock']> {
  return bucketOperation(s3, {
    name: 'GetPublicAccessBlock',
    action: 's3:GetBucketPublicAccessBlock',
    async act({ Bucket }, call) {
      if (bucketOf(call).configurations?.['publicAccessBlock'] === removed) throw s3Errors.noSuchPublicAccessBlock(Bucket);
      return { PublicAccessBlockConfiguration: { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true } };
    },
  });
}

export function PutPublicAccessBlock(s3: S3): Operation<S3Inputs['PutPublicAccessBlock'], S3Outputs['PutPublicAccessBlock']> {
  return bucketOperation(s3, {
    name: 'PutPublicAccessBlock',
    action: 's3:PutBucketPublicAccessBlock',
    async act({ Bucket, PublicAccessBlockConfiguration: block }) {
      const blocksAll = block?.BlockPublicAcls && block.IgnorePublicAcls && block.BlockPublicPolicy && block.RestrictPublicBuckets;
      if (!blocksAll) throw s3Errors.notBuilt('Public access is not implemented: all four settings of a public access block must be true.');
      await updateBucket(s3.store, Bucket, (record) => withConfiguration(record, 'publicAccessBlock', undefined));
      return {};
    },
  });
}

/** Remembered for the day when there are policies to block; until then nothing can be public with or without it. */
export function DeletePublicAccessBlock(s3: S3): Operation<S3Inputs['DeletePublicAccessBlock'], S3Outputs['DeletePublicAccessBlock']> {
  return bucketOperation(s3, {
    name: 'DeletePublicAccessBlock',
    action: 's3:PutBucketPublicAccessBlock',
    async act({ Bucket }) {
      await updateBucket(s3.store, Bucket, (record) => withConfiguration(record, 'publicAccessBlock', removed));
      return {};
    },
  });
}
