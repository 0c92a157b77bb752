/**
 * The source of CopyObject and UploadPartCopy: parsed, found, its key proven, its conditions judged.
 * Source: contract s3-encryption.md section 12; s3-surface.md section 6.
 */
import { bucketArn, objectArn, ServiceError } from '../../base/index.ts';
import type { PayloadKeys } from '../../keyring/index.ts';
import { findBucket, ObjectStoreError } from '../../objects/index.ts';
import type { Demand } from '../../policy/index.ts';
import type { Call } from '../operation.ts';
import { checkCopyConditions, type CopyConditions } from './conditions.ts';
import { proveCustomerKey, readCustomerKeyForRead } from './encryption.ts';
import { s3Errors } from './errors.ts';
import { requireOwner } from './guard.ts';
import { findObject, unwrapForRead, type FoundObject } from './object-read.ts';
import type { S3 } from './s3.ts';

export interface CopySource {
  bucket: string;
  key: string;
  versionId: string | undefined;
}

export interface CopySourceInput extends CopyConditions {
  CopySource: string;
  ExpectedSourceBucketOwner?: string | undefined;
  CopySourceSSECustomerAlgorithm?: string | undefined;
  CopySourceSSECustomerKey?: string | undefined;
  CopySourceSSECustomerKeyMD5?: string | undefined;
}

/** `bucket/key?versionId=…`, percent-encoded, with or without a leading slash. */
export function parseCopySource(text: string): CopySource {
  const match = /^\/?([^/]+)\/(.+?)(?:\?versionId=([^&]*))?$/s.exec(text);
  if (match === null) throw s3Errors.invalidArgument('Copy Source must mention the source bucket and key: sourcebucket/sourcekey', 'x-amz-copy-source', text);
  try {
    const [, bucket = '', key = '', versionId] = match;
    return { bucket: decodeURIComponent(bucket), key: decodeURIComponent(key), versionId: versionId === undefined ? undefined : decodeURIComponent(versionId) };
  } catch {
    throw s3Errors.invalidArgument('Copy Source must be URL-encoded', 'x-amz-copy-source', text);
  }
}

/** What reading the source demands of the caller. */
export function copySourceDemands(s3: S3, input: { CopySource: string }): readonly Demand[] {
  const { bucket, key, versionId } = parseCopySource(input.CopySource);
  const action = versionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion';
  return [{ action, resource: bucket === '' ? bucketArn(bucket) : objectArn(bucket, key), resourceAccount: s3.settings.account }];
}

export interface OpenedSource {
  source: CopySource;
  object: FoundObject;
  keys: PayloadKeys;
}

/** The caller must have been authorized for `copySourceDemands`. The keys are to be wiped by the receiver. */
export async function openCopySource(s3: S3, call: Call, input: CopySourceInput): Promise<OpenedSource> {
  const source = parseCopySource(input.CopySource);
  const bucket = await findBucket(s3.store, source.bucket);
  if (bucket === undefined) throw s3Errors.noSuchBucket(source.bucket);
  requireOwner(input.ExpectedSourceBucketOwner, bucket.record.owner);
  const object = await findSource(s3, bucket.record, source);
  const customerKey = readCustomerKeyForRead({
    SSECustomerAlgorithm: input.CopySourceSSECustomerAlgorithm, SSECustomerKey: input.CopySourceSSECustomerKey, SSECustomerKeyMD5: input.CopySourceSSECustomerKeyMD5,
  });
  proveCustomerKey(s3, object.envelope, customerKey);
  checkCopyConditions(input, object.record, s3.store.clock.nowMs());
  return { source, object, keys: await unwrapForRead(s3, call, object, customerKey) };
}

async function findSource(s3: S3, bucket: Parameters<typeof findObject>[1], source: CopySource): Promise<FoundObject> {
  try {
    return await findObject(s3, bucket, { Key: source.key, VersionId: source.versionId }, 'GET');
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'MethodNotAllowed') {
      throw s3Errors.invalidRequest('The source of a copy request may not specifically refer to a delete marker by version id.');
    }
    // Named here: above, a version that is missing would be taken for one of the destination.
    if (error instanceof ObjectStoreError && error.code === 'no-such-version') throw s3Errors.noSuchVersion(source.key, source.versionId ?? '');
    // The marker headers belong to reads of the key itself.
    if (error instanceof ServiceError && error.code === 'NoSuchKey') throw s3Errors.noSuchKey(source.key);
    throw error;
  }
}
