/**
 * Objects as clients write, read and delete them: the cases of contract s3-surface.md section 12 on names, requests,
 * ranges, conditions, metadata and deletes. Versions, parts and presigned requests have files of their own.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as sdk from '@aws-sdk/client-s3';
import { md5, openLab, type Lab, type LabAnswer } from '../kit/encryption-lab.ts';
import { RawConnection } from '../kit/raw-connection.ts';
import { sign } from '../kit/sign.ts';

const names = ['a b', 'ü+%', 'a//b', './x', '..', '../..', '/', '//lead', 'trail/', '👍', '\ufffd', 'k'.repeat(1_024), 'é', 'e\u0301', '%2F', '+', '?a=b&c#d', '"<&>\'', '~!*()@:$,;='];

/** One path segment after another, every byte that may be encoded encoded; slashes stand. */
function encodeKey(key: string): string {
  return key.split('/').map((part) => encodeURIComponent(part).replaceAll('.', '%2E')).join('/');
}

describe('objects', () => {
  let lab: Lab;
  let s3: sdk.S3Client;
  before(async () => {
    lab = await openLab();
    s3 = lab.server.s3();
  });
  after(() => lab.stop());

  const refusal = ({ status, code }: LabAnswer) => [status, code];
  const element = ({ text }: LabAnswer, name: string): string | undefined => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
  const put = (target: string, body: string | Buffer = 'x', headers: Record<string, string> = {}): Promise<LabAnswer> => lab.send('PUT', target, headers, body);
  async function bodyOf(Bucket: string, Key: string): Promise<string | undefined> {
    return (await s3.send(new sdk.GetObjectCommand({ Bucket, Key }))).Body?.transformToString();
  }

  /** A PUT whose header values are UTF-8 on the wire: signed as text, sent as bytes. */
  async function putText(target: string, texts: Record<string, string>, body = Buffer.from('x')): Promise<void> {
    const { credentials, httpPort } = lab.server;
    const signed = await sign({ method: 'PUT', target, headers: { host: `127.0.0.1:${httpPort}`, 'content-length': String(body.length), ...texts }, body }, credentials);
    const connection = await RawConnection.open(httpPort);
    await connection.send(Buffer.concat([Buffer.from(`PUT ${target} HTTP/1.1\r\n${Object.entries(signed).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`), body]));
    const answer = await connection.response();
    assert.equal(answer.status, 200, answer.body.toString());
    connection.destroy();
  }

  describe('S01 S02: names', () => {
    for (const style of ['path', 'virtual host'] as const) {
      test(`survive byte by byte, ${style} style`, async () => {
        const Bucket = await lab.newBucket();
        const client = style === 'path' ? s3 : lab.server.s3({ endpoint: `https://localhost:${lab.server.httpsPort}`, forcePathStyle: false, requestHandler: await localhostHandler() });
        for (const [index, Key] of names.entries()) await client.send(new sdk.PutObjectCommand({ Bucket, Key, Body: `${index}` }));
        for (const [index, Key] of names.entries()) {
          const got = await client.send(new sdk.GetObjectCommand({ Bucket, Key }));
          assert.equal(await got.Body?.transformToString(), `${index}`, Key);
        }
        const inByteOrder = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        const listed = await client.send(new sdk.ListObjectsV2Command({ Bucket }));
        assert.deepEqual(listed.Contents?.map(({ Key }) => Key), inByteOrder);
        const encoded = await client.send(new sdk.ListObjectsV2Command({ Bucket, EncodingType: 'url' }));
        assert.deepEqual(encoded.Contents?.map(({ Key }) => decodeURIComponent(String(Key).replaceAll('+', ' '))), inByteOrder);
        const target = await lab.newBucket();
        for (const [index, Key] of names.entries()) {
          await client.send(new sdk.CopyObjectCommand({ Bucket: target, Key, CopySource: `${Bucket}/${encodeURIComponent(Key)}` }));
          assert.equal(await bodyOf(target, Key), `${index}`, Key);
          await client.send(new sdk.DeleteObjectCommand({ Bucket, Key }));
        }
        assert.equal((await client.send(new sdk.ListObjectsV2Command({ Bucket }))).KeyCount, 0);
        const { Deleted } = await client.send(new sdk.DeleteObjectsCommand({ Bucket: target, Delete: { Objects: names.map((Key) => ({ Key })) } }));
        assert.deepEqual(Deleted?.map(({ Key }) => Key), names);
        assert.equal((await client.send(new sdk.ListObjectsV2Command({ Bucket: target }))).KeyCount, 0);
      });
    }

    /** Trusts the certificate for localhost whatever bucket stands before it, and finds them all on this machine. */
    async function localhostHandler() {
      const { Agent } = await import('node:https');
      return { httpsAgent: new Agent({
        ca: lab.server.ca, servername: 'localhost',
        lookup: (_name, options, found) => (options.all ? found(null, [{ address: '127.0.0.1', family: 4 }]) : found(null, '127.0.0.1', 4)),
      }) };
    }

    /** Signed in the canonical form of the path, and sent in another. */
    async function putAs(sent: string, signed: string, body: string): Promise<void> {
      const { credentials, httpsPort } = lab.server;
      const headers = await sign({ method: 'PUT', target: signed, headers: { host: `127.0.0.1:${httpsPort}` }, body }, credentials);
      assert.equal((await lab.send('PUT', sent, headers, body, { sign: false })).status, 200);
    }

    test('an encoded slash is a slash, a plus is a plus, and no path is normalised', async () => {
      const bucket = await lab.newBucket();
      await putAs(`/${bucket}/a%2Fb`, `/${bucket}/a/b`, 'slash');
      await putAs(`/${bucket}/a+b`, `/${bucket}/a%2Bb`, 'plus');
      await put(`/${bucket}/a%20b`, 'space');
      await put(`/${bucket}/x/../y`, 'dots');
      assert.equal(await bodyOf(bucket, 'a/b'), 'slash');
      assert.equal(await bodyOf(bucket, 'a+b'), 'plus');
      assert.equal(await bodyOf(bucket, 'a b'), 'space');
      assert.equal(await bodyOf(bucket, 'x/../y'), 'dots');
      assert.equal((await lab.send('GET', `/${bucket}/y`)).status, 404);
    });

    test('that cannot be', async () => {
      const bucket = await lab.newBucket();
      for (const method of ['PUT', 'GET', 'DELETE']) {
        const long = await lab.send(method, `/${bucket}/${'k'.repeat(1_025)}`, {}, method === 'PUT' ? 'x' : undefined);
        assert.deepEqual([...refusal(long), element(long, 'Size'), element(long, 'MaxSizeAllowed')], [400, 'KeyTooLongError', '1025', '1024'], method);
        for (const key of ['a%00b', '%ff', '%c3', '%ed%a0%80', '%', '%zz']) assert.equal((await lab.send(method, `/${bucket}/${key}`, {}, method === 'PUT' ? 'x' : undefined)).status, 400, `${method} ${key}`);
      }
      const wide = await put(`/${bucket}/${encodeURIComponent('ü'.repeat(513))}`);
      assert.deepEqual(refusal(wide), [400, 'KeyTooLongError']);
      assert.equal((await put(`/${bucket}/${encodeURIComponent('ü'.repeat(512))}`)).status, 200);
    });
  });

  describe('requests', () => {
    test('S04: what stands in the query', async () => {
      const bucket = await lab.newBucket();
      assert.equal((await put(`/${bucket}/a?x-id=PutObject`)).status, 200);
      assert.equal((await put(`/${bucket}/b?unknown=1`)).status, 200);
      for (const query of ['annotation', 'annotation=&annotationName=x', 'renameObject', 'torrent=']) {
        const refused = await lab.send(query.startsWith('torrent') ? 'GET' : 'PUT', `/${bucket}/c?${query}`, {}, query.startsWith('torrent') ? undefined : 'x');
        assert.deepEqual(refusal(refused), [501, 'NotImplemented'], query);
      }
      assert.equal((await lab.send('HEAD', `/${bucket}/c`)).status, 404);
    });

    test('S05: another region than the operator\'s', async () => {
      const refused = await lab.send('GET', '/', {}, undefined, { region: 'eu-west-1' });
      assert.deepEqual([...refusal(refused), element(refused, 'Region')], [400, 'AuthorizationHeaderMalformed', 'us-east-1']);
    });

    test('S06: a clock twenty minutes off, either way', async () => {
      const { credentials, httpsPort, clock } = lab.server;
      for (const [minutes, expected] of [[-20, 403], [20, 403], [-14, 200], [14, 200]] as const) {
        const headers = await sign({ method: 'GET', target: '/', headers: { host: `127.0.0.1:${httpsPort}` }, signingDate: new Date(clock.nowMs() + minutes * 60_000) }, credentials);
        const answer = await lab.send('GET', '/', headers, undefined, { sign: false });
        assert.deepEqual(refusal(answer), expected === 403 ? [403, 'RequestTimeTooSkewed'] : [200, ''], String(minutes));
      }
    });

    test('S13: no length at all, and a body cut short', async () => {
      const bucket = await lab.newBucket();
      const { credentials, httpPort } = lab.server;
      const head = async (key: string, headers: Record<string, string>): Promise<string> => {
        const signed = await sign({ method: 'PUT', target: `/${bucket}/${key}`, headers: { host: `127.0.0.1:${httpPort}`, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', ...headers } }, credentials);
        return `PUT /${bucket}/${key} HTTP/1.1\r\n${Object.entries(signed).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
      };
      const connection = await RawConnection.open(httpPort);
      await connection.send(await head('none', {}));
      const refused = await connection.response();
      assert.deepEqual([refused.status, /<Code>MissingContentLength</.test(refused.body.toString())], [411, true]);
      connection.destroy();
      for (const size of [10, 100_000]) {
        const cut = await RawConnection.open(httpPort);
        await cut.send(await head('cut', { 'content-length': String(size) }) + 'x'.repeat(size - 5));
        cut.socket.end();
        const incomplete = await cut.response();
        assert.deepEqual([incomplete.status, /<Code>(IncompleteBody|RequestTimeout)</.test(incomplete.body.toString())], [400, true]);
        cut.destroy();
      }
      for (const key of ['none', 'cut']) assert.equal((await lab.send('HEAD', `/${bucket}/${key}`)).status, 404);
    });

    test('more than 5 GiB is refused before its first byte', async () => {
      const bucket = await lab.newBucket();
      const size = 5 * 1024 ** 3 + 1;
      const { credentials, httpPort } = lab.server;
      const signed = await sign({ method: 'PUT', target: `/${bucket}/k`, headers: { host: `127.0.0.1:${httpPort}`, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'content-length': String(size), expect: '100-continue' } }, credentials);
      const connection = await RawConnection.open(httpPort);
      await connection.send(`PUT /${bucket}/k HTTP/1.1\r\n${Object.entries(signed).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
      const refused = await connection.response();
      assert.equal(refused.status, 400);
      assert.match(refused.body.toString(), new RegExp(`<Code>EntityTooLarge</Code>.*<ProposedSize>${size}</ProposedSize><MaxSizeAllowed>${size - 1}</MaxSizeAllowed>`));
      connection.destroy();
    });

    test('S25: HEAD of what is absent or forbidden', async () => {
      const bucket = await lab.newBucket();
      await put(`/${bucket}/k`);
      for (const [target, options, status] of [[`/${bucket}/none`, {}, 404], ['/no-such-bucket/k', {}, 404], [`/${bucket}/k`, { sign: false }, 403], [`/${bucket}/none`, { sign: false }, 403]] as const) {
        const answer = await lab.send('HEAD', target, {}, undefined, options);
        assert.deepEqual([answer.status, answer.body.length], [status, 0], target);
      }
      assert.deepEqual(refusal(await lab.send('GET', `/${bucket}/k`, {}, undefined, { sign: false })), [403, 'AccessDenied']);
      assert.deepEqual(refusal(await lab.send('PUT', `/${bucket}/k`, {}, 'x', { sign: false })), [403, 'AccessDenied']);
    });

    test('x-amz-expected-bucket-owner', async () => {
      const bucket = await lab.newBucket();
      assert.deepEqual(refusal(await put(`/${bucket}/k`, 'x', { 'x-amz-expected-bucket-owner': 'me' })), [400, 'InvalidBucketOwnerAWSAccountID']);
      assert.deepEqual(refusal(await put(`/${bucket}/k`, 'x', { 'x-amz-expected-bucket-owner': '999999999999' })), [403, 'AccessDenied']);
      assert.equal((await put(`/${bucket}/k`, 'x', { 'x-amz-expected-bucket-owner': '111122223333' })).status, 200);
    });
  });

  describe('reading', () => {
    test('S19: ranges', async () => {
      const bucket = await lab.newBucket();
      const body = '0123456789';
      await put(`/${bucket}/k`, body);
      await put(`/${bucket}/empty`, '');
      const right: [range: string, text: string, contentRange: string][] = [
        ['bytes=0-4', '01234', '0-4'], ['bytes=-3', '789', '7-9'], ['bytes=5-', '56789', '5-9'], ['bytes=0-999', body, '0-9'], ['bytes=9-9', '9', '9-9'], ['bytes=-999', body, '0-9'],
      ];
      for (const [range, text, contentRange] of right) {
        for (const method of ['GET', 'HEAD']) {
          const { status, headers, text: got } = await lab.send(method, `/${bucket}/k`, { range });
          assert.deepEqual(
            [status, headers['content-range'], headers['content-length'], headers['accept-ranges'], headers['transfer-encoding'], got],
            [206, `bytes ${contentRange}/10`, String(text.length), 'bytes', undefined, method === 'GET' ? text : ''], range,
          );
        }
      }
      for (const range of ['bytes=999-', 'bytes=10-', 'bytes=10-20', 'bytes=-0']) {
        const refused = await lab.send('GET', `/${bucket}/k`, { range });
        assert.deepEqual([...refusal(refused), element(refused, 'ActualObjectSize'), element(refused, 'RangeRequested')], [416, 'InvalidRange', '10', range]);
        assert.equal((await lab.send('HEAD', `/${bucket}/k`, { range })).status, 416);
      }
      for (const range of ['bytes=3-1', 'bytes=0-1,3-4', 'items=0-1', 'bytes=', 'bytes=a-b', 'bytes=-', 'junk', '0-4']) {
        const { status, text, headers } = await lab.send('GET', `/${bucket}/k`, { range });
        assert.deepEqual([status, text, headers['content-range']], [200, body, undefined], range);
      }
      for (const range of ['bytes=0-0', 'bytes=-1']) assert.equal((await lab.send('GET', `/${bucket}/empty`, { range })).status, 416);
      assert.deepEqual([(await lab.send('GET', `/${bucket}/empty`)).status, (await lab.send('GET', `/${bucket}/empty?partNumber=1`)).body.length], [200, 0]);
    });

    test('S22: conditions', async () => {
      const bucket = await lab.newBucket();
      const etag = md5('x');
      await put(`/${bucket}/k`);
      const modified = new Date(String((await lab.send('HEAD', `/${bucket}/k`)).headers['last-modified']));
      const at = (seconds: number): string => new Date(modified.getTime() + seconds * 1_000).toUTCString();
      const cases: [headers: Record<string, string>, status: number, condition?: string][] = [
        [{ 'if-match': `"${etag}"` }, 200], [{ 'if-match': etag }, 200], [{ 'if-match': '*' }, 200], [{ 'if-match': `"a", "${etag}"` }, 200], [{ 'if-match': '"other"' }, 412, 'If-Match'],
        [{ 'if-none-match': `"${etag}"` }, 304], [{ 'if-none-match': etag }, 304], [{ 'if-none-match': '*' }, 304], [{ 'if-none-match': '"other"' }, 200],
        [{ 'if-modified-since': at(0) }, 304], [{ 'if-modified-since': at(-1) }, 200], [{ 'if-modified-since': at(86_400) }, 200], [{ 'if-modified-since': 'no date' }, 200],
        [{ 'if-unmodified-since': at(0) }, 200], [{ 'if-unmodified-since': at(-1) }, 412, 'If-Unmodified-Since'], [{ 'if-unmodified-since': at(86_400) }, 200],
        [{ 'if-match': etag, 'if-unmodified-since': at(-1) }, 200], [{ 'if-match': '"other"', 'if-unmodified-since': at(0) }, 412, 'If-Match'],
        [{ 'if-none-match': etag, 'if-modified-since': at(-1) }, 304], [{ 'if-none-match': '"other"', 'if-modified-since': at(0) }, 200],
        [{ 'if-match': etag, 'if-none-match': etag }, 304],
      ];
      for (const [headers, status, condition] of cases) {
        for (const method of ['GET', 'HEAD']) {
          const answer = await lab.send(method, `/${bucket}/k`, headers);
          assert.equal(answer.status, status, `${method} ${JSON.stringify(headers)}`);
          if (status === 304) assert.deepEqual([answer.headers['etag'], answer.body.length], [`"${etag}"`, 0]);
          if (condition !== undefined && method === 'GET') assert.deepEqual([answer.code, element(answer, 'Condition')], ['PreconditionFailed', condition]);
        }
      }
    });

    test('S23: headers of the answer by request', async () => {
      const bucket = await lab.newBucket();
      await put(`/${bucket}/k`, 'x', { 'content-type': 'text/plain' });
      const overrides = {
        'content-type': 'image/png', 'content-language': 'de', 'content-disposition': 'attachment; filename="ü.png"', 'cache-control': 'no-store', 'content-encoding': 'br', expires: 'Thu, 01 Dec 1994 16:00:00 GMT',
      };
      const query = (values: Record<string, string>): string => Object.entries(values).map(([name, value]) => `response-${name}=${encodeURIComponent(value)}`).join('&');
      for (const method of ['GET', 'HEAD']) {
        const { status, headers } = await lab.send(method, `/${bucket}/k?${query(overrides)}`);
        assert.deepEqual([status, ...Object.keys(overrides).map((name) => headers[name])], [200, ...Object.values(overrides)]);
      }
      for (const name of Object.keys(overrides)) {
        for (const value of ['☃', 'a\r\nx-evil: 1']) {
          const refused = await lab.send('GET', `/${bucket}/k?${query({ [name]: value })}`);
          assert.deepEqual(refusal(refused), [400, 'InvalidArgument'], name);
        }
      }
      assert.equal((await lab.send('GET', `/${bucket}/k`)).headers['content-type'], 'text/plain');
    });

    test('headers that were stored as UTF-8', async () => {
      const bucket = await lab.newBucket();
      const text = 'attachment; filename="ü👍.png"';
      const stored = Buffer.from(text).toString('latin1');
      for (const body of [Buffer.from('x'), Buffer.alloc(100_000)]) {
        await putText(`/${bucket}/k`, { 'content-disposition': text, 'cache-control': text }, body);
        for (const method of ['GET', 'HEAD']) {
          const { status, headers } = await lab.send(method, `/${bucket}/k`);
          assert.deepEqual([status, headers['content-disposition'], headers['cache-control']], [200, stored, stored], method);
        }
      }
    });

    test('GetObjectAttributes', async () => {
      const bucket = await lab.newBucket();
      await put(`/${bucket}/k`, 'test-sse');
      const ask = (names: string): Promise<LabAnswer> => lab.send('GET', `/${bucket}/k?attributes`, { 'x-amz-object-attributes': names });
      const all = await ask('ETag,Checksum,ObjectParts,StorageClass,ObjectSize');
      assert.deepEqual(['ETag', 'ObjectSize', 'StorageClass', 'ChecksumCRC64NVME', 'ChecksumType'].map((name) => element(all, name)), [md5('test-sse'), '8', 'STANDARD', 'Kr7StX/uFlQ=', 'FULL_OBJECT']);
      assert.equal(all.headers['x-amz-server-side-encryption'], undefined);
      const size = await ask('ObjectSize');
      assert.deepEqual([element(size, 'ObjectSize'), element(size, 'ETag')], ['8', undefined]);
      assert.equal((await ask('Nonsense')).status, 400);
      assert.equal((await lab.send('GET', `/${bucket}/k?attributes`)).status, 400);
    });
  });

  describe('metadata', () => {
    test('S26: user metadata', async () => {
      const bucket = await lab.newBucket();
      await s3.send(new sdk.PutObjectCommand({ Bucket: bucket, Key: 'k', Body: 'x', Metadata: { Mixed: 'Case', plain: 'a, b', empty: '' } }));
      const { Metadata } = await s3.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key: 'k' }));
      assert.deepEqual(Metadata, { mixed: 'Case', plain: 'a, b', empty: '' });
      await putText(`/${bucket}/u`, { 'x-amz-meta-u': 'ü' });
      assert.equal((await lab.send('HEAD', `/${bucket}/u`)).headers['x-amz-meta-u'], '=?UTF-8?B?w7w=?=');
      assert.equal((await put(`/${bucket}/m`, 'x', { 'x-amz-meta-a': 'v'.repeat(2_047) })).status, 200);
      const large = await put(`/${bucket}/m`, 'y', { 'x-amz-meta-a': 'v'.repeat(2_048) });
      assert.deepEqual(refusal(large), [400, 'MetadataTooLarge']);
      assert.equal((await lab.send('GET', `/${bucket}/m`)).text, 'x');
    });

    test('S26: one name twice, in another case', async () => {
      const bucket = await lab.newBucket();
      const { credentials, httpPort } = lab.server;
      const signed = await sign({ method: 'PUT', target: `/${bucket}/k`, headers: { host: `127.0.0.1:${httpPort}`, 'x-amz-meta-a': '1,2', 'content-length': '1' }, body: 'x' }, credentials);
      const { 'x-amz-meta-a': _twice, ...rest } = signed;
      const connection = await RawConnection.open(httpPort);
      await connection.send(`PUT /${bucket}/k HTTP/1.1\r\n${Object.entries(rest).map(([name, value]) => `${name}: ${value}\r\n`).join('')}X-Amz-Meta-A: 1\r\nx-amz-meta-a: 2\r\n\r\nx`);
      const { status, body } = await connection.response();
      assert.equal(status, 200, body.toString());
      connection.destroy();
      assert.match(String((await lab.send('HEAD', `/${bucket}/k`)).headers['x-amz-meta-a']), /^1, ?2$/);
    });

    test('S27: system metadata come back as they were given', async () => {
      const bucket = await lab.newBucket();
      await put(`/${bucket}/bare`);
      assert.equal((await lab.send('GET', `/${bucket}/bare`)).headers['content-type'], 'binary/octet-stream');
      const given = {
        'cache-control': 'max-age=1', 'content-disposition': 'inline', 'content-encoding': 'gzip', 'content-language': 'de, en', 'content-type': 'text/x; a=b', expires: 'some day',
        'x-amz-website-redirect-location': '/elsewhere', 'x-amz-storage-class': 'STANDARD_IA',
      };
      await put(`/${bucket}/k`, 'x', given);
      for (const method of ['GET', 'HEAD']) {
        const { headers } = await lab.send(method, `/${bucket}/k`);
        assert.deepEqual(Object.keys(given).map((name) => headers[name]), Object.values(given));
      }
      await put(`/${bucket}/k`, 'x', { 'x-amz-storage-class': 'STANDARD' });
      assert.equal((await lab.send('HEAD', `/${bucket}/k`)).headers['x-amz-storage-class'], undefined);
      assert.deepEqual(refusal(await put(`/${bucket}/k`, 'x', { 'x-amz-storage-class': 'NONSENSE' })), [400, 'InvalidStorageClass']);
    });

    test('tags with the object', async () => {
      const bucket = await lab.newBucket();
      await put(`/${bucket}/k`, 'x', { 'x-amz-tagging': 'a=1&b=%C3%BC%20x&c' });
      assert.equal((await lab.send('HEAD', `/${bucket}/k`)).headers['x-amz-tagging-count'], '3');
      const { TagSet } = await s3.send(new sdk.GetObjectTaggingCommand({ Bucket: bucket, Key: 'k' }));
      assert.deepEqual(TagSet, [{ Key: 'a', Value: '1' }, { Key: 'b', Value: 'ü x' }, { Key: 'c', Value: '' }]);
      for (const bad of ['a=1&a=2', '=1', 'a=%zz']) assert.deepEqual(refusal(await put(`/${bucket}/new`, 'x', { 'x-amz-tagging': bad })), [400, 'InvalidArgument'], bad);
      assert.equal((await lab.send('HEAD', `/${bucket}/new`)).status, 404);
    });

    test('what is not built is refused and stores nothing', async () => {
      const bucket = await lab.newBucket();
      for (const headers of [{ 'x-amz-object-lock-mode': 'GOVERNANCE' }, { 'x-amz-object-lock-legal-hold': 'ON' }, { 'x-amz-write-offset-bytes': '0' }, { 'x-amz-storage-class': 'DEEP_ARCHIVE' }] as Record<string, string>[]) {
        assert.deepEqual(refusal(await put(`/${bucket}/k`, 'x', headers)), [501, 'NotImplemented'], JSON.stringify(headers));
      }
      assert.deepEqual(refusal(await put(`/${bucket}/k`, 'x', { 'x-amz-acl': 'public-read' })), [400, 'AccessControlListNotSupported']);
      assert.equal((await lab.send('HEAD', `/${bucket}/k`)).status, 404);
      assert.equal((await put(`/${bucket}/k`, 'x', { 'x-amz-acl': 'bucket-owner-full-control' })).status, 200);
    });
  });

  describe('deletes', () => {
    test('S52: of what never was', async () => {
      const bucket = await lab.newBucket();
      const answer = await lab.send('DELETE', `/${bucket}/never`);
      assert.deepEqual([answer.status, answer.body.length, answer.headers['x-amz-delete-marker'], answer.headers['x-amz-version-id']], [204, 0, undefined, undefined]);
    });

    test('S55: a thousand keys and one more', async () => {
      const bucket = await lab.newBucket();
      const keys = Array.from({ length: 1_000 }, (_, index) => ({ Key: `k${index}` }));
      for (const Key of ['k0', 'k999', 'kept']) await put(`/${bucket}/${Key}`);
      const quiet = await s3.send(new sdk.DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: keys.slice(0, 500), Quiet: true } }));
      assert.deepEqual([quiet.Deleted, quiet.Errors], [undefined, undefined]);
      const loud = await s3.send(new sdk.DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: keys } }));
      assert.deepEqual(loud.Deleted, keys);
      await assert.rejects(s3.send(new sdk.DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: [...keys, { Key: 'kept' }] } })), { name: 'MalformedXML' });
      const { Contents } = await s3.send(new sdk.ListObjectsV2Command({ Bucket: bucket }));
      assert.deepEqual(Contents?.map(({ Key }) => Key), ['kept']);
    });

    test('S56: a key with CR and &', async () => {
      const bucket = await lab.newBucket();
      const Key = 'a\r\n&<b>';
      await s3.send(new sdk.PutObjectCommand({ Bucket: bucket, Key, Body: 'x' }));
      await s3.send(new sdk.DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: [{ Key }] } }));
      assert.equal((await lab.send('HEAD', `/${bucket}/${encodeKey(Key)}`)).status, 404);
    });

    test('with a condition, alone and in a list', async () => {
      const bucket = await lab.newBucket();
      const etag = md5('x');
      for (const key of ['a', 'b', 'c']) await put(`/${bucket}/${key}`);
      const wrong = await lab.send('DELETE', `/${bucket}/a`, { 'if-match': '"other"' });
      assert.deepEqual([...refusal(wrong), element(wrong, 'Condition')], [412, 'PreconditionFailed', 'If-Match']);
      assert.equal((await lab.send('DELETE', `/${bucket}/a`, { 'if-match': `"${etag}"` })).status, 204);
      assert.deepEqual(refusal(await lab.send('DELETE', `/${bucket}/a`, { 'x-amz-if-match-size': '1' })), [501, 'NotImplemented']);
      const { Deleted, Errors } = await s3.send(new sdk.DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: [{ Key: 'b', ETag: 'other' }, { Key: 'c', ETag: etag }] } }));
      assert.deepEqual([Deleted, Errors?.map(({ Key, Code }) => [Key, Code])], [[{ Key: 'c' }], [['b', 'PreconditionFailed']]]);
      assert.equal(await bodyOf(bucket, 'b'), 'x');
    });
  });
});
