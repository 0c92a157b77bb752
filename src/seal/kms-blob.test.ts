/** KMS ciphertext blobs. Source: docs/formats/wrapped-key.md section 4. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { SealError } from './errors.ts';
import { encodeKmsBlob, kmsBlobMaterialId, openKmsBlob } from './kms-blob.ts';

const material = randomBytes(32);
const materialId = randomBytes(32).toString('hex');
const place = { keyArn: 'arn:aws:kms:us-east-1:111122223333:key/k', encryptionContext: { a: '1' } };
const dataKey = randomBytes(32);
const blob = encodeKmsBlob(materialId, material, place, dataKey);

describe('KMS blobs', () => {
  test('a blob opens and names its material', () => {
    assert.ok(openKmsBlob(blob, material, place).equals(dataKey));
    assert.equal(kmsBlobMaterialId(blob), materialId);
    assert.notDeepEqual(encodeKmsBlob(materialId, material, place, dataKey), blob);
  });

  test('blobs stay within what the API allows', () => {
    assert.equal(blob.length, 137);
    assert.ok(blob.length < 180);
    const largest = encodeKmsBlob(materialId, material, place, randomBytes(4096));
    assert.ok(largest.length < 6144);
    assert.equal(openKmsBlob(largest, material, place).length, 4096);
  });

  test('every flipped bit is found, wherever it says what material it needs', () => {
    for (let bit = 0; bit < blob.length * 8; bit++) {
      const flipped = Buffer.from(blob);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      if (bit < 8) {
        assert.equal(kmsBlobMaterialId(flipped), undefined);
        assert.throws(() => openKmsBlob(flipped, material, place), { code: 'unknown-format' });
      } else if (bit < 33 * 8) {
        assert.notEqual(kmsBlobMaterialId(flipped), materialId);
      } else {
        assert.throws(() => openKmsBlob(flipped, material, place), SealError);
      }
    }
  });

  test('every cut and every addition is found', () => {
    for (let size = 0; size < blob.length; size++) assert.throws(() => openKmsBlob(blob.subarray(0, size), material, place), SealError);
    assert.throws(() => openKmsBlob(Buffer.concat([blob, Buffer.alloc(1)]), material, place), SealError);
    assert.equal(kmsBlobMaterialId(blob.subarray(0, 104)), undefined);
  });

  test('another material, key or encryption context does not open it', () => {
    const mismatch = { code: 'commitment-mismatch' };
    assert.throws(() => openKmsBlob(blob, randomBytes(32), place), mismatch);
    assert.throws(() => openKmsBlob(blob, material, { ...place, keyArn: 'arn:aws:kms:us-east-1:111122223333:key/l' }), mismatch);
    for (const encryptionContext of [{}, { a: '2' }, { A: '1' }, { a: '1', b: '' }] as Record<string, string>[]) {
      assert.throws(() => openKmsBlob(blob, material, { ...place, encryptionContext }), mismatch);
    }
  });

  test('what is no blob of ours is not ours', () => {
    for (const bytes of [Buffer.alloc(0), Buffer.of(1), Buffer.alloc(137), Buffer.from('AQIDAHg', 'base64'), Buffer.alloc(6144, 2)]) {
      assert.equal(kmsBlobMaterialId(bytes), undefined);
    }
  });

  test('a material id is 64 lower-case hex digits', () => {
    for (const id of ['', 'ab', materialId.toUpperCase().replace(/^./, 'A'), `${materialId}00`, 'g'.repeat(64)]) {
      assert.throws(() => encodeKmsBlob(id, material, place, dataKey), /broken invariant/);
    }
  });
});
