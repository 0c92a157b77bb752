/**
 * Sealed messages: C2SP chunked-encryption, instance Cobblestone-256. Whole, and as a stream.
 * What the bytes are sealed under is contexts.ts; sizes and places are sizes.ts; keys and single chunks are message.ts;
 * opening by range is open-range.ts.
 *
 * Source: https://c2sp.org/chunked-encryption, docs/formats/sealed-object.md.
 */
import { assert, wipe } from '../base/index.ts';
import type { Bytes } from '../base/index.ts';
import { Message, freshSalt, sealMessage } from './message.ts';
import { chunkSizeBytes, finalChunkIndex, headerSizeBytes, plaintextSize, sealedChunkSizeBytes } from './sizes.ts';

export { SealError } from './errors.ts';
export type { SealErrorCode } from './errors.ts';
export { openRange, plaintextReader } from './open-range.ts';
export type { SealedSource } from './open-range.ts';
export { chunkSizeBytes, headerSizeBytes, plaintextSize, sealedChunkSizeBytes, sealedRange, sealedSize, tagSizeBytes } from './sizes.ts';
export type { SealedRange } from './sizes.ts';

/**
 * Seals one message as it comes, under a fresh salt.
 * What `update` and `final` return, written one after the other, is the sealed message; the buffers are the caller's.
 */
export class Sealer {
  readonly #message: Message;
  #nextChunk = 0;
  #started = false;
  #ended = false;
  /** Plaintext of a chunk that is not full yet. */
  #pending: Buffer | undefined;
  #pendingSize = 0;

  /** `inputKey`: 32 random bytes. Throws SealError `bad-key`. */
  constructor(inputKey: Bytes, context: Bytes) {
    this.#message = new Message(inputKey, freshSalt(), context);
  }

  /** Takes plaintext of any size and keeps no reference to it. Throws SealError `too-large` from 4 PiB on. */
  update(bytes: Bytes): Buffer[] {
    const sealed = this.#begin();
    let offset = 0;
    if (this.#pendingSize > 0 || bytes.byteLength < chunkSizeBytes) {
      offset = this.#keep(bytes);
      if (this.#pendingSize < chunkSizeBytes) return sealed;
      sealed.push(...this.#message.sealChunk(this.#nextChunk++, this.#pending!));
      this.#pendingSize = 0;
    }
    for (; bytes.byteLength - offset >= chunkSizeBytes; offset += chunkSizeBytes) {
      sealed.push(...this.#message.sealChunk(this.#nextChunk++, bytes.subarray(offset, offset + chunkSizeBytes)));
    }
    if (offset < bytes.byteLength) this.#keep(bytes.subarray(offset));
    return sealed;
  }

  /** The rest of the sealed message. No call may follow. */
  final(): Buffer[] {
    const sealed = this.#begin();
    this.#ended = true;
    const rest = this.#pending?.subarray(0, this.#pendingSize) ?? Buffer.alloc(0);
    sealed.push(...this.#message.sealChunk(this.#nextChunk, rest));
    wipe(this.#pending);
    this.#message.wipe();
    return sealed;
  }

  #begin(): Buffer[] {
    assert(!this.#ended, 'nothing is sealed after the final chunk');
    if (this.#started) return [];
    this.#started = true;
    return [this.#message.header];
  }

  /** Copies up to a full chunk into the pending one; how many bytes it took. */
  #keep(bytes: Bytes): number {
    this.#pending ??= Buffer.allocUnsafeSlow(chunkSizeBytes);
    const taken = bytes.subarray(0, chunkSizeBytes - this.#pendingSize);
    this.#pending.set(taken, this.#pendingSize);
    this.#pendingSize += taken.byteLength;
    return taken.byteLength;
  }
}

/** Opens single chunks of one message, in any order. */
export class Opener {
  readonly #message: Message;

  /** `header`: the first 56 sealed bytes. Throws SealError `bad-key`, `truncated`, `commitment-mismatch`. */
  constructor(inputKey: Bytes, context: Bytes, header: Bytes) {
    this.#message = Message.fromHeader(inputKey, header, context);
  }

  /**
   * The plaintext of the chunk at `index`, authenticated; the buffer is the caller's.
   * `isFinal` MUST be whether the message's size says so, and the message is whole only when its final chunk opened.
   * Throws SealError `truncated` when the chunk has not the size of its place, `chunk-forged`, `too-large`.
   */
  openChunk(index: number, sealedChunk: Bytes, isFinal: boolean): Buffer {
    return this.#message.openChunk(index, sealedChunk, isFinal);
  }
}

/** Seals a whole message that lies in memory, under a fresh salt. Throws SealError `bad-key`. */
export function seal(inputKey: Bytes, context: Bytes, plaintext: Bytes): Buffer {
  return sealMessage(new Message(inputKey, freshSalt(), context), plaintext);
}

/** Opens a whole message that lies in memory. Throws SealError. */
export function open(inputKey: Bytes, context: Bytes, sealed: Bytes): Buffer {
  const message = Message.fromHeader(inputKey, sealed.subarray(0, headerSizeBytes), context);
  try {
    const finalChunk = finalChunkIndex(sealed.byteLength);
    if (finalChunk === 0) return message.openChunk(0, sealed.subarray(headerSizeBytes), true);
    const plaintext = Buffer.allocUnsafe(plaintextSize(sealed.byteLength));
    for (let index = 0; index <= finalChunk; index++) {
      const start = headerSizeBytes + index * sealedChunkSizeBytes;
      const chunk = message.openChunk(index, sealed.subarray(start, start + sealedChunkSizeBytes), index === finalChunk);
      plaintext.set(chunk, index * chunkSizeBytes);
    }
    return plaintext;
  } finally {
    message.wipe();
  }
}
