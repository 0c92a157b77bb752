/** restic: a backup in a bucket of each default encryption, every byte of it read again, and restored. */
import { after, before, describe, test } from 'node:test';
import type { ServerSideEncryptionByDefault } from '@aws-sdk/client-s3';
import { keysOf, newBucket, run, type Outcome } from './kit/clients.ts';
import { assertAllIn, endpointFor, type ModeName } from './kit/modes.ts';
import { openSite, type Site } from './kit/site.ts';
import { fullTree } from './kit/tree.ts';

describe('restic', { timeout: 900_000 }, () => {
  let site: Site;

  before(async () => {
    site = await openSite('restic', fullTree);
  });
  after(() => site?.close());

  // restic asks for no encryption, so the bucket does.
  const defaults: Partial<Record<ModeName, () => ServerSideEncryptionByDefault | undefined>> = {
    'SSE-S3': () => undefined,
    'SSE-KMS': () => ({ SSEAlgorithm: 'aws:kms', KMSMasterKeyID: site.secrets.keyArn }),
    'DSSE-KMS': () => ({ SSEAlgorithm: 'aws:kms:dsse', KMSMasterKeyID: site.secrets.keyArn }),
  };

  for (const [mode, encryption] of Object.entries(defaults) as [ModeName, () => ServerSideEncryptionByDefault | undefined][]) {
    test(`backs up, checks every byte, restores, ${mode}`, async () => {
      const bucket = `restic-${mode.toLowerCase()}`;
      const asDefault = encryption();
      await newBucket(site.clients, bucket, asDefault ? { encryption: asDefault } : {});
      const restic = (...parameters: string[]): Promise<Outcome> =>
        run(site.coffer, 'restic', ['--repo', `s3:${endpointFor(mode, site.coffer)}/${bucket}/backups`, '--cacert', site.coffer.caPath, '--no-cache', '--quiet', ...parameters], {
          cwd: site.tree.root,
          env: { RESTIC_PASSWORD: 'correct horse battery staple' },
        });
      await restic('init');
      await restic('backup', '.');
      await assertAllIn(mode, site.clients, bucket, (await keysOf(site.clients, bucket)).length, site.secrets);
      await restic('check', '--read-data');
      const restored = site.newPath('restored');
      await restic('restore', 'latest', '--target', restored);
      await site.assertFetched(restored);

      await restic('forget', 'latest', '--prune', '--keep-last', '1');
      await restic('check');
    });
  }

  test('nothing of the tree and of the keys can be read on the disk', async () => {
    await site.assertNothingReadable();
  });
});
