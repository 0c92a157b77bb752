import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeMetadataValue, encodeMetadataValue, headerTextToUnicode, safeHeaderText } from './header-text.ts';

// Source: contract s3-surface section 4 and S26; RFC 2047.

test('metadata is read as UTF-8, else as ISO 8859-1', () => {
  assert.equal(decodeMetadataValue('plain'), 'plain');
  assert.equal(decodeMetadataValue('\u00c3\u00bc'), '\u00fc');
  assert.equal(decodeMetadataValue('\u00fc'), '\u00fc');
  assert.equal(headerTextToUnicode('b/\u00e2\u0082\u00ac'), 'b/\u20ac');
});

test('encoded words are decoded', () => {
  assert.equal(decodeMetadataValue('=?UTF-8?B?w7w=?='), '\u00fc');
  assert.equal(decodeMetadataValue('=?utf-8?q?=C3=BC_x?='), '\u00fc x');
  assert.equal(decodeMetadataValue('=?ISO-8859-1?Q?=FC?='), '\u00fc');
  assert.equal(decodeMetadataValue('a =?UTF-8?B?w7w=?= =?UTF-8?B?w7w=?= b'), 'a \u00fc\u00fc b');
  // Not ours to guess: other character sets, invalid bytes.
  for (const text of ['=?koi8-r?B?w7w=?=', '=?UTF-8?B?/w==?=', '=?', '=?UTF-8?X?abc?=']) assert.equal(decodeMetadataValue(text), text);
});

test('what US-ASCII cannot hold leaves as RFC 2047 and comes back', () => {
  assert.equal(encodeMetadataValue('plain text'), 'plain text');
  assert.equal(encodeMetadataValue('\u00fc'), '=?UTF-8?B?w7w=?=');
  for (const text of ['\u00fc', '\u{1f44d} x', 'a\tb', 'a\u0000b']) assert.equal(decodeMetadataValue(encodeMetadataValue(text)), text);
});

test('no header value can split a header', () => {
  assert.equal(safeHeaderText('a\r\nb\u0000\u007f'), 'a  b  ');
  assert.equal(safeHeaderText('\u00fc\u20ac\u{1f44d}'), '\u00fc  ');
  assert.match(encodeMetadataValue('a\r\nx-amz-meta-b: c'), /^=\?UTF-8\?B\?[A-Za-z0-9+/=]+\?=$/);
});
