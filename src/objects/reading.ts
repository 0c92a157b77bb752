/** Plain text of a version, any range of it: from the catalog, a blob, or the parts that make it up. */
import { BlobError, type BlobReader } from '../blobs/index.ts';
import { assert, type ByteSource } from '../base/index.ts';
import type { PayloadKeys } from '../keyring/data-keys.ts';
import type { ObjectVersion } from '../seal/index.ts';
import { ObjectStoreError } from './errors.ts';
import { inlineKey, segmentKey } from './keys.ts';
import { openPayload, openWhole, storedSize } from './payload-seal.ts';
import { decodeRecord, type SegmentPart, type SegmentRecord, type VersionRecord } from './records.ts';
import type { StoreContext } from './store-context.ts';
import { nonceBytes } from './versions.ts';

/** A part and where its plain text begins in the object. */
export interface PlacedPart extends SegmentPart {
  start: number;
}

export function placeOf(bucket: string, key: string, record: { nonce: string }): ObjectVersion {
  return { bucket, key, versionNonce: nonceBytes(record) };
}

/**
 * Plain text from `start` to `end` (exclusive), whole for objects that lie in the catalog. The first bytes are read and authenticated before this resolves,
 * so that what is wrong at once fails the request and not the connection.
 * Throws ObjectStoreError `bytes-missing`, which a version that went away after its record was read shows, too; SealError.
 */
export async function readVersion(
  store: StoreContext, place: ObjectVersion, record: VersionRecord, keys: PayloadKeys, start: number, end: number,
): Promise<Buffer | ByteSource> {
  assert(0 <= start && start <= end && end <= record.size, 'a range lies inside its object');
  switch (record.payload.at) {
    case 'catalog': {
      const bytes = await store.catalog.get(inlineKey(place.versionNonce));
      if (bytes === undefined) throw bytesMissing();
      if (bytes.byteLength !== storedSize(keys, record.size)) throw new ObjectStoreError('damaged', 'an inline payload has not its size');
      if (keys.layers > 0) store.meter.opened(record.size);
      return openWhole(keys, place, bytes).subarray(start, end);
    }
    case 'blob':
      return primed(readBlob(store, record.payload.id, place, 0, record.size, keys, start, end));
    case 'parts':
      return primed(readParts(store, place, record, keys, start, end));
  }
}

/** What `readVersion` gave, as a source in any case. */
export async function* asSource(plaintext: Buffer | ByteSource): AsyncGenerator<Buffer, void, undefined> {
  if (Buffer.isBuffer(plaintext)) yield plaintext;
  else yield* plaintext;
}

/** The parts of a multipart object that lie in a range of it, or all of them. */
export async function* partsOf(
  store: StoreContext, record: VersionRecord, start = 0, end = Number.MAX_SAFE_INTEGER,
): AsyncGenerator<PlacedPart, void, undefined> {
  if (record.payload.at !== 'parts') return;
  const { segmentStarts } = record.payload;
  const nonce = nonceBytes(record);
  for (const [index, segmentStart] of segmentStarts.entries()) {
    const nextStart = segmentStarts[index + 1] ?? record.size;
    if (nextStart < start) continue;
    if (segmentStart > end) return;
    const bytes = await store.catalog.get(segmentKey(nonce, index));
    if (bytes === undefined) throw bytesMissing();
    let partStart = segmentStart;
    for (const part of decodeRecord<SegmentRecord>(bytes).parts) {
      yield { ...part, start: partStart };
      partStart += part.size;
    }
  }
}

async function* readParts(
  store: StoreContext, place: ObjectVersion, record: VersionRecord, keys: PayloadKeys, start: number, end: number,
): AsyncGenerator<Buffer, void, undefined> {
  let sizeBytes = 0;
  for await (const part of partsOf(store, record, start, end)) {
    const from = Math.max(start - part.start, 0);
    const to = Math.min(end - part.start, part.size);
    if (from >= to) continue;
    sizeBytes += to - from;
    yield* readBlob(store, part.blob, place, part.number, part.size, keys, from, to);
  }
  if (sizeBytes !== end - start) throw new ObjectStoreError('damaged', 'the parts do not add up to the object');
}

async function* readBlob(
  store: StoreContext, id: string, place: ObjectVersion, partNumber: number, sizeBytes: number, keys: PayloadKeys, start: number, end: number,
): AsyncGenerator<Buffer, void, undefined> {
  let reader: BlobReader;
  try {
    reader = await store.blobs.open(id);
  } catch (error) {
    if (error instanceof BlobError && error.code === 'missing') throw bytesMissing();
    throw error;
  }
  try {
    if (reader.sizeBytes !== storedSize(keys, sizeBytes)) throw new ObjectStoreError('damaged', 'a blob has not its size');
    yield* openPayload(keys, place, partNumber, sizeBytes, (from, to) => reader.read(from, to), start, end);
    if (keys.layers > 0) store.meter.opened(end - start);
  } finally {
    await reader.close();
  }
}

/** Pulls the first piece ahead of its consumer. */
async function primed(source: AsyncGenerator<Buffer, void, undefined>): Promise<AsyncGenerator<Buffer, void, undefined>> {
  const first = await source.next();
  return (async function* () {
    try {
      if (first.done) return;
      yield first.value;
      yield* source;
    } finally {
      await source.return();
    }
  })();
}

function bytesMissing(): ObjectStoreError {
  return new ObjectStoreError('bytes-missing', 'the bytes of a version are missing');
}
