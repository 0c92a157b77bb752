/** Browser forms, well formed and hostile: fields and file come out whole however the bytes are cut, and nothing crashes or hangs. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ServiceError, type HttpRequest } from '../../src/base/index.ts';
import { readPostForm } from '../../src/wire/post-form.ts';

const boundary = '----formBoundary7MA4YWxkTrZu0gW';

function requestOf(body: Buffer, cuts: readonly number[], contentType = `multipart/form-data; boundary=${boundary}`): HttpRequest {
  return {
    method: 'POST', rawPath: '/bucket', rawQuery: '', headers: { 'content-type': contentType }, secure: true, remoteAddress: '127.0.0.1',
    body: (async function* () {
      const places = [...new Set(cuts.map((cut) => cut % (body.length + 1)))].sort((a, b) => a - b);
      let start = 0;
      for (const end of [...places, body.length]) {
        if (end > start) yield Buffer.from(body.subarray(start, end));
        start = end;
      }
    })(),
  };
}

function formOf(fields: readonly (readonly [string, string])[], file: Uint8Array, fileName: string): Buffer {
  const parts = fields.map(([name, value]) => Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`));
  const head = Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${fileName}"\r\nContent-Type: text/plain\r\n\r\n`);
  return Buffer.concat([...parts, head, file, Buffer.from(`\r\n--${boundary}--\r\n`)]);
}

async function collect(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of source) pieces.push(piece);
  return Buffer.concat(pieces);
}

const name = fc.stringMatching(/^[a-z][a-z-]{0,20}$/).filter((text) => text !== 'file');
const value = fc.string({ unit: 'grapheme', maxLength: 50 }).filter((text) => !text.includes('--') && !/[\r\n\0]/.test(text) && text.isWellFormed());
const cuts = fc.array(fc.nat(5_000), { maxLength: 20 });

describe('browser forms', () => {
  test('come out whole, wherever the network cut them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.tuple(name, value), { selector: ([field]) => field, maxLength: 8 }), fc.uint8Array({ maxLength: 2_000 }), cuts, async (fields, file, places) => {
        const form = await readPostForm(requestOf(formOf(fields, file, 'photo.png'), places));
        assert.deepEqual([...form.fields], fields);
        assert.equal(form.fileName, 'photo.png');
        assert.deepEqual(await collect(form.file), Buffer.from(file));
      }),
      { numRuns: 150 },
    );
  });

  test('that are cut short or damaged end in a refusal', async () => {
    const whole = formOf([['key', 'a'], ['acl', 'private']], Buffer.from('the file'), 'f');
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.boolean(), fc.nat(255), cuts, async (place, isCut, byte, places) => {
        const body = isCut ? whole.subarray(0, place) : Buffer.from(whole);
        if (!isCut) body[place] = byte;
        try {
          const form = await readPostForm(requestOf(body, places));
          await collect(form.file);
        } catch (error) {
          assert.ok(error instanceof ServiceError, String(error));
          assert.ok(error.status === 400 || error.status === 412);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('of garbage, of other types, or too large before the file', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3_000 }), fc.string({ maxLength: 80 }), cuts, async (body, contentType, places) => {
        for (const type of [undefined, contentType]) {
          await assert.rejects(readPostForm(requestOf(Buffer.from(body), places, type)).then(({ file }) => collect(file)), ServiceError);
        }
      }),
      { numRuns: 100 },
    );
    const large = formOf([['key', 'x'.repeat(30_000)]], Buffer.from('f'), 'f');
    await assert.rejects(readPostForm(requestOf(large, [])), { code: 'MaxPostPreDataLengthExceeded', status: 400 });
    const many = formOf(Array.from({ length: 200 }, (_, index) => [`field-${index}`, 'v'] as const), Buffer.from('f'), 'f');
    await assert.rejects(readPostForm(requestOf(many, [])), { code: 'MalformedPOSTRequest' });
  });
});
