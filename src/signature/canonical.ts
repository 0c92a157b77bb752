/**
 * The canonical request of Signature Version 4, rebuilt from the request as it was received.
 * Strings hold one char per byte (as node:http hands over targets and header values), so that what is hashed are the
 * very bytes of the wire. Whether the signature is right is decided elsewhere.
 * Source: contract kms-iam-audit 5.1.
 */
import { hash } from 'node:crypto';

export const SHA256_OF_NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** `%00` to `%FF`. */
const ENCODED = Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`);
const PERCENT = 0x25;
const PLUS = 0x2b;
const SLASH = 0x2f;

/** 1 for A-Z a-z 0-9 - _ . ~, the characters that stand for themselves. */
const UNRESERVED = new Uint8Array(256);
for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~') UNRESERVED[char.charCodeAt(0)] = 1;

/** A query parameter with name and value in canonical encoding. */
export interface CanonicalParameter {
  readonly name: string;
  readonly value: string;
}

/** What a canonical request is made of. */
export interface CanonicalParts {
  method: string;
  rawPath: string;
  /** S3's way with paths is `once`, everybody else's `twice`. */
  pathEncoding: 'once' | 'twice';
  /** Without X-Amz-Signature; sorted in place. */
  parameters: CanonicalParameter[];
  /** Lower-case names. */
  headers: Readonly<Record<string, string>>;
  /** Stands in for headers that were signed but came as query parameters. */
  hoisted: Readonly<Record<string, string>> | undefined;
  /** In the signer's order. */
  signedHeaders: Iterable<string>;
  /** The same, as sent. */
  signedHeadersText: string;
  payloadHash: string;
}

/** The text whose hash is signed. A signed header that did not come counts as empty. */
export function canonicalRequest(parts: CanonicalParts): string {
  const { headers, hoisted } = parts;
  const path = parts.pathEncoding === 'once' ? canonicalPathOnce(parts.rawPath) : canonicalPathTwice(parts.rawPath);
  let lines = '';
  for (const name of parts.signedHeaders) {
    // Not every key of a record is its own: `constructor` is a legal header name.
    const value = Object.hasOwn(headers, name) ? headers[name]! : ownValue(hoisted, name);
    lines += `${name}:${canonicalHeaderValue(value)}\n`;
  }
  const query = canonicalQuery(parts.parameters);
  return `${parts.method}\n${path}\n${query}\n${lines}\n${parts.signedHeadersText}\n${parts.payloadHash}`;
}

function ownValue(record: Readonly<Record<string, string>> | undefined, name: string): string {
  return record !== undefined && Object.hasOwn(record, name) ? record[name]! : '';
}

/**
 * S3's path: every byte decoded once and encoded canonically; never normalised.
 * Clients differ in which characters they leave bare, and AWS signs the canonical form.
 */
export function canonicalPathOnce(rawPath: string): string {
  return recode(rawPath, true, false);
}

/** The path of all other services: `.`, `..` and empty segments resolved, then each byte as received encoded again. */
export function canonicalPathTwice(rawPath: string): string {
  if (rawPath === '/' || rawPath === '') return '/';
  const kept: string[] = [];
  for (const segment of rawPath.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  const slash = kept.length > 0 && rawPath.endsWith('/') ? '/' : '';
  return encodeBytes(`/${kept.join('/')}${slash}`);
}

/** Query parameters in the order received. `+` is a blank, as the router reads it. */
export function canonicalParameters(rawQuery: string): CanonicalParameter[] {
  const parameters: CanonicalParameter[] = [];
  if (rawQuery === '') return parameters;
  for (const pair of rawQuery.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    parameters.push(
      equals < 0
        ? { name: recode(pair, false, true), value: '' }
        : { name: recode(pair.slice(0, equals), false, true), value: recode(pair.slice(equals + 1), false, true) },
    );
  }
  return parameters;
}

/** `name=value&...`, by encoded name, then by encoded value. Sorts `parameters` in place. */
export function canonicalQuery(parameters: CanonicalParameter[]): string {
  if (parameters.length === 0) return '';
  if (parameters.length > 1) parameters.sort(byNameThenValue);
  let text = '';
  for (const { name, value } of parameters) text += text === '' ? `${name}=${value}` : `&${name}=${value}`;
  return text;
}

function byNameThenValue(a: CanonicalParameter, b: CanonicalParameter): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return a.value === b.value ? 0 : a.value < b.value ? -1 : 1;
}

/** A header value without blanks at its ends, inner runs of blanks as one. */
export function canonicalHeaderValue(value: string): string {
  const length = value.length;
  if (length === 0) return value;
  // Not trim() and \s: they also eat U+00A0, which here is half of a UTF-8 character.
  const plain = value.charCodeAt(0) > 0x20 && value.charCodeAt(length - 1) > 0x20 && !value.includes('  ') && !value.includes('\t');
  return plain ? value : value.replace(/[ \t\r\n\v\f]+/g, ' ').replace(/^ | $/g, '');
}

/** The text that the signing key signs. */
export function stringToSignOf(amzDate: string, scope: string, canonical: string): string {
  return `AWS4-HMAC-SHA256\n${amzDate}\n${scope}\n${sha256OfBytes(canonical)}`;
}

/** Hex SHA-256 of a text whose chars are bytes. */
export function sha256OfBytes(text: string): string {
  // crypto.hash would encode chars above 0x7f as UTF-8, two bytes each; byteLength tells cheaply whether there are any.
  return hash('sha256', Buffer.byteLength(text, 'utf8') === text.length ? text : Buffer.from(text, 'latin1'), 'hex');
}

/** The text that a canonically encoded one stands for, one char per byte. */
export function decodeCanonical(encoded: string): string {
  let percentAt = encoded.indexOf('%');
  if (percentAt < 0) return encoded;
  let out = '';
  let runStart = 0;
  while (percentAt >= 0) {
    out += encoded.slice(runStart, percentAt) + String.fromCharCode(hexByte(encoded, percentAt + 1));
    runStart = percentAt + 3;
    percentAt = encoded.indexOf('%', runStart);
  }
  return out + encoded.slice(runStart);
}

/** Decodes every `%XX` and encodes canonically. What is canonical already, as nearly everything is, stays one slice. */
function recode(text: string, keepSlash: boolean, plusIsBlank: boolean): string {
  const length = text.length;
  let out = '';
  let runStart = 0;
  let index = 0;
  while (index < length) {
    const code = text.charCodeAt(index);
    if (UNRESERVED[code] === 1 || (keepSlash && code === SLASH)) {
      index++;
      continue;
    }
    let byte = code;
    let next = index + 1;
    if (code === PERCENT) {
      const decoded = hexByte(text, next);
      if (decoded >= 0) {
        byte = decoded;
        next += 2;
      }
    } else if (code === PLUS && plusIsBlank) {
      byte = 0x20;
    }
    const encoded = UNRESERVED[byte] === 1 || (keepSlash && byte === SLASH) ? String.fromCharCode(byte) : percent(byte);
    if (next - index !== 3 || !text.startsWith(encoded, index)) {
      out += text.slice(runStart, index) + encoded;
      runStart = next;
    }
    index = next;
  }
  return runStart === 0 ? text : out + text.slice(runStart);
}

function encodeBytes(text: string): string {
  let out = '';
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    out += UNRESERVED[code] === 1 || code === SLASH ? text[index] : percent(code);
  }
  return out;
}

/** `%XX`. A char that is no byte, which node:http never hands over, becomes U+FFFD and so matches nothing sent. */
function percent(code: number): string {
  return ENCODED[code] ?? '%EF%BF%BD';
}

/** The byte that two hex digits give, or -1. */
function hexByte(text: string, index: number): number {
  const high = hexDigit(text.charCodeAt(index));
  const low = hexDigit(text.charCodeAt(index + 1));
  return high < 0 || low < 0 ? -1 : (high << 4) | low;
}

/** NaN, from beyond the end, is no digit either. */
export function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x41 && code <= 0x46) return code - 0x37;
  if (code >= 0x61 && code <= 0x66) return code - 0x57;
  return -1;
}
