/**
 * Which service a request is for and, for S3, which bucket and key: read from the raw request, nothing normalised.
 * Which operation it is, the routers beside this file say.
 * Source: contract s3-surface section 1 and 4, kms-iam-audit 1.1, glacier section 2.
 */
import { ServiceError } from '../base/errors.ts';
import type { HttpRequest } from '../base/http.ts';
import { parseQuery, percentDecode } from './percent.ts';

export type ServiceName = 's3' | 'kms' | 'iam' | 'sts' | 'glacier' | 'cloudtrail';

export interface S3Address {
  readonly service: 's3';
  /** As sent, percent-decoded; whether such a bucket may exist is the handlers' question. */
  readonly bucket: string | undefined;
  /** Percent-decoded, valid UTF-8 of 1 to 1,024 bytes, without NUL. */
  readonly key: string | undefined;
  /** First value of each query parameter, decoded. */
  readonly query: ReadonlyMap<string, string>;
  readonly virtualHost: boolean;
}

export interface OtherAddress {
  readonly service: Exclude<ServiceName, 's3'>;
  readonly query: ReadonlyMap<string, string>;
}

export type Address = S3Address | OtherAddress;

export interface AddressOptions {
  /** Host names whose sub-domains are buckets, lower case, without port. `localhost` is always one. */
  readonly baseDomains: readonly string[];
  /** Service of the credential scope, when the request carries one. */
  readonly scopeService?: string | undefined;
}

const KEY_SIZE_BYTES_MAX = 1024;
const SERVICES: ReadonlySet<string> = new Set<ServiceName>(['s3', 'kms', 'iam', 'sts', 'glacier', 'cloudtrail']);
const NO_QUERY: ReadonlyMap<string, string> = new Map();

/**
 * The service, and the bucket and key of an S3 request. Throws ServiceError InvalidURI (400) for a target that
 * does not decode, KeyTooLongError (400), InvalidBucketName (400) for an empty first segment.
 */
export function addressRequest(request: HttpRequest, options: AddressOptions): Address {
  let query = NO_QUERY;
  if (request.rawQuery !== '') {
    const parsed = parseQuery(request.rawQuery);
    if (!parsed) throw invalidUri();
    query = parsed;
  }
  const service = serviceOf(request, query, options);
  return service === 's3' ? addressS3(request, query, options.baseDomains) : { service, query };
}

function serviceOf(request: HttpRequest, query: ReadonlyMap<string, string>, { scopeService, baseDomains }: AddressOptions): ServiceName {
  if (scopeService !== undefined && SERVICES.has(scopeService)) return scopeService as ServiceName;
  const { headers } = request;
  const target = headers['x-amz-target'];
  if (target !== undefined) {
    if (target.startsWith('TrentService.')) return 'kms';
    if (target.includes('CloudTrail_20131101.')) return 'cloudtrail';
  }
  if (headers['x-amz-glacier-version'] !== undefined) return 'glacier';
  if (request.rawPath === '/') {
    // Unsigned Query calls: only STS has them (AssumeRoleWithWebIdentity); S3 has no form without a bucket.
    const isForm = request.method === 'POST' && headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
    const isQuery = query.has('Action') && query.has('Version');
    if ((isForm || isQuery) && bucketOfHost(headers['host'], baseDomains) === undefined) return query.get('Version') === '2010-05-08' ? 'iam' : 'sts';
  } else if (request.rawPath.startsWith('/-/')) {
    return 'glacier';
  }
  return 's3';
}

function addressS3(request: HttpRequest, query: ReadonlyMap<string, string>, baseDomains: readonly string[]): S3Address {
  const { rawPath } = request;
  if (rawPath.charCodeAt(0) !== 0x2f) throw invalidUri();
  const hostBucket = bucketOfHost(request.headers['host'], baseDomains);
  if (hostBucket !== undefined) {
    return { service: 's3', bucket: hostBucket, key: keyOf(rawPath, 1), query, virtualHost: true };
  }
  if (rawPath.length === 1) return { service: 's3', bucket: undefined, key: undefined, query, virtualHost: false };
  const slash = rawPath.indexOf('/', 1);
  const bucket = percentDecode(slash < 0 ? rawPath.slice(1) : rawPath.slice(1, slash), false);
  if (bucket === undefined) throw invalidUri();
  if (bucket === '') {
    throw new ServiceError('InvalidBucketName', 400, 'The specified bucket is not valid.', { details: { BucketName: '' } });
  }
  return { service: 's3', bucket, key: slash < 0 ? undefined : keyOf(rawPath, slash + 1), query, virtualHost: false };
}

function keyOf(rawPath: string, start: number): string | undefined {
  if (start >= rawPath.length) return undefined;
  const key = percentDecode(rawPath.slice(start), false);
  if (key === undefined) throw invalidUri();
  // A UTF-16 unit is at most three bytes: short keys need no count.
  if (key.length > KEY_SIZE_BYTES_MAX / 3) {
    const sizeBytes = Buffer.byteLength(key, 'utf8');
    if (sizeBytes > KEY_SIZE_BYTES_MAX) {
      throw new ServiceError('KeyTooLongError', 400, 'Your key is too long', {
        details: { Size: String(sizeBytes), MaxSizeAllowed: String(KEY_SIZE_BYTES_MAX) },
      });
    }
  }
  return key;
}

/** The bucket of a virtual-host request: what stands before a base domain, the longest one that fits. */
function bucketOfHost(hostHeader: string | undefined, baseDomains: readonly string[]): string | undefined {
  if (hostHeader === undefined || hostHeader.startsWith('[')) return undefined;
  const colon = hostHeader.lastIndexOf(':');
  const host = (colon < 0 ? hostHeader : hostHeader.slice(0, colon)).toLowerCase();
  // The most frequent hosts first: they have no dot, or are IPv4 addresses.
  if (!host.includes('.') || /^[\d.]+$/.test(host)) return undefined;
  let domainLength = host.endsWith('.localhost') ? 'localhost'.length : 0;
  for (const domain of baseDomains) {
    if (host === domain) return undefined;
    if (domain.length > domainLength && host.length > domain.length && host.endsWith(domain) && host[host.length - domain.length - 1] === '.') {
      domainLength = domain.length;
    }
  }
  if (domainLength === 0) return undefined;
  const bucket = host.slice(0, host.length - domainLength - 1);
  return bucket === '' ? undefined : bucket;
}

function invalidUri(): ServiceError {
  return new ServiceError('InvalidURI', 400, "Couldn't parse the specified URI.");
}
