/**
 * Keys and MACs of Signature Version 4: HMAC-SHA-256, the key derivation, and a bounded cache of derived keys.
 * Source: contract kms-iam-audit 5.1; RFC 2104.
 */
import { createHmac, hash, timingSafeEqual } from 'node:crypto';

const BLOCK_SIZE_BYTES = 64;
const DIGEST_SIZE_BYTES = 32;
const MESSAGE_SIZE_BYTES_MAX = 1024;

/**
 * A signing key as its two padded HMAC blocks.
 * Two one-shot hashes over prepared blocks take less than half the time of createHmac, on every request.
 */
export interface SigningKey {
  readonly inner: Buffer;
  readonly outer: Buffer;
}

const innerScratch = Buffer.alloc(BLOCK_SIZE_BYTES + MESSAGE_SIZE_BYTES_MAX);
const outerScratch = Buffer.alloc(BLOCK_SIZE_BYTES + DIGEST_SIZE_BYTES);

/** Hex HMAC-SHA-256 of a text whose chars are bytes. */
export function sign(key: SigningKey, text: string): string {
  if (text.length > MESSAGE_SIZE_BYTES_MAX) return signLong(key, text);
  key.inner.copy(innerScratch);
  const length = BLOCK_SIZE_BYTES + innerScratch.write(text, BLOCK_SIZE_BYTES, 'latin1');
  key.outer.copy(outerScratch);
  outerScratch.write(hash('sha256', innerScratch.subarray(0, length), 'hex'), BLOCK_SIZE_BYTES, 'hex');
  return hash('sha256', outerScratch, 'hex');
}

function signLong(key: SigningKey, text: string): string {
  const inner = hash('sha256', Buffer.concat([key.inner, Buffer.from(text, 'latin1')]), 'buffer');
  return hash('sha256', Buffer.concat([key.outer, inner]), 'hex');
}

const expectedScratch = Buffer.alloc(64);
const providedScratch = Buffer.alloc(64);

/** Whether two hex signatures are the same, in time that does not depend on where they differ. */
export function sameSignature(expected: string, provided: string): boolean {
  if (expected.length !== 64 || provided.length !== 64) return false;
  expectedScratch.write(expected, 'latin1');
  providedScratch.write(provided, 'latin1');
  return timingSafeEqual(expectedScratch, providedScratch);
}

/** Whether two texts are the same, in time that depends on their lengths only. */
export function sameSecret(a: string, b: string): boolean {
  const left = Buffer.from(a, 'utf8');
  const right = Buffer.from(b, 'utf8');
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}

/** The key that signs in one day, region and service. */
export function deriveSigningKey(secretAccessKey: string, date: string, region: string, service: string): SigningKey {
  const dateKey = createHmac('sha256', `AWS4${secretAccessKey}`).update(date).digest();
  const regionKey = createHmac('sha256', dateKey).update(region).digest();
  const serviceKey = createHmac('sha256', regionKey).update(service).digest();
  const key = createHmac('sha256', serviceKey).update('aws4_request').digest();
  const inner = Buffer.alloc(BLOCK_SIZE_BYTES, 0x36);
  const outer = Buffer.alloc(BLOCK_SIZE_BYTES, 0x5c);
  for (let index = 0; index < key.byteLength; index++) {
    inner[index]! ^= key[index]!;
    outer[index]! ^= key[index]!;
  }
  return { inner, outer };
}

/** Derived keys by access key and scope. Only keys that verified a request are kept, so nobody else can fill it. */
export class SigningKeyCache {
  readonly #keys = new Map<string, { secretAccessKey: string; key: SigningKey }>();
  readonly #countMax: number;

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  get size(): number {
    return this.#keys.size;
  }

  get(credential: string, secretAccessKey: string): SigningKey | undefined {
    const entry = this.#keys.get(credential);
    // An access key id can get another secret (root credentials set anew): the old key must not go on verifying.
    return entry !== undefined && entry.secretAccessKey === secretAccessKey ? entry.key : undefined;
  }

  keep(credential: string, secretAccessKey: string, key: SigningKey): void {
    if (this.#keys.size >= this.#countMax && !this.#keys.has(credential)) {
      for (const oldest of this.#keys.keys()) {
        this.#keys.delete(oldest);
        break;
      }
    }
    this.#keys.set(credential, { secretAccessKey, key });
  }
}
