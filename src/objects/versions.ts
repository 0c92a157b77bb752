/**
 * Versions of an object: which one a reader gets, and the one commit by which a version comes, goes or changes.
 *
 * INVARIANT: a key has a current record under `o/` exactly when it has any version; noncurrent ones lie under `v/`,
 * newest first. At most one of them all is the null version; the current record knows where it is.
 */
import type { Check, Commit } from '../catalog/index.ts';
import { assert, freshRandom, type Bytes } from '../base/index.ts';
import { getBucket, type Stored } from './buckets.ts';
import { ObjectStoreError } from './errors.ts';
import { blobReferenceKey, bucketRecordKey, currentKey, endOfPrefix, inlineKey, isObjectKey, noncurrentKey, noncurrentPrefix, trashKey } from './keys.ts';
import { decodeRecord, encodeRecord, type BucketRecord, type TrashRecord, type VersionRecord } from './records.ts';
import { commitAttemptsMax, trashDelayMs, type StoreContext } from './store-context.ts';
import { decodeVersionId, encodeVersionId } from './version-id.ts';

export interface FoundVersion extends Stored<VersionRecord> {
  isCurrent: boolean;
}

/**
 * The current version, or the one that `versionId` names; delete markers too. Undefined when there is none.
 * Throws ObjectStoreError `no-such-version` when the text is no version id.
 */
export async function findVersion(store: StoreContext, bucket: string, key: string, versionId?: string): Promise<FoundVersion | undefined> {
  if (!isObjectKey(key)) return undefined;
  const bytes = await store.catalog.get(currentKey(bucket, key));
  const current = bytes === undefined ? undefined : { record: decodeRecord<VersionRecord>(bytes), bytes, isCurrent: true };
  if (versionId === undefined) return current;
  const decoded = versionId === 'null' ? undefined : decodeVersionId(versionId);
  if (versionId !== 'null' && decoded === undefined) throw new ObjectStoreError('no-such-version', versionId);
  if (current === undefined) return undefined;
  if (decoded === undefined ? current.record.isNull : isVersion(current.record, decoded.nonce)) return current;
  const sequence = decoded === undefined ? current.record.nullSequence : decoded.sequence;
  if (sequence === undefined) return undefined;
  const older = await store.catalog.get(noncurrentKey(bucket, key, sequence));
  if (older === undefined) return undefined;
  const record = decodeRecord<VersionRecord>(older);
  if (decoded === undefined ? !record.isNull : !isVersion(record, decoded.nonce)) return undefined;
  return { record, bytes: older, isCurrent: false };
}

function isVersion(record: VersionRecord, nonce: string): boolean {
  return record.nonce === nonce && !record.isNull;
}

/** A version as its writer knows it; order and addressing are decided at commit. */
export type NewVersion = Omit<VersionRecord, 'v' | 'sequence' | 'isNull' | 'modifiedMs' | 'nullSequence'>;

export interface VersionCommit {
  bucket: string;
  key: string;
  version: NewVersion;
  /** Sealed bytes of a small object. */
  inline?: Buffer | undefined;
  /** Judged against the state that the commit replaces; throws to refuse. Runs again when another writer was faster. */
  precondition?: ((current: VersionRecord | undefined, bucket: BucketRecord) => void) | undefined;
  /** Changes that belong to the same act, such as the end of an upload. */
  also?: Commit | undefined;
  /** Runs before another round: throws when `also` cannot come true any more. */
  revalidate?: (() => Promise<void>) | undefined;
  modifiedMs?: number | undefined;
}

export interface CommittedVersion {
  record: VersionRecord;
  /** Absent where the bucket never had versioning. */
  versionId: string | undefined;
}

