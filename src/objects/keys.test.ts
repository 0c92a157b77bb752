import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openTestS3 } from '../../test/kit/s3-fixture.ts';
import { ObjectStoreError } from './errors.ts';
import { bucketPrefix, bucketRecordKey, currentKey, isObjectKey, noncurrentKey, uploadKey } from './keys.ts';
import { commitVersion, findVersion } from './versions.ts';

const impossible = ['', 'k'.repeat(1_025), 'ü'.repeat(513), 'a\0', '\0', 'a\0b'];

test('an object key has 1 to 1,024 bytes, none of them 00', () => {
  for (const key of ['k', 'k'.repeat(1_024), 'ü'.repeat(512), '\u0001', '../..']) {
    assert.equal(isObjectKey(key), true);
    assert.equal(isObjectKey(Buffer.from(key)), true);
  }
  for (const key of impossible) {
    assert.equal(isObjectKey(key), false);
    assert.equal(isObjectKey(Buffer.from(key)), false);
    for (const make of [() => currentKey('b', key), () => noncurrentKey('b', key, 1), () => uploadKey('b', key, 0, Buffer.alloc(16))]) {
      assert.throws(make, (error) => error instanceof ObjectStoreError && error.code === 'invalid-key');
    }
  }
});

test('names that differ lie apart', () => {
  assert.notDeepEqual(bucketRecordKey('pail'), bucketRecordKey('p\u0161il'));
  assert.notDeepEqual(bucketPrefix('o/', 'pail'), bucketPrefix('o/', 'p\u0161il'));
  assert.notDeepEqual(currentKey('pail', 'k'), currentKey('p\u0161il', 'k'));
});

test('an impossible key is never found and never written', async () => {
  const { s3: { store }, call, put } = await openTestS3();
  await call('CreateBucket', { Bucket: 'pail' });
  await put('pail', 'a');
  const record = (await findVersion(store, 'pail', 'a'))?.record;
  assert.ok(record);
  for (const key of impossible) {
    assert.equal(await findVersion(store, 'pail', key), undefined);
    await assert.rejects(commitVersion(store, { bucket: 'pail', key, version: record }), (error) => error instanceof ObjectStoreError && error.code === 'invalid-key');
  }
});
