/**
 * Listings in byte order of the keys. A common prefix is found once and then stepped over by seeking, so that a
 * listing with a delimiter costs what it shows, not what lies below.
 */
import type { CatalogEntry } from '../catalog/index.ts';
import { bucketPrefix, currentKey, endOfPrefix, noncurrentKey, noncurrentPrefix } from './keys.ts';
import { decodeRecord, type VersionRecord } from './records.ts';
import type { StoreContext } from './store-context.ts';

/** One line of a listing. */
export type ListedEntry<Item> = { kind: 'item'; key: string; item: Item } | { kind: 'prefix'; prefix: string };

export interface ListOptions {
  prefix: string;
  delimiter: string;
  /** Keys and prefixes must come behind this string; itself excluded. */
  after: string | undefined;
  /** Most lines; 0 gives an empty page that is not truncated. */
  limit: number;
}

export interface ListPage<Item> {
  entries: ListedEntry<Item>[];
  isTruncated: boolean;
}

/** Rows of one bucket in the catalog, in order of the object keys in them. */
export interface Table<Item> {
  /** The bytes before the object key in every catalog key. */
  prefix: Buffer;
  /** How many bytes come behind the object key. */
  suffixSizeBytes: number;
  /** The first place behind all rows that a marker of this object key has passed. */
  behind(key: string): Buffer;
  decode(value: Buffer): Item;
}

/** A page of 1,000 lines and the row that tells whether there are more. */
const batchSizeMax = 1_001;
/** Behind a common prefix another one is likely: most of a long batch would be read in vain. */
const batchSizeMin = 16;

/** Current objects; delete markers do not show. */
export function listObjects(store: StoreContext, bucket: string, options: ListOptions): Promise<ListPage<VersionRecord>> {
  return list(store, currentVersions(bucket), options, ({ kind }) => kind === 'object');
}

function currentVersions(bucket: string): Table<VersionRecord> {
  const prefix = bucketPrefix('o/', bucket);
  return { prefix, suffixSizeBytes: 0, behind: (key) => Buffer.concat([prefix, Buffer.from(key, 'utf8'), Buffer.of(0)]), decode: decodeRecord<VersionRecord> };
}

/** Pages through a table, applying prefix, delimiter and marker. */
export async function list<Item>(
  store: StoreContext, table: Table<Item>, options: ListOptions, shows: (item: Item) => boolean = () => true,
): Promise<ListPage<Item>> {
  const { prefix, delimiter, after, limit } = options;
  const entries: ListedEntry<Item>[] = [];
  if (limit === 0) return { entries, isTruncated: false };
  const behindPrefix = (text: string): Buffer => endOfPrefix(Buffer.concat([table.prefix, Buffer.from(text, 'utf8')]));
  let start: Buffer = Buffer.concat([table.prefix, Buffer.from(prefix, 'utf8')]);
  const end = endOfPrefix(start);
  if (after !== undefined) {
    // A marker inside a common prefix has passed that prefix only where it is the prefix itself.
    const next = commonPrefixOf(after, prefix, delimiter) === after ? behindPrefix(after) : table.behind(after);
    if (Buffer.compare(next, start) > 0) start = next;
  }
  let batchSize = delimiter === '' ? Math.min(batchSizeMax, limit + 1) : batchSizeMin;
  while (Buffer.compare(start, end) < 0) {
    const batch = await store.catalog.range({ start, end, limit: batchSize });
    let seek: Buffer | undefined;
    for (const { key: rowKey, value } of batch) {
      const item = table.decode(value);
      if (!shows(item)) continue;
      if (entries.length === limit) return { entries, isTruncated: true };
      const key = rowKey.toString('utf8', table.prefix.byteLength, rowKey.byteLength - table.suffixSizeBytes);
      const commonPrefix = commonPrefixOf(key, prefix, delimiter);
      if (commonPrefix !== undefined) {
        entries.push({ kind: 'prefix', prefix: commonPrefix });
        seek = behindPrefix(commonPrefix);
        break;
      }
      entries.push({ kind: 'item', key, item });
    }
    if (seek !== undefined) {
      start = seek;
      batchSize = batchSizeMin;
    } else {
      const last = batch.at(-1);
      if (last === undefined || batch.length < batchSize) break;
      start = Buffer.concat([last.key, Buffer.of(0)]);
      batchSize = Math.min(batchSizeMax, Math.max(batchSizeMin, batchSize * 4));
    }
  }
  return { entries, isTruncated: false };
}

