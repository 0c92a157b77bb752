/** Opening by range: the right bytes, all authenticated, however the sealed bytes come. Source: docs/formats/sealed-object.md section 6. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  SealError, Sealer, chunkSizeBytes, headerSizeBytes, openRange, plaintextReader, plaintextSize, seal, sealedChunkSizeBytes, sealedRange,
} from './cobblestone.ts';
import type { SealedSource } from './cobblestone.ts';

const key = randomBytes(32);
const context = Buffer.from('the context');
const pieceChunks = 16;

function sourceOf(sealed: Buffer): SealedSource {
  return { inputKey: key, context, sealedSizeBytes: sealed.length, read: async (start, end) => sealed.subarray(start, end) };
}

async function collect(source: SealedSource, start: number, end: number, into: Buffer[] = []): Promise<Buffer> {
  for await (const bytes of openRange(source, start, end)) into.push(bytes);
  return Buffer.concat(into);
}

/** Sizes near chunk and piece edges, where mistakes live, and any other. */
const sizes = fc.oneof(
  fc.tuple(fc.constantFrom(0, 1, 2, pieceChunks - 1, pieceChunks, pieceChunks + 1, 2 * pieceChunks), fc.integer({ min: -2, max: 2 }))
    .map(([chunks, step]) => Math.max(chunks * chunkSizeBytes + step, 0)),
  fc.nat({ max: 40 * chunkSizeBytes }),
);
const longest = randomBytes(40 * chunkSizeBytes + 2);

describe('ranges', () => {
  test('a range yields exactly its bytes', async () => {
    await fc.assert(fc.asyncProperty(sizes, fc.double({ min: 0, max: 1, noNaN: true }), sizes, async (size, at, length) => {
      const plaintext = longest.subarray(0, size);
      const start = Math.floor(at * size);
      const end = Math.min(start + length, size);
      const sealed = seal(key, context, plaintext);
      assert.ok((await collect(sourceOf(sealed), start, end)).equals(plaintext.subarray(start, end)));
      assert.ok((await plaintextReader(sourceOf(sealed))(start, end)).equals(plaintext.subarray(start, end)));
    }), { numRuns: 150 });
  });

  test('every pair of edges of a message of two chunks', async () => {
    for (const size of [2 * chunkSizeBytes - 1, 2 * chunkSizeBytes, 2 * chunkSizeBytes + 1]) {
      const plaintext = longest.subarray(0, size);
      const source = sourceOf(seal(key, context, plaintext));
      const edges = [0, 1, chunkSizeBytes - 1, chunkSizeBytes, chunkSizeBytes + 1, size - 1, size];
      for (const start of edges) {
        for (const end of edges.filter((edge) => edge >= start)) {
          assert.ok((await collect(source, start, end)).equals(plaintext.subarray(start, end)), `${start}-${end} of ${size}`);
        }
      }
    }
  });

  test('a layered message opens by range through its outer layer', async () => {
    await fc.assert(fc.asyncProperty(sizes, fc.double({ min: 0, max: 1, noNaN: true }), sizes, async (size, at, length) => {
      const plaintext = longest.subarray(0, size);
      const innerKey = randomBytes(32);
      const innerContext = Buffer.from('inner');
      const inner = new Sealer(innerKey, innerContext);
      const outer = new Sealer(key, context);
      const sealed = Buffer.concat([
        ...[...inner.update(plaintext), ...inner.final()].flatMap((bytes) => outer.update(bytes)), ...outer.final(),
      ]);
      const outerSource = sourceOf(sealed);
      const source: SealedSource = {
        inputKey: innerKey, context: innerContext, sealedSizeBytes: plaintextSize(sealed.length), read: plaintextReader(outerSource),
      };
      assert.equal(plaintextSize(source.sealedSizeBytes), size);
      const start = Math.floor(at * size);
      const end = Math.min(start + length, size);
      assert.ok((await collect(source, start, end)).equals(plaintext.subarray(start, end)));
      // Any other way of reading the outer layer does as well.
      const read = (from: number, to: number): Promise<Buffer> => collect(outerSource, from, to);
      assert.ok((await collect({ ...source, read }, start, end)).equals(plaintext.subarray(start, end)));
    }), { numRuns: 40 });
  });

  test('sealedRange names the chunks that are read, and no more', () => {
    const size = 3 * chunkSizeBytes;
    const sealedSize = headerSizeBytes + 3 * sealedChunkSizeBytes + 16;
    assert.deepEqual(sealedRange(0, 1, sealedSize), {
      firstChunk: 0, endChunk: 1, sealedStart: 56, sealedEnd: 56 + 16400, finalChunk: 3,
    });
    assert.deepEqual(sealedRange(chunkSizeBytes - 1, chunkSizeBytes + 1, sealedSize), {
      firstChunk: 0, endChunk: 2, sealedStart: 56, sealedEnd: 56 + 2 * 16400, finalChunk: 3,
    });
    // Up to the end: the empty final chunk belongs to it.
    assert.deepEqual(sealedRange(size - 1, size, sealedSize), {
      firstChunk: 2, endChunk: 4, sealedStart: 56 + 2 * 16400, sealedEnd: sealedSize, finalChunk: 3,
    });
    assert.deepEqual(sealedRange(size, size, sealedSize), {
      firstChunk: 3, endChunk: 4, sealedStart: 56 + 3 * 16400, sealedEnd: sealedSize, finalChunk: 3,
    });
    const empty = sealedRange(chunkSizeBytes + 5, chunkSizeBytes + 5, sealedSize);
    assert.equal(empty.firstChunk, empty.endChunk);
    assert.equal(empty.sealedStart, empty.sealedEnd);
  });

  test('a range outside the message is the caller’s mistake', async () => {
    const source = sourceOf(seal(key, context, longest.subarray(0, 100)));
    for (const [start, end] of [[-1, 5], [5, 4], [0, 101], [101, 101], [0.5, 2], [NaN, 1]] as const) {
      await assert.rejects(collect(source, start, end), /broken invariant/, `${start}-${end}`);
    }
  });
});

