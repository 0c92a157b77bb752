/**
 * What asymmetric and HMAC keys do for a caller: public keys, signatures, MACs, shared secrets; and data key pairs
 * under symmetric keys. The same gate, state check and record as everywhere.
 *
 * Source: contract kms-iam-audit.md 2.15.
 */
import { createHmac, createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto';
import type { DataKeyPairSpec, KeyMetadata, MacAlgorithmSpec, SigningAlgorithmSpec } from '@aws-sdk/client-kms';
import type { Authorized, Caller } from '../audit/index.ts';
import { asBuffer, assert, equalSecrets, wipe, type Bytes } from '../base/index.ts';
import type { EncryptionContext, UseFacts } from './key-access.ts';
import { keyErrors } from './key-errors.ts';
import { keyMetadata } from './key-metadata.ts';
import { currentMaterialId, type KeyService } from './key-service.ts';
import { algorithmsOf, generateMaterial } from './key-specs.ts';
import type { StoredKey } from './key-store.ts';
import { requireDataKeyUsage, requireUsage } from './key-usage.ts';
import { publicKeyOf } from './rsa-encryption.ts';
import { checkMessage, signMessage, verifyMessage, type MessageType } from './signing.ts';

export interface MessageToSign {
  message: Bytes;
  type: MessageType;
  algorithm: SigningAlgorithmSpec;
  dryRun?: boolean | undefined;
}

/** SubjectPublicKeyInfo DER. Throws ServiceError UnsupportedOperationException for keys that have no public part. */
export async function getPublicKey(keys: KeyService, caller: Caller, keyRef: string): Promise<{ publicKey: Buffer; metadata: KeyMetadata }> {
  const facts: UseFacts = {};
  return keys.access.recorded(caller, 'GetPublicKey', facts, async () => {
    const { input: key } = await keys.access.open(caller, keyRef, 'GetPublicKey', facts);
    if (key.publicKey === undefined) throw keyErrors.unsupported();
    return { publicKey: Buffer.from(key.publicKey, 'base64'), metadata: keyMetadata(key) };
  });
}

export async function sign(keys: KeyService, caller: Caller, keyRef: string, wanted: MessageToSign): Promise<{ signature: Buffer; keyArn: string }> {
  const facts: UseFacts = {};
  return keys.access.recorded(caller, 'Sign', facts, async () => {
    const proof = await openSigningKey(keys, caller, keyRef, 'Sign', wanted, facts);
    if (wanted.dryRun) throw keyErrors.dryRun();
    const { algorithm, type } = wanted;
    const signature = await withPrivateKey(keys, proof, (privateKey) => signMessage(proof.input, privateKey, algorithm, asBuffer(wanted.message), type));
    return { signature, keyArn: proof.input.arn };
  });
}

/** Throws ServiceError KMSInvalidSignatureException for a signature that is not one; never answers false. */
export async function verify(keys: KeyService, caller: Caller, keyRef: string, wanted: MessageToSign, signature: Bytes): Promise<{ keyArn: string }> {
  const facts: UseFacts = {};
  return keys.access.recorded(caller, 'Verify', facts, async () => {
    const { input: key } = await openSigningKey(keys, caller, keyRef, 'Verify', wanted, facts);
    const { algorithm, type } = wanted;
    if (!verifyMessage(key, publicKeyOf(key), algorithm, asBuffer(wanted.message), type, asBuffer(signature))) throw keyErrors.invalidSignature();
    if (wanted.dryRun) throw keyErrors.dryRun();
    return { keyArn: key.arn };
  });
}

export async function generateMac(
  keys: KeyService, caller: Caller, keyRef: string, message: Bytes, algorithm: MacAlgorithmSpec, options: { dryRun?: boolean | undefined },
): Promise<{ mac: Buffer; keyArn: string }> {
  const facts: UseFacts = {};
  return keys.access.recorded(caller, 'GenerateMac', facts, async () => {
    const proof = await openMacKey(keys, caller, keyRef, 'GenerateMac', algorithm, facts);
    if (options.dryRun) throw keyErrors.dryRun();
    return { mac: await macOf(keys, proof, message, algorithm), keyArn: proof.input.arn };
  });
}

/** Throws ServiceError KMSInvalidMacException for a MAC that is not one, a shortened one included. */
export async function verifyMac(
  keys: KeyService, caller: Caller, keyRef: string, message: Bytes, algorithm: MacAlgorithmSpec, mac: Bytes, options: { dryRun?: boolean | undefined },
): Promise<{ keyArn: string }> {
  const facts: UseFacts = {};
  return keys.access.recorded(caller, 'VerifyMac', facts, async () => {
    const proof = await openMacKey(keys, caller, keyRef, 'VerifyMac', algorithm, facts);
    if (!equalSecrets(await macOf(keys, proof, message, algorithm), mac)) throw keyErrors.invalidMac();
    if (options.dryRun) throw keyErrors.dryRun();
    return { keyArn: proof.input.arn };
  });
}

/** The raw X coordinate, owned by the caller. Throws ServiceError ValidationException, without text, for a key that does not fit. */
export async function deriveSharedSecret(
  keys: KeyService, caller: Caller, keyRef: string, publicKey: Bytes, options: { dryRun?: boolean | undefined },
): Promise<{ secret: Buffer; keyArn: string }> {
  const facts: UseFacts = {};
  return keys.access.recorded(caller, 'DeriveSharedSecret', facts, async () => {
    const proof = await keys.access.open(caller, keyRef, 'DeriveSharedSecret', facts);
    requireUsage(proof.input, 'KEY_AGREEMENT', 'DeriveSharedSecret');
    const other = peerKey(publicKey, publicKeyOf(proof.input));
    const secret = await withPrivateKey(keys, proof, (privateKey) => diffieHellman({ privateKey, publicKey: other }));
    if (options.dryRun) {
      wipe(secret);
      throw keyErrors.dryRun();
    }
    return { secret, keyArn: proof.input.arn };
  });
}

export interface DataKeyPair {
  /** PKCS#8 DER, owned by the caller; empty when it was not asked for. */
  privateKey: Buffer;
  privateKeyBlob: Buffer;
  /** SubjectPublicKeyInfo DER. */
  publicKey: Buffer;
  keyArn: string;
  materialId: string;
}

/** A fresh key pair whose private key is sealed under a symmetric key. The spec is one that `specTraits` knows. */
export async function generateDataKeyPair(
  keys: KeyService, caller: Caller, keyRef: string,
  options: { spec: DataKeyPairSpec; encryptionContext?: EncryptionContext | undefined; withPlaintext: boolean; dryRun?: boolean | undefined },
): Promise<DataKeyPair> {
  const operation = options.withPlaintext ? 'GenerateDataKeyPair' : 'GenerateDataKeyPairWithoutPlaintext';
  const facts: UseFacts = { encryptionContext: options.encryptionContext };
  return keys.access.recorded(caller, operation, facts, async () => {
    const proof = await keys.access.open(caller, keyRef, operation, facts);
    requireDataKeyUsage(proof.input, operation);
    if (options.dryRun) throw keyErrors.dryRun();
    const { secret, publicKey } = await generateMaterial(options.spec);
    assert(publicKey !== undefined, 'a data key pair has a public key');
    const { blob, materialId } = await keys.seal(proof, options.encryptionContext ?? {}, secret, facts);
    if (!options.withPlaintext) wipe(secret);
    return { privateKey: options.withPlaintext ? secret : Buffer.alloc(0), privateKeyBlob: blob, publicKey, keyArn: proof.input.arn, materialId };
  });
}

async function openSigningKey(
  keys: KeyService, caller: Caller, keyRef: string, operation: 'Sign' | 'Verify', { message, type, algorithm }: MessageToSign, facts: UseFacts,
): Promise<Authorized<StoredKey>> {
  const proof = await keys.access.open(caller, keyRef, operation, facts);
  const { input: key } = proof;
  requireUsage(key, 'SIGN_VERIFY', operation);
  if (!algorithmsOf(key.spec, key.usage)?.SigningAlgorithms?.includes(algorithm)) throw keyErrors.algorithmNotValid(algorithm, key.spec);
  checkMessage(key, algorithm, asBuffer(message), type);
  return proof;
}

async function openMacKey(
  keys: KeyService, caller: Caller, keyRef: string, operation: 'GenerateMac' | 'VerifyMac', algorithm: MacAlgorithmSpec, facts: UseFacts,
): Promise<Authorized<StoredKey>> {
  const proof = await keys.access.open(caller, keyRef, operation, facts);
  const { input: key } = proof;
  requireUsage(key, 'GENERATE_VERIFY_MAC', operation);
  if (!algorithmsOf(key.spec, key.usage)?.MacAlgorithms?.includes(algorithm)) throw keyErrors.algorithmNotValid(algorithm, key.spec);
  return proof;
}

/** The KeyObject has its own copy of the material, which outlives the loan. */
async function withPrivateKey<T>(keys: KeyService, proof: Authorized<StoredKey>, act: (privateKey: KeyObject) => T): Promise<T> {
  const result = await keys.vault.use(proof, currentMaterialId(proof.input), (secret) => ({
    value: act(createPrivateKey({ key: secret, format: 'der', type: 'pkcs8' })),
  }));
  if (result === undefined) throw keyErrors.keyNotFound(proof.input.arn);
  return result.value;
}

async function macOf(keys: KeyService, proof: Authorized<StoredKey>, message: Bytes, algorithm: MacAlgorithmSpec): Promise<Buffer> {
  const hash = `sha${algorithm.slice('HMAC_SHA_'.length)}`;
  const mac = await keys.vault.use(proof, currentMaterialId(proof.input), (secret) => createHmac(hash, secret).update(message).digest());
  if (mac === undefined) throw keyErrors.keyNotFound(proof.input.arn);
  return mac;
}

/** OpenSSL refuses points beside their curve; the curve itself must be that of our key. */
function peerKey(publicKey: Bytes, ours: KeyObject): KeyObject {
  let other: KeyObject;
  try {
    other = createPublicKey({ key: asBuffer(publicKey), format: 'der', type: 'spki' });
  } catch {
    throw keyErrors.validationWithoutText();
  }
  if (other.asymmetricKeyType !== 'ec' || other.asymmetricKeyDetails?.namedCurve !== ours.asymmetricKeyDetails?.namedCurve) {
    throw keyErrors.validationWithoutText();
  }
  return other;
}
