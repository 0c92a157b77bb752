/**
 * RSA signatures over a digest that the caller made: EMSA-PKCS1-v1_5 and EMSA-PSS, with OpenSSL doing the RSA.
 * (node:crypto itself signs messages only, and hashes them.) The salt of PSS is as long as the digest.
 *
 * Source: RFC 8017 sections 8.1, 8.2, 9.1, 9.2; contract kms-iam-audit.md 2.15.
 */
import { constants, createHash, privateEncrypt, publicDecrypt, randomBytes, type KeyObject } from 'node:crypto';
import { equalSecrets, uint32 } from '../base/index.ts';

export type HashName = 'sha256' | 'sha384' | 'sha512';
export type RsaScheme = 'pkcs1' | 'pss';

/** DER of DigestInfo up to the digest. Source: RFC 8017 section 9.2, note 1. */
const digestInfoPrefix: Record<HashName, Buffer> = {
  sha256: Buffer.from('3031300d060960864801650304020105000420', 'hex'),
  sha384: Buffer.from('3041300d060960864801650304020205000430', 'hex'),
  sha512: Buffer.from('3051300d060960864801650304020305000440', 'hex'),
};
const zeros = Buffer.alloc(8);
const pssTrailer = 0xbc;

/** `digest` has the length of the hash. */
export function rsaSignDigest(privateKey: KeyObject, scheme: RsaScheme, hash: HashName, digest: Buffer): Buffer {
  const modulusBits = modulusBitsOf(privateKey);
  const encoded = scheme === 'pkcs1' ? encodePkcs1(modulusBits, hash, digest) : encodePss(modulusBits, hash, digest, randomBytes(digest.byteLength));
  return privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, encoded);
}

export function rsaVerifyDigest(publicKey: KeyObject, scheme: RsaScheme, hash: HashName, digest: Buffer, signature: Buffer): boolean {
  const modulusBits = modulusBitsOf(publicKey);
  if (signature.byteLength !== Math.ceil(modulusBits / 8)) return false;
  let encoded: Buffer;
  try {
    encoded = publicDecrypt({ key: publicKey, padding: constants.RSA_NO_PADDING }, signature);
  } catch {
    // A number that is not below the modulus is no signature.
    return false;
  }
  if (scheme === 'pkcs1') return equalSecrets(encoded, encodePkcs1(modulusBits, hash, digest));
  return isPssOf(encoded, modulusBits, hash, digest);
}

/** 00 01 ff..ff 00 DigestInfo, as long as the modulus. */
function encodePkcs1(modulusBits: number, hash: HashName, digest: Buffer): Buffer {
  const info = Buffer.concat([digestInfoPrefix[hash], digest]);
  const encoded = Buffer.alloc(Math.ceil(modulusBits / 8), 0xff);
  encoded[0] = 0;
  encoded[1] = 1;
  encoded[encoded.byteLength - info.byteLength - 1] = 0;
  encoded.set(info, encoded.byteLength - info.byteLength);
  return encoded;
}

/** masked(00..00 01 salt) | H(00*8 | digest | salt) | bc. Our moduli have whole bytes, so the top bit alone is cleared. */
function encodePss(modulusBits: number, hash: HashName, digest: Buffer, salt: Buffer): Buffer {
  const size = Math.ceil(modulusBits / 8);
  const digestSize = digest.byteLength;
  const seed = pssHash(hash, digest, salt);
  const block = Buffer.alloc(size - digestSize - 1);
  block[block.byteLength - salt.byteLength - 1] = 1;
  block.set(salt, block.byteLength - salt.byteLength);
  return Buffer.concat([masked(block, hash, seed), seed, Buffer.of(pssTrailer)]);
}

function isPssOf(encoded: Buffer, modulusBits: number, hash: HashName, digest: Buffer): boolean {
  const size = Math.ceil(modulusBits / 8);
  const blockSize = size - digest.byteLength - 1;
  if (encoded.byteLength !== size || encoded[size - 1] !== pssTrailer || (encoded[0]! & 0x80) !== 0) return false;
  const seed = encoded.subarray(blockSize, size - 1);
  const block = masked(encoded.subarray(0, blockSize), hash, seed);
  const saltAt = blockSize - digest.byteLength;
  for (let index = 0; index < saltAt - 1; index++) {
    if (block[index] !== 0) return false;
  }
  return block[saltAt - 1] === 1 && equalSecrets(pssHash(hash, digest, block.subarray(saltAt)), seed);
}

function pssHash(hash: HashName, digest: Buffer, salt: Buffer): Buffer {
  return createHash(hash).update(zeros).update(digest).update(salt).digest();
}

/** XOR with MGF1 of the seed; the top bit is cleared either way. */
function masked(block: Buffer, hash: HashName, seed: Buffer): Buffer {
  const result = Buffer.from(block);
  for (let offset = 0, counter = 0; offset < result.byteLength; counter++) {
    const mask = createHash(hash).update(seed).update(uint32(counter)).digest();
    for (const byte of mask.subarray(0, result.byteLength - offset)) result[offset++]! ^= byte;
  }
  result[0]! &= 0x7f;
  return result;
}

function modulusBitsOf(key: KeyObject): number {
  return key.asymmetricKeyDetails!.modulusLength!;
}
