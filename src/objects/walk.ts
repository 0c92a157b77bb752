/** Every version of every object, for work that must see them all: verification, later re-wrapping. */
import { bucketPrefix, endOfPrefix } from './keys.ts';
import { decodeRecord, type VersionRecord } from './records.ts';
import type { StoreContext } from './store-context.ts';

export interface WalkedVersion {
  bucket: string;
  key: string;
  record: VersionRecord;
}

const batchSize = 500;

/**
 * Versions of a bucket whose keys begin with `prefix`: current ones first, then the noncurrent. A version that is
 * replaced during the walk may be seen twice or, when it is deleted, not at all.
 */
export async function* walkVersions(store: StoreContext, bucket: string, prefix = ''): AsyncGenerator<WalkedVersion, void, undefined> {
  for (const table of ['o/', 'v/'] as const) {
    const tablePrefix = bucketPrefix(table, bucket);
    let start: Buffer = Buffer.concat([tablePrefix, Buffer.from(prefix, 'utf8')]);
    const end = endOfPrefix(start);
    for (;;) {
      const entries = await store.catalog.range({ start, end, limit: batchSize });
      for (const { key, value } of entries) {
        const name = key.subarray(tablePrefix.byteLength);
        // Behind a noncurrent version's key stand a separator and its age.
        const keyBytes = table === 'o/' ? name : name.subarray(0, name.byteLength - 9);
        yield { bucket, key: keyBytes.toString('utf8'), record: decodeRecord<VersionRecord>(value) };
      }
      const last = entries.at(-1);
      if (last === undefined || entries.length < batchSize) break;
      start = Buffer.concat([last.key, Buffer.of(0)]);
    }
  }
}
