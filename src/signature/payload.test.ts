/**
 * Bodies: read as they were meant, refused when they are not what was announced or signed.
 * Source: contract kms-iam-audit 5.2, V07; s3-surface section 2, S11 to S13, S15.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodePayload } from './index.ts';
import type { PayloadLimits, PayloadPlan } from './index.ts';
import { bytesOf, encode, pieces, readAll, request, sha256, signedPlan, UNSIGNED_TRAILER } from './testing.ts';
import type { EncodedBody } from './testing.ts';

const CRC = { 'x-amz-checksum-crc32': 'AAAAAA==' };
const DATA = [Buffer.alloc(8192, 'a'), Buffer.alloc(8192, 'b'), Buffer.from('c')];
const SIZE = 16_385;

interface Attempt {
  /** A header that is undefined is left out. */
  headers?: Record<string, string | undefined>;
  pieceSize?: number;
  limits?: PayloadLimits;
}

/** Reads a whole chunked body; headers say what the encoder wrote, but for what `attempt` says. */
async function decode(body: Buffer, plan: PayloadPlan, { headers = {}, pieceSize = 1000, limits = {} }: Attempt = {}) {
  const http = request({ method: 'PUT', headers: headersWith(headers), body: pieces(body, pieceSize) });
  const payload = decodePayload(http, plan, limits);
  const bytes = await readAll(payload.body);
  return { bytes, decodedLength: payload.decodedLength, trailers: { ...payload.trailers() } };
}

function headersWith(change: Record<string, string | undefined> = {}): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries({ 'x-amz-decoded-content-length': String(SIZE), ...change })) {
    if (value !== undefined) headers[name] = value;
  }
  return headers;
}

const TRAILER = { headers: { 'x-amz-trailer': 'x-amz-checksum-crc32' } };
const FORMS: { name: string; plan: PayloadPlan; body: EncodedBody; attempt: Attempt; trailers: Record<string, string> }[] = [
  { name: 'signed', plan: signedPlan(false), body: encode(DATA, { signed: true }), attempt: {}, trailers: {} },
  { name: 'signed with trailer', plan: signedPlan(true), body: encode(DATA, { signed: true, trailers: CRC }), attempt: TRAILER, trailers: CRC },
  { name: 'unsigned with trailer', plan: UNSIGNED_TRAILER, body: encode(DATA, { signed: false, trailers: CRC }), attempt: TRAILER, trailers: CRC },
  { name: 'unsigned without any', plan: UNSIGNED_TRAILER, body: encode(DATA, { signed: false }), attempt: {}, trailers: {} },
];

