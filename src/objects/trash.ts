/**
 * What commits unlinked is removed later, by whoever holds the lease for it: a crash between leaves work, never loss.
 */
import type { CatalogEntry } from '../catalog/index.ts';
import { blobReferenceKey, endOfPrefix, segmentPrefix, trashKey, uint64 } from './keys.ts';
import { decodeRecord, type SegmentRecord, type TrashRecord } from './records.ts';
import type { StoreContext } from './store-context.ts';

const batchSize = 100;

/** Removes what is due; how many entries it removed. Safe to run twice, and in two processes. */
export async function reapTrash(store: StoreContext, signal?: AbortSignal): Promise<number> {
  let reaped = 0;
  const start = trashKey(0, Buffer.alloc(0));
  const end = Buffer.concat([Buffer.from('t/'), uint64(store.clock.nowMs() + 1)]);
  while (!signal?.aborted) {
    const entries = await store.catalog.range({ start, end, limit: batchSize });
    for (const entry of entries) {
      await reap(store, entry);
      reaped += 1;
    }
    if (entries.length < batchSize) break;
  }
  return reaped;
}

async function reap(store: StoreContext, entry: CatalogEntry): Promise<void> {
  const record = decodeRecord<TrashRecord>(entry.value);
  const segments = record.segmentsOf === undefined ? [] : await segmentsOf(store, Buffer.from(record.segmentsOf, 'base64url'));
  const blobs = [...(record.blobs ?? []), ...segments.flatMap(({ value }) => decodeRecord<SegmentRecord>(value).parts.map(({ blob }) => blob))];
  // Blobs first: as long as the entry stands, what it names can be found again.
  for (const blob of blobs) await store.blobs.remove(blob);
  await store.catalog.commit({ deletes: [entry.key, ...blobs.map(blobReferenceKey), ...segments.map(({ key }) => key)] });
}

async function segmentsOf(store: StoreContext, nonce: Buffer): Promise<CatalogEntry[]> {
  const start = segmentPrefix(nonce);
  return store.catalog.range({ start, end: endOfPrefix(start) });
}
