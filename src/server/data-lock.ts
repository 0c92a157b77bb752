/**
 * One server for one data directory. The lock is the operating system's lock on a file, so it ends with the
 * process however that ends, and holds across containers that share a volume. SQLite serves only as the way
 * to such a lock in Node.js; nothing is stored in the file.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface DataLock {
  release(): void;
}

export class DataInUse extends Error {
  constructor(directory: string, holder: string) {
    super(`another server is running on the data in ${directory}${holder}; two servers must not share one data directory`);
    this.name = 'DataInUse';
  }
}

/** The directory must exist. Throws DataInUse. */
export function lockData(directory: string): DataLock {
  const holderPath = join(directory, 'lock.pid');
  const database = new DatabaseSync(join(directory, 'lock'));
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    // SQLITE_BUSY
    if ((error as { errcode?: number }).errcode === 5) throw new DataInUse(directory, holderText(holderPath));
    throw error;
  }
  writeFileSync(holderPath, `${process.pid}\n`);
  return { release: () => database.close() };
}

function holderText(path: string): string {
  try {
    return ` (process ${readFileSync(path, 'utf8').trim()})`;
  } catch {
    return '';
  }
}
