import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openTestS3, type TestS3 } from '../../../test/kit/s3-fixture.ts';
import { refusalOf } from '../../../test/kit/keys.ts';
import { ServiceError } from '../../base/index.ts';
import type { S3Inputs } from '../../wire/shapes.ts';
import { bucketTagBounds, objectTagBounds, parseTagHeader, readTagSet } from './tags.ts';

const Bucket = 'tagged';
const Key = 'k';
const some = [{ Key: 'a', Value: '1' }, { Key: 'ü Ж_.:/=+-@', Value: '' }];

const isError = (code: string) => (error: unknown): boolean => error instanceof ServiceError && error.code === code;
const tag = (TagKey: string, Value = ''): { Key: string; Value: string } => ({ Key: TagKey, Value });
const many = (count: number) => Array.from({ length: count }, (_, index) => tag(`k${index}`));

describe('the header x-amz-tagging', () => {
  test('is a URL query string', () => {
    assert.deepEqual(parseTagHeader(''), []);
    assert.deepEqual(parseTagHeader('a=1&b+c=d%20e%2B&f&g='), [tag('a', '1'), tag('b c', 'd e+'), tag('f'), tag('g')]);
    assert.deepEqual(parseTagHeader('%C3%BC=x%3Dy=z'), [tag('ü', 'x=y=z')]);
    for (const bad of ['a=1&a=2', '=1', 'a=%', 'a=%zz', '%ff=1', 'a=1&%61=2']) assert.throws(() => parseTagHeader(bad), isError('InvalidArgument'), bad);
    for (const bad of ['a=%3C', 'a%22=', 'aws:x=1', `${'k'.repeat(129)}=`, `k=${'v'.repeat(257)}`]) assert.throws(() => parseTagHeader(bad), isError('InvalidTag'), bad);
    assert.equal(parseTagHeader(many(10).map(({ Key: name }) => name).join('&')).length, 10);
    assert.throws(() => parseTagHeader(many(11).map(({ Key: name }) => name).join('&')), isError('BadRequest'));
  });
});

describe('a document of tags', () => {
  test('has bounds', () => {
    assert.deepEqual(readTagSet(some, objectTagBounds), some);
    assert.deepEqual(readTagSet([], objectTagBounds), []);
    readTagSet(many(10), objectTagBounds);
    readTagSet(many(50), bucketTagBounds);
    readTagSet([tag('k'.repeat(128), 'v'.repeat(256))], objectTagBounds);
    assert.throws(() => readTagSet(many(11), objectTagBounds), isError('BadRequest'));
    assert.throws(() => readTagSet(many(51), bucketTagBounds), isError('BadRequest'));
    for (const bad of [tag(''), tag('aws:x'), tag('AWS:x'), tag('a\n'), tag('a', '<'), tag('k'.repeat(129)), tag('k', 'v'.repeat(257))]) {
      assert.throws(() => readTagSet([bad], bucketTagBounds), isError('InvalidTag'), JSON.stringify(bad).slice(0, 50));
    }
    for (const bad of [undefined, [{ Key: 'k' }], [{ Value: 'v' }]]) assert.throws(() => readTagSet(bad, bucketTagBounds), isError('MalformedXML'));
  });

  test('names the tag at fault', () => {
    assert.throws(
      () => readTagSet([tag('k'), tag('k')], objectTagBounds),
      (error) => error instanceof ServiceError && error.message === 'Cannot provide multiple Tags with the same key' && error.details['TagKey'] === 'k',
    );
  });
});

async function openTagged(): Promise<TestS3> {
  const s3 = await openTestS3();
  await s3.call('CreateBucket', { Bucket });
  return s3;
}

const putTags = (s3: TestS3, TagSet: unknown, more: Partial<S3Inputs['PutObjectTagging']> = {}) =>
  s3.call('PutObjectTagging', { Bucket, Key, Tagging: { TagSet } as never, ...more });
const getTags = (s3: TestS3, VersionId?: string) => s3.call('GetObjectTagging', { Bucket, Key, VersionId });

