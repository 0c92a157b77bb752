/**
 * Objects under keys of the customer (SSE-C): cases C of contract s3-encryption.md section 24.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  assertCustomer, assertRefused, customerAlgorithm, customerKey, customerKeyDigest, customerKeyText, keyA, keyB, kid, md5, opaque, openLab, sse, type Lab, type LabAnswer,
} from '../kit/encryption-lab.ts';
import { spawnServer } from '../kit/spawn-server.ts';

const body = 'test_data';
/** The headers of keyA without some, or with others in their place. */
const trio = (changed: Record<string, string | undefined> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries({ ...keyA.headers, ...changed }).filter((entry): entry is [string, string] => entry[1] !== undefined));
const digestOf = (key: Buffer): string => createHash('md5').update(key).digest('base64');

describe('objects under a customer key', () => {
  let lab: Lab;
  let bucket: string;
  let written: LabAnswer;
  before(async () => {
    lab = await openLab();
    bucket = await lab.newBucket();
    written = await put(trio({ 'x-amz-checksum-crc32': 'qIrZrA==' }));
  });
  after(() => lab.stop());

  const put = (headers: Record<string, string>, key = 'k', text: string | Buffer = body): Promise<LabAnswer> => lab.send('PUT', `/${bucket}/${key}`, headers, text);
  const get = (headers: Record<string, string> = {}, key = 'k'): Promise<LabAnswer> => lab.send('GET', `/${bucket}/${key}`, headers);
  const head = (headers: Record<string, string> = {}, key = 'k'): Promise<LabAnswer> => lab.send('HEAD', `/${bucket}/${key}`, headers);
  const attributes = (headers: Record<string, string>): Promise<LabAnswer> =>
    lab.send('GET', `/${bucket}/k?attributes=`, { 'x-amz-object-attributes': 'ETag,ObjectSize', ...headers });
  function assertBare(answer: LabAnswer, status: number): void {
    assert.deepEqual([answer.status, answer.body.length], [status, 0]);
  }
  async function assertUnwritten(headers: Record<string, string>, id: Parameters<typeof assertRefused>[1], argumentValue?: string): Promise<void> {
    assertRefused(await put(headers, 'refused'), id, argumentValue);
    assertBare(await head({}, 'refused'), 404);
  }

  test('C01 C02: written and read with the whole trio', async () => {
    assertCustomer(written, keyA);
    assert.equal(written.headers['x-amz-checksum-crc32'], 'qIrZrA==');
    assert.match(String(written.headers['etag']), opaque);
    assert.notEqual(written.headers['etag'], `"${md5(body)}"`);
    const read = await get(keyA.headers);
    assertCustomer(read, keyA);
    assert.equal(read.text, body);
    const ranged = await get({ ...keyA.headers, range: 'bytes=5-8' });
    assertCustomer(ranged, keyA, 206);
    assert.deepEqual([ranged.text, ranged.headers['content-range']], ['data', 'bytes 5-8/9']);
    const looked = await head(keyA.headers);
    assertCustomer(looked, keyA);
    assert.deepEqual([looked.headers['content-length'], looked.headers['etag']], ['9', written.headers['etag']]);
  });

  test('C01 C02 by the SDK, of a size that lies in a file', async () => {
    const s3 = lab.server.s3();
    const large = Buffer.alloc(200_001, 'customer');
    const key = { SSECustomerAlgorithm: 'AES256' as const, SSECustomerKey: keyA.headers[customerKeyText] };
    const put = await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'large', Body: large, ...key }));
    const read = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'large', ...key }));
    assert.deepEqual(Buffer.from((await read.Body?.transformToByteArray()) ?? []), large);
    const looked = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: 'large', ...key }));
    for (const answer of [put, read, looked]) {
      assert.deepEqual([answer.SSECustomerAlgorithm, answer.SSECustomerKeyMD5, answer.ServerSideEncryption], ['AES256', keyA.headers[customerKeyDigest], undefined]);
    }
    await assert.rejects(s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'large', ...key, SSECustomerKey: keyB.headers[customerKeyText] })), { name: 'AccessDenied' });
  });

  test('C03 C04: read without the key', async () => {
    assertRefused(await get(), 'E17');
    assertBare(await head(), 400);
  });

  test('C05 C06: read with another key', async () => {
    assertRefused(await get(keyB.headers), 'E18');
    assertBare(await head(keyB.headers), 403);
  });

  test('C07: read with an algorithm that is none', async () => {
    const headers = trio({ [customerAlgorithm]: 'KMS' });
    assertRefused(await get(headers), 'E12', 'KMS');
    assertBare(await head(headers), 400);
    assertRefused(await attributes(headers), 'E12', 'KMS');
  });

  test('C08: reads may leave out the digest of the key', async () => {
    const headers = trio({ [customerKeyDigest]: undefined });
    const read = await get(headers);
    assertCustomer(read, keyA);
    assert.equal(read.text, body);
    assertCustomer(await head(headers), keyA);
    assertCustomer(await get({ ...headers, range: 'bytes=0-0' }), keyA, 206);
    assertRefused(await get(trio({ [customerKeyDigest]: keyB.headers[customerKeyDigest] })), 'E15');
  });

  test('C09: to a reader a key of another length is the wrong key', async () => {
    for (const size of [0, 16, 31, 33, 44]) {
      const key = Buffer.concat([keyA.key, keyA.key]).subarray(0, size);
      const headers = trio({ [customerKeyText]: key.toString('base64'), [customerKeyDigest]: digestOf(key) });
      assertRefused(await get(headers), 'E18');
      assertBare(await head(headers), 403);
    }
  });

  test('C10 C11: beside another encryption, before the algorithm is looked at', async () => {
    await assertUnwritten(trio({ [customerAlgorithm]: 'KMS', [sse]: 'AES256' }), 'E04', 'AES256');
    await assertUnwritten(trio({ [sse]: 'aws:kms' }), 'E04', 'aws:kms');
    await assertUnwritten({ [customerKeyDigest]: String(keyA.headers[customerKeyDigest]), [sse]: 'aws:kms:dsse' }, 'E04', 'aws:kms:dsse');
  });

  test('C12: written with an algorithm that is none', async () => {
    for (const algorithm of ['KMS', 'AES192', 'aes256', '']) await assertUnwritten(trio({ [customerAlgorithm]: algorithm }), 'E12', algorithm);
  });

  test('C13 C14 C15: two headers of three, or one', async () => {
    const [algorithm, key, digest] = [customerAlgorithm, customerKeyText, customerKeyDigest].map((name) => ({ [name]: undefined }));
    await assertUnwritten(trio(algorithm), 'E11');
    await assertUnwritten(trio({ ...algorithm, ...key }), 'E11');
    await assertUnwritten(trio({ ...algorithm, ...digest }), 'E11');
    await assertUnwritten(trio(key), 'E13');
    await assertUnwritten(trio({ ...key, ...digest }), 'E13');
    await assertUnwritten(trio(digest), 'E14');
  });

  test('C16 C17 C18: a key of another length, another digest, and both', async () => {
    const short = Buffer.alloc(10, 's');
    await assertUnwritten(trio({ [customerKeyText]: short.toString('base64'), [customerKeyDigest]: digestOf(short) }), 'E16');
    await assertUnwritten(trio({ [customerKeyText]: 'not base64!' }), 'E16');
    await assertUnwritten(trio({ [customerKeyDigest]: 'AAAAAAAAAAAAAAAAAAAAAA==' }), 'E15');
    await assertUnwritten(trio({ [customerKeyText]: Buffer.alloc(24, 's').toString('base64') }), 'E15');
  });

  test('C20: a customer key over HTTP, whatever it is sent for', async () => {
    const overHttp = { scheme: 'http' } as const;
    for (const [method, target, headers] of [
      ['GET', '/k', keyA.headers], ['PUT', '/new', keyA.headers], ['POST', '/new?uploads=', keyA.headers],
      ['PUT', '/new', { 'x-amz-copy-source': `/${bucket}/k`, ...keyA.sourceHeaders }], ['GET', '/k', { [customerKeyText]: 'not base64!' }],
    ] as [string, string, Record<string, string>][]) {
      assertRefused(await lab.send(method, `/${bucket}${target}`, headers, undefined, overHttp), 'E10');
    }
    assertBare(await lab.send('HEAD', `/${bucket}/k`, keyA.headers, undefined, overHttp), 400);
    assertBare(await head({}, 'new'), 404);
  });

  test('C21: a customer key for an object that has none', async () => {
    const key = await lab.newKey();
    for (const headers of [{}, { [sse]: 'aws:kms', [kid]: key.id }, { [sse]: 'aws:kms:dsse', [kid]: key.id }] as Record<string, string>[]) {
      assert.equal((await put(headers, 'other')).status, 200);
      assertRefused(await get(keyA.headers, 'other'), 'E19');
      assertBare(await head(keyA.headers, 'other'), 400);
    }
  });

  test('C22: each version opens with its own key', async () => {
    const versioned = await lab.newBucket();
    await lab.send('PUT', `/${versioned}?versioning`, {}, '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>');
    const versions: [string, typeof keyA, typeof keyA][] = [['first', keyA, keyB], ['second', keyB, keyA]];
    const ids: string[] = [];
    for (const [text, key] of versions) ids.push(String((await lab.send('PUT', `/${versioned}/k`, key.headers, text)).headers['x-amz-version-id']));
    for (const [index, [text, key, other]] of versions.entries()) {
      const target = `/${versioned}/k?versionId=${ids[index]}`;
      const read = await lab.send('GET', target, key.headers);
      assertCustomer(read, key);
      assert.equal(read.text, text);
      assertRefused(await lab.send('GET', target, other.headers), 'E18');
      assertRefused(await lab.send('GET', target), 'E17');
    }
    for (const id of ids) assert.equal((await lab.send('DELETE', `/${versioned}/k?versionId=${id}`)).status, 204);
  });

  test('C23: tags, access list and delete need no key (retention is not built and says so)', async () => {
    await put(keyA.headers, 'kept');
    const tagging = '<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>';
    assert.equal((await lab.send('PUT', `/${bucket}/kept?tagging`, {}, tagging)).status, 200);
    assert.match((await lab.send('GET', `/${bucket}/kept?tagging`)).text, /<Key>a<\/Key><Value>b</);
    assert.equal((await lab.send('DELETE', `/${bucket}/kept?tagging`)).status, 204);
    assert.match((await lab.send('GET', `/${bucket}/kept?acl`)).text, /FULL_CONTROL/);
    assert.equal((await lab.send('PUT', `/${bucket}/kept?retention`, {}, '<Retention/>')).status, 501);
    assert.equal((await lab.send('DELETE', `/${bucket}/kept`)).status, 204);
    assertBare(await head({}, 'kept'), 404);
  });

  test('C24: attributes', async () => {
    const shown = await attributes(keyA.headers);
    assert.equal(shown.status, 200);
    assert.match(shown.text, new RegExp(`<ETag>${String(written.headers['etag']).replaceAll('"', '')}</ETag>`));
    assert.match(shown.text, /<ObjectSize>9</);
    assert.deepEqual(Object.keys(shown.headers).filter((name) => name.includes('encryption')), []);
    assertRefused(await attributes({}), 'E17');
    assertRefused(await attributes(keyB.headers), 'E18');
  });

  test('C25: equal bytes under an equal key, different ETags', async () => {
    const [a, b] = [await put(keyA.headers, 'a'), await put(keyA.headers, 'b')];
    assert.match(String(a.headers['etag']), opaque);
    assert.notEqual(a.headers['etag'], b.headers['etag']);
  });

  test('C27: annotations are not built: 501 NotImplemented for every object where AWS has 400 InvalidRequest', async () => {
    const refused = await lab.send('PUT', `/${bucket}/k?annotation&annotationName=n`, {}, 'note');
    assert.deepEqual([refused.status, refused.code], [501, 'NotImplemented']);
    assert.equal((await get(keyA.headers)).text, body);
  });

  test('C28: a checksum that the server made by itself', async () => {
    assertCustomer(await put(keyA.headers, 'summed'), keyA);
    const looked = await head({ ...keyA.headers, 'x-amz-checksum-mode': 'ENABLED' }, 'summed');
    assertCustomer(looked, keyA);
    assert.deepEqual([looked.headers['x-amz-checksum-crc64nvme'], looked.headers['x-amz-checksum-type']], ['b26bJhxOfQc=', 'FULL_OBJECT']);
    assert.equal((await head(keyA.headers, 'summed')).headers['x-amz-checksum-crc64nvme'], undefined);
  });
});

