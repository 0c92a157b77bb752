/** Request bodies that are read whole, bounded; response bodies that turn out to be whole. */
import type { ByteSource, HttpResponse } from '../base/index.ts';

/** All bytes of `source`; throws what `tooLarge` makes as soon as they exceed `sizeBytesMax`. */
export async function readWhole(source: ByteSource, sizeBytesMax: number, tooLarge: () => Error): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  for await (const piece of source) {
    sizeBytes += piece.byteLength;
    if (sizeBytes > sizeBytesMax) throw tooLarge();
    pieces.push(piece);
  }
  return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, sizeBytes);
}

/**
 * Asks a streamed response for its first piece, so that what fails there (a chunk that does not authenticate)
 * still becomes an error answer. A stream of one piece becomes a whole body.
 */
export async function primeBody(response: HttpResponse): Promise<void> {
  const { body } = response;
  if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) return;
  const source = body[Symbol.asyncIterator]();
  const first = await source.next();
  if (first.done === true) {
    delete response.body;
    return;
  }
  if (response.headers['content-length'] !== String(first.value.byteLength)) {
    response.body = new PrimedSource([first.value], source);
    return;
  }
  const second = await source.next();
  response.body = second.done === true ? first.value : new PrimedSource([first.value, second.value], source);
}

class PrimedSource implements AsyncIterableIterator<Buffer, void> {
  readonly #primed: Buffer[];
  readonly #source: AsyncIterator<Buffer>;

  constructor(primed: Buffer[], source: AsyncIterator<Buffer>) {
    this.#primed = primed;
    this.#source = source;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Buffer, void>> {
    const value = this.#primed.shift();
    return value === undefined ? this.#source.next() : Promise.resolve({ done: false, value });
  }

  async return(): Promise<IteratorResult<Buffer, void>> {
    await this.#source.return?.();
    return { done: true, value: undefined };
  }
}
