/** Every refusal of a signed request, by service. Source: contract kms-iam-audit 5.5, V04 to V06, V10; s3-surface S05, S06. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SignatureV4 } from '@smithy/signature-v4';
import type { HttpRequest } from '../base/index.ts';
import { verifyRequest } from './index.ts';
import type { VerifyOptions } from './index.ts';
import { EXAMPLE_KEY_ID, EXAMPLE_SECRET, request, signerWith } from './testing.ts';
import type { SigningParts } from './testing.ts';

const signed = signerWith(SignatureV4);
const nowMs = Date.UTC(2026, 10, 23, 12, 0, 0);
const NOW = '20261123T120000Z';
const minutes = (count: number): number => count * 60_000;

const SESSION_KEY_ID = 'ASIAEXAMPLESESSION';
const EXPIRED_KEY_ID = 'ASIAEXAMPLEEXPIRED';

async function lookup(accessKeyId: string) {
  switch (accessKeyId) {
    case EXAMPLE_KEY_ID:
      return { secretAccessKey: EXAMPLE_SECRET, identity: 'user' };
    case SESSION_KEY_ID:
      return { secretAccessKey: EXAMPLE_SECRET, identity: 'session', sessionToken: 'the token', expiresAtMs: nowMs + 1 };
    case EXPIRED_KEY_ID:
      return { secretAccessKey: EXAMPLE_SECRET, identity: 'session', sessionToken: 'the token', expiresAtMs: nowMs };
    default:
      return undefined;
  }
}

interface Expected {
  code: string;
  status: number;
  message?: string | RegExp;
  details?: Record<string, string>;
}

async function refused(http: HttpRequest, service: string, expected: Expected, more: Partial<VerifyOptions<string>> = {}) {
  const options = {
    service,
    regions: ['us-east-1'],
    clock: { nowMs: () => nowMs },
    skewMs: service === 's3' ? 900_000 : 300_000,
    lookup,
    ...more,
  };
  await assert.rejects(verifyRequest(http, options), (error: Expected & { publicMessage: string }) => {
    assert.deepEqual({ code: error.code, status: error.status }, { code: expected.code, status: expected.status });
    if (expected.message instanceof RegExp) assert.match(error.publicMessage, expected.message);
    else if (expected.message !== undefined) assert.equal(error.publicMessage, expected.message);
    if (expected.details !== undefined) assert.deepEqual({ ...error.details }, expected.details);
    return true;
  });
}

const SERVICES = ['s3', 'kms', 'cloudtrail', 'iam', 'sts', 'glacier'];

/** A good request to a service, but for what `parts` say. */
function sample(service: string, parts: Partial<SigningParts> = {}): Promise<HttpRequest> {
  const headers: Record<string, string> = service === 's3' ? { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } : {};
  return signed({ service, headers, dateMs: nowMs, ...parts });
}

function withHeaders(http: HttpRequest, change: Record<string, string | undefined>): HttpRequest {
  const headers = Object.entries({ ...http.headers, ...change }).filter(([, value]) => value !== undefined);
  return { ...http, headers: Object.fromEntries(headers) as Record<string, string> };
}

/** The three columns of the table; CloudTrail and STS are like KMS and IAM, Glacier has statuses of its own. */
function table(name: string, make: (service: string) => Promise<HttpRequest>, rows: { s3: Expected; kms: Expected; iam: Expected; glacier?: Expected }) {
  const { s3, kms, iam, glacier = kms } = rows;
  const expected: Record<string, Expected> = { s3, kms, cloudtrail: kms, iam, sts: iam, glacier };
  describe(name, () => {
    for (const service of SERVICES) {
      test(service, async () => refused(await make(service), service, expected[service]!));
    }
  });
}

test('the samples are good', async () => {
  for (const service of SERVICES) {
    const options = { service, regions: ['us-east-1'], clock: { nowMs: () => nowMs }, skewMs: 300_000, lookup };
    const verified = await verifyRequest(await sample(service), options);
    assert.equal(verified.kind === 'header' && verified.identity, 'user');
    assert.equal(verified.kind === 'header' && verified.region, 'us-east-1');
    assert.equal(verified.kind === 'header' && verified.signedAtMs, nowMs);
    assert.ok(verified.kind === 'header' && verified.signedHeaders.has('x-amz-date') && verified.signedHeaders.has('host'));
    const session = await sample(service, { accessKeyId: SESSION_KEY_ID, sessionToken: 'the token' });
    const verifiedSession = await verifyRequest(session, options);
    assert.equal(verifiedSession.kind === 'header' && verifiedSession.identity, 'session');
  }
});

