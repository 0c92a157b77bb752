/** Buckets: their records, and what it takes to make and change one. Removing one is delete-bucket.ts. */
import { endOfPrefix, bucketRecordKey } from './keys.ts';
import { ObjectStoreError } from './errors.ts';
import { decodeRecord, encodeRecord, type BucketRecord } from './records.ts';
import { commitAttemptsMax, type StoreContext } from './store-context.ts';

/** A record together with its bytes, so that a commit can check that it is still the same. */
export interface Stored<Record> {
  record: Record;
  bytes: Buffer;
}

/** Beyond this length there is no bucket, and a name from the network may have any. */
const bucketNameLengthMax = 63;

export async function findBucket(store: StoreContext, bucket: string): Promise<Stored<BucketRecord> | undefined> {
  if (bucket.length > bucketNameLengthMax) return undefined;
  const bytes = await store.catalog.get(bucketRecordKey(bucket));
  return bytes === undefined ? undefined : { record: decodeRecord<BucketRecord>(bytes), bytes };
}

/** Throws ObjectStoreError `no-such-bucket`. */
export async function getBucket(store: StoreContext, bucket: string): Promise<Stored<BucketRecord>> {
  const found = await findBucket(store, bucket);
  if (found === undefined) throw noSuchBucket(bucket);
  return found;
}

/** False when a bucket of that name exists already. */
export async function createBucket(store: StoreContext, record: BucketRecord): Promise<boolean> {
  const key = bucketRecordKey(record.name);
  return store.catalog.commit({ checks: [{ kind: 'value', key, value: undefined }], puts: [{ key, value: encodeRecord(record) }] });
}

/** Applies `change` to the newest record; it may run more than once. Throws ObjectStoreError `no-such-bucket`. */
export async function updateBucket(store: StoreContext, bucket: string, change: (record: BucketRecord) => BucketRecord): Promise<void> {
  const key = bucketRecordKey(bucket);
  for (let attempt = 0; attempt < commitAttemptsMax; attempt++) {
    const { record, bytes } = await getBucket(store, bucket);
    const changed = await store.catalog.commit({
      checks: [{ kind: 'value', key, value: bytes }],
      puts: [{ key, value: encodeRecord(change(record)) }],
    });
    if (changed) return;
  }
  throw new ObjectStoreError('conflict', 'too many writers');
}

export interface BucketPage {
  buckets: BucketRecord[];
  isTruncated: boolean;
}

/** Buckets by name, from the first name after `after`. */
export async function listBuckets(store: StoreContext, options: { prefix: string; after: string | undefined; limit: number }): Promise<BucketPage> {
  const prefix = bucketRecordKey(options.prefix);
  const start = options.after === undefined ? prefix : Buffer.concat([bucketRecordKey(options.after), Buffer.of(0)]);
  const entries = await store.catalog.range({
    start: Buffer.compare(start, prefix) < 0 ? prefix : start, end: endOfPrefix(prefix), limit: options.limit + 1,
  });
  return {
    buckets: entries.slice(0, options.limit).map(({ value }) => decodeRecord<BucketRecord>(value)),
    isTruncated: entries.length > options.limit,
  };
}

export function noSuchBucket(bucket: string): ObjectStoreError {
  return new ObjectStoreError('no-such-bucket', bucket, { bucket });
}
