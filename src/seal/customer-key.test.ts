/** SSE-C keys: recognised, never kept. Source: docs/formats/wrapped-key.md section 6. */
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { customerKeyCheck, customerWrappingKey, isCustomerKey, newCustomerKeySalt } from './customer-key.ts';

const key = randomBytes(32);
const salt = newCustomerKeySalt();
const check = customerKeyCheck(key, salt);

describe('customer keys', () => {
  test('the key is recognised, and no other', () => {
    assert.ok(isCustomerKey(key, salt, check));
    for (let bit = 0; bit < 256; bit++) {
      const other = Buffer.from(key);
      other[bit >> 3]! ^= 1 << (bit & 7);
      assert.equal(isCustomerKey(other, salt, check), false);
      assert.notDeepEqual(customerWrappingKey(other, salt), customerWrappingKey(key, salt));
    }
    assert.equal(isCustomerKey(key, newCustomerKeySalt(), check), false);
    assert.equal(isCustomerKey(key, salt, check.subarray(0, 31)), false);
    assert.equal(isCustomerKey(key, salt, Buffer.alloc(0)), false);
  });

  test('one key has another check and another wrapping key for every object', () => {
    const salts = Array.from({ length: 100 }, newCustomerKeySalt);
    assert.equal(new Set(salts.map((each) => customerKeyCheck(key, each).toString('hex'))).size, 100);
    assert.equal(new Set(salts.map((each) => customerWrappingKey(key, each).toString('hex'))).size, 100);
  });

  test('the stored check says nothing of the wrapping key', () => {
    assert.equal(check.length, 32);
    assert.equal(customerWrappingKey(key, salt).length, 32);
    assert.notDeepEqual(check, customerWrappingKey(key, salt));
  });

  test('the wrapping key is HKDF, Extract and Expand, in one block', () => {
    const prk = createHmac('sha512', salt).update(key).digest();
    const expected = createHmac('sha512', prk).update('coffer/customer-key-wrap/1\x01').digest().subarray(0, 32);
    assert.deepEqual(customerWrappingKey(key, salt), expected);
  });

  test('a customer’s key has 32 bytes', () => {
    for (const size of [0, 16, 31, 33]) {
      assert.throws(() => customerKeyCheck(randomBytes(size), salt), { code: 'bad-key' });
      assert.throws(() => isCustomerKey(randomBytes(size), salt, check), { code: 'bad-key' });
      assert.throws(() => customerWrappingKey(randomBytes(size), salt), { code: 'bad-key' });
    }
  });
});
