/**
 * Immutable sealed byte strings by random id. Never sees plain text.
 * All engines pass `test/suites/blob-store-suite.ts`.
 */
import type { Bytes } from '../base/index.ts';

/** 32 lower-case hex digits, random: it names a blob and says nothing about it. */
export type BlobId = string;

/** One blob being written. Use it to the end: `finish` or `abort`, exactly once. */
export interface BlobWriter {
  /** Takes ownership of the bytes. Resolves when more may be appended (backpressure), not when they are on disk. */
  append(bytes: Bytes): Promise<void>;
  /** Resolves when the whole blob and its name are durable. */
  finish(): Promise<void>;
  /** Removes what was written; never throws. */
  abort(): Promise<void>;
}

/** One blob opened for reading; stays readable until closed, even when the blob is removed meanwhile. */
export interface BlobReader {
  readonly sizeBytes: number;
  /** Exactly these bytes. Throws BlobError `truncated` when the blob ends before `end`. */
  read(start: number, end: number): Promise<Buffer>;
  close(): Promise<void>;
}

export interface BlobListing {
  id: BlobId;
  sizeBytes: number;
  /** Last change, milliseconds since 1970. */
  modifiedMs: number;
}

export interface BlobStore {
  create(id: BlobId): Promise<BlobWriter>;
  /** Throws BlobError `missing`. */
  open(id: BlobId): Promise<BlobReader>;
  /** Durable when resolved; removing what is not there is no error. */
  remove(id: BlobId): Promise<void>;
  /** Every blob, whole or unfinished, in no particular order. */
  list(): AsyncIterable<BlobListing>;
}

export type BlobErrorCode =
  | 'missing'
  | 'truncated'
  /** No room on the disk. */
  | 'full'
  /** The medium failed otherwise; the cause says how. */
  | 'io';

export class BlobError extends Error {
  readonly code: BlobErrorCode;

  constructor(code: BlobErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BlobError';
    this.code = code;
  }
}