/** The forms in which a key could come to light. */
const formsOf = (key: Buffer): Record<string, Buffer> => ({
  raw: key, base64: Buffer.from(key.toString('base64')), base64url: Buffer.from(key.toString('base64url')), hex: Buffer.from(key.toString('hex')),
});

describe('what is left of a customer key', () => {
  // Of letters alone: it would stand in a line of JSON as it is.
  const secret = customerKey('theKeyOfACustomerInReadableBytes');

  function assertSilent(log: string): void {
    for (const [form, bytes] of Object.entries(formsOf(secret.key))) {
      assert.ok(!log.includes(bytes.toString('latin1')), `the log has the key in ${form}`);
    }
  }

  test('the search of a log finds a key in each form', () => {
    for (const bytes of Object.values(formsOf(secret.key))) assert.throws(() => assertSilent(JSON.stringify({ message: `key ${bytes.toString('latin1')}.` })));
  });

  test('C19: refused over HTTP, and in no log', async () => {
    const server = await spawnServer({ workers: 1, flags: ['--log-level', 'debug'] });
    const s3 = new S3Client({ endpoint: server.httpUrl, region: 'us-east-1', credentials: server.credentials, forcePathStyle: true });
    try {
      const refused = await s3.send(new PutObjectCommand({ Bucket: 'in-clear', Key: 'k', Body: body, SSECustomerAlgorithm: 'AES256', SSECustomerKey: secret.key.toString('base64') })).then(
        () => undefined, (error: unknown) => error as { name: string; message: string; $metadata: { httpStatusCode: number } },
      );
      assert.deepEqual(
        [refused?.$metadata.httpStatusCode, refused?.name, refused?.message],
        [400, 'InvalidArgument', 'Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.'],
      );
    } finally {
      s3.destroy();
      await server.stop();
    }
    assert.match(server.output(), /"operation":"PutObject".*"status":400/, 'the request itself is in the log');
    assertSilent(server.output());
  });

  test('C19: in no log when it was taken, nor when it was wrong', async () => {
    const lab = await openLab();
    try {
      const bucket = await lab.newBucket();
      assertCustomer(await lab.send('PUT', `/${bucket}/k`, secret.headers, body), secret);
      assertCustomer(await lab.send('GET', `/${bucket}/k`, secret.headers), secret);
      assertCustomer(await lab.send('PUT', `/${bucket}/copy`, { ...secret.headers, ...secret.sourceHeaders, 'x-amz-copy-source': `/${bucket}/k` }), secret);
      await lab.send('PUT', `/${bucket}/other`, keyA.headers, body);
      assertRefused(await lab.send('GET', `/${bucket}/other`, secret.headers), 'E18');
      assertRefused(await lab.send('PUT', `/${bucket}/new`, { ...secret.headers, [customerKeyDigest]: 'AAAAAAAAAAAAAAAAAAAAAA==' }, body), 'E15');
      const log = lab.server.logLines.join('');
      assert.ok(log.includes(`"bucket":"${bucket}"`) && log.includes('"encryption":"SSE-C"'));
      assertSilent(log);
    } finally {
      await lab.stop();
    }
  });

  test('C26: neither key nor plain text is on the disk, where the name of the object is', async () => {
    const lab = await openLab();
    const { dataDir } = lab.server;
    const marker = 'the-plain-text-of-a-customer-that-nobody-else-has';
    const plain = Buffer.alloc(100_000, marker);
    try {
      const bucket = await lab.newBucket();
      const texts: [string, Buffer][] = [['in-the-catalog', plain.subarray(0, 100)], ['in-a-file', plain]];
      for (const [key, text] of texts) assertCustomer(await lab.send('PUT', `/${bucket}/searched-${key}`, secret.headers, text), secret);
      const uploadId = await lab.startUpload(bucket, 'searched-upload', secret.headers);
      assertCustomer(await lab.send('PUT', `/${bucket}/searched-upload?partNumber=1&uploadId=${uploadId}`, secret.headers, plain), secret);
      await lab.send('PUT', `/${bucket}/searched-open`, {}, plain);
    } finally {
      await lab.server.stop({ keepData: true });
    }
    try {
      const needles: Record<string, Buffer> = { ...formsOf(secret.key), 'plain text': Buffer.from(marker.slice(0, 32)), 'name of the object': Buffer.from('searched-in-a-file') };
      const found = new Set<string>();
      let files = 0;
      for (const entry of await readdir(dataDir, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        files++;
        const bytes = await readFile(join(entry.parentPath, entry.name));
        for (const [name, needle] of Object.entries(needles)) if (bytes.includes(needle)) found.add(name);
      }
      assert.ok(files > 3, `${files} files`);
      assert.deepEqual([...found], ['name of the object']);
    } finally {
      await rm(dataDir, { recursive: true });
    }
  });
});
