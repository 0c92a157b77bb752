/** The key file and the tie between root and data. */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openMemoryCatalog } from '../catalog/index.ts';
import { SealError } from '../seal/index.ts';
import type { KeyringError } from './keyring-error.ts';
import { catalogKeys } from './records.ts';
import { claimRoot } from './root-claim.ts';
import { openKeyFile, rootOfTrustFromKey } from './root-of-trust.ts';

const context = Buffer.from('context');

describe('key file', () => {
  let folder: string;
  before(async () => void (folder = await mkdtemp(join(tmpdir(), 'coffer-root-'))));
  after(() => rm(folder, { recursive: true }));

  test('is made once, with mode 0600, and holds 64 hex digits', async () => {
    const path = join(folder, 'made');
    const roots = await Promise.all(Array.from({ length: 8 }, () => openKeyFile(path, { create: true })));
    assert.equal(new Set(roots.map(({ fingerprint }) => fingerprint)).size, 1, 'all who try at once get the same root');
    assert.match(await readFile(path, 'latin1'), /^[0-9a-f]{64}\n$/);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.deepEqual((await readdir(folder)).filter((name) => name.startsWith('made.')), [], 'nothing is left beside it');
    assert.equal((await openKeyFile(path, { create: false })).fingerprint, roots[0]!.fingerprint);
  });

  test('is not made unless asked for', async () => {
    await assert.rejects(openKeyFile(join(folder, 'absent'), { create: false }), { name: 'KeyringError', code: 'key-file' });
    await assert.rejects(openKeyFile(join(folder, 'no', 'folder'), { create: true }), { code: 'key-file' });
  });

  for (const mode of [0o640, 0o604, 0o660, 0o602, 0o610]) {
    test(`with mode ${mode.toString(8)} is refused, by either way of opening`, async () => {
      const path = join(folder, `mode-${mode}`);
      await writeFile(path, `${'ab'.repeat(32)}\n`);
      await chmod(path, mode);
      for (const create of [false, true]) {
        await assert.rejects(openKeyFile(path, { create }), (error: KeyringError) => error.code === 'key-file' && error.message.includes(`0${mode.toString(8)}`));
      }
    });
  }

  const malformed = { empty: '', short: 'ab'.repeat(31), long: 'ab'.repeat(33), 'no hex': 'xy'.repeat(32), 'two lines': `${'ab'.repeat(32)}\n\n`, blank: ` ${'ab'.repeat(32)}` };
  for (const [name, text] of Object.entries(malformed)) {
    test(`that is ${name} is refused and left as it is`, async () => {
      const path = join(folder, `malformed ${name}`);
      await writeFile(path, text, { mode: 0o600 });
      await assert.rejects(openKeyFile(path, { create: true }), { code: 'key-file' });
      assert.equal(await readFile(path, 'latin1'), text);
    });
  }

  test('with a Windows line end or none is taken, also behind a link', async () => {
    const paths = ['plain', 'windows'].map((name) => join(folder, name));
    await writeFile(paths[0]!, 'AB'.repeat(32), { mode: 0o600 });
    await writeFile(paths[1]!, `${'ab'.repeat(32)}\r\n`, { mode: 0o600 });
    await symlink(paths[1]!, join(folder, 'linked'));
    const roots = await Promise.all([...paths, join(folder, 'linked')].map((path) => openKeyFile(path, { create: false })));
    assert.equal(new Set(roots.map(({ fingerprint }) => fingerprint)).size, 1);
  });

  test('a folder is no key file', async () => {
    await assert.rejects(openKeyFile(folder, { create: true }), { code: 'key-file' });
  });
});

describe('root of trust', () => {
  test('wraps for one context only', async () => {
    const root = rootOfTrustFromKey(Buffer.alloc(32, 1));
    const wrapped = await root.wrap(context, Buffer.from('secret'));
    assert.equal(wrapped.includes('secret'), false);
    assert.equal((await root.unwrap(context, wrapped)).toString(), 'secret');
    await assert.rejects(root.unwrap(Buffer.from('other'), wrapped), SealError);
    await assert.rejects(rootOfTrustFromKey(Buffer.alloc(32, 2)).unwrap(context, wrapped), SealError);
  });

  test('has a fingerprint of 16 hex digits that follows the key', () => {
    const [a, b] = [1, 2].map((fill) => rootOfTrustFromKey(Buffer.alloc(32, fill)).fingerprint);
    assert.match(a!, /^[0-9a-f]{16}$/);
    assert.notEqual(a, b);
    assert.equal(rootOfTrustFromKey(Buffer.alloc(32, 1)).fingerprint, a);
    assert.throws(() => rootOfTrustFromKey(Buffer.alloc(31)), { code: 'key-file' });
  });
});

describe('claimRoot', () => {
  const [first, second] = [rootOfTrustFromKey(Buffer.alloc(32, 1)), rootOfTrustFromKey(Buffer.alloc(32, 2))];

  test('ties data to its first root, again and again, and refuses a second one by both names', async () => {
    const catalog = openMemoryCatalog();
    await Promise.all([claimRoot(catalog, first), claimRoot(catalog, first)]);
    await claimRoot(catalog, first);
    const before = await catalog.get(catalogKeys.root);
    await assert.rejects(claimRoot(catalog, second), (error: KeyringError) =>
      error.code === 'foreign-root' && error.message.includes(first.fingerprint) && error.message.includes(second.fingerprint));
    assert.deepEqual(await catalog.get(catalogKeys.root), before);
  });

  test('of two roots that claim at once, one is refused', async () => {
    const catalog = openMemoryCatalog();
    const outcomes = await Promise.allSettled([claimRoot(catalog, first), claimRoot(catalog, second)]);
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  });

  test('a root that comes second is refused, even when it looked before the first one was done', async () => {
    const catalog = openMemoryCatalog();
    const firstClaimed = Promise.withResolvers<void>();
    const slow = { ...second, wrap: (context: Uint8Array, plaintext: Uint8Array) => firstClaimed.promise.then(() => second.wrap(context, plaintext)) };
    const late = claimRoot(catalog, slow);
    await claimRoot(catalog, first);
    firstClaimed.resolve();
    await assert.rejects(late, { code: 'foreign-root' });
    await claimRoot(catalog, first);
  });

  test('does not trust a fingerprint alone', async () => {
    const catalog = openMemoryCatalog();
    await claimRoot(catalog, first);
    await assert.rejects(claimRoot(catalog, { ...second, fingerprint: first.fingerprint }), { code: 'foreign-root' });
  });

  test('refuses data of a newer version, and what is no record', async () => {
    for (const [value, code] of [[{ version: 2, fingerprint: first.fingerprint, proof: '' }, 'newer-format'], [{}, 'damaged'], [null, 'damaged']] as const) {
      const catalog = openMemoryCatalog();
      await catalog.commit({ puts: [{ key: catalogKeys.root, value: Buffer.from(JSON.stringify(value)) }] });
      await assert.rejects(claimRoot(catalog, first), { code });
    }
  });
});
