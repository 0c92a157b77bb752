/** What every blob engine must do, as src/blobs/blob-store.ts says it. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test, type TestContext } from 'node:test';
import type { BlobId, BlobListing, BlobStore } from '../../src/blobs/index.ts';

/** Opens an empty store; what it leaves behind is removed after the test. */
export type OpenBlobStore = (context: TestContext) => Promise<BlobStore>;

/** Bytes that tell their position, so that a piece in the wrong place shows. */
export function patternBytes(sizeBytes: number, seed = 0): Buffer {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  for (let index = 0; index < sizeBytes; index++) bytes[index] = (index * 31 + (index >>> 8) * 17 + (index >>> 16) * 7 + seed) & 0xff;
  return bytes;
}

export function randomBlobId(): BlobId {
  return randomBytes(16).toString('hex');
}

async function write(store: BlobStore, bytes: Buffer, pieceSizeBytes = 65_536): Promise<BlobId> {
  const id = randomBlobId();
  const writer = await store.create(id);
  for (let start = 0; start < bytes.byteLength; start += pieceSizeBytes) {
    await writer.append(bytes.subarray(start, start + pieceSizeBytes));
  }
  await writer.finish();
  return id;
}

async function readWhole(store: BlobStore, id: BlobId): Promise<Buffer> {
  const reader = await store.open(id);
  try {
    return await reader.read(0, reader.sizeBytes);
  } finally {
    await reader.close();
  }
}

async function listAll(store: BlobStore): Promise<BlobListing[]> {
  const listings: BlobListing[] = [];
  for await (const listing of store.list()) listings.push(listing);
  return listings;
}

