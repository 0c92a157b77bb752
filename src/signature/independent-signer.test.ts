/** Requests signed by the AWS SDK's signer are accepted, and no others. Source: contract kms-iam-audit 5.1, V03. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SignatureV4 } from '@smithy/signature-v4';
import { serviceOfCredentialScope, verifyRequest } from './index.ts';
import { lookupExample, sha256, signerWith } from './testing.ts';

const signed = signerWith(SignatureV4);
const dateMs = Date.UTC(2026, 10, 23, 12, 0, 0);
const clock = { nowMs: () => dateMs + 2000 };
const UNSIGNED = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };

function verify(request: Parameters<typeof verifyRequest>[0], service = 's3', bodySha256?: string) {
  return verifyRequest(request, {
    service,
    regions: ['us-east-1'],
    clock,
    skewMs: 300_000,
    lookup: lookupExample,
    ...(bodySha256 === undefined ? {} : { bodySha256 }),
  });
}

const keys = ['a b/ü/+%2F//x', '..', './x', 'a/../b', '👍', "!'()*", '~-_.', '$&,;=:@', '[]{}|\\^`"<>#?', 'a//b/', '\ufffd', 'x'.repeat(1024)];

describe('object keys', () => {
  for (const key of keys) {
    test(JSON.stringify(key.slice(0, 24)), async () => {
      const path = `/bucket/${key.split('/').map(encodeKey).join('/')}`;
      const query = { 'x-id': 'GetObject', versionId: key, '': 'x' };
      const header = await signed({ path, query, headers: { ...UNSIGNED, 'x-amz-meta-a': '  two   blanks ' }, dateMs });
      assert.equal((await verify(header)).kind, 'header');
      // Other clients leave other characters bare; the signature is over the canonical path.
      const bare = { ...header, rawPath: path.replace(/%(2B|21|27|28|29|2A|24|26|2C|3B|3D|3A|40)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))) };
      assert.equal((await verify(bare)).kind, 'header');
      const lowerCase = { ...header, rawPath: path.replace(/%../g, (triplet) => triplet.toLowerCase()) };
      assert.equal((await verify(lowerCase)).kind, 'header');
      await assert.rejects(verify({ ...header, rawPath: `${path}x` }), { code: 'SignatureDoesNotMatch' });
      await assert.rejects(verify({ ...header, rawPath: `/${path}` }), { code: 'SignatureDoesNotMatch' });
      await assert.rejects(verify({ ...header, rawQuery: `${header.rawQuery}&y` }), { code: 'SignatureDoesNotMatch' });

      const presigned = await signed({ path, query, headers: UNSIGNED, dateMs, expiresIn: 60 });
      assert.equal((await verify(presigned)).kind, 'presigned');
      await assert.rejects(verify({ ...presigned, rawPath: `${path}x` }), { code: 'SignatureDoesNotMatch' });
    });
  }
});

/** As the SDKs do it: everything but the unreserved characters. */
function encodeKey(segment: string): string {
  return encodeURIComponent(segment).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

describe('other services', () => {
  test('a JSON service: the body read before is what was signed', async () => {
    const body = Buffer.from('{"KeyId":"x"}');
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'TrentService.DescribeKey', 'content-length': '13' };
    const request = await signed({ method: 'POST', headers, body, service: 'kms', dateMs });
    assert.equal(serviceOfCredentialScope(request), 'kms');
    assert.equal((await verify(request, 'kms', sha256(body))).kind, 'header');
    await assert.rejects(verify(request, 'kms', sha256('{}')), { code: 'InvalidSignatureException', status: 400 });
  });

  test('a presigned GetCallerIdentity', async () => {
    const query = { Action: 'GetCallerIdentity', Version: '2011-06-15' };
    const request = await signed({ query, service: 'sts', dateMs, expiresIn: 60 });
    assert.equal(serviceOfCredentialScope(request), 'sts');
    const verified = await verify(request, 'sts', sha256(''));
    assert.equal(verified.kind, 'presigned');
    assert.equal((await verify(request, 'sts')).kind, 'presigned');
  });

  test('an archive that streams: its declared hash is the plan', async () => {
    const body = Buffer.from('archive');
    const headers = { 'x-amz-glacier-version': '2012-06-01', 'x-amz-content-sha256': sha256(body) };
    const request = await signed({ method: 'POST', path: '/-/vaults/a%20b/archives', headers, body, service: 'glacier', dateMs });
    const verified = await verify(request, 'glacier');
    assert.deepEqual(verified.payload, { kind: 'sha256', hex: sha256(body), service: 'glacier' });
  });
});

