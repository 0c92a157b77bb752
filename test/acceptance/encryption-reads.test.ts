/**
 * Reading encrypted objects, their versions and what lists say of them: cases R, V and L of contract
 * s3-encryption.md section 24. Damage on the disk is in tampering.test.ts.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ctx, keyA, keyB, kid, md5, opaque, openLab, sse, type Lab, type LabAnswer } from '../kit/encryption-lab.ts';
import { echoOf, schemeCases, type SchemeCase } from '../kit/encryption-schemes.ts';

const body = 'test_data';
const notForThisObject = 'The encryption parameters are not applicable to this object.';
const keyNeeded = 'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.';
const wrongKey = [403, 'AccessDenied', 'Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.'];
const attributes = { 'x-amz-object-attributes': 'ETag,ObjectSize' };

describe('reads of encrypted objects', () => {
  let lab: Lab;
  let schemes: SchemeCase[];
  before(async () => {
    lab = await openLab();
    schemes = schemeCases(await lab.newKey());
  });
  after(() => lab.stop());

  async function putEach(bucket: string): Promise<void> {
    for (const { name, write } of schemes) assert.equal((await lab.send('PUT', path(bucket, name), write, body)).status, 200);
  }
  const path = (bucket: string, name: string): string => `/${bucket}/${encodeURIComponent(name)}`;
  const isSseC = (read: Record<string, string>): boolean => Object.keys(read).length > 0;
  const refusal = ({ status, code, message }: LabAnswer) => [status, code, message];
  const disabled = (arn: string) => [400, 'KMS.DisabledException', `${arn} is disabled.`];

  test('R01: the SSE header is no header of reads', async () => {
    const bucket = await lab.newBucket();
    await putEach(bucket);
    for (const { name, read } of schemes) {
      for (const value of ['AES256', 'aws:kms']) {
        const headers = { ...read, [sse]: value };
        const got = await lab.send('GET', path(bucket, name), headers);
        assert.deepEqual(refusal(got), [400, 'InvalidArgument', 'x-amz-server-side-encryption header is not supported for this operation.'], name);
        assert.deepEqual([got.argumentName, got.argumentValue], [sse, value]);
        const head = await lab.send('HEAD', path(bucket, name), headers);
        assert.deepEqual([head.status, head.body.length], [400, 0]);
        assert.equal((await lab.send('GET', `${path(bucket, name)}?attributes`, { ...headers, ...attributes })).code, 'InvalidArgument');
      }
    }
  });

  test('R02: with its key disabled, a KMS object still has a head', async () => {
    const key = await lab.newKey();
    const bucket = await lab.newBucket();
    const kms = schemeCases(key).filter(({ write }) => write[kid] !== undefined);
    for (const { name, write } of kms) await lab.send('PUT', path(bucket, name), write, body);
    await lab.disableKey(key.id);
    for (const { name, echo } of kms) {
      const head = await lab.send('HEAD', path(bucket, name));
      assert.deepEqual([head.status, head.headers['content-length']], [200, String(body.length)]);
      assert.deepEqual(echoOf(head), echo);
      const withChecksum = await lab.send('HEAD', path(bucket, name), { 'x-amz-checksum-mode': 'ENABLED' });
      assert.deepEqual([withChecksum.status, withChecksum.body.length], [400, 0], name);
      assert.deepEqual(refusal(await lab.send('GET', path(bucket, name))), disabled(key.arn));
      assert.deepEqual(refusal(await lab.send('GET', path(bucket, name), { range: 'bytes=0-0' })), disabled(key.arn));
      const told = await lab.send('GET', `${path(bucket, name)}?attributes`, attributes);
      assert.match(told.text, new RegExp(`<ObjectSize>${body.length}</ObjectSize>`));
      const checksum = await lab.send('GET', `${path(bucket, name)}?attributes`, { 'x-amz-object-attributes': 'Checksum' });
      assert.deepEqual(refusal(checksum), disabled(key.arn));
    }
  });

  test('R04: without the key, the ETag of an SSE-C object is not confirmed', async () => {
    const bucket = await lab.newBucket();
    const { headers } = await lab.send('PUT', `/${bucket}/k`, keyA.headers, body);
    const etag = String(headers['etag']);
    for (const condition of [{ 'if-none-match': etag }, { 'if-match': etag }, { 'if-match': '"0"' }, { range: 'bytes=100-' }] as Record<string, string>[]) {
      assert.deepEqual(refusal(await lab.send('GET', `/${bucket}/k`, condition)), [400, 'InvalidRequest', keyNeeded]);
      const wrong = await lab.send('GET', `/${bucket}/k`, { ...keyB.headers, ...condition });
      assert.deepEqual([wrong.status, wrong.code], [403, 'AccessDenied']);
      assert.equal((await lab.send('HEAD', `/${bucket}/k`, condition)).status, 400);
    }
    const known = await lab.send('GET', `/${bucket}/k`, { ...keyA.headers, 'if-none-match': etag });
    assert.deepEqual([known.status, known.headers['etag'], known.body.length], [304, etag, 0]);
    assert.deepEqual(echoOf(known), [undefined, undefined, undefined, undefined]);
  });

  test('R05: conditions compare the stored ETag', async () => {
    const bucket = await lab.newBucket();
    await putEach(bucket);
    for (const { name, read, echo, isOpaque } of schemes) {
      const target = path(bucket, name);
      const head = await lab.send('HEAD', target, read);
      const etag = String(head.headers['etag']);
      assert.match(etag, opaque);
      assert.equal(etag === `"${md5(body)}"`, !isOpaque, name);
      const matching = await lab.send('GET', target, { ...read, 'if-match': etag });
      assert.deepEqual([matching.status, matching.text], [200, body]);
      for (const answer of [head, matching, await lab.send('GET', target, { ...read, range: 'bytes=2-4' }), await lab.send('GET', `${target}?partNumber=1`, read)]) {
        assert.deepEqual(echoOf(answer), echo);
        assert.equal(answer.headers[ctx], undefined);
      }
      const byMd5 = await lab.send('GET', target, { ...read, 'if-match': `"${md5(body)}"` });
      assert.deepEqual([byMd5.status, byMd5.code], isOpaque ? [412, 'PreconditionFailed'] : [200, '']);
    }
  });

  test('V01: each version by its own scheme, and none needs a key to go', async () => {
    const bucket = await lab.newBucket();
    await lab.send('PUT', `/${bucket}?versioning`, {}, '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>');
    const all = [...schemes, { ...(schemes.at(-1) as SchemeCase), write: keyB.headers, read: keyB.headers }];
    const versions = [];
    for (const [index, scheme] of all.entries()) {
      const { headers } = await lab.send('PUT', `/${bucket}/k`, scheme.write, `version ${index}`);
      versions.push({ ...scheme, text: `version ${index}`, target: `/${bucket}/k?versionId=${String(headers['x-amz-version-id'])}` });
    }
    for (const { target, read, echo, text } of versions) {
      const got = await lab.send('GET', target, read);
      assert.deepEqual([got.status, got.text], [200, text]);
      assert.deepEqual(echoOf(got), echo);
      assert.deepEqual(echoOf(await lab.send('HEAD', target, read)), echo);
      for (const customer of [keyA.headers, keyB.headers]) {
        if (customer === read) continue;
        assert.deepEqual(refusal(await lab.send('GET', target, customer)), isSseC(read) ? wrongKey : [400, 'InvalidRequest', notForThisObject]);
      }
      if (isSseC(read)) assert.deepEqual(refusal(await lab.send('GET', target)), [400, 'InvalidRequest', keyNeeded]);
    }
    for (const { target } of versions) assert.equal((await lab.send('DELETE', target)).status, 204);
    assert.doesNotMatch((await lab.send('GET', `/${bucket}?versions`)).text, /<Version>/);
  });

  test('V02: what is not data needs no key', async () => {
    const key = await lab.newKey();
    const bucket = await lab.newBucket();
    const kms = schemeCases(key).filter(({ name }) => name !== 'SSE-S3');
    for (const { name, write } of kms) await lab.send('PUT', path(bucket, name), { ...write, 'x-amz-meta-a': 'b' }, body);
    await lab.disableKey(key.id);
    for (const { name, read } of kms) {
      const target = path(bucket, name);
      const tagged = await lab.send('PUT', `${target}?tagging`, {}, '<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>');
      assert.equal(tagged.status, 200, name);
      assert.match((await lab.send('GET', `${target}?tagging`)).text, /<Tag><Key>k<\/Key><Value>v<\/Value><\/Tag>/);
      const head = await lab.send('HEAD', target, read);
      assert.deepEqual([head.headers['x-amz-tagging-count'], head.headers['x-amz-meta-a']], ['1', 'b']);
      assert.equal((await lab.send('DELETE', `${target}?tagging`)).status, 204);
      assert.equal((await lab.send('GET', `${target}?acl`)).status, 200);
      assert.equal((await lab.send('DELETE', target)).status, 204);
      assert.equal((await lab.send('HEAD', target, read)).status, 404);
    }
  });

  test('L01: lists show the sizes of plain text and nothing of encryption', async () => {
    const bucket = await lab.newBucket();
    const large = Buffer.alloc(40_001, 'x');
    const withoutNames = (text: string): string => text.replaceAll(/<(Key|UploadId|VersionId)>[^<]*</g, '<');
    for (const { name, write } of schemes) {
      await lab.send('PUT', path(bucket, name), write, large);
      const id = await lab.startUpload(bucket, encodeURIComponent(`u ${name}`), write);
      const part = await lab.send('PUT', `${path(bucket, `u ${name}`)}?partNumber=1&uploadId=${id}`, name === 'SSE-C' ? write : {}, large);
      assert.equal(part.status, 200, part.text);
      const parts = await lab.send('GET', `${path(bucket, `u ${name}`)}?uploadId=${id}`);
      assert.match(parts.text, new RegExp(`<ETag>${String(part.headers['etag']).replaceAll('"', '(?:&quot;|")')}</ETag><Size>40001</Size>`));
      assert.doesNotMatch(withoutNames(parts.text), /[Ee]ncrypt|KMS|SSE/);
    }
    for (const query of ['list-type=2', 'marker=', 'versions', 'uploads']) {
      const { status, text } = await lab.send('GET', `/${bucket}?${query}`);
      assert.equal(status, 200);
      assert.doesNotMatch(withoutNames(text), /[Ee]ncrypt|KMS|SSE/, query);
      const sizes = [...text.matchAll(/<Size>(\d+)<\/Size>/g)].map(([, size]) => size);
      assert.deepEqual(sizes, query === 'uploads' ? [] : schemes.map(() => '40001'));
      assert.equal(text.match(/<Key>/g)?.length, schemes.length);
    }
  });
});
