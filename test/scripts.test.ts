/** The scripts that run before anything else does: what counts as missing, and how a command is passed on. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { whyInstall } from '../scripts/install-missing.mjs';

const project = dirname(import.meta.dirname);

interface LockEntry {
  version: string;
  integrity?: string;
  dev?: boolean;
  optional?: boolean;
}

describe('install-missing', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'coffer-install-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const lmdb = { version: '3.5.6', integrity: 'sha512-a' };
  const wanted = {
    'node_modules/lmdb': lmdb,
    'node_modules/oxlint': { version: '1.0.0', dev: true },
    'node_modules/@lmdb/other-platform': { version: '3.5.6', optional: true },
  };

  function project({ installed, node = true }: { installed?: Record<string, LockEntry>; node?: boolean }): void {
    writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: { '': {}, ...wanted } }));
    if (installed === undefined) return;
    mkdirSync(join(root, 'node_modules', 'node', 'bin'), { recursive: true });
    if (node) writeFileSync(join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node'), '');
    writeFileSync(join(root, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: installed }));
  }

  test('nothing is installed', () => {
    project({});
    assert.equal(whyInstall(true, root), 'first start');
  });

  test('all is there, but for other platforms', () => {
    const { 'node_modules/@lmdb/other-platform': other, ...installed } = wanted;
    assert.ok(other.optional);
    project({ installed });
    assert.equal(whyInstall(true, root), undefined);
  });

  test('development packages matter to tests only', () => {
    project({ installed: { 'node_modules/lmdb': lmdb } });
    assert.equal(whyInstall(true, root), 'oxlint is missing');
    assert.equal(whyInstall(false, root), undefined);
  });

  test('another version, or other content of one version', () => {
    project({ installed: { ...wanted, 'node_modules/lmdb': { ...lmdb, version: '3.5.5' } } });
    assert.equal(whyInstall(true, root), 'lmdb has changed');
    project({ installed: { ...wanted, 'node_modules/lmdb': { ...lmdb, integrity: 'sha512-b' } } });
    assert.equal(whyInstall(true, root), 'lmdb has changed');
  });

  test('the pinned Node.js did not come with its package', () => {
    project({ installed: wanted, node: false });
    assert.equal(whyInstall(true, root), 'the pinned Node.js is missing');
  });

  test('an installation that broke off', () => {
    project({ installed: wanted });
    writeFileSync(join(root, 'node_modules', '.package-lock.json'), '{"packages": {');
    assert.equal(whyInstall(true, root), 'first start');
  });
});

describe('runPinned', () => {
  async function endOf(program: string, signal?: NodeJS.Signals): Promise<number | null> {
    const module = JSON.stringify(new URL('../scripts/pinned-node.mjs', import.meta.url).href);
    const wrapper = `process.exitCode = await (await import(${module})).runPinned(['--eval', ${JSON.stringify(program)}]);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', wrapper], { cwd: project, stdio: ['ignore', 'pipe', 'inherit'] });
    if (signal !== undefined) child.stdout.once('data', () => child.kill(signal));
    const [code] = (await once(child, 'close')) as [number | null];
    return code;
  }

  test('passes on how the program ended', async () => {
    assert.equal(await endOf('process.exit(7)'), 7);
    assert.equal(await endOf('process.kill(process.pid, "SIGKILL")'), 137);
  });

  test('passes signals on, and waits for what the program makes of them', async () => {
    const program = 'setInterval(() => {}, 1000); process.on("SIGTERM", () => process.exit(5)); console.log("ready")';
    assert.equal(await endOf(program, 'SIGTERM'), 5);
  });
});
