import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { RawConnection } from '../../test/kit/raw-connection.ts';
import { ServiceError, type HttpRequest } from '../base/index.ts';
import { trustedProxies } from './connection.ts';
import { createListener, type Answer, type Handler, type Listener, type ListenerOptions } from './listener.ts';
import { ClientGone, type Sent } from './send-response.ts';

const open: { listener: Listener; connections: RawConnection[] }[] = [];

afterEach(async () => {
  for (const { listener, connections } of open.splice(0)) {
    for (const connection of connections) connection.destroy();
    await listener.close(0);
  }
});

interface Served {
  connect(): Promise<RawConnection>;
  listener: Listener;
}

async function serve(handle: Handler, options: Partial<ListenerOptions> = {}): Promise<Served> {
  const listener = createListener({ handle, ...options });
  const { port } = await listener.listen('127.0.0.1', 0);
  const connections: RawConnection[] = [];
  open.push({ listener, connections });
  return {
    listener,
    async connect() {
      const connection = await RawConnection.open(port);
      connections.push(connection);
      return connection;
    },
  };
}

const text = (body: string, status = 200): Answer => ({ status, headers: {}, body });

async function readAll(request: HttpRequest): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request.body) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

/** Answers with the body, or with the error that reading it threw. */
const echo: Handler = async (request) => {
  try {
    return text(await readAll(request));
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return { status: error.status, headers: { ...error.headers }, body: error.code };
  }
};

describe('what a handler is given', () => {
  test('the target as it came, headers in lower case, repeated ones joined', async () => {
    let seen: HttpRequest | undefined;
    const { connect } = await serve(async (request) => {
      seen = request;
      return text('');
    });
    const connection = await connect();
    await connection.send('GET /a%2Fb//../c?x=1&y?z HTTP/1.1\r\nHost: h\r\nX-One: 1\r\nx-one: 2\r\nConstructor: c\r\n\r\n');
    await connection.response();
    assert.equal(seen?.rawPath, '/a%2Fb//../c');
    assert.equal(seen?.rawQuery, 'x=1&y?z');
    assert.equal(seen?.headers['x-one'], '1,2');
    assert.equal(seen?.headers['constructor'], 'c');
    assert.equal(seen?.headers['tostring'], undefined);
    assert.equal(seen?.headers['toString'], undefined);
    assert.deepEqual([seen?.secure, seen?.remoteAddress], [false, '127.0.0.1']);
  });

  test('a target in absolute form brings path and host', async () => {
    let seen: HttpRequest | undefined;
    const { connect } = await serve(async (request) => {
      seen = request;
      return text('');
    });
    const connection = await connect();
    await connection.send('GET http://bucket.localhost:9000/key?q HTTP/1.1\r\nHost: other\r\n\r\n');
    await connection.response();
    assert.deepEqual([seen?.headers['host'], seen?.rawPath, seen?.rawQuery], ['bucket.localhost:9000', '/key', 'q']);
  });

  test('the word of a trusted proxy, and only of one', async () => {
    const facts = async (proxies: string[] | undefined): Promise<unknown> => {
      let seen: HttpRequest | undefined;
      const { connect } = await serve(
        async (request) => {
          seen = request;
          return text('');
        },
        proxies ? { trustedProxies: trustedProxies(proxies) } : {},
      );
      const connection = await connect();
      await connection.send('GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.0.0.2\r\n\r\n');
      await connection.response();
      return [seen?.secure, seen?.remoteAddress];
    };
    assert.deepEqual(await facts(undefined), [false, '127.0.0.1']);
    assert.deepEqual(await facts(['10.0.0.0/8']), [false, '127.0.0.1']);
    assert.deepEqual(await facts(['127.0.0.0/8', '10.0.0.0/8']), [true, '203.0.113.9']);
    assert.deepEqual(await facts(['127.0.0.1']), [true, '10.0.0.2']);
  });
});

