/** The small parts: HMAC, key cache, dates, canonical text. Source: RFC 2104; contract kms-iam-audit 5.1. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { canonicalHeaderValue, canonicalParameters, canonicalPathOnce, canonicalPathTwice, canonicalQuery, decodeCanonical } from './canonical.ts';
import { formatAmzDate, formatIsoSeconds, parseAmzDate, parseDateHeader } from './dates.ts';
import { deriveSigningKey, sameSecret, sameSignature, sign, SigningKeyCache } from './signing-key.ts';

/** Text of one char per byte, as node:http hands it over. */
const byteText = (constraints: fc.IntArrayConstraints = {}) =>
  fc.uint8Array(constraints).map((bytes) => Buffer.from(bytes).toString('latin1'));

describe('signing', () => {
  test('is HMAC-SHA-256 of the bytes under the derived key', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), byteText({ maxLength: 2000, size: 'max' }), (secret, text) => {
        let key: Buffer = Buffer.from(`AWS4${secret}`);
        for (const step of ['20261123', 'r', 's', 'aws4_request']) key = createHmac('sha256', key).update(step).digest();
        const expected = createHmac('sha256', key).update(text, 'latin1').digest('hex');
        assert.equal(sign(deriveSigningKey(secret, '20261123', 'r', 's'), text), expected);
      }),
      // A long text shrinks slowly and tells nothing more when it is short.
      { numRuns: 200, endOnFailure: true },
    );
  });

  test('comparison', () => {
    const signature = '0123456789abcdef'.repeat(4);
    assert.ok(sameSignature(signature, signature));
    for (const other of ['', signature.slice(1), `${signature}0`, signature.toUpperCase(), signature.replace(/.$/, '0')]) {
      assert.ok(!sameSignature(signature, other), other);
    }
    assert.ok(sameSecret('tökén', 'tökén'));
    assert.ok(!sameSecret('token', 'tokem'));
    assert.ok(!sameSecret('token', 'toke'));
  });

  test('the cache is bounded and goes by the secret', () => {
    const cache = new SigningKeyCache(3);
    const keys = [0, 1, 2, 3].map((index) => deriveSigningKey(String(index), '20261123', 'r', 's'));
    keys.forEach((key, index) => cache.keep(`credential${index}`, 'secret', key));
    assert.equal(cache.size, 3);
    assert.equal(cache.get('credential0', 'secret'), undefined);
    assert.equal(cache.get('credential3', 'secret'), keys[3]);
    assert.equal(cache.get('credential3', 'another'), undefined);
    cache.keep('credential3', 'another', keys[0]!);
    assert.equal(cache.size, 3);
    assert.equal(cache.get('credential3', 'secret'), undefined);
    assert.equal(cache.get('credential3', 'another'), keys[0]);
  });
});

describe('dates', () => {
  test('there and back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799 }), (seconds) => {
        assert.equal(parseAmzDate(formatAmzDate(seconds * 1000)), seconds * 1000);
        assert.equal(parseDateHeader(new Date(seconds * 1000).toUTCString()), seconds * 1000);
      }),
    );
    assert.equal(formatIsoSeconds(1_000_000_000_123), '2001-09-09T01:46:40Z');
    assert.equal(parseDateHeader('Fri, 24 May 2013 00:00:00 +0000'), Date.UTC(2013, 4, 24));
  });

  test('nothing else', () => {
    for (const text of ['', '20261123T120000', '20261123T120000z', '20261123 120000Z', '20261323T120000Z', '20261100T120000Z', '2026112aT120000Z', '20261123T250000Z', '20261123T126000Z', '-0261123T120000Z', '20261123T12000 Z']) {
      assert.equal(parseAmzDate(text), undefined, text);
    }
    for (const text of ['', 'now', '2026', 'Mon Nov 23 2026', 'Mon, 23 Nov 2026 12:00:00 PST', 'Mon, 23 Foo 2026 12:00:00 GMT']) {
      assert.equal(parseDateHeader(text), undefined, text);
    }
  });
});

