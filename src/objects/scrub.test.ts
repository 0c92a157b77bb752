/** What crashes and overwrites leave behind is found and removed, and nothing else is. Source: docs/formats/catalog.md section 3. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { openTestS3, type TestS3 } from '../../test/kit/s3-fixture.ts';
import { partKey } from './keys.ts';
import { decodeUploadId, encodeRecord, findOrphans, orphanAgeMs, reapTrash, removeOrphans, sweepLeftParts, trashDelayMs, type PartRecord } from './index.ts';

const large = 'x'.repeat(40_000);

async function blobCount({ s3 }: TestS3): Promise<number> {
  let count = 0;
  for await (const _ of s3.store.blobs.list()) count += 1;
  return count;
}

async function leaveOrphan({ s3 }: TestS3): Promise<string> {
  const id = randomBytes(16).toString('hex');
  const writer = await s3.store.blobs.create(id);
  await writer.append(Buffer.from('what a crash left'));
  await writer.finish();
  return id;
}

describe('the scrubber', () => {
  test('finds blobs that no record names, once they are old enough, and only those', async () => {
    const lab = await openTestS3();
    const { store } = lab.s3;
    await lab.call('CreateBucket', { Bucket: 'b1-lab' });
    await lab.put('b1-lab', 'kept', large);
    const orphan = await leaveOrphan(lab);
    assert.equal(await removeOrphans(store), 0);
    lab.clock.advanceMs(orphanAgeMs + 1_000);
    const found = [];
    for await (const { id } of findOrphans(store)) found.push(id);
    assert.deepEqual(found, [orphan]);
    assert.equal(await removeOrphans(store), 1);
    assert.equal(await blobCount(lab), 1);
    assert.equal((await lab.call('GetObject', { Bucket: 'b1-lab', Key: 'kept' })).ContentLength, large.length);
  });

  test('what an overwrite or a delete unlinked goes when it is due, not before', async () => {
    const lab = await openTestS3();
    const { store } = lab.s3;
    await lab.call('CreateBucket', { Bucket: 'b2-lab' });
    await lab.put('b2-lab', 'k', large);
    await lab.put('b2-lab', 'k', large);
    await lab.put('b2-lab', 'gone', large);
    await lab.call('DeleteObject', { Bucket: 'b2-lab', Key: 'gone' });
    assert.equal(await reapTrash(store), 0);
    assert.equal(await blobCount(lab), 3);
    lab.clock.advanceMs(trashDelayMs + 1_000);
    assert.equal(await reapTrash(store), 2);
    assert.equal(await reapTrash(store), 0);
    assert.equal(await blobCount(lab), 1);
    lab.clock.advanceMs(orphanAgeMs);
    assert.equal(await removeOrphans(store), 0);
  });

  test('parts that an ended upload left behind go to the trash, those of open uploads stay', async () => {
    const lab = await openTestS3();
    const { store } = lab.s3;
    await lab.call('CreateBucket', { Bucket: 'b3-lab' });
    await lab.call('CreateMultipartUpload', { Bucket: 'b3-lab', Key: 'k' });
    const [upload] = (await lab.call('ListMultipartUploads', { Bucket: 'b3-lab' })).Uploads ?? [];
    assert.ok(upload?.UploadId);
    const openNonce = decodeUploadId(upload.UploadId)?.nonce as Buffer;
    const leftNonce = randomBytes(16);
    for (const nonce of [openNonce, leftNonce]) {
      const part: PartRecord = { v: 1, number: 1, size: 17, etag: 'e', modifiedMs: store.clock.nowMs(), blob: await leaveOrphan(lab) };
      await store.catalog.commit({ puts: [{ key: partKey(nonce, 1), value: encodeRecord(part) }] });
    }
    assert.equal(await sweepLeftParts(store), 0);
    lab.clock.advanceMs(orphanAgeMs + 1_000);
    assert.equal(await sweepLeftParts(store), 1);
    assert.equal(await store.catalog.get(partKey(leftNonce, 1)), undefined);
    assert.ok(await store.catalog.get(partKey(openNonce, 1)));
    lab.clock.advanceMs(trashDelayMs + 1_000);
    assert.equal(await reapTrash(store), 1);
    assert.equal(await blobCount(lab), 1);
  });
});