/** Makes a version current, and moves or unlinks what it replaces. Throws ObjectStoreError `no-such-bucket`, and what the precondition throws. */
export async function commitVersion(store: StoreContext, commit: VersionCommit): Promise<CommittedVersion> {
  const { bucket, key, version } = commit;
  for (let attempt = 0; attempt < commitAttemptsMax; attempt++) {
    if (attempt > 0) await commit.revalidate?.();
    const [bucketEntry, current] = await Promise.all([getBucket(store, bucket), findVersion(store, bucket, key)]);
    commit.precondition?.(current?.record, bucketEntry.record);
    const change = new Change(store, bucket, key, bucketEntry, current);
    const isNull = bucketEntry.record.versioning !== 'Enabled';
    const nullSequence = await change.makeRoom(isNull);
    const record: VersionRecord = {
      ...version,
      v: 1,
      sequence: (current?.record.sequence ?? 0) + 1,
      isNull,
      modifiedMs: commit.modifiedMs ?? store.clock.nowMs(),
      ...(nullSequence === undefined ? {} : { nullSequence }),
    };
    change.puts.push({ key: currentKey(bucket, key), value: encodeRecord(record) });
    if (commit.inline !== undefined) change.puts.push({ key: inlineKey(nonceBytes(record)), value: commit.inline });
    if (record.payload.at === 'blob') change.puts.push({ key: blobReferenceKey(record.payload.id), value: Buffer.alloc(0) });
    if (await change.commit(commit.also)) {
      return { record, versionId: bucketEntry.record.versioning === undefined ? undefined : encodeVersionId(record) };
    }
  }
  throw new ObjectStoreError('conflict', 'too many writers');
}

/** What a delete did; `versionId` of the marker it made or the version it removed. */
export interface Deletion {
  versionId: string | undefined;
  isDeleteMarker: boolean;
}

/**
 * DeleteObject without a version id: a delete marker where versioning is or was on, else the object goes.
 */
export async function deleteCurrent(
  store: StoreContext, bucket: string, key: string, precondition?: (current: VersionRecord | undefined, bucket: BucketRecord) => void,
): Promise<Deletion> {
  for (let attempt = 0; attempt < commitAttemptsMax; attempt++) {
    const [bucketEntry, current] = await Promise.all([getBucket(store, bucket), findVersion(store, bucket, key)]);
    precondition?.(current?.record, bucketEntry.record);
    if (bucketEntry.record.versioning !== undefined) {
      const { record, versionId } = await commitVersion(store, { bucket, key, version: deleteMarker(), precondition });
      assert(record.kind === 'delete-marker', 'a delete leaves a marker');
      return { versionId, isDeleteMarker: true };
    }
    if (current === undefined) return { versionId: undefined, isDeleteMarker: false };
    const change = new Change(store, bucket, key, bucketEntry, current);
    change.unlink(current.record);
    change.deletes.push(currentKey(bucket, key));
    if (await change.commit()) return { versionId: undefined, isDeleteMarker: false };
  }
  throw new ObjectStoreError('conflict', 'too many writers');
}

/** Removes one version for good. Removing what is not there is no error. */
export async function deleteVersion(
  store: StoreContext, bucket: string, key: string, versionId: string, precondition?: (version: VersionRecord | undefined, bucket: BucketRecord) => void,
): Promise<Deletion> {
  for (let attempt = 0; attempt < commitAttemptsMax; attempt++) {
    const [bucketEntry, current, target] = await Promise.all([
      getBucket(store, bucket), findVersion(store, bucket, key), findVersion(store, bucket, key, versionId),
    ]);
    precondition?.(target?.record, bucketEntry.record);
    if (target === undefined || current === undefined) return { versionId, isDeleteMarker: false };
    const change = new Change(store, bucket, key, bucketEntry, current);
    change.unlink(target.record);
    if (target.isCurrent) await change.promoteNewest();
    else change.removeNoncurrent(target);
    if (await change.commit()) return { versionId, isDeleteMarker: target.record.kind === 'delete-marker' };
  }
  throw new ObjectStoreError('conflict', 'too many writers');
}

/**
 * Changes one version's record in place: tags, envelope. `change` may run more than once.
 * Undefined when there is no such version.
 */
export async function updateVersion(
  store: StoreContext, bucket: string, key: string, versionId: string | undefined, change: (record: VersionRecord) => VersionRecord,
): Promise<VersionRecord | undefined> {
  for (let attempt = 0; attempt < commitAttemptsMax; attempt++) {
    const found = await findVersion(store, bucket, key, versionId);
    if (found === undefined) return undefined;
    const recordKey = found.isCurrent ? currentKey(bucket, key) : noncurrentKey(bucket, key, found.record.sequence);
    const changed = change(found.record);
    const done = await store.catalog.commit({
      checks: [{ kind: 'value', key: recordKey, value: found.bytes }],
      puts: [{ key: recordKey, value: encodeRecord(changed) }],
    });
    if (done) return changed;
  }
  throw new ObjectStoreError('conflict', 'too many writers');
}

export function nonceBytes(record: { nonce: string }): Buffer {
  return Buffer.from(record.nonce, 'base64url');
}

