import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openTestS3, type TestS3 } from '../../../test/kit/s3-fixture.ts';
import { account, refusalOf } from '../../../test/kit/keys.ts';
import type { S3Inputs } from '../../wire/shapes.ts';
import { canonicalId } from './owner.ts';

const Bucket = 'shelf';
const Owner = { ID: canonicalId(account) };

async function openShelf(keys: readonly string[] = []): Promise<TestS3> {
  const s3 = await openTestS3({ newBucketsBlock: 'NONE' });
  await s3.call('CreateBucket', { Bucket });
  for (const key of keys) await s3.put(Bucket, key);
  return s3;
}

const v1 = (s3: TestS3, more: Partial<S3Inputs['ListObjects']> = {}) => s3.call('ListObjects', { Bucket, ...more });
const v2 = (s3: TestS3, more: Partial<S3Inputs['ListObjectsV2']> = {}) => s3.call('ListObjectsV2', { Bucket, ...more });
const versions = (s3: TestS3, more: Partial<S3Inputs['ListObjectVersions']> = {}) => s3.call('ListObjectVersions', { Bucket, ...more });
const uploads = (s3: TestS3, more: Partial<S3Inputs['ListMultipartUploads']> = {}) => s3.call('ListMultipartUploads', { Bucket, ...more });

interface Page {
  Contents?: { Key?: string | undefined }[] | undefined;
  CommonPrefixes?: { Prefix?: string | undefined }[] | undefined;
}
const keysOf = ({ Contents = [] }: Page) => Contents.map(({ Key }) => Key);
const prefixesOf = ({ CommonPrefixes = [] }: Page) => CommonPrefixes.map(({ Prefix }) => Prefix);

