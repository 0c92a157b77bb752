/** Ranges over the entries of the environment, where LMDB and lmdb-js mean something else by their bounds. */
import type { CatalogEntry, RangeOptions } from '../catalog.ts';
import { boundedEdge } from '../limits.ts';
import type { Entries } from './environment.ts';

/** The smallest key there can be; LMDB takes no empty key, not even as a bound. */
const firstKey = Buffer.from([0]);

/** Reads in the transaction that is current. */
export function readRange(entries: Entries, options: RangeOptions): CatalogEntry[] {
  const start = options.start.byteLength === 0 ? firstKey : boundedEdge(options.start);
  const end = boundedEdge(options.end);
  const limit = options.limit ?? Infinity;
  // lmdb-js takes an empty end as none at all, and a range backwards of a range that is none as all.
  if (limit === 0 || Buffer.compare(start, end) >= 0) return [];
  // Backwards, lmdb-js wants the end first; its own idea of inclusive ends is the other way round too.
  const range = options.reverse
    ? entries.getRange({ start: end, exclusiveStart: true, end: start, inclusiveEnd: true, reverse: true })
    : entries.getRange({ start, end });
  const found: CatalogEntry[] = [];
  for (const { key, value } of range) {
    found.push({ key, value });
    if (found.length >= limit) break;
  }
  return found;
}
