/** That no two places have one context. Source: docs/formats/wrapped-key.md section 3. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { checksumsContext, dataKeyContext, keyMaterialContext, kmsContext, metadataContext, payloadContext } from './contexts.ts';

const versionNonce = randomBytes(16);
const place = { bucket: 'media', key: 'photos/cat.jpg', versionNonce };
const keyArn = 'arn:aws:kms:us-east-1:111122223333:key/k';
const kms = (encryptionContext: Record<string, string>): string => kmsContext({ keyArn, encryptionContext }).toString('hex');

describe('contexts', () => {
  test('every field and every kind makes another context', () => {
    const payload = { ...place, partNumber: 0, layer: 'only' } as const;
    const dataKey = { ...place, scheme: 'SSE-S3', keyVersionId: 'v1' } as const;
    const material = { kind: 'kms', id: 'k', version: 'v' };
    const other = { versionNonce: randomBytes(16) };
    const contexts = [
      payloadContext(payload),
      payloadContext({ ...payload, bucket: 'medi' }),
      payloadContext({ ...payload, key: 'photos/cat.jp' }),
      payloadContext({ ...payload, bucket: 'mediap', key: 'hotos/cat.jpg' }),
      payloadContext({ ...payload, ...other }),
      payloadContext({ ...payload, partNumber: 1 }),
      payloadContext({ ...payload, partNumber: 256 }),
      payloadContext({ ...payload, layer: 'inner' }),
      payloadContext({ ...payload, layer: 'outer' }),
      dataKeyContext(dataKey),
      dataKeyContext({ ...dataKey, scheme: 'SSE-KMS' }),
      dataKeyContext({ ...dataKey, scheme: 'DSSE-KMS' }),
      dataKeyContext({ ...dataKey, scheme: 'SSE-C', keyVersionId: '' }),
      dataKeyContext({ ...dataKey, keyVersionId: 'v2' }),
      dataKeyContext({ ...dataKey, bucket: 'other' }),
      dataKeyContext({ ...dataKey, key: 'other' }),
      dataKeyContext({ ...dataKey, ...other }),
      keyMaterialContext(material),
      keyMaterialContext({ ...material, kind: 'sse-s3' }),
      keyMaterialContext({ ...material, id: 'l' }),
      keyMaterialContext({ ...material, version: 'w' }),
      metadataContext(place),
      metadataContext({ ...place, bucket: 'other' }),
      metadataContext({ ...place, key: 'other' }),
      metadataContext({ ...place, ...other }),
      checksumsContext(place),
      checksumsContext({ ...place, ...other }),
      kmsContext({ keyArn, encryptionContext: {} }),
      kmsContext({ keyArn: 'arn:aws:kms:us-east-1:111122223333:key/l', encryptionContext: {} }),
    ];
    assert.equal(new Set(contexts.map((context) => context.toString('hex'))).size, contexts.length);
  });

  test('the order of pairs means nothing, everything else does', () => {
    assert.equal(kms({ a: '1', b: '2' }), kms({ b: '2', a: '1' }));
    const different: Record<string, string>[] = [{}, { a: '' }, { a: '1' }, { a: '1', b: '2' }, { a: '2', b: '1' }, { a: '1b', '': '2' },
      { ab: '12' }, { A: '1' }];
    assert.equal(new Set(different.map(kms)).size, different.length);
  });

  test('pairs have one context only when they are the same pairs', () => {
    const pairs = fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 3 }), fc.string({ unit: 'grapheme', maxLength: 3 }), { maxKeys: 4 });
    const canonical = (record: Record<string, string>): string => JSON.stringify(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
    fc.assert(fc.property(pairs, pairs, (a, b) => {
      assert.equal(kms(a) === kms(b), canonical(a) === canonical(b));
      assert.equal(kms(a), kms(Object.fromEntries(Object.entries(a).reverse())));
    }));
  });

  test('names are ordered by their UTF-8 bytes, not by UTF-16', () => {
    const beyond = '\u{10000}';
    const before = '￮';
    assert.ok(beyond < before, 'JavaScript orders them the other way round');
    const context = kmsContext({ keyArn, encryptionContext: { [beyond]: 'x', [before]: 'y' } });
    assert.ok(context.indexOf(before) < context.indexOf(beyond));
  });

  test('a pair named like a member of every object is a pair', () => {
    const hostile = JSON.parse('{"__proto__":"x","constructor":"y"}') as Record<string, string>;
    const context = kmsContext({ keyArn, encryptionContext: hostile });
    assert.ok(context.includes('__proto__') && context.includes('constructor'));
  });

  test('text that has no UTF-8 form is refused, not replaced', () => {
    assert.throws(() => kms({ '\ud800': 'x' }), /well-formed/);
    assert.throws(() => kms({ x: '\udfff' }), /well-formed/);
    assert.throws(() => payloadContext({ ...place, key: '\ud800', partNumber: 0, layer: 'only' }), /well-formed/);
  });

  test('a version nonce has 16 bytes', () => {
    for (const size of [0, 15, 17]) assert.throws(() => metadataContext({ ...place, versionNonce: randomBytes(size) }), /16 bytes/);
  });
});
