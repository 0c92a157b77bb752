/**
 * Payload bytes under no, one or two layers of sealing. What the layers are for is the envelope's matter.
 */
import type { PayloadKeys } from '../keyring/data-keys.ts';
import { open, openRange, payloadContext, plaintextReader, Sealer, sealedSize, type ObjectVersion } from '../seal/index.ts';

/** Seals a payload as it comes; what comes out, in order, is the stored payload. */
export interface PayloadSealer {
  update(bytes: Buffer): Buffer[];
  final(): Buffer[];
}

/** `partNumber` is 0 for an object that was not uploaded in parts. */
export function payloadSealer(keys: PayloadKeys, place: ObjectVersion, partNumber: number): PayloadSealer {
  switch (keys.layers) {
    case 0:
      return { update: (bytes) => [bytes], final: () => [] };
    case 1:
      return new Sealer(keys.key, payloadContext({ ...place, partNumber, layer: 'only' }));
    case 2: {
      const inner = new Sealer(keys.inner, payloadContext({ ...place, partNumber, layer: 'inner' }));
      const outer = new Sealer(keys.outer, payloadContext({ ...place, partNumber, layer: 'outer' }));
      return {
        update: (bytes) => inner.update(bytes).flatMap((sealed) => outer.update(sealed)),
        final: () => [...inner.final().flatMap((sealed) => outer.update(sealed)), ...outer.final()],
      };
    }
  }
}

/** Size of the stored payload of `plaintextSizeBytes`. */
export function storedSize(keys: { layers: 0 | 1 | 2 }, plaintextSizeBytes: number): number {
  let size = plaintextSizeBytes;
  for (let layer = 0; layer < keys.layers; layer++) size = sealedSize(size);
  return size;
}

/** Reads exactly these stored bytes. Two calls may be under way at once. */
export type ReadStored = (start: number, end: number) => Promise<Buffer>;

/** A whole small payload at once. Throws SealError. */
export function openWhole(keys: PayloadKeys, place: ObjectVersion, stored: Buffer): Buffer {
  switch (keys.layers) {
    case 0:
      return stored;
    case 1:
      return open(keys.key, payloadContext({ ...place, partNumber: 0, layer: 'only' }), stored);
    case 2: {
      const inner = open(keys.outer, payloadContext({ ...place, partNumber: 0, layer: 'outer' }), stored);
      return open(keys.inner, payloadContext({ ...place, partNumber: 0, layer: 'inner' }), inner);
    }
  }
}

const plainPieceSizeBytes = 256 * 1024;

/**
 * Plain text from `start` to `end` (exclusive), every byte authenticated before it is yielded.
 * Throws SealError, and what `read` throws.
 */
export async function* openPayload(
  keys: PayloadKeys, place: ObjectVersion, partNumber: number, plaintextSizeBytes: number, read: ReadStored, start: number, end: number,
): AsyncGenerator<Buffer, void, undefined> {
  switch (keys.layers) {
    case 0:
      for (let at = start; at < end; at += plainPieceSizeBytes) yield await read(at, Math.min(at + plainPieceSizeBytes, end));
      return;
    case 1: {
      const context = payloadContext({ ...place, partNumber, layer: 'only' });
      yield* openRange({ inputKey: keys.key, context, sealedSizeBytes: sealedSize(plaintextSizeBytes), read }, start, end);
      return;
    }
    case 2: {
      const innerSizeBytes = sealedSize(plaintextSizeBytes);
      const outer = {
        inputKey: keys.outer, context: payloadContext({ ...place, partNumber, layer: 'outer' }), sealedSizeBytes: sealedSize(innerSizeBytes), read,
      };
      const context = payloadContext({ ...place, partNumber, layer: 'inner' });
      yield* openRange({ inputKey: keys.inner, context, sealedSizeBytes: innerSizeBytes, read: plaintextReader(outer) }, start, end);
    }
  }
}
