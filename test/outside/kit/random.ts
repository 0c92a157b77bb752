/** Randomness that can be had again: everything from one seed, which the tests print and COFFER_TEST_SEED repeats. */
import { createCipheriv, createHash, randomInt } from 'node:crypto';

export interface Random {
  readonly seed: number;
  /** 0 <= n < limit. */
  below(limit: number): number;
  bytes(sizeBytes: number): Buffer;
  pick<Item>(items: readonly Item[]): Item;
}

/** Of COFFER_TEST_SEED, or a new one; printed, so that it can be given again. */
export function seededRandom(what: string): Random {
  const given = process.env['COFFER_TEST_SEED'];
  const seed = given === undefined ? randomInt(2 ** 31) : Number(given);
  console.log(`${what}: COFFER_TEST_SEED=${seed}`);
  return randomOf(seed);
}

/** A key stream of AES-256-CTR: fast, and as random as any test needs. */
export function randomOf(seed: number | string): Random {
  const stream = createCipheriv('aes-256-ctr', createHash('sha256').update(`coffer ${seed}`).digest(), Buffer.alloc(16));
  const bytes = (sizeBytes: number): Buffer => stream.update(Buffer.alloc(sizeBytes));
  const below = (limit: number): number => Math.floor((bytes(4).readUInt32BE() / 2 ** 32) * limit);
  return { seed: Number(seed), bytes, below, pick: (items) => items[below(items.length)]! };
}
