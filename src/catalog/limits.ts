/**
 * What every catalog engine checks before it takes a key, a value or a range, so that all engines
 * refuse the same input with the same error.
 */
import { asBuffer, assert, type Bytes } from '../base/index.ts';
import { CatalogError, type Commit, type RangeOptions } from './catalog.ts';

/** Within the 1,978 bytes that LMDB takes in one key. */
export const keySizeBytesMax = 1_900;
export const valueSizeBytesMax = 1_048_576;

/** Throws CatalogError `too-large`; an empty key is a broken invariant. */
export function checkKey(key: Bytes): void {
  assert(key.byteLength > 0, 'a catalog key has at least one byte');
  if (key.byteLength > keySizeBytesMax) {
    throw new CatalogError('too-large', `key of ${key.byteLength} bytes; at most ${keySizeBytesMax} are possible`);
  }
}

/** Checks every key and value that the commit would read or write. */
export function checkCommit({ checks, puts, deletes }: Commit): void {
  if (checks) {
    for (const check of checks) {
      if (check.kind === 'value') checkKey(check.key);
    }
  }
  if (deletes) {
    for (const key of deletes) checkKey(key);
  }
  if (puts) {
    for (const { key, value } of puts) {
      checkKey(key);
      if (value.byteLength > valueSizeBytesMax) {
        throw new CatalogError('too-large', `value of ${value.byteLength} bytes; at most ${valueSizeBytesMax} are possible`);
      }
    }
  }
}

/** A limit that is no whole number from 0 up is a broken invariant. */
export function checkLimit({ limit }: RangeOptions): void {
  assert(limit === undefined || (Number.isSafeInteger(limit) && limit >= 0), 'a range limit is a whole number from 0 up');
}

/**
 * The same place between keys, in at most `keySizeBytesMax + 1` bytes. Bounds may be of any length: a
 * bound longer than every key sorts just behind the key that is its beginning.
 */
export function boundedEdge(edge: Bytes): Buffer {
  if (edge.byteLength <= keySizeBytesMax) return asBuffer(edge);
  const bounded = Buffer.alloc(keySizeBytesMax + 1);
  bounded.set(edge.subarray(0, keySizeBytesMax));
  return bounded;
}
