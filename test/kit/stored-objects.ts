/** Objects as they lie in a data directory, to be looked at and damaged behind the server's back. */
import { join } from 'node:path';
import { openLmdbCatalog, type Catalog } from '../../src/catalog/index.ts';
import { decodeRecord, encodeRecord, reapTrash, type SegmentRecord, type StoreContext, type VersionRecord } from '../../src/objects/index.ts';
import { currentKey, inlineKey, segmentKey } from '../../src/objects/keys.ts';

export type StoredRecord = VersionRecord;

/** Current versions of the objects of one bucket. */
export class StoredObjects {
  readonly #catalog: Catalog;
  readonly #dataDir: string;
  readonly #bucket: string;

  constructor(catalog: Catalog, dataDir: string, bucket: string) {
    this.#catalog = catalog;
    this.#dataDir = dataDir;
    this.#bucket = bucket;
  }

  async record(key: string): Promise<StoredRecord> {
    return decodeRecord<StoredRecord>(present(await this.#catalog.get(currentKey(this.#bucket, key)), key));
  }

  async rewrite(key: string, change: (record: StoredRecord) => object): Promise<void> {
    const value = encodeRecord(change(await this.record(key)) as { v: 1 });
    await this.#catalog.commit({ puts: [{ key: currentKey(this.#bucket, key), value }] });
  }

  /** Sealed bytes of a small object. */
  async inline(key: string): Promise<Buffer> {
    return Buffer.from(present(await this.#catalog.get(await this.#inlineKey(key)), key));
  }

  /** Removes them when `change` returns nothing. */
  async rewriteInline(key: string, change: (sealed: Buffer) => Buffer | undefined): Promise<void> {
    const row = await this.#inlineKey(key);
    const value = change(await this.inline(key));
    await this.#catalog.commit(value === undefined ? { deletes: [row] } : { puts: [{ key: row, value }] });
  }

  /** Files of a large object, or of the parts that make it up; of the first 500 parts. */
  async blobPaths(key: string): Promise<string[]> {
    const { payload, nonce } = await this.record(key);
    if (payload.at === 'blob') return [this.#blobPath(payload.id)];
    if (payload.at === 'catalog') return [];
    const segment = await this.#catalog.get(segmentKey(Buffer.from(nonce, 'base64url'), 0));
    return decodeRecord<SegmentRecord>(present(segment, key)).parts.map(({ blob }) => this.#blobPath(blob));
  }

  #blobPath(id: string): string {
    return join(this.#dataDir, 'blobs', id.slice(0, 2), id);
  }

  async #inlineKey(key: string): Promise<Buffer> {
    return inlineKey(Buffer.from((await this.record(key)).nonce, 'base64url'));
  }
}

/** Of a server that is stopped. */
export async function withStoredObjects(dataDir: string, bucket: string, act: (objects: StoredObjects) => Promise<void>): Promise<void> {
  const catalog = await openLmdbCatalog({ path: join(dataDir, 'catalog') });
  try {
    await act(new StoredObjects(catalog, dataDir, bucket));
  } finally {
    await catalog.close();
  }
}

function present(bytes: Buffer | undefined, key: string): Buffer {
  if (bytes === undefined) throw new Error(`nothing is stored for ${key}`);
  return bytes;
}

/** What commits unlinked, by the clock of a running server. */
export async function reapAllTrash({ running }: { running: { rooms: { store: StoreContext } } }): Promise<number> {
  return reapTrash(running.rooms.store);
}