describe('request bodies', () => {
  test('arrive whole, with length and in chunks', async () => {
    const { connect } = await serve(echo);
    const connection = await connect();
    await connection.send('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello');
    assert.equal((await connection.response()).body.toString(), 'hello');
    await connection.send('PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n');
    assert.equal((await connection.response()).body.toString(), 'abcde');
  });

  test('of megabytes arrive byte for byte', async () => {
    const sent = Buffer.alloc(3_000_001);
    for (let index = 0; index < sent.length; index += 4_001) sent[index] = index;
    let received = Buffer.alloc(0);
    const { connect } = await serve(async (request) => {
      const pieces: Buffer[] = [];
      for await (const piece of request.body) {
        pieces.push(piece);
        // A consumer that is slower than the line.
        await new Promise(setImmediate);
      }
      received = Buffer.concat(pieces);
      return text('');
    });
    const connection = await connect();
    await connection.send(`PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: ${sent.length}\r\n\r\n`);
    await connection.send(sent);
    await connection.response();
    assert.ok(received.equals(sent));
  });

  test('that are cut end with IncompleteBody, and the half-open client is told', async () => {
    const { connect } = await serve(echo);
    const connection = await connect();
    await connection.send('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\nhello');
    connection.socket.end();
    const { status, body, headers } = await connection.response();
    assert.deepEqual([status, body.toString(), headers['connection']], [400, 'IncompleteBody', 'close']);
  });

  test('that stall end with RequestTimeout', async () => {
    const { connect } = await serve(echo, { limits: { stallMs: 80 } });
    const connection = await connect();
    await connection.send('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\nhello');
    const { status, body } = await connection.response();
    assert.deepEqual([status, body.toString()], [400, 'RequestTimeout']);
    await connection.closed();
  });

  test('that come slower than the least that is asked end with RequestTimeout', async () => {
    const { connect } = await serve(echo, { limits: { stallMs: 200 } });
    const connection = await connect();
    await connection.send('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\n\r\n');
    const drip = setInterval(() => void connection.send('x'), 10);
    const { body } = await connection.response();
    clearInterval(drip);
    assert.equal(body.toString(), 'RequestTimeout');
  });

  test('that nobody asks for yet do not run into the time limit', async () => {
    const { connect } = await serve(
      async (request) => {
        const first = request.body[Symbol.asyncIterator]();
        await first.next();
        await new Promise((resolve) => setTimeout(resolve, 250, undefined));
        return text('late but fine');
      },
      { limits: { stallMs: 80 } },
    );
    const connection = await connect();
    await connection.send('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\nhello');
    assert.equal((await connection.response()).body.toString(), 'late but fine');
  });

  test('in broken chunks are refused by way of their reader', async () => {
    const { connect } = await serve(echo);
    const connection = await connect();
    await connection.send('PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    await connection.send('zzz\r\n');
    const { status, body } = await connection.response();
    assert.deepEqual([status, body.toString()], [400, 'BadRequest']);
    await connection.closed();
  });
});

describe('refusals ahead of the body', () => {
  test('leave the connection usable when the body is short', async () => {
    const { connect } = await serve(async (request) => (request.method === 'PUT' ? text('no', 403) : text('yes')));
    const connection = await connect();
    await connection.send('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n');
    const refusal = await connection.response();
    assert.deepEqual([refusal.status, refusal.headers['connection']], [403, 'keep-alive']);
    await connection.send(Buffer.alloc(100_000));
    await connection.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    assert.equal((await connection.response()).body.toString(), 'yes');
  });

  test('reach a client that sends a long body first and listens later', async () => {
    const { connect } = await serve(async () => text('no', 403));
    const connection = await connect();
    await connection.send(`PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: ${8 * 1024 * 1024}\r\n\r\n`);
    connection.socket.pause();
    await connection.send(Buffer.alloc(8 * 1024 * 1024));
    connection.socket.resume();
    const { status, headers } = await connection.response();
    assert.deepEqual([status, headers['connection']], [403, 'close']);
    await connection.closed();
  });

  test('come instead of 100 Continue, and close', async () => {
    const { connect } = await serve(async () => text('no', 403));
    const connection = await connect();
    await connection.send('PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n');
    const { status, headers } = await connection.response();
    assert.deepEqual([status, headers['connection']], [403, 'close']);
    await connection.closed();
  });

  test('100 Continue goes out with the first pull', async () => {
    let pull = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      pull = resolve;
    });
    let began = (): void => undefined;
    const begun = new Promise<void>((resolve) => {
      began = resolve;
    });
    const { connect } = await serve(async (request) => {
      began();
      await asked;
      return text(await readAll(request));
    });
    const connection = await connect();
    await connection.send('PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
    await begun;
    assert.equal(connection.received.length, 0);
    pull();
    assert.equal((await connection.response()).status, 100);
    await connection.send('hello');
    assert.equal((await connection.response()).body.toString(), 'hello');
  });
});

