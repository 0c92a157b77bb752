/**
 * The canonical request of Signature Version 4, rebuilt from the request as it was received.
 * Strings hold one char per byte (as node:http hands over targets and header values), so that what is hashed are the
 * very bytes of the wire. Whether the signature is right is decided elsewhere.
 * Source: contract kms-iam-audit 5.1.
 */
import { hash } from 'node:crypto';

export const SHA256_OF_NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

const HEX = '0123456789ABCDEF';
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

/** Hex SHA-256 of a text whose chars are bytes. */
export function sha256OfBytes(text: string): string {
  // crypto.hash would encode chars above 0x7f as UTF-8, two bytes each; byteLength tells cheaply whether there are any.
  return hash('sha256', Buffer.byteLength(text, 'utf8') === text.length ? text : Buffer.from(text, 'latin1'), 'hex');
}

/** The text that a canonically encoded one stands for, one char per byte. */
export function decodeCanonical(encoded: string): string {
  return encoded.includes('%')
    ? encoded.replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : encoded;
}

function recode(text: string, keepSlash: boolean, plusIsBlank: boolean): string {
  const length = text.length;
  let index = 0;
  while (index < length) {
    const code = text.charCodeAt(index);
    if (UNRESERVED[code] !== 1 && !(keepSlash && code === SLASH)) break;
    index++;
  }
  if (index === length) return text;

  let out = text.slice(0, index);
  while (index < length) {
    let code = text.charCodeAt(index++);
    if (code === PERCENT) {
      const byte = hexByte(text, index);
      if (byte >= 0) {
        code = byte;
        index += 2;
      }
    } else if (code === PLUS && plusIsBlank) {
      code = 0x20;
    }
    out += UNRESERVED[code] === 1 || (keepSlash && code === SLASH) ? String.fromCharCode(code) : percent(code);
  }
  return out;
}

function encodeBytes(text: string): string {
  let out = '';
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    out += UNRESERVED[code] === 1 || code === SLASH ? text[index] : percent(code);
  }
  return out;
}

/** `%XX`; a char that is no byte (not from node:http) as its UTF-8. */
function percent(code: number): string {
  if (code <= 0xff) return `%${HEX[code >> 4]}${HEX[code & 15]}`;
  return encodeURIComponent(String.fromCharCode(code).toWellFormed());
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