for (const { name, plan, body, attempt, trailers } of FORMS) {
  const wire = bytesOf(body);
  const incomplete = { code: 'IncompleteBody', status: 400 };

  describe(`aws-chunked, ${name}`, () => {
    test('comes out as it was put in, however the network cuts it', async () => {
      for (const pieceSize of [1, 2, 3, 7, 100, 8192, 8193, wire.byteLength - 1, wire.byteLength]) {
        const decoded = await decode(wire, plan, { ...attempt, pieceSize });
        assert.ok(decoded.bytes.equals(Buffer.concat(DATA)), `pieces of ${pieceSize}`);
        assert.deepEqual(decoded.trailers, trailers);
        assert.equal(decoded.decodedLength, SIZE);
      }
    });

    test('empty', async () => {
      const empty = encode([], { signed: plan.kind === 'chunked' && plan.signed, trailers });
      const decoded = await decode(bytesOf(empty), plan, { headers: { ...attempt.headers, 'x-amz-decoded-content-length': '0' } });
      assert.equal(decoded.bytes.byteLength, 0);
    });

    test('cut anywhere', async () => {
      const step = 371;
      for (let end = 0; end < wire.byteLength - body.trailer.byteLength; end += step) {
        await assert.rejects(decode(wire.subarray(0, end), plan, attempt), incomplete);
      }
      // Once the last chunk is there, only a trailer that was announced can be missing.
      const { trailer } = body;
      for (let cut = 3; cut <= trailer.byteLength && trailer.byteLength > 2; cut++) {
        const rejected = decode(wire.subarray(0, wire.byteLength - cut), plan, attempt);
        await assert.rejects(rejected, { code: 'MalformedTrailerError', status: 400 }, `${cut} bytes cut`);
      }
    });

    test('a connection that breaks', async () => {
      async function* breaking() {
        yield Buffer.from(wire.subarray(0, 5000));
        throw new Error('aborted');
      }
      const http = request({ headers: { 'x-amz-decoded-content-length': String(SIZE) }, body: breaking() });
      const { body: decoded } = decodePayload(http, UNSIGNED_TRAILER);
      await assert.rejects(readAll(name.startsWith('unsigned') ? decoded : decodePayload({ ...http, body: breaking() }, plan, {}).body), incomplete);
    });

    test('a decoded length that is too large or too small', async () => {
      for (const length of [SIZE - 1, SIZE + 1, 0]) {
        const headers = { ...attempt.headers, 'x-amz-decoded-content-length': String(length) };
        await assert.rejects(decode(wire, plan, { headers }), incomplete);
      }
    });

    test('no decoded length, a bad one, one beyond the limit', async () => {
      const withLength = (length: string | undefined) => ({ headers: { ...attempt.headers, 'x-amz-decoded-content-length': length } });
      await assert.rejects(decode(wire, plan, withLength(undefined)), { code: 'MissingContentLength', status: 411 });
      for (const bad of ['', '-1', '1e3', '0x10', '1.5', '9'.repeat(20)]) {
        await assert.rejects(decode(wire, plan, withLength(bad)), { code: 'InvalidRequest', status: 400 });
      }
      await assert.rejects(decode(wire, plan, { ...attempt, limits: { decodedLengthMax: SIZE - 1 } }), {
        code: 'EntityTooLarge',
        status: 400,
        details: { ProposedSize: String(SIZE), MaxSizeAllowed: String(SIZE - 1) },
      });
      await decode(wire, plan, { ...attempt, limits: { decodedLengthMax: SIZE } });
    });

    test('the HTTP length is not what came', async () => {
      const contentLength = String(wire.byteLength + 1);
      await assert.rejects(decode(wire, plan, { headers: { ...attempt.headers, 'content-length': contentLength } }), incomplete);
      await decode(wire, plan, { headers: { ...attempt.headers, 'content-length': String(wire.byteLength) } });
    });

    test('framing that is none', async () => {
      const malformed = { code: 'InvalidRequest', status: 400 };
      const first = body.chunks[0]!;
      const signature = first.header.toString().slice(4, -2);
      for (const header of ['\r\n', `;${signature}\r\n`, `g${signature}\r\n`, `-1${signature}\r\n`, ` 2000${signature}\r\n`, `2000 ${signature}\r\n`, `2000${signature}\n`, `0x2000${signature}\r\n`, `${'0'.repeat(20)}${signature}\r\n`]) {
        const broken = { ...body, chunks: [{ ...first, header: Buffer.from(header) }, ...body.chunks.slice(1)] };
        await assert.rejects(decode(bytesOf(broken), plan, attempt), malformed, JSON.stringify(header));
      }
      for (const end of ['', '\n', '\r', 'xx', '\r\n\r\n', '\n\n', '\rx']) {
        const broken = { ...body, chunks: [{ ...first, end: Buffer.from(end) }, ...body.chunks.slice(1)] };
        await assert.rejects(decode(bytesOf(broken), plan, attempt), malformed, JSON.stringify(end));
      }
      await assert.rejects(decode(Buffer.alloc(100_000, '1'), plan, attempt), malformed);
      await assert.rejects(decode(Buffer.alloc(2000, '1'), plan, { ...attempt, pieceSize: 1 }), malformed);
    });

    test('leading zeros and upper-case sizes', async () => {
      const chunks = body.chunks.map((chunk) => {
        const [size, rest] = [chunk.header.toString().split(/[;\r]/)[0]!, chunk.header.toString().slice(chunk.data.byteLength.toString(16).length)];
        return { ...chunk, header: Buffer.from(`000${size.toUpperCase()}${rest}`) };
      });
      assert.equal((await decode(bytesOf({ ...body, chunks }), plan, attempt)).bytes.byteLength, SIZE);
    });

    test('chunk sizes beyond what was announced, even absurd ones', async () => {
      for (const size of ['ffffffffffffffff', '7fffffff', '4002']) {
        const header = Buffer.from(body.chunks[0]!.header.toString().replace(/^2000/, size));
        const broken = { ...body, chunks: [{ ...body.chunks[0]!, header }, ...body.chunks.slice(1)] };
        await assert.rejects(decode(bytesOf(broken), plan, attempt), incomplete);
      }
    });

    test('a reader that stops early lets go of the connection', async () => {
      let isReleased = false;
      async function* source() {
        try {
          yield* pieces(wire, 100);
        } finally {
          isReleased = true;
        }
      }
      const http = request({ headers: headersWith(attempt.headers), body: source() });
      const payload = decodePayload(http, plan);
      for await (const _ of payload.body) break;
      assert.ok(isReleased);
      assert.throws(() => payload.trailers(), /after the body has ended/);
    });
  });
}

