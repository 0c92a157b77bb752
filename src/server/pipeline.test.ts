import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sign } from '../../test/kit/sign.ts';
import { Gate, noAuditLog } from '../audit/index.ts';
import { MovableClock, ServiceError, type HttpRequest } from '../base/index.ts';
import { BlobError } from '../blobs/index.ts';
import type { Principal } from '../policy/index.ts';
import type { Operation, OperationTable } from '../services/operation.ts';
import type { Answer } from './listener.ts';
import { Pipeline, type RequestRecord } from './pipeline.ts';

const account = '111122223333';
const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
const identity: Principal = { kind: 'root', account, arn: `arn:aws:iam::${account}:root`, accessKeyId: credentials.accessKeyId };

type TestOperation = Pick<Operation<never, unknown>, 'act'> & Partial<Operation<never, unknown>>;

function pipelineOf(tables: { s3?: Record<string, TestOperation>; kms?: Record<string, TestOperation> }): { pipeline: Pipeline; records: RequestRecord[] } {
  const records: RequestRecord[] = [];
  const table = (operations: Record<string, TestOperation> = {}): OperationTable =>
    new Map(Object.entries(operations).map(([name, operation]) => [name, { name, demands: () => [], ...operation }]));
  const pipeline = new Pipeline({
    gate: new Gate(noAuditLog),
    clock: new MovableClock(),
    regions: 'any',
    baseDomains: [],
    lookup: async (accessKeyId) => (accessKeyId === credentials.accessKeyId ? { secretAccessKey: credentials.secretAccessKey, identity } : undefined),
    payloadLimits: {},
    operations: { s3: table(tables.s3), kms: table(tables.kms) },
    observe: (record) => void records.push(record),
  });
  return { pipeline, records };
}

interface Sending {
  method?: string;
  target?: string;
  headers?: Record<string, string>;
  body?: string;
  service?: string;
  signed?: boolean;
  /** Called when somebody reads the body. */
  onPull?: () => void;
}

async function send(pipeline: Pipeline, sending: Sending): Promise<Answer> {
  const { method = 'GET', target = '/', body = '', service = 's3', signed = true } = sending;
  const headers: Record<string, string> = { host: 'localhost:9000', ...sending.headers };
  if (body !== '') headers['content-length'] = String(Buffer.byteLength(body));
  const question = target.indexOf('?');
  const request: HttpRequest = {
    method,
    rawPath: question < 0 ? target : target.slice(0, question),
    rawQuery: question < 0 ? '' : target.slice(question + 1),
    headers: signed ? await sign({ method, target, headers, body, service }, credentials) : headers,
    secure: false,
    remoteAddress: '127.0.0.1',
    body: (async function* () {
      sending.onPull?.();
      if (body !== '') yield Buffer.from(body);
    })(),
  };
  return pipeline.handle(request);
}

const allow = (): [] => [];
const demandFrom = (resourceAccount: string) => () => [{ action: 's3:GetObject', resource: 'arn:aws:s3:::b/k', resourceAccount }];

