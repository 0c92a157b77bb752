/**
 * Makes names durable: fsync of directories, shared by all who wait for the same one.
 *
 * A sync covers the names that were made before it began. Who comes while one is under way therefore
 * waits for the next, together with all others who come meanwhile.
 */
import { closeSync, fsync, openSync } from 'node:fs';
import { promisify } from 'node:util';

const fsyncAsync = promisify(fsync);

export class DirectorySync {
  /** The sync under way in each directory. */
  readonly #running = new Map<string, Promise<void>>();
  /** The one that begins when that has ended. */
  readonly #next = new Map<string, Promise<void>>();

  /** Resolves when all names that the directory has now are durable. */
  sync(path: string): Promise<void> {
    const next = this.#next.get(path);
    if (next) return next;
    const running = this.#running.get(path);
    if (!running) return this.#begin(path);
    const following = running
      .catch(() => {
        // Its own waiters have the error.
      })
      .then(() => {
        this.#next.delete(path);
        return this.#begin(path);
      });
    this.#next.set(path, following);
    return following;
  }

  #begin(path: string): Promise<void> {
    const running = syncDirectory(path).finally(() => this.#running.delete(path));
    this.#running.set(path, running);
    return running;
  }
}

async function syncDirectory(path: string): Promise<void> {
  // Opening a directory that is in use touches no disk: not worth a trip to a pool thread.
  const directory = openSync(path, 'r');
  try {
    await fsyncAsync(directory);
  } finally {
    closeSync(directory);
  }
}