const INVALID_TOKEN_TEXT = 'The security token included in the request is invalid.';
const MISMATCH_TEXT =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';

table('unknown key id', (service) => sample(service, { accessKeyId: 'AKIANOBODY' }), {
  s3: {
    code: 'InvalidAccessKeyId',
    status: 403,
    message: 'The AWS Access Key Id you provided does not exist in our records.',
    details: { AWSAccessKeyId: 'AKIANOBODY' },
  },
  kms: { code: 'UnrecognizedClientException', status: 400, message: INVALID_TOKEN_TEXT },
  iam: { code: 'InvalidClientTokenId', status: 403, message: INVALID_TOKEN_TEXT },
});

table('wrong secret', (service) => sample(service, { secretAccessKey: 'wrong' }), {
  s3: {
    code: 'SignatureDoesNotMatch',
    status: 403,
    message:
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
  },
  kms: { code: 'InvalidSignatureException', status: 400, message: MISMATCH_TEXT, details: {} },
  iam: { code: 'SignatureDoesNotMatch', status: 403, message: MISMATCH_TEXT, details: {} },
  glacier: { code: 'InvalidSignatureException', status: 403, message: MISMATCH_TEXT, details: {} },
});

test('wrong secret on S3 shows what was compared', async () => {
  const http = await sample('s3', { secretAccessKey: 'wrong', path: '/b/ü'.replace('ü', '%C3%BC') });
  const signature = /Signature=(\w+)/.exec(http.headers['authorization']!)![1]!;
  const canonicalRequest = `GET\n/b/%C3%BC\n\nhost:localhost:9000\nx-amz-content-sha256:UNSIGNED-PAYLOAD\nx-amz-date:${NOW}\n\nhost;x-amz-content-sha256;x-amz-date\nUNSIGNED-PAYLOAD`;
  const options = { service: 's3', regions: 'any' as const, clock: { nowMs: () => nowMs }, skewMs: 900_000, lookup };
  await assert.rejects(verifyRequest(http, options), (error: { details: Record<string, string> }) => {
    const { details } = error;
    assert.deepEqual(Object.keys(details), [
      'AWSAccessKeyId',
      'StringToSign',
      'SignatureProvided',
      'StringToSignBytes',
      'CanonicalRequest',
      'CanonicalRequestBytes',
    ]);
    assert.equal(details['AWSAccessKeyId'], EXAMPLE_KEY_ID);
    assert.equal(details['SignatureProvided'], signature);
    assert.equal(details['CanonicalRequest'], canonicalRequest);
    assert.equal(Buffer.from(details['CanonicalRequestBytes']!.replaceAll(' ', ''), 'hex').toString(), canonicalRequest);
    assert.ok(details['StringToSign']!.startsWith(`AWS4-HMAC-SHA256\n${NOW}\n20261123/us-east-1/s3/aws4_request\n`));
    assert.ok(details['StringToSignBytes']!.startsWith('41 57 53 34 2d '));
    return true;
  });
});

test('no answer repeats a customer-provided key', async () => {
  const key = 'bXkga2V5IG15IGtleSBteSBrZXkgbXkga2V5IG15IGtl';
  const names = ['x-amz-server-side-encryption-customer-key', 'x-amz-copy-source-server-side-encryption-customer-key'];
  const headers = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', [names[0]!]: key, [names[1]!]: key };
  const http = await signed({ headers, dateMs: nowMs, secretAccessKey: 'wrong' });
  const options = { service: 's3', regions: 'any' as const, clock: { nowMs: () => nowMs }, skewMs: 900_000, lookup };
  await assert.rejects(verifyRequest(http, options), (error: { code: string; details: Record<string, string> }) => {
    assert.equal(error.code, 'SignatureDoesNotMatch');
    const shown = JSON.stringify(error.details);
    const keyBytes = Buffer.from(key).toString('hex').replace(/(..)(?=.)/g, '$1 ');
    assert.ok(!shown.includes(key) && !shown.includes(keyBytes));
    assert.ok(error.details['CanonicalRequest']!.includes(`${names[0]}:(not shown)\n`));
    return true;
  });
});

