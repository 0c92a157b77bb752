import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { open } from 'lmdb';
import { openLmdbCatalog } from '../index.ts';

const script = new URL('../../../test/suites/catalog-process.ts', import.meta.url).pathname;
const stores = { encoding: 'binary', keyEncoding: 'binary', noSubdir: false, overlappingSync: false } as const;
const format = Buffer.from('format');

async function emptyPath(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'coffer-catalog-'));
  context.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Writes a format marker as another version of this program would. */
async function writeMarker(path: string, marker: Buffer): Promise<void> {
  const root = open<Buffer, Buffer>({ path, ...stores });
  await root.openDB<Buffer, Buffer>({ name: 'meta', ...stores }).put(format, marker);
  await root.close();
}

describe('the environment of the LMDB catalog', () => {
  test('keeps what was committed when it is opened again', async (context) => {
    const path = await emptyPath(context);
    for (let count = 0; count < 3; count++) {
      const catalog = await openLmdbCatalog({ path });
      assert.equal((await catalog.range({ start: Buffer.from('a'), end: Buffer.from('b') })).length, count);
      await catalog.commit({ puts: [{ key: Buffer.from(`a${count}`), value: Buffer.from('v') }] });
      await catalog.close();
    }
  });

  test('is made with its directories, for nobody else to read', async (context) => {
    const path = join(await emptyPath(context), 'deep', 'er.v1');
    const catalog = await openLmdbCatalog({ path, mapSizeBytes: 2 ** 30 });
    await catalog.close();
    assert.equal((await stat(join(path, 'data.mdb'))).mode & 0o777, 0o600);
    assert.equal((await stat(join(path, 'lock.mdb'))).mode & 0o777, 0o600);
  });

  test('carries its format and version', async (context) => {
    const path = await emptyPath(context);
    await (await openLmdbCatalog({ path })).close();
    const root = open<Buffer, Buffer>({ path, ...stores });
    const marker = root.openDB<Buffer, Buffer>({ name: 'meta', ...stores }).get(format);
    assert.deepEqual(JSON.parse(marker!.toString()), { format: 'coffer-catalog', version: 1 });
    await root.close();
  });

  test('is refused when its version is not ours, and the error names both', async (context) => {
    const path = await emptyPath(context);
    await (await openLmdbCatalog({ path })).close();
    await writeMarker(path, Buffer.from(JSON.stringify({ format: 'coffer-catalog', version: 2 })));
    await assert.rejects(openLmdbCatalog({ path }), {
      name: 'CatalogError', code: 'unreadable', message: 'the catalog has format version 2; this program reads version 1',
    });
  });

  test('is refused when it is somebody else\'s, and left as it was', async (context) => {
    const markers: (Buffer | undefined)[] = [undefined, Buffer.from('{"format":"other","version":1}'), Buffer.from('not JSON')];
    for (const marker of markers) {
      const path = await emptyPath(context);
      const root = open<Buffer, Buffer>({ path, ...stores });
      await root.openDB<Buffer, Buffer>({ name: 'theirs', ...stores }).put(Buffer.from('a'), Buffer.from('b'));
      await root.close();
      if (marker) await writeMarker(path, marker);
      const before = await readFile(join(path, 'data.mdb'));
      await assert.rejects(openLmdbCatalog({ path }), { name: 'CatalogError', code: 'unreadable' });
      assert.ok((await readFile(join(path, 'data.mdb'))).equals(before));
    }
  });

  test('is refused when the file is no LMDB file, of another LMDB, or cut off', async (context) => {
    const source = await emptyPath(context);
    const catalog = await openLmdbCatalog({ path: source });
    for (let count = 0; count < 50; count++) {
      await catalog.commit({ puts: [{ key: Buffer.from(`key ${count}`), value: Buffer.alloc(1000) }] });
    }
    await catalog.close();
    const intact = await readFile(join(source, 'data.mdb'));
    const changed = (change: (data: Buffer) => void): Buffer => {
      const data = Buffer.from(intact);
      change(data);
      return data;
    };
    const damages: [string, Buffer][] = [
      ['text', Buffer.alloc(65_536, 'x')],
      ['zeros', Buffer.alloc(65_536)],
      ['one byte', Buffer.from('x')],
      ['the first page alone', intact.subarray(0, 4096)],
      ['both meta pages alone', intact.subarray(0, 8192)],
      ['the magic of the second page', changed((data) => data.writeUInt32LE(0, 4096 + 24))],
      ['LMDB version 1', changed((data) => data.writeUInt32LE(1, 28))],
      ['a page size that is none', changed((data) => data.writeUInt32LE(4095, 48))],
    ];
    for (const [title, data] of damages) {
      const path = await emptyPath(context);
      await writeFile(join(path, 'data.mdb'), data);
      await assert.rejects(openLmdbCatalog({ path }), { name: 'CatalogError', code: 'unreadable' }, title);
    }
    const path = await emptyPath(context);
    await writeFile(join(path, 'data.mdb'), intact);
    const copy = await openLmdbCatalog({ path });
    assert.equal((await copy.get(Buffer.from('key 49')))?.byteLength, 1000, 'and the intact one is not');
    await copy.close();
  });

  test('is new where there is a file of no bytes', async (context) => {
    const path = await emptyPath(context);
    await writeFile(join(path, 'data.mdb'), '');
    await (await openLmdbCatalog({ path })).close();
  });

  test('is refused when the path is a file', async (context) => {
    const path = join(await emptyPath(context), 'file');
    await writeFile(path, 'x');
    await assert.rejects(openLmdbCatalog({ path }), { name: 'CatalogError', code: 'io' });
  });

  test('may be made by several processes at the same time', async (context) => {
    const path = await emptyPath(context);
    const endings = Array.from({ length: 4 }, async () => {
      const child = spawn(process.execPath, [script, 'increment', path, '3'], { stdio: ['ignore', 'ignore', 'inherit'] });
      context.after(() => child.kill('SIGKILL'));
      const [code] = await once(child, 'close');
      return code as number;
    });
    assert.deepEqual(await Promise.all(endings), [0, 0, 0, 0]);
    const catalog = await openLmdbCatalog({ path });
    assert.equal((await catalog.get(Buffer.from('counter')))?.toString(), '12');
    await catalog.close();
  });

  test('an open catalog alone keeps no process alive', async (context) => {
    const path = await emptyPath(context);
    const source = `
      import { openLmdbCatalog } from ${JSON.stringify(new URL('../index.ts', import.meta.url).href)};
      const catalog = await openLmdbCatalog({ path: ${JSON.stringify(path)} });
      // Not awaited: the process ends when it is durable, not before.
      void catalog.commit({ puts: [{ key: Buffer.from('last'), value: Buffer.from('word') }] });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'ignore', 'inherit'] });
    context.after(() => child.kill('SIGKILL'));
    assert.deepEqual((await once(child, 'close'))[0], 0);
    const catalog = await openLmdbCatalog({ path });
    assert.equal((await catalog.get(Buffer.from('last')))?.toString(), 'word');
    await catalog.close();
  });
});
