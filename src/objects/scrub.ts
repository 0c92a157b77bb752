/**
 * The scrubber finds what a crash can leave behind: blobs that no record names, and parts whose upload has ended.
 * It removes only what is old enough not to belong to a request that is still under way.
 */
import { blobReferenceKey } from './keys.ts';
import type { StoreContext } from './store-context.ts';

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
