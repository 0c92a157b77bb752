/** The server as its clients meet it: real sockets, requests signed by the official signer, real SDK clients. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CreateBucketCommand, GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3ServiceException } from '@aws-sdk/client-s3';
import { CreateKeyCommand, DescribeKeyCommand, KMSServiceException } from '@aws-sdk/client-kms';
import { RawConnection } from '../kit/raw-connection.ts';
import { startServer, type TestServer } from '../kit/server.ts';
import { sign } from '../kit/sign.ts';

const bucket = 'acceptance';

describe('a running server', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ limits: { stallMs: 400, headersWaitMs: 2_000 } });
    await server.s3().send(new CreateBucketCommand({ Bucket: bucket }));
  });
  after(() => server.stop());

  /** A PUT head signed for `body`, to be sent by hand. */
  async function putHead(key: string, body: string, headers: Record<string, string> = {}): Promise<string> {
    const target = `/${bucket}/${key}`;
    const bare = { host: `127.0.0.1:${server.httpPort}`, 'content-length': String(Buffer.byteLength(body)), ...headers };
    const signed = await sign({ method: 'PUT', target, headers: bare, body }, server.credentials);
    return `PUT ${target} HTTP/1.1\r\n${Object.entries(signed).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  }

  for (const scheme of ['http', 'https'] as const) {
    describe(`over ${scheme}`, () => {
      test('S3 and KMS answer their SDK clients on one endpoint', async () => {
        const [s3, kms] = [server.s3({ scheme }), server.kms({ scheme })];
        await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `hello-${scheme}`, Body: 'hello', ServerSideEncryption: 'aws:kms' }));
        const got = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: `hello-${scheme}` }));
        assert.equal(await got.Body?.transformToString(), 'hello');
        assert.equal(got.ServerSideEncryption, 'aws:kms');
        const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
        const described = await kms.send(new DescribeKeyCommand({ KeyId: KeyMetadata?.KeyId }));
        assert.equal(described.KeyMetadata?.Arn, KeyMetadata?.Arn);
      });

      test('buckets in host names', async () => {
        const key = `virtual-${scheme}`;
        const port = scheme === 'https' ? server.httpsPort : server.httpPort;
        const put = await server.rawRequest('PUT', `/${key}`, { host: `${bucket}.localhost:${port}` }, 'by host', { scheme });
        assert.equal(put.status, 200);
        const got = await server.rawRequest('GET', `/${bucket}/${key}`, {}, undefined, { scheme });
        assert.equal(got.body.toString(), 'by host');
      });

      test('errors have code, message, request id and host id, and name the resource', async () => {
        const { status, headers, body } = await server.rawRequest('GET', `/${bucket}/no%20such`, {}, undefined, { scheme });
        assert.equal(status, 404);
        assert.equal(headers['content-type'], 'application/xml');
        const requestId = headers['x-amz-request-id'] as string;
        assert.match(requestId, /^[0-9A-F]{16}$/);
        assert.match(
          body.toString(),
          new RegExp(`^<\\?xml version="1.0" encoding="UTF-8"\\?>\\s*<Error><Code>NoSuchKey</Code><Message>[^<]+</Message>.*<RequestId>${requestId}</RequestId><HostId>[^<]+</HostId></Error>$`, 's'),
        );
        assert.equal(server.requests.at(-1)?.requestId, requestId);
      });

      test('SDK clients see the error and its request id', async () => {
        await assert.rejects(server.s3({ scheme }).send(new GetObjectCommand({ Bucket: 'no-such-bucket', Key: 'k' })), (error) => {
          assert.ok(error instanceof S3ServiceException);
          assert.equal(error.name, 'NoSuchBucket');
          assert.match(error.$metadata.requestId ?? '', /^[0-9A-F]{16}$/);
          assert.ok(error.$metadata.extendedRequestId);
          return true;
        });
        await assert.rejects(server.kms({ scheme }).send(new DescribeKeyCommand({ KeyId: 'alias/none' })), (error) => {
          assert.ok(error instanceof KMSServiceException);
          assert.equal(error.name, 'NotFoundException');
          assert.match(error.$metadata.requestId ?? '', /^[0-9a-f-]{36}$/);
          return true;
        });
      });
    });
  }

  test('HEAD errors come without a body, and the connection goes on', async () => {
    await assert.rejects(server.s3({ scheme: 'http' }).send(new HeadObjectCommand({ Bucket: bucket, Key: 'none' })), { name: 'NotFound' });
    const { status, body } = await server.rawRequest('HEAD', `/${bucket}/none`);
    assert.deepEqual([status, body.length], [404, 0]);
  });

  test('operations that are not built are named', async () => {
    const { status, body } = await server.rawRequest('GET', `/${bucket}/key?torrent`);
    assert.equal(status, 501);
    assert.match(body.toString(), /<Code>NotImplemented<\/Code><Message>[^<]*GetObjectTorrent/);
  });

  test('health tells that it is ready, without a signature and nothing else', async () => {
    const { status, headers, body } = await server.rawRequest('GET', '/_/health', {}, undefined, { sign: false });
    assert.deepEqual([status, headers['content-type'], body.toString()], [200, 'application/json', '{"status":"ok"}\n']);
    assert.equal((await server.rawRequest('GET', '/_/nothing', {}, undefined, { sign: false })).status, 404);
    assert.equal((await server.rawRequest('POST', '/_/health', {}, 'x', { sign: false })).status, 405);
  });

  test('metrics are for this machine, and not for whom a proxy forwards', async () => {
    assert.equal((await server.rawRequest('GET', '/_/metrics', {}, undefined, { sign: false })).status, 200);
    assert.equal((await server.rawRequest('GET', '/_/metrics', { 'x-forwarded-for': '203.0.113.5' }, undefined, { sign: false })).status, 403);
  });

  test('on a host name of a bucket, the same path is an object', async () => {
    const { status, body } = await server.rawRequest('GET', '/_/health', { host: `${bucket}.localhost` });
    assert.equal(status, 404);
    assert.match(body.toString(), /<Code>NoSuchKey<\/Code><Message>.*<Key>_\/health<\/Key>/);
  });

  describe('Expect: 100-continue', () => {
    const expect = { expect: '100-continue' };

    test('is answered for a request that may go on', async () => {
      const connection = await RawConnection.open(server.httpPort);
      await connection.send(await putHead('expected', 'hello', expect));
      assert.equal((await connection.response()).status, 100);
      await connection.send('hello');
      assert.equal((await connection.response()).status, 200);
      connection.destroy();
    });

    for (const [why, status, change] of [
      ['a wrong signature', 403, (head: string) => head.replace(/Signature=..../, 'Signature=0000')],
      ['an unknown bucket', 404, undefined],
      ['a failed precondition', 412, undefined],
    ] as const) {
      test(`is not answered after ${why}`, async () => {
        await server.rawRequest('PUT', `/${bucket}/there`, {}, 'there');
        let head = await putHead('there', 'hello', status === 412 ? { ...expect, 'if-none-match': '*' } : expect);
        if (change) head = change(head);
        if (status === 404) {
          const target = '/no-such-bucket/key';
          const bare = { host: `127.0.0.1:${server.httpPort}`, 'content-length': '5', ...expect };
          const signed = await sign({ method: 'PUT', target, headers: bare, body: 'hello' }, server.credentials);
          head = `PUT ${target} HTTP/1.1\r\n${Object.entries(signed).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
        }
        const connection = await RawConnection.open(server.httpPort);
        await connection.send(head);
        const response = await connection.response();
        assert.deepEqual([response.status, response.headers['connection']], [status, 'close']);
        await connection.closed();
      });
    }
  });

  test('a connection goes on after an early refusal with a short body', async () => {
    const connection = await RawConnection.open(server.httpPort);
    await connection.send((await putHead('refused', 'hello')).replace(/Signature=..../, 'Signature=0000'));
    await connection.send('hello');
    const refusal = await connection.response();
    assert.deepEqual([refusal.status, refusal.headers['connection']], [403, 'keep-alive']);
    await connection.send(await putHead('accepted', 'hello'));
    await connection.send('hello');
    assert.equal((await connection.response()).status, 200);
    connection.destroy();
  });

  test('a body that is cut stores nothing', async () => {
    const connection = await RawConnection.open(server.httpPort);
    await connection.send(await putHead('cut', 'hello world'));
    await connection.send('hello');
    connection.socket.end();
    const { status, body } = await connection.response();
    assert.equal(status, 400);
    assert.match(body.toString(), /<Code>IncompleteBody<\/Code>/);
    assert.equal((await server.rawRequest('HEAD', `/${bucket}/cut`)).status, 404);
  });

  test('a body that stalls is given up, and stores nothing', async () => {
    const connection = await RawConnection.open(server.httpPort);
    await connection.send(await putHead('stalled', 'hello world'));
    await connection.send('hello');
    const { status, body } = await connection.response();
    assert.equal(status, 400);
    assert.match(body.toString(), /<Code>RequestTimeout<\/Code>/);
    assert.equal((await server.rawRequest('HEAD', `/${bucket}/stalled`)).status, 404);
  });

  test('headers beyond the limit are refused in S3 words', async () => {
    const { status, body } = await server.rawRequest('GET', '/', { 'x-long': 'x'.repeat(20_000) });
    assert.equal(status, 400);
    assert.match(body.toString(), /<Code>RequestHeaderSectionTooLarge<\/Code>/);
  });

  test('what a record tells: operation, bucket, encryption, and never a secret or a signature', async () => {
    await server.rawRequest('PUT', `/${bucket}/recorded`, { 'x-amz-server-side-encryption': 'AES256' }, 'hello');
    const record = server.requests.at(-1);
    assert.deepEqual(
      [record?.operation, record?.notes.bucket, record?.notes.encryption, record?.status, record?.bytesIn],
      ['PutObject', bucket, 'SSE-S3', 200, 5],
    );
    const text = JSON.stringify(server.requests);
    assert.ok(!text.includes(server.credentials.secretAccessKey));
    assert.ok(!/Signature=/.test(text));
  });
});
