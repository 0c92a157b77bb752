/**
 * Whether a key is of the right kind for an operation: usage, spec, algorithm. Asked after the key's state.
 * Source: contract kms-iam-audit.md 1.3, 2.7 to 2.9, 2.15; s3-encryption.md E35.
 */
import type { EncryptionAlgorithmSpec, KeyUsageType } from '@aws-sdk/client-kms';
import type { EncryptionContext } from './key-access.ts';
import { keyErrors } from './key-errors.ts';
import { algorithmsOf, specTraits } from './key-specs.ts';
import type { StoredKey } from './key-store.ts';

export interface EncryptionOptions {
  encryptionContext?: EncryptionContext | undefined;
  /** SYMMETRIC_DEFAULT when absent. */
  algorithm?: EncryptionAlgorithmSpec | undefined;
}

/** Throws ServiceError InvalidKeyUsageException. */
export function requireUsage(key: StoredKey, usage: KeyUsageType, operation: string): void {
  if (key.usage !== usage) throw keyErrors.usageNotValid(key.arn, key.usage, operation);
}

/** For Encrypt, Decrypt and ReEncrypt. Throws ServiceError InvalidKeyUsageException, ValidationException. */
export function checkEncryption(key: StoredKey, operation: string, { encryptionContext, algorithm = 'SYMMETRIC_DEFAULT' }: EncryptionOptions): void {
  requireUsage(key, 'ENCRYPT_DECRYPT', operation);
  if (!algorithmsOf(key.spec, key.usage)?.EncryptionAlgorithms?.includes(algorithm)) throw keyErrors.algorithmNotValid(algorithm, key.spec);
  if (key.spec !== 'SYMMETRIC_DEFAULT' && encryptionContext !== undefined && Object.keys(encryptionContext).length > 0) {
    throw keyErrors.validation('EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs.');
  }
}

/** For the data key operations, which only symmetric keys can do. Throws ServiceError InvalidKeyUsageException. */
export function requireDataKeyUsage(key: StoredKey, operation: string): void {
  if (key.spec === 'SYMMETRIC_DEFAULT') return;
  if (specTraits(key.spec)?.family === 'hmac') throw keyErrors.usageNotValid(key.arn, key.usage, operation);
  throw keyErrors.noDataKeyFromAsymmetric();
}