export function blobStoreSuite(name: string, open: OpenBlobStore): void {
  const blobTest = (title: string, run: (store: BlobStore) => Promise<void>): void => {
    test(title, async (context) => run(await open(context)));
  };

  describe(`blobs: ${name}`, () => {
    describe('write and read', () => {
      const sizes = [0, 1, 16_383, 262_143, 262_144, 262_145, 1_000_000];
      const pieceSizes = [16_400, 65_536, 262_144, 700_000];
      for (const sizeBytes of sizes) {
        blobTest(`${sizeBytes} bytes come back as they went, in pieces of any size`, async (store) => {
          const bytes = patternBytes(sizeBytes);
          for (const pieceSizeBytes of pieceSizes) {
            const id = await write(store, bytes, pieceSizeBytes);
            assert.ok((await readWhole(store, id)).equals(bytes), `pieces of ${pieceSizeBytes}`);
          }
        });
      }

      blobTest('thousands of tiny pieces, and empty ones between', async (store) => {
        const bytes = patternBytes(5_000);
        const id = randomBlobId();
        const writer = await store.create(id);
        for (let start = 0; start < bytes.byteLength; start += 3) {
          await writer.append(bytes.subarray(start, start + 3));
          await writer.append(Buffer.alloc(0));
        }
        await writer.finish();
        assert.deepEqual(await readWhole(store, id), bytes);
      });

      blobTest('appends that do not wait for each other keep their order', async (store) => {
        const bytes = patternBytes(1_500_000);
        const id = randomBlobId();
        const writer = await store.create(id);
        const appends: Promise<void>[] = [];
        for (let start = 0; start < bytes.byteLength; start += 50_000) appends.push(writer.append(bytes.subarray(start, start + 50_000)));
        await Promise.all(appends);
        await writer.finish();
        assert.ok((await readWhole(store, id)).equals(bytes));
      });

      blobTest('plain Uint8Arrays and views into larger memory', async (store) => {
        const memory = new Uint8Array([9, 9, 1, 2, 3, 9]);
        const id = randomBlobId();
        const writer = await store.create(id);
        await writer.append(memory.subarray(2, 5));
        await writer.finish();
        assert.deepEqual(await readWhole(store, id), Buffer.from([1, 2, 3]));
      });

      blobTest('many at the same time do not mix', async (store) => {
        const blobs = Array.from({ length: 16 }, (_, seed) => patternBytes(300_000 + seed, seed));
        const ids = await Promise.all(blobs.map((bytes) => write(store, bytes, 20_000)));
        for (const [index, id] of ids.entries()) assert.ok((await readWhole(store, id)).equals(blobs[index]!));
      });
    });

    describe('ranges', () => {
      blobTest('exactly the bytes asked for, in any order and at the same time', async (store) => {
        const bytes = patternBytes(600_000);
        const reader = await store.open(await write(store, bytes));
        assert.equal(reader.sizeBytes, bytes.byteLength);
        const ranges = [[0, 0], [0, 1], [599_999, 600_000], [600_000, 600_000], [262_143, 262_145], [100_000, 500_000], [0, 600_000]];
        const found = await Promise.all(ranges.map(([start, end]) => reader.read(start!, end!)));
        for (const [index, [start, end]] of ranges.entries()) {
          assert.ok(Buffer.isBuffer(found[index]));
          assert.ok(found[index].equals(bytes.subarray(start, end)), `${start} to ${end}`);
        }
        await reader.close();
      });

      blobTest('beyond the end is truncated, whatever lies before it', async (store) => {
        const reader = await store.open(await write(store, patternBytes(1000)));
        const truncated = { name: 'BlobError', code: 'truncated' };
        await assert.rejects(reader.read(0, 1001), truncated);
        await assert.rejects(reader.read(999, 1001), truncated);
        await assert.rejects(reader.read(1000, 1001), truncated);
        await assert.rejects(reader.read(5000, 6000), truncated);
        await assert.rejects(reader.read(0, 2 ** 52), truncated);
        assert.equal((await reader.read(0, 1000)).byteLength, 1000);
        await reader.close();
      });

      blobTest('what is read belongs to the caller', async (store) => {
        const bytes = patternBytes(1000);
        const id = await write(store, Buffer.from(bytes));
        const reader = await store.open(id);
        (await reader.read(0, 1000)).fill(0);
        assert.deepEqual(await reader.read(0, 1000), bytes);
        await reader.close();
      });

      blobTest('a range that goes backwards is a broken invariant', async (store) => {
        const reader = await store.open(await write(store, patternBytes(10)));
        for (const [start, end] of [[2, 1], [-1, 1], [0.5, 1], [0, NaN]]) await assert.rejects(reader.read(start!, end!), /broken invariant/);
        await reader.close();
      });
    });

    describe('abort and remove', () => {
      blobTest('an aborted blob is gone, with everything it had', async (store) => {
        for (const sizeBytes of [0, 10, 1_000_000]) {
          const id = randomBlobId();
          const writer = await store.create(id);
          // Not awaited: the abort comes while a write may be under way.
          const appended = writer.append(patternBytes(sizeBytes));
          await writer.abort();
          await appended;
          await assert.rejects(store.open(id), { name: 'BlobError', code: 'missing' });
        }
        assert.deepEqual(await listAll(store), []);
      });

      blobTest('abort never throws, not even after the end', async (store) => {
        const id = randomBlobId();
        const writer = await store.create(id);
        await writer.append(patternBytes(10));
        await writer.finish();
        await writer.abort();
        assert.equal((await readWhole(store, id)).byteLength, 10, 'and then it removes nothing');
        const other = await store.create(randomBlobId());
        await other.abort();
        await other.abort();
      });

      blobTest('after the end there is no append and no finish', async (store) => {
        const finished = await store.create(randomBlobId());
        await finished.finish();
        const aborted = await store.create(randomBlobId());
        await aborted.abort();
        for (const writer of [finished, aborted]) {
          await assert.rejects(writer.append(Buffer.from('x')), /broken invariant/);
          await assert.rejects(writer.finish(), /broken invariant/);
        }
      });

      blobTest('a removed blob is missing; removing it again is no error', async (store) => {
        const id = await write(store, patternBytes(10));
        const other = await write(store, patternBytes(20));
        await store.remove(id);
        await assert.rejects(store.open(id), { name: 'BlobError', code: 'missing' });
        await store.remove(id);
        await store.remove(randomBlobId());
        assert.deepEqual((await listAll(store)).map((listing) => listing.id), [other]);
      });

      blobTest('a reader goes on when its blob is removed', async (store) => {
        const bytes = patternBytes(500_000);
        const id = await write(store, Buffer.from(bytes));
        const reader = await store.open(id);
        await reader.read(0, 100);
        await store.remove(id);
        assert.ok((await reader.read(0, bytes.byteLength)).equals(bytes));
        await reader.close();
      });

      blobTest('many removals at the same time', async (store) => {
        const ids = await Promise.all(Array.from({ length: 20 }, () => write(store, patternBytes(10))));
        await Promise.all(ids.map((id) => store.remove(id)));
        assert.deepEqual(await listAll(store), []);
      });
    });

    describe('readers', () => {
      blobTest('a blob that never was is missing', async (store) => {
        await assert.rejects(store.open(randomBlobId()), { name: 'BlobError', code: 'missing' });
      });

      blobTest('close waits for reads under way; after it there are none', async (store) => {
        const bytes = patternBytes(4_000_000);
        const reader = await store.open(await write(store, Buffer.from(bytes)));
        const ended: string[] = [];
        const read = async (start: number, end: number): Promise<void> => {
          assert.ok((await reader.read(start, end)).equals(bytes.subarray(start, end)));
          ended.push('read');
        };
        const closed = async (): Promise<void> => {
          await reader.close();
          ended.push('close');
        };
        await Promise.all([read(0, 4_000_000), read(1000, 2000), closed()]);
        assert.deepEqual(ended, ['read', 'read', 'close']);
        await reader.close();
        await assert.rejects(reader.read(0, 1), /broken invariant/);
      });
    });

    describe('list', () => {
      blobTest('shows every blob, finished or not, with its size and time', async (store) => {
        const beforeMs = Date.now();
        const sizes = new Map<BlobId, number>();
        for (const sizeBytes of [0, 1, 300_000]) sizes.set(await write(store, patternBytes(sizeBytes)), sizeBytes);
        const unfinishedId = randomBlobId();
        const unfinished = await store.create(unfinishedId);
        await unfinished.append(patternBytes(10));
        const listings = await listAll(store);
        assert.equal(listings.length, 4);
        for (const listing of listings) {
          // Clocks of file systems tick in steps of some milliseconds.
          assert.ok(listing.modifiedMs > beforeMs - 2_000 && listing.modifiedMs < Date.now() + 2_000);
          if (listing.id !== unfinishedId) assert.equal(listing.sizeBytes, sizes.get(listing.id));
        }
        assert.ok(listings.some((listing) => listing.id === unfinishedId));
        await unfinished.finish();
      });

      blobTest('an empty store lists nothing', async (store) => {
        assert.deepEqual(await listAll(store), []);
      });
    });

    describe('ids', () => {
      blobTest('what is not 32 lower-case hex digits is a broken invariant', async (store) => {
        const id = '0123456789abcdef0123456789abcdef';
        const others = ['', id.slice(1), `${id}0`, id.toUpperCase(), `${id.slice(0, 31)}g`, `${id}\n`, `../${id.slice(3)}`, `${id.slice(0, 30)}/.`, `${id.slice(0, 31)}\0`];
        for (const other of others) {
          await assert.rejects(store.create(other), /broken invariant/, JSON.stringify(other));
          await assert.rejects(store.open(other), /broken invariant/, JSON.stringify(other));
          await assert.rejects(store.remove(other), /broken invariant/, JSON.stringify(other));
        }
      });

      blobTest('an id is used once', async (store) => {
        const id = await write(store, patternBytes(10));
        await assert.rejects(store.create(id), /broken invariant/);
        assert.deepEqual(await readWhole(store, id), patternBytes(10), 'and the blob is as it was');
      });
    });
  });
}
