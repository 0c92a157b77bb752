/**
 * Looks at the files of an environment before LMDB does.
 *
 * When LMDB refuses to open, lmdb-js 3.5 frees what it still uses (EnvWrap::openEnv and closeEnv in env.cpp
 * both delete the same ExtendedEnv) and the process dies without a word. So what can be wrong with the
 * files is found out here first: no access, no room, somebody else's file, another version, a file cut off.
 *
 * The meta pages are page 0 and page 1, each a header of 24 bytes and then (little-endian, mdb.c MDB_meta):
 *
 *      24   4  magic 0xbeefc0de
 *      28   4  version, in its lower 16 bits; 2 in lmdb-js
 *      48   4  page size in bytes
 *      88   8  root page of the free list, all ones for none
 *     136   8  root page of the main database, all ones for none
 *     152   8  transaction id; the meta page with the higher one holds
 */
import { constants } from 'node:fs';
import { access, mkdir, open, rm, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CatalogError } from '../catalog.ts';

const magic = 0xbeefc0de;
const lmdbVersion = 2;
const metaSizeBytes = 168;
const noPage = 0xffff_ffff_ffff_ffffn;
/** Room for what LMDB writes when it makes an environment: two meta pages, and the table of readers. */
const newSizeBytes = 64 * 1024;

/** Makes the directory when it is not there. Throws CatalogError `unreadable`, or what the system said. */
export async function checkDataFile(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  const hasData = await checkAccess(join(path, 'data.mdb'));
  const hasLock = await checkAccess(join(path, 'lock.mdb'));
  if (!hasData || !hasLock) await checkRoom(path);
  if (hasData) await checkMetaPages(join(path, 'data.mdb'));
}

/** False when the file is not there. */
async function checkAccess(path: string): Promise<boolean> {
  try {
    await access(path, constants.R_OK | constants.W_OK);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

async function checkRoom(path: string): Promise<void> {
  const probe = join(path, `probe-${process.pid}`);
  try {
    await writeFile(probe, Buffer.alloc(newSizeBytes), { mode: 0o600 });
  } finally {
    await rm(probe, { force: true });
  }
}

interface MetaPage {
  pageSizeBytes: number;
  roots: bigint[];
  transactionId: bigint;
}

async function checkMetaPages(path: string): Promise<void> {
  const sizeBytes = await settledSizeBytes(path);
  // LMDB makes a file of no bytes new.
  if (sizeBytes === 0) return;
  const file = await open(path, 'r');
  try {
    const first = await readMetaPage(file, 0);
    if (sizeBytes < 2 * first.pageSizeBytes) throw damaged();
    const second = await readMetaPage(file, first.pageSizeBytes);
    const { pageSizeBytes, roots } = first.transactionId > second.transactionId ? first : second;
    for (const root of roots) {
      if (root !== noPage && (root + 1n) * BigInt(pageSizeBytes) > BigInt(sizeBytes)) throw damaged();
    }
  } finally {
    await file.close();
  }
}

/** Another process may just now be making the file; until it has both of its meta pages, it is looked at again. */
async function settledSizeBytes(path: string): Promise<number> {
  for (let tries = 0; ; tries++) {
    const { size } = await stat(path);
    if (size === 0 || size >= 2 * 4096 || tries === 20) return size;
    await delay(50);
  }
}

async function readMetaPage(file: FileHandle, position: number): Promise<MetaPage> {
  const page = Buffer.alloc(metaSizeBytes);
  const { bytesRead } = await file.read(page, 0, metaSizeBytes, position);
  if (bytesRead < metaSizeBytes || page.readUInt32LE(24) !== magic) throw new CatalogError('unreadable', 'data.mdb is no LMDB file');
  const version = page.readUInt16LE(28);
  if (version !== lmdbVersion) {
    throw new CatalogError('unreadable', `data.mdb has LMDB version ${version}; this program reads version ${lmdbVersion}`);
  }
  const pageSizeBytes = page.readUInt32LE(48);
  if (pageSizeBytes < 256 || pageSizeBytes > 65_536 || (pageSizeBytes & (pageSizeBytes - 1)) !== 0) throw damaged();
  return {
    pageSizeBytes,
    roots: [page.readBigUInt64LE(88), page.readBigUInt64LE(136)],
    transactionId: page.readBigUInt64LE(152),
  };
}

function damaged(): CatalogError {
  return new CatalogError('unreadable', 'data.mdb is damaged: pages are missing');
}