describe('the way of an S3 request', () => {
  test('an operation gets the official input and its output becomes the answer', async () => {
    const { pipeline, records } = pipelineOf({
      s3: {
        HeadObject: {
          act: async ({ input }) => {
            const { Bucket, Key } = input as { Bucket: string; Key: string };
            return { ContentLength: 5, ETag: '"abc"', Metadata: { bucket: Bucket, key: Key } };
          },
        },
      },
    });
    const answer = await send(pipeline, { method: 'HEAD', target: '/bucket/a%20key' });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['x-amz-meta-bucket'], 'bucket');
    assert.equal(answer.headers['x-amz-meta-key'], 'a key');
    assert.match(answer.headers['x-amz-request-id'] ?? '', /^[0-9A-F]{16}$/);
    assert.ok(answer.headers['x-amz-id-2']);
    answer.ended?.({ bodyBytes: 0, bytesReceived: 0 });
    assert.deepEqual([records[0]?.operation, records[0]?.status, records[0]?.accessKeyId], ['HeadObject', 200, credentials.accessKeyId]);
    assert.equal(records[0]?.requestId, answer.headers['x-amz-request-id']);
  });

  test('nothing is read of a body before signature, before, demands and gate have agreed', async () => {
    const steps: string[] = [];
    const put = (refuseAt: string): TestOperation => ({
      before: () => {
        steps.push('before');
        if (refuseAt === 'before') throw new ServiceError('NoSuchBucket', 404, 'no');
      },
      demands: () => {
        steps.push('demands');
        return refuseAt === 'gate' ? demandFrom('999999999999')() : [];
      },
      act: async ({ input }) => {
        steps.push('act');
        for await (const _ of (input as { Body: AsyncIterable<Buffer> }).Body);
        return {};
      },
    });
    const run = async (refuseAt: string, sending: Sending = {}): Promise<[number, string]> => {
      steps.length = 0;
      const { pipeline } = pipelineOf({ s3: { PutObject: put(refuseAt) } });
      const { status } = await send(pipeline, { method: 'PUT', target: '/b/k', body: 'hello', onPull: () => steps.push('read'), ...sending });
      return [status, steps.join(' ')];
    };
    assert.deepEqual(await run('', { headers: { 'x-amz-date': '20200101T000000Z' }, signed: false }), [200, 'before demands act read']);
    assert.deepEqual(await run('before'), [404, 'before']);
    assert.deepEqual(await run('gate'), [403, 'before demands']);
    assert.deepEqual(await run(''), [200, 'before demands act read']);
    const wrongSignature = 'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20200101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00';
    assert.deepEqual((await run('', { signed: false, headers: { authorization: wrongSignature, 'x-amz-date': '20200101T000000Z' } }))[1], '');
  });

  test('a structured body is read behind the gate', async () => {
    let seen: unknown;
    const { pipeline } = pipelineOf({
      s3: {
        PutBucketVersioning: {
          demands: (input) => {
            assert.equal((input as { VersioningConfiguration?: unknown }).VersioningConfiguration, undefined);
            return [];
          },
          act: async ({ input }) => {
            seen = (input as { VersioningConfiguration: unknown }).VersioningConfiguration;
            return {};
          },
        },
      },
    });
    const body = '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>';
    assert.equal((await send(pipeline, { method: 'PUT', target: '/b?versioning', body })).status, 200);
    assert.deepEqual(seen, { Status: 'Enabled' });
  });

  test('a body that is not what was signed never reaches the operation as a whole', async () => {
    let whole = false;
    const { pipeline } = pipelineOf({
      s3: {
        PutObject: {
          act: async ({ input }) => {
            for await (const _ of (input as { Body: AsyncIterable<Buffer> }).Body);
            whole = true;
            return {};
          },
        },
      },
    });
    const headers = { 'x-amz-content-sha256': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' };
    const answer = await send(pipeline, { method: 'PUT', target: '/b/k', body: 'forged', headers });
    assert.equal(answer.status, 400);
    assert.match(String(answer.body), /<Code>XAmzContentSHA256Mismatch<\/Code>/);
    assert.equal(whole, false);
  });
});

describe('refusals', () => {
  test('an operation that nobody built: 501 with its name, on KMS UnsupportedOperationException', async () => {
    const { pipeline } = pipelineOf({});
    const s3 = await send(pipeline, { target: '/b?replication' });
    assert.equal(s3.status, 501);
    assert.match(String(s3.body), /<Code>NotImplemented<\/Code><Message>[^<]*GetBucketReplication/);
    const kms = await send(pipeline, {
      method: 'POST', service: 'kms', body: '{}',
      headers: { 'x-amz-target': 'TrentService.ListGrants', 'content-type': 'application/x-amz-json-1.1' },
    });
    assert.equal(kms.status, 400);
    assert.match(String(kms.body), /"__type":"UnsupportedOperationException".*ListGrants/);
    assert.match(kms.headers['x-amzn-requestid'] ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-4/);
  });

  test('of the gate: AccessDenied with who, what and why', async () => {
    const { pipeline } = pipelineOf({ s3: { GetObject: { demands: demandFrom('999999999999'), act: async () => ({}) } } });
    const { status, body } = await send(pipeline, { target: '/b/k' });
    assert.equal(status, 403);
    assert.match(String(body), /<Code>AccessDenied<\/Code><Message>User: arn:aws:iam::111122223333:root is not authorized to perform: s3:GetObject/);
  });

  test('an unforeseen error shows nothing but InternalError; the record has its cause', async () => {
    const trouble = new Error('secret detail');
    const { pipeline, records } = pipelineOf({ s3: { ListBuckets: { act: () => Promise.reject(trouble) } } });
    const answer = await send(pipeline, {});
    assert.equal(answer.status, 500);
    assert.match(String(answer.body), /<Code>InternalError<\/Code>/);
    assert.doesNotMatch(String(answer.body), /secret detail/);
    answer.ended?.({ bodyBytes: 0, bytesReceived: 0 });
    assert.equal(records[0]?.cause, trouble);
  });

  test('a full disk: 503 that says so', async () => {
    const { pipeline } = pipelineOf({ s3: { ListBuckets: { act: () => Promise.reject(new BlobError('full', 'ENOSPC')) } } });
    const { status, body } = await send(pipeline, {});
    assert.equal(status, 503);
    assert.match(String(body), /<Code>ServiceUnavailable<\/Code><Message>The server has no room left/);
  });

  test('to HEAD have no body', async () => {
    const { pipeline } = pipelineOf({});
    const { status, body } = await send(pipeline, { method: 'HEAD', target: '/b/k' });
    assert.deepEqual([status, body], [501, undefined]);
  });

  test('a structured body beyond its bound is not read to its end', async () => {
    const { pipeline } = pipelineOf({ kms: { Encrypt: { act: async () => ({}) } } });
    const answer = await send(pipeline, {
      method: 'POST', service: 'kms', body: `{"KeyId":"${'x'.repeat(1_100_000)}"}`,
      headers: { 'x-amz-target': 'TrentService.Encrypt', 'content-type': 'application/x-amz-json-1.1' },
    });
    assert.equal(answer.status, 413);
  });
});

