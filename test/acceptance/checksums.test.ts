/**
 * Checksums and digests of writes, under every scheme and in every form that a body can come in: cases S01 to S05 of
 * contract s3-encryption.md section 24, cases S10 to S18 of s3-surface.md section 12 that concern payloads.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { checksumHeader, checksumNames, checksumOf, otherChecksum, type ChecksumName } from '../kit/checksum-values.ts';
import { defaultRule, openLab, type Lab, type LabAnswer } from '../kit/encryption-lab.ts';
import { schemeCases, type SchemeCase } from '../kit/encryption-schemes.ts';
import { sign } from '../kit/sign.ts';
import { chunkedBody, type ChunkedBody } from '../kit/signed-by-hand.ts';

const small = Buffer.from('test-sse');
/** Beyond what lies in the catalog. */
const large = Buffer.alloc(40_001, 'checksums');
const checked = { 'x-amz-checksum-mode': 'ENABLED' };

describe('checksums', () => {
  let lab: Lab;
  let key: { id: string; arn: string };
  let schemes: SchemeCase[];
  before(async () => {
    lab = await openLab();
    key = await lab.newKey();
    schemes = schemeCases(key);
  });
  after(() => lab.stop());

  const refusal = ({ status, code, message }: LabAnswer) => [status, code, message];
  const shownBy = ({ headers }: LabAnswer) => Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('x-amz-checksum-')));
  async function assertAbsent(target: string): Promise<void> {
    assert.equal((await lab.send('HEAD', target)).status, 404);
  }
  /** Files that lie in the blob store. */
  async function blobCount(): Promise<number> {
    const entries = await readdir(join(lab.server.dataDir, 'blobs'), { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).length;
  }

  test('vectors of the contract', async () => {
    assert.deepEqual([await checksumOf('CRC32', small), await checksumOf('CRC64NVME', small), await checksumOf('CRC32', 'test_data')], ['KHcEKQ==', 'Kr7StX/uFlQ=', 'qIrZrA==']);
    assert.equal(await checksumOf('SHA256', 'test data..'), '2l26x0trnT0r2AvakoFk2MB7eKVKzYESLMxSAKAzoik=');
  });

  for (const [form, body] of [['small', small], ['large', large]] as const) {
    test(`S01: each of ten algorithms under each scheme, right and wrong, ${form}`, async () => {
      const bucket = await lab.newBucket();
      const blobs = await blobCount();
      let written = 0;
      for (const { name, write, read } of schemes) {
        for (const algorithm of checksumNames) {
          const header = checksumHeader(algorithm);
          const value = await checksumOf(algorithm, body);
          const target = `/${bucket}/${algorithm}-${schemes.findIndex((scheme) => scheme.name === name)}`;
          const wrong = await lab.send('PUT', target, { ...write, [header]: otherChecksum(value) }, body);
          assert.deepEqual(refusal(wrong), [400, 'BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`]);
          await assertAbsent(target);
          const right = await lab.send('PUT', target, { ...write, [header]: value }, body);
          assert.equal(right.status, 200, right.text);
          written += 1;
          for (const answer of [right, await lab.send('HEAD', target, { ...read, ...checked }), await lab.send('GET', target, { ...read, ...checked })]) {
            assert.deepEqual(shownBy(answer), { [header]: value, 'x-amz-checksum-type': 'FULL_OBJECT' }, name);
          }
          const unasked = await lab.send('GET', target, read);
          const ranged = await lab.send('GET', target, { ...read, ...checked, range: 'bytes=0-3' });
          assert.deepEqual([shownBy(unasked), shownBy(ranged), unasked.body.equals(body)], [{}, {}, true]);
        }
      }
      assert.equal((await blobCount()) - blobs, body === small ? 0 : written);
    });
  }

  test('S01: a wrong checksum leaves what was there', async () => {
    const bucket = await lab.newBucket();
    await lab.send('PUT', `/${bucket}/k`, {}, small);
    const refused = await lab.send('PUT', `/${bucket}/k`, { 'x-amz-checksum-crc32': 'AAAAAA==' }, large);
    assert.equal(refused.code, 'BadDigest');
    assert.deepEqual((await lab.send('GET', `/${bucket}/k`)).body, small);
  });

  test('S17 C28: without any, the server computes CRC64NVME', async () => {
    const bucket = await lab.newBucket();
    for (const { write, read } of schemes) {
      for (const body of [small, large, Buffer.alloc(0)]) {
        const expected = { 'x-amz-checksum-crc64nvme': await checksumOf('CRC64NVME', body), 'x-amz-checksum-type': 'FULL_OBJECT' };
        const written = await lab.send('PUT', `/${bucket}/k`, write, body);
        assert.deepEqual(shownBy(written), expected);
        assert.deepEqual(shownBy(await lab.send('HEAD', `/${bucket}/k`, { ...read, ...checked })), expected);
      }
    }
    const named = await lab.send('PUT', `/${bucket}/k`, { 'x-amz-checksum-algorithm': 'NONSENSE' }, small);
    assert.deepEqual([named.status, shownBy(named)['x-amz-checksum-crc64nvme']], [200, 'Kr7StX/uFlQ=']);
  });

  test('S03: several, none after all, unreadable ones', async () => {
    const bucket = await lab.newBucket();
    const sha256 = await checksumOf('SHA256', small);
    const onlyOne = 'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.';
    const cases: [headers: Record<string, string>, message: string][] = [
      [{ 'x-amz-checksum-crc32': 'KHcEKQ==', 'x-amz-checksum-sha256': sha256 }, onlyOne],
      [{ 'x-amz-checksum-crc32': 'KHcEKQ==', 'x-amz-checksum-crc64nvme': 'Kr7StX/uFlQ=' }, onlyOne],
      [{ 'x-amz-sdk-checksum-algorithm': 'CRC32' }, 'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.'],
      ...(await Promise.all(checksumNames.flatMap((algorithm) => ['bad', 'KHcEK', 'AA==', ''].map(async (value): Promise<[Record<string, string>, string]> => [
        { [checksumHeader(algorithm)]: value }, `Value for ${checksumHeader(algorithm)} header is invalid.`,
      ])))),
    ];
    for (const { write } of schemes) {
      for (const [headers, message] of write === schemes[0]?.write ? cases : cases.slice(0, 4)) {
        assert.deepEqual(refusal(await lab.send('PUT', `/${bucket}/k`, { ...write, ...headers }, small)), [400, 'InvalidRequest', message], JSON.stringify(headers));
      }
    }
    await assertAbsent(`/${bucket}/k`);
  });

  test('S04: what an upload may declare', async () => {
    const bucket = await lab.newBucket();
    const create = (algorithm?: string, type?: string): Promise<LabAnswer> => lab.send('POST', `/${bucket}/k?uploads=`, {
      ...(algorithm === undefined ? {} : { 'x-amz-checksum-algorithm': algorithm }), ...(type === undefined ? {} : { 'x-amz-checksum-type': type }),
    });
    const cannot = (type: string, algorithm: string) => [400, 'InvalidRequest', `The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`];
    for (const algorithm of checksumNames) {
      const isCrc = algorithm.startsWith('CRC');
      const [composite, whole, byDefault] = [await create(algorithm, 'COMPOSITE'), await create(algorithm, 'FULL_OBJECT'), await create(algorithm)];
      if (algorithm === 'CRC64NVME') assert.deepEqual(refusal(composite), cannot('COMPOSITE', algorithm));
      else assert.equal(composite.status, 200);
      if (isCrc) assert.equal(whole.status, 200);
      else assert.deepEqual(refusal(whole), cannot('FULL_OBJECT', algorithm));
      assert.deepEqual(
        [byDefault.headers['x-amz-checksum-algorithm'], byDefault.headers['x-amz-checksum-type']],
        [algorithm, algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE'],
      );
    }
    assert.deepEqual(refusal(await create(undefined, 'COMPOSITE')), [400, 'InvalidRequest', 'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.']);
    const unknown = await create('CRC16');
    assert.deepEqual([unknown.status, unknown.code], [400, 'InvalidRequest']);
    assert.match(unknown.message, /^Checksum algorithm provided is unsupported\. Please try again with any of the valid types: \[(\w+, ){9}\w+\]$/);
    const { text } = await lab.send('GET', `/${bucket}?uploads`);
    assert.equal(text.match(/<Upload>/g)?.length, 9 + 3 + 10);
  });

  test('S05 S18: Content-MD5 under every scheme', async () => {
    const bucket = await lab.newBucket();
    const right = createHash('md5').update(large).digest('base64');
    for (const { write, read } of schemes) {
      for (const malformed of ['x', 'AAAA', '']) {
        const refused = await lab.send('PUT', `/${bucket}/k`, { ...write, 'content-md5': malformed }, large);
        assert.deepEqual(refusal(refused), [400, 'InvalidDigest', 'The Content-MD5 you specified was invalid.']);
        assert.match(refused.text, new RegExp(`<Content-MD5>${malformed}</Content-MD5>|<Content-MD5/>`));
      }
      const wrong = await lab.send('PUT', `/${bucket}/k`, { ...write, 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' }, large);
      assert.deepEqual(refusal(wrong), [400, 'BadDigest', 'The Content-MD5 you specified did not match what we received.']);
      assert.match(wrong.text, new RegExp(`<ExpectedDigest>AAAAAAAAAAAAAAAAAAAAAA==</ExpectedDigest>`));
      assert.ok(wrong.text.includes(`<CalculatedDigest>${right}</CalculatedDigest>`));
      await assertAbsent(`/${bucket}/k`);
      assert.equal((await lab.send('PUT', `/${bucket}/k`, { ...write, 'content-md5': right }, large)).status, 200);
      assert.ok((await lab.send('GET', `/${bucket}/k`, read)).body.equals(large));
      await lab.send('DELETE', `/${bucket}/k`);
    }
  });

  describe('S02 S10 S11 S12: bodies in chunks', () => {
    let bucket: string;
    let target: string;
    before(async () => {
      bucket = await lab.newBucket();
      target = `/${bucket}/k`;
      await lab.setDefault(bucket, defaultRule('aws:kms', key.id));
    });

    /** Signs the head of an aws-chunked PUT, then makes its body. */
    async function putChunked(
      { chunks, trailers, decodedLength, headers = {}, spoil, isSigned = false, encoding = 'aws-chunked' }:
      Omit<ChunkedBody, 'seed'> & { decodedLength?: number; headers?: Record<string, string>; spoil?: 'chunk' | 'trailer'; isSigned?: boolean; encoding?: string },
    ): Promise<LabAnswer> {
      const { credentials, httpsPort } = lab.server;
      const form = isSigned ? `STREAMING-AWS4-HMAC-SHA256-PAYLOAD${trailers ? '-TRAILER' : ''}` : 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
      const signed = await sign({
        method: 'PUT', target,
        headers: {
          host: `127.0.0.1:${httpsPort}`, 'x-amz-content-sha256': form, 'content-encoding': encoding,
          'x-amz-decoded-content-length': String(decodedLength ?? Buffer.concat([...chunks]).length),
          ...(trailers ? { 'x-amz-trailer': Object.keys(trailers).join(',') } : {}), ...headers,
        },
      }, credentials);
      const seed = isSigned ? { seed: { credentials, headers: signed, ...(spoil ? { spoil } : {}) } } : {};
      const body = chunkedBody({ chunks, ...(trailers ? { trailers } : {}), ...seed });
      return lab.send('PUT', target, signed, body, { sign: false });
    }
    const pieces = [large.subarray(0, 8_192), large.subarray(8_192, 8_200), large.subarray(8_200)];

    test('the SDK sends a stream with a trailer', async () => {
      const s3 = lab.server.s3();
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'k', Body: Readable.from(pieces), ContentLength: large.length, ContentEncoding: 'gzip' }));
      const sent = lab.server.requests.at(-1);
      assert.ok((sent?.bytesIn ?? 0) > large.length, 'the body came in chunks');
      const got = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'k', ChecksumMode: 'ENABLED' }));
      assert.deepEqual([got.ContentLength, got.ContentEncoding, got.ServerSideEncryption, got.ChecksumCRC32], [large.length, 'gzip', 'aws:kms', await checksumOf('CRC32', large)]);
      assert.ok(large.equals(await got.Body!.transformToByteArray()));
      await lab.send('DELETE', target);
    });

    for (const isSigned of [false, true]) {
      for (const algorithm of checksumNames) {
        test(`a ${isSigned ? 'signed' : 'bare'} trailer with ${algorithm}, right and wrong`, async () => {
          const value = await checksumOf(algorithm, large);
          const header = checksumHeader(algorithm);
          const blobs = await blobCount();
          const wrong = await putChunked({ chunks: pieces, trailers: { [header]: otherChecksum(value) }, isSigned });
          assert.deepEqual(refusal(wrong), [400, 'BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`]);
          const unreadable = await putChunked({ chunks: pieces, trailers: { [header]: 'bad' }, isSigned });
          assert.deepEqual(refusal(unreadable), [400, 'InvalidRequest', `Value for ${header} header is invalid.`]);
          await assertAbsent(target);
          assert.equal(await blobCount(), blobs);
          const right = await putChunked({ chunks: pieces, trailers: { [header]: value }, isSigned, encoding: 'aws-chunked,gzip' });
          assert.deepEqual([right.status, right.headers[header]], [200, value], right.text);
          const head = await lab.send('HEAD', target);
          assert.deepEqual([head.headers['content-length'], head.headers['content-encoding']], [String(large.length), 'gzip']);
          await lab.send('DELETE', target);
        });
      }
    }

    test('one checksum in a header and another in a trailer', async () => {
      const refused = await putChunked({ chunks: pieces, trailers: { 'x-amz-checksum-crc32': await checksumOf('CRC32', large) }, headers: { 'x-amz-checksum-sha1': await checksumOf('SHA1', large) } });
      assert.deepEqual(refusal(refused), [400, 'InvalidRequest', 'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.']);
    });

    test('S11: a chunk or a trailer signed wrongly', async () => {
      const trailers = { 'x-amz-checksum-crc32': await checksumOf('CRC32', large) };
      const blobs = await blobCount();
      for (const refused of [
        await putChunked({ chunks: pieces, isSigned: true, spoil: 'chunk' }),
        await putChunked({ chunks: pieces, trailers, isSigned: true, spoil: 'chunk' }),
        await putChunked({ chunks: pieces, trailers, isSigned: true, spoil: 'trailer' }),
      ]) assert.deepEqual([refused.status, refused.code], [403, 'SignatureDoesNotMatch']);
      await assertAbsent(target);
      assert.equal(await blobCount(), blobs);
      const right = await putChunked({ chunks: pieces, isSigned: true });
      assert.equal(right.status, 200, right.text);
      assert.ok((await lab.send('GET', target)).body.equals(large));
      assert.equal((await lab.send('HEAD', target)).headers['content-encoding'], undefined);
      await lab.send('DELETE', target);
    });

    for (const isSigned of [false, true]) {
      test(`S12: ${isSigned ? 'signed' : 'bare'} chunks that are not as long as announced`, async () => {
        const blobs = await blobCount();
        for (const difference of [-1, 1, -large.length, 100_000]) {
          const refused = await putChunked({ chunks: pieces, isSigned, decodedLength: large.length + difference });
          assert.deepEqual([refused.status, refused.code], [400, 'IncompleteBody'], String(difference));
        }
        await assertAbsent(target);
        assert.equal(await blobCount(), blobs);
      });
    }

    test('S12: no decoded length at all', async () => {
      const { credentials, httpsPort } = lab.server;
      const headers = await sign({ method: 'PUT', target, headers: { host: `127.0.0.1:${httpsPort}`, 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'content-encoding': 'aws-chunked' } }, credentials);
      const refused = await lab.send('PUT', target, headers, chunkedBody({ chunks: pieces }), { sign: false });
      assert.deepEqual([refused.status, refused.code], [411, 'MissingContentLength']);
    });
  });

  test('S15: a body that is not what was signed', async () => {
    const bucket = await lab.newBucket();
    for (const { write } of schemes) {
      for (const body of [small, large]) {
        const refused = await lab.send('PUT', `/${bucket}/k`, { ...write, 'x-amz-content-sha256': createHash('sha256').update('other').digest('hex') }, body);
        assert.deepEqual([refused.status, refused.code], [400, 'XAmzContentSHA256Mismatch']);
      }
    }
    await assertAbsent(`/${bucket}/k`);
  });

  test('parts keep to what their upload declared', async () => {
    const bucket = await lab.newBucket();
    for (const { write, read, name } of schemes) {
      const id = await lab.startUpload(bucket, 'k', { ...write, 'x-amz-checksum-algorithm': 'SHA256' });
      const part = (headers: Record<string, string>) => lab.send('PUT', `/${bucket}/k?partNumber=1&uploadId=${id}`, { ...read, ...headers }, small);
      const other: ChecksumName = 'CRC32';
      assert.deepEqual(
        refusal(await part({ [checksumHeader(other)]: await checksumOf(other, small) })),
        [400, 'InvalidRequest', 'Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: crc32'], name,
      );
      assert.deepEqual(refusal(await part({ 'x-amz-checksum-sha256': await checksumOf('SHA256', large) })), [400, 'BadDigest', 'The SHA256 you specified did not match the calculated checksum.']);
      assert.deepEqual(refusal(await part({ 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' })), [400, 'BadDigest', 'The Content-MD5 you specified did not match what we received.']);
      const computed = await part({});
      assert.deepEqual([computed.status, computed.headers['x-amz-checksum-sha256']], [200, await checksumOf('SHA256', small)]);
      assert.equal((await lab.send('DELETE', `/${bucket}/k?uploadId=${id}`)).status, 204);
    }
  });
});
