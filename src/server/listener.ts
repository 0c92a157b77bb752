/**
 * The doors: node:http and node:https servers whose exchanges become `HttpRequest` and `Answer`.
 * Holds every limit on how bytes may come and go; knows nothing of S3 but the shape of its XML errors.
 */
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { HttpRequest, HttpResponse } from '../base/index.ts';
import type { NameCallback } from './bucket-certificates.ts';
import { connectionFacts, type TrustedProxies } from './connection.ts';
import { answerMalformed } from './malformed.ts';
import { RequestBody } from './request-body.ts';
import { sendStream, type Sent } from './send-response.ts';
import { StallWatch } from './stall-watch.ts';

/** A response, and who wants to know how it ended. */
export interface Answer extends HttpResponse {
  /** Called once, when the last byte was handed to the socket or the connection broke. */
  ended?(sent: Sent): void;
}

/** Never rejects. */
export type Handler = (request: HttpRequest) => Promise<Answer>;

export interface ListenerLimits {
  /** Request line and headers together. */
  headerBytesMax: number;
  /** For a TLS handshake, and from the first byte of a request to the end of its headers. */
  headersWaitMs: number;
  /** Between requests of one connection. */
  keepAliveMs: number;
  connectionsMax: number;
  /** A transfer that moves fewer than `progressBytesMin` bytes while it waits so long for the client is ended. */
  stallMs: number;
  progressBytesMin: number;
  /** Of a body that nobody wants: what is read so that the connection can be used again. */
  discardBytesMax: number;
  /** Of a body that nobody wants and that is longer: what is read so that the client gets to see the answer. */
  lingerBytesMax: number;
  lingerMs: number;
}

export const defaultLimits: ListenerLimits = {
  headerBytesMax: 16_384,
  headersWaitMs: 20_000,
  keepAliveMs: 65_000,
  connectionsMax: 10_000,
  stallMs: 24_000,
  progressBytesMin: 8_192,
  discardBytesMax: 262_144,
  lingerBytesMax: 16_777_216,
  lingerMs: 2_000,
};

export interface ListenerTls {
  key: string | Buffer;
  cert: string | Buffer;
  /** Picks another certificate by the name that a client asks for. */
  SNICallback?: NameCallback;
}

export interface ListenerOptions {
  handle: Handler;
  /** PEM; plain HTTP when absent. */
  tls?: ListenerTls;
  trustedProxies?: TrustedProxies;
  limits?: Partial<ListenerLimits>;
}

export interface Listener {
  /** Resolves with the address that was bound. */
  listen(host: string, port: number): Promise<AddressInfo>;
  /** Accepts no more, lets what is under way finish for `graceMs`, then cuts. Resolves when all is closed. */
  close(graceMs: number): Promise<void>;
}

/** Room in the socket ahead of the kernel: fewer, larger writes for long answers. */
const socketBufferBytes = 262_144;

export function createListener(options: ListenerOptions): Listener {
  return new HttpListener(options);
}

class HttpListener implements Listener {
  readonly #handle: Handler;
  readonly #limits: ListenerLimits;
  readonly #watch: StallWatch;
  readonly #server: Server;
  readonly #trustedProxies: TrustedProxies | undefined;
  #closing = false;

