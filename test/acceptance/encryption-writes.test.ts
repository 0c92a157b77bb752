/**
 * Which encryption a write gets, and what it answers: cases W, K and D of contract s3-encryption.md section 24.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CreateAliasCommand, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms';
import { bk, ctx, defaultRule, kid, md5, opaque, openLab, sse, type Lab, type LabAnswer } from '../kit/encryption-lab.ts';

const context = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64');

describe('encryption of writes', () => {
  let lab: Lab;
  let K1: { id: string; arn: string };
  before(async () => {
    lab = await openLab();
    K1 = await lab.newKey();
  });
  after(() => lab.stop());

  const put = (bucket: string, headers: Record<string, string>, body = 'test-sse', key = 'k'): Promise<LabAnswer> => lab.send('PUT', `/${bucket}/${key}`, headers, body);
  const get = (bucket: string, headers: Record<string, string> = {}, key = 'k'): Promise<LabAnswer> => lab.send('GET', `/${bucket}/${key}`, headers);
  const isAbsent = async (bucket: string): Promise<void> => assert.equal((await lab.send('HEAD', `/${bucket}/k`)).status, 404);

  function assertSseS3(answer: LabAnswer): void {
    assert.equal(answer.headers[sse], 'AES256');
    assert.equal(answer.headers[kid], undefined);
    assert.equal(answer.headers[bk], undefined);
  }
  function assertKms(answer: LabAnswer, arn: string, bucketKey?: 'true'): void {
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual([answer.headers[sse], answer.headers[kid], answer.headers[bk]], ['aws:kms', arn, bucketKey]);
    assert.match(String(answer.headers['etag']), opaque);
  }

  test('W01 W02 W03: SSE-S3 by default and on request, named in every answer', async () => {
    const bucket = await lab.newBucket();
    for (const headers of [{}, { [sse]: 'AES256' }] as Record<string, string>[]) {
      const written = await put(bucket, headers);
      assert.equal(written.status, 200);
      assert.equal(written.headers['etag'], '"42832cdec7083e70a9cd6f2d5852e004"');
      for (const answer of [
        written, await lab.send('HEAD', `/${bucket}/k`), await get(bucket), await get(bucket, { range: 'bytes=0-3' }), await lab.send('GET', `/${bucket}/k?partNumber=1`),
      ]) assertSseS3(answer);
    }
  });

  test('W04: a method that is none', async () => {
    const bucket = await lab.newBucket();
    for (const value of ['', 'aes256', 'AES512', 'aes:kms', 'aws:fsx']) {
      const refused = await put(bucket, { [sse]: value });
      assert.deepEqual(
        [refused.status, refused.code, refused.message, refused.argumentName, refused.argumentValue],
        [400, 'InvalidArgument', 'The encryption method specified is not supported', sse, value],
      );
    }
    await isAbsent(bucket);
  });

  test('W05 W06: a key id wants aws:kms', async () => {
    const bucket = await lab.newBucket();
    for (const headers of [{ [kid]: K1.id }, { [kid]: K1.id, [sse]: 'AES256' }, { [ctx]: context({ a: 'b' }) }] as Record<string, string>[]) {
      const refused = await put(bucket, headers);
      assert.deepEqual([refused.status, refused.code], [400, 'InvalidArgument']);
      assert.equal(refused.message, 'Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms');
    }
    await isAbsent(bucket);
  });

  test('W07 W08: the bucket key header on AES256, and nonsense in it', async () => {
    const bucket = await lab.newBucket();
    assertSseS3(await put(bucket, { [sse]: 'AES256', [bk]: 'true' }));
    const other = await lab.newBucket();
    const refused = await put(other, { [sse]: 'aws:kms', [bk]: 'maybe' });
    assert.deepEqual([refused.status, refused.code], [400, 'InvalidArgument']);
    await isAbsent(other);
  });

  test('W09 W10 W11: request beats default, defaults touch nothing that is there', async () => {
    const K2 = await lab.newKey();
    const bucket = await lab.newBucket();
    await lab.setDefault(bucket, defaultRule('aws:kms', K1.id));
    assertSseS3(await put(bucket, { [sse]: 'AES256' }));
    await lab.setDefault(bucket, defaultRule('AES256'));
    assertKms(await put(bucket, { [sse]: 'aws:kms', [kid]: K1.id }), K1.arn);
    await lab.setDefault(bucket, defaultRule('aws:kms', K2.arn));
    assert.equal((await lab.send('HEAD', `/${bucket}/k`)).headers[kid], K1.arn);
    assertKms(await put(bucket, {}), K2.arn);
  });

  test('W12: the empty object', async () => {
    const bucket = await lab.newBucket();
    const written = await put(bucket, {}, '');
    assert.equal(written.headers['etag'], '"d41d8cd98f00b204e9800998ecf8427e"');
    assert.equal((await get(bucket)).body.length, 0);
  });

  test('K01 K02: a key named by id, alias and alias ARN answers as its ARN', async () => {
    const bucket = await lab.newBucket();
    await lab.server.kms().send(new CreateAliasCommand({ AliasName: 'alias/a', TargetKeyId: K1.id }));
    const aliasArn = K1.arn.replace(/key\/.*/, 'alias/a');
    for (const name of [K1.id, K1.arn, 'alias/a', aliasArn]) {
      for (const answer of [await put(bucket, { [sse]: 'aws:kms', [kid]: name }), await lab.send('HEAD', `/${bucket}/k`), await get(bucket)]) assertKms(answer, K1.arn);
    }
  });

  test('K03 K04 K05: without a key it is the managed key, one for all buckets, never the bucket\'s', async () => {
    const [first, second] = [await lab.newBucket(), await lab.newBucket()];
    await lab.setDefault(second, defaultRule('aws:kms', K1.id));
    const [a, b] = await Promise.all([put(first, { [sse]: 'aws:kms' }), put(second, { [sse]: 'aws:kms' })]);
    const arn = String(a.headers[kid]);
    assert.match(arn, /^arn:aws:kms:us-east-1:\d{12}:key\//);
    assert.notEqual(arn, K1.arn);
    assertKms(a, arn);
    assertKms(b, arn);
  });

  test('K06 K07 K08 K09: bucket keys by bucket and by request', async () => {
    const bucket = await lab.newBucket();
    await lab.setDefault(bucket, defaultRule('aws:kms', K1.id, true));
    assertKms(await put(bucket, {}), K1.arn, 'true');
    const managed = await put(bucket, { [sse]: 'aws:kms' });
    assert.equal(managed.headers[bk], 'true');
    assert.notEqual(managed.headers[kid], K1.arn);
    assertKms(await put(bucket, { [sse]: 'aws:kms', [kid]: K1.id, [bk]: 'false' }), K1.arn);
    assert.match((await lab.send('GET', `/${bucket}?encryption`)).text, /<BucketKeyEnabled>true</);
    await lab.setDefault(bucket, defaultRule('aws:kms', K1.id, false));
    assertKms(await put(bucket, { [bk]: 'true' }), K1.arn, 'true');
    assert.equal((await get(bucket)).text, 'test-sse');
  });

  test('K10: equal bytes, different ETags', async () => {
    const bucket = await lab.newBucket();
    const headers = { [sse]: 'aws:kms', [kid]: K1.id };
    const [a, b] = [await put(bucket, headers, 'same', 'a'), await put(bucket, headers, 'same', 'b')];
    assert.notEqual(a.headers['etag'], b.headers['etag']);
    assert.ok(![a, b].some(({ headers: { etag } }) => etag === `"${md5('same')}"`));
    assert.deepEqual([(await get(bucket, {}, 'a')).text, (await get(bucket, {}, 'b')).text], ['same', 'same']);
  });

  test('K11 K14: the context that the key service saw', async () => {
    const bucket = await lab.newBucket();
    const header = context({ team: 'a' });
    const written = await put(bucket, { [sse]: 'aws:kms', [kid]: K1.id, [ctx]: header });
    assertKms(written, K1.arn);
    assert.equal(written.headers[ctx], header);
    assert.equal((await get(bucket)).text, 'test-sse');
    assert.equal((await lab.send('HEAD', `/${bucket}/k`)).headers[ctx], undefined);
    const seen = lab.server.keyUses.filter(({ keyArn }) => keyArn === K1.arn).slice(-2);
    assert.deepEqual(seen.map(({ eventName }) => eventName), ['GenerateDataKey', 'Decrypt']);
    for (const { encryptionContext, invokedBy } of seen) {
      assert.deepEqual({ ...encryptionContext }, { team: 'a', 'aws:s3:arn': `arn:aws:s3:::${bucket}/k` });
      assert.equal(invokedBy, 's3');
    }
    await put(bucket, { [sse]: 'aws:kms', [kid]: K1.id, [bk]: 'true' });
    assert.deepEqual({ ...lab.server.keyUses.at(-1)?.encryptionContext }, { 'aws:s3:arn': `arn:aws:s3:::${bucket}` });
  });

  test('K12 K13: a context that is none, or another object\'s', async () => {
    const bucket = await lab.newBucket();
    const bad = [
      'not base64!', context([]), context({ a: 1 }), context({ a: { b: 'c' } }), Buffer.from('{"a":"b","a":"c"}').toString('base64'), Buffer.from([0xff, 0xfe]).toString('base64'),
      context({ 'aws:s3:arn': `arn:aws:s3:::${bucket}/other` }), context({ 'aws:other': 'x' }), '',
    ];
    for (const value of bad) {
      const refused = await put(bucket, { [sse]: 'aws:kms', [kid]: K1.id, [ctx]: value });
      assert.deepEqual([refused.status, refused.code], [400, 'InvalidArgument'], value);
      assert.match(refused.message, /^The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON/);
    }
    await isAbsent(bucket);
    assertKms(await put(bucket, { [sse]: 'aws:kms', [kid]: K1.id, [ctx]: context({ 'aws:s3:arn': `arn:aws:s3:::${bucket}/k` }) }), K1.arn);
  });

  test('K15: a bucket key saves calls of the key service', async () => {
    const key = await lab.newKey();
    const bucket = await lab.newBucket();
    for (let index = 0; index < 50; index++) await put(bucket, { [sse]: 'aws:kms', [kid]: key.id, [bk]: 'true' }, 'x', `k${index}`);
    const calls = lab.server.keyUses.filter(({ keyArn, eventName }) => keyArn === key.arn && eventName === 'GenerateDataKey').length;
    assert.ok(calls >= 1 && calls <= 5, `${calls} calls for 50 writes`);
    assert.equal((await get(bucket, {}, 'k49')).text, 'x');
  });

  for (const [id, headers] of [['K17', { [bk]: 'true' }], ['K18', {}]] as const) {
    test(`${id}: a disabled key stops reads at once${id === 'K17' ? ', bucket key or not' : ''}`, async () => {
      const key = await lab.newKey();
      const bucket = await lab.newBucket();
      assert.equal((await put(bucket, { [sse]: 'aws:kms', [kid]: key.id, ...headers })).status, 200);
      assert.equal((await get(bucket)).text, 'test-sse');
      await lab.disableKey(key.id);
      for (const refused of [await get(bucket), await put(bucket, { [sse]: 'aws:kms', [kid]: key.id, ...headers })]) {
        assert.deepEqual([refused.status, refused.code, refused.message], [400, 'KMS.DisabledException', `${key.arn} is disabled.`]);
      }
      assert.equal((await lab.send('HEAD', `/${bucket}/k`)).status, 200);
    });
  }

  test('K19 K20: KMS objects need TLS', async () => {
    const bucket = await lab.newBucket();
    await put(bucket, { [sse]: 'aws:kms', [kid]: K1.id });
    const overHttp = { scheme: 'http' } as const;
    await lab.setDefault(bucket, defaultRule('aws:kms', K1.id));
    for (const refused of [
      await lab.send('GET', `/${bucket}/k`, {}, undefined, overHttp),
      await lab.send('PUT', `/${bucket}/new`, { [sse]: 'aws:kms' }, 'x', overHttp),
      await lab.send('PUT', `/${bucket}/new`, {}, 'x', overHttp),
    ]) {
      assert.deepEqual([refused.status, refused.code], [400, 'InvalidArgument']);
      assert.equal(refused.message, 'Requests specifying Server Side Encryption with AWS KMS managed keys must be made over a secure connection.');
    }
    assert.equal((await lab.send('HEAD', `/${bucket}/new`)).status, 404);
  });

  test('D01 D02 D03: two layers', async () => {
    const bucket = await lab.newBucket();
    const body = Buffer.alloc(100_003, 'double');
    const headers = { [sse]: 'aws:kms:dsse', [kid]: K1.id, [bk]: 'true' };
    const written = await lab.send('PUT', `/${bucket}/k`, headers, body);
    const ranged = await get(bucket, { range: 'bytes=16380-16390' });
    assert.deepEqual(ranged.body, body.subarray(16_380, 16_391));
    const whole = await get(bucket);
    assert.deepEqual(whole.body, body);
    for (const answer of [written, ranged, whole, await lab.send('HEAD', `/${bucket}/k`)]) {
      assert.deepEqual([answer.headers[sse], answer.headers[kid], answer.headers[bk]], ['aws:kms:dsse', K1.arn, undefined]);
    }
    assert.match(String(written.headers['etag']), opaque);
    await lab.setDefault(bucket, defaultRule('aws:kms:dsse', K1.id, true));
    const byDefault = await put(bucket, {});
    assert.deepEqual([byDefault.headers[sse], byDefault.headers[bk]], ['aws:kms:dsse', undefined]);
  });

  test('D05 N01 N02 N03: keys that cannot be used, for every KMS scheme', async () => {
    const bucket = await lab.newBucket();
    const unknown = '11111111-2222-4333-8444-555555555555';
    const here = K1.arn.replace(/key\/.*/, '');
    const dying = await lab.newKey();
    await put(bucket, { [sse]: 'aws:kms', [kid]: dying.id }, 'x', 'dying');
    await lab.server.kms().send(new ScheduleKeyDeletionCommand({ KeyId: dying.id, PendingWindowInDays: 7 }));
    const rsa = await lab.newKey({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' });
    const hmac = await lab.newKey({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
    const cases: [string, string, string][] = [
      ['SOME_INVALID_KEY', 'KMS.NotFoundException', "Invalid keyId 'SOME_INVALID_KEY'"],
      ['fake-key-id', 'KMS.NotFoundException', "Invalid keyId 'fake-key-id'"],
      [unknown, 'KMS.NotFoundException', `Key '${here}key/${unknown}' does not exist`],
      [`${here}key/${unknown}`, 'KMS.NotFoundException', `Key '${here}key/${unknown}' does not exist`],
      [`${here.replace('us-east-1', 'eu-west-1')}key/${unknown}`, 'KMS.NotFoundException', 'Invalid arn eu-west-1'],
      ['alias/nobody', 'KMS.NotFoundException', `Alias ${here}alias/nobody is not found.`],
      [dying.id, 'KMS.KMSInvalidStateException', `${dying.arn} is pending deletion.`],
      [rsa.id, 'KMS.InvalidKeyUsageException', 'You cannot generate a data key with an asymmetric CMK'],
      [hmac.id, 'KMS.InvalidKeyUsageException', `${hmac.arn} key usage is GENERATE_VERIFY_MAC which is not valid for GenerateDataKey.`],
    ];
    for (const scheme of ['aws:kms', 'aws:kms:dsse']) {
      for (const [name, code, message] of cases) {
        const refused = await put(bucket, { [sse]: scheme, [kid]: name });
        assert.deepEqual([refused.status, refused.code, refused.message], [400, code, message]);
      }
    }
    await isAbsent(bucket);
    const refused = await get(bucket, {}, 'dying');
    assert.deepEqual([refused.status, refused.code], [400, 'KMS.KMSInvalidStateException']);
  });
});
