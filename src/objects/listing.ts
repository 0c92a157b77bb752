/**
 * Listings in byte order of the keys. A common prefix is found once and then stepped over by seeking, so that a
 * listing with a delimiter costs what it shows, not what lies below.
 */
import { bucketPrefix, endOfPrefix, noncurrentKey, noncurrentPrefix } from './keys.ts';
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

const pageSize = 1_000;

/** Current objects; delete markers do not show. */
export function listObjects(store: StoreContext, bucket: string, options: ListOptions): Promise<ListPage<VersionRecord>> {
  return list(fetchCurrent(store, bucket), bucketPrefix('o/', bucket), options, ({ kind }) => kind === 'object');
}

type Fetch<Item> = (start: Buffer, end: Buffer, limit: number) => Promise<Listed<Item>[]>;

function fetchCurrent(store: StoreContext, bucket: string): Fetch<VersionRecord> {
  const tableSizeBytes = bucketPrefix('o/', bucket).byteLength;
  return async (start, end, limit) => {
    const entries = await store.catalog.range({ start, end, limit });
    return entries.map((entry) => ({ entry, key: entry.key.toString('utf8', tableSizeBytes), item: decodeRecord<VersionRecord>(entry.value) }));
  };
}

/** What a paged fetch gives; `entry.key` is where it lies, so that the next fetch can go on behind it. */
export interface Listed<Item> {
  entry: { key: Buffer };
  key: string;
  item: Item;
}

/**
 * Pages through a table whose catalog keys are `table` followed by the object key (and maybe more), applying
 * prefix, delimiter and marker.
 */
export async function list<Item>(
  fetch: Fetch<Item>, table: Buffer, options: ListOptions, shows: (item: Item) => boolean = () => true,
): Promise<ListPage<Item>> {
  const { prefix, delimiter, after, limit } = options;
  const entries: ListedEntry<Item>[] = [];
  if (limit === 0) return { entries, isTruncated: false };
  const first = Buffer.concat([table, Buffer.from(prefix, 'utf8')]);
  const end = endOfPrefix(first);
  let start: Buffer = first;
  if (after !== undefined) {
    const behind = Buffer.concat([table, Buffer.from(after, 'utf8')]);
    const skipsPrefix = delimiter !== '' && after.startsWith(prefix) && after.slice(prefix.length).includes(delimiter);
    const commonPrefix = skipsPrefix ? prefix + upTo(after.slice(prefix.length), delimiter) : undefined;
    // A marker inside a common prefix was shown as that prefix: all of it lies behind us only if it is the prefix itself.
    const next = commonPrefix === after ? endOfPrefix(behind) : Buffer.concat([behind, Buffer.of(0)]);
    if (Buffer.compare(next, start) > 0) start = next;
  }
  while (Buffer.compare(start, end) < 0) {
    const wanted = Math.min(pageSize, limit - entries.length + 1);
    const batch = await fetch(start, end, wanted);
    let seek: Buffer | undefined;
    for (const { entry, key, item } of batch) {
      start = Buffer.concat([entry.key, Buffer.of(0)]);
      if (!shows(item)) continue;
      const rest = key.slice(prefix.length);
      const isGrouped = delimiter !== '' && rest.includes(delimiter);
      if (entries.length === limit) return { entries, isTruncated: true };
      if (isGrouped) {
        const commonPrefix = prefix + upTo(rest, delimiter);
        entries.push({ kind: 'prefix', prefix: commonPrefix });
        seek = endOfPrefix(Buffer.concat([table, Buffer.from(commonPrefix, 'utf8')]));
        break;
      }
      entries.push({ kind: 'item', key, item });
    }
    if (seek !== undefined) start = seek;
    else if (batch.length < wanted) break;
  }
  return { entries, isTruncated: false };
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
  const add = async (key: string, current: VersionRecord | undefined, below?: number): Promise<boolean> => {
    for (const item of await versionsOf(store, bucket, key, current, below, limit - entries.length + 1)) {
      if (entries.length === limit) return false;
      entries.push({ kind: 'item', key, item });
    }
    return true;
  };
  // A grouped key was shown as its prefix and has no version marker.
  if (after?.sequence !== undefined && after.key.startsWith(prefix) && !(await add(after.key, undefined, after.sequence))) {
    return { entries, isTruncated: true };
  }
  let marker = after?.key;
  for (;;) {
    const pageOptions = { prefix, delimiter, after: marker, limit: limit - entries.length + 1 };
    const page = await list(fetchCurrent(store, bucket), bucketPrefix('o/', bucket), pageOptions);
    for (const line of page.entries) {
      if (line.kind === 'prefix') {
        if (entries.length === limit) return { entries, isTruncated: true };
        entries.push(line);
        marker = line.prefix;
      } else {
        if (!(await add(line.key, line.item))) return { entries, isTruncated: true };
        marker = line.key;
      }
    }
    if (!page.isTruncated) return { entries, isTruncated: false };
  }
}

/** Versions of one key, newest first; only those older than `below` where given. */
async function versionsOf(
  store: StoreContext, bucket: string, key: string, current: VersionRecord | undefined, below: number | undefined, limit: number,
): Promise<ListedVersion[]> {
  const prefix = noncurrentPrefix(bucket, key);
  const start = below === undefined || below === 0 ? prefix : noncurrentKey(bucket, key, below - 1);
  const older = await store.catalog.range({ start, end: endOfPrefix(prefix), limit });
  const versions: ListedVersion[] = current === undefined ? [] : [{ record: current, isLatest: true }];
  for (const { value } of older) versions.push({ record: decodeRecord<VersionRecord>(value), isLatest: false });
  return versions;
}

/** The string up to and including the first delimiter. */
function upTo(text: string, delimiter: string): string {
  return text.slice(0, text.indexOf(delimiter) + delimiter.length);
}
