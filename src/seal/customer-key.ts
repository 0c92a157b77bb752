/**
 * SSE-C: what is kept of a customer's key, a salted check, and the key that wraps the object's data key.
 * Of the customer's key itself nothing is stored, nor its MD5.
 *
 *     check        = HMAC-SHA-256(customer key, lengthPrefixed("coffer/customer-key-check/1", salt))
 *     wrapping key = HKDF-SHA-512(IKM customer key, salt, info "coffer/customer-key-wrap/1"), 32 bytes
 *
 * Source: docs/formats/wrapped-key.md section 6.
 */
import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { equalSecrets, lengthPrefixed } from '../base/index.ts';
import type { Bytes } from '../base/index.ts';
import { SealError } from './errors.ts';
import { keySizeBytes } from './sizes.ts';

const checkLabel = 'coffer/customer-key-check/1';
const wrapLabel = 'coffer/customer-key-wrap/1';

/** 32 fresh random bytes, one draw for every object. */
export function newCustomerKeySalt(): Buffer {
  return randomBytes(32);
}

/** The 32 bytes stored to recognise the customer's key (32 bytes). Throws SealError `bad-key`. */
export function customerKeyCheck(customerKey: Bytes, salt: Bytes): Buffer {
  if (customerKey.byteLength !== keySizeBytes) throw new SealError('bad-key');
  return createHmac('sha256', customerKey).update(lengthPrefixed(checkLabel, salt)).digest();
}

/** Whether this is the key that the object was stored with, in constant time. Throws SealError `bad-key`. */
export function isCustomerKey(customerKey: Bytes, salt: Bytes, check: Bytes): boolean {
  return equalSecrets(customerKeyCheck(customerKey, salt), check);
}

/** The 32-byte key under which the data key is wrapped, with `dataKeyContext`. Throws SealError `bad-key`. */
export function customerWrappingKey(customerKey: Bytes, salt: Bytes): Buffer {
  if (customerKey.byteLength !== keySizeBytes) throw new SealError('bad-key');
  return Buffer.from(hkdfSync('sha512', customerKey, salt, wrapLabel, keySizeBytes));
}
