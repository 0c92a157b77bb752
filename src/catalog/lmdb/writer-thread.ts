/**
 * The thread that writes: takes batches of commits, answers when they are on the disk.
 *
 * Each batch is one LMDB transaction, so its commits share one sync. Checks are evaluated inside that
 * transaction, under LMDB's write lock, which all processes share. A commit whose checks fail writes
 * nothing, so it needs no transaction of its own.
 *
 * A plain LMDB commit writes its pages, calls fdatasync, then writes the meta page through a descriptor
 * opened with O_DSYNC, and only then is it visible (mdb_txn_commit in mdb.c): when transactionSync returns,
 * the batch is durable.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../base/index.ts';
import { CatalogError, type Check } from '../catalog.ts';
import { decodeBatch, type DecodedCommit } from './commit-batch.ts';
import { readRange } from './entry-range.ts';
import { openCheckedEnvironment, toCatalogError, type LmdbOptions } from './environment.ts';
import type { CommitResult } from './lmdb-catalog.ts';

/** How long the pages that a dead process was reading may stay unused. A check is a system call per process. */
const readerCheckIntervalMs = 1_000;
const diskFull = new CatalogError('full', 'commit: no room on the disk');

assert(parentPort, 'this module runs in a worker thread');
const port = parentPort;
const options = workerData as LmdbOptions;
const { root, entries } = openCheckedEnvironment(options);
let readersCheckedAtMs = performance.now();

port.on('message', (batch: Uint8Array | 'close') => {
  if (batch === 'close') {
    void root.close().then(() => port.close());
    return;
  }
  forgetDeadReaders();
  port.postMessage(commitAll(decodeBatch(batch)));
});
port.postMessage('open');

function commitAll(commits: readonly DecodedCommit[]): CommitResult[] {
  try {
    return root.transactionSync(() => commits.map(apply));
  } catch (error) {
    if (commits.length === 1) {
      const { code, message } = isShortWrite(error) && isDiskFull(commits[0]!) ? diskFull : toCatalogError(error, 'commit');
      return [{ code, message }];
    }
    // Nothing of the batch was written. One commit that is too large for the disk must not fail the others.
    return commits.flatMap((commit) => commitAll([commit]));
  }
}

function apply({ checks, deletes, puts }: DecodedCommit): boolean {
  if (!checks.every(holds)) return false;
  for (const key of deletes) entries.removeSync(key);
  for (const { key, value } of puts) entries.putSync(key, value);
  return true;
}

function holds(check: Check): boolean {
  if (check.kind === 'empty') return readRange(entries, { start: check.start, end: check.end, limit: 1 }).length === 0;
  const value = entries.get(check.key as Buffer);
  return check.value === undefined ? value === undefined : value !== undefined && value.equals(check.value);
}

/** LMDB says EIO, too, when the file took only a part of a write (mdb_page_flush in mdb.c). */
function isShortWrite(error: unknown): boolean {
  return (error as { code?: unknown }).code === 5;
}

/**
 * Whether the file cannot grow by about what the commit needs. A single block proves nothing: file systems
 * keep a few back that a small write still gets.
 * INVARIANT: only behind the end of the file, and under the write lock, so that nobody else extends it
 * meanwhile; no committed page lies there.
 */
function isDiskFull(commit: DecodedCommit): boolean {
  let neededSizeBytes = 1024 * 1024;
  for (const { key, value } of commit.puts) neededSizeBytes += 2 * (key.byteLength + value.byteLength);
  const zeros = Buffer.alloc(256 * 1024);
  return root.transactionSync(() => {
    const file = openSync(join(options.path, 'data.mdb'), 'r+');
    const { size } = fstatSync(file);
    try {
      for (let offset = 0; offset < neededSizeBytes; ) offset += writeSync(file, zeros, 0, zeros.byteLength, size + offset);
      return false;
    } catch (error) {
      return ['ENOSPC', 'EDQUOT', 'EFBIG'].includes((error as NodeJS.ErrnoException).code ?? '');
    } finally {
      ftruncateSync(file, size);
      closeSync(file);
    }
  });
}

function forgetDeadReaders(): void {
  const nowMs = performance.now();
  if (nowMs - readersCheckedAtMs < readerCheckIntervalMs) return;
  readersCheckedAtMs = nowMs;
  // lmdb-js's typings lack it.
  (root as unknown as { readerCheck(): number }).readerCheck();
}
