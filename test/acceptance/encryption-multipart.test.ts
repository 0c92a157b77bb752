/**
 * Multipart uploads by encryption: cases M of contract s3-encryption.md section 24. Parts are of the least size that
 * S3 allows, one byte more where borders matter.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import {
  assertCustomer, assertRefused, bk, completion, ctx, customerKeyDigest, customerKeyText, defaultRule, etagIn, keyA, keyB, kid, md5, opaque, openLab, sse, texts,
  type Lab, type LabAnswer,
} from '../kit/encryption-lab.ts';

const partSizeMin = 5 * 1024 * 1024;
const encryptionHeaders = (answer: LabAnswer): string[] => Object.keys(answer.headers).filter((name) => name.startsWith('x-amz-server-side-encryption'));
const checksumHeaders = (answer: LabAnswer): string[] => Object.keys(answer.headers).filter((name) => name.startsWith('x-amz-checksum'));

/** Section 9: MD5 of the parts' ETags, be they MD5s themselves or not, and how many. */
function multipartETag(parts: readonly string[]): string {
  return `"${md5(Buffer.concat(parts.map((etag) => Buffer.from(etag.replaceAll('"', ''), 'hex'))))}-${parts.length}"`;
}

/** Bytes in which no two places look alike, so that a wrong offset shows. */
function unlike(sizeBytes: number, seed: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  for (let offset = 0; offset + 4 <= sizeBytes; offset += 4) bytes.writeUInt32LE((offset * 2_654_435_761 + seed) >>> 0, offset);
  return bytes;
}

