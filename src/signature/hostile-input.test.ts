/** Whatever comes from the network, the answer is a ServiceError or the right bytes: no crash, no hang. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { ServiceError } from '../base/index.ts';
import { checkPostPolicy, decodePayload, hoistedHeaders, serviceOfCredentialScope, verifyPostForm, verifyRequest } from './index.ts';
import type { PayloadPlan } from './index.ts';
import { bytesOf, encode, lookupExample, readAll, request, signedPlan, signerWith, UNSIGNED_TRAILER } from './testing.ts';

const signed = signerWith(SignatureV4);
const dateMs = Date.UTC(2026, 10, 23, 12, 0, 0);
const clock = { nowMs: () => dateMs };

/** Runs to its end with a ServiceError or a result; anything else is a defect. */
async function serviceErrorOrResult<T>(run: () => Promise<T> | T): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    assert.ok(error instanceof ServiceError, `not a ServiceError: ${String(error)}`);
    assert.ok(error.status >= 400 && error.status <= 501);
    return undefined;
  }
}

async function* cutAt(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let start = 0;
  for (let index = 0; start < bytes.byteLength; index++) {
    const end = start + (sizes.length === 0 ? bytes.byteLength : sizes[index % sizes.length]!);
    yield Buffer.from(bytes.subarray(start, end));
    start = end;
  }
}

const PLANS: Record<string, { plan: PayloadPlan; signed: boolean; trailers: Record<string, string> }> = {
  signed: { plan: signedPlan(false), signed: true, trailers: {} },
  'signed with trailer': { plan: signedPlan(true), signed: true, trailers: { 'x-amz-checksum-crc32': 'AAAAAA==' } },
  'unsigned with trailer': { plan: UNSIGNED_TRAILER, signed: false, trailers: { 'x-amz-checksum-sha256': 'x' } },
};

describe('aws-chunked', () => {
  const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 400 }).map((bytes) => Buffer.from(bytes)), { maxLength: 8 });
  const cuts = fc.array(fc.integer({ min: 1, max: 500 }), { maxLength: 10 });

  for (const [name, { plan, signed: isSigned, trailers }] of Object.entries(PLANS)) {
    const read = (wire: Buffer, sizes: readonly number[], decodedLength: number) => {
      const headers: Record<string, string> = { 'x-amz-decoded-content-length': String(decodedLength) };
      if (Object.keys(trailers).length > 0) headers['x-amz-trailer'] = Object.keys(trailers).join();
      return readAll(decodePayload(request({ headers, body: cutAt(wire, sizes) }), plan).body);
    };

    test(`${name}: any chunks, cut anywhere`, async () => {
      await fc.assert(
        fc.asyncProperty(chunks, cuts, async (data, sizes) => {
          const expected = Buffer.concat(data);
          const wire = bytesOf(encode(data, { signed: isSigned, trailers }));
          assert.ok((await read(wire, sizes, expected.byteLength)).equals(expected));
        }),
        { numRuns: 150 },
      );
    });

    test(`${name}: a byte changed, left out or added is refused or leaves the data as it was`, async () => {
      const edit = fc.record({ at: fc.nat(), kind: fc.constantFrom('change', 'remove', 'insert', 'cut'), byte: fc.integer({ min: 0, max: 255 }) });
      await fc.assert(
        fc.asyncProperty(chunks, cuts, edit, async (data, sizes, { at, kind, byte }) => {
          const expected = Buffer.concat(data);
          const wire = bytesOf(encode(data, { signed: isSigned, trailers }));
          const index = at % wire.byteLength;
          const after = wire.subarray(index + (kind === 'insert' ? 0 : 1));
          const middle = kind === 'change' || kind === 'insert' ? [Buffer.from([byte])] : [];
          const changed = Buffer.concat([wire.subarray(0, index), ...middle, ...(kind === 'cut' ? [] : [after])]);
          const bytes = await serviceErrorOrResult(() => read(changed, sizes, expected.byteLength));
          if (bytes === undefined) return;
          // Without signatures the data itself may differ, never its length.
          assert.equal(bytes.byteLength, expected.byteLength);
          if (isSigned) assert.ok(bytes.equals(expected));
        }),
        { numRuns: 300 },
      );
    });

    test(`${name}: rubbish`, async () => {
      const tokens = fc.constantFrom('0', '5', 'ff', '\r\n', '\n', '\r', ';chunk-signature=', 'a'.repeat(64), 'hello', 'x-amz-checksum-crc32:', ':', '\0', 'FFFFFFFFFFFFFFFF');
      const rubbish = fc.oneof(
        fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
        fc.array(tokens, { maxLength: 40 }).map((parts) => Buffer.from(parts.join(''))),
      );
      await fc.assert(
        fc.asyncProperty(rubbish, cuts, fc.nat({ max: 100 }), async (wire, sizes, length) => {
          await serviceErrorOrResult(() => read(wire, sizes, length));
        }),
        { numRuns: 400 },
      );
    });
  }
});

