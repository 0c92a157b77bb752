/**
 * A catalog that lives and dies with the process: for tests, and the model that the other engines are
 * tested against. Durable only as long as the process.
 */
import { asBuffer, assert, type Bytes } from '../base/index.ts';
import type { Catalog, CatalogEntry, Check, Commit, RangeOptions } from './catalog.ts';
import { checkCommit, checkKey, checkLimit } from './limits.ts';

export function openMemoryCatalog(): Catalog {
  return new MemoryCatalog();
}

/** One character per byte: such strings sort as their bytes do, and serve as keys of a Map. */
function toText(bytes: Bytes): string {
  return asBuffer(bytes).toString('latin1');
}

class MemoryCatalog implements Catalog {
  readonly #values = new Map<string, Buffer>();
  /** The keys of `#values` in order. */
  readonly #keys: string[] = [];
  #closed = false;

  async get(key: Bytes): Promise<Buffer | undefined> {
    this.#checkOpen();
    checkKey(key);
    const value = this.#values.get(toText(key));
    return value && Buffer.from(value);
  }

  async range(options: RangeOptions): Promise<CatalogEntry[]> {
    this.#checkOpen();
    checkLimit(options);
    const first = this.#indexAtOrAfter(toText(options.start));
    const end = this.#indexAtOrAfter(toText(options.end));
    const count = Math.max(0, Math.min(end - first, options.limit ?? Infinity));
    const from = options.reverse ? Math.max(first, end - count) : first;
    const keys = this.#keys.slice(from, from + count);
    if (options.reverse) keys.reverse();
    return keys.map((key) => ({ key: Buffer.from(key, 'latin1'), value: Buffer.from(this.#values.get(key)!) }));
  }

  async commit(commit: Commit): Promise<boolean> {
    this.#checkOpen();
    checkCommit(commit);
    for (const check of commit.checks ?? []) {
      if (!this.#holds(check)) return false;
    }
    for (const key of commit.deletes ?? []) this.#delete(toText(key));
    for (const { key, value } of commit.puts ?? []) this.#put(toText(key), Buffer.from(value));
    return true;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#values.clear();
    this.#keys.length = 0;
  }

  #holds(check: Check): boolean {
    if (check.kind === 'empty') {
      return this.#indexAtOrAfter(toText(check.start)) >= this.#indexAtOrAfter(toText(check.end));
    }
    const value = this.#values.get(toText(check.key));
    return check.value === undefined ? value === undefined : value !== undefined && value.equals(check.value);
  }

  #put(key: string, value: Buffer): void {
    if (!this.#values.has(key)) this.#keys.splice(this.#indexAtOrAfter(key), 0, key);
    this.#values.set(key, value);
  }

  #delete(key: string): void {
    if (this.#values.delete(key)) this.#keys.splice(this.#indexAtOrAfter(key), 1);
  }

  #indexAtOrAfter(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #checkOpen(): void {
    assert(!this.#closed, 'a closed catalog is not used');
  }
}
