/**
 * Buckets that block customer keys, and what a bucket's configuration does to writes: cases B and N07 of contract
 * s3-encryption.md section 24, as far as s3-buckets.test.ts does not have them.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as sdk from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import {
  assertBlocked, assertCustomer, blockedTypes, bk, completion, copySource, customerAlgorithm, customerKeyDigest, customerKeyText, defaultRule, keyA, kid, openLab, sse,
  type Lab, type LabAnswer,
} from '../kit/encryption-lab.ts';

describe('blocked customer keys', () => {
  let lab: Lab;
  // New buckets block, as they do where the operator says nothing.
  before(async () => void (lab = await openLab({ settings: { newBucketsBlock: 'SSE-C' } })));
  after(() => lab.stop());

  const configuration = async (bucket: string): Promise<string> => (await lab.send('GET', `/${bucket}?encryption`)).text;
  const open = (bucket: string): Promise<LabAnswer> => lab.setDefault(bucket, blockedTypes('NONE'));
  const block = (bucket: string): Promise<LabAnswer> => lab.setDefault(bucket, blockedTypes('SSE-C'));
  const put = (bucket: string, headers: Record<string, string>, key = 'k'): Promise<LabAnswer> => lab.send('PUT', `/${bucket}/${key}`, headers, 'text');
  async function assertAbsent(bucket: string, key: string): Promise<void> {
    assert.equal((await lab.send('HEAD', `/${bucket}/${key}`)).status, 404);
  }

  /** A browser's form with the fields of a customer key, signed as the SDK signs it. */
  async function post(bucket: string, key: string, headers: Record<string, string>): Promise<LabAnswer> {
    const { fields } = await createPresignedPost(lab.server.s3(), { Bucket: bucket, Key: key, Fields: headers, Conditions: Object.entries(headers).map((entry) => Object.fromEntries([entry])) });
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append('file', new Blob(['text']), 'file');
    const encoded = new Response(form);
    const type = String(encoded.headers.get('content-type'));
    return lab.send('POST', `/${bucket}`, { 'content-type': type }, Buffer.from(await encoded.arrayBuffer()), { sign: false });
  }

  test('B10 B11: a new bucket blocks until it is told not to', async () => {
    const bucket = await lab.newBucket();
    assertBlocked(await put(bucket, keyA.headers), 's3:PutObject', `${bucket}/k`);
    await assertAbsent(bucket, 'k');
    const opened = await open(bucket);
    assert.deepEqual([opened.status, opened.body.length], [200, 0]);
    assertCustomer(await put(bucket, keyA.headers), keyA);
    assert.match(await configuration(bucket), /<EncryptionType>NONE<\/EncryptionType>/);
  });

  test('B10 B11 by the SDK', async () => {
    const s3 = lab.server.s3();
    const Bucket = await lab.newBucket();
    const object = { Bucket, Key: 'k', Body: 'text', SSECustomerAlgorithm: 'AES256' as const, SSECustomerKey: keyA.headers[customerKeyText] };
    await assert.rejects(s3.send(new sdk.PutObjectCommand(object)), { name: 'AccessDenied', message: /has blocked upload requests/ });
    const Rules = [{ BlockedEncryptionTypes: { EncryptionType: ['NONE' as const] } }];
    await s3.send(new sdk.PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules } }));
    assert.equal((await s3.send(new sdk.PutObjectCommand(object))).SSECustomerAlgorithm, 'AES256');
  });

  test('B12: a block refuses every way to write, and no way to read', async () => {
    const bucket = await lab.newBucket();
    await open(bucket);
    assertCustomer(await put(bucket, keyA.headers), keyA);
    const posted = await post(bucket, 'posted', keyA.headers);
    assertCustomer(posted, keyA, 204);
    assert.equal((await lab.send('GET', `/${bucket}/posted`, keyA.headers)).text, 'text');
    await block(bucket);

    const read = await lab.send('GET', `/${bucket}/k`, keyA.headers);
    assertCustomer(read, keyA);
    assert.equal(read.text, 'text');
    assertCustomer(await lab.send('HEAD', `/${bucket}/k`, keyA.headers), keyA);
    assert.equal((await lab.send('GET', `/${bucket}/k?attributes=`, { ...keyA.headers, 'x-amz-object-attributes': 'ObjectSize' })).status, 200);
    assert.equal((await lab.send('GET', `/${bucket}/k?tagging`)).status, 200);

    assertBlocked(await put(bucket, keyA.headers, 'new'), 's3:PutObject', `${bucket}/new`);
    assertBlocked(await put(bucket, { ...keyA.headers, ...keyA.sourceHeaders, [copySource]: `/${bucket}/k` }, 'new'), 's3:CopyObject', `${bucket}/new`);
    assertBlocked(await lab.send('POST', `/${bucket}/new?uploads=`, keyA.headers), 's3:PutObject', `${bucket}/new`);
    assertBlocked(await post(bucket, 'new', keyA.headers), 's3:PutObject', `${bucket}/new`);
    await assertAbsent(bucket, 'new');
    assert.doesNotMatch((await lab.send('GET', `/${bucket}?uploads=`)).text, /<Upload>/);

    const plain = await put(bucket, {}, 'plain');
    assert.deepEqual([plain.status, plain.headers[sse]], [200, 'AES256']);
    assert.equal((await lab.send('DELETE', `/${bucket}/k`)).status, 204);
  });

  test('B12: a block is looked at after the syntax of the key', async () => {
    const bucket = await lab.newBucket();
    const refused = await put(bucket, { ...keyA.headers, [customerKeyDigest]: 'AAAAAAAAAAAAAAAAAAAAAA==' });
    assert.deepEqual([refused.status, refused.code], [400, 'InvalidArgument']);
    assert.equal((await put(bucket, { ...keyA.headers, [customerAlgorithm]: 'KMS' })).code, 'InvalidEncryptionAlgorithmError');
  });

  test('B13: a block ends what was begun, except by abort', async () => {
    const bucket = await lab.newBucket();
    await open(bucket);
    const uploadId = await lab.startUpload(bucket, 'k', keyA.headers);
    const target = `/${bucket}/k?uploadId=${uploadId}`;
    const part = await lab.send('PUT', `${target}&partNumber=1`, keyA.headers, 'text');
    assertCustomer(part, keyA);
    await put(bucket, {}, 'source');
    await block(bucket);
    const complete = completion([{ number: 1, etag: String(part.headers['etag']) }]);
    for (const refused of [
      await lab.send('PUT', `${target}&partNumber=2`, keyA.headers, 'text'),
      await lab.send('PUT', `${target}&partNumber=2`, { ...keyA.headers, [copySource]: `/${bucket}/source` }),
      await lab.send('POST', target, {}, complete),
      await lab.send('POST', target, keyA.headers, complete),
    ]) assertBlocked(refused, 's3:PutObject', `${bucket}/k`);
    assert.equal((await lab.send('DELETE', target)).status, 204);
    await assertAbsent(bucket, 'k');
    assert.equal((await lab.send('GET', target)).code, 'NoSuchUpload');
  });

  test('B14: another algorithm leaves the block as it is, closed or open', async () => {
    const key = await lab.newKey();
    const bucket = await lab.newBucket();
    for (const type of ['SSE-C', 'NONE']) {
      await lab.setDefault(bucket, blockedTypes(type));
      assert.equal((await lab.setDefault(bucket, defaultRule('aws:kms', key.arn))).status, 200);
      const shown = await configuration(bucket);
      assert.match(shown, new RegExp(`<EncryptionType>${type}<`));
      assert.match(shown, new RegExp(`<KMSMasterKeyID>${key.arn}<`));
    }
    assertCustomer(await put(bucket, keyA.headers), keyA);
  });

  test('B15: a rule of the block alone leaves algorithm and key as they are', async () => {
    const key = await lab.newKey();
    const bucket = await lab.newBucket();
    await lab.setDefault(bucket, defaultRule('aws:kms', key.id, true));
    assertBlocked(await put(bucket, keyA.headers), 's3:PutObject', `${bucket}/k`);
    assert.equal((await open(bucket)).status, 200);
    const written = await put(bucket, {});
    assert.deepEqual([written.headers[sse], written.headers[kid], written.headers[bk]], ['aws:kms', key.arn, 'true']);
    assert.match(await configuration(bucket), new RegExp(`<KMSMasterKeyID>${key.id}<.*<BucketKeyEnabled>true<.*<EncryptionType>NONE<`));
    assertCustomer(await put(bucket, keyA.headers), keyA);
  });

  test('B16: a block lets objects out of their customer key', async () => {
    const bucket = await lab.newBucket();
    await open(bucket);
    await put(bucket, keyA.headers);
    await block(bucket);
    const copied = await lab.send('PUT', `/${bucket}/copy`, { ...keyA.sourceHeaders, [copySource]: `/${bucket}/k` });
    assert.deepEqual([copied.status, copied.headers[sse]], [200, 'AES256'], copied.text);
    assert.equal((await lab.send('GET', `/${bucket}/copy`)).text, 'text');
  });
});

