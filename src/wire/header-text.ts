/**
 * Header texts: node carries a header as one char per byte. User metadata is text of any language, read as UTF-8
 * (or ISO 8859-1 where it is none) and RFC 2047 words; it leaves as RFC 2047 where US-ASCII cannot hold it.
 * Source: contract s3-surface section 4 and S26; RFC 2047.
 */
import { isUtf8 } from 'node:buffer';

const ASCII = /^[\x20-\x7e]*$/;
const LATIN1_VISIBLE = /^[\x20-\x7e\x80-\xff\t]*$/;
/** By code point, so that a pair of surrogates is one space. */
const NOT_LATIN1_VISIBLE = /[^\x20-\x7e\x80-\xff\t]/gu;
const ENCODED_WORD = /=\?(utf-8|us-ascii|iso-8859-1)\?([bq])\?([^?\s]*)\?=/gi;
/** White space between two encoded words belongs to the folding, not to the text. */
const BETWEEN_WORDS = /(\?=)[ \t]+(?==\?)/g;

/** Bytes that a header's chars stand for, as text. */
export function headerTextToUnicode(value: string): string {
  if (ASCII.test(value)) return value;
  const bytes = Buffer.from(value, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : value;
}

/** The text of a user metadata value as it came in a header. */
export function decodeMetadataValue(value: string): string {
  const text = headerTextToUnicode(value);
  if (!text.includes('=?')) return text;
  return text.replace(BETWEEN_WORDS, '$1').replace(ENCODED_WORD, (word, charset: string, encoding: string, encoded: string) => {
    const bytes = encoding.toLowerCase() === 'b' ? Buffer.from(encoded, 'base64') : decodeQ(encoded);
    if (charset.toLowerCase() === 'iso-8859-1') return bytes.toString('latin1');
    return isUtf8(bytes) ? bytes.toString('utf8') : word;
  });
}

function decodeQ(encoded: string): Buffer {
  const bytes = encoded.replaceAll('_', ' ').replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1');
}

/** The header value of a user metadata text. */
export function encodeMetadataValue(text: string): string {
  return ASCII.test(text) ? text : `=?UTF-8?B?${Buffer.from(text, 'utf8').toString('base64')}?=`;
}

/** Any text as a header may carry it: control characters and what ISO 8859-1 lacks become spaces, as on AWS. */
export function safeHeaderText(text: string): string {
  return LATIN1_VISIBLE.test(text) ? text : text.replace(NOT_LATIN1_VISIBLE, ' ');
}
