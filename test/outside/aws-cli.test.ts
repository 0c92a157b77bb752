/** The aws CLI: a tree of more than 1,000 files and 200 MB up and down in each mode, and what lies on the disk then. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { newBucket, runAws, type Outcome } from './kit/clients.ts';
import { assertAllIn, endpointFor, type ModeName } from './kit/modes.ts';
import { openSite, type Site } from './kit/site.ts';
import { fullTree } from './kit/tree.ts';

describe('the aws CLI', { timeout: 900_000 }, () => {
  let site: Site;
  let customerKeyFile: string;

  before(async () => {
    site = await openSite('aws CLI', fullTree);
    assert.ok(site.tree.files.size >= 1_000 && site.tree.sizeBytes >= 200_000_000, 'the tree is large enough');
    customerKeyFile = join(site.directory, 'customer.key');
    await writeFile(customerKeyFile, site.secrets.customerKey, { mode: 0o600 });
  });
  after(() => site?.close());

  const aws = (mode: ModeName, ...parameters: string[]): Promise<Outcome> =>
    runAws(site.coffer, endpointFor(mode, site.coffer), parameters);

  const both: Record<ModeName, () => string[]> = {
    'SSE-S3': () => [],
    'SSE-KMS': () => [],
    'DSSE-KMS': () => [],
    'SSE-C': () => ['--sse-c', 'AES256', '--sse-c-key', `fileb://${customerKeyFile}`],
  };
  const upward: Partial<Record<ModeName, () => string[]>> = {
    'SSE-KMS': () => ['--sse', 'aws:kms', '--sse-kms-key-id', site.secrets.keyArn],
  };

  for (const mode of Object.keys(both) as ModeName[]) {
    test(`syncs the tree up and down, ${mode}`, async () => {
      const bucket = `aws-${mode.toLowerCase()}`;
      await newBucket(site.clients, bucket, {
        allowSseC: mode === 'SSE-C',
        // Debian 12's CLI knows DSSE as a bucket's default only.
        ...(mode === 'DSSE-KMS' ? { encryption: { SSEAlgorithm: 'aws:kms:dsse', KMSMasterKeyID: site.secrets.keyArn } } : {}),
      });
      await aws(mode, 's3', 'sync', '--only-show-errors', ...both[mode](), ...(upward[mode]?.() ?? []), site.tree.root, `s3://${bucket}/`);
      await assertAllIn(mode, site.clients, bucket, site.tree.files.size, site.secrets);
      const fetched = site.newPath('fetched');
      await aws(mode, 's3', 'sync', '--only-show-errors', ...both[mode](), `s3://${bucket}/`, fetched);
      await site.assertFetched(fetched);

      const again = await aws(mode, 's3', 'sync', '--dryrun', ...both[mode](), site.tree.root, `s3://${bucket}/`);
      assert.equal(again.stdout, '', 'a second sync has nothing to do');
    });
  }

  test('nothing of the tree and of the keys can be read on the disk', async () => {
    await site.assertNothingReadable();
  });
});
