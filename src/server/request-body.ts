/**
 * The body of one incoming request as a byte source: pulled, bounded in memory, ended with a clear error
 * when the client stops sending. Takes off HTTP framing only; aws-chunked is the matter of `signature`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ServiceError } from '../base/index.ts';
import type { StallWatch, Transfer } from './stall-watch.ts';

/** Bytes kept for a consumer that is busy, before the socket is told to wait. */
const queuedBytesMax = 262_144;
const queuedBytesResume = 131_072;

const done: IteratorResult<Buffer, undefined> = { done: true, value: undefined };

interface Waiter {
  resolve(result: IteratorResult<Buffer, undefined>): void;
  reject(error: Error): void;
}

/** May be iterated once; a second loop goes on where the first one stopped. */
export class RequestBody implements AsyncIterableIterator<Buffer, undefined>, Transfer {
  readonly #message: IncomingMessage;
  /** Set while `100 Continue` is owed. */
  #continueOn: ServerResponse | undefined;
  readonly #watch: StallWatch;
  #state: 'untouched' | 'reading' | 'ended' | 'failed' | 'abandoned';
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #paused = false;
  #waiter: Waiter | undefined;
  #failure: Error | undefined;
  movedBytes = 0;

  constructor(message: IncomingMessage, present: boolean, continueOn: ServerResponse | undefined, watch: StallWatch) {
    this.#message = message;
    this.#continueOn = continueOn;
    this.#watch = watch;
    this.#state = present ? 'untouched' : 'ended';
  }

  get waiting(): boolean {
    return this.#waiter !== undefined;
  }

  /** Every byte was taken off the socket. */
  get complete(): boolean {
    return this.#state === 'ended' || this.#message.complete;
  }

  /** It broke off, or came too slowly: nothing of use follows. */
  get failed(): boolean {
    return this.#state === 'failed';
  }

  /** What is still to come, as far as Content-Length tells. */
  get leftBytes(): number {
    const length = this.#message.headers['content-length'];
    return length === undefined ? Infinity : Number(length) - this.movedBytes;
  }

  /** The client was never told to send, so that it may still hold the body back. */
  get continueOwed(): boolean {
    return this.#continueOn !== undefined;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Buffer, undefined>> {
    if (this.#state === 'untouched') this.#start();
    const chunk = this.#queue.shift();
    if (chunk !== undefined) {
      this.#queuedBytes -= chunk.length;
      if (this.#paused && this.#queuedBytes < queuedBytesResume) {
        this.#paused = false;
        this.#message.resume();
      }
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#state !== 'reading') return Promise.resolve(done);
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  /** The consumer needs no more. What is left on the line is the listener's to deal with. */
  return(): Promise<IteratorResult<Buffer, undefined>> {
    if (this.#state === 'reading') {
      this.#message.pause();
      this.#release('abandoned');
    }
    if (this.#state === 'untouched') this.#state = 'abandoned';
    this.#queue = [];
    return Promise.resolve(done);
  }

  /** Ends a body that can no longer arrive whole; true when its reader will see `error` and can answer. */
  fail(error: Error): boolean {
    if (this.#state !== 'reading' && this.#state !== 'untouched') return false;
    this.#failure = error;
    const waiter = this.#waiter;
    this.#release('failed');
    waiter?.reject(error);
    return true;
  }

  /** Lets go of a message that has arrived whole, read or not: its connection waits for that. */
  drop(): void {
    if (this.#state === 'ended') return;
    this.#release('abandoned');
    this.#message.resume();
  }

  /** Throws away what still comes, at most `bytesMax`; resolves true when the end was seen within that. */
  discard(bytesMax: number, waitMs: number): Promise<boolean> {
    if (this.complete) {
      this.drop();
      return Promise.resolve(true);
    }
    this.#release('abandoned');
    const message = this.#message;
    return new Promise((resolve) => {
      let discardedBytes = 0;
      const finish = (whole: boolean): void => {
        clearTimeout(timer);
        message.off('data', onData).off('end', onEnd).off('close', onClose);
        resolve(whole);
      };
      const onData = (chunk: Buffer): void => {
        discardedBytes += chunk.length;
        if (discardedBytes > bytesMax) finish(false);
      };
      const onEnd = (): void => finish(true);
      const onClose = (): void => finish(false);
      const timer = setTimeout(finish, waitMs, false);
      message.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
      message.resume();
    });
  }

  stalled(): void {
    this.fail(
      new ServiceError(
        'RequestTimeout',
        400,
        'Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.',
        { headers: { connection: 'close' } },
      ),
    );
  }

  #start(): void {
    this.#state = 'reading';
    if (this.#continueOn) {
      this.#continueOn.writeContinue();
      this.#continueOn = undefined;
    }
    this.#message.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onClose).on('close', this.#onClose);
    this.#watch.add(this);
  }

  #release(state: 'ended' | 'failed' | 'abandoned'): void {
    this.#state = state;
    this.#waiter = undefined;
    this.#watch.delete(this);
    this.#message.off('data', this.#onData).off('end', this.#onEnd);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.movedBytes += chunk.length;
    const waiter = this.#waiter;
    if (waiter) {
      this.#waiter = undefined;
      waiter.resolve({ done: false, value: chunk });
      return;
    }
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    if (this.#queuedBytes >= queuedBytesMax) {
      this.#paused = true;
      this.#message.pause();
    }
  };

  readonly #onEnd = (): void => {
    const waiter = this.#waiter;
    this.#release('ended');
    waiter?.resolve(done);
  };

  readonly #onClose = (): void => {
    // Every message closes; only one that was still under way is cut short.
    if (this.#state === 'reading' || this.#state === 'untouched') this.fail(incompleteBody());
  };
}

export function incompleteBody(): ServiceError {
  return new ServiceError('IncompleteBody', 400, 'You did not provide the number of bytes specified by the Content-Length HTTP header', {
    headers: { connection: 'close' },
  });
}