describe('canonical text', () => {
  /** The definition, byte by byte. */
  function encode(bytes: Uint8Array, keep: string): string {
    return [...bytes].map((byte) => {
      const char = String.fromCharCode(byte);
      return /[A-Za-z0-9\-_.~]/.test(char) || keep.includes(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    }).join('');
  }

  /** One of the ways to write a byte in a URL. */
  const spelled = fc.tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 2 })).map(([byte, way]) => {
    const char = String.fromCharCode(byte);
    const hex = byte.toString(16).padStart(2, '0');
    if (way === 0 && !'%?#&=+'.includes(char)) return { byte, text: char };
    return { byte, text: `%${way === 1 ? hex : hex.toUpperCase()}` };
  });

  test('a path, however it is spelled, is its bytes encoded once', () => {
    fc.assert(
      fc.property(fc.array(spelled), (parts) => {
        const bytes = Uint8Array.from(parts, ({ byte }) => byte);
        const canonical = canonicalPathOnce(parts.map(({ text }) => text).join(''));
        assert.equal(canonical, encode(bytes, '/'));
        assert.equal(canonicalPathOnce(canonical), canonical);
      }),
      { numRuns: 500 },
    );
  });

  test('query names and values likewise, with blanks as plus, in order of name and value', () => {
    const side = fc.array(spelled, { maxLength: 6 });
    fc.assert(
      fc.property(fc.array(fc.tuple(side, side), { maxLength: 6 }), (pairs) => {
        const text = (parts: { text: string }[]) => parts.map((part) => (part.text === '%20' ? '+' : part.text)).join('');
        const encoded = (parts: { byte: number }[]) => encode(Uint8Array.from(parts, ({ byte }) => byte), '');
        const rawQuery = pairs.map(([name, value]) => `${text(name)}=${text(value)}`).join('&');
        const expected = pairs
          .map(([name, value]): [string, string] => [encoded(name), encoded(value)])
          .sort((a, b) => Buffer.compare(Buffer.from(a[0]), Buffer.from(b[0])) || Buffer.compare(Buffer.from(a[1]), Buffer.from(b[1])));
        const parameters = canonicalParameters(rawQuery);
        assert.equal(canonicalQuery(parameters), expected.map(([name, value]) => `${name}=${value}`).join('&'));
      }),
      { numRuns: 500 },
    );
  });

  test('a stray percent sign is itself', () => {
    for (const [raw, canonical] of [['/%', '/%25'], ['/%4', '/%254'], ['/%zz', '/%25zz'], ['/%%41', '/%25A'], ['/%G1%41', '/%25G1A']] as const) {
      assert.equal(canonicalPathOnce(raw), canonical);
    }
  });

  test('a canonical text decodes to its bytes', () => {
    fc.assert(
      fc.property(byteText(), (text) => {
        assert.equal(decodeCanonical(encode(Buffer.from(text, 'latin1'), '')), text);
      }),
    );
  });

  test('paths of the other services', () => {
    for (const [raw, canonical] of [['', '/'], ['/', '/'], ['//', '/'], ['/a/', '/a/'], ['/a/../..//b/./c/', '/b/c/'], ['/a%20b', '/a%2520b'], ['/..', '/'], ['/a/..', '/']] as const) {
      assert.equal(canonicalPathTwice(raw), canonical, raw);
    }
  });

  test('header values', () => {
    for (const [raw, canonical] of [['', ''], [' ', ''], ['  a  b ', 'a b'], ['a\tb', 'a b'], ['"a  b"', '"a b"'], ['\u00a0a\u00a0\u00a0', '\u00a0a\u00a0\u00a0'], ['a\u00a0 \u00a0b', 'a\u00a0 \u00a0b']] as const) {
      assert.equal(canonicalHeaderValue(raw), canonical, JSON.stringify(raw));
    }
  });
});
