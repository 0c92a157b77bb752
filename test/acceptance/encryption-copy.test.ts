/**
 * Copies between encryptions: cases Y of contract s3-encryption.md section 24.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CopyObjectCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import {
  assertCustomer, assertRefused, bk, completion, copySource, ctx, customerAlgorithm, customerKeyText, defaultRule, etagIn, keyA, keyB, kid, md5, opaque, openLab, sse,
  type CustomerKey, type Lab, type LabAnswer,
} from '../kit/encryption-lab.ts';

const partSizeMin = 5 * 1024 * 1024;
const sourceAlgorithm = 'x-amz-copy-source-server-side-encryption-customer-algorithm';
/** Larger than what is kept beside the record of an object. */
const large = Buffer.alloc(100_003, 'copied ');

describe('copies between encryptions', () => {
  let lab: Lab;
  let K1: { id: string; arn: string };
  let K2: { id: string; arn: string };
  before(async () => {
    lab = await openLab();
    [K1, K2] = await Promise.all([lab.newKey(), lab.newKey()]);
  });
  after(() => lab.stop());

  const put = (target: string, headers: Record<string, string> = {}, body: string | Buffer = 'text'): Promise<LabAnswer> => lab.send('PUT', target, headers, body);
  const get = (target: string, headers: Record<string, string> = {}): Promise<LabAnswer> => lab.send('GET', target, headers);
  const copy = (from: string, to: string, headers: Record<string, string> = {}): Promise<LabAnswer> => lab.send('PUT', to, { [copySource]: from, ...headers });
  async function assertAbsent(target: string): Promise<void> {
    assert.equal((await lab.send('HEAD', target)).status, 404);
  }

  /** What a type of encryption is asked for with, and what its answers say. */
  interface Kind {
    name: string;
    write(key: 'source' | 'target'): Record<string, string>;
    read(key: 'source' | 'target'): Record<string, string>;
    /** sse, key id. */
    echo(key: 'source' | 'target'): [string | undefined, string | undefined];
    customer?: (key: 'source' | 'target') => CustomerKey;
  }
  const kmsKey = (key: 'source' | 'target') => (key === 'source' ? K1 : K2);
  const customerKeyOf = (key: 'source' | 'target') => (key === 'source' ? keyA : keyB);
  const kinds: Kind[] = [
    { name: 'SSE-S3', write: () => ({ [sse]: 'AES256' }), read: () => ({}), echo: () => ['AES256', undefined] },
    { name: 'SSE-KMS', write: (key) => ({ [sse]: 'aws:kms', [kid]: kmsKey(key).id }), read: () => ({}), echo: (key) => ['aws:kms', kmsKey(key).arn] },
    { name: 'DSSE-KMS', write: (key) => ({ [sse]: 'aws:kms:dsse', [kid]: kmsKey(key).id }), read: () => ({}), echo: (key) => ['aws:kms:dsse', kmsKey(key).arn] },
    { name: 'SSE-C', write: (key) => customerKeyOf(key).headers, read: (key) => customerKeyOf(key).headers, echo: () => [undefined, undefined], customer: customerKeyOf },
  ];

  function assertEcho(answer: LabAnswer, kind: Kind, key: 'source' | 'target'): void {
    assert.equal(answer.status, 200, answer.text.slice(0, 500));
    assert.deepEqual([answer.headers[sse], answer.headers[kid], answer.headers[bk]], [...kind.echo(key), undefined]);
    if (kind.customer) assertCustomer(answer, kind.customer(key));
    else assert.equal(answer.headers[customerAlgorithm], undefined);
  }

  for (const from of kinds) {
    for (const to of kinds) {
      test(`Y01: ${from.name} to ${to.name}`, async () => {
        const bucket = await lab.newBucket();
        for (const body of [Buffer.from('text'), large]) {
          const written = await put(`/${bucket}/source`, from.write('source'), body);
          const copied = await copy(`/${bucket}/source`, `/${bucket}/target`, { ...to.write('target'), ...(from.customer ? keyA.sourceHeaders : {}) });
          assertEcho(copied, to, 'target');
          const read = await get(`/${bucket}/target`, to.read('target'));
          assertEcho(read, to, 'target');
          assert.ok(read.body.equals(body));
          assert.equal(etagIn(copied), read.headers['etag']);
          assert.match(String(read.headers['etag']), opaque);
          assert.equal(read.headers['etag'] === `"${md5(body)}"`, to.name === 'SSE-S3');
          if (to.name !== 'SSE-S3') assert.notEqual(read.headers['etag'], written.headers['etag']);
          const source = await get(`/${bucket}/source`, from.read('source'));
          assertEcho(source, from, 'source');
          assert.ok(source.body.equals(body));
          assert.equal(source.headers['etag'], written.headers['etag']);
        }
      });
    }
  }

  test('Y01 by the SDK, with both customer keys', async () => {
    const s3 = lab.server.s3();
    const Bucket = await lab.newBucket();
    const key = (of: CustomerKey) => ({ SSECustomerAlgorithm: 'AES256' as const, SSECustomerKey: of.headers[customerKeyText] });
    await s3.send(new PutObjectCommand({ Bucket, Key: 'source', Body: large, ...key(keyA) }));
    const copied = await s3.send(new CopyObjectCommand({
      Bucket, Key: 'target', CopySource: `${Bucket}/source`, CopySourceSSECustomerAlgorithm: 'AES256', CopySourceSSECustomerKey: keyA.headers[customerKeyText], ...key(keyB),
    }));
    assert.equal(copied.SSECustomerAlgorithm, 'AES256');
    const read = await s3.send(new GetObjectCommand({ Bucket, Key: 'target', ...key(keyB) }));
    assert.ok(large.equals((await read.Body?.transformToByteArray()) ?? Buffer.alloc(0)));
  });

  test('Y02: without headers a copy takes the default of its bucket, never the source\'s', async () => {
    const [bucket, other] = [await lab.newBucket(), await lab.newBucket()];
    await put(`/${bucket}/kms`, { [sse]: 'aws:kms', [kid]: K1.id });
    const copied = await copy(`/${bucket}/kms`, `/${other}/k`);
    assert.deepEqual([copied.status, copied.headers[sse], copied.headers[kid], etagIn(copied)], [200, 'AES256', undefined, `"${md5('text')}"`]);
    await lab.setDefault(other, defaultRule('aws:kms', K2.id, true));
    const byDefault = await copy(`/${bucket}/kms`, `/${other}/k`);
    assert.deepEqual([byDefault.headers[sse], byDefault.headers[kid], byDefault.headers[bk]], ['aws:kms', K2.arn, 'true']);
    assert.equal((await get(`/${other}/k`)).text, 'text');
  });

  test('Y03: key, bucket key and context of the source are not taken over', async () => {
    const [bucket, other] = [await lab.newBucket(), await lab.newBucket()];
    const context = Buffer.from('{"team":"a"}').toString('base64');
    await put(`/${bucket}/source`, { [sse]: 'aws:kms', [kid]: K1.id, [bk]: 'true', [ctx]: context });
    const copied = await copy(`/${bucket}/source`, `/${other}/target`, { [sse]: 'aws:kms' });
    assert.deepEqual([copied.status, copied.headers[sse], copied.headers[bk], copied.headers[ctx]], [200, 'aws:kms', undefined, undefined], copied.text);
    const managed = String(copied.headers[kid]);
    assert.match(managed, /^arn:aws:kms:/);
    assert.notEqual(managed, K1.arn);
    assert.equal((await get(`/${other}/target`)).text, 'text');
    const seen = lab.server.keyUses.filter(({ keyArn }) => keyArn === managed).slice(-2);
    assert.deepEqual(seen.map(({ eventName }) => eventName), ['GenerateDataKey', 'Decrypt']);
    for (const { encryptionContext } of seen) assert.deepEqual({ ...encryptionContext }, { 'aws:s3:arn': `arn:aws:s3:::${other}/target` });
  });

  test('Y04: a source under a customer key wants that key', async () => {
    const bucket = await lab.newBucket();
    const [source, target] = [`/${bucket}/source`, `/${bucket}/target`];
    await put(source, keyA.headers);
    assertRefused(await copy(source, target), 'E17');
    assertRefused(await copy(source, target, keyA.headers), 'E17');
    assertRefused(await copy(source, target, { ...keyA.sourceHeaders, [sourceAlgorithm]: 'KMS' }), 'E12', 'KMS');
    assertRefused(await copy(source, target, keyB.sourceHeaders), 'E18');
    const { [sourceAlgorithm]: _algorithm, ...withoutAlgorithm } = keyA.sourceHeaders;
    assertRefused(await copy(source, target, withoutAlgorithm), 'E11');
    assertRefused(await copy(source, target, { ...keyA.sourceHeaders, 'x-amz-copy-source-server-side-encryption-customer-key': 'c2hvcnQ=', 'x-amz-copy-source-server-side-encryption-customer-key-md5': md5Base64('short') }), 'E18');
    const overHttp = await lab.send('PUT', target, { [copySource]: source, ...keyA.sourceHeaders }, undefined, { scheme: 'http' });
    assertRefused(overHttp, 'E10');
    await assertAbsent(target);
  });

  test('Y05: a source under another encryption wants none', async () => {
    const bucket = await lab.newBucket();
    for (const headers of [{}, { [sse]: 'aws:kms', [kid]: K1.id }, { [sse]: 'aws:kms:dsse', [kid]: K1.id }] as Record<string, string>[]) {
      await put(`/${bucket}/source`, headers);
      assertRefused(await copy(`/${bucket}/source`, `/${bucket}/target`, keyA.sourceHeaders), 'E19');
    }
    await assertAbsent(`/${bucket}/target`);
  });

  test('Y06: the target is asked for like that of a PUT', async () => {
    const bucket = await lab.newBucket();
    const [source, target] = [`/${bucket}/source`, `/${bucket}/target`];
    await put(source);
    assertRefused(await copy(source, target, { ...keyA.headers, [sse]: 'AES256' }), 'E04', 'AES256');
    assertRefused(await copy(source, target, { ...keyA.headers, [customerAlgorithm]: 'KMS' }), 'E12', 'KMS');
    const refused = await copy(source, target, { [sse]: 'aws:kms', [kid]: 'fake-key-id' });
    assert.deepEqual([refused.status, refused.code, refused.message], [400, 'KMS.NotFoundException', "Invalid keyId 'fake-key-id'"]);
    await assertAbsent(target);
  });

  test('Y07: a copy onto itself changes something, be it the encryption it has', async () => {
    const bucket = await lab.newBucket();
    const target = `/${bucket}/k`;
    await put(target);
    assertRefused(await copy(target, target), 'E50');
    assert.equal((await copy(target, target, { [sse]: 'AES256' })).headers[sse], 'AES256');
    assert.equal((await copy(target, target, { 'x-amz-metadata-directive': 'REPLACE' })).status, 200);
    assert.equal((await copy(target, target, { 'x-amz-storage-class': 'STANDARD_IA' })).status, 200);
    assertCustomer(await copy(target, target, keyA.headers), keyA);
    assertCustomer(await copy(target, target, { ...keyB.headers, ...keyA.sourceHeaders }), keyB);
    assert.equal((await get(target, keyB.headers)).text, 'text');
  });

  test('Y08: a copy onto itself where the default was set by hand', async () => {
    const bucket = await lab.newBucket();
    await put(`/${bucket}/k`);
    await lab.setDefault(bucket, defaultRule('AES256'));
    const copied = await copy(`/${bucket}/k`, `/${bucket}/k`);
    assert.deepEqual([copied.status, copied.headers[sse]], [200, 'AES256'], copied.text);
  });

  test('Y09: a KMS object copied onto itself becomes AES256, one under a customer key, too', async () => {
    const bucket = await lab.newBucket();
    const target = `/${bucket}/k`;
    for (const [written, source] of [[{ [sse]: 'aws:kms', [kid]: K1.id }, {}], [keyA.headers, keyA.sourceHeaders]] as Record<string, string>[][]) {
      await put(target, written);
      const copied = await copy(target, target, source);
      assert.deepEqual([copied.status, copied.headers[sse], etagIn(copied)], [200, 'AES256', `"${md5('text')}"`], copied.text);
      const read = await get(target);
      assert.deepEqual([read.text, read.headers['etag'], read.headers[kid]], ['text', `"${md5('text')}"`, undefined]);
    }
  });

  test('Y10: a copy of a multipart object is whole', async () => {
    const bucket = await lab.newBucket();
    const bodies = [Buffer.alloc(partSizeMin, 'a'), Buffer.from('the end')];
    const whole = Buffer.concat(bodies);
    const uploadId = await lab.startUpload(bucket, 'source', { [sse]: 'aws:kms', [kid]: K1.id, 'x-amz-checksum-algorithm': 'CRC32' });
    const parts: { number: number; etag: string; extra: string }[] = [];
    for (const [index, body] of bodies.entries()) {
      const { headers } = await put(`/${bucket}/source?partNumber=${index + 1}&uploadId=${uploadId}`, {}, body);
      parts.push({ number: index + 1, etag: String(headers['etag']), extra: `<ChecksumCRC32>${String(headers['x-amz-checksum-crc32'])}</ChecksumCRC32>` });
    }
    const completed = await lab.send('POST', `/${bucket}/source?uploadId=${uploadId}`, {}, completion(parts));
    assert.equal(completed.status, 200, completed.text);
    const mode = { 'x-amz-checksum-mode': 'ENABLED' };
    assert.equal((await lab.send('HEAD', `/${bucket}/source`, mode)).headers['x-amz-checksum-type'], 'COMPOSITE');
    const copied = await copy(`/${bucket}/source`, `/${bucket}/target`);
    assert.deepEqual([copied.headers[sse], etagIn(copied)], ['AES256', `"${md5(whole)}"`]);
    assert.match(copied.text, /<ChecksumType>FULL_OBJECT</);
    const read = await get(`/${bucket}/target`, mode);
    assert.ok(read.body.equals(whole));
    assert.deepEqual([read.headers['etag'], read.headers['x-amz-checksum-type'], read.headers['x-amz-mp-parts-count']], [`"${md5(whole)}"`, 'FULL_OBJECT', undefined]);
    const single = await put(`/${bucket}/single`, { 'x-amz-checksum-crc32': String(read.headers['x-amz-checksum-crc32']) }, whole);
    assert.equal(single.status, 200, 'the checksum is that of the whole');
  });

  test('Y11 Y12: parts copied from one customer key under another', async () => {
    const bucket = await lab.newBucket();
    const source = `/${bucket}/source`;
    await put(source, keyA.headers, large);
    const uploadId = await lab.startUpload(bucket, 'target', keyB.headers);
    const target = `/${bucket}/target?uploadId=${uploadId}`;
    const copyPart = (number: number, headers: Record<string, string>): Promise<LabAnswer> => copy(source, `${target}&partNumber=${number}`, headers);

    assertRefused(await copyPart(1, keyA.sourceHeaders), 'E20');
    assertRefused(await copyPart(1, { ...keyA.sourceHeaders, ...keyA.headers }), 'E21');
    assertRefused(await copyPart(1, keyB.headers), 'E17');
    assertRefused(await copyPart(1, { ...keyB.sourceHeaders, ...keyB.headers }), 'E18');
    assertRefused(await copyPart(1, { ...keyA.sourceHeaders, ...keyB.headers, [customerAlgorithm]: 'KMS' }), 'E12', 'KMS');
    assert.doesNotMatch((await get(target)).text, /<Part>/);

    const first = Buffer.alloc(partSizeMin, 'f');
    const uploaded = await put(`${target}&partNumber=1`, keyB.headers, first);
    const both = { ...keyA.sourceHeaders, ...keyB.headers };
    const copied = await copyPart(2, { ...both, 'x-amz-copy-source-range': 'bytes=16380-90001' });
    assertCustomer(copied, keyB);
    assert.match(etagIn(copied), opaque);
    assert.notEqual(etagIn(copied), `"${md5(large.subarray(16_380, 90_002))}"`);
    const completed = await lab.send('POST', target, {}, completion([{ number: 1, etag: String(uploaded.headers['etag']) }, { number: 2, etag: etagIn(copied) }]));
    assert.equal(completed.status, 200, completed.text);
    const read = await get(`/${bucket}/target`, keyB.headers);
    assertCustomer(read, keyB);
    assert.ok(read.body.equals(Buffer.concat([first, large.subarray(16_380, 90_002)])));
    assertRefused(await get(`/${bucket}/target`, keyA.headers), 'E18');
  });

  test('Y13: a disabled key of the source, or of the target, stops a copy and is named', async () => {
    const bucket = await lab.newBucket();
    for (const [bucketKey, scheme] of [['false', 'aws:kms'], ['true', 'aws:kms'], ['false', 'aws:kms:dsse']] as const) {
      const key = await lab.newKey();
      const headers = { [sse]: scheme, [kid]: key.id, [bk]: bucketKey };
      await put(`/${bucket}/source`, headers);
      await put(`/${bucket}/plain`);
      await lab.disableKey(key.id);
      for (const refused of [
        await copy(`/${bucket}/source`, `/${bucket}/target`),
        await copy(`/${bucket}/source`, `/${bucket}/target`, { [sse]: 'aws:kms', [kid]: K2.id }),
        await copy(`/${bucket}/plain`, `/${bucket}/target`, headers),
      ]) assert.deepEqual([refused.status, refused.code, refused.message], [400, 'KMS.DisabledException', `${key.arn} is disabled.`]);
    }
    await assertAbsent(`/${bucket}/target`);
  });
});

function md5Base64(text: string): string {
  return Buffer.from(md5(text), 'hex').toString('base64');
}
