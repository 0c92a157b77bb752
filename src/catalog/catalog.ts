/**
 * The catalog: an ordered key-value space with atomic check-and-commit.
 *
 * Keys are byte strings of 1 to 1,900 bytes, ordered byte by byte. Values are byte strings of 0 to
 * 1 MiB. What a commit acknowledged is durable, and readers in every process see it at once.
 * All engines pass `test/suites/catalog-suite.ts`.
 */
import type { Bytes } from '../base/index.ts';

export interface CatalogEntry {
  key: Buffer;
  value: Buffer;
}

export interface RangeOptions {
  /** First key, inclusive. */
  start: Bytes;
  /** End, exclusive. */
  end: Bytes;
  /** At most so many entries; all when absent. */
  limit?: number;
  /** From the end towards the start. */
  reverse?: boolean;
}

/** What must still be true when the commit takes effect. */
export type Check =
  /** The value at `key` is still these bytes; `undefined` means that there is none. */
  | { kind: 'value'; key: Bytes; value: Bytes | undefined }
  /** There is no key from `start` inclusive to `end` exclusive. */
  | { kind: 'empty'; start: Bytes; end: Bytes };

export interface Commit {
  checks?: readonly Check[];
  puts?: readonly { key: Bytes; value: Bytes }[];
  deletes?: readonly Bytes[];
}

export interface Catalog {
  get(key: Bytes): Promise<Buffer | undefined>;
  /** Entries in key order, read in one consistent view; meant for pages, not for whole tables. */
  range(options: RangeOptions): Promise<CatalogEntry[]>;
  /**
   * Applies all puts and deletes, or none when a check fails. True when applied and durable,
   * false when a check failed. Deletes apply before puts. Throws CatalogError `full` when the disk is full.
   */
  commit(commit: Commit): Promise<boolean>;
  /** Waits for what is under way, then lets go of the files. */
  close(): Promise<void>;
}

export type CatalogErrorCode =
  /** No room on the disk; nothing was changed, and reads go on. */
  | 'full'
  /** The files are not ours, damaged, or of a newer version. */
  | 'unreadable'
  /** Keys or values beyond the limits above. */
  | 'too-large'
  /** The medium failed otherwise; the cause says how. Of a commit it is unknown whether it took effect. */
  | 'io';

export class CatalogError extends Error {
  readonly code: CatalogErrorCode;

  constructor(code: CatalogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CatalogError';
    this.code = code;
  }
}
