/** A writer comes between a reader's look at the record and its look at the bytes: at the very moment, by a catalog that lets it in. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openTestS3, type TestS3 } from '../../../test/kit/s3-fixture.ts';
import { asSource } from '../../objects/index.ts';

const bucket = 'read-bucket';

/** Runs `act` before the next look at the bytes of a small object. */
function beforeBytesAreRead({ catalog }: TestS3, act: () => Promise<unknown>): void {
  const get = catalog.get.bind(catalog);
  catalog.get = async (key) => {
    if (Buffer.from(key).toString('latin1', 0, 2) === 'd/') {
      catalog.get = get;
      await act();
    }
    return get(key);
  };
}

async function withObject(): Promise<TestS3> {
  const s3 = await openTestS3();
  await s3.call('CreateBucket', { Bucket: bucket });
  await s3.put(bucket, 'source', 'old');
  return s3;
}

async function textOf(s3: TestS3, key: string): Promise<string> {
  const { Body } = await s3.call('GetObject', { Bucket: bucket, Key: key });
  const pieces: Buffer[] = [];
  for await (const piece of asSource(Body as unknown as Buffer)) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

describe('an object that is replaced while it is read', () => {
  test('is read as it now is', async () => {
    const s3 = await withObject();
    beforeBytesAreRead(s3, () => s3.put(bucket, 'source', 'new'));
    assert.equal(await textOf(s3, 'source'), 'new');
  });

  test('is copied as it now is', async () => {
    const s3 = await withObject();
    beforeBytesAreRead(s3, () => s3.put(bucket, 'source', 'new'));
    await s3.call('CopyObject', { Bucket: bucket, Key: 'target', CopySource: `${bucket}/source` });
    assert.equal(await textOf(s3, 'target'), 'new');
  });

  test('becomes a part as it now is', async () => {
    const s3 = await withObject();
    const { UploadId } = await s3.call('CreateMultipartUpload', { Bucket: bucket, Key: 'target' });
    beforeBytesAreRead(s3, () => s3.put(bucket, 'source', 'newer'));
    const { CopyPartResult } = await s3.call('UploadPartCopy', { Bucket: bucket, Key: 'target', UploadId: UploadId ?? '', PartNumber: 1, CopySource: `${bucket}/source` });
    await s3.call('CompleteMultipartUpload', { Bucket: bucket, Key: 'target', UploadId: UploadId ?? '', MultipartUpload: { Parts: [{ PartNumber: 1, ETag: CopyPartResult?.ETag }] } });
    assert.equal(await textOf(s3, 'target'), 'newer');
  });

  test('is absent once it was deleted', async () => {
    const s3 = await withObject();
    beforeBytesAreRead(s3, () => s3.call('DeleteObject', { Bucket: bucket, Key: 'source' }));
    await assert.rejects(s3.call('CopyObject', { Bucket: bucket, Key: 'target', CopySource: `${bucket}/source` }), { code: 'NoSuchKey' });
  });

  test('whose bytes are lost is an internal error', async () => {
    const s3 = await withObject();
    const [row] = await s3.catalog.range({ start: Buffer.from('d/'), end: Buffer.from('d0') });
    await s3.catalog.commit({ deletes: [row!.key] });
    await assert.rejects(textOf(s3, 'source'), { code: 'InternalError', status: 500 });
    await assert.rejects(s3.call('CopyObject', { Bucket: bucket, Key: 'target', CopySource: `${bucket}/source` }), { code: 'InternalError', status: 500 });
  });
});