describe('ListObjectsV2', () => {
  test('L01 says what an object is, and nothing of its encryption', async () => {
    const s3 = await openShelf();
    await s3.put(Bucket, 'k', 'hello', { StorageClass: 'STANDARD_IA' });
    const page = await v2(s3);
    const [object] = page.Contents ?? [];
    assert.ok(object?.LastModified instanceof Date);
    assert.deepEqual({ ...object, LastModified: 0 }, {
      Key: 'k', LastModified: 0, ETag: '5d41402abc4b2a76b9719d911017c592', Size: 5, StorageClass: 'STANDARD_IA', ChecksumAlgorithm: ['CRC64NVME'], ChecksumType: 'FULL_OBJECT',
    });
    assert.deepEqual({ ...page, Contents: 0 }, { Name: Bucket, Prefix: '', MaxKeys: 1_000, KeyCount: 1, IsTruncated: false, Contents: 0 });
    assert.deepEqual((await v2(s3, { FetchOwner: true })).Contents?.[0]?.Owner, Owner);
  });

  test('S03 keys come in byte order', async () => {
    const s3 = await openShelf(['\u{1F600}', '\uFF5E', 'z', 'Z', 'é']);
    assert.deepEqual(keysOf(await v2(s3)), ['Z', 'z', 'é', '\uFF5E', '\u{1F600}']);
  });

  test('S61 pages with a delimiter show each prefix and each key once', async () => {
    const inPrefixes = Array.from({ length: 240 }, (_, index) => `p${index % 3}/${index}`);
    const alone = ['a', 'p0', 'p1-', 'p3', 'q/'];
    const s3 = await openShelf([...inPrefixes, ...alone]);
    const seen: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await v2(s3, { Delimiter: '/', MaxKeys: 2, ContinuationToken });
      assert.equal(page.KeyCount, keysOf(page).length + prefixesOf(page).length);
      assert.equal(page.ContinuationToken, ContinuationToken);
      assert.equal(page.IsTruncated, page.NextContinuationToken !== undefined);
      seen.push(...keysOf(page), ...prefixesOf(page));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    assert.deepEqual(new Set(seen), new Set(['a', 'p0', 'p0/', 'p1-', 'p1/', 'p2/', 'p3', 'q/']));
    assert.equal(seen.length, 8);
  });

  test('S62 the token wins over start-after, and is ours or refused', async () => {
    const s3 = await openShelf(['a', 'b', 'c', 'd']);
    const { NextContinuationToken: ContinuationToken = '', StartAfter } = await v2(s3, { MaxKeys: 2, StartAfter: 'a' });
    assert.equal(StartAfter, 'a');
    const next = await v2(s3, { ContinuationToken, StartAfter: 'd' });
    assert.deepEqual([keysOf(next), next.StartAfter], [['d'], undefined]);
    await s3.call('CreateBucket', { Bucket: 'other' });
    const tampered = ContinuationToken.slice(0, -1) + (ContinuationToken.endsWith('A') ? 'Q' : 'A');
    for (const wrong of ['', 'x', 'c', '!', tampered, ContinuationToken + '=', Buffer.from('c').toString('base64')]) {
      assert.equal(await refusalOf(v2(s3, { ContinuationToken: wrong })), 'InvalidArgument: The continuation token provided is incorrect', wrong);
    }
    assert.match(await refusalOf(s3.call('ListObjectsV2', { Bucket: 'other', ContinuationToken })), /^InvalidArgument: /);
  });

  test('S62 max-keys', async () => {
    const s3 = await openShelf(['a', 'b']);
    const none = await v2(s3, { MaxKeys: 0 });
    assert.deepEqual([none.KeyCount, none.IsTruncated, none.MaxKeys, none.Contents], [0, false, 0, undefined]);
    assert.equal((await v2(s3, { MaxKeys: 5_000 })).MaxKeys, 1_000);
    assert.equal(await refusalOf(v2(s3, { MaxKeys: -1 })), 'InvalidArgument: Argument maxKeys must be an integer between 0 and 2147483647');
    assert.equal(await refusalOf(v2(s3, { MaxKeys: 2 ** 31 })), 'InvalidArgument: Provided max-keys not an integer or within integer range');
  });

  test('more than one batch of the catalog, and many delete markers between', async () => {
    const s3 = await openShelf();
    await s3.call('PutBucketVersioning', { Bucket, VersioningConfiguration: { Status: 'Enabled' } });
    const shown: string[] = [];
    for (let index = 0; index < 1_300; index++) {
      const key = String(index).padStart(4, '0');
      if (index % 100 < 3) {
        await s3.put(Bucket, key);
        shown.push(key);
      } else await s3.call('DeleteObject', { Bucket, Key: key });
    }
    assert.deepEqual(keysOf(await v2(s3)), shown);
    const page = await v2(s3, { MaxKeys: 3 });
    assert.deepEqual([keysOf(page), page.IsTruncated], [shown.slice(0, 3), true]);
    const last = await v2(s3, { StartAfter: '1201' });
    assert.deepEqual([keysOf(last), last.IsTruncated], [['1202'], false]);
    assert.deepEqual(prefixesOf(await v2(s3, { Prefix: '', Delimiter: '0' })).length > 0, true);
  });

  test('hostile names', async () => {
    const s3 = await openShelf(['a']);
    await s3.call('CreateMultipartUpload', { Bucket, Key: 'a' });
    for (const more of [{ Prefix: 'a\0' }, { Delimiter: '\0' }, { StartAfter: 'a\0b' }]) assert.match(await refusalOf(v2(s3, more)), /^InvalidArgument: /);
    assert.match(await refusalOf(uploads(s3, { Prefix: 'a\0' })), /^InvalidArgument: /);
    assert.match(await refusalOf(versions(s3, { KeyMarker: 'a'.repeat(5_000), VersionIdMarker: 'null' })), /^KeyTooLongError: /);
    assert.match(await refusalOf(v2(s3, { Prefix: 'ü'.repeat(600) })), /^KeyTooLongError: /);
    assert.deepEqual(keysOf(await v2(s3, { StartAfter: '\ud800' })), []);
  });
});

