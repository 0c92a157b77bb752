/**
 * The default encryption of a bucket, and what it blocks: Put, Get and DeleteBucketEncryption.
 * The KMS key is not looked at here: later writes fail where it does not work.
 * Source: contract s3-encryption.md section 6.
 */
import type { S3Inputs, S3Outputs } from '../../wire/shapes.ts';
import { updateBucket, type BlockedEncryption, type BucketEncryption } from '../../objects/index.ts';
import type { Operation } from '../operation.ts';
import { s3Errors } from './errors.ts';
import { bucketOf, bucketOperation } from './guard.ts';
import type { S3, S3Settings } from './s3.ts';

type Rule = NonNullable<S3Inputs['PutBucketEncryption']['ServerSideEncryptionConfiguration']['Rules']>[number];

/** What a bucket has before anybody configures it, and after DeleteBucketEncryption. */
export function initialEncryption(settings: S3Settings): BucketEncryption {
  return { bucketKeyEnabled: false, blocked: settings.newBucketsBlock === 'SSE-C' ? ['SSE-C'] : [] };
}

export function PutBucketEncryption(s3: S3): Operation<S3Inputs['PutBucketEncryption'], S3Outputs['PutBucketEncryption']> {
  return bucketOperation(s3, {
    name: 'PutBucketEncryption',
    action: 's3:PutEncryptionConfiguration',
    async act({ Bucket, ServerSideEncryptionConfiguration }) {
      const rules = ServerSideEncryptionConfiguration?.Rules ?? [];
      const [rule] = rules;
      if (rule === undefined || rules.length > 1) throw s3Errors.malformedXml();
      const change = readRule(rule);
      await updateBucket(s3.store, Bucket, (record) => ({ ...record, encryption: change(record.encryption) }));
      return {};
    },
  });
}

export function GetBucketEncryption(s3: S3): Operation<S3Inputs['GetBucketEncryption'], S3Outputs['GetBucketEncryption']> {
  return bucketOperation(s3, {
    name: 'GetBucketEncryption',
    action: 's3:GetEncryptionConfiguration',
    async act(_, call) {
      const { name, encryption } = bucketOf(call);
      // As S3 answered while it still stored objects plain: AES256 would be untrue here.
      if (encryption.algorithm === undefined && s3.settings.defaultEncryption === 'none') throw s3Errors.noSuchEncryptionConfiguration(name);
      return {
        ServerSideEncryptionConfiguration: {
          Rules: [{
            ApplyServerSideEncryptionByDefault: {
              SSEAlgorithm: encryption.algorithm ?? 'AES256',
              ...(encryption.kmsKey === undefined ? {} : { KMSMasterKeyID: encryption.kmsKey }),
            },
            BucketKeyEnabled: encryption.bucketKeyEnabled,
            BlockedEncryptionTypes: { EncryptionType: encryption.blocked.length === 0 ? ['NONE'] : [...encryption.blocked] },
          }],
        },
      };
    },
  });
}

export function DeleteBucketEncryption(s3: S3): Operation<S3Inputs['DeleteBucketEncryption'], S3Outputs['DeleteBucketEncryption']> {
  return bucketOperation(s3, {
    name: 'DeleteBucketEncryption',
    action: 's3:PutEncryptionConfiguration',
    async act({ Bucket }) {
      await updateBucket(s3.store, Bucket, (record) => ({ ...record, encryption: initialEncryption(s3.settings) }));
      return {};
    },
  });
}

/** What a rule does to the encryption that is in force. Throws MalformedXML (E40), InvalidArgument (E41). */
function readRule(rule: Rule): (current: BucketEncryption) => BucketEncryption {
  const blocked = readBlocked(rule);
  const byDefault = rule.ApplyServerSideEncryptionByDefault;
  if (byDefault === undefined) {
    // A rule that only blocks leaves algorithm, key and bucket key alone; one that says nothing of either is none.
    if (blocked === undefined || rule.BucketKeyEnabled !== undefined) throw s3Errors.malformedXml();
    return (current) => ({ ...current, blocked });
  }
  const algorithm = byDefault.SSEAlgorithm;
  if (algorithm !== 'AES256' && algorithm !== 'aws:kms' && algorithm !== 'aws:kms:dsse') throw s3Errors.malformedXml();
  const kmsKey = byDefault.KMSMasterKeyID === '' ? undefined : byDefault.KMSMasterKeyID;
  if (kmsKey !== undefined && algorithm === 'AES256') throw s3Errors.kmsKeyNotApplicable();
  return (current) => ({
    algorithm,
    ...(kmsKey === undefined ? {} : { kmsKey }),
    bucketKeyEnabled: rule.BucketKeyEnabled ?? false,
    blocked: blocked ?? current.blocked,
  });
}

/** Undefined where the rule does not speak of it. */
function readBlocked({ BlockedEncryptionTypes }: Rule): readonly BlockedEncryption[] | undefined {
  if (BlockedEncryptionTypes === undefined) return undefined;
  const types = new Set<string>(BlockedEncryptionTypes.EncryptionType);
  const [type] = types;
  if (types.size !== 1 || (type !== 'NONE' && type !== 'SSE-C')) throw s3Errors.malformedXml();
  return type === 'NONE' ? [] : ['SSE-C'];
}
