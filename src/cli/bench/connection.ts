/**
 * One keep-alive connection that sends prepared requests and counts what comes back. It does as little as HTTP/1.1
 * allows, so that the bench measures the server and not its own client.
 */
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface Endpoint {
  host: string;
  port: number;
  /** PEM of the CA to trust; absent for plain HTTP. */
  tls?: { ca: Buffer | undefined };
}

export interface Reply {
  status: number;
  bodySizeBytes: number;
  /** Head and, for refusals, the beginning of the body. */
  text: string;
}

const endOfHead = Buffer.from('\r\n\r\n');
const keptTextMaxBytes = 2_048;

export class BenchConnection {
  readonly #socket: Socket;
  #waiting: { resolve(reply: Reply): void; reject(error: unknown): void; isHead: boolean } | undefined;
  /** Bytes of a head that is not whole yet. */
  #head: Buffer = Buffer.alloc(0);
  #reply: Reply | undefined;
  #bodyLeftBytes = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server closed the connection')));
  }

  static open(endpoint: Endpoint): Promise<BenchConnection> {
    return new Promise((resolve, reject) => {
      const { host, port, tls } = endpoint;
      const socket: Socket = tls === undefined
        ? connectPlain({ host, port }, () => resolve(new BenchConnection(socket)))
        : connectTls({ host, port, ...(tls.ca === undefined ? {} : { ca: tls.ca }), ...(/^[\d.:]+$/.test(host) ? {} : { servername: host }) }, () => resolve(new BenchConnection(socket)));
      socket.once('error', reject);
    });
  }

  /** One request at a time. `body` is written in pieces, with backpressure. */
  async send(head: Buffer, body: readonly Buffer[], isHead: boolean): Promise<Reply> {
    const reply = new Promise<Reply>((resolve, reject) => (this.#waiting = { resolve, reject, isHead }));
    // Reported where it is awaited, below.
    reply.catch(() => undefined);
    if (body.length === 1) this.#socket.cork();
    this.#socket.write(head);
    for (const piece of body) {
      if (!this.#socket.write(piece) && body.length > 1) await new Promise<void>((resolve) => void this.#socket.once('drain', resolve));
      // Refused before all of it was sent.
      if (this.#waiting === undefined) break;
    }
    if (body.length === 1) this.#socket.uncork();
    return reply;
  }

  /** Stops or starts taking in what the server sends: a slow reader. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #receive(received: Buffer): void {
    let chunk = received;
    if (this.#reply === undefined) {
      const bytes = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
      const end = bytes.indexOf(endOfHead);
      if (end < 0) {
        this.#head = bytes;
        return;
      }
      const head = bytes.toString('latin1', 0, end);
      this.#head = Buffer.alloc(0);
      chunk = bytes.subarray(end + endOfHead.length);
      const status = Number(head.slice(9, 12));
      if (status === 100) {
        this.#receive(chunk);
        return;
      }
      const length = /^content-length: *(\d+)/im.exec(head);
      const hasBody = !(this.#waiting?.isHead ?? false) && status !== 204 && status !== 304;
      this.#bodyLeftBytes = hasBody ? Number(length?.[1] ?? 0) : 0;
      this.#reply = { status, bodySizeBytes: this.#bodyLeftBytes, text: status < 300 ? '' : head };
    }
    if (this.#reply.status >= 300 && this.#reply.text.length < keptTextMaxBytes) this.#reply.text += chunk.toString('latin1');
    this.#bodyLeftBytes -= chunk.byteLength;
    if (this.#bodyLeftBytes > 0) return;
    const reply = this.#reply;
    const waiting = this.#waiting;
    this.#reply = undefined;
    this.#waiting = undefined;
    waiting?.resolve(reply);
  }

  #fail(error: unknown): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(error);
  }
}
