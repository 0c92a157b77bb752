/** rclone: a tree of more than 1,000 files and 200 MB up and down in each mode, and what lies on the disk then. */
import { after, before, describe, test } from 'node:test';
import { newBucket, run, type Outcome } from './kit/clients.ts';
import { assertAllIn, endpointFor, type ModeName } from './kit/modes.ts';
import { openSite, type Site } from './kit/site.ts';
import { fullTree } from './kit/tree.ts';

describe('rclone', { timeout: 900_000 }, () => {
  let site: Site;

  before(async () => {
    site = await openSite('rclone', fullTree);
  });
  after(() => site?.close());

  const settings: Record<ModeName, () => Record<string, string>> = {
    'SSE-S3': () => ({ SERVER_SIDE_ENCRYPTION: 'AES256' }),
    'SSE-KMS': () => ({ SERVER_SIDE_ENCRYPTION: 'aws:kms', SSE_KMS_KEY_ID: site.secrets.keyArn }),
    // It takes the ETag for the MD5 unless it knows the scheme, and it does not know DSSE.
    'DSSE-KMS': () => ({ USE_MULTIPART_ETAG: 'false', SERVER_SIDE_ENCRYPTION: 'aws:kms:dsse', SSE_KMS_KEY_ID: site.secrets.keyArn }),
    'SSE-C': () => ({ SSE_CUSTOMER_ALGORITHM: 'AES256', SSE_CUSTOMER_KEY: site.secrets.customerKey.toString() }),
  };

  /** rclone takes every setting of a remote from the environment. */
  const rclone = (mode: ModeName, ...parameters: string[]): Promise<Outcome> => {
    const remote: Record<string, string> = {
      // Providers differ in how rclone lists and what it checks; with AWS it insists on virtual hosts.
      TYPE: 's3', PROVIDER: mode === 'SSE-S3' ? 'Other' : 'Minio', ENV_AUTH: 'true', REGION: 'us-east-1', FORCE_PATH_STYLE: 'true',
      ENDPOINT: endpointFor(mode, site.coffer), NO_CHECK_BUCKET: 'true', UPLOAD_CUTOFF: '32Mi', ...settings[mode](),
    };
    const env = Object.fromEntries(Object.entries(remote).map(([name, value]) => [`RCLONE_CONFIG_COFFER_${name}`, value]));
    const patience = mode === 'DSSE-KMS' ? ['--ignore-checksum'] : [];
    return run(site.coffer, 'rclone', ['--config', '/dev/null', '--ca-cert', site.coffer.caPath, '--retries', '1', '--low-level-retries', '1', '--transfers', '8', ...patience, ...parameters], { env });
  };

  for (const mode of Object.keys(settings) as ModeName[]) {
    test(`syncs the tree up and down, ${mode}`, async () => {
      const bucket = `rclone-${mode.toLowerCase()}`;
      await newBucket(site.clients, bucket, { allowSseC: mode === 'SSE-C' });
      await rclone(mode, 'sync', site.tree.root, `coffer:${bucket}`);
      await assertAllIn(mode, site.clients, bucket, site.tree.files.size, site.secrets);
      const fetched = site.newPath('fetched');
      await rclone(mode, 'sync', `coffer:${bucket}`, fetched);
      await site.assertFetched(fetched);
    });
  }

  test('nothing of the tree and of the keys can be read on the disk', async () => {
    await site.assertNothingReadable();
  });
});
