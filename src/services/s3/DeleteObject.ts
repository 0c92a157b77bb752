/** DeleteObject and DeleteObjects. No key is ever needed to delete. Source: contract s3-surface.md section 7. */
import { ServiceError, objectArn } from '../../base/index.ts';
import { Denied } from '../../audit/index.ts';
import { deleteCurrent, deleteVersion, type BucketRecord, type Deletion, type VersionRecord } from '../../objects/index.ts';
import type { ObjectIdentifier } from '@aws-sdk/client-s3';
import type { S3Inputs, S3Outputs } from '../../wire/shapes.ts';
import type { Call } from '../operation.ts';
import { matchesETag } from './conditions.ts';
import { s3Errors } from './errors.ts';
import { bucketOf, bucketOperation, s3Error } from './guard.ts';
import { requireVersionIdForm } from './object-read.ts';
import type { S3 } from './s3.ts';

const keysMax = 1_000;
/** Deletes under way at once: they share durable commits. */
const concurrency = 50;

export function DeleteObject(s3: S3) {
  return bucketOperation<S3Inputs['DeleteObject'], S3Outputs['DeleteObject']>(s3, {
    name: 'DeleteObject',
    action: ({ VersionId }) => deleteAction(VersionId),
    async act(input, call) {
      for (const header of ['x-amz-if-match-size', 'x-amz-if-match-last-modified-time']) {
        if (call.headers[header] !== undefined) throw s3Errors.notImplemented(header);
      }
      const deletion = await remove(s3, bucketOf(call), input.Key, input.VersionId, input.IfMatch);
      return { ...(deletion.isDeleteMarker ? { DeleteMarker: true } : {}), ...(deletion.versionId === undefined ? {} : { VersionId: deletion.versionId }) };
    },
  });
}

export function DeleteObjects(s3: S3) {
  return bucketOperation<S3Inputs['DeleteObjects'], S3Outputs['DeleteObjects']>(s3, {
    name: 'DeleteObjects',
    // No action of its own: each key is authorized alone, below.
    async act(input, call) {
      const { Objects: objects = [], Quiet: quiet } = input.Delete;
      if (objects.length === 0 || objects.length > keysMax) throw s3Errors.malformedXml();
      const deleted: DeletedEntry[] = [];
      const errors: ErrorEntry[] = [];
      for (let first = 0; first < objects.length; first += concurrency) {
        const outcomes = await Promise.all(objects.slice(first, first + concurrency).map((entry) => deleteOne(s3, call, entry)));
        for (const outcome of outcomes) {
          if ('Code' in outcome) errors.push(outcome);
          else if (!quiet) deleted.push(outcome);
        }
      }
      return { ...(deleted.length > 0 ? { Deleted: deleted } : {}), ...(errors.length > 0 ? { Errors: errors } : {}) };
    },
  });
}

type DeletedEntry = NonNullable<S3Outputs['DeleteObjects']['Deleted']>[number];
type ErrorEntry = NonNullable<S3Outputs['DeleteObjects']['Errors']>[number] & { Code: string };

async function deleteOne(s3: S3, call: Call, entry: ObjectIdentifier): Promise<DeletedEntry | ErrorEntry> {
  const { Key: key = '', VersionId: versionId, ETag: etag } = entry;
  const named = { Key: key, ...(versionId === undefined ? {} : { VersionId: versionId }) };
  try {
    authorizeOne(s3, call, key, versionId);
    const deletion = await remove(s3, bucketOf(call), key, versionId, etag);
    if (!deletion.isDeleteMarker) return named;
    return { ...named, DeleteMarker: true, ...(deletion.versionId === undefined ? {} : { DeleteMarkerVersionId: deletion.versionId }) };
  } catch (error) {
    return { ...named, ...wordsOf(error, key, versionId) };
  }
}

async function remove(s3: S3, bucket: BucketRecord, key: string, versionId: string | undefined, ifMatch: string | undefined): Promise<Deletion> {
  requireKeyLength(key);
  const precondition = ifMatch === undefined ? undefined : (version: VersionRecord | undefined) => {
    if (version === undefined || version.kind === 'delete-marker') {
      if (ifMatch.trim() !== '*') throw s3Errors.noSuchKey(key);
      return;
    }
    if (!matchesETag(ifMatch, version.etag)) throw s3Errors.preconditionFailed('If-Match');
  };
  if (versionId === undefined) return deleteCurrent(s3.store, bucket.name, key, precondition);
  requireVersionIdForm(bucket, versionId);
  return deleteVersion(s3.store, bucket.name, key, versionId, precondition);
}

function requireKeyLength(key: string): void {
  const size = Buffer.byteLength(key);
  if (size === 0) throw new ServiceError('UserKeyMustBeSpecified', 400, 'The bucket DELETE request must contain a key.');
  if (size > 1_024) throw new ServiceError('KeyTooLongError', 400, 'Your key is too long', { details: { Size: String(size), MaxSizeAllowed: '1024' } });
  if (key.includes('\0')) throw s3Errors.invalidArgument('Object key must not contain a null character.', 'Key');
}

function deleteAction(versionId: string | undefined): string {
  return versionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion';
}

function authorizeOne(s3: S3, call: Call, key: string, versionId: string | undefined): void {
  const bucket = bucketOf(call);
  s3.gate.authorize(call.caller, [{ action: deleteAction(versionId), resource: objectArn(bucket.name, key), resourceAccount: bucket.owner }], key);
}

function wordsOf(error: unknown, key: string, versionId: string | undefined): { Code: string; Message: string } {
  const named = s3Error(error, { Key: key, VersionId: versionId });
  if (named instanceof ServiceError) return { Code: named.code, Message: named.publicMessage ?? named.code };
  if (named instanceof Denied) return { Code: 'AccessDenied', Message: 'Access Denied' };
  const internal = s3Errors.internal(error);
  return { Code: internal.code, Message: internal.message };
}
