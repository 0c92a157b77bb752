import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DataInUse, lockData } from './data-lock.ts';

describe('the lock on a data directory', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'coffer-lock-'));
  });
  after(() => rm(directory, { recursive: true }));

  test('keeps a second holder out, names the first, and is free after release', () => {
    const lock = lockData(directory);
    assert.throws(() => lockData(directory), (error) => error instanceof DataInUse && error.message.includes(`process ${process.pid}`));
    lock.release();
    lockData(directory).release();
  });

  test('ends with a process that is killed', async () => {
    const module = JSON.stringify(new URL('./data-lock.ts', import.meta.url).href);
    const script = `const { lockData } = await import(${module}); lockData(${JSON.stringify(directory)}); console.log('held'); setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(holder.stdout, 'data');
    assert.throws(() => lockData(directory), DataInUse);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    lockData(directory).release();
  });
});