table('clock 16 minutes slow', (service) => sample(service, { dateMs: nowMs - minutes(16) }), {
  s3: {
    code: 'RequestTimeTooSkewed',
    status: 403,
    message: "The difference between the request time and the server's time is too large.",
    details: { RequestTime: '20261123T114400Z', ServerTime: '2026-11-23T12:00:00Z', MaxAllowedSkewMilliseconds: '900000' },
  },
  kms: {
    code: 'InvalidSignatureException',
    status: 400,
    message: `Signature expired: 20261123T114400Z is now earlier than 20261123T115500Z (${NOW} - 5 min.)`,
  },
  iam: {
    code: 'SignatureDoesNotMatch',
    status: 403,
    message: `Signature expired: 20261123T114400Z is now earlier than 20261123T115500Z (${NOW} - 5 min.)`,
  },
  glacier: { code: 'InvalidSignatureException', status: 403, message: /^Signature expired: / },
});

table('clock 16 minutes fast', (service) => sample(service, { dateMs: nowMs + minutes(16) }), {
  s3: { code: 'RequestTimeTooSkewed', status: 403 },
  kms: {
    code: 'InvalidSignatureException',
    status: 400,
    message: `Signature not yet current: 20261123T121600Z is still later than 20261123T120500Z (${NOW} + 5 min.)`,
  },
  iam: { code: 'SignatureDoesNotMatch', status: 403, message: /^Signature not yet current: / },
  glacier: { code: 'InvalidSignatureException', status: 403, message: /^Signature not yet current: / },
});

describe('the edge of the skew window', () => {
  for (const [service, windowMs] of [['s3', minutes(15)], ['kms', minutes(5)]] as const) {
    test(service, async () => {
      const options = { service, regions: ['us-east-1'], clock: { nowMs: () => nowMs }, skewMs: windowMs, lookup };
      for (const sign of [-1, 1]) {
        assert.equal((await verifyRequest(await sample(service, { dateMs: nowMs + sign * windowMs }), options)).kind, 'header');
        await assert.rejects(verifyRequest(await sample(service, { dateMs: nowMs + sign * (windowMs + 1000) }), options));
      }
    });
  }
});

table('scope of another region', (service) => sample(service, { region: 'eu-west-1' }), {
  s3: {
    code: 'AuthorizationHeaderMalformed',
    status: 400,
    message: "The authorization header is malformed; the region 'eu-west-1' is wrong; expecting 'us-east-1'",
    details: { Region: 'us-east-1' },
  },
  kms: { code: 'InvalidSignatureException', status: 400, message: "Credential should be scoped to a valid Region, not 'eu-west-1'." },
  iam: { code: 'SignatureDoesNotMatch', status: 403, message: "Credential should be scoped to a valid Region, not 'eu-west-1'." },
  glacier: { code: 'InvalidSignatureException', status: 403 },
});

test('any region, and us-east-1 for the global services', async () => {
  const options = { clock: { nowMs: () => nowMs }, skewMs: 300_000, lookup };
  const elsewhere = await sample('s3', { region: 'mars-north-1' });
  const verified = await verifyRequest(elsewhere, { ...options, service: 's3', regions: 'any' });
  assert.equal(verified.kind === 'header' && verified.region, 'mars-north-1');
  for (const service of ['iam', 'sts']) {
    assert.equal((await verifyRequest(await sample(service), { ...options, service, regions: ['eu-west-1'] })).kind, 'header');
  }
  await refused(await sample('kms'), 'kms', { code: 'InvalidSignatureException', status: 400 }, { regions: ['eu-west-1'] });
});