describe('what differs between clients', () => {
  test('query blanks as plus', async () => {
    const request = await signed({ path: '/b', query: { prefix: 'a b' }, headers: UNSIGNED, dateMs });
    assert.equal((await verify({ ...request, rawQuery: 'prefix=a+b' })).kind, 'header');
    await assert.rejects(verify({ ...request, rawQuery: 'prefix=a%2Bb' }), { code: 'SignatureDoesNotMatch' });
  });

  test('sub-resource without `=`, parameters in any order, empty pairs', async () => {
    const request = await signed({ path: '/b/k', query: { uploads: '', 'x-id': 'CreateMultipartUpload', a: '1' }, headers: UNSIGNED, dateMs });
    for (const rawQuery of ['uploads&a=1&x-id=CreateMultipartUpload', 'x-id=CreateMultipartUpload&&uploads=&a=1&', '%75ploads&a=%31&x%2Did=CreateMultipartUpload']) {
      assert.equal((await verify({ ...request, rawQuery })).kind, 'header', rawQuery);
    }
  });

  test('parameters are ordered by name, not by the text `name=value`', async () => {
    const request = await signed({ path: '/b', query: { 'a-b': '1', a: '2', 'a.c': '3' }, headers: UNSIGNED, dateMs });
    assert.equal((await verify(request)).kind, 'header');
  });

  test('header bytes beyond ASCII are hashed as they came', async () => {
    const asUtf8 = await signed({ path: '/b', headers: { ...UNSIGNED, 'x-amz-meta-n': 'Zo\u00eb\u00a0\u00a0 à' }, dateMs });
    const wire = Buffer.from('Zo\u00eb\u00a0\u00a0 à', 'utf8').toString('latin1');
    const received = { ...asUtf8, headers: { ...asUtf8.headers, 'x-amz-meta-n': wire } };
    assert.equal((await verify(received)).kind, 'header');
  });

  test('Authorization with tabs, doubled blanks and another order of its parts', async () => {
    const request = await signed({ path: '/b', headers: UNSIGNED, dateMs });
    const [, credential, names, signature] = /Credential=(\S+), SignedHeaders=(\S+), Signature=(\S+)/.exec(request.headers['authorization']!)!;
    for (const authorization of [
      `AWS4-HMAC-SHA256 Signature=${signature},Credential=${credential},SignedHeaders=${names}`,
      `AWS4-HMAC-SHA256   Credential=${credential} ,  SignedHeaders=${names},\tSignature=${signature} `,
    ]) {
      assert.equal((await verify({ ...request, headers: { ...request.headers, authorization } })).kind, 'header');
    }
  });

  test('only a Date header, in either form', async () => {
    const plain = await signed({ path: '/b', headers: UNSIGNED, dateMs });
    assert.ok(plain.headers['x-amz-date']);
    const { 'x-amz-date': _, ...rest } = plain.headers;
    for (const date of ['Mon, 23 Nov 2026 12:00:00 GMT', '20261123T120000Z']) {
      // The SDK's signer never signs Date alone, so the refusal shows how far the verifier came: to the signature.
      const rejected = verify({ ...plain, headers: { ...rest, date } });
      await assert.rejects(rejected, (error: { code: string; details: Record<string, string> }) => {
        assert.equal(error.code, 'SignatureDoesNotMatch');
        assert.ok(error.details['StringToSign']!.startsWith('AWS4-HMAC-SHA256\n20261123T120000Z\n'));
        return true;
      });
    }
  });

  test('headers that Object.prototype also has', async () => {
    const request = await signed({ path: '/b', headers: { ...UNSIGNED, constructor: 'x', valueof: 'y' }, dateMs });
    assert.equal((await verify(request)).kind, 'header');
    const { constructor: _, ...headers } = request.headers as Record<string, string> & { constructor: string };
    await assert.rejects(verify({ ...request, headers }), { code: 'SignatureDoesNotMatch' });
  });

  test('a key whose secret was replaced verifies no more, however warm the cache', async () => {
    const request = await signed({ path: '/b', headers: UNSIGNED, dateMs });
    await verify(request);
    await verify(request);
    const options = { service: 's3', regions: 'any' as const, clock, skewMs: 300_000 };
    const replaced = verifyRequest(request, { ...options, lookup: async () => ({ secretAccessKey: 'another', identity: 1 }) });
    await assert.rejects(replaced, { code: 'SignatureDoesNotMatch' });
  });
});