describe('S64 encoding-type', () => {
  const key = 'a b/ü+%=&\u0001~é';
  const encoded = 'a%20b/%C3%BC%2B%25%3D%26%01~%C3%A9';

  test('url encodes names, and nothing else', async () => {
    const s3 = await openShelf([key]);
    const two = await v2(s3, { EncodingType: 'url', Prefix: 'a ', Delimiter: '|ü', StartAfter: 'A ' });
    assert.deepEqual([keysOf(two), two.Prefix, two.Delimiter, two.StartAfter, two.EncodingType], [[encoded], 'a%20', '%7C%C3%BC', 'A%20', 'url']);
    const grouped = await v1(s3, { EncodingType: 'url', Delimiter: '=', Marker: 'A ' });
    assert.deepEqual([prefixesOf(grouped), grouped.Marker, grouped.Delimiter], [['a%20b/%C3%BC%2B%25%3D'], 'A%20', '%3D']);
    await s3.put(Bucket, 'z');
    assert.equal((await v1(s3, { EncodingType: 'url', Delimiter: '|', MaxKeys: 1 })).NextMarker, encoded);
    const listed = await versions(s3, { EncodingType: 'url', KeyMarker: 'A ', Prefix: 'a ', MaxKeys: 1 });
    assert.deepEqual([listed.Entries?.[0]?.Key, listed.KeyMarker, listed.Prefix, listed.NextKeyMarker], [encoded, 'A%20', 'a%20', undefined]);
    assert.equal((await versions(s3, { EncodingType: 'url', MaxKeys: 1 })).NextKeyMarker, encoded);
    for (const Key of [key, 'z']) await s3.call('CreateMultipartUpload', { Bucket, Key });
    const page = await uploads(s3, { EncodingType: 'url', KeyMarker: 'A ', MaxUploads: 1 });
    assert.deepEqual([page.Uploads?.[0]?.Key, page.KeyMarker, page.NextKeyMarker], [encoded, 'A%20', encoded]);
    assert.deepEqual(keysOf(await v2(s3)), [key, 'z']);
  });

  test('others are refused', async () => {
    const s3 = await openShelf();
    const EncodingType = 'x' as 'url';
    for (const refused of [v1(s3, { EncodingType }), v2(s3, { EncodingType }), versions(s3, { EncodingType }), uploads(s3, { EncodingType })]) {
      assert.equal(await refusalOf(refused), 'InvalidArgument: Invalid Encoding Method specified in Request');
    }
  });
});

describe('ListObjects', () => {
  test('S63 NextMarker only with a delimiter, owners always', async () => {
    const s3 = await openShelf(['a', 'b/1', 'b/2', 'c']);
    const plain = await v1(s3, { MaxKeys: 2 });
    assert.deepEqual([keysOf(plain), plain.IsTruncated, plain.NextMarker, plain.Marker, plain.Delimiter], [['a', 'b/1'], true, undefined, '', undefined]);
    assert.deepEqual(plain.Contents?.map((object) => object.Owner), [Owner, Owner]);
    const grouped = await v1(s3, { MaxKeys: 2, Delimiter: '/' });
    assert.deepEqual([keysOf(grouped), prefixesOf(grouped), grouped.NextMarker], [['a'], ['b/'], 'b/']);
    const rest = await v1(s3, { Delimiter: '/', Marker: 'b/' });
    assert.deepEqual([keysOf(rest), prefixesOf(rest), rest.IsTruncated, rest.NextMarker, rest.Marker], [['c'], [], false, undefined, 'b/']);
    assert.deepEqual(keysOf(await v1(s3, { Marker: 'b/' })), ['b/1', 'b/2', 'c']);
    assert.equal((await v1(s3, { Delimiter: '' })).Delimiter, undefined);
  });
});