describe('tampering with signed chunks', () => {
  const forms = FORMS.filter(({ plan }) => plan.kind === 'chunked' && plan.signed);
  for (const { name, plan, body, attempt } of forms) {
    const forged = { code: 'SignatureDoesNotMatch', status: 403 };
    test(`${name}: bytes of any chunk`, async () => {
      for (const index of [0, 1, 2]) {
        for (const pieceSize of [100, 100_000]) {
          const chunks = body.chunks.map((chunk) => ({ ...chunk, data: Buffer.from(chunk.data) }));
          chunks[index]!.data[0]! ^= 1;
          await assert.rejects(decode(bytesOf({ ...body, chunks }), plan, { ...attempt, pieceSize }), forged);
        }
      }
    });

    test(`${name}: signature of any chunk, the last one too`, async () => {
      for (const index of [0, 1, 2, 3]) {
        for (const change of [(text: string) => text.replace(/.\r\n$/, (end) => `${end[0] === '0' ? '1' : '0'}\r\n`), (text: string) => text.replace(/.\r\n$/, '\r\n'), (text: string) => text.toUpperCase()]) {
          const chunks = [...body.chunks];
          const header = Buffer.from(change(chunks[index]!.header.toString()));
          chunks[index] = { ...chunks[index]!, header };
          const rejected = decode(bytesOf({ ...body, chunks }), plan, attempt);
          await assert.rejects(rejected, (error: { code: string }) => ['SignatureDoesNotMatch', 'InvalidRequest'].includes(error.code));
        }
        const chunks = [...body.chunks];
        chunks[index] = { ...chunks[index]!, header: Buffer.from(chunks[index]!.header.toString().replace(/;.*\r/, '\r')) };
        await assert.rejects(decode(bytesOf({ ...body, chunks }), plan, attempt), { code: 'InvalidRequest', status: 400 });
      }
    });

    test(`${name}: order, a chunk left out, a chunk twice`, async () => {
      const [first, second, third, last] = body.chunks as [EncodedBody['chunks'][0], EncodedBody['chunks'][0], EncodedBody['chunks'][0], EncodedBody['chunks'][0]];
      for (const chunks of [[second, first, third, last], [second, third, last], [first, third, last], [first, first, third, last]]) {
        const length = String(chunks.reduce((sum, { data }) => sum + data.byteLength, 0));
        const headers = { ...attempt.headers, 'x-amz-decoded-content-length': length };
        await assert.rejects(decode(bytesOf({ ...body, chunks }), plan, { headers }), forged);
      }
      // Cut at a chunk's border and closed with the genuine last chunk.
      const headers = { ...attempt.headers, 'x-amz-decoded-content-length': '16384' };
      await assert.rejects(decode(bytesOf({ ...body, chunks: [first, second, last] }), plan, { headers }), forged);
    });
  }

  test('the answer shows the chunk that was compared', async () => {
    const { plan, body, attempt } = forms[0]!;
    const chunks = body.chunks.map((chunk) => ({ ...chunk, data: Buffer.from(chunk.data) }));
    chunks[1]!.data[0]! ^= 1;
    await assert.rejects(decode(bytesOf({ ...body, chunks }), plan, attempt), (error: { details: Record<string, string> }) => {
      const [algorithm, , , previous] = error.details['StringToSign']!.split('\n');
      assert.equal(algorithm, 'AWS4-HMAC-SHA256-PAYLOAD');
      assert.equal(`;chunk-signature=${previous}\r\n`, body.chunks[0]!.header.toString().slice(4));
      return true;
    });
  });

  test('trailer value, name, signature; a trailer without its signature', async () => {
    const { plan, body } = forms[1]!;
    const text = body.trailer.toString();
    const swap = (from: string | RegExp, to: string): Buffer => bytesOf({ ...body, trailer: Buffer.from(text.replace(from, to)) });
    const forged = { code: 'SignatureDoesNotMatch', status: 403 };
    await assert.rejects(decode(swap('AAAAAA', 'AAAAAB'), plan, TRAILER), forged);
    await assert.rejects(decode(swap('crc32:', 'crc32c:'), plan, { headers: { 'x-amz-trailer': 'x-amz-checksum-crc32c' } }), forged);
    await assert.rejects(decode(swap(/trailer-signature:../, 'trailer-signature:00'), plan, TRAILER), forged);
    const malformed = { code: 'MalformedTrailerError', status: 400 };
    await assert.rejects(decode(swap(/x-amz-trailer-signature.*\r\n/, ''), plan, TRAILER), malformed);
    await assert.rejects(decode(swap(/^.*\r\n/, ''), plan, TRAILER), malformed);
    await assert.rejects(decode(swap('x-amz-trailer-signature', 'x-amz-trailer-signature:00\r\nx-amz-trailer-signature'), plan, TRAILER), malformed);
    await assert.rejects(decode(swap(/\r\n\r\n$/, '\r\nx-amz-checksum-crc32:BBBBBB==\r\n\r\n'), plan, TRAILER), malformed);
  });
});

