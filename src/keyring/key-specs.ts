/**
 * What keys there are: specs, usages and algorithms, and how the material of each is made.
 * Source: contract kms-iam-audit.md 2.3 (orders as AWS lists them).
 */
import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type {
  EncryptionAlgorithmSpec, KeyAgreementAlgorithmSpec, KeySpec, KeyUsageType, MacAlgorithmSpec, SigningAlgorithmSpec,
} from '@aws-sdk/client-kms';

export interface KeyAlgorithms {
  EncryptionAlgorithms?: EncryptionAlgorithmSpec[];
  SigningAlgorithms?: SigningAlgorithmSpec[];
  MacAlgorithms?: MacAlgorithmSpec[];
  KeyAgreementAlgorithms?: KeyAgreementAlgorithmSpec[];
}

type SpecFamily = 'symmetric' | 'rsa' | 'ec' | 'ed25519' | 'hmac';

interface SpecTraits {
  family: SpecFamily;
  /** By usage; the usages that are absent are not compatible with the spec. */
  usages: Partial<Record<KeyUsageType, KeyAlgorithms>>;
  /** RSA: modulus; HMAC and symmetric: key. */
  sizeBits?: number;
  /** OpenSSL's name. */
  curve?: string;
}

const rsaUsages: SpecTraits['usages'] = {
  ENCRYPT_DECRYPT: { EncryptionAlgorithms: ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'] },
  SIGN_VERIFY: {
    SigningAlgorithms: [
      'RSASSA_PKCS1_V1_5_SHA_256', 'RSASSA_PKCS1_V1_5_SHA_384', 'RSASSA_PKCS1_V1_5_SHA_512',
      'RSASSA_PSS_SHA_256', 'RSASSA_PSS_SHA_384', 'RSASSA_PSS_SHA_512',
    ],
  },
};

function nistCurve(curve: string, algorithm: SigningAlgorithmSpec): SpecTraits {
  return {
    family: 'ec',
    curve,
    usages: { SIGN_VERIFY: { SigningAlgorithms: [algorithm] }, KEY_AGREEMENT: { KeyAgreementAlgorithms: ['ECDH'] } },
  };
}

function hmac(sizeBits: number, algorithm: MacAlgorithmSpec): SpecTraits {
  return { family: 'hmac', sizeBits, usages: { GENERATE_VERIFY_MAC: { MacAlgorithms: [algorithm] } } };
}

const specs: Partial<Record<KeySpec, SpecTraits>> = {
  SYMMETRIC_DEFAULT: {
    family: 'symmetric', sizeBits: 256, usages: { ENCRYPT_DECRYPT: { EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'] } },
  },
  RSA_2048: { family: 'rsa', sizeBits: 2048, usages: rsaUsages },
  RSA_3072: { family: 'rsa', sizeBits: 3072, usages: rsaUsages },
  RSA_4096: { family: 'rsa', sizeBits: 4096, usages: rsaUsages },
  ECC_NIST_P256: nistCurve('prime256v1', 'ECDSA_SHA_256'),
  ECC_NIST_P384: nistCurve('secp384r1', 'ECDSA_SHA_384'),
  ECC_NIST_P521: nistCurve('secp521r1', 'ECDSA_SHA_512'),
  ECC_SECG_P256K1: { family: 'ec', curve: 'secp256k1', usages: { SIGN_VERIFY: { SigningAlgorithms: ['ECDSA_SHA_256'] } } },
  ECC_NIST_EDWARDS25519: {
    family: 'ed25519', usages: { SIGN_VERIFY: { SigningAlgorithms: ['ED25519_PH_SHA_512', 'ED25519_SHA_512'] } },
  },
  HMAC_224: hmac(224, 'HMAC_SHA_224'),
  HMAC_256: hmac(256, 'HMAC_SHA_256'),
  HMAC_384: hmac(384, 'HMAC_SHA_384'),
  HMAC_512: hmac(512, 'HMAC_SHA_512'),
};

/** Undefined for specs that this program cannot make, such as SM2. */
export function specTraits(spec: KeySpec): SpecTraits | undefined {
  return Object.hasOwn(specs, spec) ? specs[spec] : undefined;
}

/** The algorithm lists of KeyMetadata; undefined when the usage does not fit the spec. */
export function algorithmsOf(spec: KeySpec, usage: KeyUsageType): KeyAlgorithms | undefined {
  return specTraits(spec)?.usages[usage];
}

export interface NewMaterial {
  /** 32 bytes (symmetric), a MAC key, or a PKCS#8 DER private key. The caller wipes it. */
  secret: Buffer;
  /** SubjectPublicKeyInfo DER, of asymmetric keys. */
  publicKey?: Buffer;
}

const generatePair = promisify(generateKeyPair);
const pairEncoding = { publicKeyEncoding: { type: 'spki', format: 'der' }, privateKeyEncoding: { type: 'pkcs8', format: 'der' } } as const;

/** Settles when the last RSA key asked for is made. */
let makingRsa: Promise<unknown> = Promise.resolve();

/** The thread pool also serves files: callers who want many RSA keys must not take all of it. */
function oneAtATime<T>(make: () => Promise<T>): Promise<T> {
  const made = makingRsa.then(make, make);
  makingRsa = made;
  return made;
}

/** Fresh key material. RSA takes up to seconds, in the thread pool. The spec must be one that `specTraits` knows. */
export async function generateMaterial(spec: KeySpec, draw: (sizeBytes: number) => Buffer = randomBytes): Promise<NewMaterial> {
  const traits = specTraits(spec);
  if (traits === undefined) throw new Error(`no key material of spec ${spec} can be made`);
  switch (traits.family) {
    case 'symmetric':
    case 'hmac':
      return { secret: draw(traits.sizeBits! / 8) };
    case 'rsa': {
      const pair = await oneAtATime(() => generatePair('rsa', { modulusLength: traits.sizeBits!, publicExponent: 65537, ...pairEncoding }));
      return { secret: pair.privateKey, publicKey: pair.publicKey };
    }
    case 'ec': {
      const pair = await generatePair('ec', { namedCurve: traits.curve!, ...pairEncoding });
      return { secret: pair.privateKey, publicKey: pair.publicKey };
    }
    case 'ed25519': {
      const pair = await generatePair('ed25519', pairEncoding);
      return { secret: pair.privateKey, publicKey: pair.publicKey };
    }
  }
}