describe('ListObjectVersions', () => {
  async function openVersioned(): Promise<TestS3> {
    const s3 = await openShelf(['a']);
    await s3.call('PutBucketVersioning', { Bucket, VersioningConfiguration: { Status: 'Enabled' } });
    return s3;
  }

  test('S65 versions and markers interleaved, whatever the page size', async () => {
    const s3 = await openVersioned();
    const a1 = await s3.put(Bucket, 'a', 'x');
    const a2 = (await s3.call('DeleteObject', { Bucket, Key: 'a' })).VersionId;
    const a3 = await s3.put(Bucket, 'a', 'xy');
    const b1 = (await s3.call('DeleteObject', { Bucket, Key: 'b' })).VersionId;
    const expected = [
      ['Version', 'a', a3, true, 2], ['DeleteMarker', 'a', a2, false, undefined], ['Version', 'a', a1, false, 1], ['Version', 'a', 'null', false, 0],
      ['DeleteMarker', 'b', b1, true, undefined],
    ];
    for (const MaxKeys of [1, 2, 3, 5, 1_000]) {
      const seen: unknown[] = [];
      let markers: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
      for (;;) {
        const page = await versions(s3, { MaxKeys, ...markers });
        assert.deepEqual([page.KeyMarker, page.VersionIdMarker], [markers.KeyMarker ?? '', markers.VersionIdMarker ?? '']);
        for (const entry of page.Entries ?? []) {
          assert.deepEqual(entry.Owner, Owner);
          seen.push([entry.kind, entry.Key, entry.VersionId, entry.IsLatest, entry.kind === 'Version' ? entry.Size : undefined]);
        }
        if (!page.IsTruncated) {
          assert.deepEqual([page.NextKeyMarker, page.NextVersionIdMarker], [undefined, undefined]);
          break;
        }
        markers = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
      }
      assert.deepEqual(seen, expected, `pages of ${MaxKeys}`);
    }
  });

  test('a page that ends on a prefix has no version marker', async () => {
    const s3 = await openVersioned();
    for (const key of ['b/1', 'b/1', 'b/2', 'c']) await s3.put(Bucket, key);
    const page = await versions(s3, { Delimiter: '/', MaxKeys: 2 });
    assert.deepEqual([page.Entries?.length, prefixesOf(page), page.NextKeyMarker, page.NextVersionIdMarker], [1, ['b/'], 'b/', undefined]);
    const rest = await versions(s3, { Delimiter: '/', KeyMarker: 'b/' });
    assert.deepEqual([rest.Entries?.map(({ Key }) => Key), prefixesOf(rest)], [['c'], []]);
    const [newest] = (await versions(s3, { Prefix: 'b/1' })).Entries ?? [];
    const within = await versions(s3, { Delimiter: '/', KeyMarker: 'b/1', VersionIdMarker: newest?.VersionId });
    assert.deepEqual([within.Entries?.map(({ Key }) => Key), prefixesOf(within)], [['c'], ['b/']]);
  });

  test('bad markers', async () => {
    const s3 = await openVersioned();
    assert.equal(await refusalOf(versions(s3, { VersionIdMarker: 'null' })), 'InvalidArgument: A version-id marker cannot be specified without a key marker.');
    assert.equal(await refusalOf(versions(s3, { KeyMarker: 'a', VersionIdMarker: 'x' })), 'InvalidArgument: Invalid version id specified');
  });

  test('markers whose version went away lose nothing', async () => {
    const s3 = await openVersioned();
    const ids = ['null', await s3.put(Bucket, 'a'), await s3.put(Bucket, 'a'), await s3.put(Bucket, 'a')].toReversed();
    const idsAfter = async (VersionIdMarker: string | undefined) => (await versions(s3, { KeyMarker: 'a', VersionIdMarker })).Entries?.map(({ VersionId, IsLatest }) => [VersionId, IsLatest]);
    assert.deepEqual(await idsAfter(ids[0]), [[ids[1], false], [ids[2], false], ['null', false]]);
    await s3.call('DeleteObject', { Bucket, Key: 'a', VersionId: ids[0] });
    assert.deepEqual(await idsAfter(ids[0]), [[ids[1], true], [ids[2], false], ['null', false]]);
    assert.deepEqual(await idsAfter('null'), []);
    await s3.call('DeleteObject', { Bucket, Key: 'a', VersionId: 'null' });
    assert.deepEqual(await idsAfter('null'), [[ids[1], true], [ids[2], false]]);
  });

  test('L01 a bucket that never had versioning has null versions', async () => {
    const s3 = await openShelf(['k']);
    const [entry] = (await versions(s3)).Entries ?? [];
    assert.ok(entry?.kind === 'Version');
    assert.deepEqual({ ...entry, LastModified: 0 }, {
      kind: 'Version', Key: 'k', VersionId: 'null', IsLatest: true, LastModified: 0, ETag: 'd41d8cd98f00b204e9800998ecf8427e', Size: 0, StorageClass: 'STANDARD',
      ChecksumAlgorithm: ['CRC64NVME'], ChecksumType: 'FULL_OBJECT', Owner,
    });
  });
});