/** What belongs into the trash when a version goes; undefined when it has no blobs. */
export function trashOf(record: VersionRecord): TrashRecord | undefined {
  if (record.payload.at === 'blob') return { v: 1, blobs: [record.payload.id] };
  if (record.payload.at === 'parts') return { v: 1, segmentsOf: record.nonce };
  return undefined;
}

function deleteMarker(): NewVersion {
  return {
    kind: 'delete-marker', nonce: freshRandom(16).toString('base64url'), size: 0, etag: '',
    envelope: { version: 1, scheme: 'NONE' }, payload: { at: 'catalog' },
  };
}

/** The parts of one commit on one key, gathered. */
class Change {
  readonly checks: Check[] = [];
  readonly puts: { key: Bytes; value: Bytes }[] = [];
  readonly deletes: Bytes[] = [];
  readonly #store: StoreContext;
  readonly #bucket: string;
  readonly #key: string;
  readonly #current: FoundVersion | undefined;

  constructor(store: StoreContext, bucket: string, key: string, bucketEntry: Stored<BucketRecord>, current: FoundVersion | undefined) {
    this.#store = store;
    this.#bucket = bucket;
    this.#key = key;
    this.#current = current;
    this.checks.push(
      { kind: 'value', key: bucketRecordKey(bucket), value: bucketEntry.bytes },
      { kind: 'value', key: currentKey(bucket, key), value: current?.bytes },
    );
  }

  /** Puts the current version aside for a newer one; where the noncurrent null version lies afterwards. */
  async makeRoom(newOneIsNull: boolean): Promise<number | undefined> {
    const current = this.#current?.record;
    if (current === undefined) return undefined;
    if (newOneIsNull && current.isNull) {
      this.unlink(current);
      return undefined;
    }
    const { nullSequence, ...older } = current;
    this.puts.push({ key: noncurrentKey(this.#bucket, this.#key, older.sequence), value: encodeRecord(older) });
    if (!newOneIsNull) return current.isNull ? current.sequence : nullSequence;
    if (nullSequence !== undefined) {
      const nullKey = noncurrentKey(this.#bucket, this.#key, nullSequence);
      const bytes = await this.#store.catalog.get(nullKey);
      this.checks.push({ kind: 'value', key: nullKey, value: bytes });
      if (bytes !== undefined) this.unlink(decodeRecord<VersionRecord>(bytes));
      this.deletes.push(nullKey);
    }
    return undefined;
  }

  /** The current version goes: the newest noncurrent one takes its place. */
  async promoteNewest(): Promise<void> {
    const prefix = noncurrentPrefix(this.#bucket, this.#key);
    const [newest] = await this.#store.catalog.range({ start: prefix, end: endOfPrefix(prefix), limit: 1 });
    const current = currentKey(this.#bucket, this.#key);
    if (newest === undefined) {
      this.checks.push({ kind: 'empty', start: prefix, end: endOfPrefix(prefix) });
      this.deletes.push(current);
      return;
    }
    const record = decodeRecord<VersionRecord>(newest.value);
    const nullSequence = record.isNull ? undefined : this.#current?.record.nullSequence;
    this.checks.push({ kind: 'value', key: newest.key, value: newest.value });
    this.deletes.push(newest.key);
    this.puts.push({ key: current, value: encodeRecord({ ...record, ...(nullSequence === undefined ? {} : { nullSequence }) }) });
  }

  removeNoncurrent(target: FoundVersion): void {
    const targetKey = noncurrentKey(this.#bucket, this.#key, target.record.sequence);
    this.checks.push({ kind: 'value', key: targetKey, value: target.bytes });
    this.deletes.push(targetKey);
    if (target.record.isNull && this.#current !== undefined) {
      const { nullSequence: _gone, ...current } = this.#current.record;
      this.puts.push({ key: currentKey(this.#bucket, this.#key), value: encodeRecord(current) });
    }
  }

  /** What the version's record alone named. */
  unlink(record: VersionRecord): void {
    if (record.payload.at === 'catalog') {
      this.deletes.push(inlineKey(nonceBytes(record)));
      return;
    }
    const trash = trashOf(record);
    if (trash !== undefined) {
      this.puts.push({ key: trashKey(this.#store.clock.nowMs() + trashDelayMs, nonceBytes(record)), value: encodeRecord(trash) });
    }
  }

  commit(also: Commit = {}): Promise<boolean> {
    return this.#store.catalog.commit({
      checks: [...this.checks, ...(also.checks ?? [])],
      puts: [...this.puts, ...(also.puts ?? [])],
      deletes: [...this.deletes, ...(also.deletes ?? [])],
    });
  }
}
