/**
 * Multipart uploads: begun, filled with parts, then completed into a version or aborted.
 * Parts are blobs of their own, sealed under the upload's data key with a fresh salt for every attempt.
 */
import { randomBytes } from 'node:crypto';
import { getBucket, type Stored } from './buckets.ts';
import { ObjectStoreError } from './errors.ts';
import { list, type ListOptions, type ListPage, type Table } from './listing.ts';
import {
  blobReferenceKey, bucketPrefix, bucketRecordKey, endOfPrefix, partKey, partPrefix, segmentKey, trashKey, uploadKey, uploadPrefix,
} from './keys.ts';
import {
  decodeRecord, encodeRecord, partsPerSegment, type BucketRecord, type PartRecord, type SegmentRecord, type TrashRecord, type UploadRecord, type VersionRecord,
} from './records.ts';
import { commitAttemptsMax, trashDelayMs, type StoreContext } from './store-context.ts';
import { commitVersion, nonceBytes, type CommittedVersion, type NewVersion } from './versions.ts';

export interface FoundUpload extends Stored<UploadRecord> {
  bucket: string;
  uploadId: string;
}

/** Start (8) XOR the nonce's first half, then nonce (16), in base64url. */
export function encodeUploadId(upload: { startedMs: number; nonce: string }): string {
  const nonce = Buffer.from(upload.nonce, 'base64url');
  const head = Buffer.allocUnsafe(8);
  head.writeBigUInt64BE(BigInt(upload.startedMs) ^ nonce.readBigUInt64BE(0));
  return Buffer.concat([head, nonce]).toString('base64url');
}

