/**
 * The keys of one sealed message and the sealing of its single chunks: Cobblestone-256.
 * Internal to this room, since a caller who may choose the salt can repeat a nonce: others use cobblestone.ts.
 *
 *     key (32) | base nonce (12) | commitment (32) =
 *       HKDF-Expand-SHA-512(input key, "c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM" | 0x00 | salt (24) | context)
 *     nonce of chunk i = base nonce XOR i, big-endian
 *
 * Source: https://c2sp.org/chunked-encryption, docs/formats/sealed-object.md sections 2 and 4.
 */
import { createCipheriv, createDecipheriv, createHmac, randomFillSync } from 'node:crypto';
import { assert, equalSecrets, wipe } from '../base/index.ts';
import type { Bytes } from '../base/index.ts';
import { SealError } from './errors.ts';
import {
  chunkCountMax, chunkSizeBytes, headerSizeBytes, keySizeBytes, saltSizeBytes, sealedChunkSizeBytes, tagSizeBytes,
} from './sizes.ts';

const cipherName = 'aes-256-gcm';
const cipherOptions = { authTagLength: tagSizeBytes } as const;
const infoPrefix = Buffer.from('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0', 'latin1');
const nonceSizeBytes = 12;

const saltPool = Buffer.alloc(saltSizeBytes * 128);
let saltPoolUsedBytes = saltPool.length;

/** 24 fresh random bytes. Drawn 128 at a time: a draw costs the same for one as for all. */
export function freshSalt(): Buffer {
  if (saltPoolUsedBytes === saltPool.length) {
    randomFillSync(saltPool);
    saltPoolUsedBytes = 0;
  }
  const start = saltPoolUsedBytes;
  saltPoolUsedBytes += saltSizeBytes;
  return saltPool.subarray(start, saltPoolUsedBytes);
}

/** One message under one salt. Its key lies in this object only, until `wipe`. */
export class Message {
  #key: Buffer | undefined;
  readonly #nonce: Buffer;
  readonly #nonceHigh: number;
  readonly #nonceLow: number;
  /** Salt (24), then commitment (32). */
  readonly header: Buffer;

  /** Throws SealError `bad-key` when the key has not 32 bytes. */
  constructor(inputKey: Bytes, salt: Bytes, context: Bytes) {
    if (inputKey.byteLength !== keySizeBytes) throw new SealError('bad-key');
    assert(salt.byteLength === saltSizeBytes, 'a salt has 24 bytes');
    // T(1) = HMAC(info | 1) and T(2) = HMAC(T(1) | info | 2) are laid out in one buffer and hashed in place.
    const blockSizeBytes = 64;
    const block = Buffer.allocUnsafe(blockSizeBytes + infoPrefix.length + saltSizeBytes + context.byteLength + 1);
    block.set(infoPrefix, blockSizeBytes);
    block.set(salt, blockSizeBytes + infoPrefix.length);
    block.set(context, blockSizeBytes + infoPrefix.length + saltSizeBytes);
    block[block.length - 1] = 1;
    const first = createHmac('sha512', inputKey).update(block.subarray(blockSizeBytes)).digest();
    block.set(first);
    block[block.length - 1] = 2;
    const second = createHmac('sha512', inputKey).update(block).digest();
    wipe(block);

    this.#key = first.subarray(0, keySizeBytes);
    this.#nonce = first.subarray(keySizeBytes, keySizeBytes + nonceSizeBytes);
    this.#nonceHigh = this.#nonce[7]!;
    this.#nonceLow = this.#nonce.readUInt32BE(8);
    this.header = Buffer.allocUnsafe(headerSizeBytes);
    this.header.set(salt);
    const commitmentHead = first.subarray(keySizeBytes + nonceSizeBytes);
    this.header.set(commitmentHead, saltSizeBytes);
    const commitmentTail = second.subarray(0, headerSizeBytes - saltSizeBytes - commitmentHead.length);
    this.header.set(commitmentTail, saltSizeBytes + commitmentHead.length);
  }

  /** The message that a header begins. Throws SealError `truncated`, `bad-key`, `commitment-mismatch`. */
  static fromHeader(inputKey: Bytes, header: Bytes, context: Bytes): Message {
    if (inputKey.byteLength !== keySizeBytes) throw new SealError('bad-key');
    if (header.byteLength !== headerSizeBytes) throw new SealError('truncated');
    const message = new Message(inputKey, header.subarray(0, saltSizeBytes), context);
    if (!equalSecrets(message.header, header)) throw new SealError('commitment-mismatch');
    return message;
  }

  /** Ciphertext and tag of one chunk. The caller sees to it that no index is sealed twice. */
  sealChunk(index: number, plaintext: Bytes): [ciphertext: Buffer, tag: Buffer] {
    const cipher = createCipheriv(cipherName, this.#usableKey(), this.#nonceOf(index), cipherOptions);
    const ciphertext = cipher.update(plaintext);
    cipher.final();
    return [ciphertext, cipher.getAuthTag()];
  }

  /**
   * The plaintext of one sealed chunk (ciphertext, then tag); `isFinal` says that the message ends with it.
   * Throws SealError `truncated` when the chunk has not the size of its place, `chunk-forged`.
   */
  openChunk(index: number, sealedChunk: Bytes, isFinal: boolean): Buffer {
    const size = sealedChunk.byteLength;
    if (isFinal ? size < tagSizeBytes || size >= sealedChunkSizeBytes : size !== sealedChunkSizeBytes) throw new SealError('truncated');
    const decipher = createDecipheriv(cipherName, this.#usableKey(), this.#nonceOf(index), cipherOptions);
    decipher.setAuthTag(sealedChunk.subarray(size - tagSizeBytes));
    const plaintext = decipher.update(sealedChunk.subarray(0, size - tagSizeBytes));
    try {
      decipher.final();
    } catch {
      plaintext.fill(0);
      throw new SealError('chunk-forged');
    }
    return plaintext;
  }

  /** Overwrites the key; no chunk may follow. */
  wipe(): void {
    wipe(this.#key);
    this.#key = undefined;
  }

  #usableKey(): Buffer {
    assert(this.#key, 'no chunk follows after the key is wiped');
    return this.#key;
  }

  /** Valid until the next call: the ciphers copy it. */
  #nonceOf(index: number): Buffer {
    if (index >= chunkCountMax) throw new SealError('too-large');
    assert(Number.isInteger(index) && index >= 0, 'a chunk index counts from zero');
    this.#nonce[7] = this.#nonceHigh ^ Math.floor(index / 2 ** 32);
    this.#nonce.writeUInt32BE((this.#nonceLow ^ index) >>> 0, 8);
    return this.#nonce;
  }
}

/** The whole sealed message in one buffer. Wipes the message's key. */
export function sealMessage(message: Message, plaintext: Bytes): Buffer {
  const finalChunk = Math.floor(plaintext.byteLength / chunkSizeBytes);
  const sealed = Buffer.allocUnsafe(headerSizeBytes + plaintext.byteLength + (finalChunk + 1) * tagSizeBytes);
  sealed.set(message.header);
  let sealedOffset = headerSizeBytes;
  for (let index = 0; index <= finalChunk; index++) {
    const start = index * chunkSizeBytes;
    const [ciphertext, tag] = message.sealChunk(index, plaintext.subarray(start, start + chunkSizeBytes));
    sealed.set(ciphertext, sealedOffset);
    sealed.set(tag, sealedOffset + ciphertext.length);
    sealedOffset += ciphertext.length + tagSizeBytes;
  }
  message.wipe();
  return sealed;
}