  constructor({ handle, tls, trustedProxies, limits }: ListenerOptions) {
    this.#handle = handle;
    this.#trustedProxies = trustedProxies;
    this.#limits = { ...defaultLimits, ...limits };
    this.#watch = new StallWatch({ windowMs: this.#limits.stallMs, progressBytesMin: this.#limits.progressBytesMin });
    const serverOptions = {
      maxHeaderSize: this.#limits.headerBytesMax,
      headersTimeout: this.#limits.headersWaitMs,
      connectionsCheckingInterval: Math.min(5_000, Math.ceil(this.#limits.headersWaitMs / 2)),
      // Uploads may take hours; how slow they may be is the matter of the stall watch.
      requestTimeout: 0,
      keepAliveTimeout: this.#limits.keepAliveMs,
      highWaterMark: socketBufferBytes,
      noDelay: true,
    };
    const server = tls ? createHttpsServer({ ...serverOptions, ...tls, minVersion: 'TLSv1.2', handshakeTimeout: this.#limits.headersWaitMs }) : createHttpServer(serverOptions);
    // Node drops what exceeds its count without a word; the size limit bounds the count already.
    server.maxHeadersCount = 0;
    server.maxConnections = this.#limits.connectionsMax;
    server.on('request', (message: IncomingMessage, response: ServerResponse) => this.#serve(message, response, false));
    server.on('checkContinue', (message: IncomingMessage, response: ServerResponse) => this.#serve(message, response, true));
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => answerMalformed(error, socket, openBodies.get(socket)));
    this.#server = server;
  }

  listen(host: string, port: number): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  async close(graceMs: number): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    await new Promise<void>((resolve) => {
      const cut = setTimeout(() => this.#server.closeAllConnections(), graceMs);
      this.#server.close(() => {
        clearTimeout(cut);
        resolve();
      });
    });
    this.#watch.close();
  }

  #serve(message: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const { socket } = message;
    const headers = joinHeaders(message.rawHeaders);
    const present = headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
    const body = new RequestBody(message, present, expectsContinue ? response : undefined, this.#watch);
    if (present) openBodies.set(socket, body);
    const { secure, remoteAddress } = connectionFacts(socket, headers, this.#trustedProxies);
    const { path, query } = splitTarget(message.url as string, headers);
    const request: HttpRequest = { method: message.method as string, rawPath: path, rawQuery: query, headers, secure, remoteAddress, body };
    // An answer that cannot be written, such as for a header value that Node refuses, costs its connection, not the process.
    this.#handle(request)
      .then((answer) => {
        if (response.socket !== null || socket.destroyed) return this.#answer(response, body, answer);
        return turnOf(response, socket).then(() => this.#answer(response, body, answer));
      })
      .catch(() => response.destroy());
  }

  #answer(response: ServerResponse, body: RequestBody, answer: Answer): void {
    const { status, headers, body: content } = answer;
    if (this.#closing || !this.#reusable(body, headers)) response.shouldKeepAlive = false;
    if (content === undefined || typeof content === 'string' || Buffer.isBuffer(content)) {
      const bodyBytes = content === undefined ? 0 : typeof content === 'string' ? Buffer.byteLength(content) : content.byteLength;
      // A HEAD answer names the length that a GET would have; 204 and 304 name none.
      if (headers['content-length'] === undefined && status !== 204 && status !== 304) headers['content-length'] = String(bodyBytes);
      response.writeHead(status, headers);
      if (body.complete) {
        response.end(content);
        body.drop();
      } else {
        if (bodyBytes > 0) response.write(content);
        else response.flushHeaders();
        void this.#leave(response, body);
      }
      answer.ended?.({ bodyBytes, bytesReceived: body.movedBytes });
      return;
    }
    void sendStream(response, answer, content, this.#watch).then((sent) => {
      answer.ended?.({ ...sent, bytesReceived: body.movedBytes });
      return sent.brokenBy === undefined ? this.#leave(response, body) : undefined;
    });
  }

  /** Whether the rest of the request body is short enough to be read away, so that the connection can go on. */
  #reusable(body: RequestBody, answerHeaders: Record<string, string>): boolean {
    if (answerHeaders['connection'] === 'close') return false;
    return body.complete || (!body.continueOwed && body.leftBytes <= this.#limits.discardBytesMax);
  }

  /**
   * Ends a response whose bytes are all written. A connection that closes while the client still sends would be
   * reset, and the answer lost with it: so a part of the unwanted body is read first.
   */
  async #leave(response: ServerResponse, body: RequestBody): Promise<void> {
    if (body.complete || response.shouldKeepAlive) {
      response.end();
      if (!(await body.discard(this.#limits.discardBytesMax, this.#limits.stallMs))) response.socket?.destroy();
      return;
    }
    const { socket } = response;
    socket?.end();
    if (!body.failed) await body.discard(this.#limits.lingerBytesMax, this.#limits.lingerMs);
    socket?.destroySoon();
  }
}

/**
 * Answers leave a connection in the order of its requests, and Node gives a response its socket when the one ahead has
 * finished. That is not only for clients that send ahead: one that has the whole of an answer may send its next request
 * before Node hears that the answer's last bytes were taken. Resolves at the response's turn, or when the connection is gone.
 */
function turnOf(response: ServerResponse, socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const onTurn = (): void => {
      response.off('socket', onTurn);
      socket.off('close', onTurn);
      resolve();
    };
    // One listener for each answer that waits; a client decides how many.
    socket.setMaxListeners(0);
    response.on('socket', onTurn);
    socket.on('close', onTurn);
  });
}

/** The unfinished body of a connection's latest request. */
const openBodies = new WeakMap<Socket, RequestBody>();

/** Without a prototype: a header named `constructor` is a header like any other. */
function joinHeaders(rawHeaders: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase();
    const value = rawHeaders[index + 1] as string;
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before},${value}`;
  }
  return headers;
}

/** A target in absolute form brings its own host, which wins over the header. Source: RFC 9112, section 3.2.2. */
function splitTarget(target: string, headers: Record<string, string>): { path: string; query: string } {
  if (target.charCodeAt(0) !== 0x2f) {
    const absolute = /^https?:\/\/([^/?#]*)(.*)$/is.exec(target);
    if (absolute) {
      headers['host'] = absolute[1] as string;
      target = absolute[2] as string;
      if (!target.startsWith('/')) target = `/${target}`;
    }
  }
  const question = target.indexOf('?');
  return question < 0 ? { path: target, query: '' } : { path: target.slice(0, question), query: target.slice(question + 1) };
}
