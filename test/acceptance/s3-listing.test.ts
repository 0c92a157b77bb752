/**
 * Listings through the real SDK client, and raw where only the bytes tell.
 * Named after the cases of contract s3-surface.md section 12.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as sdk from '@aws-sdk/client-s3';
import { startServer, type TestServer } from '../kit/server.ts';

describe('listings', () => {
  let server: TestServer;
  let s3: sdk.S3Client;
  let count = 0;
  before(async () => {
    server = await startServer();
    s3 = server.s3();
  });
  after(() => server.stop());

  async function newBucket(keys: readonly string[] = []): Promise<string> {
    const Bucket = `list-${(count += 1)}`;
    await s3.send(new sdk.CreateBucketCommand({ Bucket }));
    const waiting = [...keys];
    const put = async (): Promise<void> => {
      for (let Key = waiting.pop(); Key !== undefined; Key = waiting.pop()) await s3.send(new sdk.PutObjectCommand({ Bucket, Key, Body: 'x' }));
    };
    await Promise.all(Array.from({ length: 16 }, put));
    return Bucket;
  }
  const enableVersioning = (Bucket: string) => s3.send(new sdk.PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));

  async function refusal(promise: Promise<unknown>): Promise<[code: string, status: number | undefined, message: string]> {
    try {
      await promise;
    } catch (error) {
      if (!(error instanceof sdk.S3ServiceException)) throw error;
      return [error.name, error.$metadata.httpStatusCode, error.message];
    }
    throw new Error('was not refused');
  }

  test('S01 names come back byte by byte, encoded and raw', async () => {
    const keys = ['a b', 'ü+%', 'a//b', './x', '..', '\u{1F44D}', '\uFFFD', 'k'.repeat(1_024), '&<>"\'', 'x=y'];
    const Bucket = await newBucket(keys);
    const sorted = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const raw = await s3.send(new sdk.ListObjectsV2Command({ Bucket }));
    assert.deepEqual(raw.Contents?.map(({ Key }) => Key), sorted);
    const encoded = await s3.send(new sdk.ListObjectsV2Command({ Bucket, EncodingType: 'url' }));
    assert.deepEqual(encoded.Contents?.map(({ Key = '' }) => decodeURIComponent(Key)), sorted);
    assert.ok(encoded.Contents?.some(({ Key }) => Key === 'a//b') && encoded.Contents.some(({ Key }) => Key === 'x%3Dy'));
  });

  test('S03 byte order', async () => {
    const Bucket = await newBucket(['\u{1F600}', '\uFF5E']);
    for (const { Contents } of [await s3.send(new sdk.ListObjectsCommand({ Bucket })), await s3.send(new sdk.ListObjectsV2Command({ Bucket }))]) {
      assert.deepEqual(Contents?.map(({ Key }) => Key), ['\uFF5E', '\u{1F600}']);
    }
  });

  test('S61 keys in three prefixes by pages of seven', async () => {
    const inPrefixes = Array.from({ length: 300 }, (_, index) => `p${index % 3}/${String(index).padStart(4, '0')}`);
    const Bucket = await newBucket([...inPrefixes, 'a', 'q', 'r']);
    const seen: (string | undefined)[] = [];
    for await (const page of sdk.paginateListObjectsV2({ client: s3, pageSize: 7 }, { Bucket, Delimiter: '/' })) {
      seen.push(...(page.Contents ?? []).map(({ Key }) => Key), ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix));
    }
    assert.deepEqual([seen.length, new Set(seen)], [6, new Set(['a', 'p0/', 'p1/', 'p2/', 'q', 'r'])]);
    const keys: (string | undefined)[] = [];
    for await (const page of sdk.paginateListObjectsV2({ client: s3, pageSize: 77 }, { Bucket, Prefix: 'p' })) keys.push(...(page.Contents ?? []).map(({ Key }) => Key));
    assert.deepEqual(keys, inPrefixes.toSorted());
  });

  test('S62 tokens, start-after and max-keys', async () => {
    const Bucket = await newBucket(['a', 'b', 'c', 'd']);
    const first = await s3.send(new sdk.ListObjectsV2Command({ Bucket, MaxKeys: 1 }));
    const next = await s3.send(new sdk.ListObjectsV2Command({ Bucket, ContinuationToken: first.NextContinuationToken, StartAfter: 'c' }));
    assert.deepEqual([next.Contents?.map(({ Key }) => Key), next.StartAfter, next.ContinuationToken], [['b', 'c', 'd'], undefined, first.NextContinuationToken]);
    assert.deepEqual(await refusal(s3.send(new sdk.ListObjectsV2Command({ Bucket, ContinuationToken: 'x' }))), ['InvalidArgument', 400, 'The continuation token provided is incorrect']);
    const none = await s3.send(new sdk.ListObjectsV2Command({ Bucket, MaxKeys: 0 }));
    assert.deepEqual([none.KeyCount, none.IsTruncated, none.Contents], [0, false, undefined]);
    assert.equal((await s3.send(new sdk.ListObjectsV2Command({ Bucket, MaxKeys: 5_000 }))).MaxKeys, 1_000);
    assert.deepEqual((await refusal(s3.send(new sdk.ListObjectsV2Command({ Bucket, MaxKeys: -1 })))).slice(0, 2), ['InvalidArgument', 400]);
    const { status, body } = await server.rawRequest('GET', `/${Bucket}?list-type=2&max-keys=many`);
    assert.equal(status, 400);
    assert.match(body.toString(), /<Code>InvalidArgument<\/Code>/);
  });

  test('S63 NextMarker only with a delimiter', async () => {
    const Bucket = await newBucket(['a', 'b', 'c']);
    assert.equal((await s3.send(new sdk.ListObjectsCommand({ Bucket, MaxKeys: 2 }))).NextMarker, undefined);
    const page = await s3.send(new sdk.ListObjectsCommand({ Bucket, MaxKeys: 2, Delimiter: '/' }));
    assert.equal(page.NextMarker, 'b');
    assert.match(page.Contents?.[0]?.Owner?.ID ?? '', /^[0-9a-f]{64}$/);
    assert.match(page.Contents?.[0]?.ETag ?? '', /^"[0-9a-f]{32}"$/);
  });

  test('S64 encoding-type', async () => {
    const Bucket = await newBucket(['a b\u0001']);
    const { body } = await server.rawRequest('GET', `/${Bucket}?list-type=2&encoding-type=url`);
    assert.match(body.toString(), /<Key>a%20b%01<\/Key>/);
    const refused = await server.rawRequest('GET', `/${Bucket}?list-type=2&encoding-type=x`);
    assert.equal(refused.status, 400);
    assert.match(refused.body.toString(), /<Code>InvalidArgument<\/Code><Message>Invalid Encoding Method specified in Request<\/Message>/);
  });

  test('S65 versions and markers interleaved, by pages of one', async () => {
    const Bucket = await newBucket(['a']);
    await enableVersioning(Bucket);
    await s3.send(new sdk.DeleteObjectCommand({ Bucket, Key: 'a' }));
    await s3.send(new sdk.PutObjectCommand({ Bucket, Key: 'a', Body: 'new' }));
    await s3.send(new sdk.DeleteObjectCommand({ Bucket, Key: 'b' }));
    const { body } = await server.rawRequest('GET', `/${Bucket}?versions`);
    assert.match(body.toString(), /^<\?xml version="1.0" encoding="UTF-8"\?>\n<ListVersionsResult xmlns="http:\/\/s3.amazonaws.com\/doc\/2006-03-01\/">/);
    const order = [...body.toString().matchAll(/<(Version|DeleteMarker)>.*?<Key>(.)<\/Key>.*?<IsLatest>(\w+)<\/IsLatest>/g)].map(([, kind, key, isLatest]) => `${kind} ${key} ${isLatest}`);
    const rows = [...body.toString().matchAll(/<(?:Version|DeleteMarker)>/g)].length;
    assert.deepEqual([order, rows], [['Version a true', 'DeleteMarker a false', 'Version a false', 'DeleteMarker b true'], 4]);
    const seen: string[] = [];
    let markers: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
    for (let isTruncated = true; isTruncated; ) {
      const page = await s3.send(new sdk.ListObjectVersionsCommand({ Bucket, MaxKeys: 1, ...markers }));
      for (const { Key, IsLatest } of page.Versions ?? []) seen.push(`Version ${Key} ${IsLatest}`);
      for (const { Key, IsLatest } of page.DeleteMarkers ?? []) seen.push(`DeleteMarker ${Key} ${IsLatest}`);
      isTruncated = page.IsTruncated ?? false;
      assert.equal(page.NextKeyMarker !== undefined, isTruncated);
      markers = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
    }
    assert.deepEqual(seen, order);
    const [code, status] = await refusal(s3.send(new sdk.ListObjectVersionsCommand({ Bucket, VersionIdMarker: 'null' })));
    assert.deepEqual([code, status], ['InvalidArgument', 400]);
  });

  test('S66 three uploads on one key by pages of one', async () => {
    const Bucket = await newBucket();
    const begun = new Set<string | undefined>();
    for (let index = 0; index < 3; index++) begun.add((await s3.send(new sdk.CreateMultipartUploadCommand({ Bucket, Key: 'k' }))).UploadId);
    const seen: (string | undefined)[] = [];
    let markers: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {};
    for (let isTruncated = true; isTruncated; ) {
      const page = await s3.send(new sdk.ListMultipartUploadsCommand({ Bucket, MaxUploads: 1, ...markers }));
      seen.push(...(page.Uploads ?? []).map(({ UploadId }) => UploadId));
      isTruncated = page.IsTruncated ?? false;
      markers = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
    }
    assert.deepEqual([seen.length, new Set(seen)], [3, begun]);
  });

  test('parts by pages, under every scheme', async () => {
    const Bucket = await newBucket();
    // Source: contract s3-encryption.md section 23, vectors.
    const customerKey = { SSECustomerAlgorithm: 'AES256', SSECustomerKey: 'MTIzNDU2Nzg5MGFiY2RlZjEyMzQ1Njc4OTBhYmNkZWY=', SSECustomerKeyMD5: 'JMwgiexXqwuPqIPjYFmIZQ==' };
    for (const [create, part] of [[{}, {}], [{ ServerSideEncryption: 'aws:kms' }, {}], [{ ServerSideEncryption: 'aws:kms:dsse' }, {}], [customerKey, customerKey]] as const) {
      const { UploadId } = await s3.send(new sdk.CreateMultipartUploadCommand({ Bucket, Key: 'k', ChecksumAlgorithm: 'CRC32', ...create }));
      for (const PartNumber of [3, 1, 2]) await s3.send(new sdk.UploadPartCommand({ Bucket, Key: 'k', UploadId, PartNumber, Body: 'test-sse', ...part }));
      const listed: unknown[] = [];
      // The SDK's paginator never ends, here as on AWS: it does not look at IsTruncated, and NextPartNumberMarker is always there.
      let PartNumberMarker: string | undefined;
      for (let isTruncated = true; isTruncated; ) {
        const page = await s3.send(new sdk.ListPartsCommand({ Bucket, Key: 'k', UploadId, MaxParts: 2, PartNumberMarker, ...part }));
        listed.push(...(page.Parts ?? []).map(({ PartNumber, Size, ChecksumCRC32 }) => [PartNumber, Size, ChecksumCRC32]));
        isTruncated = page.IsTruncated ?? false;
        PartNumberMarker = page.NextPartNumberMarker;
      }
      assert.deepEqual(listed, [[1, 8, 'KHcEKQ=='], [2, 8, 'KHcEKQ=='], [3, 8, 'KHcEKQ==']]);
    }
  });

  test('S53, S54 versions as a bucket goes through its states', async () => {
    const Bucket = await newBucket();
    const Key = 'k';
    await enableVersioning(Bucket);
    const first = await s3.send(new sdk.PutObjectCommand({ Bucket, Key, Body: '1' }));
    const second = await s3.send(new sdk.PutObjectCommand({ Bucket, Key, Body: '2' }));
    const deleted = await s3.send(new sdk.DeleteObjectCommand({ Bucket, Key }));
    assert.equal(deleted.DeleteMarker, true);
    assert.deepEqual((await refusal(s3.send(new sdk.GetObjectCommand({ Bucket, Key })))).slice(0, 2), ['NoSuchKey', 404]);
    const old = await s3.send(new sdk.GetObjectCommand({ Bucket, Key, VersionId: first.VersionId }));
    assert.deepEqual([await old.Body?.transformToString(), old.VersionId], ['1', first.VersionId]);
    const gone = await s3.send(new sdk.DeleteObjectCommand({ Bucket, Key, VersionId: deleted.VersionId }));
    assert.deepEqual([gone.DeleteMarker, gone.VersionId], [true, deleted.VersionId]);
    assert.equal((await s3.send(new sdk.HeadObjectCommand({ Bucket, Key }))).VersionId, second.VersionId);
    await s3.send(new sdk.PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Suspended' } }));
    for (const Body of ['3', '4']) assert.equal((await s3.send(new sdk.PutObjectCommand({ Bucket, Key, Body }))).VersionId, 'null');
    const { Versions } = await s3.send(new sdk.ListObjectVersionsCommand({ Bucket }));
    assert.deepEqual(Versions?.map(({ VersionId, IsLatest }) => [VersionId, IsLatest]), [['null', true], [second.VersionId, false], [first.VersionId, false]]);
    const marked = await s3.send(new sdk.DeleteObjectCommand({ Bucket, Key }));
    assert.deepEqual([marked.DeleteMarker, marked.VersionId], [true, 'null']);
    const { DeleteMarkers, Versions: left } = await s3.send(new sdk.ListObjectVersionsCommand({ Bucket }));
    assert.deepEqual([DeleteMarkers?.map(({ VersionId }) => VersionId), left?.length], [['null'], 2]);
  });
});
