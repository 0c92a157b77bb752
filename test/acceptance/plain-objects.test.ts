/**
 * `--default-encryption none`: objects are stored as they come, say so by saying nothing, and can be encrypted in
 * place later, after which nothing of them is left in the clear. Source: README, contract s3-encryption.md section 12.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { defaultRule, md5, openLab, sse, type Lab } from '../kit/encryption-lab.ts';
import { echoOf, schemeCases } from '../kit/encryption-schemes.ts';
import { reapAllTrash } from '../kit/stored-objects.ts';

/** Small ones too: sealed, they would lie in the catalog, whose freed pages keep their bytes. */
const sizes = [2_000, 50_000];

describe('plain objects', () => {
  let lab: Lab;
  before(async () => {
    lab = await openLab({ settings: { defaultEncryption: 'none' } });
  });
  after(() => lab.stop());

  /** Files of the data directory in which the text stands. */
  async function filesWith(canary: string): Promise<string[]> {
    const entries = await readdir(lab.server.dataDir, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const hits = await Promise.all(files.map(async (file) => ((await readFile(file)).includes(canary) ? [file] : [])));
    return hits.flat();
  }
  function bodyWith(canary: string, sizeBytes: number): Buffer {
    return Buffer.alloc(sizeBytes, `${canary}|`);
  }

  test('are stored as such, and no answer names a scheme', async () => {
    const bucket = await lab.newBucket();
    for (const size of sizes) {
      const canary = randomBytes(16).toString('hex');
      const body = bodyWith(canary, size);
      const written = await lab.send('PUT', `/${bucket}/k${size}`, { 'x-amz-meta-note': `note-${canary}` }, body);
      assert.deepEqual([written.status, written.headers['etag']], [200, `"${md5(body)}"`]);
      const got = await lab.send('GET', `/${bucket}/k${size}`, { range: 'bytes=100-199' });
      assert.ok(got.body.equals(body.subarray(100, 200)));
      const head = await lab.send('HEAD', `/${bucket}/k${size}`, { 'x-amz-checksum-mode': 'ENABLED' });
      assert.ok(head.headers['x-amz-checksum-crc64nvme']);
      for (const answer of [written, got, head]) assert.deepEqual(echoOf(answer), [undefined, undefined, undefined, undefined]);
      assert.notDeepEqual(await filesWith(canary), []);
      // Metadata are sealed all the same.
      assert.deepEqual(await filesWith(`note-${canary}`), []);
      assert.equal((await lab.send('GET', `/${bucket}/k${size}`, schemeCases({ id: '', arn: '' }).at(-1)?.read)).code, 'InvalidRequest');
    }
  });

  test('a bucket with a default of its own, and requests that ask, are encrypted', async () => {
    const bucket = await lab.newBucket();
    const key = await lab.newKey();
    for (const { name, write, echo, read } of schemeCases(key)) {
      const canary = randomBytes(16).toString('hex');
      const headers = name === 'SSE-S3' ? { [sse]: 'AES256' } : write;
      assert.deepEqual(echoOf(await lab.send('PUT', `/${bucket}/k`, headers, bodyWith(canary, 50_000))), echo);
      assert.deepEqual(echoOf(await lab.send('HEAD', `/${bucket}/k`, read)), echo);
      assert.deepEqual(await filesWith(canary), []);
    }
    await lab.setDefault(bucket, defaultRule('AES256'));
    const canary = randomBytes(16).toString('hex');
    const written = await lab.send('PUT', `/${bucket}/k`, {}, bodyWith(canary, 2_000));
    assert.equal(written.headers[sse], 'AES256');
    assert.deepEqual(await filesWith(canary), []);
  });

  test('a copy onto itself with a scheme encrypts in place, and nothing is left in the clear', async () => {
    const key = await lab.newKey();
    for (const { name, write, read, echo, isOpaque } of schemeCases(key)) {
      const bucket = await lab.newBucket();
      const canaries: string[] = [];
      const bodies: Buffer[] = [];
      for (const size of sizes) {
        const canary = randomBytes(16).toString('hex');
        canaries.push(canary);
        bodies.push(bodyWith(canary, size));
        await lab.send('PUT', `/${bucket}/k${size}`, { 'content-type': 'text/plain', 'x-amz-meta-a': 'b', 'x-amz-tagging': 'c=d' }, bodies.at(-1));
        assert.notDeepEqual(await filesWith(canary), []);
        const headers = name === 'SSE-S3' ? { [sse]: 'AES256' } : write;
        const copied = await lab.send('PUT', `/${bucket}/k${size}`, { ...headers, 'x-amz-copy-source': `${bucket}/k${size}` });
        assert.equal(copied.status, 200, `${name}: ${copied.text}`);
        assert.deepEqual(echoOf(copied), echo);
      }
      lab.server.clock.advanceMs(120_000);
      await reapAllTrash(lab.server);
      for (const [index, size] of sizes.entries()) {
        const got = await lab.send('GET', `/${bucket}/k${size}`, read);
        assert.ok(got.body.equals(bodies[index] as Buffer));
        assert.deepEqual(echoOf(got), echo);
        assert.deepEqual([got.headers['content-type'], got.headers['x-amz-meta-a'], got.headers['x-amz-tagging-count']], ['text/plain', 'b', '1']);
        assert.equal(got.headers['etag'] === `"${md5(bodies[index] as Buffer)}"`, !isOpaque);
        assert.deepEqual(await filesWith(canaries[index] as string), [], `${name}, ${size} bytes`);
      }
    }
  });

  test('a copy onto itself that changes nothing is refused', async () => {
    const bucket = await lab.newBucket();
    await lab.send('PUT', `/${bucket}/k`, {}, 'x');
    const refused = await lab.send('PUT', `/${bucket}/k`, { 'x-amz-copy-source': `${bucket}/k` });
    assert.deepEqual([refused.status, refused.code], [400, 'InvalidRequest']);
  });

  test('parts too are stored as they come, and encrypted by a copy', async () => {
    const bucket = await lab.newBucket();
    const canary = randomBytes(16).toString('hex');
    const id = await lab.startUpload(bucket, 'k');
    const part = await lab.send('PUT', `/${bucket}/k?partNumber=1&uploadId=${id}`, {}, bodyWith(canary, 30_000));
    const completed = await lab.send('POST', `/${bucket}/k?uploadId=${id}`, {}, `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${String(part.headers['etag'])}</ETag></Part></CompleteMultipartUpload>`);
    assert.deepEqual([completed.status, ...echoOf(part), ...echoOf(completed)], [200, ...Array.from({ length: 8 }, () => undefined)]);
    assert.notDeepEqual(await filesWith(canary), []);
    await lab.send('PUT', `/${bucket}/k`, { [sse]: 'AES256', 'x-amz-copy-source': `${bucket}/k` });
    lab.server.clock.advanceMs(120_000);
    await reapAllTrash(lab.server);
    assert.deepEqual(await filesWith(canary), []);
    assert.ok((await lab.send('GET', `/${bucket}/k`)).body.equals(bodyWith(canary, 30_000)));
  });
});
