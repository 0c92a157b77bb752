/**
 * Sizes and places in a sealed message: which plaintext lies where. Arithmetic only.
 *
 *     sealed message = header (56) | chunk 0 (16400) | chunk 1 (16400) | ... | final chunk (16 to 16399)
 *     chunk          = ciphertext (16384, the final one 0 to 16383) | tag (16)
 *
 * Source: https://c2sp.org/chunked-encryption, docs/formats/sealed-object.md section 3.
 */
import { assert } from '../base/index.ts';
import { SealError } from './errors.ts';

export const keySizeBytes = 32;
export const saltSizeBytes = 24;
export const commitmentSizeBytes = 32;
/** Plaintext of every chunk but the final one, which is always shorter and may be empty. */
export const chunkSizeBytes = 16384;
export const tagSizeBytes = 16;
export const headerSizeBytes = saltSizeBytes + commitmentSizeBytes;
export const sealedChunkSizeBytes = chunkSizeBytes + tagSizeBytes;
/** The specification's bound, 2^38: the counter must stay clear of the rest of the nonce. */
export const chunkCountMax = 2 ** 38;

/** The size of the sealed message. Throws SealError `too-large` from 4 PiB on. */
export function sealedSize(plaintextSize: number): number {
  const chunkCount = Math.floor(plaintextSize / chunkSizeBytes) + 1;
  if (chunkCount > chunkCountMax) throw new SealError('too-large');
  return headerSizeBytes + plaintextSize + chunkCount * tagSizeBytes;
}

/** The index of the final chunk. Throws SealError `truncated` for a size that no message has, `too-large` beyond the limit. */
export function finalChunkIndex(sealedSize: number): number {
  const bodySize = sealedSize - headerSizeBytes;
  if (!(bodySize % sealedChunkSizeBytes >= tagSizeBytes)) throw new SealError('truncated');
  const index = Math.floor(bodySize / sealedChunkSizeBytes);
  if (index >= chunkCountMax) throw new SealError('too-large');
  return index;
}

/** The size of the plaintext in a sealed message. Throws as `finalChunkIndex`. */
export function plaintextSize(sealedSize: number): number {
  const chunkCount = finalChunkIndex(sealedSize) + 1;
  return sealedSize - headerSizeBytes - chunkCount * tagSizeBytes;
}

/** Where the sealed chunks lie that cover a range of the plaintext. All ends are exclusive. */
export interface SealedRange {
  firstChunk: number;
  /** Equal to `firstChunk` when no chunk is needed. */
  endChunk: number;
  sealedStart: number;
  sealedEnd: number;
  /** Index of the message's final chunk, inside this range or not. */
  finalChunk: number;
}

/**
 * The chunks that cover plaintext bytes `plaintextStart` to `plaintextEnd` (exclusive).
 * A range up to the end takes in the final chunk even when that is empty: only it proves the length.
 * Throws as `finalChunkIndex`.
 */
export function sealedRange(plaintextStart: number, plaintextEnd: number, sealedSize: number): SealedRange {
  const finalChunk = finalChunkIndex(sealedSize);
  const size = sealedSize - headerSizeBytes - (finalChunk + 1) * tagSizeBytes;
  assert(
    Number.isInteger(plaintextStart) && Number.isInteger(plaintextEnd) &&
      0 <= plaintextStart && plaintextStart <= plaintextEnd && plaintextEnd <= size,
    'a plaintext range lies inside its message',
  );
  const firstChunk = Math.floor(plaintextStart / chunkSizeBytes);
  let endChunk = Math.ceil(plaintextEnd / chunkSizeBytes);
  if (plaintextEnd === size) endChunk = finalChunk + 1;
  else if (plaintextStart === plaintextEnd) endChunk = firstChunk;
  return {
    firstChunk,
    endChunk,
    sealedStart: headerSizeBytes + firstChunk * sealedChunkSizeBytes,
    sealedEnd: Math.min(headerSizeBytes + endChunk * sealedChunkSizeBytes, sealedSize),
    finalChunk,
  };
}
