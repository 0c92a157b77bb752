/**
 * What a writer's request says of the object beside its bytes and its encryption: metadata, storage class, tags, and
 * what is refused because it is not built.
 * Source: contract s3-surface.md sections 4, 6, 9.
 */
import type { SystemMetadata } from '../../objects/index.ts';
import { ServiceError } from '../../base/index.ts';
import type { Call } from '../operation.ts';
import { s3Errors } from './errors.ts';

const userMetadataSizeMaxBytes = 2_048;

/** Classes whose objects are read at once: here they are a label. The archive classes are not built yet. */
const onlineClasses = new Set(['STANDARD', 'REDUCED_REDUNDANCY', 'STANDARD_IA', 'ONEZONE_IA', 'INTELLIGENT_TIERING', 'GLACIER_IR']);
const otherClasses = new Set(['GLACIER', 'DEEP_ARCHIVE', 'OUTPOSTS', 'SNOW', 'EXPRESS_ONEZONE', 'FSX_OPENZFS', 'FSX_ONTAP']);

/** Undefined for STANDARD, which no answer names. */
export function readStorageClass(storageClass: string | undefined): string | undefined {
  if (storageClass === undefined || storageClass === 'STANDARD') return undefined;
  if (onlineClasses.has(storageClass)) return storageClass;
  if (otherClasses.has(storageClass)) throw s3Errors.notImplemented('x-amz-storage-class', `The storage class ${storageClass} is not implemented.`);
  throw new ServiceError('InvalidStorageClass', 400, 'The storage class you specified is not valid', { details: { StorageClassRequested: storageClass } });
}

export interface SystemMetadataInput {
  CacheControl?: string | undefined;
  ContentDisposition?: string | undefined;
  ContentEncoding?: string | undefined;
  ContentLanguage?: string | undefined;
  ContentType?: string | undefined;
  Expires?: string | undefined;
  WebsiteRedirectLocation?: string | undefined;
}

/** `aws-chunked` is transport, not content: it is not kept. */
export function readSystemMetadata(input: SystemMetadataInput): SystemMetadata {
  const encodings = input.ContentEncoding?.split(',').map((coding) => coding.trim()).filter((coding) => coding !== '' && coding.toLowerCase() !== 'aws-chunked');
  const encoding = encodings?.length ? encodings.join(',') : undefined;
  const metadata: SystemMetadata = {};
  if (input.CacheControl !== undefined) metadata.CacheControl = input.CacheControl;
  if (input.ContentDisposition !== undefined) metadata.ContentDisposition = input.ContentDisposition;
  if (encoding !== undefined) metadata.ContentEncoding = encoding;
  if (input.ContentLanguage !== undefined) metadata.ContentLanguage = input.ContentLanguage;
  if (input.ContentType) metadata.ContentType = input.ContentType;
  if (input.Expires !== undefined) metadata.Expires = input.Expires;
  if (input.WebsiteRedirectLocation !== undefined) {
    if (!/^(\/|https?:\/\/)/.test(input.WebsiteRedirectLocation)) {
      throw s3Errors.invalidArgument('The website redirect location must have a prefix of \'http://\' or \'https://\' or \'/\'.');
    }
    metadata.WebsiteRedirectLocation = input.WebsiteRedirectLocation;
  }
  return metadata;
}

/** Throws MissingContentLength for a request that neither says how long its body is nor sends it in chunks. */
export function requireLength(call: Call): void {
  if (call.headers['content-length'] !== undefined || call.headers['transfer-encoding'] !== undefined) return;
  throw new ServiceError('MissingContentLength', 411, 'You must provide the Content-Length HTTP header.');
}

/** Throws MetadataTooLarge beyond 2 KB of names and values. */
export function requireMetadataSize(metadata: Readonly<Record<string, string>>): void {
  let size = 0;
  for (const [name, value] of Object.entries(metadata)) size += Buffer.byteLength(name) + Buffer.byteLength(value);
  if (size > userMetadataSizeMaxBytes) throw s3Errors.metadataTooLarge(size);
}

const grantHeaders = ['x-amz-grant-full-control', 'x-amz-grant-read', 'x-amz-grant-read-acp', 'x-amz-grant-write', 'x-amz-grant-write-acp'];
const unbuiltHeaders = [
  'x-amz-object-lock-mode', 'x-amz-object-lock-retain-until-date', 'x-amz-object-lock-legal-hold', 'x-amz-object-lock-event-hold', 'x-amz-write-offset-bytes',
];

/** Buckets are BucketOwnerEnforced: access lists beyond the owner's are refused, as is what is not built. */
export function refuseUnbuilt(call: Call, acl: string | undefined): void {
  for (const name of unbuiltHeaders) {
    if (call.headers[name] !== undefined) throw s3Errors.notImplemented(name);
  }
  requireOwnerOnlyAcl(acl, grantHeaders.some((name) => call.headers[name] !== undefined));
}

export function requireOwnerOnlyAcl(acl: string | undefined, hasGrants: boolean): void {
  if (hasGrants || (acl !== undefined && acl !== 'private' && acl !== 'bucket-owner-full-control')) {
    throw new ServiceError('AccessControlListNotSupported', 400, 'The bucket does not allow ACLs');
  }
}
