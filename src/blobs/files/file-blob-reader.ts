/** One blob opened for reading from a file. Its descriptor keeps the bytes, even when the name is gone. */
import { close, read } from 'node:fs';
import { promisify } from 'node:util';
import { assert } from '../../base/index.ts';
import { BlobError, type BlobReader } from '../blob-store.ts';
import { toBlobError } from './file-errors.ts';

const closeAsync = promisify(close);

export class FileBlobReader implements BlobReader {
  readonly sizeBytes: number;
  readonly #descriptor: number;
  #open = true;
  #readCount = 0;
  #lastReadEnded: (() => void) | undefined;

  /** The descriptor is the reader's from now on. */
  constructor(descriptor: number, sizeBytes: number) {
    this.#descriptor = descriptor;
    this.sizeBytes = sizeBytes;
  }

  async read(start: number, end: number): Promise<Buffer> {
    assert(this.#open, 'a blob reader is not used after its end');
    assert(Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end, 'a range goes forward from 0 up');
    // Before memory is taken for bytes that are not there.
    if (end > this.sizeBytes) throw truncated(start, end, this.sizeBytes);
    this.#readCount++;
    try {
      return await this.#readExactly(start, end);
    } finally {
      this.#readCount--;
      if (this.#readCount === 0) this.#lastReadEnded?.();
    }
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    // A closed descriptor's number may at once mean another file: no read may still be using it.
    if (this.#readCount > 0) {
      await new Promise<void>((resolve) => {
        this.#lastReadEnded = resolve;
      });
    }
    try {
      await closeAsync(this.#descriptor);
    } catch (error) {
      throw toBlobError(error, 'close');
    }
  }

  async #readExactly(start: number, end: number): Promise<Buffer> {
    const target = Buffer.allocUnsafe(end - start);
    let filled = 0;
    while (filled < target.byteLength) {
      const count = await readInto(this.#descriptor, target, filled, start + filled);
      if (count === 0) throw truncated(start, end, start + filled);
      filled += count;
    }
    return target;
  }
}

function truncated(start: number, end: number, sizeBytes: number): BlobError {
  return new BlobError('truncated', `bytes ${start} to ${end} were asked for, the blob has ${sizeBytes}`);
}

/** By callback: measured a fifth faster than FileHandle.read for pieces of 256 KiB. */
function readInto(descriptor: number, target: Buffer, filled: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(descriptor, target, filled, target.byteLength - filled, position, (error, count) => {
      if (error) reject(toBlobError(error, 'read'));
      else resolve(count);
    });
  });
}