describe('what is no request', () => {
  test('headers beyond the limit: RequestHeaderSectionTooLarge', async () => {
    const { connect } = await serve(echo);
    const connection = await connect();
    await connection.send(`GET / HTTP/1.1\r\nHost: h\r\nX-Long: ${'x'.repeat(17_000)}\r\n\r\n`);
    const { status, body, headers } = await connection.response();
    assert.deepEqual([status, headers['content-type']], [400, 'application/xml']);
    assert.match(body.toString(), /<Code>RequestHeaderSectionTooLarge<\/Code>.*<RequestId>[0-9A-F]{16}<\/RequestId>/s);
    await connection.closed();
  });

  test('bytes that are not HTTP: BadRequest', async () => {
    const { connect } = await serve(echo);
    const connection = await connect();
    await connection.send('\x16\x03\x01 hello\r\n\r\n');
    const { status, body } = await connection.response();
    assert.equal(status, 400);
    assert.match(body.toString(), /<Code>BadRequest<\/Code>/);
    await connection.closed();
  });

  test('headers that do not end in time: RequestTimeout', async () => {
    const { connect } = await serve(echo, { limits: { headersWaitMs: 100 } });
    const connection = await connect();
    await connection.send('GET / HTTP/1.1\r\nHost: h\r\n');
    assert.match((await connection.response()).body.toString(), /<Code>RequestTimeout<\/Code>/);
    await connection.closed();
  });
});

describe('streamed answers', () => {
  const piece = Buffer.alloc(65_536, 7);

  test('arrive whole and tell how many bytes left', async () => {
    let sent: Sent | undefined;
    const { connect } = await serve(async () => ({
      status: 200,
      headers: { 'content-length': String(5 * piece.length) },
      body: (async function* () {
        for (let index = 0; index < 5; index++) yield piece;
      })(),
      ended: (outcome) => {
        sent = outcome;
      },
    }));
    const connection = await connect();
    await connection.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    assert.equal((await connection.response()).body.length, 5 * piece.length);
    assert.deepEqual(sent, { bodyBytes: 5 * piece.length, bytesReceived: 0 });
  });

  test('that break are cut before their end, and the outcome says why', async () => {
    const trouble = new Error('chunk forged');
    const outcome = Promise.withResolvers<Sent>();
    const { connect } = await serve(async () => ({
      status: 200,
      headers: { 'content-length': String(2 * piece.length) },
      body: (async function* () {
        yield piece;
        throw trouble;
      })(),
      ended: outcome.resolve,
    }));
    const connection = await connect();
    await connection.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await assert.rejects(connection.response(), /ended before/);
    assert.equal((await outcome.promise).brokenBy, trouble);
  });

  test('of another length than announced are cut', async () => {
    const outcome = Promise.withResolvers<Sent>();
    const { connect } = await serve(async () => ({
      status: 200,
      headers: { 'content-length': '100' },
      body: (async function* () {
        yield Buffer.alloc(40);
      })(),
      ended: outcome.resolve,
    }));
    const connection = await connect();
    await connection.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await assert.rejects(connection.response(), /ended before/);
    assert.match(String((await outcome.promise).brokenBy), /announced with 100 bytes and has 40/);
  });

  test('are pulled no faster than the client reads, and closed when it goes', async () => {
    const closed = Promise.withResolvers<void>();
    const outcome = Promise.withResolvers<Sent>();
    let pulled = 0;
    const { connect } = await serve(async () => ({
      status: 200,
      headers: { 'content-length': String(10_000 * piece.length) },
      body: (async function* () {
        try {
          for (; pulled < 10_000; pulled++) yield piece;
        } finally {
          closed.resolve();
        }
      })(),
      ended: outcome.resolve,
    }));
    const connection = await connect();
    connection.socket.pause();
    await connection.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    let before = -1;
    while (pulled !== before || pulled === 0) {
      before = pulled;
      await new Promise((resolve) => setTimeout(resolve, 50, undefined));
    }
    assert.ok(pulled < 1_000, `${pulled} pieces pulled for a client that reads nothing`);
    connection.destroy();
    await closed.promise;
    assert.equal((await outcome.promise).brokenBy instanceof Error, true);
  });

  test('whose reader stalls are ended', async () => {
    const outcome = Promise.withResolvers<Sent>();
    const { connect } = await serve(
      async () => ({
        status: 200,
        headers: {},
        body: (async function* () {
          for (;;) yield piece;
        })(),
        ended: outcome.resolve,
      }),
      { limits: { stallMs: 80 } },
    );
    const connection = await connect();
    connection.socket.pause();
    await connection.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    assert.match(String((await outcome.promise).brokenBy), /client/);
  });
});

