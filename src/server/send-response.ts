/**
 * Writes one response: whole ones in a single system call, streamed ones with backpressure.
 * A stream that breaks ends the connection before its last byte, so that no client takes a part for the whole.
 */
import type { ServerResponse } from 'node:http';
import type { ByteSource, HttpResponse } from '../base/index.ts';
import type { StallWatch, Transfer } from './stall-watch.ts';

/** What became of a response. */
export interface Sent {
  /** Body bytes handed to the socket. */
  bodyBytes: number;
  /** Of the request, taken off the socket. */
  bytesReceived: number;
  /** Why the response is not whole; absent when it is. */
  brokenBy?: unknown;
}

export class ClientGone extends Error {
  constructor() {
    super('the client closed the connection');
    this.name = 'ClientGone';
  }
}

class WrongLength extends Error {
  constructor(announced: string, sent: number) {
    super(`the body was announced with ${announced} bytes and has ${sent}`);
    this.name = 'WrongLength';
  }
}

/** Sends all but the end. Never throws; closes the source in every case. */
export async function sendStream(response: ServerResponse, { status, headers }: HttpResponse, body: ByteSource, watch: StallWatch): Promise<Omit<Sent, 'bytesReceived'>> {
  const source = body[Symbol.asyncIterator]();
  const announced = headers['content-length'];
  const outflow = new Outflow(response);
  let finished = false;
  try {
    response.writeHead(status, headers);
    watch.add(outflow);
    for (;;) {
      const result = await source.next();
      if (result.done) {
        finished = true;
        break;
      }
      if (response.destroyed || response.socket === null) throw new ClientGone();
      outflow.movedBytes += result.value.byteLength;
      if (!response.write(result.value)) await outflow.drained();
    }
    if (announced !== undefined && Number(announced) !== outflow.movedBytes) throw new WrongLength(announced, outflow.movedBytes);
    return { bodyBytes: outflow.movedBytes };
  } catch (error) {
    response.destroy();
    return { bodyBytes: outflow.movedBytes, brokenBy: error };
  } finally {
    watch.delete(outflow);
    outflow.close();
    if (!finished) await source.return?.().catch(() => undefined);
  }
}

/** The way out of one streamed response, as far as waiting for the client goes. */
class Outflow implements Transfer {
  readonly #response: ServerResponse;
  #wake: ((error?: ClientGone) => void) | undefined;
  movedBytes = 0;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.on('drain', this.#onDrain);
    response.on('close', this.#onClose);
  }

  get waiting(): boolean {
    return this.#wake !== undefined;
  }

  drained(): Promise<void> {
    if (this.#response.destroyed) return Promise.reject(new ClientGone());
    return new Promise((resolve, reject) => {
      this.#wake = (error) => {
        this.#wake = undefined;
        if (error) reject(error);
        else resolve();
      };
    });
  }

  stalled(): void {
    this.#response.destroy();
  }

  close(): void {
    this.#response.off('drain', this.#onDrain);
    this.#response.off('close', this.#onClose);
  }

  readonly #onDrain = (): void => this.#wake?.();
  readonly #onClose = (): void => this.#wake?.(new ClientGone());
}
