/**
 * Percent-encoding both ways, on bytes. Node hands over the request target one char per byte.
 * Source: RFC 3986; key encoding of S3 `encoding-type=url`.
 */
import { isUtf8 } from 'node:buffer';

const PLAIN = /^[\x21-\x24\x26-\x7e]*$/;

/**
 * The text that percent-encoded UTF-8 stands for, or undefined when it is malformed: a stray `%`, invalid UTF-8,
 * a NUL. `+` stays a plus unless `plusIsSpace`.
 */
export function percentDecode(text: string, plusIsSpace: boolean): string | undefined {
  if (PLAIN.test(text) && (!plusIsSpace || !text.includes('+'))) return text;
  const bytes = Buffer.allocUnsafe(text.length);
  let length = 0;
  for (let index = 0; index < text.length; index++) {
    let code = text.charCodeAt(index);
    if (code === 0x25) {
      const high = hexDigit(text.charCodeAt(index + 1));
      const low = hexDigit(text.charCodeAt(index + 2));
      if (high < 0 || low < 0) return undefined;
      code = (high << 4) | low;
      index += 2;
    } else if (code === 0x2b && plusIsSpace) {
      code = 0x20;
    } else if (code > 0xff) {
      return undefined;
    }
    if (code === 0) return undefined;
    bytes[length++] = code;
  }
  const decoded = bytes.subarray(0, length);
  return isUtf8(decoded) ? decoded.toString('utf8') : undefined;
}

/** NaN from beyond the end is no digit either. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/**
 * An object key, prefix or marker as lists show it under `encoding-type=url`: `/` kept, `=` as `%3D`, space as `+`.
 * Source: contract s3-surface section 8; AWS's encoder is Java's URLEncoder with `/` put back.
 */
export function urlEncodeKey(key: string): string {
  return encodeURIComponent(key.isWellFormed() ? key : key.toWellFormed())
    .replace(/%2F/g, '/')
    .replace(/%20/g, '+')
    .replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Query parameters, first of each name; `a` and `a=` both have the empty value. Undefined when malformed. */
export function parseQuery(rawQuery: string): Map<string, string> | undefined {
  const query = new Map<string, string>();
  if (rawQuery === '') return query;
  for (const pair of rawQuery.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = percentDecode(equals < 0 ? pair : pair.slice(0, equals), true);
    const value = equals < 0 ? '' : percentDecode(pair.slice(equals + 1), true);
    if (name === undefined || value === undefined) return undefined;
    if (!query.has(name)) query.set(name, value);
  }
  return query;
}
