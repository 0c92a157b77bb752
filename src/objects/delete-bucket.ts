/** The end of a bucket: with it go its record and the uploads that are open in it. */
import { getBucket } from './buckets.ts';
import { ObjectStoreError } from './errors.ts';
import { bucketPrefix, bucketRecordKey, endOfPrefix } from './keys.ts';
import { commitAttemptsMax, type StoreContext } from './store-context.ts';
import { abortAllUploads } from './uploads.ts';

/** Open uploads do not hinder, versions do. Throws ObjectStoreError `no-such-bucket`, `bucket-not-empty`. */
export async function deleteBucket(store: StoreContext, bucket: string): Promise<void> {
  const key = bucketRecordKey(bucket);
  for (let attempt = 0; attempt < commitAttemptsMax; attempt++) {
    const { bytes } = await getBucket(store, bucket);
    const objects = prefixSpan('o/', bucket);
    if ((await store.catalog.range({ ...objects, limit: 1 })).length > 0) throw new ObjectStoreError('bucket-not-empty', bucket);
    await abortAllUploads(store, bucket);
    const gone = await store.catalog.commit({
      checks: [
        { kind: 'value', key, value: bytes },
        { kind: 'empty', ...objects },
        { kind: 'empty', ...prefixSpan('u/', bucket) },
      ],
      deletes: [key],
    });
    if (gone) return;
  }
  throw new ObjectStoreError('conflict', 'too many writers');
}

function prefixSpan(table: 'o/' | 'u/', bucket: string): { start: Buffer; end: Buffer } {
  const start = bucketPrefix(table, bucket);
  return { start, end: endOfPrefix(start) };
}
