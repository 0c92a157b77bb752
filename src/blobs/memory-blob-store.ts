/** A blob store that lives and dies with the process: for tests. */
import { asBuffer, assert, systemClock, type Bytes, type Clock } from '../base/index.ts';
import { checkBlobId } from './blob-id.ts';
import { BlobError, type BlobId, type BlobListing, type BlobReader, type BlobStore, type BlobWriter } from './blob-store.ts';

export function openMemoryBlobStore(clock: Clock = systemClock): BlobStore {
  return new MemoryBlobStore(clock);
}

/** `pieces` until the writer finishes, then `bytes`. */
interface MemoryBlob {
  pieces: Buffer[];
  bytes: Buffer | undefined;
  sizeBytes: number;
  modifiedMs: number;
}

class MemoryBlobStore implements BlobStore {
  readonly #blobs = new Map<BlobId, MemoryBlob>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async create(id: BlobId): Promise<BlobWriter> {
    checkBlobId(id);
    assert(!this.#blobs.has(id), 'a blob id is used once');
    const blob: MemoryBlob = { pieces: [], bytes: undefined, sizeBytes: 0, modifiedMs: this.#clock.nowMs() };
    this.#blobs.set(id, blob);
    return new MemoryBlobWriter(blob, this.#clock, () => this.#blobs.delete(id));
  }

  async open(id: BlobId): Promise<BlobReader> {
    checkBlobId(id);
    const blob = this.#blobs.get(id);
    if (!blob) throw new BlobError('missing', `there is no blob ${id}`);
    return new MemoryBlobReader(blob.bytes ?? Buffer.concat(blob.pieces));
  }

  async remove(id: BlobId): Promise<void> {
    checkBlobId(id);
    this.#blobs.delete(id);
  }

  async *list(): AsyncGenerator<BlobListing> {
    for (const [id, { sizeBytes, modifiedMs }] of this.#blobs) yield { id, sizeBytes, modifiedMs };
  }
}

class MemoryBlobWriter implements BlobWriter {
  readonly #blob: MemoryBlob;
  readonly #clock: Clock;
  readonly #remove: () => void;
  #open = true;

  constructor(blob: MemoryBlob, clock: Clock, remove: () => void) {
    this.#blob = blob;
    this.#clock = clock;
    this.#remove = remove;
  }

  async append(bytes: Bytes): Promise<void> {
    assert(this.#open, 'a blob writer is not used after its end');
    this.#blob.pieces.push(asBuffer(bytes));
    this.#blob.sizeBytes += bytes.byteLength;
    this.#blob.modifiedMs = this.#clock.nowMs();
  }

  async finish(): Promise<void> {
    assert(this.#open, 'a blob writer is not used after its end');
    this.#open = false;
    this.#blob.bytes = Buffer.concat(this.#blob.pieces);
    this.#blob.pieces = [];
  }

  async abort(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    this.#remove();
  }
}

class MemoryBlobReader implements BlobReader {
  readonly #bytes: Buffer;
  #open = true;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get sizeBytes(): number {
    return this.#bytes.byteLength;
  }

  async read(start: number, end: number): Promise<Buffer> {
    assert(this.#open, 'a blob reader is not used after its end');
    assert(Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end, 'a range goes forward from 0 up');
    if (end > this.#bytes.byteLength) {
      throw new BlobError('truncated', `bytes ${start} to ${end} were asked for, the blob has ${this.#bytes.byteLength}`);
    }
    return Buffer.from(this.#bytes.subarray(start, end));
  }

  async close(): Promise<void> {
    this.#open = false;
  }
}