describe('S53, S54 versions as a bucket goes through its states', () => {
  test('enabled, then suspended', async () => {
    const s3 = await openShelf();
    const setVersioning = (Status: 'Enabled' | 'Suspended') => s3.call('PutBucketVersioning', { Bucket, VersioningConfiguration: { Status } });
    const listed = async () => (await versions(s3)).Entries?.map(({ kind, VersionId, IsLatest }) => [kind, VersionId, IsLatest]);
    await setVersioning('Enabled');
    const one = await s3.put(Bucket, 'k', '1');
    const two = await s3.put(Bucket, 'k', '2');
    const deleted = await s3.call('DeleteObject', { Bucket, Key: 'k' });
    assert.equal(deleted.DeleteMarker, true);
    assert.deepEqual(await listed(), [['DeleteMarker', deleted.VersionId, true], ['Version', two, false], ['Version', one, false]]);
    assert.match(await refusalOf(s3.call('GetObject', { Bucket, Key: 'k' })), /^NoSuchKey: /);
    assert.equal((await s3.call('HeadObject', { Bucket, Key: 'k', VersionId: two })).VersionId, two);
    await s3.call('DeleteObject', { Bucket, Key: 'k', VersionId: deleted.VersionId });
    assert.equal((await s3.call('HeadObject', { Bucket, Key: 'k' })).VersionId, two);

    await setVersioning('Suspended');
    assert.equal(await s3.put(Bucket, 'k', '3'), 'null');
    await s3.put(Bucket, 'k', '4');
    assert.deepEqual(await listed(), [['Version', 'null', true], ['Version', two, false], ['Version', one, false]]);
    assert.equal((await s3.call('DeleteObject', { Bucket, Key: 'k' })).VersionId, 'null');
    assert.deepEqual(await listed(), [['DeleteMarker', 'null', true], ['Version', two, false], ['Version', one, false]]);
  });

  test('the null version is found below whatever version becomes the current one', async () => {
    const s3 = await openShelf(['k']);
    const ids = async () => (await versions(s3)).Entries?.map(({ VersionId }) => VersionId);
    await s3.call('PutBucketVersioning', { Bucket, VersioningConfiguration: { Status: 'Enabled' } });
    const [one, two] = [await s3.put(Bucket, 'k', '1'), await s3.put(Bucket, 'k', '2')];
    assert.deepEqual(await ids(), [two, one, 'null']);
    await s3.call('DeleteObject', { Bucket, Key: 'k', VersionId: two });
    await s3.call('DeleteObject', { Bucket, Key: 'k', VersionId: 'null' });
    assert.deepEqual(await ids(), [one]);
  });

  test('S52 deleting what never was', async () => {
    const s3 = await openShelf();
    assert.deepEqual(await s3.call('DeleteObject', { Bucket, Key: 'absent' }), {});
    assert.deepEqual((await versions(s3)).Entries, []);
  });
});

