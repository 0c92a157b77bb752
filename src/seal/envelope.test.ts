/** Envelopes: there and back, and nothing but envelopes. Source: docs/formats/wrapped-key.md section 8. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { decodeEnvelope, encodeEnvelope } from './envelope.ts';
import type { Envelope } from './envelope.ts';

const wrappedDataKey = randomBytes(104);
const keyArn = 'arn:aws:kms:us-east-1:111122223333:key/k';
const envelopes: Record<string, Envelope> = {
  'NONE': { scheme: 'NONE' },
  'SSE-S3': { scheme: 'SSE-S3', keyVersionId: 'v1', wrappedDataKey },
  'SSE-KMS': { scheme: 'SSE-KMS', keyArn, wrappedDataKey, encryptionContext: { team: 'cats', empty: '' } },
  'SSE-KMS with a bucket key': { scheme: 'SSE-KMS', keyArn, wrappedDataKey, encryptionContext: {}, bucketKey: { blob: randomBytes(137) } },
  'DSSE-KMS': { scheme: 'DSSE-KMS', keyArn, wrappedDataKey, encryptionContext: {}, outer: { keyVersionId: 'v1', wrappedDataKey: randomBytes(104) } },
  'SSE-C': { scheme: 'SSE-C', salt: randomBytes(32), check: randomBytes(32), wrappedDataKey },
};

type Json = Record<string, unknown>;
const jsonOf = (envelope: Envelope): Json => JSON.parse(JSON.stringify(encodeEnvelope(envelope))) as Json;
const refused = { name: 'SealError', code: 'unknown-format' };

/** Every object in the value, with its path to it; an encryption context's members are free. */
function* objectsIn(json: Json): Generator<Json> {
  yield json;
  for (const [name, value] of Object.entries(json)) {
    if (typeof value === 'object' && value !== null && name !== 'encryptionContext') yield* objectsIn(value as Json);
  }
}

describe('envelopes', () => {
  for (const [name, envelope] of Object.entries(envelopes)) {
    test(`${name} survives JSON`, () => {
      assert.deepEqual(decodeEnvelope(jsonOf(envelope)), envelope);
      assert.equal(jsonOf(envelope)['version'], 1);
    });

    test(`${name}: no member may be missing, unknown or of another type`, () => {
      const count = [...objectsIn(jsonOf(envelope))].length;
      for (let which = 0; which < count; which++) {
        const members = Object.keys([...objectsIn(jsonOf(envelope))][which]!);
        for (const member of members) {
          for (const value of [undefined, null, 0, true, '', [], {}, 'not*base64', ['AAAA']]) {
            // Each of these has a meaning where it stands.
            if (member === 'encryptionContext' && JSON.stringify(value) === '{}') continue;
            if ((member === 'keyArn' || member === 'keyVersionId') && value === 'not*base64') continue;
            if (member === 'bucketKey' && value === undefined) continue;
            const json = jsonOf(envelope);
            const object = [...objectsIn(json)][which]!;
            if (value === undefined) delete object[member];
            else object[member] = value;
            assert.throws(() => decodeEnvelope(json), refused, `${member}: ${JSON.stringify(value)}`);
          }
        }
        const json = jsonOf(envelope);
        [...objectsIn(json)][which]!['more'] = 'x';
        assert.throws(() => decodeEnvelope(json), refused, 'an unknown member');
      }
    });
  }

  test('another version or scheme is refused', () => {
    const json = jsonOf(envelopes['SSE-S3']!);
    for (const version of [0, 2, '1', null]) assert.throws(() => decodeEnvelope({ ...json, version }), refused);
    for (const scheme of ['', 'none', 'SSE-KMS', 'SSE-C', 'AES256', 'toString']) assert.throws(() => decodeEnvelope({ ...json, scheme }), refused);
  });

  test('what is no object is refused', () => {
    for (const value of [undefined, null, 0, 'x', [], [1], true]) assert.throws(() => decodeEnvelope(value), refused);
  });

  test('base64 has one form', () => {
    const json = jsonOf(envelopes['SSE-S3']!);
    for (const text of ['AA', 'AAA', 'AB==', 'AA==AA==', 'AAAA\n', 'AA-_', ' AAAA']) {
      assert.throws(() => decodeEnvelope({ ...json, wrappedDataKey: text }), refused, text);
    }
  });

  test('salt and check of SSE-C have 32 bytes', () => {
    const json = jsonOf(envelopes['SSE-C']!);
    for (const member of ['salt', 'check']) {
      for (const size of [16, 31, 33]) {
        assert.throws(() => decodeEnvelope({ ...json, [member]: randomBytes(size).toString('base64') }), refused);
      }
    }
  });

  test('an encryption context has text values only', () => {
    const json = jsonOf(envelopes['SSE-KMS']!);
    for (const value of [1, null, {}, ['x']]) {
      assert.throws(() => decodeEnvelope({ ...json, encryptionContext: { a: value } }), refused);
    }
  });
});
