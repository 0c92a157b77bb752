/**
 * The scrubber finds what a crash can leave behind: blobs that no record names, and parts whose upload has ended.
 * It removes only what is old enough not to belong to a request that is still under way.
 */
import { blobReferenceKey, endOfPrefix, partPrefix } from './keys.ts';
import { decodeRecord, type PartRecord, type UploadRecord } from './records.ts';
import type { StoreContext } from './store-context.ts';
import { sweepParts } from './uploads.ts';

export interface Orphan {
  id: string;
  sizeBytes: number;
  modifiedMs: number;
}

/** Longer than any single write may take. */
export const orphanAgeMs = 24 * 3_600_000;

/** Blobs that no record names and that have not changed for `olderThanMs`. */
export async function* findOrphans(store: StoreContext, olderThanMs = orphanAgeMs): AsyncGenerator<Orphan, void, undefined> {
  for await (const blob of store.blobs.list()) {
    if (blob.modifiedMs > store.clock.nowMs() - olderThanMs) continue;
    if ((await store.catalog.get(blobReferenceKey(blob.id))) === undefined) yield blob;
  }
}

/** Removes orphans; how many. */
export async function removeOrphans(store: StoreContext, olderThanMs = orphanAgeMs, signal?: AbortSignal): Promise<number> {
  let removed = 0;
  for await (const { id } of findOrphans(store, olderThanMs)) {
    if (signal?.aborted) break;
    await store.blobs.remove(id);
    removed += 1;
  }
  return removed;
}

/**
 * Parts that came in at the very moment when their upload ended, and whose server died before it swept them.
 * Returns how many uploads' leftovers went to the trash.
 */
export async function sweepLeftParts(store: StoreContext, olderThanMs = orphanAgeMs, signal?: AbortSignal): Promise<number> {
  const open = new Set<string>();
  for await (const { value } of entriesBehind(store, Buffer.from('u/'))) open.add(decodeRecord<UploadRecord>(value).nonce);
  const table = Buffer.from('w/');
  let swept = 0;
  let start: Buffer = table;
  while (!signal?.aborted) {
    const [first] = await store.catalog.range({ start, end: endOfPrefix(table), limit: 1 });
    if (first === undefined) break;
    const nonceBytes = first.key.subarray(table.byteLength, table.byteLength + 16);
    const nonce = nonceBytes.toString('base64url');
    const isOld = decodeRecord<PartRecord>(first.value).modifiedMs <= store.clock.nowMs() - olderThanMs;
    if (!open.has(nonce) && isOld) {
      await sweepParts(store, { nonce });
      swept += 1;
    }
    start = endOfPrefix(partPrefix(nonceBytes));
  }
  return swept;
}

async function* entriesBehind(store: StoreContext, prefix: Buffer): AsyncGenerator<{ key: Buffer; value: Buffer }, void, undefined> {
  let start = prefix;
  for (;;) {
    const entries = await store.catalog.range({ start, end: endOfPrefix(prefix), limit: 500 });
    yield* entries;
    const last = entries.at(-1);
    if (last === undefined || entries.length < 500) return;
    start = Buffer.concat([last.key, Buffer.of(0)]);
  }
}
