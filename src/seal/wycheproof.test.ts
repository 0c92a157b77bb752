/**
 * The outside vectors for Cobblestone-256, applied as their document says: whole, streamed, by range, length only.
 * They lie beside the project; where they do not, test/vectors/seal is all that the format is checked against.
 *
 * Source: https://github.com/C2SP/wycheproof, doc/c2sp_chunked_encryption.md and
 * testvectors_v1/c2sp_chunked_encryption_aes_256_gcm_test.json.
 */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { SealError, Sealer, chunkSizeBytes, open, openRange, plaintextSize } from './cobblestone.ts';
import type { SealedSource } from './cobblestone.ts';
import { sealWithSalt } from './fixed-salt.ts';

interface Vector {
  tcId: number;
  comment: string;
  key: string;
  ctx: string;
  ct: string;
  msgLength?: number;
  msgSha512?: string;
  result: 'valid' | 'invalid';
  flags: string[];
}

const file = new URL('../../../shared/vectors/c2sp_chunked_encryption_aes_256_gcm_test.json', import.meta.url);
const vectors = existsSync(file)
  ? (JSON.parse(readFileSync(file, 'utf8')) as { testGroups: { tests: Vector[] }[] }).testGroups.flatMap((group) => group.tests)
  : [];

const sha512 = (bytes: Buffer): string => hash('sha512', bytes, 'hex');

async function collect(source: SealedSource, start: number, end: number, into: Buffer[] = []): Promise<Buffer> {
  for await (const bytes of openRange(source, start, end)) into.push(bytes);
  return Buffer.concat(into);
}

describe('Wycheproof vectors for Cobblestone-256', () => {
  test('the vectors are all there', (t) => {
    if (vectors.length === 0) t.diagnostic(`no Wycheproof vectors at ${file.pathname}: only test/vectors/seal was checked`);
    else assert.equal(vectors.length, 35);
  });

  for (const vector of vectors) {
    const key = Buffer.from(vector.key, 'hex');
    const context = Buffer.from(vector.ctx, 'hex');
    const sealed = inflateSync(Buffer.from(vector.ct, 'hex'));
    const source: SealedSource = {
      inputKey: key, context, sealedSizeBytes: sealed.length, read: async (start, end) => sealed.subarray(start, end),
    };
    const has = (flag: string): boolean => vector.flags.includes(flag);
    const name = `${vector.tcId}: ${vector.comment}`;

    if (vector.result === 'valid') {
      test(`${name}: opens whole, streamed and by range`, async () => {
        const plaintext = open(key, context, sealed);
        const size = plaintext.length;
        assert.equal(size, vector.msgLength);
        assert.equal(size, plaintextSize(sealed.length));
        assert.equal(sha512(plaintext), vector.msgSha512);
        assert.equal(sha512(await collect(source, 0, size)), vector.msgSha512);
        assert.equal((await collect(source, size, size)).length, 0, 'the length alone is authentic');
        const offsets = new Set([0, 1, size - 2, size - 1]);
        for (let edge = 0; edge <= Math.min(size, 4 * chunkSizeBytes); edge += chunkSizeBytes) {
          for (let step = -3; step < 3; step++) offsets.add(edge + step);
        }
        for (const offset of offsets) {
          if (offset < 0 || offset >= size) continue;
          assert.deepEqual(await collect(source, offset, offset + 1), plaintext.subarray(offset, offset + 1), `byte ${offset}`);
        }
      });

      test(`${name}: seals to the same bytes under its salt`, () => {
        const plaintext = open(key, context, sealed);
        assert.ok(sealWithSalt(key, sealed.subarray(0, 24), context, plaintext).equals(sealed));
        // The stream draws its own salt; byte by byte it must make what the checked function makes of that salt.
        if (plaintext.length > 40_000) return;
        const sealer = new Sealer(key, context);
        const streamed: Buffer[] = [];
        for (let offset = 0; offset < plaintext.length; offset++) streamed.push(...sealer.update(plaintext.subarray(offset, offset + 1)));
        const resealed = Buffer.concat([...streamed, ...sealer.final()]);
        assert.ok(sealWithSalt(key, resealed.subarray(0, 24), context, plaintext).equals(resealed));
      });
      continue;
    }

    test(`${name}: does not open`, async () => {
      assert.throws(() => open(key, context, sealed), (error: unknown) => {
        assert.ok(error instanceof SealError);
        if (has('InvalidKeySize')) assert.equal(error.code, 'bad-key');
        else if (has('WrongKey') || has('WrongContext')) assert.equal(error.code, 'commitment-mismatch');
        return true;
      });
      if (has('InvalidKeySize')) assert.throws(() => new Sealer(key, context), { code: 'bad-key' });

      let size: number;
      try {
        size = plaintextSize(sealed.length);
      } catch (error) {
        assert.ok(error instanceof SealError && error.code === 'truncated');
        await assert.rejects(collect(source, 0, 0), { code: /truncated|bad-key/ });
        return;
      }
      const before: Buffer[] = [];
      await assert.rejects(collect(source, 0, size, before), SealError);
      const prefix = Buffer.concat(before);
      if (has('PartialPlaintext')) {
        assert.ok(prefix.length <= vector.msgLength!);
        if (prefix.length === vector.msgLength) assert.equal(sha512(prefix), vector.msgSha512);
        // A range that does not reach the end says nothing about it.
        if (vector.msgLength! < size) assert.equal(sha512(await collect(source, 0, vector.msgLength!)), vector.msgSha512);
      } else {
        assert.equal(prefix.length, 0, 'nothing is yielded');
      }
      if (has('ValidFinalChunk')) await collect(source, size, size);
      else await assert.rejects(collect(source, size, size), SealError);
    });
  }
});
