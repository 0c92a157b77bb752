/** 1 GiB in one object: parts sent many at once, ranges across their edges, the whole; by the aws CLI and rclone. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { after, before, describe, test } from 'node:test';
import { GetObjectAttributesCommand } from '@aws-sdk/client-s3';
import { newBucket, run, runAws } from './kit/clients.ts';
import { openSite, type Site } from './kit/site.ts';
import { factsOf, smallTree, type FileFacts } from './kit/tree.ts';

const sizeBytes = 1 << 30;
/** Of the aws CLI, unless told otherwise. */
const partSizeBytes = 8 << 20;

describe('an object of 1 GiB', { timeout: 600_000 }, () => {
  let site: Site;
  let path: string;
  let facts: FileFacts;
  let keyFile: string;

  before(async () => {
    site = await openSite('1 GiB', smallTree);
    path = join(site.directory, 'large.bin');
    const { random } = site;
    await pipeline(async function* () {
      for (let index = 0; index < sizeBytes >> 22; index++) yield random.bytes(1 << 22);
    }, createWriteStream(path));
    facts = await factsOf(path);
    assert.equal(facts.sizeBytes, sizeBytes);
    keyFile = join(site.directory, 'customer.key');
    await writeFile(keyFile, site.secrets.customerKey, { mode: 0o600 });
  });
  after(() => site?.close());

  const aws = (...parameters: string[]): Promise<unknown> => runAws(site.coffer, site.coffer.httpsUrl, parameters);

  async function bytesAt(start: number, length: number): Promise<Buffer> {
    const file = await open(path);
    try {
      const bytes = Buffer.alloc(length);
      await file.read(bytes, 0, length, start);
      return bytes;
    } finally {
      await file.close();
    }
  }

  test('goes up in parts by the aws CLI and comes back whole, under SSE-KMS', async () => {
    await newBucket(site.clients, 'large');
    await aws('s3', 'cp', '--only-show-errors', '--sse', 'aws:kms', '--sse-kms-key-id', site.secrets.keyArn, path, 's3://large/large.bin');
    const attributes = await site.clients.s3.send(new GetObjectAttributesCommand({ Bucket: 'large', Key: 'large.bin', ObjectAttributes: ['ObjectSize', 'ObjectParts'] }));
    assert.equal(attributes.ObjectSize, sizeBytes);
    assert.equal(attributes.ObjectParts?.TotalPartsCount, sizeBytes / partSizeBytes);
    const fetched = site.newPath('fetched');
    await aws('s3', 'cp', '--only-show-errors', 's3://large/large.bin', fetched);
    assert.deepEqual(await factsOf(fetched), facts);
    await rm(fetched);
  });

  test('is read in ranges, across the edges of parts and chunks', async () => {
    const { random } = site;
    const ranges: [start: number, length: number][] = [
      [0, 1], [sizeBytes - 1, 1], [partSizeBytes - 1, 2], [partSizeBytes, 1], [5 * partSizeBytes - 100_000, 200_000],
      [partSizeBytes - 16_384, 3 * partSizeBytes], [16_383, 2], [sizeBytes - 17, 17],
      ...Array.from({ length: 4 }, (): [number, number] => [random.below(sizeBytes - 1_000_000), 1 + random.below(1_000_000)]),
    ];
    for (const [start, length] of ranges) {
      const fetched = site.newPath('range');
      await aws('s3api', 'get-object', '--bucket', 'large', '--key', 'large.bin', '--range', `bytes=${start}-${start + length - 1}`, fetched);
      assert.ok((await readFile(fetched)).equals(await bytesAt(start, length)), `bytes ${start} to ${start + length}`);
      await rm(fetched);
    }
  });

  test('goes up and comes back by rclone, eight ranges at a time, under SSE-C', async () => {
    await newBucket(site.clients, 'large-c', { allowSseC: true });
    const settings: Record<string, string> = {
      TYPE: 's3', PROVIDER: 'Minio', ENV_AUTH: 'true', REGION: 'us-east-1', FORCE_PATH_STYLE: 'true', ENDPOINT: site.coffer.httpsUrl, NO_CHECK_BUCKET: 'true',
      SSE_CUSTOMER_ALGORITHM: 'AES256', SSE_CUSTOMER_KEY: site.secrets.customerKey.toString(),
    };
    const env = Object.fromEntries(Object.entries(settings).map(([name, value]) => [`RCLONE_CONFIG_COFFER_${name}`, value]));
    const rclone = (...parameters: string[]): Promise<unknown> =>
      run(site.coffer, 'rclone', ['--config', '/dev/null', '--ca-cert', site.coffer.caPath, '--retries', '1', ...parameters], { env });
    await rclone('copyto', '--s3-chunk-size', '16Mi', path, 'coffer:large-c/large.bin');
    const fetched = site.newPath('fetched');
    await rclone('copyto', '--multi-thread-streams', '8', '--multi-thread-cutoff', '1Mi', 'coffer:large-c/large.bin', fetched);
    assert.deepEqual(await factsOf(fetched), facts);
    await rm(fetched);
  });

  test('nothing of it and of the keys can be read on the disk', async () => {
    const windows = await Promise.all(Array.from({ length: 2_000 }, async (_, index) => ({
      name: `window ${index} of the large object`,
      bytes: await bytesAt(site.random.below(sizeBytes - 32), 32),
    })));
    assert.equal(new Set(windows.map(({ bytes }) => createHash('sha256').update(bytes).digest('hex'))).size, windows.length);
    await site.assertNothingReadable(windows);
  });
});