describe('ListMultipartUploads', () => {
  test('S66 pages of one lose nothing, also when what they showed is aborted', async () => {
    const s3 = await openShelf();
    const begun: (string | undefined)[] = [];
    for (const Key of ['b', 'a', 'b', 'b', 'b/c']) {
      begun.push((await s3.call('CreateMultipartUpload', { Bucket, Key })).UploadId);
      s3.clock.advanceMs(1);
    }
    const expected = [['a', begun[1]], ['b', begun[0]], ['b', begun[2]], ['b', begun[3]], ['b/c', begun[4]]];
    const walk = async (aborting: boolean) => {
      const seen: unknown[] = [];
      let [KeyMarker, UploadIdMarker]: (string | undefined)[] = [];
      for (;;) {
        const page = await uploads(s3, { MaxUploads: 1, KeyMarker, UploadIdMarker });
        for (const { Key, UploadId } of page.Uploads ?? []) {
          seen.push([Key, UploadId]);
          if (aborting) await s3.call('AbortMultipartUpload', { Bucket, Key, UploadId });
        }
        assert.deepEqual([page.KeyMarker, page.UploadIdMarker], [KeyMarker ?? '', UploadIdMarker ?? '']);
        if (!page.IsTruncated) return seen;
        ({ NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page);
      }
    };
    assert.deepEqual(await walk(false), expected);
    assert.deepEqual(await walk(true), expected);
    const empty = await uploads(s3);
    assert.deepEqual(empty, {
      Bucket, Prefix: '', KeyMarker: '', UploadIdMarker: '', NextKeyMarker: '', NextUploadIdMarker: '', MaxUploads: 1_000, IsTruncated: false,
    });
  });

  test('prefix, delimiter and markers', async () => {
    const s3 = await openShelf();
    const ids = new Map<string, string | undefined>();
    for (const Key of ['a', 'b/1', 'b/2', 'c']) ids.set(Key, (await s3.call('CreateMultipartUpload', { Bucket, Key })).UploadId);
    const lines = (page: Awaited<ReturnType<typeof uploads>>) => [page.Uploads?.map(({ Key }) => Key) ?? [], prefixesOf(page)];
    const grouped = await uploads(s3, { Delimiter: '/', MaxUploads: 2 });
    assert.deepEqual([...lines(grouped), grouped.NextKeyMarker, grouped.NextUploadIdMarker, grouped.Delimiter], [['a'], ['b/'], 'b/', '', '/']);
    assert.deepEqual(lines(await uploads(s3, { Delimiter: '/', KeyMarker: 'b/' })), [['c'], []]);
    assert.deepEqual(lines(await uploads(s3, { Prefix: 'b/', Delimiter: '/' })), [['b/1', 'b/2'], []]);
    assert.deepEqual(lines(await uploads(s3, { KeyMarker: 'a' })), [['b/1', 'b/2', 'c'], []]);
    const withoutKey = await uploads(s3, { UploadIdMarker: ids.get('b/1') });
    assert.deepEqual([withoutKey.Uploads?.length, withoutKey.UploadIdMarker], [4, '']);
    assert.equal(await refusalOf(uploads(s3, { KeyMarker: 'a', UploadIdMarker: 'x' })), 'InvalidArgument: Invalid uploadId marker');
    assert.match(await refusalOf(uploads(s3, { MaxUploads: -1 })), /^InvalidArgument: Argument max-uploads must be an integer between 0 and 2147483647$/);
    const { Uploads: [upload] = [] } = await uploads(s3, { Prefix: 'a' });
    assert.ok(upload?.Initiated instanceof Date);
    assert.deepEqual({ ...upload, Initiated: 0 }, { Key: 'a', UploadId: ids.get('a'), Initiated: 0, StorageClass: 'STANDARD', Initiator: Owner, Owner });
  });
});

describe('ListParts', () => {
  const Key = 'k';
  const customerKey = { SSECustomerAlgorithm: 'AES256', SSECustomerKey: 'MTIzNDU2Nzg5MGFiY2RlZjEyMzQ1Njc4OTBhYmNkZWY=', SSECustomerKeyMD5: 'JMwgiexXqwuPqIPjYFmIZQ==' };
  const otherKey = { SSECustomerAlgorithm: 'AES256', SSECustomerKey: 'YWJjZGVmMTIzNDU2Nzg5MGFiY2RlZjEyMzQ1Njc4OTA=', SSECustomerKeyMD5: 'KoitZ78ZSAQHz4+gxDpJqQ==' };

  async function begin(s3: TestS3, more: Partial<S3Inputs['CreateMultipartUpload']> = {}, partNumbers: readonly number[] = [2, 1, 7]): Promise<string> {
    const { UploadId = '' } = await s3.call('CreateMultipartUpload', { Bucket, Key, ...more });
    for (const PartNumber of partNumbers) {
      await s3.call('UploadPart', { Bucket, Key, UploadId, PartNumber, Body: 'test-sse' as never, ...('SSECustomerKey' in more ? customerKey : {}) });
    }
    return UploadId;
  }
  const parts = (s3: TestS3, UploadId: string, more: Partial<S3Inputs['ListParts']> = {}) => s3.call('ListParts', { Bucket, Key, UploadId, ...more });

  test('pages by part number', async () => {
    const s3 = await openShelf();
    const UploadId = await begin(s3);
    const first = await parts(s3, UploadId, { MaxParts: 2 });
    assert.deepEqual([first.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size]), first.IsTruncated, first.PartNumberMarker, first.NextPartNumberMarker], [[[1, 8], [2, 8]], true, '0', '2']);
    const rest = await parts(s3, UploadId, { MaxParts: 2, PartNumberMarker: '2' });
    assert.deepEqual([rest.Parts?.map(({ PartNumber }) => PartNumber), rest.IsTruncated, rest.NextPartNumberMarker], [[7], false, '7']);
    const none = await parts(s3, UploadId, { PartNumberMarker: '7' });
    assert.deepEqual([none.Parts, none.IsTruncated, none.NextPartNumberMarker], [undefined, false, '0']);
    assert.deepEqual([(await parts(s3, UploadId, { MaxParts: 0 })).IsTruncated, (await parts(s3, UploadId, { PartNumberMarker: '2147483647' })).Parts], [false, undefined]);
    assert.deepEqual([first.Bucket, first.Key, first.UploadId, first.StorageClass, first.Owner, first.Initiator, first.MaxParts], [Bucket, Key, UploadId, 'STANDARD', Owner, Owner, 2]);
    for (const PartNumberMarker of ['x', '-1', '99999999999']) assert.match(await refusalOf(parts(s3, UploadId, { PartNumberMarker })), /^InvalidArgument: /);
    assert.match(await refusalOf(parts(s3, UploadId, { MaxParts: -1 })), /^InvalidArgument: Argument max-parts must be/);
    assert.match(await refusalOf(parts(s3, 'x')), /^NoSuchUpload: /);
    assert.match(await refusalOf(s3.call('ListParts', { Bucket, Key: 'other', UploadId })), /^NoSuchUpload: /);
  });

  // Source: contract s3-encryption.md 23, vectors, and 10.3: not listed where the upload declared none.
  test('checksums are listed where the upload declared them', async () => {
    const s3 = await openShelf();
    const declared = await parts(s3, await begin(s3, { ChecksumAlgorithm: 'CRC32' }));
    assert.deepEqual([declared.ChecksumAlgorithm, declared.ChecksumType, declared.Parts?.[0]?.ChecksumCRC32], ['CRC32', 'COMPOSITE', 'KHcEKQ==']);
    const undeclared = await parts(s3, await begin(s3));
    assert.deepEqual(Object.keys(undeclared.Parts?.[0] ?? {}).filter((name) => name.startsWith('Checksum')), []);
  });

  test('under SSE-C they need the key, the parts do not', async () => {
    const s3 = await openShelf();
    const UploadId = await begin(s3, { ChecksumAlgorithm: 'CRC32', ...customerKey });
    const [bare] = (await parts(s3, UploadId)).Parts ?? [];
    assert.deepEqual([bare?.Size, bare?.ChecksumCRC32], [8, undefined]);
    assert.equal((await parts(s3, UploadId, customerKey)).Parts?.[0]?.ChecksumCRC32, 'KHcEKQ==');
    assert.match(await refusalOf(parts(s3, UploadId, otherKey)), /^AccessDenied: /);
    assert.match(await refusalOf(parts(s3, UploadId, { ...customerKey, SSECustomerAlgorithm: 'AES192' })), /^InvalidEncryptionAlgorithmError: /);
    assert.match(await refusalOf(parts(s3, await begin(s3), customerKey)), /^InvalidRequest: /);
  });

  test('under KMS listing needs the KMS key', async () => {
    const s3 = await openShelf();
    const { KeyMetadata: { KeyId, Arn } } = await s3.kms<{ KeyMetadata: { KeyId: string; Arn: string } }>('CreateKey', {});
    for (const ServerSideEncryption of ['aws:kms', 'aws:kms:dsse'] as const) {
      const UploadId = await begin(s3, { ServerSideEncryption, SSEKMSKeyId: KeyId, ChecksumAlgorithm: 'CRC32' });
      assert.equal((await parts(s3, UploadId)).Parts?.[0]?.ChecksumCRC32, 'KHcEKQ==');
      await s3.kms('DisableKey', { KeyId });
      assert.equal(await refusalOf(parts(s3, UploadId)), `KMS.DisabledException: ${Arn} is disabled.`);
      assert.equal((await uploads(s3)).Uploads?.some((upload) => upload.UploadId === UploadId), true);
      await s3.kms('EnableKey', { KeyId });
    }
  });
});
