/**
 * HTTP/1.1 by hand on a socket, for what no HTTP client lets a test do: half a request, a body that stalls,
 * two requests at once, and a look at the very bytes that come back.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface RawResponse {
  status: number;
  /** Lower-case names. */
  headers: Record<string, string>;
  body: Buffer;
}

export class RawConnection {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #ended = false;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#wake?.();
    });
    const onEnd = (): void => {
      this.#ended = true;
      this.#wake?.();
    };
    socket.on('end', onEnd).on('close', onEnd).on('error', onEnd);
  }

  static open(port: number, tls?: { ca: string | Buffer }): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = tls ? connectTls({ port, host: '127.0.0.1', ca: tls.ca, servername: 'localhost' }) : connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true });
      socket.once(tls ? 'secureConnect' : 'connect', () => resolve(new RawConnection(socket)));
      socket.once('error', reject);
    });
  }

  /** Resolves when the kernel has taken the bytes, or the connection broke. */
  send(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      if (this.socket.writable) this.socket.write(bytes, () => resolve());
      else resolve();
    });
  }

  /** What has come so far and was not taken by `response`. */
  get received(): Buffer {
    return this.#received;
  }

  /** The next response, whole; 1xx are responses too. Throws when the connection ends before. */
  async response(options: { head?: boolean } = {}): Promise<RawResponse> {
    const headEnd = await this.#until(() => find(this.#received, '\r\n\r\n'), 'a response head');
    const lines = this.#received.toString('latin1', 0, headEnd).split('\r\n');
    const headers: Record<string, string> = {};
    for (const line of lines.slice(1)) headers[line.slice(0, line.indexOf(':')).toLowerCase()] = line.slice(line.indexOf(':') + 1).trim();
    const status = Number((lines[0] as string).split(' ')[1]);
    const start = headEnd + 4;
    if (options.head || status < 200 || status === 204 || status === 304) return this.#take(status, headers, start, start);
    if (headers['transfer-encoding'] === 'chunked') {
      const end = await this.#until(() => find(this.#received.subarray(start), '0\r\n\r\n'), 'the last chunk');
      return this.#take(status, headers, start, start + end + 5);
    }
    const length = Number(headers['content-length']);
    await this.#until(() => (this.#received.length >= start + length ? 0 : undefined), `a body of ${length} bytes`);
    return this.#take(status, headers, start, start + length);
  }

  /** Resolves when the server has closed its side. */
  async closed(): Promise<void> {
    while (!this.#ended) await this.#wait();
  }

  destroy(): void {
    this.socket.destroy();
  }

  #take(status: number, headers: Record<string, string>, start: number, end: number): RawResponse {
    const body = Buffer.from(this.#received.subarray(start, end));
    this.#received = this.#received.subarray(end);
    return { status, headers, body };
  }

  async #until(look: () => number | undefined, what: string): Promise<number> {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (this.#ended) throw new Error(`the connection ended before ${what} came; received: ${this.#received.toString('latin1').slice(0, 500)}`);
      await this.#wait();
    }
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}

function find(bytes: Buffer, text: string): number | undefined {
  const index = bytes.indexOf(text, 0, 'latin1');
  return index < 0 ? undefined : index;
}