describe('tags of a bucket', () => {
  test('are put whole, read and deleted', async () => {
    const s3 = await openTagged();
    await s3.call('PutBucketTagging', { Bucket, Tagging: { TagSet: many(3) } });
    await s3.call('PutBucketTagging', { Bucket, Tagging: { TagSet: some } });
    assert.deepEqual((await s3.call('GetBucketTagging', { Bucket })).TagSet, some);
    await s3.call('DeleteBucketTagging', { Bucket });
    assert.match(await refusalOf(s3.call('GetBucketTagging', { Bucket })), /^NoSuchTagSet: The TagSet does not exist$/);
    await s3.call('PutBucketTagging', { Bucket, Tagging: { TagSet: [] } });
    assert.match(await refusalOf(s3.call('GetBucketTagging', { Bucket })), /^NoSuchTagSet: /);
    assert.match(await refusalOf(s3.call('PutBucketTagging', { Bucket, Tagging: { TagSet: many(51) } })), /^BadRequest: Bucket tag count cannot be greater than 50$/);
  });
});

describe('tags of an object', () => {
  test('come with the object, are replaced whole, and are gone with the next object', async () => {
    const s3 = await openTagged();
    await s3.put(Bucket, Key, 'x', { Tagging: 'from=header' });
    assert.deepEqual(await getTags(s3), { TagSet: [tag('from', 'header')], VersionId: undefined });
    const { LastModified, ETag } = await s3.call('HeadObject', { Bucket, Key });
    await putTags(s3, some);
    assert.deepEqual((await getTags(s3)).TagSet, some);
    const head = await s3.call('HeadObject', { Bucket, Key });
    assert.deepEqual([head.LastModified, head.ETag, head.TagCount], [LastModified, ETag, 2]);
    await s3.call('DeleteObjectTagging', { Bucket, Key });
    assert.deepEqual((await getTags(s3)).TagSet, []);
    await putTags(s3, some);
    await s3.put(Bucket, Key, 'y');
    assert.deepEqual((await getTags(s3)).TagSet, []);
  });

  test('belong to one version each, whose id is echoed', async () => {
    const s3 = await openTagged();
    await s3.put(Bucket, Key, '0');
    await s3.call('PutBucketVersioning', { Bucket, VersioningConfiguration: { Status: 'Enabled' } });
    const first = await s3.put(Bucket, Key, '1');
    const second = await s3.put(Bucket, Key, '2');
    assert.equal((await putTags(s3, many(1), { VersionId: first })).VersionId, first);
    assert.equal((await putTags(s3, many(2))).VersionId, second);
    assert.equal((await putTags(s3, many(3), { VersionId: 'null' })).VersionId, 'null');
    const counts = await Promise.all([first, second, 'null', undefined].map(async (id) => (await getTags(s3, id)).TagSet?.length));
    assert.deepEqual(counts, [1, 2, 3, 2]);
    assert.equal((await s3.call('DeleteObjectTagging', { Bucket, Key, VersionId: first })).VersionId, first);
    assert.deepEqual((await getTags(s3, first)).TagSet, []);
    assert.equal((await getTags(s3)).VersionId, second);

    const { VersionId: marker } = await s3.call('DeleteObject', { Bucket, Key });
    for (const attempt of [(id?: string) => getTags(s3, id), (id?: string) => putTags(s3, [], { VersionId: id }), (id?: string) => s3.call('DeleteObjectTagging', { Bucket, Key, VersionId: id })]) {
      assert.match(await refusalOf(attempt()), /^NoSuchKey: /);
      assert.match(await refusalOf(attempt(marker)), /^MethodNotAllowed: /);
    }
    assert.equal((await getTags(s3, second)).TagSet?.length, 2);
  });

  test('need the object, not its key', async () => {
    const s3 = await openTagged();
    assert.match(await refusalOf(getTags(s3)), /^NoSuchKey: /);
    assert.match(await refusalOf(putTags(s3, [])), /^NoSuchKey: /);
    assert.equal(await refusalOf(getTags(s3, 'x')), 'InvalidArgument: Invalid version id specified');
    await s3.call('PutBucketEncryption', { Bucket, ServerSideEncryptionConfiguration: { Rules: [{ BlockedEncryptionTypes: { EncryptionType: ['NONE'] } }] } });
    await s3.put(Bucket, Key, 'x', {
      SSECustomerAlgorithm: 'AES256', SSECustomerKey: 'MTIzNDU2Nzg5MGFiY2RlZjEyMzQ1Njc4OTBhYmNkZWY=', SSECustomerKeyMD5: 'JMwgiexXqwuPqIPjYFmIZQ==',
    });
    await putTags(s3, some);
    assert.deepEqual((await getTags(s3)).TagSet, some);
    assert.match(await refusalOf(putTags(s3, many(11))), /^BadRequest: Object tags cannot be greater than 10$/);
    assert.match(await refusalOf(putTags(s3, undefined)), /^MalformedXML: /);
    assert.deepEqual((await getTags(s3)).TagSet, some);
  });
});
