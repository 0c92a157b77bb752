/** CreateBucket. Source: contract s3-surface.md sections 3, 4, 10; s3-encryption.md 6.4. */
import { bucketArn } from '../../base/index.ts';
import { createBucket, findBucket, type BucketRecord } from '../../objects/index.ts';
import type { S3Inputs, S3Outputs } from '../../wire/shapes.ts';
import type { Operation } from '../operation.ts';
import { initialEncryption } from './bucket-encryption.ts';
import { s3Errors } from './errors.ts';
import { inS3Words, requireSafeTransport } from './guard.ts';
import { requireBucketName } from './names.ts';
import { isRegionName } from './regions.ts';
import type { S3 } from './s3.ts';
import { bucketTagBounds, readTagSet } from './tags.ts';

type Input = S3Inputs['CreateBucket'];

/** Here alone a second creation is a success. */
const forgivingRegion = 'us-east-1';

export function CreateBucket(s3: S3): Operation<Input, S3Outputs['CreateBucket']> {
  const { account } = s3.settings;
  return {
    name: 'CreateBucket',
    before(input, call) {
      requireSafeTransport(s3, call);
      call.notes.bucket = input.Bucket;
      requireBucketName(input.Bucket);
    },
    demands: ({ Bucket }) => [{ action: 's3:CreateBucket', resource: bucketArn(Bucket), resourceAccount: account }],
    act: ({ input }) => inS3Words(() => act(s3, input), input),
  };
}

async function act(s3: S3, input: Input): Promise<S3Outputs['CreateBucket']> {
  const { Bucket: name, CreateBucketConfiguration: configuration } = input;
  const { account, region } = s3.settings;
  refuseUnbuilt(input);
  requireLocation(configuration?.LocationConstraint, region);
  const tags = configuration?.Tags === undefined ? [] : readTagSet(configuration.Tags, bucketTagBounds);
  const record: BucketRecord = {
    v: 1, name, owner: account, region, createdMs: s3.store.clock.nowMs(), encryption: initialEncryption(s3.settings),
    ...(tags.length === 0 ? {} : { tags }),
  };
  if (!(await createBucket(s3.store, record))) {
    const existing = await findBucket(s3.store, name);
    if (existing !== undefined && existing.record.owner !== account) throw s3Errors.bucketAlreadyExists(name);
    if (region !== forgivingRegion || tags.length > 0) throw s3Errors.bucketAlreadyOwnedByYou(name);
  }
  return { Location: `/${name}`, BucketArn: bucketArn(name) };
}

/** Buckets are general-purpose, BucketOwnerEnforced and without object lock: whatever asks for more is told so. */
function refuseUnbuilt(input: Input): void {
  const { ACL, ObjectOwnership, CreateBucketConfiguration: configuration } = input;
  if (input.ObjectLockEnabledForBucket) throw s3Errors.notImplemented('x-amz-bucket-object-lock-enabled');
  if (input.BucketNamespace !== undefined && input.BucketNamespace !== 'global') throw s3Errors.notImplemented('x-amz-bucket-namespace');
  if (configuration?.Location !== undefined || configuration?.Bucket !== undefined) {
    throw s3Errors.notBuilt('Directory buckets are not implemented.');
  }
  if (ObjectOwnership !== undefined && ObjectOwnership !== 'BucketOwnerEnforced') {
    if (ObjectOwnership === 'BucketOwnerPreferred' || ObjectOwnership === 'ObjectWriter') throw s3Errors.notImplemented('x-amz-object-ownership');
    throw s3Errors.invalidArgument('Invalid x-amz-object-ownership header: valid values are BucketOwnerEnforced, BucketOwnerPreferred and ObjectWriter', 'x-amz-object-ownership', ObjectOwnership);
  }
  const grants = [input.GrantFullControl, input.GrantRead, input.GrantReadACP, input.GrantWrite, input.GrantWriteACP];
  if ((ACL !== undefined && ACL !== 'private') || grants.some((grant) => grant !== undefined)) throw s3Errors.aclsAgainstOwnership();
}

/** Throws InvalidLocationConstraint for what is no region, IllegalLocationConstraintException for another one. */
function requireLocation(constraint: string | undefined, region: string): void {
  // Absent or empty is the region of whoever is asked, whichever that is.
  if (constraint === undefined || constraint === '') return;
  const asked = constraint === 'EU' ? 'eu-west-1' : constraint;
  if (asked === region) return;
  throw isRegionName(asked) ? s3Errors.illegalLocationConstraint(constraint) : s3Errors.invalidLocationConstraint(constraint);
}