/** The key up to and including the first delimiter behind `prefix`; undefined when the key stands for itself. */
function commonPrefixOf(key: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === '' || !key.startsWith(prefix)) return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}

export interface ListedVersion {
  record: VersionRecord;
  isLatest: boolean;
}

export interface VersionMarker {
  key: string;
  /** Sequence of the last version shown; absent: all versions of the key were. */
  sequence?: number;
}

/** All versions and delete markers of the keys, newest first within a key. */
export async function listVersions(
  store: StoreContext, bucket: string, options: Omit<ListOptions, 'after'> & { after: VersionMarker | undefined },
): Promise<ListPage<ListedVersion>> {
  const { prefix, delimiter, limit, after } = options;
  const entries: ListedEntry<ListedVersion>[] = [];
  if (limit === 0) return { entries, isTruncated: false };
  const older = new NoncurrentRows(store, bucket);
  /** False when there is a version for which there is no room. */
  const add = async (key: string, current: VersionRecord | undefined, below: number): Promise<boolean> => {
    if (current !== undefined) {
      if (entries.length === limit) return false;
      entries.push({ kind: 'item', key, item: { record: current, isLatest: true } });
    }
    for (let record = await older.next(key, below); record !== undefined; record = await older.next(key, record.sequence)) {
      if (entries.length === limit) return false;
      entries.push({ kind: 'item', key, item: { record, isLatest: false } });
    }
    return true;
  };
  // A grouped key was shown as its prefix, whatever version the marker names.
  if (after?.sequence !== undefined && after.key.startsWith(prefix) && commonPrefixOf(after.key, prefix, delimiter) === undefined) {
    const bytes = await store.catalog.get(currentKey(bucket, after.key));
    const current = bytes === undefined ? undefined : decodeRecord<VersionRecord>(bytes);
    // What stood before the marker may have been removed since, so that an older version is the current one by now.
    const isUnseen = current !== undefined && current.sequence < after.sequence;
    if (!(await add(after.key, isUnseen ? current : undefined, isUnseen ? current.sequence : after.sequence))) return { entries, isTruncated: true };
  }
  let marker = after?.key;
  for (;;) {
    const page = await list(store, currentVersions(bucket), { prefix, delimiter, after: marker, limit: limit - entries.length + 1 });
    for (const line of page.entries) {
      if (line.kind === 'item') {
        if (!(await add(line.key, line.item, line.item.sequence))) return { entries, isTruncated: true };
        marker = line.key;
      } else {
        if (entries.length === limit) return { entries, isTruncated: true };
        entries.push(line);
        marker = line.prefix;
      }
    }
    if (!page.isTruncated) return { entries, isTruncated: false };
  }
}

const readAheadMax = 256;

/** Noncurrent versions, read ahead in batches: the keys are asked for in ascending order, and most have none. */
class NoncurrentRows {
  readonly #store: StoreContext;
  readonly #bucket: string;
  readonly #end: Buffer;
  #rows: CatalogEntry[] = [];
  #index = 0;
  #batchSize = batchSizeMin;
  #isExhausted = false;

  constructor(store: StoreContext, bucket: string) {
    this.#store = store;
    this.#bucket = bucket;
    this.#end = endOfPrefix(bucketPrefix('v/', bucket));
  }

  /** The newest noncurrent version of `key` older than the sequence `below`. */
  async next(key: string, below: number): Promise<VersionRecord | undefined> {
    // Sequences count from 1.
    if (below <= 1) return undefined;
    const start = noncurrentKey(this.#bucket, key, below - 1);
    while (this.#index < this.#rows.length && Buffer.compare(this.#rows[this.#index]!.key, start) < 0) this.#index++;
    if (this.#index === this.#rows.length && !this.#isExhausted) {
      this.#rows = await this.#store.catalog.range({ start, end: this.#end, limit: this.#batchSize });
      this.#index = 0;
      this.#isExhausted = this.#rows.length < this.#batchSize;
      this.#batchSize = Math.min(readAheadMax, this.#batchSize * 4);
    }
    const row = this.#rows[this.#index];
    const prefix = noncurrentPrefix(this.#bucket, key);
    if (row === undefined || !row.key.subarray(0, prefix.byteLength).equals(prefix)) return undefined;
    return decodeRecord<VersionRecord>(row.value);
  }
}
