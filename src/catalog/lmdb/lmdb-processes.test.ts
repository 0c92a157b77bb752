/** What several processes on one LMDB catalog, and processes that are killed, may count on. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test, type TestContext } from 'node:test';
import { openLmdbCatalog, type Catalog } from '../index.ts';

const script = new URL('../../../test/suites/catalog-process.ts', import.meta.url).pathname;

async function emptyPath(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'coffer-catalog-'));
  context.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function openCatalog(context: TestContext, path: string): Promise<Catalog> {
  const catalog = await openLmdbCatalog({ path });
  context.after(() => catalog.close());
  return catalog;
}

interface Process {
  child: ChildProcess;
  /** Waits for a line; undefined at the end. */
  nextLine(): Promise<string | undefined>;
  ended: Promise<number | null>;
}

function start(context: TestContext, command: readonly [string, ...string[]]): Process {
  const child = spawn(command[0], command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
  context.after(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    ended: once(child, 'close').then(([code]) => code as number | null),
    async nextLine() {
      const { value, done } = await lines.next();
      return done ? undefined : value;
    },
  };
}

function startRole(context: TestContext, role: string, path: string, argument = ''): Process {
  return start(context, [process.execPath, script, role, path, argument]);
}

describe('lmdb catalog: several processes', () => {
  test('no increment is lost between processes that race', async (context) => {
    const path = await emptyPath(context);
    const incrementCount = 60;
    const processes = Array.from({ length: 3 }, () => startRole(context, 'increment', path, String(incrementCount)));
    assert.deepEqual(await Promise.all(processes.map(({ ended }) => ended)), [0, 0, 0]);
    const catalog = await openCatalog(context, path);
    assert.equal((await catalog.get(Buffer.from('counter')))?.toString(), String(3 * incrementCount));
  });

  test('a read sees what another process has committed before it, within one event turn too', async (context) => {
    const path = await emptyPath(context);
    const catalog = await openCatalog(context, path);
    const put = (value: string): Promise<boolean> => catalog.commit({ puts: [{ key: Buffer.from('seen'), value: Buffer.from(value) }] });
    const roundCount = 50;
    await put('0');
    const watcher = startRole(context, 'watch', path, String(roundCount));
    for (let round = 1; round <= roundCount; round++) {
      assert.equal(await watcher.nextLine(), `${round - 1} ${round - 1}`);
      await put(String(round));
      watcher.child.stdin!.write('.');
      assert.equal(await watcher.nextLine(), `${round} ${round}`);
      watcher.child.stdin!.write('.');
    }
    assert.equal(await watcher.ended, 0);
  });
});

describe('lmdb catalog: killed processes', () => {
  test('what was acknowledged is there, nothing is there by half, and the other process goes on', async (context) => {
    const path = await emptyPath(context);
    const survivor = await openCatalog(context, path);
    const acknowledged: string[] = [];
    for (let round = 0; round < 4; round++) {
      const storms = [startRole(context, 'storm', path, `${round}a`), startRole(context, 'storm', path, `${round}b`)];
      await Promise.all(
        storms.map(async ({ child, nextLine, ended }, index) => {
          // Kills at different moments of a batch; what the pipe still holds was acknowledged as well.
          const killAfterCount = 37 + 61 * round + 17 * index;
          for (let count = 0; ; count++) {
            const line = await nextLine();
            if (line === undefined) break;
            acknowledged.push(line);
            if (count === killAfterCount) child.kill('SIGKILL');
          }
          await ended;
        }),
      );
      assert.equal(await survivor.commit({ puts: [{ key: Buffer.from('survivor'), value: Buffer.from(String(round)) }] }), true);
    }
    for (const name of acknowledged) {
      for (const side of ['first', 'second']) {
        const found = await survivor.get(Buffer.from(`${side}/${name}`));
        assert.equal(found?.toString(), name.repeat(40), `${side}/${name}`);
      }
    }
    const names = async (side: string): Promise<string[]> => {
      const entries = await survivor.range({ start: Buffer.from(`${side}/`), end: Buffer.from(`${side}0`) });
      return entries.map((entry) => entry.key.toString().slice(side.length));
    };
    const firsts = await names('first');
    assert.deepEqual(firsts, await names('second'), 'a commit is there with both of its keys or with none');
    assert.ok(firsts.length >= acknowledged.length && acknowledged.length > 8 * 37);
  });

  test('the view of a killed reader does not keep old pages for ever', async (context) => {
    const path = await emptyPath(context);
    const catalog = await openCatalog(context, path);
    const fileSizeBytes = async (): Promise<number> => (await stat(join(path, 'data.mdb'))).size;
    const overwrite = (): Promise<boolean> =>
      catalog.commit({ puts: [{ key: Buffer.from('a'), value: Buffer.alloc(200_000, 'v') }] });
    for (let count = 0; count < 5; count++) await overwrite();

    const reader = startRole(context, 'hold', path);
    assert.equal(await reader.nextLine(), 'holding');
    const sizeBefore = await fileSizeBytes();
    for (let count = 0; count < 10; count++) await overwrite();
    assert.ok((await fileSizeBytes()) > sizeBefore + 1_000_000, 'as long as the reader lives, its pages are kept');

    reader.child.kill('SIGKILL');
    await reader.ended;
    const deadlineMs = performance.now() + 20_000;
    let stableCount = 0;
    for (let size = await fileSizeBytes(); stableCount < 20; ) {
      assert.ok(performance.now() < deadlineMs, 'the file goes on growing after the reader is dead');
      await overwrite();
      const sizeNow = await fileSizeBytes();
      stableCount = sizeNow === size ? stableCount + 1 : 0;
      size = sizeNow;
    }
  });
});

describe('lmdb catalog: full disk', { skip: process.platform === 'win32' && 'needs a limit on the size of files (ulimit -f)' }, () => {
  test('is refused as full, nothing changes, and what fits goes on', async (context) => {
    const path = await emptyPath(context);
    // A limit on the size of files stands in for the disk: writes beyond it fail (EFBIG) as they do when it is full.
    const { nextLine, ended } = start(context, [
      '/bin/sh', '-c', 'ulimit -f 8192 && exec "$@"', 'sh', process.execPath, script, 'fill', path,
    ]);
    assert.equal(await nextLine(), 'full');
    assert.equal(await nextLine(), 'true', 'what was acknowledged before is there, what was refused is not');
    assert.equal(await nextLine(), 'full true true', 'a commit that does not fit fails alone');
    assert.equal(await nextLine(), 'true', 'the room of what was deleted serves again');
    assert.equal(await nextLine(), '-2', 'four deleted, one put again, one small one');
    assert.equal(await ended, 0);
  });
});
