/**
 * AWS's published examples, request by request. Source: contract kms-iam-audit 5.6; glacier section 2.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodePayload, serviceOfCredentialScope, verifyRequest } from './index.ts';
import { authorization, EXAMPLE_KEY_ID, lookupExample, pieces, readAll, request, sha256 } from './testing.ts';

const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const HOST = 'examplebucket.s3.amazonaws.com';
const DATE = '20130524T000000Z';
const clock = { nowMs: () => Date.UTC(2013, 4, 24) };
const options = { service: 's3', regions: ['us-east-1'], clock, skewMs: 900_000, lookup: lookupExample };

const wholeRequests = [
  {
    name: 'GET object with a range',
    method: 'GET',
    target: '/test.txt',
    headers: { host: HOST, range: 'bytes=0-9', 'x-amz-content-sha256': EMPTY, 'x-amz-date': DATE },
    signature: 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  },
  {
    name: 'PUT object, `$` bare in the path',
    method: 'PUT',
    target: '/test$file.text',
    headers: {
      date: 'Fri, 24 May 2013 00:00:00 GMT',
      host: HOST,
      'x-amz-content-sha256': sha256('Welcome to Amazon S3.'),
      'x-amz-date': DATE,
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
    },
    signature: '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  },
  {
    name: 'GET bucket lifecycle, a query name without value',
    method: 'GET',
    target: '/?lifecycle',
    headers: { host: HOST, 'x-amz-content-sha256': EMPTY, 'x-amz-date': DATE },
    signature: 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  },
  {
    name: 'list objects',
    method: 'GET',
    target: '/?max-keys=2&prefix=J',
    headers: { host: HOST, 'x-amz-content-sha256': EMPTY, 'x-amz-date': DATE },
    signature: '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  },
] as const;

describe('published examples', () => {
  for (const { name, method, target, headers, signature } of wholeRequests) {
    test(name, async () => {
      const signed = { ...headers, authorization: authorization({ names: Object.keys(headers).sort(), signature }) };
      const verified = await verifyRequest(request({ method, target, headers: signed }), options);
      assert.equal(verified.kind, 'header');
      assert.equal(verified.kind === 'header' && verified.identity, EXAMPLE_KEY_ID);
      const otherSignature = authorization({ names: Object.keys(headers).sort(), signature: flip(signature) });
      await assert.rejects(
        verifyRequest(request({ method, target, headers: { ...headers, authorization: otherSignature } }), options),
        { code: 'SignatureDoesNotMatch', status: 403 },
      );
    });
  }

  test('presigned GET', async () => {
    const target =
      '/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request' +
      '&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host' +
      '&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404';
    const presigned = request({ method: 'GET', target, headers: { host: HOST } });
    assert.equal(serviceOfCredentialScope(presigned), 's3');
    const verified = await verifyRequest(presigned, options);
    assert.equal(verified.kind, 'presigned');
    assert.deepEqual(verified.payload, { kind: 'unsigned' });
  });

  test('Glacier, path of the ordinary style', async () => {
    const headers = {
      host: 'glacier.us-east-1.amazonaws.com',
      'x-amz-date': '20120525T002453Z',
      'x-amz-glacier-version': '2012-06-01',
    };
    const signature = '3ce5b2f2fffac9262b4da9256f8d086b4aaf42eba5f111c21681a65a127b7c2a';
    const scope = '20120525/us-east-1/glacier/aws4_request';
    const signed = { ...headers, authorization: authorization({ names: Object.keys(headers), signature, scope }) };
    const verified = await verifyRequest(request({ method: 'PUT', target: '/-/vaults/examplevault', headers: signed }), {
      ...options,
      service: 'glacier',
      clock: { nowMs: () => Date.UTC(2012, 4, 25, 0, 24, 53) },
    });
    assert.equal(verified.kind, 'header');
  });
});

const CHUNK_SIGNATURES = [
  'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
  '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
  'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
] as const;

function chunkedBody(signatures: readonly string[], trailer: string): Buffer {
  const [first, second, last] = signatures;
  return Buffer.from(
    `10000;chunk-signature=${first}\r\n${'a'.repeat(65536)}\r\n400;chunk-signature=${second}\r\n${'a'.repeat(1024)}\r\n0;chunk-signature=${last}\r\n${trailer}\r\n`,
  );
}

describe('published chunked uploads', () => {
  const plainHeaders = {
    'content-encoding': 'aws-chunked',
    'content-length': '66824',
    host: 's3.amazonaws.com',
    'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    'x-amz-date': DATE,
    'x-amz-decoded-content-length': '66560',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
  };
  const trailerHeaders = {
    'content-encoding': 'aws-chunked',
    host: 's3.amazonaws.com',
    'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
    'x-amz-date': DATE,
    'x-amz-decoded-content-length': '66560',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
    'x-amz-trailer': 'x-amz-checksum-crc32c',
  };

  async function upload(headers: Record<string, string>, seed: string, body: Buffer) {
    const signed = { ...headers, authorization: authorization({ names: Object.keys(headers).sort(), signature: seed }) };
    const put = request({ method: 'PUT', target: '/examplebucket/chunkObject.txt', headers: signed, body: pieces(body, 16_000) });
    const verified = await verifyRequest(put, options);
    const payload = decodePayload(put, verified.payload);
    assert.equal(payload.decodedLength, 66560);
    return { bytes: await readAll(payload.body), trailers: payload.trailers() };
  }

  test('three signed chunks', async () => {
    const seed = '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9';
    const { bytes } = await upload(plainHeaders, seed, chunkedBody(CHUNK_SIGNATURES, ''));
    assert.deepEqual(bytes, Buffer.alloc(66560, 'a'));
    for (const index of [0, 1, 2]) {
      const signatures = CHUNK_SIGNATURES.map((signature, at) => (at === index ? flip(signature) : signature));
      await assert.rejects(upload(plainHeaders, seed, chunkedBody(signatures, '')), { code: 'SignatureDoesNotMatch' });
    }
  });

  test('three signed chunks and a signed trailer', async () => {
    const seed = '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e';
    const signatures = [
      'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2',
      '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7',
      '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992',
    ];
    const trailerSignature = 'd81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435';
    const trailer = `x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:${trailerSignature}\r\n`;
    const { bytes, trailers } = await upload(trailerHeaders, seed, chunkedBody(signatures, trailer));
    assert.equal(bytes.byteLength, 66560);
    assert.deepEqual({ ...trailers }, { 'x-amz-checksum-crc32c': 'sOO8/Q==' });
    const changedValue = trailer.replace('sOO8', 'sOO9');
    await assert.rejects(upload(trailerHeaders, seed, chunkedBody(signatures, changedValue)), { code: 'SignatureDoesNotMatch' });
    const changedSignature = trailer.replace(trailerSignature, flip(trailerSignature));
    await assert.rejects(upload(trailerHeaders, seed, chunkedBody(signatures, changedSignature)), { code: 'SignatureDoesNotMatch' });
  });
});

/** Another last digit. */
function flip(hex: string): string {
  return hex.slice(0, -1) + (hex.endsWith('0') ? '1' : '0');
}
