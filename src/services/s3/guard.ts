/**
 * What S3 checks ahead of authorization and around every act: transport of keys, the bucket and its owner, and the
 * names that errors of lower rooms have in S3.
 * Source: contract s3-encryption.md section 4.1; s3-surface.md section 1.
 */
import { Denied, type Caller } from '../../audit/index.ts';
import { BlobError } from '../../blobs/index.ts';
import { bucketArn, objectArn, ServiceError } from '../../base/index.ts';
import { CatalogError } from '../../catalog/index.ts';
import { CustomerKeyError } from '../../keyring/index.ts';
import { findBucket, ObjectStoreError, type BucketRecord } from '../../objects/index.ts';
import { SealError } from '../../seal/index.ts';
import type { Demand } from '../../policy/index.ts';
import type { Call, Operation } from '../operation.ts';
import { s3Errors } from './errors.ts';
import type { S3 } from './s3.ts';

const bucketOfCall = new WeakMap<Call, BucketRecord>();

/** The bucket that `before` found. Only for operations made by `bucketOperation`. */
export function bucketOf(call: Call): BucketRecord {
  const record = bucketOfCall.get(call);
  if (record === undefined) throw new Error('this operation has no bucket');
  return record;
}

interface BucketInput {
  Bucket?: string | undefined;
  Key?: string | undefined;
  ExpectedBucketOwner?: string | undefined;
}

/**
 * An operation on a bucket or an object in it. The bucket is looked up and its owner compared before the caller is
 * authorized for `action` on the bucket or, where the input has a key, on the object.
 */
export function bucketOperation<Input extends BucketInput, Output>(
  s3: S3,
  operation: {
    name: string;
    /** Such as `s3:GetObject`; a function where it depends on the input (versions); absent where the act authorizes by itself. */
    action?: string | ((input: Input) => string);
    /** Further demands, such as for a copy source. */
    alsoDemands?: (input: Input, call: Call) => readonly Demand[];
    act(input: Input, call: Call): Promise<Output>;
  },
): Operation<Input, Output> {
  return {
    name: operation.name,
    async before(input, call) {
      requireSafeTransport(s3, call);
      const bucket = input.Bucket ?? '';
      call.notes.bucket = bucket;
      const found = await findBucket(s3.store, bucket);
      if (found === undefined) throw s3Errors.noSuchBucket(bucket);
      requireOwner(input.ExpectedBucketOwner, found.record.owner);
      bucketOfCall.set(call, found.record);
    },
    demands(input, call) {
      const action = typeof operation.action === 'function' ? operation.action(input) : operation.action;
      const bucket = input.Bucket ?? '';
      const resource = input.Key === undefined ? bucketArn(bucket) : objectArn(bucket, input.Key);
      const own: Demand[] = action === undefined ? [] : [{ action, resource, resourceAccount: bucketOf(call).owner }];
      return [...own, ...(operation.alsoDemands?.(input, call) ?? [])];
    },
    act: (request, call) => inS3Words(() => operation.act(request.input, call), request.input),
  };
}

/** Throws InvalidBucketOwnerAWSAccountID or AccessDenied. */
export function requireOwner(expected: string | undefined, owner: string): void {
  if (expected === undefined) return;
  if (!/^\d{12}$/.test(expected)) {
    throw new ServiceError('InvalidBucketOwnerAWSAccountID', 400, 'The value of the expected bucket owner parameter must be an AWS account ID');
  }
  if (expected !== owner) throw s3Errors.accessDenied();
}

/** A customer key that came in clear counts as lost: refused before it is even decoded (E10). */
export function requireSafeTransport(s3: S3, call: Call): void {
  if (isSafeForKeys(s3, call.caller)) return;
  for (const name in call.headers) {
    if (name.startsWith('x-amz-server-side-encryption-customer-') || name.startsWith('x-amz-copy-source-server-side-encryption-customer-')) {
      throw s3Errors.customerKeyNeedsTls();
    }
  }
}

/** TLS, or this machine itself where the operator allows that. */
export function isSafeForKeys(s3: S3, caller: Caller): boolean {
  return caller.secure || (s3.settings.keysOverHttp === 'loopback' && isLoopback(caller.sourceIp));
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}

/** Runs an act and gives what it throws its S3 name. */
export async function inS3Words<Output>(act: () => Promise<Output>, input: BucketInput): Promise<Output> {
  try {
    return await act();
  } catch (error) {
    throw s3Error(error, input);
  }
}

export function s3Error(error: unknown, input: { Bucket?: string | undefined; Key?: string | undefined; VersionId?: string | undefined }): unknown {
  if (error instanceof ServiceError) return error;
  if (error instanceof Denied) return s3Errors.accessDenied(error.message);
  if (error instanceof CustomerKeyError) {
    if (error.code === 'missing') return s3Errors.customerKeyRequired();
    return error.code === 'wrong' ? s3Errors.customerKeyWrong() : s3Errors.customerKeyNotApplicable();
  }
  if (error instanceof ObjectStoreError) return objectStoreError(error, input);
  if (error instanceof SealError) return s3Errors.internal(error);
  if ((error instanceof CatalogError || error instanceof BlobError) && error.code === 'full') {
    return new ServiceError('ServiceUnavailable', 503, 'There is no room left on the disk of this server. Nothing was stored.', { cause: error });
  }
  return error;
}

function invalidKey(key: string): ServiceError {
  const size = Buffer.byteLength(key);
  if (size > 1_024) return new ServiceError('KeyTooLongError', 400, 'Your key is too long', { details: { Size: String(size), MaxSizeAllowed: '1024' } });
  return s3Errors.invalidArgument('The object key is not valid.', 'Key');
}

function objectStoreError(error: ObjectStoreError, input: { Bucket?: string | undefined; Key?: string | undefined; VersionId?: string | undefined }): unknown {
  const { Bucket = '', Key = '', VersionId } = input;
  switch (error.code) {
    case 'no-such-bucket': return s3Errors.noSuchBucket(error.facts['bucket'] ?? Bucket);
    case 'no-such-key': return s3Errors.noSuchKey(Key);
    case 'no-such-version': return VersionId === undefined ? s3Errors.noSuchKey(Key) : s3Errors.noSuchVersion(Key, VersionId);
    case 'no-such-upload': return s3Errors.noSuchUpload(error.facts['uploadId'] ?? '');
    case 'invalid-key': return invalidKey(Key);
    case 'bucket-not-empty': return s3Errors.bucketNotEmpty(Bucket, false);
    case 'conflict': return new ServiceError('OperationAborted', 409, 'A conflicting conditional operation is currently in progress against this resource. Try again.', { cause: error });
    default: return s3Errors.internal(error);
  }
}
