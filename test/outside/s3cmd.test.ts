/** s3cmd: a tree up and down in the modes that it can ask for, and what lies on the disk then. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { newBucket, run, type Outcome } from './kit/clients.ts';
import { assertAllIn, endpointFor, type ModeName } from './kit/modes.ts';
import { openSite, type Site } from './kit/site.ts';
import { mediumTree } from './kit/tree.ts';

describe('s3cmd', { timeout: 600_000 }, () => {
  let site: Site;

  before(async () => {
    site = await openSite('s3cmd', mediumTree);
  });
  after(() => site?.close());

  const s3cmd = (mode: ModeName, ...parameters: string[]): Promise<Outcome> => {
    const url = new URL(endpointFor(mode, site.coffer));
    const { accessKeyId, secretAccessKey } = site.coffer.credentials;
    return run(site.coffer, 's3cmd', [
      '--config=/dev/null', `--access_key=${accessKeyId}`, `--secret_key=${secretAccessKey}`, `--host=${url.host}`, `--host-bucket=${url.host}`,
      ...(url.protocol === 'https:' ? ['--ssl', `--ca-certs=${site.coffer.caPath}`] : ['--no-ssl']), '--no-progress', '--multipart-chunk-size-mb=5', ...parameters,
    ]);
  };

  // It has no word for SSE-C, and takes the ETag for an MD5 under DSSE-KMS, whatever it is told.
  const modes: Partial<Record<ModeName, () => string[]>> = {
    'SSE-S3': () => ['--server-side-encryption'],
    'SSE-KMS': () => ['--server-side-encryption', `--server-side-encryption-kms-id=${site.secrets.keyArn}`],
  };

  for (const [mode, parameters] of Object.entries(modes) as [ModeName, () => string[]][]) {
    test(`syncs the tree up and down, ${mode}`, async () => {
      const bucket = `s3cmd-${mode.toLowerCase()}`;
      await newBucket(site.clients, bucket);
      await s3cmd(mode, 'sync', ...parameters(), `${site.tree.root}/`, `s3://${bucket}/`);
      await assertAllIn(mode, site.clients, bucket, site.tree.files.size, site.secrets);
      const fetched = site.newPath('fetched');
      await s3cmd(mode, 'sync', `s3://${bucket}/`, `${fetched}/`);
      await site.assertFetched(fetched);
    });
  }

  test('lists, copies, moves and deletes', async () => {
    const bucket = 's3cmd-sse-s3';
    await s3cmd('SSE-S3', 'cp', `s3://${bucket}/awkward/with space.txt`, `s3://${bucket}/copies/with space.txt`);
    await s3cmd('SSE-S3', 'mv', `s3://${bucket}/copies/with space.txt`, `s3://${bucket}/copies/plus+.txt`);
    const { stdout } = await s3cmd('SSE-S3', 'ls', '--recursive', `s3://${bucket}/copies/`);
    assert.match(stdout, /^\S+ \S+ +\d+ +s3:\/\/s3cmd-sse-s3\/copies\/plus\+\.txt\n$/);
    await s3cmd('SSE-S3', 'del', '--recursive', '--force', `s3://${bucket}/`);
    await s3cmd('SSE-S3', 'rb', `s3://${bucket}`);
  });

  test('nothing of the tree and of the keys can be read on the disk', async () => {
    await site.assertNothingReadable();
  });
});
