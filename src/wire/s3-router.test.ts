import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ServiceError } from '../base/errors.ts';
import { requestOf } from '../../test/properties/wire-kit.ts';
import { addressRequest } from './address.ts';
import { openService } from './services.ts';

// Source: contract s3-surface sections 1 and 10; S04.

const wire = await openService('s3');

function route(method: string, target: string, headers: Record<string, string> = {}): string {
  const request = requestOf(method, target, headers);
  try {
    return wire.route(request, addressRequest(request, { baseDomains: [] }));
  } catch (error) {
    assert.ok(error instanceof ServiceError);
    return `${error.status} ${error.code} ${error.details['Method']} ${error.details['ResourceType']}`;
  }
}

const COPY = { 'x-amz-copy-source': '/b/k' };

const ROUTES: readonly (readonly [string, string, string, Record<string, string>?])[] = [
  ['GET', '/', 'ListBuckets'],
  ['GET', '/?x-id=ListBuckets&max-buckets=1', 'ListBuckets'],
  ['GET', '/?x-id=ListDirectoryBuckets', 'ListDirectoryBuckets'],
  ['PUT', '/b', 'CreateBucket'],
  ['PUT', '/b/', 'CreateBucket'],
  ['HEAD', '/b', 'HeadBucket'],
  ['HEAD', '/b?list-type=2', 'HeadBucket'],
  ['DELETE', '/b', 'DeleteBucket'],
  ['GET', '/b', 'ListObjects'],
  ['GET', '/b?list-type=1', 'ListObjects'],
  ['GET', '/b?list-type=2&prefix=x', 'ListObjectsV2'],
  ['GET', '/b?prefix=x&list-type=2', 'ListObjectsV2'],
  ['GET', '/b?versions', 'ListObjectVersions'],
  ['GET', '/b?uploads', 'ListMultipartUploads'],
  ['GET', '/b?uploads=', 'ListMultipartUploads'],
  ['GET', '/b?location', 'GetBucketLocation'],
  ['GET', '/b?session', 'CreateSession'],
  ['GET', '/b?inventory', 'ListBucketInventoryConfigurations'],
  ['GET', '/b?inventory&id=x', 'GetBucketInventoryConfiguration'],
  ['GET', '/b?id=x&inventory', 'GetBucketInventoryConfiguration'],
  ['PUT', '/b?inventory&id=x', 'PutBucketInventoryConfiguration'],
  ['PUT', '/b?inventory', 'PutBucketInventoryConfiguration'],
  ['PUT', '/b?encryption', 'PutBucketEncryption'],
  ['PUT', '/b/k?encryption', 'UpdateObjectEncryption'],
  ['POST', '/b?delete', 'DeleteObjects'],
  ['POST', '/b', 'PostObject'],
  ['POST', '/b/?unknown', 'PostObject'],
  ['POST', '/WriteGetObjectResponse', 'WriteGetObjectResponse'],
  ['GET', '/b/k', 'GetObject'],
  ['GET', '/b/k?x-id=PutObject', 'GetObject'],
  ['GET', '/b/k?versionId=1&response-content-type=x&list-type=2', 'GetObject'],
  ['GET', '/b/k?partNumber=1', 'GetObject'],
  ['HEAD', '/b/k?partNumber=1', 'HeadObject'],
  ['GET', '/b/k?uploadId=u', 'ListParts'],
  ['GET', '/b/k?attributes', 'GetObjectAttributes'],
  ['GET', '/b/k?annotation', 'ListObjectAnnotations'],
  ['GET', '/b/k?annotation&annotationName=n', 'GetObjectAnnotation'],
  ['PUT', '/b/k', 'PutObject'],
  ['PUT', '/b/k?x-id=PutObject', 'PutObject'],
  ['PUT', '/b/k?unknown=1', 'PutObject'],
  ['PUT', '/b/k?annotation', 'PutObjectAnnotation'],
  ['PUT', '/b/k?renameObject', 'RenameObject'],
  ['PUT', '/b/k', 'CopyObject', COPY],
  ['PUT', '/b/k?x-id=CopyObject', 'CopyObject', COPY],
  ['PUT', '/b/k?partNumber=1&uploadId=u', 'UploadPart'],
  ['PUT', '/b/k?uploadId=u&partNumber=1', 'UploadPart'],
  ['PUT', '/b/k?partNumber=1&uploadId=u', 'UploadPartCopy', COPY],
  ['PUT', '/b/k?uploadId=u', 'UploadPart'],
  ['PUT', '/b/k?uploadId=u', 'UploadPartCopy', COPY],
  ['PUT', '/b/k?partNumber=1', 'UploadPart'],
  ['PUT', '/b/k?tagging', 'PutObjectTagging', COPY],
  ['POST', '/b/k?uploads', 'CreateMultipartUpload'],
  ['POST', '/b/k?uploadId=u', 'CompleteMultipartUpload'],
  ['POST', '/b/k?restore&versionId=v', 'RestoreObject'],
  ['POST', '/b/k?select&select-type=2', 'SelectObjectContent'],
  ['DELETE', '/b/k', 'DeleteObject'],
  ['DELETE', '/b/k?uploadId=u', 'AbortMultipartUpload'],
  ['DELETE', '/b/k?tagging', 'DeleteObjectTagging'],
  ['OPTIONS', '/b/k', 'PreflightCors'],
  ['OPTIONS', '/', 'PreflightCors'],
  // Never to fall through: a sub-resource that this method does not have is not the object or bucket itself.
  ['POST', '/b/k', '405 MethodNotAllowed POST OBJECT'],
  ['PATCH', '/b/k', '405 MethodNotAllowed PATCH OBJECT'],
  ['PATCH', '/b', '405 MethodNotAllowed PATCH BUCKET'],
  ['POST', '/', '405 MethodNotAllowed POST SERVICE'],
  ['DELETE', '/b?policyStatus', '405 MethodNotAllowed DELETE POLICYSTATUS'],
  ['DELETE', '/b?versioning', '405 MethodNotAllowed DELETE VERSIONING'],
  ['DELETE', '/b/k?acl', '405 MethodNotAllowed DELETE ACL'],
  ['PUT', '/b/k?attributes', '405 MethodNotAllowed PUT ATTRIBUTES'],
  ['DELETE', '/b/k?legal-hold', '405 MethodNotAllowed DELETE LEGALHOLD'],
  ['GET', '/b/k?encryption', '405 MethodNotAllowed GET ENCRYPTION'],
  ['GET', '/b?uploadId=u', '405 MethodNotAllowed GET UPLOADID'],
  ['GET', '/v20180820/tags/arn%3Aaws%3As3%3A%3A%3Ab', '405 MethodNotAllowed GET S3CONTROL'],
];

describe('S3 routes', () => {
  for (const [method, target, expected, headers] of ROUTES) {
    test(`${method} ${target}${headers ? ' with copy source' : ''}: ${expected}`, () => assert.equal(route(method, target, headers), expected));
  }
});

test('the official model still has the operations the contract lists', () => assert.equal(wire.operations.size, 112));