/** Undefined when the text is no upload id. */
export function decodeUploadId(text: string): { startedMs: number; nonce: Buffer } | undefined {
  if (!/^[A-Za-z0-9_-]{32}$/.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  const startedMs = Number(bytes.readBigUInt64BE(0) ^ bytes.readBigUInt64BE(8));
  return Number.isSafeInteger(startedMs) ? { startedMs, nonce: bytes.subarray(8) } : undefined;
}

/** Throws ObjectStoreError `no-such-bucket`. */
export async function createUpload(store: StoreContext, bucket: string, upload: UploadRecord): Promise<string> {
  for (let attempt = 0; attempt < commitAttemptsMax; attempt++) {
    const { bytes } = await getBucket(store, bucket);
    const key = uploadKey(bucket, upload.key, upload.startedMs, nonceBytes(upload));
    const made = await store.catalog.commit({
      checks: [{ kind: 'value', key: bucketRecordKey(bucket), value: bytes }, { kind: 'value', key, value: undefined }],
      puts: [{ key, value: encodeRecord(upload) }],
    });
    if (made) return encodeUploadId(upload);
  }
  throw new ObjectStoreError('conflict', 'too many writers');
}

/** Throws ObjectStoreError `no-such-upload`. */
export async function getUpload(store: StoreContext, bucket: string, key: string, uploadId: string): Promise<FoundUpload> {
  const decoded = decodeUploadId(uploadId);
  const bytes = decoded && (await store.catalog.get(uploadKey(bucket, key, decoded.startedMs, decoded.nonce)));
  if (bytes === undefined) throw noSuchUpload(uploadId);
  return { bucket, uploadId, record: decodeRecord<UploadRecord>(bytes), bytes };
}

/** Makes the part visible; a part of the same number is replaced. Throws ObjectStoreError `no-such-upload`. */
export async function putPart(store: StoreContext, upload: FoundUpload, part: PartRecord): Promise<void> {
  const nonce = nonceBytes(upload.record);
  const key = partKey(nonce, part.number);
  for (let attempt = 0; attempt < commitAttemptsMax; attempt++) {
    const replaced = await store.catalog.get(key);
    const puts: { key: Buffer; value: Buffer }[] = [{ key, value: encodeRecord(part) }, { key: blobReferenceKey(part.blob), value: Buffer.alloc(0) }];
    if (replaced !== undefined) puts.push(trash(store, [decodeRecord<PartRecord>(replaced).blob]));
    const done = await store.catalog.commit({
      checks: [{ kind: 'value', key: recordKeyOf(upload), value: upload.bytes }, { kind: 'value', key, value: replaced }],
      puts,
    });
    if (done) return;
    // The upload ended meanwhile, or another attempt at this part was faster.
    await getUpload(store, upload.bucket, upload.record.key, upload.uploadId);
  }
  throw new ObjectStoreError('conflict', 'too many writers');
}

/** Parts by number, from the first one after `after`. */
export async function listParts(store: StoreContext, upload: UploadRecord, options: { after?: number; limit?: number } = {}): Promise<PartRecord[]> {
  const nonce = nonceBytes(upload);
  const after = options.after ?? 0;
  if (after >= 0xffff) return [];
  const entries = await store.catalog.range({
    start: partKey(nonce, after + 1), end: endOfPrefix(partPrefix(nonce)), ...(options.limit === undefined ? {} : { limit: options.limit }),
  });
  return entries.map(({ value }) => decodeRecord<PartRecord>(value));
}

export interface Completion {
  upload: FoundUpload;
  /** The chosen parts, in order. */
  parts: readonly PartRecord[];
  /** All that the object's record needs beside its payload and name. */
  version: Omit<NewVersion, 'kind' | 'payload' | 'nonce' | 'envelope'>;
  precondition?: ((current: VersionRecord | undefined, bucket: BucketRecord) => void) | undefined;
}

/** Turns the upload into a version, in one commit. Throws ObjectStoreError `conflict` when a part changed meanwhile. */
export async function completeUpload(store: StoreContext, completion: Completion): Promise<CommittedVersion> {
  const { upload, parts } = completion;
  const nonce = nonceBytes(upload.record);
  const chosen = new Set(parts.map(({ number }) => number));
  const all = await listParts(store, upload.record);
  const unused = all.filter(({ number }) => !chosen.has(number));
  const segments: { key: Buffer; value: Buffer }[] = [];
  const segmentStarts: number[] = [];
  let start = 0;
  for (let first = 0; first < parts.length; first += partsPerSegment) {
    const slice = parts.slice(first, first + partsPerSegment);
    const segment: SegmentRecord = { v: 1, parts: slice.map(({ number, size, blob, etag, checksum }) => ({ number, size, blob, etag, ...(checksum ? { checksum } : {}) })) };
    segments.push({ key: segmentKey(nonce, segmentStarts.length), value: encodeRecord(segment) });
    segmentStarts.push(start);
    for (const { size } of slice) start += size;
  }
  const committed = await commitVersion(store, {
    bucket: upload.bucket,
    key: upload.record.key,
    precondition: completion.precondition,
    revalidate: async () => {
      const now = await getUpload(store, upload.bucket, upload.record.key, upload.uploadId);
      const partsNow = new Map((await listParts(store, now.record)).map((part) => [part.number, part.blob]));
      const changed = parts.find(({ number, blob }) => partsNow.get(number) !== blob);
      if (changed !== undefined) throw new ObjectStoreError('conflict', 'a part was replaced', { partNumber: String(changed.number) });
    },
    version: {
      ...completion.version, kind: 'object', nonce: upload.record.nonce, envelope: upload.record.envelope,
      payload: { at: 'parts', partCount: parts.length, segmentStarts },
    },
    also: {
      checks: [
        { kind: 'value', key: recordKeyOf(upload), value: upload.bytes },
        ...parts.map((part) => ({ kind: 'value', key: partKey(nonce, part.number), value: encodeRecord(part) }) as const),
      ],
      puts: [...segments, ...(unused.length > 0 ? [trash(store, unused.map(({ blob }) => blob))] : [])],
      deletes: [recordKeyOf(upload), ...all.map(({ number }) => partKey(nonce, number))],
    },
  });
  await sweepParts(store, upload.record);
  return committed;
}

/** Throws ObjectStoreError `no-such-upload` when it ended meanwhile. */
export async function abortUpload(store: StoreContext, upload: FoundUpload): Promise<void> {
  const gone = await store.catalog.commit({
    checks: [{ kind: 'value', key: recordKeyOf(upload), value: upload.bytes }], deletes: [recordKeyOf(upload)],
  });
  if (!gone) throw noSuchUpload(upload.uploadId);
  await sweepParts(store, upload.record);
}

export async function abortAllUploads(store: StoreContext, bucket: string): Promise<void> {
  const start = bucketPrefix('u/', bucket);
  for (;;) {
    const entries = await store.catalog.range({ start, end: endOfPrefix(start), limit: 100 });
    if (entries.length === 0) return;
    for (const { value } of entries) {
      const record = decodeRecord<UploadRecord>(value);
      const upload = { bucket, uploadId: encodeUploadId(record), record, bytes: value };
      await abortUpload(store, upload).catch((error: unknown) => {
        if (!(error instanceof ObjectStoreError && error.code === 'no-such-upload')) throw error;
      });
    }
  }
}

/** Parts whose upload has ended go to the trash, those too that came in at the last moment. */
export async function sweepParts(store: StoreContext, upload: { nonce: string }): Promise<void> {
  const prefix = partPrefix(nonceBytes(upload));
  for (;;) {
    const entries = await store.catalog.range({ start: prefix, end: endOfPrefix(prefix), limit: 1_000 });
    if (entries.length === 0) return;
    await store.catalog.commit({
      checks: entries.map(({ key, value }) => ({ kind: 'value', key, value })),
      puts: [trash(store, entries.map(({ value }) => decodeRecord<PartRecord>(value).blob))],
      deletes: entries.map(({ key }) => key),
    });
  }
}

export interface UploadPosition {
  key: string;
  /** Absent: behind all uploads of the key. */
  uploadId?: string;
}

/** Uploads of a bucket by key, then start. */
export function listUploads(
  store: StoreContext, bucket: string, options: Omit<ListOptions, 'after'> & { after: UploadPosition | undefined },
): Promise<ListPage<FoundUpload>> {
  const { after } = options;
  const decoded = after?.uploadId === undefined ? undefined : decodeUploadId(after.uploadId);
  const table: Table<FoundUpload> = {
    prefix: bucketPrefix('u/', bucket),
    // 00 start(8) nonce(16)
    suffixSizeBytes: 25,
    behind: (key) =>
      decoded === undefined ? endOfPrefix(uploadPrefix(bucket, key)) : Buffer.concat([uploadKey(bucket, key, decoded.startedMs, decoded.nonce), Buffer.of(0)]),
    decode: (bytes) => {
      const record = decodeRecord<UploadRecord>(bytes);
      return { bucket, uploadId: encodeUploadId(record), record, bytes };
    },
  };
  return list(store, table, { ...options, after: after?.key });
}

function recordKeyOf(upload: FoundUpload): Buffer {
  return uploadKey(upload.bucket, upload.record.key, upload.record.startedMs, nonceBytes(upload.record));
}

function trash(store: StoreContext, blobs: string[]): { key: Buffer; value: Buffer } {
  const record: TrashRecord = { v: 1, blobs };
  return { key: trashKey(store.clock.nowMs() + trashDelayMs, randomBytes(16)), value: encodeRecord(record) };
}

function noSuchUpload(uploadId: string): ObjectStoreError {
  return new ObjectStoreError('no-such-upload', uploadId, { uploadId });
}