describe('requests', () => {
  const options = (service: string) => ({ service, regions: 'any' as const, clock, skewMs: 900_000, lookup: lookupExample });
  const SERVICES = ['s3', 'kms', 'sts', 'glacier'];
  const latin1 = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) });
  const piece = fc.constantFrom(
    'AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256', 'AWS ', 'Credential', 'SignedHeaders', 'Signature', '=', ',', ' ', '/', ';', '%', '%2F', '&', '+',
    'AKIAIOSFODNN7EXAMPLE', '20261123', '20261123T120000Z', 'us-east-1', 's3', 'aws4_request', 'host', 'x-amz-date', '__proto__', 'constructor',
    'X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Signature', 'X-Amz-Date', 'X-Amz-Expires', 'X-Amz-SignedHeaders', 'x-amz-acl', '-1', '60',
  );
  const text = fc.oneof(fc.array(piece, { maxLength: 30 }).map((parts) => parts.join('')), latin1);

  test('nothing but ServiceErrors for rubbish in any place', async () => {
    const headerNames = fc.constantFrom('authorization', 'host', 'date', 'x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token', 'x-amz-trailer', 'x-amz-meta-a');
    await fc.assert(
      fc.asyncProperty(fc.dictionary(headerNames, text), text, text, async (headers, path, query) => {
        const http = { ...request({ headers }), rawPath: `/${path}`, rawQuery: query };
        for (const service of SERVICES) {
          const verified = await serviceErrorOrResult(() => verifyRequest(http, options(service)));
          assert.ok(verified === undefined || verified.kind === 'anonymous');
        }
        await serviceErrorOrResult(() => hoistedHeaders(http));
        serviceOfCredentialScope(http);
      }),
      { numRuns: 600 },
    );
  });

  test('a good Authorization header with one edit names the same caller or nobody', async () => {
    const good = await signed({ path: '/b/k', headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }, dateMs });
    const header = good.headers['authorization']!;
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: header.length }), fc.nat({ max: 3 }), piece, async (at, removed, inserted) => {
        const authorization = header.slice(0, at) + inserted + header.slice(at + removed);
        const http = { ...good, headers: { ...good.headers, authorization } };
        const verified = await serviceErrorOrResult(() => verifyRequest(http, options('s3')));
        if (verified === undefined) return;
        // Blanks and commas between the parts, or the very text that was there.
        const normal = (value: string) => value.replace(/[\s,]+/g, ' ').trim();
        assert.equal(normal(authorization), normal(header));
      }),
      { numRuns: 600 },
    );
  });

  test('a presigned URL with one edit is refused, unless it means the same', async () => {
    const good = await signed({ path: '/b/k', query: { versionId: 'a b' }, headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }, dateMs, expiresIn: 60 });
    const meaning = (query: string) => [...new URLSearchParams(query)].filter(([name, value]) => name !== '' || value !== '').map((pair) => pair.join('=')).sort().join('\n');
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: good.rawQuery.length }), fc.nat({ max: 3 }), piece, async (at, removed, inserted) => {
        const rawQuery = good.rawQuery.slice(0, at) + inserted + good.rawQuery.slice(at + removed);
        const verified = await serviceErrorOrResult(() => verifyRequest({ ...good, rawQuery }, options('s3')));
        if (verified === undefined) return;
        assert.equal(meaning(rawQuery), meaning(good.rawQuery));
      }),
      { numRuns: 600 },
    );
  });

  test('forms', async () => {
    const names = fc.constantFrom('policy', 'x-amz-algorithm', 'x-amz-credential', 'x-amz-date', 'x-amz-signature', 'key', 'awsaccesskeyid');
    await fc.assert(
      fc.asyncProperty(fc.dictionary(names, fc.oneof(text, fc.json().map((json) => Buffer.from(json).toString('base64')))), async (fields) => {
        const map = new Map(Object.entries(fields));
        const verified = await serviceErrorOrResult(() => verifyPostForm(map, { ...options('s3') }));
        if (verified?.kind === 'post') await serviceErrorOrResult(() => checkPostPolicy(verified.policy, map, 1));
      }),
      { numRuns: 300 },
    );
  });
});
