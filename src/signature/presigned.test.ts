/** Presigned URLs and headers in the query. Source: contract kms-iam-audit 5.3, V08; s3-surface S07, S08; s3-encryption 14.1, G01. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SignatureV4 } from '@smithy/signature-v4';
import type { HttpRequest } from '../base/index.ts';
import { hoistedHeaders, verifyRequest } from './index.ts';
import { EXAMPLE_SECRET, lookupExample, request, sha256, signerWith } from './testing.ts';
import type { SigningParts } from './testing.ts';

const signed = signerWith(SignatureV4);
const dateMs = Date.UTC(2026, 10, 23, 12, 0, 0);
const UNSIGNED = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
const SSE = 'x-amz-server-side-encryption';

function presign(parts: Partial<SigningParts> = {}): Promise<HttpRequest> {
  return signed({ path: '/b/k', headers: UNSIGNED, dateMs, expiresIn: 60, ...parts });
}

function verifyAt(http: HttpRequest, nowMs: number) {
  return verifyRequest(http, { service: 's3', regions: ['us-east-1'], clock: { nowMs: () => nowMs }, skewMs: 900_000, lookup: lookupExample });
}

function parameter(http: HttpRequest, name: string, value: string | undefined): HttpRequest {
  const kept = http.rawQuery.split('&').filter((pair) => !pair.startsWith(`${name}=`));
  if (value !== undefined) kept.push(`${name}=${encodeURIComponent(value)}`);
  return { ...http, rawQuery: kept.join('&') };
}

describe('lifetime', () => {
  test('good until it ends, refused from then on', async () => {
    const http = await presign();
    assert.equal((await verifyAt(http, dateMs)).kind, 'presigned');
    assert.equal((await verifyAt(http, dateMs + 59_999)).kind, 'presigned');
    await assert.rejects(verifyAt(http, dateMs + 60_000), {
      code: 'AccessDenied',
      status: 403,
      publicMessage: 'Request has expired',
      details: { 'X-Amz-Expires': '60', Expires: '2026-11-23T12:01:00Z', ServerTime: '2026-11-23T12:01:00Z' },
    });
  });

  test('a week is the longest', async () => {
    const http = await presign({ expiresIn: 604_800 });
    assert.equal((await verifyAt(http, dateMs + 604_799_000)).kind, 'presigned');
    await assert.rejects(verifyAt(parameter(http, 'X-Amz-Expires', '604801'), dateMs), {
      code: 'AuthorizationQueryParametersError',
      status: 400,
      publicMessage:
        'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds',
    });
  });

  test('other bad lifetimes', async () => {
    const http = await presign();
    for (const [value, publicMessage] of [
      ['-1', 'X-Amz-Expires must be non-negative'],
      ['0', 'X-Amz-Expires must be at least 1 second'],
      ['1e3', 'X-Amz-Expires should be a number'],
      ['60 ', 'X-Amz-Expires should be a number'],
    ] as const) {
      await assert.rejects(verifyAt(parameter(http, 'X-Amz-Expires', value), dateMs), {
        code: 'AuthorizationQueryParametersError',
        status: 400,
        publicMessage,
      });
    }
    await assert.rejects(verifyAt(parameter(http, 'X-Amz-Expires', '61'), dateMs), { code: 'SignatureDoesNotMatch' });
  });

  test('from the future, by more than clocks differ', async () => {
    const http = await presign();
    assert.equal((await verifyAt(http, dateMs - 900_000)).kind, 'presigned');
    await assert.rejects(verifyAt(http, dateMs - 901_000), { code: 'RequestTimeTooSkewed', status: 403 });
  });

  test('ends with the session it was made in', async () => {
    const http = await presign({ sessionToken: 'token+/=' });
    const endsMs = dateMs + 30_000;
    const lookup = async () => ({ secretAccessKey: EXAMPLE_SECRET, sessionToken: 'token+/=', expiresAtMs: endsMs, identity: 1 });
    const at = (nowMs: number) => verifyRequest(http, { service: 's3', regions: 'any', clock: { nowMs: () => nowMs }, skewMs: 900_000, lookup });
    assert.equal((await at(endsMs - 1)).kind, 'presigned');
    await assert.rejects(at(endsMs), { code: 'ExpiredToken', status: 400 });
    await assert.rejects(verifyAt(http, dateMs), { code: 'InvalidToken' });
  });

  test('other services say it in their own words', async () => {
    const http = await signed({ query: { Action: 'GetCallerIdentity' }, service: 'sts', dateMs, expiresIn: 60 });
    const options = { service: 'sts', regions: 'any' as const, skewMs: 300_000, lookup: lookupExample };
    await assert.rejects(verifyRequest(http, { ...options, clock: { nowMs: () => dateMs + 90_000 } }), {
      code: 'SignatureDoesNotMatch',
      status: 403,
      publicMessage: 'Signature expired: 20261123T120000Z is now earlier than 20261123T120030Z (20261123T120130Z - 1 min.)',
    });
    const without = parameter(http, 'X-Amz-Expires', undefined);
    await assert.rejects(verifyRequest(without, { ...options, clock: { nowMs: () => dateMs } }), {
      code: 'IncompleteSignature',
      status: 400,
      publicMessage: "AWS query-string parameters must include 'X-Amz-Expires'. Re-examine the query-string parameters.",
    });
  });
});

describe('parameters', () => {
  for (const name of ['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Signature', 'X-Amz-Date', 'X-Amz-SignedHeaders', 'X-Amz-Expires']) {
    test(`without ${name}`, async () => {
      const refusal = {
        code: 'AuthorizationQueryParametersError',
        status: 400,
        publicMessage:
          'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
      };
      await assert.rejects(verifyAt(parameter(await presign(), name, undefined), dateMs), refusal);
      await assert.rejects(verifyAt(parameter(await presign(), name, ''), dateMs), refusal);
    });
  }

  test('malformed ones', async () => {
    const http = await presign();
    const credential = 'Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".';
    for (const [name, value, publicMessage] of [
      ['X-Amz-Credential', 'AKIAIOSFODNN7EXAMPLE', credential],
      ['X-Amz-Credential', 'A/20261123/us\n/s3/aws4_request', credential],
      ['X-Amz-Algorithm', 'AWS4-HMAC-SHA512', 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"'],
      ['X-Amz-Date', '2026-11-23', `X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`],
      ['X-Amz-Credential', 'A/20261122/us-east-1/s3/aws4_request', 'Error parsing the X-Amz-Credential parameter; Invalid credential date "20261122". This date is not the same as X-Amz-Date: "20261123".'],
      ['X-Amz-Credential', 'A/20261123/us-east-1/kms/aws4_request', "Error parsing the X-Amz-Credential parameter; the service 'kms' is wrong; expecting 's3'"],
      ['X-Amz-Credential', 'A/20261123/eu-west-1/s3/aws4_request', "Error parsing the X-Amz-Credential parameter; the region 'eu-west-1' is wrong; expecting 'us-east-1'"],
      ['X-Amz-SignedHeaders', 'host;host', 'X-Amz-SignedHeaders must name each header once.'],
    ] as const) {
      await assert.rejects(verifyAt(parameter(http, name, value), dateMs), { code: 'AuthorizationQueryParametersError', status: 400, publicMessage });
    }
  });

  test('one of them twice, in whatever case or encoding', async () => {
    const http = await presign();
    for (const again of ['X-Amz-Expires=60', 'x-amz-expires=600000', 'X%2DAmz-Expires=600000', 'X-Amz-Signature=00']) {
      const rawQuery = `${http.rawQuery}&${again}`;
      await assert.rejects(verifyAt({ ...http, rawQuery }, dateMs), { code: 'AuthorizationQueryParametersError', status: 400 });
    }
  });

  test('a changed signature, method, header or parameter', async () => {
    const http = await presign({ method: 'PUT', headers: { ...UNSIGNED, 'content-type': 'text/plain' } });
    assert.equal((await verifyAt(http, dateMs)).kind, 'presigned');
    const mismatch = { code: 'SignatureDoesNotMatch', status: 403 };
    await assert.rejects(verifyAt(parameter(http, 'X-Amz-Signature', '0'.repeat(64)), dateMs), mismatch);
    await assert.rejects(verifyAt(parameter(http, 'X-Amz-Signature', '0'), dateMs), mismatch);
    await assert.rejects(verifyAt({ ...http, method: 'GET' }, dateMs), mismatch);
    await assert.rejects(verifyAt({ ...http, headers: { ...http.headers, 'content-type': 'text/html' } }, dateMs), mismatch);
    await assert.rejects(verifyAt({ ...http, headers: { ...http.headers, host: 'elsewhere' } }, dateMs), mismatch);
    await assert.rejects(verifyAt(parameter(http, 'versionId', '1'), dateMs), mismatch);
  });

  test('together with an Authorization header', async () => {
    const http = await presign();
    const both = { ...http, headers: { ...http.headers, authorization: 'AWS4-HMAC-SHA256 x' } };
    await assert.rejects(verifyAt(both, dateMs), { code: 'InvalidArgument', status: 400, publicMessage: /^Only one auth mechanism allowed/ });
  });
});

describe('what the URL says of the body', () => {
  test('nothing, a hash, signed chunks', async () => {
    assert.deepEqual((await verifyAt(await presign(), dateMs)).payload, { kind: 'unsigned' });
    const hex = sha256('body');
    for (const unhoistable of [[], ['x-amz-content-sha256']]) {
      const http = await presign({ headers: { 'x-amz-content-sha256': hex }, unhoistable });
      assert.deepEqual((await verifyAt(http, dateMs)).payload, { kind: 'sha256', hex, service: 's3' });
    }
    const chunked = await presign({ headers: { 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' } });
    const { payload } = await verifyAt(chunked, dateMs);
    assert.ok(payload.kind === 'chunked' && payload.signed && payload.signer.date === '20261123T120000Z');
  });
});

describe('headers and query', () => {
  test('an x-amz-* header that the URL does not sign', async () => {
    const http = await presign({ method: 'PUT' });
    const headers = { ...http.headers, [SSE]: 'aws:kms', 'content-type': 'text/plain', 'x-amzn-trace-id': 'Root=1' };
    await assert.rejects(verifyAt({ ...http, headers }, dateMs), {
      code: 'AccessDenied',
      status: 403,
      publicMessage: 'There were headers present in the request which were not signed',
      details: { HeadersNotSigned: SSE },
    });
  });

  test('a signed x-amz-* header must come as signed', async () => {
    const http = await presign({ method: 'PUT', headers: { ...UNSIGNED, [SSE]: 'aws:kms' }, unhoistable: [SSE] });
    const verified = await verifyAt(http, dateMs);
    assert.ok(verified.kind === 'presigned' && verified.signedHeaders.has(SSE));
    for (const value of [undefined, 'AES256']) {
      const { [SSE]: _, ...rest } = http.headers;
      const headers = value === undefined ? rest : { ...rest, [SSE]: value };
      await assert.rejects(verifyAt({ ...http, headers }, dateMs), { code: 'SignatureDoesNotMatch' });
    }
  });

  test('a hoisted header acts as header; it may come again with the same value only', async () => {
    const http = await presign({ method: 'PUT', headers: { ...UNSIGNED, [SSE]: 'aws:kms' } });
    assert.equal((await verifyAt(http, dateMs)).kind, 'presigned');
    assert.deepEqual({ ...hoistedHeaders(http) }, { [SSE]: 'aws:kms' });
    const same = { ...http, headers: { ...http.headers, [SSE]: 'aws:kms' } };
    assert.equal((await verifyAt(same, dateMs)).kind, 'presigned');
    assert.deepEqual({ ...hoistedHeaders(same) }, { [SSE]: 'aws:kms' });
    const other = { ...http, headers: { ...http.headers, [SSE]: 'AES256' } };
    await assert.rejects(verifyAt(other, dateMs), { code: 'AccessDenied', details: { HeadersNotSigned: SSE } });
    assert.throws(() => hoistedHeaders(other), { code: 'AccessDenied', status: 403, details: { HeadersNotSigned: SSE } });
    assert.throws(() => hoistedHeaders(request({ target: '/b/k?x-amz-acl=private', headers: { 'x-amz-acl': 'public-read' } })), { code: 'InvalidArgument', status: 400 });
  });

  test('hoisted, and named among the signed headers too: the header may be left out', async () => {
    // Signed with the header present in both places, as older SDKs did.
    const query = { [SSE]: 'AES256' };
    const http = await presign({ method: 'PUT', query, headers: { ...UNSIGNED, [SSE]: 'AES256' }, unhoistable: [SSE] });
    assert.equal((await verifyAt(http, dateMs)).kind, 'presigned');
    const { [SSE]: _, ...headers } = http.headers;
    assert.equal((await verifyAt({ ...http, headers }, dateMs)).kind, 'presigned');
    await assert.rejects(verifyAt({ ...http, headers: { ...headers, [SSE]: 'aws:kms' } }, dateMs), { code: 'SignatureDoesNotMatch' });
  });

  test('a customer-provided key is never taken from the URL, and never repeated', async () => {
    const key = 'c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3I=';
    for (const name of ['x-amz-server-side-encryption-customer-key', 'x-amz-copy-source-server-side-encryption-customer-key']) {
      for (const spelled of [name, name.toUpperCase(), name.replace('-', '%2d')]) {
        const http = await presign({ method: 'PUT' });
        const withKey = { ...http, rawQuery: `${http.rawQuery}&${spelled}=${encodeURIComponent(key)}` };
        for (const attempt of [() => verifyAt(withKey, dateMs), async () => hoistedHeaders(withKey)]) {
          await assert.rejects(attempt, (error: { code: string; status: number; message: string; details: object }) => {
            assert.deepEqual([error.code, error.status], ['InvalidArgument', 400]);
            assert.deepEqual({ ...error.details }, { ArgumentName: name });
            assert.ok(!error.message.includes('c2VjcmV0'));
            return true;
          });
        }
        assert.throws(() => hoistedHeaders(request({ target: `/b/k?${spelled}=${key}` })), { code: 'InvalidArgument' });
      }
    }
  });

  test('only headers are hoisted: not the signature, not a checksum of no body, not other parameters', async () => {
    const hoistable = { 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-sdk-checksum-algorithm': 'CRC32', 'x-amz-acl': 'private', 'x-amz-meta-a': 'ü &=' };
    const http = await presign({ method: 'PUT', headers: { ...UNSIGNED, ...hoistable }, query: { 'x-id': 'PutObject', constructor: '1' } });
    const expected = { 'x-amz-acl': 'private', 'x-amz-meta-a': Buffer.from('ü &=').toString('latin1') };
    assert.deepEqual({ ...hoistedHeaders(http) }, expected);
    assert.deepEqual({ ...hoistedHeaders(request({ target: '/b?prefix=x-amz-%20' })) }, {});
    assert.throws(() => hoistedHeaders(request({ target: '/b?x-amz-acl=a&X-Amz-Acl=b' })), { code: 'InvalidArgument' });
    assert.deepEqual({ ...hoistedHeaders(request({ target: '/b?x-amz-acl=a&X-Amz-Acl=a' })) }, { 'x-amz-acl': 'a' });
    assert.throws(() => hoistedHeaders(request({ target: '/b?x-amz-meta-a=a%0d%0ab:c' })), { code: 'InvalidArgument' });
  });
});
