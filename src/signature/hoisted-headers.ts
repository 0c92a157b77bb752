/**
 * x-amz-* query parameters that act as headers: older SDKs hoist headers into the URL when they presign.
 * Source: contract s3-encryption 14.1.
 */
import { ServiceError } from '../base/index.ts';
import type { HttpRequest } from '../base/index.ts';
import { canonicalParameters, decodeCanonical } from './canonical.ts';
import type { CanonicalParameter } from './canonical.ts';
import { isSignatureParameter } from './claim.ts';
import { s3Refusals } from './refusals-s3.ts';

/** No customer-provided key in a URL: URLs are logged, kept in histories and passed on. */
const NEVER_IN_URL = new Set([
  'x-amz-server-side-encryption-customer-key',
  'x-amz-copy-source-server-side-encryption-customer-key',
]);

/** What no header value could hold. */
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;

const NONE: Readonly<Record<string, string>> = Object.freeze({});

/**
 * The x-amz-* query parameters that S3 treats as headers, lower-case names; the signature's own ones are left out,
 * and so are checksums, which presigners compute over a body they do not have.
 * Errors: InvalidArgument for a customer-provided key, for one name with two values, and for a header sent with
 * another value; AccessDenied for the latter where the URL is presigned.
 */
export function hoistedHeaders(request: HttpRequest): Readonly<Record<string, string>> {
  // Nearly every request ends here; `%` because a name may be written percent-encoded.
  if (!/x-amz-|%/i.test(request.rawQuery)) return NONE;
  const hoisted = hoistedFrom(canonicalParameters(request.rawQuery));
  for (const [name, value] of Object.entries(hoisted)) {
    const header = request.headers[name];
    if (header === undefined || header === value) continue;
    // In a presigned URL the query was signed, and the header came later: the holder's own idea.
    throw isPresigned(request.rawQuery) ? s3Refusals.headersNotSigned([name]) : twoValues(name);
  }
  return hoisted;
}

/** The same from parameters already parsed, without a look at the headers. */
export function hoistedFrom(parameters: readonly CanonicalParameter[]): Readonly<Record<string, string>> {
  let hoisted: Record<string, string> | undefined;
  for (const { name, value } of parameters) {
    if ((name.charCodeAt(0) | 0x20) !== 0x78 || name.charCodeAt(1) !== 0x2d) continue;
    const lowerName = name.toLowerCase();
    if (!lowerName.startsWith('x-amz-') || isSignatureParameter(lowerName)) continue;
    if (NEVER_IN_URL.has(lowerName)) throw keyInUrl(lowerName);
    if (lowerName.startsWith('x-amz-checksum-') || lowerName === 'x-amz-sdk-checksum-algorithm') continue;
    hoisted ??= {};
    const text = decodeCanonical(value);
    if (CONTROL.test(text)) throw notAHeaderValue(lowerName);
    if (Object.hasOwn(hoisted, lowerName) && hoisted[lowerName] !== text) throw twoValues(lowerName);
    hoisted[lowerName] = text;
  }
  return hoisted ?? NONE;
}

function isPresigned(rawQuery: string): boolean {
  return canonicalParameters(rawQuery).some(({ name }) => name.toLowerCase() === 'x-amz-signature');
}

function keyInUrl(name: string): ServiceError {
  return new ServiceError(
    'InvalidArgument',
    400,
    `Requests specifying Server Side Encryption with Customer provided keys must provide ${name} as a header, not as a query parameter.`,
    { details: { ArgumentName: name } },
  );
}

function notAHeaderValue(name: string): ServiceError {
  return new ServiceError('InvalidArgument', 400, `The value of ${name} is not valid.`, { details: { ArgumentName: name } });
}

function twoValues(name: string): ServiceError {
  return new ServiceError('InvalidArgument', 400, `The request gives more than one value for ${name}.`, {
    details: { ArgumentName: name },
  });
}
