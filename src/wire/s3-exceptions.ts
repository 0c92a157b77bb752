/**
 * Everything about S3 on the wire that its schemas do not say, or say wrongly. One entry, one reason; whatever is
 * not here is compiled from the schema.
 * Source: contract s3-surface section 3 ("what a codec compiled from the SDK schema still gets wrong"), 4, 10.
 */

import { ServiceError } from '../base/errors.ts';
import type { XmlError } from './xml-reader.ts';

export const S3_XML_NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';
export const XSI_NAMESPACE = 'http://www.w3.org/2001/XMLSchema-instance';

/** The schema says 200, AWS answers 204. [validated] */
export const STATUS_BY_OPERATION: Readonly<Record<string, number>> = {
  PutBucketPolicy: 204,
  PutBucketTagging: 204,
  PutBucketInventoryConfiguration: 204,
  PutBucketAnalyticsConfiguration: 204,
  PutBucketMetricsConfiguration: 204,
  PutBucketIntelligentTieringConfiguration: 204,
};

/** A ranged answer is 206, which the schema cannot tell from 200: it is one when it carries Content-Range. */
export const PARTIAL_WHEN_RANGED: ReadonlySet<string> = new Set(['GetObject', 'HeadObject']);

/** The root element is the value itself, nothing nested. The empty element stands for us-east-1. */
export const ROOT_IS_VALUE: Readonly<Record<string, string>> = { GetBucketLocation: 'LocationConstraint' };

/**
 * Members that AWS interleaves in one order while the schema has two lists; clients (minio-go, mc) keep document
 * order. The output carries one ordered list under `member` instead, and each entry's `kind` names its element.
 */
export const INTERLEAVED: Readonly<Record<string, { member: string; kinds: Readonly<Record<string, string>> }>> = {
  ListObjectVersions: { member: 'Entries', kinds: { Version: 'Versions', DeleteMarker: 'DeleteMarkers' } },
};

/** Kept and returned as text, even where it is no date [validated]; so its override by `response-expires` is text too. */
export const TEXT_HEADER_MEMBERS: ReadonlySet<string> = new Set(['Expires', 'ResponseExpires']);

/** An invention of the SDK's: the same header once more. The text lies in Expires here. */
export const DROPPED_OUTPUT_MEMBERS: ReadonlySet<string> = new Set(['ExpiresString']);

/** RFC 9110 13.1.3 and 13.1.4: a date that does not parse is ignored, the request goes on unconditionally. */
export const IGNORED_WHEN_MALFORMED: ReadonlySet<string> = new Set(['if-modified-since', 'if-unmodified-since']);

/**
 * Header text that names an object: its bytes are UTF-8, while node hands out one char per byte.
 * Other texts pass through as they came, byte for byte.
 */
export const UTF8_HEADER_MEMBERS: ReadonlySet<string> = new Set(['CopySource']);

/** List operations that share method and path with their single-configuration sisters: `id` decides, not `x-id`. */
export const IGNORED_QUERY_LITERAL = 'x-id';

/** ListBuckets and ListDirectoryBuckets have one route; only here the SDK's `x-id` decides. */
export const DIRECTORY_BUCKETS_X_ID = 'ListDirectoryBuckets';

/** Required payloads that may be absent all the same: an empty body is an empty document, which switches off. */
export const EMPTY_BODY_MEANS_EMPTY: ReadonlySet<string> = new Set(['PutBucketLogging', 'PutBucketNotificationConfiguration']);

/** Content type of raw-string payloads; all other bodies are application/xml or bring their own. */
export const RAW_STRING_CONTENT_TYPE = 'application/json';

/** The largest legal body of these outgrows the general bound: 10,000 parts with checksums, 1,000 keys of entities. */
export const BODY_SIZE_BYTES_MAX: Readonly<Record<string, number>> = {
  CompleteMultipartUpload: 8 * 1024 * 1024,
  DeleteObjects: 8 * 1024 * 1024,
};

/** Elements that are not in the schema are ignored here: a part's stray element changes nothing. Elsewhere refused. */
export const UNKNOWN_ELEMENTS_IGNORED: ReadonlySet<string> = new Set(['CompleteMultipartUpload']);

/** Number texts that AWS words in its own way; all others get a plain sentence. [memory] */
export const NUMBER_MESSAGES: Readonly<Record<string, string>> = {
  'max-keys': 'Provided max-keys not an integer or within integer range',
  'max-uploads': 'Provided max-uploads not an integer or within integer range',
  'max-parts': 'Provided max-parts not an integer or within integer range',
  'part-number-marker': 'Provided part-number-marker not an integer or within integer range',
  partNumber: 'Part number must be an integer between 1 and 10000, inclusive',
};

/**
 * S3 Control lies under this path. Terraform looks there for tags first and falls back on 405; a 404 stops it. Its
 * errors are wrapped. [field]
 */
export const S3_CONTROL_PATH = '/v20180820/';

/** Query keys that choose an operation but stand in no URI template: required members of UploadPart and its kin. */
export const SUBRESOURCE_QUERY_MEMBERS: ReadonlySet<string> = new Set(['uploadId']);

/** `list-type` chooses between two lists of a bucket and means nothing elsewhere: an object may be read with it. */
export const SELECTOR_LITERALS: ReadonlySet<string> = new Set(['list-type', 'select-type']);

/** The one answer whose ETag has no quotes. [validated] */
export const BARE_ETAG_OPERATION = 'GetObjectAttributes';

/** What is missing, in AWS's words; by header or query name. [memory] */
export const MISSING_MESSAGES: Readonly<Record<string, string>> = {
  'x-amz-object-attributes': 'The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty',
  uploadId: 'This operation requires the uploadId query parameter.',
  partNumber: 'This operation requires the partNumber query parameter.',
};

const MALFORMED_XML = 'The XML you provided was not well-formed or did not validate against our published schema';

/** A malformed document. ACLs have a code of their own; UpdateObjectEncryption calls a bad or missing value InvalidRequest. */
export function malformedXml(operation: string, cause: XmlError): ServiceError {
  if (operation === 'PutBucketAcl' || operation === 'PutObjectAcl') return new ServiceError('MalformedACLError', 400, MALFORMED_XML, { cause });
  if (operation === 'UpdateObjectEncryption' && cause.fault === 'value') {
    return new ServiceError('InvalidRequest', 400, 'The object encryption must name SSE-KMS with the full ARN of a KMS key.', { cause });
  }
  return new ServiceError('MalformedXML', 400, MALFORMED_XML, { cause });
}

/** The only raw text of tier A and B is a bucket policy; what is no UTF-8 is no JSON either. */
export function malformedText(): ServiceError {
  return new ServiceError('MalformedPolicy', 400, "Policies must be valid JSON and the first byte must be '{'");
}
