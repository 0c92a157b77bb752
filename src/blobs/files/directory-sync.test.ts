import assert from 'node:assert/strict';
import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DirectorySync } from './directory-sync.ts';

test('syncs of one directory share, and who comes during one waits for the next', async (context) => {
  const path = await mkdtemp(join(tmpdir(), 'coffer-sync-'));
  context.after(() => rm(path, { recursive: true, force: true }));
  const sync = new DirectorySync();
  const order: string[] = [];
  const watch = async (name: string, synced: Promise<void>): Promise<void> => {
    await synced;
    order.push(name);
  };
  const first = sync.sync(path);
  const second = sync.sync(path);
  const third = sync.sync(path);
  assert.notEqual(second, first, 'a sync under way may have passed over a newer name');
  assert.equal(third, second);
  await Promise.all([watch('second', second), watch('third', third), watch('first', first)]);
  assert.deepEqual(order, ['first', 'second', 'third']);
  await sync.sync(path);
});

test('one that fails fails for those who waited for it, and for nobody else', async (context) => {
  const parent = await mkdtemp(join(tmpdir(), 'coffer-sync-'));
  context.after(() => rm(parent, { recursive: true, force: true }));
  const path = join(parent, 'later');
  const sync = new DirectorySync();
  const outcomes = await Promise.allSettled([sync.sync(path), sync.sync(path), sync.sync(parent)]);
  assert.deepEqual(outcomes.map(({ status }) => status), ['rejected', 'rejected', 'fulfilled']);
  await mkdir(path);
  await sync.sync(path);
});
