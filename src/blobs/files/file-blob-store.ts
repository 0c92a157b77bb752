/**
 * Blobs as files: `<path>/<first two digits of the id>/<id>`.
 *
 * A blob is written under its own name from the start. What a crash leaves unfinished is an orphan like
 * any other: no record names it, and whoever compares `list` with the records finds it.
 */
import { closeSync, constants, fstatSync, open, unlink } from 'node:fs';
import { lstat, mkdir, opendir, readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { assert } from '../../base/index.ts';
import { checkBlobId, isBlobId } from '../blob-id.ts';
import { BlobError, type BlobId, type BlobListing, type BlobReader, type BlobStore, type BlobWriter } from '../blob-store.ts';
import { DirectorySync } from './directory-sync.ts';
import { isErrno, toBlobError } from './file-errors.ts';
import { FileBlobReader } from './file-blob-reader.ts';
import { FileBlobWriter } from './file-blob-writer.ts';

const openAsync = promisify(open);
const unlinkAsync = promisify(unlink);

const createFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW;

/** How many files `list` looks at together. */
const listBatchCount = 64;

export interface FileBlobStoreOptions {
  /** Directory of the blobs; made when it is not there. */
  path: string;
}

/** Throws BlobError `full` or `io`. */
export async function openFileBlobStore({ path }: FileBlobStoreOptions): Promise<BlobStore> {
  const directorySync = new DirectorySync();
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    const present = new Set(await readdir(path));
    const missing = fanOut().filter((name) => !present.has(name));
    // Recursive, so that another process making the same directory is no error.
    await Promise.all(missing.map((name) => mkdir(join(path, name), { recursive: true, mode: 0o700 })));
    // Names of an earlier process that died before it had synced them are made durable here too.
    await directorySync.sync(path);
    await directorySync.sync(dirname(resolve(path)));
  } catch (error) {
    throw toBlobError(error, `blobs at ${path}`);
  }
  return new FileBlobStore(path, directorySync);
}

function fanOut(): string[] {
  return Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, '0'));
}

class FileBlobStore implements BlobStore {
  readonly #path: string;
  readonly #directorySync: DirectorySync;

  constructor(path: string, directorySync: DirectorySync) {
    this.#path = path;
    this.#directorySync = directorySync;
  }

  async create(id: BlobId): Promise<BlobWriter> {
    const path = this.#pathOf(id);
    let descriptor: number;
    try {
      descriptor = await openAsync(path, createFlags, 0o600);
    } catch (error) {
      assert(!isErrno(error, 'EEXIST'), 'a blob id is used once');
      throw toBlobError(error, `create blob ${id}`);
    }
    return new FileBlobWriter(path, descriptor, () => this.#directorySync.sync(dirname(path)));
  }

  async open(id: BlobId): Promise<BlobReader> {
    const path = this.#pathOf(id);
    try {
      const descriptor = await openAsync(path, readFlags);
      try {
        return new FileBlobReader(descriptor, fstatSync(descriptor).size);
      } catch (error) {
        closeSync(descriptor);
        throw error;
      }
    } catch (error) {
      if (isErrno(error, 'ENOENT')) throw new BlobError('missing', `there is no blob ${id}`, { cause: error });
      throw toBlobError(error, `open blob ${id}`);
    }
  }

  async remove(id: BlobId): Promise<void> {
    const path = this.#pathOf(id);
    try {
      await unlinkAsync(path).catch((error: unknown) => {
        if (!isErrno(error, 'ENOENT')) throw error;
      });
      // Even when the name was gone: who removed it may not have come to its own sync.
      await this.#directorySync.sync(dirname(path));
    } catch (error) {
      throw toBlobError(error, `remove blob ${id}`);
    }
  }

  async *list(): AsyncGenerator<BlobListing> {
    for (const name of fanOut()) {
      let batch: string[] = [];
      for await (const entry of await this.#openDirectory(name)) {
        if (!isBlobId(entry.name) || !entry.name.startsWith(name)) continue;
        batch.push(entry.name);
        if (batch.length < listBatchCount) continue;
        yield* await this.#lookAt(batch);
        batch = [];
      }
      yield* await this.#lookAt(batch);
    }
  }

  async #openDirectory(name: string): ReturnType<typeof opendir> {
    try {
      return await opendir(join(this.#path, name), { bufferSize: 256 });
    } catch (error) {
      throw toBlobError(error, 'list blobs');
    }
  }

  async #lookAt(ids: readonly BlobId[]): Promise<BlobListing[]> {
    const listings = await Promise.all(ids.map((id) => this.#listing(id)));
    return listings.filter((listing) => listing !== undefined);
  }

  async #listing(id: BlobId): Promise<BlobListing | undefined> {
    try {
      const status = await lstat(this.#pathOf(id));
      return status.isFile() ? { id, sizeBytes: status.size, modifiedMs: status.mtimeMs } : undefined;
    } catch (error) {
      // Removed meanwhile.
      if (isErrno(error, 'ENOENT')) return undefined;
      throw toBlobError(error, 'list blobs');
    }
  }

  #pathOf(id: BlobId): string {
    checkBlobId(id);
    return join(this.#path, id.slice(0, 2), id);
  }
}
