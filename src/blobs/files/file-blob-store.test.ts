import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test, type TestContext } from 'node:test';
import { blobStoreSuite, patternBytes, randomBlobId } from '../../../test/suites/blob-store-suite.ts';
import { openFileBlobStore, type BlobStore } from '../index.ts';

const script = new URL('../../../test/suites/blob-process.ts', import.meta.url).pathname;

async function emptyPath(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'coffer-blobs-'));
  context.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function sizesById(store: BlobStore): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for await (const { id, sizeBytes } of store.list()) sizes.set(id, sizeBytes);
  return sizes;
}

blobStoreSuite('files', async (context) => openFileBlobStore({ path: await emptyPath(context) }));

describe('blobs in files', () => {
  test('lie in 256 directories by the first two digits, for nobody else to read', async (context) => {
    const path = await emptyPath(context);
    const store = await openFileBlobStore({ path });
    assert.equal((await readdir(path)).length, 256);
    const writer = await store.create('ab0123456789abcdef0123456789abcd');
    await writer.append(Buffer.from('sealed'));
    await writer.finish();
    const status = await stat(join(path, 'ab', 'ab0123456789abcdef0123456789abcd'));
    assert.equal(status.size, 6);
    assert.equal(status.mode & 0o777, 0o600);
    assert.equal((await stat(join(path, 'ab'))).mode & 0o777, 0o700);
  });

  test('are there again when the store is opened again, also by another at the same time', async (context) => {
    const path = await emptyPath(context);
    const [store, other] = await Promise.all([openFileBlobStore({ path }), openFileBlobStore({ path })]);
    const id = randomBlobId();
    const writer = await store.create(id);
    await writer.append(patternBytes(1000));
    await writer.finish();
    for (const opened of [other, await openFileBlobStore({ path })]) {
      const reader = await opened.open(id);
      assert.deepEqual(await reader.read(0, 1000), patternBytes(1000));
      await reader.close();
    }
  });

  test('what is not ours beside them is neither listed nor read', async (context) => {
    const path = await emptyPath(context);
    const store = await openFileBlobStore({ path });
    const misplaced = randomBlobId().replace(/^../, 'cd');
    await writeFile(join(path, 'ab', 'abnotes.txt'), 'x');
    await writeFile(join(path, 'ab', misplaced), 'x');
    await writeFile(join(path, 'lost'), 'x');
    await mkdir(join(path, 'cd', misplaced));
    const link = randomBlobId().replace(/^../, 'ef');
    await symlink('/etc/hostname', join(path, 'ef', link));
    assert.deepEqual(await sizesById(store), new Map());
    await assert.rejects(store.open(link), { name: 'BlobError', code: 'io' });
  });

  test('one that was cut off after it was opened is truncated, not padded', async (context) => {
    const path = await emptyPath(context);
    const store = await openFileBlobStore({ path });
    const id = randomBlobId();
    const writer = await store.create(id);
    await writer.append(patternBytes(100_000));
    await writer.finish();
    const reader = await store.open(id);
    await truncate(join(path, id.slice(0, 2), id), 50_000);
    await assert.rejects(reader.read(40_000, 60_000), { name: 'BlobError', code: 'truncated' });
    assert.deepEqual(await reader.read(40_000, 50_000), patternBytes(100_000).subarray(40_000, 50_000));
    await reader.close();
  });

  test('a path that is no directory is refused', async (context) => {
    const path = join(await emptyPath(context), 'file');
    await writeFile(path, 'x');
    await assert.rejects(openFileBlobStore({ path }), { name: 'BlobError', code: 'io' });
  });

  test('after a kill what was finished is whole, and what was not is listed', async (context) => {
    const path = await emptyPath(context);
    const begun = new Set<string>();
    const finished = new Map<string, number>();
    const child = spawn(process.execPath, [script, 'storm', path], { stdio: ['ignore', 'pipe', 'inherit'] });
    context.after(() => child.kill('SIGKILL'));
    const closed = once(child, 'close');
    for await (const line of createInterface({ input: child.stdout })) {
      const [what, id, seed] = line.split(' ') as [string, string, string?];
      begun.add(id);
      if (what === 'finished') finished.set(id, Number(seed));
      if (finished.size === 40) child.kill('SIGKILL');
    }
    await closed;
    const store = await openFileBlobStore({ path });
    const sizes = await sizesById(store);
    for (const [id, seed] of finished) {
      assert.equal(sizes.get(id), 400_000 + seed);
      const reader = await store.open(id);
      assert.ok((await reader.read(0, reader.sizeBytes)).equals(patternBytes(400_000 + seed, seed)));
      await reader.close();
    }
    // At most one begun blob for each of the eight, and each of them can be removed.
    const unfinished = [...sizes.keys()].filter((id) => !finished.has(id));
    assert.ok(unfinished.length <= 8);
    for (const id of unfinished) await store.remove(id);
    assert.deepEqual(new Set((await sizesById(store)).keys()), new Set(finished.keys()));
  });

  test('a full disk is refused as full, leaves nothing behind, and what fits goes on', {
    skip: process.platform === 'win32' && 'needs a limit on the size of files (ulimit -f)',
  }, async (context) => {
    const path = await emptyPath(context);
    // A limit on the size of files stands in for the disk: writes beyond it fail (EFBIG) as they do when it is full.
    const child = spawn('/bin/sh', ['-c', 'ulimit -f 8192 && exec "$@"', 'sh', process.execPath, script, 'fill', path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    context.after(() => child.kill('SIGKILL'));
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) lines.push(line);
    assert.deepEqual(lines, ['full', 'full', 'full', '0', 'done', 'true']);
  });
});
