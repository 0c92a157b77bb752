/**
 * What the listings share: bounds of a page, url encoding of names, opaque tokens.
 * Source: contract s3-surface.md section 8.
 */
import { createHash } from 'node:crypto';
import { asBuffer, decodeBase64, equalSecrets, lengthPrefixed } from '../../base/index.ts';
import { s3Errors } from './errors.ts';

/** More is not shown on one page, whatever the caller asks for. */
export const pageSizeMax = 1_000;
const askedSizeMax = 0x7fff_ffff;

/** `header` is the parameter's name on the wire, `argument` how S3 calls it when it is out of range. Throws InvalidArgument. */
export function readPageSize(asked: number | undefined, header: string, argument = header): number {
  if (asked === undefined) return pageSizeMax;
  if (!Number.isInteger(asked) || asked > askedSizeMax) {
    throw s3Errors.invalidArgument(`Provided ${header} not an integer or within integer range`, header, String(asked));
  }
  if (asked < 0) throw s3Errors.invalidArgument(`Argument ${argument} must be an integer between 0 and ${askedSizeMax}`, argument, String(asked));
  return Math.min(asked, pageSizeMax);
}

/** Writes names as the caller asked for: raw, or percent-encoded for those that XML cannot carry. */
export type NameEncoder = <Name extends string | undefined>(name: Name) => Name;

/** Throws InvalidArgument for any encoding but `url`. */
export function readEncoding(encodingType: string | undefined): NameEncoder {
  if (encodingType === undefined || encodingType === '') return (name) => name;
  if (encodingType !== 'url') throw s3Errors.invalidArgument('Invalid Encoding Method specified in Request', 'encoding-type', encodingType);
  return <Name extends string | undefined>(name: Name) => (name === undefined ? name : (encodeName(name) as Name));
}

/** A space becomes %20, which clients that expect `+` decode as well. */
function encodeName(name: string): string {
  return encodeURIComponent(name).replaceAll('%2F', '/');
}

const keySizeBytesMax = 1_024;

/**
 * What no key can be is not looked for: a zero byte would wander into neighbouring tables, and length costs.
 * Throws InvalidArgument, KeyTooLongError.
 */
export function requireSearchable(texts: Readonly<Record<string, string | undefined>>): void {
  for (const [name, text] of Object.entries(texts)) {
    if (text === undefined) continue;
    if (text.includes('\0')) throw s3Errors.invalidArgument(`The value of ${name} must not contain a zero byte`, name);
    const sizeBytes = Buffer.byteLength(text, 'utf8');
    if (sizeBytes > keySizeBytesMax) throw s3Errors.keyTooLong(sizeBytes, keySizeBytesMax);
  }
}

const tagSizeBytes = 8;

/**
 * A place in a listing as an opaque token: a short hash, then the text, in base64url. The hash is no secret; it only
 * tells a token of ours for this `scope` from whatever else a client may send.
 */
export function encodeToken(scope: string, text: string): string {
  return Buffer.concat([tokenTag(scope, text), Buffer.from(text, 'utf8')]).toString('base64url');
}

/** Throws InvalidArgument. */
export function decodeToken(scope: string, token: string): string {
  const bytes = decodeBase64Url(token);
  if (bytes !== undefined && bytes.byteLength >= tagSizeBytes) {
    const text = bytes.toString('utf8', tagSizeBytes);
    if (equalSecrets(tokenTag(scope, text), bytes.subarray(0, tagSizeBytes))) return text;
  }
  throw s3Errors.invalidArgument('The continuation token provided is incorrect', 'continuation-token');
}

function tokenTag(scope: string, text: string): Buffer {
  return asBuffer(createHash('sha256').update(lengthPrefixed('coffer listing token', scope, text)).digest()).subarray(0, tagSizeBytes);
}

function decodeBase64Url(text: string): Buffer | undefined {
  const padded = text.replaceAll('-', '+').replaceAll('_', '/') + '==='.slice((text.length + 3) % 4);
  return /[+/=]/.test(text) ? undefined : decodeBase64(padded);
}