describe('reading', () => {
  const plaintext = longest.subarray(0, 40 * chunkSizeBytes);
  const sealed = seal(key, context, plaintext);

  function watched(): { source: SealedSource; reads: [number, number][]; underWay: () => number } {
    const reads: [number, number][] = [];
    let underWay = 0;
    const read = async (start: number, end: number): Promise<Buffer> => {
      reads.push([start, end]);
      underWay++;
      await setImmediate();
      underWay--;
      return sealed.subarray(start, end);
    };
    return { source: { ...sourceOf(sealed), read }, reads, underWay: () => underWay };
  }

  test('the whole message is read once, in order, header and first piece together', async () => {
    const { source, reads } = watched();
    await collect(source, 0, plaintext.length);
    assert.equal(reads[0]![0], 0);
    assert.equal(reads.at(-1)![1], sealed.length);
    for (let i = 1; i < reads.length; i++) assert.equal(reads[i]![0], reads[i - 1]![1]);
    assert.equal(reads.length, 3);
  });

  test('a range in the middle reads the header and its own chunks only', async () => {
    const { source, reads } = watched();
    await collect(source, 20 * chunkSizeBytes + 5, 20 * chunkSizeBytes + 10);
    const start = headerSizeBytes + 20 * sealedChunkSizeBytes;
    assert.deepEqual(reads.sort(([a], [b]) => a - b), [[0, headerSizeBytes], [start, start + sealedChunkSizeBytes]]);
  });

  test('the next piece is read while one is consumed, and no read outlives the generator', async () => {
    const { source, reads, underWay } = watched();
    for await (const bytes of openRange(source, 0, plaintext.length)) {
      assert.equal(bytes.length, chunkSizeBytes);
      assert.equal(reads.length, 2, 'the second piece was asked for before the first was yielded');
      assert.equal(underWay(), 1);
      break;
    }
    assert.equal(underWay(), 0);
  });

  test('no read outlives a forged header either', async () => {
    const { source, underWay } = watched();
    await assert.rejects(collect({ ...source, context: Buffer.from('other') }, 0, plaintext.length), { code: 'commitment-mismatch' });
    assert.equal(underWay(), 0);
  });

  test('a failing read is thrown when its turn comes', async () => {
    const failure = new Error('the disk is gone');
    const source = sourceOf(sealed);
    const read = async (start: number, end: number): Promise<Buffer> => {
      if (start > 0) throw failure;
      return sealed.subarray(start, end);
    };
    const before: Buffer[] = [];
    await assert.rejects(collect({ ...source, read }, 0, plaintext.length, before), failure);
    assert.equal(Buffer.concat(before).length, pieceChunks * chunkSizeBytes);
  });

  test('a read of another length is truncated', async () => {
    for (const change of [-1, 1]) {
      const read = async (start: number, end: number): Promise<Buffer> => Buffer.alloc(end - start + change);
      await assert.rejects(collect({ ...sourceOf(sealed), read }, 0, 10), { code: 'truncated' });
      await assert.rejects(plaintextReader({ ...sourceOf(sealed), read })(0, 10), { code: 'truncated' });
    }
  });
});

