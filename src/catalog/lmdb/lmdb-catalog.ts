/**
 * The embedded catalog: LMDB, shared by all processes of one machine.
 *
 * Reads run in the calling thread, from the memory map. Commits go in batches to a thread of their own
 * (writer-thread.ts), one batch at a time; what arrives meanwhile makes the next one, so that many commits
 * share one sync. Why a thread, and none of lmdb-js's own ways to write:
 *   - `transactionSync` in the main thread would block it for as long as the disk takes to sync;
 *   - `transaction(callback)` begins the transaction on a pool thread and runs the callback in the main
 *     thread: every process then waits until this one's event loop comes round, with the write lock held;
 *   - `put` with conditions knows versions, neither values nor ranges.
 * Measured at 32 commits at a time, all of these are as fast as the disk; see bench/catalog-commits.ts.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { assert, type Bytes } from '../../base/index.ts';
import { CatalogError, type Catalog, type CatalogEntry, type CatalogErrorCode, type Commit, type RangeOptions } from '../catalog.ts';
import { checkCommit, checkKey, checkLimit } from '../limits.ts';
import { encodeCommit, joinBatch } from './commit-batch.ts';
import { readRange } from './entry-range.ts';
import { openEnvironment, toCatalogError, type Environment, type LmdbOptions } from './environment.ts';

/** What the writer thread answers for each commit: applied, a check failed, or an error. */
export type CommitResult = boolean | { code: CatalogErrorCode; message: string };

/** Bounds how long one process holds the write lock. One commit may be larger. */
const batchSizeBytesMax = 8 * 1024 * 1024;

/** Throws CatalogError `unreadable`, `full` or `io`. */
export async function openLmdbCatalog(options: LmdbOptions): Promise<Catalog> {
  const environment = await openEnvironment(options);
  try {
    return new LmdbCatalog(environment, await startWriter(options));
  } catch (error) {
    await environment.root.close();
    throw toCatalogError(error, `catalog at ${options.path}`);
  }
}

async function startWriter(options: LmdbOptions): Promise<Worker> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const writer = new Worker(new URL(`./writer-thread.${extension}`, import.meta.url), {
    name: 'catalog-writer',
    workerData: options,
    // Not the ones of the process: some, such as --input-type, are refused where a file is run.
    execArgv: [],
  });
  await once(writer, 'message');
  return writer;
}

interface WaitingCommit {
  encoded: Buffer;
  resolve: (applied: boolean) => void;
  reject: (error: CatalogError) => void;
}

class LmdbCatalog implements Catalog {
  readonly #environment: Environment;
  readonly #writer: Worker;
  #waiting: WaitingCommit[] = [];
  #writing: WaitingCommit[] = [];
  #scheduled = false;
  #closing = false;
  #closed: Promise<void> | undefined;
  #idle: (() => void) | undefined;
  #failure: CatalogError | undefined;

  constructor(environment: Environment, writer: Worker) {
    this.#environment = environment;
    this.#writer = writer;
    writer.on('message', (results: CommitResult[]) => this.#settle(results));
    writer.on('error', (error) => this.#fail(error));
    writer.on('exit', () => this.#fail(new Error('the writer thread has ended')));
    // An open catalog alone keeps no process alive; a commit under way does.
    writer.unref();
  }

  async get(key: Bytes): Promise<Buffer | undefined> {
    checkKey(key);
    return this.#read(() => this.#environment.entries.get(key as Buffer));
  }

  async range(options: RangeOptions): Promise<CatalogEntry[]> {
    checkLimit(options);
    return this.#read(() => readRange(this.#environment.entries, options));
  }

  async commit(commit: Commit): Promise<boolean> {
    this.#checkOpen();
    checkCommit(commit);
    const encoded = encodeCommit(commit);
    if (this.#failure) throw this.#failure;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ encoded, resolve, reject });
      this.#schedule();
    });
  }

  close(): Promise<void> {
    this.#closing = true;
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    if (this.#waiting.length > 0 || this.#writing.length > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    if (!this.#failure) {
      const ended = once(this.#writer, 'exit');
      this.#writer.ref();
      this.#writer.postMessage('close');
      await ended;
    }
    await this.#environment.root.close();
  }

  /**
   * INVARIANT: no read transaction outlives a read, so each one begins with the newest commit of any
   * process. lmdb-js would keep it for the rest of the event turn, and miss what others commit meanwhile.
   */
  #read<Result>(read: () => Result): Result {
    this.#checkOpen();
    try {
      return read();
    } catch (error) {
      throw toCatalogError(error, 'read');
    } finally {
      this.#environment.entries.resetReadTxn();
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.#writing.length > 0) return;
    this.#scheduled = true;
    // At the end of the event turn, so that all commits of this turn go together.
    setImmediate(() => {
      this.#scheduled = false;
      this.#send();
    });
  }

  #send(): void {
    if (this.#waiting.length === 0 || this.#failure) return;
    let count = 0;
    let sizeBytes = 0;
    while (count < this.#waiting.length) {
      sizeBytes += this.#waiting[count]!.encoded.byteLength;
      if (count > 0 && sizeBytes > batchSizeBytesMax) break;
      count++;
    }
    this.#writing = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    const batch = joinBatch(this.#writing.map(({ encoded }) => encoded));
    this.#writer.ref();
    this.#writer.postMessage(new Uint8Array(batch), [batch]);
  }

  #settle(results: readonly CommitResult[]): void {
    const settled = this.#writing;
    assert(settled.length === results.length, 'each commit of a batch has its result');
    this.#writing = [];
    this.#writer.unref();
    if (this.#waiting.length > 0) this.#schedule();
    else this.#idle?.();
    for (const [index, { resolve, reject }] of settled.entries()) {
      const result = results[index]!;
      if (typeof result === 'boolean') resolve(result);
      else reject(new CatalogError(result.code, result.message));
    }
  }

  /** The writer thread is gone: what it was writing may be on the disk or not. */
  #fail(cause: unknown): void {
    if (this.#failure) return;
    this.#failure = new CatalogError('io', 'the catalog can no longer be written', { cause });
    const lost = [...this.#writing, ...this.#waiting];
    this.#writing = [];
    this.#waiting = [];
    for (const { reject } of lost) reject(this.#failure);
    this.#idle?.();
  }

  #checkOpen(): void {
    assert(!this.#closing, 'a closed catalog is not used');
  }
}
