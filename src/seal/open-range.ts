/**
 * Opening a sealed message that lies somewhere else, by range: read ahead, authenticate, yield.
 *
 * Source: https://c2sp.org/chunked-encryption (random access), docs/formats/sealed-object.md section 6.
 */
import type { Bytes } from '../base/index.ts';
import { SealError } from './errors.ts';
import { Message } from './message.ts';
import { chunkSizeBytes, headerSizeBytes, sealedChunkSizeBytes, sealedRange } from './sizes.ts';

/** Sealed bytes somewhere, and what opens them. */
export interface SealedSource {
  inputKey: Bytes;
  context: Bytes;
  /** Size of the whole sealed message. */
  sealedSizeBytes: number;
  /** Exactly the sealed bytes from `start` to `end` (exclusive). Two calls may be under way at once. */
  read(start: number, end: number): Promise<Buffer>;
}

/** Sealed bytes asked for at once: 16 chunks, 256 KiB of plaintext. */
const pieceSizeBytes = 16 * sealedChunkSizeBytes;

/**
 * Yields plaintext bytes `plaintextStart` to `plaintextEnd` (exclusive) of a sealed message, chunk by chunk, each
 * authenticated before it is yielded; the buffers are the caller's. While one piece is opened and consumed, the
 * next is being read.
 * A range up to the end ends normally only when the final chunk, and with it the length, is authentic.
 * When the generator has ended, abandoned or not, no `read` is under way any more.
 * Throws SealError, and what `read` throws.
 */
export async function* openRange(
  source: SealedSource,
  plaintextStart: number,
  plaintextEnd: number,
): AsyncGenerator<Buffer, void, undefined> {
  const range = sealedRange(plaintextStart, plaintextEnd, source.sealedSizeBytes);
  // A range from the first chunk on saves a read: its first piece begins with the header.
  const headerLeads = range.firstChunk === 0;
  let nextStart = headerLeads ? 0 : range.sealedStart;
  let ahead: Promise<Buffer> | undefined;
  const readAhead = (): void => {
    ahead = undefined;
    if (nextStart >= range.sealedEnd) return;
    const start = nextStart;
    nextStart = Math.min(Math.max(start, headerSizeBytes) + pieceSizeBytes, range.sealedEnd);
    ahead = readExactly(source, start, nextStart);
    // It may fail while the consumer is busy; it is reported when its turn comes.
    ahead.catch(() => {});
  };
  let message: Message | undefined;
  try {
    readAhead();
    if (!headerLeads) message = Message.fromHeader(source.inputKey, await readExactly(source, 0, headerSizeBytes), source.context);
    let index = range.firstChunk;
    while (ahead !== undefined) {
      let piece: Buffer = await ahead;
      readAhead();
      if (message === undefined) {
        message = Message.fromHeader(source.inputKey, piece.subarray(0, headerSizeBytes), source.context);
        piece = piece.subarray(headerSizeBytes);
      }
      for (let offset = 0; offset < piece.length; offset += sealedChunkSizeBytes) {
        const sealedChunk = piece.subarray(offset, offset + sealedChunkSizeBytes);
        const chunk = message.openChunk(index, sealedChunk, index === range.finalChunk);
        const chunkStart = index * chunkSizeBytes;
        index++;
        const wanted = chunk.subarray(Math.max(plaintextStart - chunkStart, 0), plaintextEnd - chunkStart);
        if (wanted.length > 0) yield wanted;
      }
    }
  } finally {
    message?.wipe();
    await ahead?.catch(() => {});
  }
}

/**
 * A `read` over the plaintext of a sealed message, so that a message sealed in another is opened by
 * `openRange({ ..., sealedSizeBytes: plaintextSize(outer.sealedSizeBytes), read: plaintextReader(outer) }, ...)`.
 * Each call reads its whole range at once. Throws as `openRange`.
 */
export function plaintextReader(source: SealedSource): SealedSource['read'] {
  let opener: Promise<Message> | undefined;
  const openHeader = async (): Promise<Message> =>
    Message.fromHeader(source.inputKey, await readExactly(source, 0, headerSizeBytes), source.context);
  // Ranges of an inner message meet inside an outer chunk; the last chunk of one is the first of the next.
  let lastIndex = -1;
  let lastChunk: Buffer | undefined;
  return async (plaintextStart, plaintextEnd) => {
    const range = sealedRange(plaintextStart, plaintextEnd, source.sealedSizeBytes);
    const message = await (opener ??= openHeader());
    const sealed = await readExactly(source, range.sealedStart, range.sealedEnd);
    const plaintext = Buffer.allocUnsafe(plaintextEnd - plaintextStart);
    for (let index = range.firstChunk; index < range.endChunk; index++) {
      const isFinal = index === range.finalChunk;
      const sealedOffset = (index - range.firstChunk) * sealedChunkSizeBytes;
      const chunk: Buffer = index === lastIndex && lastChunk !== undefined
        ? lastChunk
        : message.openChunk(index, sealed.subarray(sealedOffset, sealedOffset + sealedChunkSizeBytes), isFinal);
      if (index === range.endChunk - 1) [lastIndex, lastChunk] = [index, chunk];
      const chunkOffset = index * chunkSizeBytes - plaintextStart;
      plaintext.set(chunk.subarray(Math.max(-chunkOffset, 0), plaintextEnd - index * chunkSizeBytes), Math.max(chunkOffset, 0));
    }
    return plaintext;
  };
}

async function readExactly(source: SealedSource, start: number, end: number): Promise<Buffer> {
  const bytes = await source.read(start, end);
  if (bytes.length !== end - start) throw new SealError('truncated');
  return bytes;
}