describe('trailers', () => {
  const { plan, body } = FORMS[2]!;
  const put = (trailer: string, declared: string | undefined) =>
    decode(bytesOf({ ...body, trailer: Buffer.from(trailer) }), plan, { headers: { 'x-amz-trailer': declared } });

  test('line ends as other signers write them', async () => {
    for (const trailer of [
      'x-amz-checksum-crc32:AAAAAA==\n\r\n',
      'x-amz-checksum-crc32:AAAAAA==\n\r\n\r\n\r\n',
      'x-amz-checksum-crc32:AAAAAA==\r\n',
      'X-Amz-Checksum-CRC32: AAAAAA== \r\n\r\n',
    ]) {
      assert.deepEqual((await put(trailer, 'x-amz-checksum-crc32')).trailers, CRC, JSON.stringify(trailer));
    }
  });

  test('several, declared in one list', async () => {
    const trailers = { ...CRC, 'x-amz-checksum-sha256': 'x' };
    const text = 'x-amz-checksum-crc32:AAAAAA==\r\nx-amz-checksum-sha256:x\r\n\r\n';
    assert.deepEqual((await put(text, 'x-amz-checksum-sha256, X-Amz-Checksum-Crc32')).trailers, trailers);
  });

  test('not as declared', async () => {
    const malformed = { code: 'MalformedTrailerError', status: 400 };
    const good = 'x-amz-checksum-crc32:AAAAAA==\r\n\r\n';
    await assert.rejects(put(good, undefined), malformed);
    await assert.rejects(put(good, 'x-amz-checksum-crc32c'), malformed);
    await assert.rejects(put('\r\n', 'x-amz-checksum-crc32'), malformed);
    await assert.rejects(put(`x-amz-checksum-crc32:B\r\n${good}`, 'x-amz-checksum-crc32'), malformed);
    await assert.rejects(put(`x-amz-meta-a:b\r\n${good}`, 'x-amz-checksum-crc32'), malformed);
    await assert.rejects(put(`rubbish\r\n${good}`, 'x-amz-checksum-crc32'), malformed);
    await assert.rejects(put(`:x\r\n${good}`, 'x-amz-checksum-crc32'), malformed);
    await assert.rejects(put(`x-amz-trailer-signature:00\r\n${good}`, 'x-amz-checksum-crc32'), malformed);
    await assert.rejects(put(`${good}${'x'.repeat(9000)}`, 'x-amz-checksum-crc32'), malformed);
    await assert.rejects(put('\r\n0;more\r\n', undefined), malformed);
    await assert.rejects(put(`${good}more`, 'x-amz-checksum-crc32'), malformed);
    await assert.rejects(put(`${good}${'\r\n'.repeat(5000)}`, 'x-amz-checksum-crc32'), malformed);
  });

  test('declared, but unknown or impossible', async () => {
    await assert.rejects(put('\r\n', 'x-amz-meta-a'), {
      code: 'InvalidRequest',
      status: 400,
      publicMessage: 'The value specified in the x-amz-trailer header is not supported',
    });
    const wire = bytesOf(FORMS[0]!.body);
    await assert.rejects(decode(wire, signedPlan(false), TRAILER), { code: 'MalformedTrailerError' });
    const http = request({ headers: headersWith(TRAILER.headers) });
    assert.throws(() => decodePayload(http, signedPlan(false)), { code: 'MalformedTrailerError' }, 'before a byte is read');
    await assert.rejects(decode(wire, { kind: 'unsigned' }, TRAILER), { code: 'MalformedTrailerError' });
  });
});

