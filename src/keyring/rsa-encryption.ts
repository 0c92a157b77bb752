/**
 * Encryption under RSA keys: raw OAEP ciphertexts of the modulus' length, without key id, as anybody makes them
 * from the public key. Source: contract kms-iam-audit.md 2.8, 2.9; RFC 8017 section 7.1.
 */
import { constants, createPrivateKey, createPublicKey, privateDecrypt, publicEncrypt, type KeyObject } from 'node:crypto';
import type { EncryptionAlgorithmSpec } from '@aws-sdk/client-kms';
import { assert, type Bytes } from '../base/index.ts';
import { keyErrors } from './key-errors.ts';
import { specTraits } from './key-specs.ts';
import type { StoredKey } from './key-store.ts';

const oaep: Partial<Record<EncryptionAlgorithmSpec, { hash: string; hashSizeBytes: number }>> = {
  RSAES_OAEP_SHA_1: { hash: 'sha1', hashSizeBytes: 20 },
  RSAES_OAEP_SHA_256: { hash: 'sha256', hashSizeBytes: 32 },
};

/** Throws ServiceError ValidationException when the plaintext is too long. The algorithm fits the key. */
export function rsaEncrypt(key: StoredKey, algorithm: EncryptionAlgorithmSpec, plaintext: Bytes): Buffer {
  const sizeBytesMax = specTraits(key.spec)!.sizeBits! / 8 - 2 * hashOf(algorithm).hashSizeBytes - 2;
  if (plaintext.byteLength > sizeBytesMax) {
    throw keyErrors.validation(`Algorithm ${algorithm} and key spec ${key.spec} cannot encrypt data larger than ${sizeBytesMax} bytes.`);
  }
  return publicEncrypt(padding(publicKeyOf(key), algorithm), plaintext);
}

/** Throws ServiceError InvalidCiphertextException for whatever does not decrypt. `privateKey`: PKCS#8 DER. */
export function rsaDecrypt(privateKey: Buffer, algorithm: EncryptionAlgorithmSpec, ciphertext: Bytes): Buffer {
  const key = createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' });
  try {
    return privateDecrypt(padding(key, algorithm), ciphertext);
  } catch {
    throw keyErrors.invalidCiphertext();
  }
}

export function publicKeyOf(key: StoredKey): KeyObject {
  assert(key.publicKey !== undefined, 'an asymmetric key has a public key');
  return createPublicKey({ key: Buffer.from(key.publicKey, 'base64'), format: 'der', type: 'spki' });
}

function padding(key: KeyObject, algorithm: EncryptionAlgorithmSpec) {
  return { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hashOf(algorithm).hash };
}

function hashOf(algorithm: EncryptionAlgorithmSpec): { hash: string; hashSizeBytes: number } {
  const hash = oaep[algorithm];
  assert(hash !== undefined, 'an RSA encryption algorithm');
  return hash;
}
