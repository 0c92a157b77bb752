/** Sealed messages: sizes, streaming, and that nothing but the very message opens. Source: docs/formats/sealed-object.md. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  Opener, SealError, Sealer, chunkSizeBytes, headerSizeBytes, open, plaintextSize, seal, sealedChunkSizeBytes, sealedSize, tagSizeBytes,
} from './cobblestone.ts';
import { sealWithSalt } from './fixed-salt.ts';

const key = randomBytes(32);
const context = Buffer.from('the context');

const edgeSizes = [0, 1, 2, 15, 16, 17];
for (const chunkCount of [1, 2, 3]) for (const step of [-1, 0, 1]) edgeSizes.push(chunkCount * chunkSizeBytes + step);

function sealInSteps(plaintext: Buffer, stepSize: number): Buffer {
  const sealer = new Sealer(key, context);
  const sealed: Buffer[] = [];
  for (let offset = 0; offset < plaintext.length; offset += stepSize) {
    sealed.push(...sealer.update(plaintext.subarray(offset, offset + stepSize)));
  }
  return Buffer.concat([...sealed, ...sealer.final()]);
}

function flipBit(bytes: Buffer, bit: number): Buffer {
  const flipped = Buffer.from(bytes);
  flipped[bit >> 3]! ^= 1 << (bit & 7);
  return flipped;
}

describe('sizes', () => {
  test('an empty message is a header and a tag; a full chunk is followed by an empty one', () => {
    assert.equal(headerSizeBytes, 56);
    assert.equal(sealedChunkSizeBytes, 16400);
    assert.equal(sealedSize(0), 72);
    assert.equal(sealedSize(16383), 56 + 16399);
    assert.equal(sealedSize(16384), 56 + 16400 + 16);
    assert.equal(sealedSize(20480), 56 + 16400 + 4112);
  });

  test('the plaintext size follows from the sealed size, up to the limit of the format', () => {
    const limit = 2 ** 52 - 1;
    for (const size of [...edgeSizes, 5 * 2 ** 40, limit]) assert.equal(plaintextSize(sealedSize(size)), size);
    assert.throws(() => sealedSize(limit + 1), { code: 'too-large' });
    assert.throws(() => plaintextSize(sealedSize(limit) + 17), { code: 'too-large' });
  });

  test('a size that no message has is truncated', () => {
    const possible = new Set(Array.from({ length: 2 * chunkSizeBytes + 2 }, (_, size) => sealedSize(size)));
    for (let size = 0; size < sealedSize(2 * chunkSizeBytes); size++) {
      if (possible.has(size)) assert.ok(plaintextSize(size) < size);
      else assert.throws(() => plaintextSize(size), { code: 'truncated' }, `${size}`);
    }
    assert.throws(() => plaintextSize(NaN), { code: 'truncated' });
  });
});

describe('sealing', () => {
  for (const size of edgeSizes) {
    test(`${size} bytes, whole and in steps`, () => {
      const plaintext = randomBytes(size);
      const whole = seal(key, context, plaintext);
      assert.equal(whole.length, sealedSize(size));
      assert.ok(open(key, context, whole).equals(plaintext));
      for (const stepSize of [1, 1000, chunkSizeBytes - 1, chunkSizeBytes, chunkSizeBytes + 1, 2 * chunkSizeBytes + 1, 65536]) {
        const sealed = sealInSteps(plaintext, stepSize);
        assert.ok(sealWithSalt(key, sealed.subarray(0, 24), context, plaintext).equals(sealed), `steps of ${stepSize}`);
      }
    });
  }

  test('any steps give the one message', () => {
    fc.assert(fc.property(fc.array(fc.nat({ max: 40_000 }), { maxLength: 6 }), (stepSizes) => {
      const sealer = new Sealer(key, context);
      const steps = stepSizes.map((size) => randomBytes(size));
      const sealed = Buffer.concat([...steps.flatMap((step) => sealer.update(step)), ...sealer.final()]);
      const plaintext = Buffer.concat(steps);
      assert.ok(sealWithSalt(key, sealed.subarray(0, 24), context, plaintext).equals(sealed));
      assert.ok(open(key, context, sealed).equals(plaintext));
    }), { numRuns: 60 });
  });

  test('every message has its own salt', () => {
    const salts = new Set(Array.from({ length: 1000 }, (_, i) =>
      (i % 2 ? seal(key, context, key) : Buffer.concat(new Sealer(key, context).final())).toString('hex', 0, 24)));
    assert.equal(salts.size, 1000);
  });

  test('the caller may reuse its buffer after update', () => {
    const sealer = new Sealer(key, context);
    const buffer = Buffer.alloc(40_000, 'a');
    const sealed = [...sealer.update(buffer)];
    buffer.fill('b');
    sealed.push(...sealer.update(buffer));
    buffer.fill('c');
    sealed.push(...sealer.final());
    assert.ok(open(key, context, Buffer.concat(sealed)).equals(Buffer.from('a'.repeat(40_000) + 'b'.repeat(40_000))));
  });

  test('plain Uint8Arrays are bytes too', () => {
    const bytes = new Uint8Array(20_000).fill(7);
    const sealed = seal(new Uint8Array(key), new Uint8Array(context), bytes);
    assert.deepEqual(new Uint8Array(open(new Uint8Array(key), new Uint8Array(context), new Uint8Array(sealed))), bytes);
  });

  test('nothing follows the final chunk', () => {
    const sealer = new Sealer(key, context);
    sealer.final();
    assert.throws(() => sealer.update(key), /broken invariant/);
    assert.throws(() => sealer.final(), /broken invariant/);
  });

  test('a key has 32 bytes', () => {
    for (const size of [0, 16, 31, 33, 64]) {
      assert.throws(() => new Sealer(randomBytes(size), context), { code: 'bad-key' });
      assert.throws(() => seal(randomBytes(size), context, key), { code: 'bad-key' });
      assert.throws(() => open(randomBytes(size), context, seal(key, context, key)), { code: 'bad-key' });
    }
  });
});

describe('opening', () => {
  const small = seal(key, context, Buffer.from('twenty bytes of text'));
  const plaintext = randomBytes(chunkSizeBytes + 40);
  const twoChunks = seal(key, context, plaintext);

  test('every flipped bit is found', () => {
    for (let bit = 0; bit < small.length * 8; bit++) {
      const code = bit < headerSizeBytes * 8 ? 'commitment-mismatch' : 'chunk-forged';
      assert.throws(() => open(key, context, flipBit(small, bit)), { name: 'SealError', code }, `bit ${bit}`);
    }
  });

  test('a flipped bit anywhere in a longer message is found', () => {
    fc.assert(fc.property(fc.nat({ max: twoChunks.length * 8 - 1 }), (bit) => {
      assert.throws(() => open(key, context, flipBit(twoChunks, bit)), SealError);
    }), { numRuns: 200 });
  });

  test('every cut is found, and so is every addition', () => {
    for (let size = 0; size < twoChunks.length; size++) {
      assert.throws(() => open(key, context, twoChunks.subarray(0, size)), SealError, `cut to ${size}`);
    }
    for (const added of [1, 15, 16, 17, sealedChunkSizeBytes]) {
      assert.throws(() => open(key, context, Buffer.concat([twoChunks, Buffer.alloc(added)])), SealError, `${added} added`);
    }
  });

  test('another key or context does not open it', () => {
    const mismatch = { code: 'commitment-mismatch' };
    assert.throws(() => open(randomBytes(32), context, small), mismatch);
    for (let bit = 0; bit < 256; bit++) assert.throws(() => open(flipBit(key, bit), context, small), mismatch);
    for (let bit = 0; bit < context.length * 8; bit++) assert.throws(() => open(key, flipBit(context, bit), small), mismatch);
    for (const other of ['', 'the contex', 'the context ']) assert.throws(() => open(key, Buffer.from(other), small), mismatch);
  });

  test('a chunk opens at its own place only, at its own size only', () => {
    const opener = new Opener(key, context, twoChunks.subarray(0, headerSizeBytes));
    const first = twoChunks.subarray(headerSizeBytes, headerSizeBytes + sealedChunkSizeBytes);
    const last = twoChunks.subarray(headerSizeBytes + sealedChunkSizeBytes);
    assert.ok(opener.openChunk(1, last, true).equals(plaintext.subarray(chunkSizeBytes)));
    assert.ok(opener.openChunk(0, first, false).equals(plaintext.subarray(0, chunkSizeBytes)));
    for (const index of [1, 2, 256, 2 ** 32, 2 ** 38 - 1]) {
      assert.throws(() => opener.openChunk(index, first, false), { code: 'chunk-forged' }, `at ${index}`);
    }
    assert.throws(() => opener.openChunk(2 ** 38, first, false), { code: 'too-large' });
    assert.throws(() => opener.openChunk(0, first, true), { code: 'truncated' });
    assert.throws(() => opener.openChunk(1, last, false), { code: 'truncated' });
    assert.throws(() => opener.openChunk(1, last.subarray(0, tagSizeBytes - 1), true), { code: 'truncated' });
  });

  test('a chunk of another message under the same key does not open', () => {
    const other = seal(key, context, randomBytes(plaintext.length));
    const mixed = Buffer.concat([twoChunks.subarray(0, headerSizeBytes + sealedChunkSizeBytes), other.subarray(headerSizeBytes + sealedChunkSizeBytes)]);
    assert.throws(() => open(key, context, mixed), { code: 'chunk-forged' });
  });

  test('a header has 56 bytes', () => {
    for (const size of [0, 24, 55, 57]) {
      assert.throws(() => new Opener(key, context, Buffer.alloc(size)), { code: 'truncated' });
    }
  });

  test('every error has the one public message', () => {
    const messages = new Set<string>();
    for (const act of [
      () => open(key, context, small.subarray(0, 60)),
      () => open(key, context, flipBit(small, 0)),
      () => open(key, context, flipBit(small, 600)),
      () => open(randomBytes(3), context, small),
    ]) {
      try {
        act();
        assert.fail('opened');
      } catch (error) {
        assert.ok(error instanceof SealError);
        messages.add(error.message);
      }
    }
    assert.deepEqual([...messages], ['The sealed data cannot be opened.']);
  });
});
