/**
 * The LMDB environment of a catalog: how it is opened, and the marker that says whose format it is.
 *
 * The environment is a directory (`data.mdb`, `lock.mdb`) with two named databases:
 *
 *     meta      `format` -> {"format":"coffer-catalog","version":1}
 *     entries   the catalog's keys and values, as they are
 *
 * Source: LMDB of npm `lmdb` 3.5 (node_modules/lmdb/open.js, src/env.cpp, dependencies/lmdb).
 */
import { open as openFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { open, type Database, type RootDatabase } from 'lmdb';
import { CatalogError } from '../catalog.ts';
import { checkDataFile } from './data-file.ts';

export interface LmdbOptions {
  /** Directory of the environment; made when it is not there. */
  path: string;
  /**
   * Address space to reserve, not disk. The map grows past it by itself (lmdb-js maps anew and keeps the
   * old map for readers), so it is no limit; reserving enough at the start spares every process that.
   */
  mapSizeBytes?: number;
}

export type Entries = Database<Buffer, Buffer>;

export interface Environment {
  root: RootDatabase<Buffer, Buffer>;
  entries: Entries;
}

const formatName = 'coffer-catalog';
const formatVersion = 1;
const formatKey = Buffer.from('format');

const mapSizeBytesDefault = 2 ** 38;
/** A slot is held by each thread that reads: two in each process. */
const readerCountMax = 510;

const storeOptions = {
  encoding: 'binary',
  keyEncoding: 'binary',
} as const;

/**
 * lmdb-js reads every value into one buffer of its own, whose `length` it sets, and then has it decoded.
 * A copy into Node's pool costs half of the fresh ArrayBuffer that lmdb-js would make of it.
 */
const copyingEncoder = {
  encode: (value: Buffer): Buffer => value,
  decode(shared: Buffer): Buffer {
    const sizeBytes = shared.length;
    const value = Buffer.allocUnsafe(sizeBytes);
    shared.copy(value, 0, 0, sizeBytes);
    return value;
  },
};

// A value apart, since the typings lack `encoder` here (open.js reads it).
const entriesOptions = { name: 'entries', ...storeOptions, encoder: copyingEncoder };

function openEntries(root: RootDatabase<Buffer, Buffer>): Entries {
  return root.openDB<Buffer, Buffer>(entriesOptions);
}

/** Opens the environment, makes it when it is new. Throws CatalogError `unreadable`, `full` or `io`. */
export async function openEnvironment(options: LmdbOptions): Promise<Environment> {
  let environment: Environment;
  try {
    await checkDataFile(options.path);
    environment = openChecked(options);
  } catch (error) {
    throw toCatalogError(error, `catalog at ${options.path}`);
  }
  // LMDB syncs what it writes into its files, not the names of these files.
  await syncDirectory(options.path);
  await syncDirectory(dirname(resolve(options.path)));
  return environment;
}

/** The same environment again from another thread of the process that has opened and checked it. */
export function openCheckedEnvironment(options: LmdbOptions): Environment {
  const root = openRoot(options);
  return { root, entries: openEntries(root) };
}

function openRoot({ path, mapSizeBytes }: LmdbOptions): RootDatabase<Buffer, Buffer> {
  const options = {
    path,
    ...storeOptions,
    noSubdir: false,
    maxReaders: readerCountMax,
    mapSize: mapSizeBytes ?? mapSizeBytesDefault,
    // Plain LMDB commits: what is visible is durable. With overlapping syncs a process killed while it
    // syncs can leave the others with MDB_PANIC (mdb_mutex_failed in mdb.c takes the sync lock for the
    // write lock), and readers would see what a power loss may still take back. Measured, it gains little.
    overlappingSync: false,
    // Others on the machine have no business here. The typings lack it; env.cpp reads it.
    permissionsMode: 0o600,
  };
  return open<Buffer, Buffer>(options);
}

function openChecked(options: LmdbOptions): Environment {
  const root = openRoot(options);
  try {
    // lmdb-js ends the names of databases with a zero byte.
    const names = [...root.getKeys({ start: Buffer.from([0]) })].map((name) => name.toString('latin1').replace(/\0$/, ''));
    if (names.length > 0 && !names.includes('meta')) throw foreign();
    const meta = root.openDB<Buffer, Buffer>({ name: 'meta', ...storeOptions });
    // Another process may be making the same environment: who has the write lock first, writes the marker.
    const marker = meta.transactionSync(() => {
      const found = meta.get(formatKey);
      if (found || names.includes('entries')) return found;
      const written = Buffer.from(JSON.stringify({ format: formatName, version: formatVersion }));
      meta.putSync(formatKey, written);
      return written;
    });
    checkFormat(marker);
    return { root, entries: openEntries(root) };
  } catch (error) {
    void root.close();
    throw error;
  }
}

function foreign(cause?: unknown): CatalogError {
  return new CatalogError('unreadable', 'these files are an LMDB environment, but not a catalog of ours', { cause });
}

function checkFormat(marker: Buffer | undefined): void {
  if (!marker) throw foreign();
  let found: { format?: unknown; version?: unknown };
  try {
    found = JSON.parse(marker.toString('utf8')) as typeof found;
  } catch (error) {
    throw foreign(error);
  }
  if (found.format !== formatName || typeof found.version !== 'number') throw foreign();
  if (found.version !== formatVersion) {
    throw new CatalogError(
      'unreadable',
      `the catalog has format version ${found.version}; this program reads version ${formatVersion}`,
    );
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await openFile(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** MDB_MAP_FULL; EFBIG, ENOSPC, EDQUOT (Linux, BSD) as LMDB says them, and as Node does. */
const fullCodes: ReadonlySet<unknown> = new Set([-30792, 27, 28, 122, 69, 'EFBIG', 'ENOSPC', 'EDQUOT']);
/** MDB_PAGE_NOTFOUND, MDB_CORRUPTED, MDB_VERSION_MISMATCH, MDB_INVALID. */
const unreadableCodes: ReadonlySet<unknown> = new Set([-30797, -30796, -30794, -30793]);

/** What LMDB or the operating system said as a CatalogError, with the original as its cause. */
export function toCatalogError(error: unknown, what: string): CatalogError {
  if (error instanceof CatalogError) return error;
  const { code, message } = error as { code?: unknown; message?: string };
  if (fullCodes.has(code)) return new CatalogError('full', `${what}: no room on the disk`, { cause: error });
  return new CatalogError(unreadableCodes.has(code) ? 'unreadable' : 'io', `${what}: ${message}`, { cause: error });
}