describe('configurations of a bucket, met by writes', () => {
  let lab: Lab;
  before(async () => void (lab = await openLab()));
  after(() => lab.stop());

  const put = (bucket: string, headers: Record<string, string> = {}, key = 'k'): Promise<LabAnswer> => lab.send('PUT', `/${bucket}/${key}`, headers, 'text');
  const configuration = async (bucket: string): Promise<string> => (await lab.send('GET', `/${bucket}?encryption`)).text;

  test('B02 B03: a key is shown as it was put, and not at all when there was none', async () => {
    const key = await lab.newKey();
    const bucket = await lab.newBucket();
    await lab.setDefault(bucket, defaultRule('aws:kms', key.id, true));
    assert.match(await configuration(bucket), new RegExp(`<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>${key.id}</KMSMasterKeyID>.*<BucketKeyEnabled>true<`));
    await lab.setDefault(bucket, defaultRule('aws:kms'));
    const shown = await configuration(bucket);
    assert.match(shown, /<SSEAlgorithm>aws:kms<.*<BucketKeyEnabled>false</);
    assert.doesNotMatch(shown, /KMSMasterKeyID/);
  });

  test('B06: the bucket is looked for before the rules are counted', async () => {
    const empty = '<ServerSideEncryptionConfiguration></ServerSideEncryptionConfiguration>';
    assert.deepEqual((({ status, code, message }) => [status, code, message])(await lab.send('PUT', '/not-there?encryption', {}, empty)), [404, 'NoSuchBucket', 'The specified bucket does not exist']);
    assert.equal((await lab.send('PUT', `/${await lab.newBucket()}?encryption`, {}, empty)).code, 'MalformedXML');
  });

  test('B07: a key that is not there is taken, and refuses the writes', async () => {
    const here = (await lab.newKey()).arn.replace(/key\/.*/, '');
    const unknown = '11111111-2222-4333-8444-555555555555';
    const bucket = await lab.newBucket();
    for (const scheme of ['aws:kms', 'aws:kms:dsse']) {
      for (const [name, message] of [
        ['SOME_INVALID_KEY', "Invalid keyId 'SOME_INVALID_KEY'"], [unknown, `Key '${here}key/${unknown}' does not exist`], ['aws/s3', "Invalid keyId 'aws/s3'"],
      ] as const) {
        const taken = await lab.setDefault(bucket, defaultRule(scheme, name));
        assert.deepEqual([taken.status, taken.body.length], [200, 0]);
        for (const refused of [await put(bucket), await lab.send('POST', `/${bucket}/k?uploads=`)]) {
          assert.deepEqual([refused.status, refused.code, refused.message], [400, 'KMS.NotFoundException', message]);
        }
      }
    }
    assert.equal((await lab.send('HEAD', `/${bucket}/k`)).status, 404);
    assert.equal((await put(bucket, { [sse]: 'AES256' })).status, 200);
  });

  test('B08: bucket keys mean nothing to AES256', async () => {
    const bucket = await lab.newBucket();
    assert.equal((await lab.setDefault(bucket, defaultRule('AES256', undefined, true))).status, 200);
    for (const answer of [await put(bucket), await lab.send('HEAD', `/${bucket}/k`)]) assert.deepEqual([answer.status, answer.headers[sse], answer.headers[bk]], [200, 'AES256', undefined]);
    assert.match(await configuration(bucket), /<BucketKeyEnabled>true</);
  });

  test('B09: without its configuration a bucket is as new', async () => {
    const key = await lab.newKey();
    const bucket = await lab.newBucket();
    const asNew = await configuration(bucket);
    await lab.setDefault(bucket, defaultRule('aws:kms', key.id, true) + blockedTypes('SSE-C'));
    for (let time = 0; time < 2; time++) assert.equal((await lab.send('DELETE', `/${bucket}?encryption`)).status, 204);
    assert.equal(await configuration(bucket), asNew);
    assert.match(asNew, /<SSEAlgorithm>AES256<.*<BucketKeyEnabled>false<.*<EncryptionType>NONE</);
    assert.equal((await put(bucket)).headers[sse], 'AES256');
  });

  test('N07: while the root of trust does not answer, KMS objects wait and others do not', async () => {
    const key = await lab.newKey();
    const bucket = await lab.newBucket();
    const kms = { [sse]: 'aws:kms', [kid]: key.id };
    assert.equal((await put(bucket, kms, 'before')).status, 200);
    const { root } = lab.server.running.rooms;
    const { unwrap } = root;
    root.unwrap = () => Promise.reject(new Error('the root of trust is out of reach'));
    try {
      // Material is kept unwrapped for minutes; after that the root is asked again.
      lab.server.clock.advanceMs(10 * 60_000);
      for (const unavailable of [await put(bucket, kms), await put(bucket, { [sse]: 'aws:kms:dsse', [kid]: key.id }), await lab.send('GET', `/${bucket}/before`)]) {
        assert.deepEqual([unavailable.status, unavailable.code], [503, 'ServiceUnavailable'], unavailable.text);
      }
      assert.equal((await lab.send('HEAD', `/${bucket}/k`)).status, 404);
      assert.equal((await put(bucket, {}, 'own')).status, 200);
      assertCustomer(await put(bucket, keyA.headers, 'customer'), keyA);
      assert.equal((await lab.send('GET', `/${bucket}/own`)).text, 'text');
      assert.equal((await lab.send('GET', `/${bucket}/customer`, keyA.headers)).text, 'text');
    } finally {
      root.unwrap = unwrap;
    }
    assert.equal((await lab.send('GET', `/${bucket}/before`)).text, 'text');
    assert.equal((await put(bucket, kms)).status, 200);
  });
});