describe('plain bodies', () => {
  const body = Buffer.from('Welcome to Amazon S3.');
  const put = async (plan: PayloadPlan, headers: Record<string, string> = {}, limits: PayloadLimits = {}) => {
    const payload = decodePayload(request({ headers, body: pieces(body, 4) }), plan, limits);
    return { bytes: await readAll(payload.body), decodedLength: payload.decodedLength, trailers: payload.trailers() };
  };

  test('with its hash', async () => {
    const plan: PayloadPlan = { kind: 'sha256', hex: sha256(body), service: 's3' };
    assert.deepEqual(await put(plan, { 'content-length': '21' }), { bytes: body, decodedLength: 21, trailers: {} });
    assert.equal((await put(plan)).decodedLength, undefined);
  });

  test('with another hash', async () => {
    const hex = sha256('another');
    await assert.rejects(put({ kind: 'sha256', hex, service: 's3' }), {
      code: 'XAmzContentSHA256Mismatch',
      status: 400,
      publicMessage: "The provided 'x-amz-content-sha256' header does not match what was computed.",
      details: { ClientComputedContentSHA256: hex, S3ComputedContentSHA256: sha256(body) },
    });
    await assert.rejects(put({ kind: 'sha256', hex, service: 'glacier' }), {
      code: 'InvalidSignatureException',
      status: 403,
      publicMessage: /^The value passed in as x-amz-content-sha256 does not match the computed payload hash\./,
    });
  });

  test('cut, or longer than allowed', async () => {
    for (const plan of [{ kind: 'unsigned' }, { kind: 'sha256', hex: sha256(body), service: 's3' }] as const) {
      await assert.rejects(put(plan, { 'content-length': '22' }), { code: 'IncompleteBody', status: 400 });
      await assert.rejects(put(plan, { 'content-length': 'x' }), { code: 'InvalidRequest', status: 400 });
      await assert.rejects(put(plan, { 'content-length': '21' }, { decodedLengthMax: 20 }), { code: 'EntityTooLarge', status: 400 });
    }
  });

  test('pieces pass through as they are, none copied', async () => {
    const piece = Buffer.from('the very same');
    async function* one() {
      yield piece;
    }
    for (const plan of [{ kind: 'unsigned' }, { kind: 'sha256', hex: sha256(piece), service: 's3' }] as const) {
      for await (const bytes of decodePayload(request({ body: one() }), plan).body) assert.equal(bytes, piece);
    }
  });
});
