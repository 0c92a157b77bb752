/**
 * Signatures of asymmetric keys by KMS algorithm name: which scheme, which hash, what a digest must look like.
 * Source: contract kms-iam-audit.md 2.15, KMS API Reference "Sign".
 */
import { constants, createHash, sign, verify, type KeyObject } from 'node:crypto';
import type { SigningAlgorithmSpec } from '@aws-sdk/client-kms';
import { assert } from '../base/index.ts';
import { ecdsaSignDigest, ecdsaVerifyDigest, type CurveName } from './ecdsa-digest.ts';
import { keyErrors } from './key-errors.ts';
import { specTraits } from './key-specs.ts';
import type { StoredKey } from './key-store.ts';
import { rsaSignDigest, rsaVerifyDigest, type HashName, type RsaScheme } from './rsa-signature.ts';

/** EXTERNAL_MU is for ML-DSA keys, which do not exist here. */
export type MessageType = 'RAW' | 'DIGEST' | 'EXTERNAL_MU';

type Algorithm =
  | { family: 'rsa'; scheme: RsaScheme; hash: HashName }
  | { family: 'ecdsa'; hash: HashName }
  | { family: 'ed25519' };

const algorithms: Partial<Record<SigningAlgorithmSpec, Algorithm>> = {
  RSASSA_PKCS1_V1_5_SHA_256: { family: 'rsa', scheme: 'pkcs1', hash: 'sha256' },
  RSASSA_PKCS1_V1_5_SHA_384: { family: 'rsa', scheme: 'pkcs1', hash: 'sha384' },
  RSASSA_PKCS1_V1_5_SHA_512: { family: 'rsa', scheme: 'pkcs1', hash: 'sha512' },
  RSASSA_PSS_SHA_256: { family: 'rsa', scheme: 'pss', hash: 'sha256' },
  RSASSA_PSS_SHA_384: { family: 'rsa', scheme: 'pss', hash: 'sha384' },
  RSASSA_PSS_SHA_512: { family: 'rsa', scheme: 'pss', hash: 'sha512' },
  ECDSA_SHA_256: { family: 'ecdsa', hash: 'sha256' },
  ECDSA_SHA_384: { family: 'ecdsa', hash: 'sha384' },
  ECDSA_SHA_512: { family: 'ecdsa', hash: 'sha512' },
  ED25519_SHA_512: { family: 'ed25519' },
};

/**
 * Whether the message can be signed or verified so. The algorithm is one of the key's.
 * Throws ServiceError ValidationException, UnsupportedOperationException.
 */
export function checkMessage(key: StoredKey, algorithm: SigningAlgorithmSpec, message: Buffer, type: MessageType): void {
  if (type === 'EXTERNAL_MU') throw keyErrors.validation(`Message type EXTERNAL_MU is incompatible with key spec ${key.spec}.`);
  if (algorithm === 'ED25519_PH_SHA_512') throw keyErrors.unsupported('Signing algorithm ED25519_PH_SHA_512 is not supported.');
  const traits = traitsOf(algorithm);
  if (type !== 'DIGEST') return;
  if (traits.family === 'ed25519') throw keyErrors.validation(`Algorithm ${algorithm} requires message type RAW.`);
  if (message.byteLength !== digestSize(traits.hash)) throw keyErrors.validation(`Digest is invalid length for algorithm ${algorithm}.`);
}

/** `checkMessage` has passed. */
export function signMessage(key: StoredKey, privateKey: KeyObject, algorithm: SigningAlgorithmSpec, message: Buffer, type: MessageType): Buffer {
  const traits = traitsOf(algorithm);
  if (traits.family === 'ed25519') return sign(null, message, privateKey);
  if (type === 'RAW') return sign(traits.hash, message, { key: privateKey, ...options(traits) });
  return traits.family === 'rsa'
    ? rsaSignDigest(privateKey, traits.scheme, traits.hash, message)
    : ecdsaSignDigest(curveOf(key), privateKey, message);
}

/** `checkMessage` has passed. */
export function verifyMessage(
  key: StoredKey, publicKey: KeyObject, algorithm: SigningAlgorithmSpec, message: Buffer, type: MessageType, signature: Buffer,
): boolean {
  const traits = traitsOf(algorithm);
  if (traits.family === 'ed25519') return verify(null, message, publicKey, signature);
  if (type === 'RAW') return verify(traits.hash, message, { key: publicKey, ...options(traits) }, signature);
  return traits.family === 'rsa'
    ? rsaVerifyDigest(publicKey, traits.scheme, traits.hash, message, signature)
    : ecdsaVerifyDigest(curveOf(key), publicKey, message, signature);
}

function traitsOf(algorithm: SigningAlgorithmSpec): Algorithm {
  const traits = algorithms[algorithm];
  assert(traits !== undefined, `a signing algorithm of ours: ${algorithm}`);
  return traits;
}

function options(algorithm: Exclude<Algorithm, { family: 'ed25519' }>): { padding?: number; saltLength?: number } {
  if (algorithm.family === 'ecdsa') return {};
  if (algorithm.scheme === 'pkcs1') return { padding: constants.RSA_PKCS1_PADDING };
  return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: digestSize(algorithm.hash) };
}

function digestSize(hash: HashName): number {
  return createHash(hash).digest().byteLength;
}

function curveOf(key: StoredKey): CurveName {
  return specTraits(key.spec)!.curve as CurveName;
}