describe('scope of another service', () => {
  for (const [service, code, status, message] of [
    ['s3', 'AuthorizationHeaderMalformed', 400, "The authorization header is malformed; the service 'other' is wrong; expecting 's3'"],
    ['kms', 'InvalidSignatureException', 400, "Credential should be scoped to correct service: 'kms'."],
    ['iam', 'SignatureDoesNotMatch', 403, "Credential should be scoped to correct service: 'iam'."],
  ] as const) {
    test(service, async () => {
      const http = withHeaders(await sample('other'), { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' });
      await refused(http, service, { code, status, message });
    });
  }
});

describe('scope of another day', () => {
  for (const [service, code, status, message] of [
    ['s3', 'AuthorizationHeaderMalformed', 400, 'The authorization header is malformed; Invalid credential date "20261122". This date is not the same as X-Amz-Date: "20261123".'],
    ['kms', 'InvalidSignatureException', 400, `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20261122' != '20261123', from '${NOW}'.`],
    ['iam', 'SignatureDoesNotMatch', 403, `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20261122' != '20261123', from '${NOW}'.`],
  ] as const) {
    test(service, async () => {
      const http = await sample(service);
      const authorization = http.headers['authorization']!.replace('/20261123/', '/20261122/');
      await refused(withHeaders(http, { authorization }), service, { code, status, message });
    });
  }
});

table('no credentials', async (service) => (service === 's3' ? withHeaders(await sample('s3'), { authorization: '' }) : request({})), {
  s3: { code: 'AccessDenied', status: 403, message: 'Access Denied' },
  kms: { code: 'MissingAuthenticationTokenException', status: 400, message: 'Missing Authentication Token' },
  iam: { code: 'MissingAuthenticationToken', status: 403, message: 'Missing Authentication Token' },
});

test('no credentials on S3: anonymous', async () => {
  const options = { service: 's3', regions: 'any' as const, clock: { nowMs: () => nowMs }, skewMs: 900_000, lookup };
  assert.deepEqual(await verifyRequest(request({}), options), { kind: 'anonymous', payload: { kind: 'unsigned' } });
  const declared = request({ headers: { 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' } });
  assert.deepEqual((await verifyRequest(declared, options)).payload, { kind: 'chunked', signed: false, trailer: true });
  const impossible = request({ headers: { 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' } });
  await refused(impossible, 's3', { code: 'InvalidArgument', status: 400 });
});

describe('malformed headers', () => {
  const good = 'AWS4-HMAC-SHA256 Credential=A/20261123/us-east-1/SERVICE/aws4_request, SignedHeaders=host, Signature=ab';
  const cases: [string, string][] = [
    ['nothing behind the algorithm', 'AWS4-HMAC-SHA256'],
    ['no Credential', 'AWS4-HMAC-SHA256 SignedHeaders=host, Signature=ab'],
    ['no SignedHeaders', good.replace('SignedHeaders=host, ', '')],
    ['no Signature', good.replace(', Signature=ab', '')],
    ['empty Signature', good.replace('Signature=ab', 'Signature=')],
    ['Signature twice', `${good}, Signature=cd`],
    ['an unknown part', `${good}, Extra=1`],
    ['rubbish between', good.replace(', Signature', ', rubbish, Signature')],
    ['a header signed twice', good.replace('=host', '=host;host')],
    ['scope too short', good.replace('/20261123', '')],
    ['scope without region', good.replace('us-east-1', '')],
    ['scope ends otherwise', good.replace('aws4_request', 'aws3_request')],
    ['no key id', good.replace('=A/', '=/')],
    ['bytes beyond ASCII in the scope', good.replace('us-east-1', 'us-\u00fcast-1')],
  ];
  for (const [name, authorization] of cases) {
    test(name, async () => {
      for (const [service, code, status] of [['s3', 'AuthorizationHeaderMalformed', 400], ['kms', 'IncompleteSignatureException', 400], ['iam', 'IncompleteSignature', 400]] as const) {
        const headers = { host: 'h', 'x-amz-date': NOW, authorization: authorization.replace('SERVICE', service) };
        await refused(request({ headers }), service, { code, status }, { regions: 'any' });
      }
    });
  }

  test('what is missing is named, the header itself is not repeated', async () => {
    const headers = { host: 'h', 'x-amz-date': NOW, authorization: 'AWS4-HMAC-SHA256 Credential=A/b' };
    await refused(request({ headers }), 'kms', {
      code: 'IncompleteSignatureException',
      status: 400,
      message: /^Authorization header requires 'Signature' parameter\. Authorization header requires 'SignedHeaders' parameter\. \(Hashed with SHA-256 and encoded with Base64\) Authorization=[\w+/]{43}=$/,
    });
  });

  test('another scheme', async () => {
    const headers = { host: 'h', authorization: 'Basic dXNlcjpzZWNyZXQ=' };
    await refused(request({ headers }), 's3', { code: 'InvalidArgument', status: 400, message: 'Unsupported Authorization Type', details: { ArgumentName: 'Authorization' } });
    await refused(request({ headers }), 'kms', { code: 'IncompleteSignatureException', status: 400, message: /^(?!.*dXNlcjpz)/ });
  });
});

table('no date', async (service) => withHeaders(await sample(service), { 'x-amz-date': undefined }), {
  s3: { code: 'AccessDenied', status: 403, message: 'AWS authentication requires a valid Date or x-amz-date header' },
  kms: { code: 'IncompleteSignatureException', status: 400 },
  iam: { code: 'IncompleteSignature', status: 400 },
});

table('unreadable date', async (service) => withHeaders(await sample(service), { 'x-amz-date': '2026-11-23T12:00:00Z' }), {
  s3: { code: 'AccessDenied', status: 403, message: 'AWS authentication requires a valid Date or x-amz-date header' },
  kms: { code: 'IncompleteSignatureException', status: 400, message: "Date must be in ISO-8601 'basic format'. Got '2026-11-23T12:00:00Z'." },
  iam: { code: 'IncompleteSignature', status: 400 },
});

table('an x-amz-* header that is not signed', async (service) => withHeaders(await sample(service), { 'x-amz-b': '1', 'x-amz-a': '2' }), {
  s3: {
    code: 'AccessDenied',
    status: 403,
    message: 'There were headers present in the request which were not signed',
    details: { HeadersNotSigned: 'x-amz-b, x-amz-a' },
  },
  kms: { code: 'InvalidSignatureException', status: 400, message: /x-amz-b, x-amz-a$/ },
  iam: { code: 'SignatureDoesNotMatch', status: 403 },
  glacier: { code: 'InvalidSignatureException', status: 403 },
});

test('a host that is not signed', async () => {
  const http = await sample('s3');
  const authorization = http.headers['authorization']!.replace('=host;', '=');
  await refused(withHeaders(http, { authorization }), 's3', { code: 'AccessDenied', status: 403, details: { HeadersNotSigned: 'host' } });
});

test('S3 without x-amz-content-sha256, and with nonsense in it', async () => {
  const http = await sample('s3');
  await refused(withHeaders(http, { 'x-amz-content-sha256': undefined }), 's3', {
    code: 'InvalidRequest',
    status: 400,
    message: 'Missing required header for this request: x-amz-content-sha256',
  });
  const nonsense = await signed({ headers: { 'x-amz-content-sha256': 'nonsense' }, dateMs: nowMs });
  await refused(nonsense, 's3', { code: 'InvalidArgument', status: 400, message: /^x-amz-content-sha256 must be / });
  const v4a = await signed({ headers: { 'x-amz-content-sha256': 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD' }, dateMs: nowMs });
  await refused(v4a, 's3', { code: 'NotImplemented', status: 501 });
});

table('Signature Version 2', async () => request({ headers: { host: 'h', authorization: 'AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=' } }), {
  s3: { code: 'InvalidRequest', status: 400, message: 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.' },
  kms: { code: 'IncompleteSignatureException', status: 400 },
  iam: { code: 'IncompleteSignature', status: 400 },
});

test('Signature Version 2 in the query', async () => {
  const http = request({ target: '/b/k?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1&Signature=x', headers: { host: 'h' } });
  await refused(http, 's3', { code: 'InvalidRequest', status: 400 });
});

test('Signature Version 4A', async () => {
  const authorization = 'AWS4-ECDSA-P256-SHA256 Credential=A/20261123/s3/aws4_request, SignedHeaders=host, Signature=ab';
  for (const service of SERVICES) {
    await refused(request({ headers: { host: 'h', authorization } }), service, { code: 'NotImplemented', status: 501 });
    await refused(request({ target: '/?X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256' }), service, { code: 'NotImplemented', status: 501 });
  }
});

const INVALID = {
  s3: { code: 'InvalidToken', status: 400, message: 'The provided token is malformed or otherwise invalid.' },
  kms: { code: 'UnrecognizedClientException', status: 400, message: INVALID_TOKEN_TEXT },
  iam: { code: 'InvalidClientTokenId', status: 403, message: INVALID_TOKEN_TEXT },
};

table('another session token', (service) => sample(service, { accessKeyId: SESSION_KEY_ID, sessionToken: 'the tokem' }), INVALID);
table('a session token with a long-term key', (service) => sample(service, { sessionToken: 'the token' }), INVALID);
table('no session token', (service) => sample(service, { accessKeyId: SESSION_KEY_ID }), {
  ...INVALID,
  s3: { code: 'InvalidAccessKeyId', status: 403 },
});
table('expired session', (service) => sample(service, { accessKeyId: EXPIRED_KEY_ID, sessionToken: 'the token' }), {
  s3: { code: 'ExpiredToken', status: 400, message: 'The provided token has expired.' },
  kms: { code: 'ExpiredTokenException', status: 400 },
  iam: { code: 'ExpiredToken', status: 403 },
  glacier: { code: 'ExpiredTokenException', status: 403 },
});
