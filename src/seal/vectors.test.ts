/** Our own vectors: what these bytes say today they say for ever. Source: test/vectors/seal/README.md. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { open } from './cobblestone.ts';
import { checksumsContext, dataKeyContext, keyMaterialContext, kmsContext, metadataContext, payloadContext } from './contexts.ts';
import type { DataKeyPlace, EncryptionContext, PayloadPlace } from './contexts.ts';
import { customerKeyCheck, customerWrappingKey } from './customer-key.ts';
import { decodeEnvelope, encodeEnvelope } from './envelope.ts';
import { sealWithSalt } from './fixed-salt.ts';
import { kmsBlobMaterialId, openKmsBlob } from './kms-blob.ts';

function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../test/vectors/seal/${name}`, import.meta.url), 'utf8')) as T;
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const base64 = (text: string): Buffer => Buffer.from(text, 'base64');

interface MessageVector extends Omit<PayloadPlace, 'versionNonce'> {
  name: string;
  versionNonce: string;
  context: string;
  inputKey: string;
  salt: string;
  plaintextSizeBytes: number;
  plaintext?: string;
  sealed?: string;
  plaintextByte?: string;
  sealedSizeBytes?: number;
  sealedStart?: string;
  sealedEnd?: string;
  sealedSha512?: string;
}

describe('messages', () => {
  const { messages } = vectors<{ messages: MessageVector[] }>('messages.json');
  for (const vector of messages) {
    test(vector.name, () => {
      const context = payloadContext({ ...vector, versionNonce: hex(vector.versionNonce) });
      assert.equal(context.toString('hex'), vector.context);
      const plaintext = vector.plaintext === undefined ? Buffer.alloc(vector.plaintextSizeBytes, hex(vector.plaintextByte!)) : hex(vector.plaintext);
      assert.equal(plaintext.length, vector.plaintextSizeBytes);
      const sealed = sealWithSalt(hex(vector.inputKey), hex(vector.salt), context, plaintext);
      if (vector.sealed === undefined) {
        assert.equal(sealed.length, vector.sealedSizeBytes);
        assert.equal(sealed.toString('hex', 0, 88), vector.sealedStart);
        assert.equal(sealed.toString('hex', sealed.length - 32), vector.sealedEnd);
        assert.equal(hash('sha512', sealed, 'hex'), vector.sealedSha512);
      } else {
        assert.equal(sealed.toString('hex'), vector.sealed);
      }
      assert.ok(open(hex(vector.inputKey), context, sealed).equals(plaintext));
    });
  }
});

interface ContextVector {
  name: 'payload' | 'data-key' | 'kms' | 'key-material' | 'metadata' | 'checksums';
  context: string;
  versionNonce: string;
}

interface WrappedKeyVectors {
  contexts: ContextVector[];
  kmsBlobs: { keyArn: string; encryptionContext: EncryptionContext; materialId: string; material: string; plaintext: string; blob: string }[];
  keyMaterial: { rootKey: string; kind: string; id: string; version: string; wrapped: string; material: string };
  customerKey: { customerKey: string; salt: string; check: string; wrappingKey: string };
}

describe('wrapped keys', () => {
  const all = vectors<WrappedKeyVectors>('wrapped-keys.json');

  test('contexts', () => {
    const makers: Record<ContextVector['name'], (fields: never) => Buffer> = {
      'payload': payloadContext, 'data-key': dataKeyContext, 'kms': kmsContext,
      'key-material': keyMaterialContext, 'metadata': metadataContext, 'checksums': checksumsContext,
    };
    assert.deepEqual([...new Set(all.contexts.map(({ name }) => name))].sort(), Object.keys(makers).sort());
    for (const vector of all.contexts) {
      const fields = { ...vector, versionNonce: hex(vector.versionNonce ?? '') };
      assert.equal(makers[vector.name](fields as never).toString('hex'), vector.context, JSON.stringify(vector));
    }
  });

  test('KMS blobs', () => {
    assert.ok(all.kmsBlobs.length > 0);
    for (const vector of all.kmsBlobs) {
      const blob = base64(vector.blob);
      assert.equal(kmsBlobMaterialId(blob), vector.materialId);
      assert.equal(openKmsBlob(blob, hex(vector.material), vector).toString('hex'), vector.plaintext);
    }
  });

  test('key material', () => {
    const { rootKey, wrapped, material, ...place } = all.keyMaterial;
    assert.equal(open(hex(rootKey), keyMaterialContext(place), base64(wrapped)).toString('hex'), material);
  });

  test('customer key', () => {
    const { customerKey, salt, check, wrappingKey } = all.customerKey;
    assert.equal(customerKeyCheck(hex(customerKey), hex(salt)).toString('hex'), check);
    assert.equal(customerWrappingKey(hex(customerKey), hex(salt)).toString('hex'), wrappingKey);
  });

  test('envelopes', () => {
    const { exports } = vectors<{ exports: { name: string; export: { envelope: unknown } }[] }>('exports.json');
    for (const { name, export: { envelope } } of exports) assert.deepEqual(encodeEnvelope(decodeEnvelope(envelope)), envelope, name);
    const schemes: DataKeyPlace['scheme'][] = ['SSE-S3', 'SSE-KMS', 'DSSE-KMS', 'SSE-C'];
    for (const scheme of schemes) assert.ok(exports.some(({ export: { envelope } }) => decodeEnvelope(envelope).scheme === scheme), scheme);
  });
});