describe('multipart uploads by encryption', () => {
  let lab: Lab;
  let K1: { id: string; arn: string };
  before(async () => {
    lab = await openLab();
    K1 = await lab.newKey();
  });
  after(() => lab.stop());

  interface Begun {
    target: string;
    object: string;
    part(number: number, bytes: string | Buffer, headers?: Record<string, string>): Promise<LabAnswer>;
    complete(parts: readonly { number: number; answer: LabAnswer; extra?: string }[], headers?: Record<string, string>): Promise<LabAnswer>;
  }
  async function begin(headers: Record<string, string> = {}, bucket?: string): Promise<Begun> {
    const object = `/${bucket ?? (await lab.newBucket())}/k`;
    const uploadId = await lab.startUpload(object.slice(1, -2), 'k', headers);
    const target = `${object}?uploadId=${uploadId}`;
    return {
      target, object,
      part: (number, bytes, more = {}) => lab.send('PUT', `${target}&partNumber=${number}`, more, bytes),
      complete: (parts, more = {}) =>
        lab.send('POST', target, more, completion(parts.map(({ number, answer, extra }) => ({ number, etag: String(answer.headers['etag']), ...(extra === undefined ? {} : { extra }) })))),
    };
  }
  const get = (object: string, headers: Record<string, string> = {}): Promise<LabAnswer> => lab.send('GET', object, headers);
  async function assertAbsent(object: string): Promise<void> {
    assert.equal((await lab.send('HEAD', object)).status, 404);
  }

  test('M14: the formula of the ETag, by a recorded one', () => {
    assert.equal(
      multipartETag(['cf96b8ba9d9e9e6349399eb3fc08a3f7', 'baa1d9ab47364489d4954efe66a37864', '6e7021813aee13e435eeaff924b9160c']), '"2d296eb6540ecd21430c385336c5dc9c-3"',
    );
  });

  test('M01 M02: SSE-KMS is asked for once and echoed by each step', async () => {
    const bucket = await lab.newBucket();
    const context = Buffer.from('{"team":"a"}').toString('base64');
    const created = await lab.send('POST', `/${bucket}/k?uploads=`, { [sse]: 'aws:kms', [kid]: K1.id, [bk]: 'true', [ctx]: context });
    assert.equal(created.headers[ctx], context);
    const target = `/${bucket}/k?uploadId=${/<UploadId>([^<]+)</.exec(created.text)?.[1]}`;
    const bodies = [Buffer.alloc(partSizeMin, 'a'), Buffer.from('the end')];
    const parts: LabAnswer[] = [];
    for (const [index, bytes] of bodies.entries()) parts.push(await lab.send('PUT', `${target}&partNumber=${index + 1}`, {}, bytes));
    const etags = parts.map(({ headers }) => String(headers['etag']));
    const completed = await lab.send('POST', target, {}, completion(etags.map((etag, index) => ({ number: index + 1, etag }))));
    for (const answer of [created, ...parts, completed]) {
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual([answer.headers[sse], answer.headers[kid], answer.headers[bk]], ['aws:kms', K1.arn, 'true']);
    }
    for (const [index, etag] of etags.entries()) {
      assert.match(etag, opaque);
      assert.notEqual(etag, `"${md5(bodies[index] ?? '')}"`);
      assert.equal(parts[index]?.headers[ctx], undefined);
    }
    assert.equal(completed.headers[ctx], undefined);
    assert.equal(etagIn(completed), multipartETag(etags));
    assert.doesNotMatch(completed.text, /Checksum/);
    assert.deepEqual(checksumHeaders(completed), []);

    const read = await get(`/${bucket}/k`, { 'x-amz-checksum-mode': 'ENABLED' });
    assert.deepEqual([read.headers['etag'], read.headers['content-length']], [multipartETag(etags), String(partSizeMin + 7)]);
    assert.ok(read.body.equals(Buffer.concat(bodies)));
    assert.equal(read.headers['x-amz-checksum-type'], 'FULL_OBJECT');
    const single = await lab.send('PUT', `/${bucket}/single`, {}, Buffer.concat(bodies));
    assert.ok(read.headers['x-amz-checksum-crc64nvme'], 'there is a checksum');
    assert.equal(read.headers['x-amz-checksum-crc64nvme'], single.headers['x-amz-checksum-crc64nvme']);
  });

  test('M03: a key that is not there begins no upload', async () => {
    const bucket = await lab.newBucket();
    const refused = await lab.send('POST', `/${bucket}/k?uploads=`, { [sse]: 'aws:kms', [kid]: 'fake-key-id' });
    assert.deepEqual([refused.status, refused.code, refused.message], [400, 'KMS.NotFoundException', "Invalid keyId 'fake-key-id'"]);
    const listed = await lab.send('GET', `/${bucket}?uploads=`);
    assert.deepEqual([listed.status, /<Upload>/.test(listed.text)], [200, false]);
  });

  test('M04: an upload keeps the default it began under', async () => {
    const bucket = await lab.newBucket();
    await lab.setDefault(bucket, defaultRule('aws:kms', K1.id));
    const upload = await begin({}, bucket);
    await lab.setDefault(bucket, defaultRule('AES256'));
    const part = await upload.part(1, 'text');
    const completed = await upload.complete([{ number: 1, answer: part }]);
    for (const answer of [part, completed, await lab.send('HEAD', upload.object), await get(upload.object)]) {
      assert.deepEqual([answer.status, answer.headers[sse], answer.headers[kid]], [200, 'aws:kms', K1.arn]);
    }
    assert.equal((await lab.send('PUT', `/${bucket}/new`, {}, 'x')).headers[sse], 'AES256');
  });

  test('M05: parts take no encryption header', async () => {
    for (const [value, headers] of [['aws:kms', { [sse]: 'aws:kms', [kid]: K1.id }], ['AES256', {}]] as [string, Record<string, string>][]) {
      const upload = await begin(headers);
      assertRefused(await upload.part(1, 'text', { [sse]: value }), 'E03', value);
      await lab.send('PUT', upload.object, {}, 'source');
      assertRefused(await lab.send('PUT', `${upload.target}&partNumber=1`, { [sse]: value, 'x-amz-copy-source': upload.object }), 'E03', value);
      assert.doesNotMatch((await lab.send('GET', upload.target)).text, /<Part>/);
    }
  });

  test('M06: parts of an SSE-C upload want its key', async () => {
    const upload = await begin(keyA.headers);
    const short = Buffer.alloc(10, 's');
    assertRefused(await upload.part(1, 'text'), 'E20');
    assertRefused(await upload.part(1, 'text', keyB.headers), 'E21');
    assertRefused(await upload.part(1, 'text', { ...keyA.headers, [customerKeyDigest]: 'AAAAAAAAAAAAAAAAAAAAAA==' }), 'E15');
    assertRefused(
      await upload.part(1, 'text', { ...keyA.headers, [customerKeyText]: short.toString('base64'), [customerKeyDigest]: createHash('md5').update(short).digest('base64') }), 'E16',
    );
    assert.doesNotMatch((await lab.send('GET', upload.target)).text, /<Part>/);
    assertCustomer(await upload.part(1, 'text', keyA.headers), keyA);
  });

  test('M07: parts of other uploads want none', async () => {
    for (const headers of [{}, { [sse]: 'aws:kms', [kid]: K1.id }] as Record<string, string>[]) {
      const upload = await begin(headers);
      assertRefused(await upload.part(1, 'text', keyA.headers), 'E20');
      assert.doesNotMatch((await lab.send('GET', upload.target)).text, /<Part>/);
    }
  });

  test('M08: an SSE-C upload is listed and completed without its key, and then has no checksum', async () => {
    const upload = await begin(keyA.headers);
    const bytes = [unlike(partSizeMin, 1), unlike(partSizeMin, 2), Buffer.from('the end')];
    const parts: LabAnswer[] = [];
    for (const [index, each] of bytes.entries()) parts.push(await upload.part(index + 1, each, keyA.headers));
    for (const part of parts) assertCustomer(part, keyA);
    for (const [index, { headers: { etag } }] of parts.entries()) assert.ok(opaque.test(String(etag)) && etag !== `"${md5(bytes[index] ?? '')}"`);

    const listed = await lab.send('GET', upload.target);
    assert.deepEqual([listed.status, [...listed.text.matchAll(/<Size>(\d+)</g)].map(([, size]) => Number(size))], [200, [partSizeMin, partSizeMin, 7]]);
    assert.deepEqual([encryptionHeaders(listed), /Checksum/.test(listed.text)], [[], false]);
    const completed = await upload.complete(parts.map((answer, index) => ({ number: index + 1, answer })));
    assert.equal(completed.status, 200, completed.text);
    assert.deepEqual([encryptionHeaders(completed), checksumHeaders(completed), /Checksum/.test(completed.text)], [[], [], false]);
    assert.equal(etagIn(completed), multipartETag(parts.map(({ headers }) => String(headers['etag']))));

    const read = await get(upload.object, { ...keyA.headers, 'x-amz-checksum-mode': 'ENABLED' });
    assertCustomer(read, keyA);
    assert.ok(read.body.equals(Buffer.concat(bytes)));
    assert.deepEqual(checksumHeaders(read), []);
    assertRefused(await get(upload.object), 'E17');
    assertRefused(await get(upload.object, keyB.headers), 'E18');
  });

  test('M09: completed with its key it has one', async () => {
    const upload = await begin(keyA.headers);
    const completed = await upload.complete([{ number: 1, answer: await upload.part(1, 'test_data', keyA.headers) }], keyA.headers);
    assert.equal(completed.status, 200, completed.text);
    assert.deepEqual(encryptionHeaders(completed), []);
    const read = await get(upload.object, { ...keyA.headers, 'x-amz-checksum-mode': 'ENABLED' });
    assertCustomer(read, keyA);
    assert.deepEqual([read.headers['x-amz-checksum-crc64nvme'], read.headers['x-amz-checksum-type']], ['b26bJhxOfQc=', 'FULL_OBJECT']);
  });

  test('M10: a declared checksum wants the key at completion', async () => {
    const upload = await begin({ ...keyA.headers, 'x-amz-checksum-algorithm': 'SHA256' });
    const digest = createHash('sha256').update('test_data').digest();
    const part = await upload.part(1, 'test_data', { ...keyA.headers, 'x-amz-checksum-sha256': digest.toString('base64') });
    assertCustomer(part, keyA);
    assert.doesNotMatch((await lab.send('GET', upload.target)).text, /<ChecksumSHA256>/);
    assert.ok((await lab.send('GET', upload.target, keyA.headers)).text.includes(`<ChecksumSHA256>${digest.toString('base64')}<`));
    const { [customerKeyDigest]: _digest, ...withoutDigest } = keyA.headers;
    for (const other of [keyB.headers, { ...withoutDigest, [customerKeyText]: 'c2hvcnQ=' }]) assertRefused(await lab.send('GET', upload.target, other), 'E18');
    const parts = [{ number: 1, answer: part, extra: `<ChecksumSHA256>${digest.toString('base64')}</ChecksumSHA256>` }];
    const refused = await upload.complete(parts);
    assert.deepEqual([refused.status, refused.code, refused.message], [400, 'InvalidRequest', texts.E17]);
    await assertAbsent(upload.object);
    const completed = await upload.complete(parts, keyA.headers);
    assert.equal(completed.status, 200, completed.text);
    const expected = `${createHash('sha256').update(digest).digest('base64')}-1`;
    const read = await get(upload.object, { ...keyA.headers, 'x-amz-checksum-mode': 'ENABLED' });
    assert.deepEqual([read.headers['x-amz-checksum-sha256'], read.headers['x-amz-checksum-type']], [expected, 'COMPOSITE']);
  });

  test('M11: another key completes nothing', async () => {
    const upload = await begin(keyA.headers);
    const parts = [{ number: 1, answer: await upload.part(1, 'text', keyA.headers) }];
    assertRefused(await upload.complete(parts, keyB.headers), 'E21');
    await assertAbsent(upload.object);
    assert.equal((await upload.complete(parts, keyA.headers)).status, 200);
  });

  test('M12: a key that is disabled midway stops all but abort', async () => {
    for (const bucketKey of ['false', 'true']) {
      const key = await lab.newKey();
      const upload = await begin({ [sse]: 'aws:kms', [kid]: key.id, [bk]: bucketKey });
      const part = await upload.part(1, 'text');
      assert.equal(part.status, 200);
      await lab.disableKey(key.id);
      for (const refused of [await upload.part(2, 'text'), await upload.complete([{ number: 1, answer: part }])]) {
        assert.deepEqual([refused.status, refused.code, refused.message], [400, 'KMS.DisabledException', `${key.arn} is disabled.`]);
      }
      assert.equal((await lab.send('DELETE', upload.target)).status, 204);
      await assertAbsent(upload.object);
    }
  });

  for (const [name, headersOf, readHeaders] of [
    ['SSE-S3', () => ({}), {}],
    ['SSE-KMS', () => ({ [sse]: 'aws:kms', [kid]: K1.id }), {}],
    ['DSSE-KMS', () => ({ [sse]: 'aws:kms:dsse', [kid]: K1.id }), {}],
    ['SSE-C', () => keyA.headers, keyA.headers],
  ] as [string, () => Record<string, string>, Record<string, string>][]) {
    test(`M13: ranges and parts of ${name} are those of the plain text`, async () => {
      const upload = await begin(headersOf());
      const bytes = [unlike(partSizeMin + 1, 11), unlike(partSizeMin + 1, 12), unlike(101, 13)];
      const whole = Buffer.concat(bytes);
      const parts: { number: number; answer: LabAnswer }[] = [];
      // Numbers with gaps: what counts is their order.
      for (const [index, each] of bytes.entries()) parts.push({ number: 2 * index + 1, answer: await upload.part(2 * index + 1, each, readHeaders) });
      assert.equal((await upload.complete(parts)).status, 200);

      const looked = await lab.send('HEAD', upload.object, readHeaders);
      assert.deepEqual([looked.status, looked.headers['content-length']], [200, String(whole.length)]);
      const border = partSizeMin + 1;
      const end = whole.length - 1;
      for (const [range, start, last] of [
        [`bytes=${border - 1}-${border}`, border - 1, border], [`bytes=${border}-${border}`, border, border], [`bytes=${border - 70_000}-${border + 70_000}`, border - 70_000, border + 70_000],
        [`bytes=${2 * border - 5}-`, 2 * border - 5, end], ['bytes=-150', end - 149, end], ['bytes=0-0', 0, 0], [`bytes=5-${end + 1000}`, 5, end],
      ] as [string, number, number][]) {
        const ranged = await get(upload.object, { ...readHeaders, range });
        assert.deepEqual([ranged.status, ranged.headers['content-range']], [206, `bytes ${start}-${last}/${whole.length}`]);
        assert.ok(ranged.body.equals(whole.subarray(start, last + 1)), range);
        assert.deepEqual(encryptionHeaders(ranged).toSorted(), encryptionHeaders(looked).toSorted());
      }
      assert.equal((await get(upload.object, { ...readHeaders, range: `bytes=${whole.length}-` })).code, 'InvalidRange');
      let start = 0;
      for (const [index, each] of bytes.entries()) {
        const part = await get(`${upload.object}?partNumber=${2 * index + 1}`, readHeaders);
        assert.deepEqual(
          [part.status, part.headers['content-range'], part.headers['x-amz-mp-parts-count']], [206, `bytes ${start}-${start + each.length - 1}/${whole.length}`, '3'],
        );
        assert.ok(part.body.equals(each), `part ${index}`);
        start += each.length;
      }
      const listed = await lab.send('GET', `${upload.object.slice(0, -2)}?list-type=2`);
      assert.match(listed.text, new RegExp(`<Size>${whole.length}<`));
    });
  }

  test('M15: single and multipart objects replace each other', async () => {
    const bucket = await lab.newBucket();
    for (const round of ['one', 'two']) {
      assertCustomer(await lab.send('PUT', `/${bucket}/k`, keyA.headers, `single ${round}`), keyA);
      assert.equal((await get(`/${bucket}/k`, keyA.headers)).text, `single ${round}`);
      const upload = await begin(keyB.headers, bucket);
      assert.equal((await upload.complete([{ number: 1, answer: await upload.part(1, `multipart ${round}`, keyB.headers) }])).status, 200);
      const read = await get(`/${bucket}/k`, keyB.headers);
      assertCustomer(read, keyB);
      assert.equal(read.text, `multipart ${round}`);
      assertRefused(await get(`/${bucket}/k`, keyA.headers), 'E18');
    }
  });

  test('the SDK uploads in parts under a customer key and under a KMS key', async () => {
    const s3 = lab.server.s3();
    const Bucket = await lab.newBucket();
    const Body = unlike(partSizeMin + 12_345, 21);
    const customer = { SSECustomerAlgorithm: 'AES256' as const, SSECustomerKey: keyA.headers[customerKeyText] };
    for (const [Key, written, read] of [
      ['customer', customer, customer], ['kms', { ServerSideEncryption: 'aws:kms' as const, SSEKMSKeyId: K1.id }, {}],
    ] as const) {
      await new Upload({ client: s3, params: { Bucket, Key, Body, ...written } }).done();
      const answer = await s3.send(new GetObjectCommand({ Bucket, Key, ...read }));
      assert.ok(Body.equals((await answer.Body?.transformToByteArray()) ?? Buffer.alloc(0)));
      assert.match(String(answer.ETag), /-2"$/);
      assert.equal(Key === 'kms' ? answer.SSEKMSKeyId : answer.SSECustomerKeyMD5, Key === 'kms' ? K1.arn : keyA.headers[customerKeyDigest]);
    }
  });
});
