/**
 * s3fs: a bucket as a directory, in the modes that it can ask for. A tree is copied in, read back through a second mount, renamed.
 * It needs /dev/fuse and the right to mount; without them these tests fail, and .ci/run leaves them out and says so.
 */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { clientEnvironment, keysOf, newBucket, run } from './kit/clients.ts';
import { assertAllIn, type ModeName } from './kit/modes.ts';
import { openSite, type Site } from './kit/site.ts';
import { mediumTree } from './kit/tree.ts';

const mountMsMax = 30_000;

interface Mount {
  readonly path: string;
  unmount(): Promise<void>;
}

describe('s3fs', { timeout: 600_000 }, () => {
  let site: Site;
  let customerKeyFile: string;
  let passwordFile: string;
  const mounts = new Set<Mount>();

  before(async () => {
    await assertFuse();
    site = await openSite('s3fs', mediumTree);
    customerKeyFile = join(site.directory, 'customer.keys');
    await writeFile(customerKeyFile, `${site.secrets.customerKey.toString('base64')}\n`, { mode: 0o600 });
    passwordFile = join(site.directory, 'passwd-s3fs');
    const { accessKeyId, secretAccessKey } = site.coffer.credentials;
    await writeFile(passwordFile, `${accessKeyId}:${secretAccessKey}\n`, { mode: 0o600 });
  });
  after(async () => {
    for (const mount of mounts) await mount.unmount();
    await site?.close();
  });

  // Not DSSE: in a bucket with that default s3fs asks for aws:kms as soon as it changes a file's time or owner.
  // And when it starts an upload in parts, it forgets to ask for what it was told, so parts are for SSE-S3 alone.
  const options: Partial<Record<ModeName, () => string[]>> = {
    'SSE-S3': () => ['-o', 'use_sse'],
    'SSE-KMS': () => ['-o', `use_sse=kmsid:${site.secrets.keyArn}`, '-o', 'nomultipart'],
    'SSE-C': () => ['-o', `use_sse=custom:${customerKeyFile}`, '-o', 'nomultipart'],
  };

  /** In the foreground, so that its end and its words are ours to see. */
  async function mountBucket(bucket: string, mode: ModeName): Promise<Mount> {
    const path = site.newPath('mount');
    await mkdir(path);
    const parameters = [
      bucket, path, '-f', '-o', `url=${site.coffer.httpsUrl}`, '-o', 'use_path_request_style', '-o', `passwd_file=${passwordFile}`,
      // Its first attempt is without a CA; only when that fails does it look at CURL_CA_BUNDLE.
      '-o', 'retries=3', '-o', 'sigv4', ...(options[mode]?.() ?? []),
    ];
    const child = spawn('/usr/bin/s3fs', parameters, { env: { ...clientEnvironment(site.coffer), CURL_CA_BUNDLE: site.coffer.caPath }, stdio: ['ignore', 'pipe', 'pipe'] });
    const pieces: Buffer[] = [];
    child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
    child.stderr.on('data', (piece: Buffer) => pieces.push(piece));
    await mounted(path, child, () => Buffer.concat(pieces).toString('utf8'));
    const mount: Mount = {
      path,
      unmount: async () => {
        mounts.delete(mount);
        const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
        await run(site.coffer, 'fusermount', ['-u', path]);
        await gone;
      },
    };
    mounts.add(mount);
    return mount;
  }

  for (const mode of Object.keys(options) as ModeName[]) {
    test(`holds a tree, ${mode}`, async () => {
      const bucket = `s3fs-${mode.toLowerCase()}`;
      await newBucket(site.clients, bucket, { allowSseC: mode === 'SSE-C' });
      const first = await mountBucket(bucket, mode);
      await cp(site.tree.root, join(first.path, 'tree'), { recursive: true });
      // Renaming is a copy with new metadata on the server.
      await rename(join(first.path, 'tree', 'edges', '16385.bin'), join(first.path, 'tree', 'edges', 'renamed.bin'));
      await rename(join(first.path, 'tree', 'edges', 'renamed.bin'), join(first.path, 'tree', 'edges', '16385.bin'));
      await first.unmount();

      const second = await mountBucket(bucket, mode);
      const fetched = site.newPath('fetched');
      await cp(join(second.path, 'tree'), fetched, { recursive: true });
      await site.assertFetched(fetched);
      const head = await readFile(join(second.path, 'tree', 'edges', '16384.bin'));
      assert.equal(head.byteLength, 16_384);
      await rm(join(second.path, 'tree', 'awkward'), { recursive: true });
      assert.ok(!(await readdir(join(second.path, 'tree'))).includes('awkward'));
      await second.unmount();
      assert.ok((await objectsCount(bucket)) > 0);
      await assertAllIn(mode, site.clients, bucket, await objectsCount(bucket), site.secrets);
    });
  }

  const objectsCount = async (bucket: string): Promise<number> => (await keysOf(site.clients, bucket)).length;

  test('nothing of the tree and of the keys can be read on the disk', async () => {
    await site.assertNothingReadable();
  });
});

async function assertFuse(): Promise<void> {
  const found = await stat('/dev/fuse').catch(() => undefined);
  assert.ok(found?.isCharacterDevice(), 's3fs needs /dev/fuse, and this machine has none: these tests cannot run here');
}

/** A mount point has another device number than the directory above it. */
async function mounted(path: string, child: ChildProcess, output: () => string): Promise<void> {
  const endMs = performance.now() + mountMsMax;
  const above = (await stat(join(path, '..'))).dev;
  // Between a failed start and its end, the path answers ECONNABORTED.
  while (((await stat(path).catch(() => undefined))?.dev ?? above) === above) {
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > endMs) {
      child.kill('SIGKILL');
      throw new Error(`s3fs did not mount:\n${output()}`);
    }
    await new Promise((wake) => void setTimeout(wake, 50));
  }
}