describe('damage', () => {
  const plaintext = longest.subarray(0, 20 * chunkSizeBytes);
  const sealed = seal(key, context, plaintext);

  test('whatever is changed, only right bytes come before the error', async () => {
    await fc.assert(fc.asyncProperty(fc.nat({ max: sealed.length * 8 - 1 }), async (bit) => {
      const damaged = Buffer.from(sealed);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      const before: Buffer[] = [];
      await assert.rejects(collect(sourceOf(damaged), 0, plaintext.length, before), SealError);
      const prefix = Buffer.concat(before);
      assert.ok(prefix.equals(plaintext.subarray(0, prefix.length)));
      const damagedChunk = Math.floor(((bit >> 3) - headerSizeBytes) / sealedChunkSizeBytes);
      assert.equal(prefix.length, Math.max(damagedChunk, 0) * chunkSizeBytes);
    }), { numRuns: 60 });
  });

  test('a range that does not touch the damage opens', async () => {
    const damaged = Buffer.from(sealed);
    damaged[sealed.length - 1]! ^= 1;
    const source = sourceOf(damaged);
    assert.ok((await collect(source, 0, plaintext.length - 1)).equals(plaintext.subarray(0, -1)));
    await assert.rejects(collect(source, 0, plaintext.length), { code: 'chunk-forged' });
    await assert.rejects(collect(source, plaintext.length, plaintext.length), { code: 'chunk-forged' });
  });

  test('a message cut to any size that a message could have is found at its end', async () => {
    for (const size of [headerSizeBytes + 16, headerSizeBytes + 100, headerSizeBytes + sealedChunkSizeBytes + 16, sealed.length - 17 - 16]) {
      const cut = sourceOf(sealed.subarray(0, size));
      await assert.rejects(collect(cut, 0, plaintextSize(size)), { code: 'chunk-forged' }, `cut to ${size}`);
    }
  });

  test('an empty range checks the key all the same', async () => {
    const source = { ...sourceOf(sealed), inputKey: randomBytes(32) };
    for (const at of [0, 5, 5 * chunkSizeBytes, plaintext.length]) {
      await assert.rejects(collect(source, at, at), { code: 'commitment-mismatch' });
    }
  });

  test('damage in the outer layer is found before the inner one yields', async () => {
    const outer = seal(key, context, sealed);
    outer[headerSizeBytes + 3 * sealedChunkSizeBytes]! ^= 1;
    const source: SealedSource = { ...sourceOf(sealed), read: plaintextReader(sourceOf(outer)) };
    const before: Buffer[] = [];
    await assert.rejects(collect(source, 0, plaintext.length, before), { code: 'chunk-forged' });
    assert.equal(before.length, 0);
  });
});
