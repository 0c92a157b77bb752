import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { findRootCredentials } from './root-credentials.ts';

describe('root credentials', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'coffer-credentials-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  test('are made once, kept for their owner alone, in the format of the AWS tools', async () => {
    const made = await findRootCredentials(directory, undefined);
    assert.equal(made.fresh, true);
    assert.match(made.accessKeyId, /^AKIA[A-Z2-7]{16}$/);
    assert.match(made.secretAccessKey, /^[A-Za-z0-9+/]{40}$/);
    const path = made.path as string;
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal(
      await readFile(path, 'utf8'),
      `[default]\naws_access_key_id = ${made.accessKeyId}\naws_secret_access_key = ${made.secretAccessKey}\n`,
    );
    assert.deepEqual(await findRootCredentials(directory, undefined), { ...made, fresh: false });
  });

  test('of several first starts at once are the same', async () => {
    const found = await Promise.all(Array.from({ length: 8 }, () => findRootCredentials(directory, undefined)));
    assert.equal(new Set(found.map(({ secretAccessKey }) => secretAccessKey)).size, 1);
    assert.equal(found.filter(({ fresh }) => fresh).length, 1);
  });

  test('from the settings win and are not kept', async () => {
    const configured = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'from the settings' };
    assert.deepEqual(await findRootCredentials(directory, configured), { ...configured, fresh: false });
    await assert.rejects(stat(join(directory, 'credentials')));
  });

  test('that others may read are refused', async () => {
    const { path } = await findRootCredentials(directory, undefined);
    await chmod(path as string, 0o640);
    await assert.rejects(findRootCredentials(directory, undefined), /mode 0640: others may read it/);
  });

  test('in a file without them are an error that says what to do', async () => {
    await writeFile(join(directory, 'credentials'), '[default]\naws_access_key_id = x\n', { mode: 0o600 });
    await assert.rejects(findRootCredentials(directory, undefined), /put them back, or remove the file/);
  });
});