describe('connections', () => {
  test('two requests sent at once are answered in their order', async () => {
    const first = Promise.withResolvers<void>();
    const { connect } = await serve(async (request) => {
      if (request.rawPath === '/1') await first.promise;
      else first.resolve();
      return text(request.rawPath);
    });
    const connection = await connect();
    await connection.send('GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n');
    assert.equal((await connection.response()).body.toString(), '/1');
    assert.equal((await connection.response()).body.toString(), '/2');
  });

  test('streams that are ready before the answer ahead of them wait for their turn', async () => {
    const ready = Promise.withResolvers<void>();
    const { connect } = await serve(async (request) => {
      if (request.rawPath === '/1') {
        await ready.promise;
        // Later than all that the other answer can do in this turn of the event loop.
        await new Promise((wake) => void setImmediate(wake));
        return text('/1');
      }
      ready.resolve();
      return {
        status: 200,
        headers: { 'content-length': '200000' },
        body: (async function* () {
          yield Buffer.alloc(100_000, 1);
          yield Buffer.alloc(100_000, 2);
        })(),
      };
    });
    const connection = await connect();
    await connection.send('GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n');
    assert.equal((await connection.response()).body.toString(), '/1');
    for (const _ of [1, 2]) assert.equal((await connection.response()).body.length, 200_000);
  });

  test('a stream whose turn never comes is closed when the client goes', async () => {
    const waiting = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    const outcome = Promise.withResolvers<Sent>();
    const last = Promise.withResolvers<void>();
    const { connect } = await serve(async (request) => {
      if (request.rawPath === '/1') {
        await last.promise;
        return text('/1');
      }
      waiting.resolve();
      return {
        status: 200,
        headers: { 'content-length': '3' },
        body: (async function* () {
          try {
            yield Buffer.from('abc');
          } finally {
            closed.resolve();
          }
        })(),
        ended: outcome.resolve,
      };
    });
    const connection = await connect();
    await connection.send('GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n');
    await waiting.promise;
    connection.destroy();
    await closed.promise;
    assert.ok((await outcome.promise).brokenBy instanceof ClientGone);
    last.resolve();
  });

  test('HEAD answers carry a length and no body', async () => {
    const { connect } = await serve(async () => ({ status: 200, headers: { 'content-length': '77' } }));
    const connection = await connect();
    await connection.send('HEAD / HTTP/1.1\r\nHost: h\r\n\r\nHEAD / HTTP/1.1\r\nHost: h\r\n\r\n');
    assert.equal((await connection.response({ head: true })).headers['content-length'], '77');
    assert.equal((await connection.response({ head: true })).headers['content-length'], '77');
  });

  test('closing lets what is under way finish, and takes no more', async () => {
    const release = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const { connect, listener } = await serve(async () => {
      begun.resolve();
      await release.promise;
      return text('finished');
    });
    const [busy, idle] = [await connect(), await connect()];
    await busy.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await begun.promise;
    const closing = listener.close(5_000);
    await idle.closed();
    await assert.rejects(connect());
    release.resolve();
    const { body, headers } = await busy.response();
    assert.deepEqual([body.toString(), headers['connection']], ['finished', 'close']);
    await closing;
  });

  test('closing cuts what does not finish within the grace', async () => {
    const begun = Promise.withResolvers<void>();
    const { connect, listener } = await serve(() => {
      begun.resolve();
      return new Promise(() => undefined);
    });
    const connection = await connect();
    await connection.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await begun.promise;
    await listener.close(30);
    await connection.closed();
  });
});
