/**
 * One blob being written to a file.
 *
 * Appended pieces gather until they make a large write, and go out by writev without a copy. While one
 * write is under way the next one gathers, so a writer holds two of them at most.
 */
import { close, fdatasync, unlink, writev } from 'node:fs';
import { promisify } from 'node:util';
import { asBuffer, assert, type Bytes } from '../../base/index.ts';
import type { BlobError, BlobWriter } from '../blob-store.ts';
import { toBlobError } from './file-errors.ts';

const closeAsync = promisify(close);
const fdatasyncAsync = promisify(fdatasync);
const unlinkAsync = promisify(unlink);

/** Measured: 256 KiB is within a few percent of 1 MiB, and 64 uploads then hold 32 MiB together. */
const writeSizeBytes = 256 * 1024;
/** Keeps the list short when pieces are tiny; the kernel takes 1,024 at once (IOV_MAX). */
const pieceCountMax = 512;

export class FileBlobWriter implements BlobWriter {
  readonly #path: string;
  readonly #syncName: () => Promise<void>;
  #descriptor: number | undefined;
  #gathered: Buffer[] = [];
  #gatheredSizeBytes = 0;
  #writing: Promise<void> | undefined;
  #failure: BlobError | undefined;
  #open = true;

  /** The descriptor is the writer's from now on. `syncName` makes the file's name durable. */
  constructor(path: string, descriptor: number, syncName: () => Promise<void>) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.#syncName = syncName;
  }

  async append(bytes: Bytes): Promise<void> {
    assert(this.#open, 'a blob writer is not used after its end');
    this.#throwFailure();
    if (bytes.byteLength > 0) {
      this.#gathered.push(asBuffer(bytes));
      this.#gatheredSizeBytes += bytes.byteLength;
    }
    if (this.#gatheredSizeBytes < writeSizeBytes && this.#gathered.length < pieceCountMax) return;
    if (this.#writing) {
      await this.#writing;
      this.#throwFailure();
    }
    this.#write();
  }

  async finish(): Promise<void> {
    assert(this.#open, 'a blob writer is not used after its end');
    this.#open = false;
    try {
      await this.#writing;
      if (this.#gathered.length > 0) {
        this.#write();
        await this.#writing;
      }
      this.#throwFailure();
      // At the same time, so that one commit of the file system's journal can serve both.
      await allSettledOrThrow([fdatasyncAsync(this.#descriptor!), this.#syncName()]);
      await this.#close();
    } catch (error) {
      await this.#discard();
      throw toBlobError(error, 'write');
    }
  }

  async abort(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#discard();
  }

  /** Begins to write what is gathered. `#writing` never rejects; `#failure` says what went wrong. */
  #write(): void {
    // Several appends at once may all have waited for the same write.
    if (this.#writing || this.#gathered.length === 0) return;
    const pieces = this.#gathered;
    this.#gathered = [];
    this.#gatheredSizeBytes = 0;
    this.#writing = writeAll(this.#descriptor!, pieces)
      .catch((error: unknown) => {
        this.#failure ??= toBlobError(error, 'write');
      })
      .finally(() => {
        this.#writing = undefined;
      });
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure;
  }

  async #close(): Promise<void> {
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    if (descriptor !== undefined) await closeAsync(descriptor);
  }

  /** Never throws: what cannot be removed is an orphan, which `list` shows. */
  async #discard(): Promise<void> {
    this.#gathered = [];
    this.#gatheredSizeBytes = 0;
    await this.#writing;
    await Promise.allSettled([this.#close(), unlinkAsync(this.#path)]);
  }
}

/** Waits for all, so that nothing uses the descriptor any more when it throws the first error. */
async function allSettledOrThrow(promises: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(promises)) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
}

/** A short write is followed by another; that one says why, for instance that the disk is full. */
async function writeAll(descriptor: number, pieces: readonly Buffer[]): Promise<void> {
  let rest = pieces;
  while (rest.length > 0) {
    const written = await writePieces(descriptor, rest);
    rest = dropStart(rest, written);
  }
}

function writePieces(descriptor: number, pieces: readonly Buffer[]): Promise<number> {
  return new Promise((resolve, reject) => {
    writev(descriptor, pieces, null, (error, written) => {
      if (error) reject(error);
      else if (written === 0) reject(new Error('the file took no bytes'));
      else resolve(written);
    });
  });
}

/** What is left of the pieces behind their first `sizeBytes` bytes. */
export function dropStart(pieces: readonly Buffer[], sizeBytes: number): readonly Buffer[] {
  let index = 0;
  let left = sizeBytes;
  while (index < pieces.length && left >= pieces[index]!.byteLength) left -= pieces[index++]!.byteLength;
  const rest = pieces.slice(index);
  if (left > 0) rest[0] = rest[0]!.subarray(left);
  return rest;
}
