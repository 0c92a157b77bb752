/** ListBuckets. Source: contract s3-surface.md section 8. */
import { bucketArn } from '../../base/index.ts';
import { listBuckets, type BucketRecord } from '../../objects/index.ts';
import type { S3Inputs, S3Outputs } from '../../wire/shapes.ts';
import type { Operation } from '../operation.ts';
import { s3Errors } from './errors.ts';
import { inS3Words } from './guard.ts';
import { decodeToken, encodeToken } from './listing-options.ts';
import { canonicalId } from './owner.ts';
import { isRegionName } from './regions.ts';
import type { S3 } from './s3.ts';

const bucketCountMax = 10_000;
/** Tokens of this operation open nothing else. */
const tokenScope = 'ListBuckets';

export function ListBuckets(s3: S3): Operation<S3Inputs['ListBuckets'], S3Outputs['ListBuckets']> {
  const { account } = s3.settings;
  return {
    name: 'ListBuckets',
    demands: () => [{ action: 's3:ListAllMyBuckets', resource: '*', resourceAccount: account }],
    act: ({ input }) => inS3Words(() => act(s3, input), {}),
  };
}

async function act(s3: S3, input: S3Inputs['ListBuckets']): Promise<S3Outputs['ListBuckets']> {
  const { Prefix, BucketRegion } = input;
  const limit = input.MaxBuckets ?? bucketCountMax;
  if (!Number.isInteger(limit) || limit < 1 || limit > bucketCountMax) {
    throw s3Errors.invalidArgument(`Argument max-buckets must be an integer between 1 and ${bucketCountMax}`, 'max-buckets', String(limit));
  }
  if (BucketRegion !== undefined && BucketRegion !== s3.settings.region && !isRegionName(BucketRegion)) {
    throw s3Errors.invalidArgument(`Argument value ${BucketRegion} is not a valid AWS Region`, 'bucket-region', BucketRegion);
  }
  let after = input.ContinuationToken === undefined ? undefined : decodeToken(tokenScope, input.ContinuationToken);
  const found: BucketRecord[] = [];
  let isTruncated: boolean;
  do {
    const page = await listBuckets(s3.store, { prefix: Prefix ?? '', after, limit: limit - found.length });
    isTruncated = page.isTruncated;
    after = page.buckets.at(-1)?.name ?? after;
    for (const bucket of page.buckets) {
      if (bucket.owner === s3.settings.account && (BucketRegion === undefined || bucket.region === BucketRegion)) found.push(bucket);
    }
  } while (isTruncated && found.length < limit);
  return {
    Owner: { ID: canonicalId(s3.settings.account) },
    Buckets: found.map(({ name, region, createdMs }) => ({
      Name: name, CreationDate: new Date(createdMs), BucketRegion: region, BucketArn: bucketArn(name),
    })),
    ...(isTruncated && after !== undefined ? { ContinuationToken: encodeToken(tokenScope, after) } : {}),
    ...(Prefix === undefined ? {} : { Prefix }),
  };
}