describe('streamed output', () => {
  const streaming = (pieces: () => AsyncGenerator<Buffer>, length: number): Record<string, TestOperation> => ({
    GetObject: { demands: allow, act: async () => ({ ContentLength: length, Body: pieces() }) },
  });

  test('of one piece is answered whole', async () => {
    const { pipeline } = pipelineOf({
      s3: streaming(async function* () {
        yield Buffer.from('hello');
      }, 5),
    });
    assert.deepEqual((await send(pipeline, { target: '/b/k' })).body, Buffer.from('hello'));
  });

  test('that fails at its first piece becomes an error answer', async () => {
    const { pipeline } = pipelineOf({
      s3: streaming(async function* () {
        throw new Error('forged');
      }, 5),
    });
    assert.equal((await send(pipeline, { target: '/b/k' })).status, 500);
  });

  test('of many pieces is the same bytes, and is closed when nobody wants the rest', async () => {
    let closed = 0;
    const { pipeline } = pipelineOf({
      s3: streaming(async function* () {
        try {
          for (const piece of ['ab', 'cd', 'ef']) yield Buffer.from(piece);
        } finally {
          closed += 1;
        }
      }, 6),
    });
    const pieces: Buffer[] = [];
    for await (const piece of (await send(pipeline, { target: '/b/k' })).body as AsyncIterable<Buffer>) pieces.push(piece);
    assert.equal(Buffer.concat(pieces).toString(), 'abcdef');
    for await (const _ of (await send(pipeline, { target: '/b/k' })).body as AsyncIterable<Buffer>) break;
    assert.equal(closed, 2);
  });
});

describe('the way of a KMS request', () => {
  test('the input is there for the demands, the request id is a UUID', async () => {
    const { pipeline, records } = pipelineOf({
      kms: {
        DescribeKey: {
          demands: (input) => [{ action: 'kms:DescribeKey', resource: (input as { KeyId: string }).KeyId, resourceAccount: account }],
          act: async ({ demands }) => ({ KeyMetadata: { KeyId: demands[0]?.resource } }),
        },
      },
    });
    const answer = await send(pipeline, {
      method: 'POST', service: 'kms', body: '{"KeyId":"the-key"}',
      headers: { 'x-amz-target': 'TrentService.DescribeKey', 'content-type': 'application/x-amz-json-1.1' },
    });
    assert.equal(answer.status, 200);
    assert.deepEqual(JSON.parse(String(answer.body)), { KeyMetadata: { KeyId: 'the-key' } });
    answer.ended?.({ bodyBytes: 0, bytesReceived: 0 });
    assert.equal(records[0]?.requestId, answer.headers['x-amzn-requestid']);
  });

  test('a forged body does not match the signature', async () => {
    const { pipeline } = pipelineOf({ kms: { DescribeKey: { act: async () => ({}) } } });
    const headers = { host: 'localhost:9000', 'x-amz-target': 'TrentService.DescribeKey', 'content-type': 'application/x-amz-json-1.1' };
    const signedHeaders = await sign({ method: 'POST', target: '/', headers, body: '{"KeyId":"a"}', service: 'kms' }, credentials);
    const answer = await send(pipeline, { method: 'POST', headers: signedHeaders, body: '{"KeyId":"b"}', signed: false });
    assert.equal(answer.status, 400);
    assert.match(String(answer.body), /InvalidSignatureException/);
  });
});
