import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { ServiceError } from '../base/index.ts';
import { encodeErrorDocument, openService, type RestXmlCodec } from '../wire/index.ts';
import { answerInTime } from './slow-answer.ts';

describe('answers that take long', () => {
  let codec: RestXmlCodec;
  before(async () => {
    codec = (await openService('s3')).codec('CopyObject') as RestXmlCodec;
  });

  const output = { CopyObjectResult: { ETag: '"abc"' }, VersionId: 'v1' };
  const errorDocument = (error: unknown): string => encodeErrorDocument(error as ServiceError, { requestId: 'R' });

  async function textOf(body: unknown): Promise<string> {
    const pieces: Buffer[] = [];
    for await (const piece of body as AsyncIterable<Buffer>) pieces.push(piece);
    return Buffer.concat(pieces).toString();
  }

  test('that are ready in time are ordinary ones', async () => {
    const { status, headers, body } = await answerInTime(Promise.resolve(output), codec, errorDocument, 10_000);
    assert.deepEqual([status, headers['x-amz-version-id']], [200, 'v1']);
    assert.match(String(body), /<CopyObjectResult.*<ETag>&quot;abc&quot;<\/ETag>/s);
    const refusal = new ServiceError('NoSuchKey', 404, 'none');
    await assert.rejects(answerInTime(Promise.reject(refusal), codec, errorDocument, 10_000), refusal);
  });

  test('begin with the XML declaration and white space, and are the same document in the end', async () => {
    const acting = Promise.withResolvers<object>();
    const { status, body } = await answerInTime(acting.promise, codec, errorDocument, 5);
    assert.equal(status, 200);
    const source = (body as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
    const begin = [await source.next(), await source.next(), await source.next()].map(({ value }) => String(value));
    assert.match(begin[0] as string, /^<\?xml version="1\.0" encoding="UTF-8"\?>\s*$/);
    assert.deepEqual(begin.slice(1), [' ', ' ']);
    acting.resolve(output);
    const rest = await textOf({ [Symbol.asyncIterator]: () => source });
    const ordinary = await answerInTime(Promise.resolve(output), codec, errorDocument, 10_000);
    assert.equal((begin[0] as string) + rest.trimStart(), String(ordinary.body));
  });

  test('become an Error document under status 200 when they fail late', async () => {
    const acting = Promise.withResolvers<object>();
    const { status, body } = await answerInTime(acting.promise, codec, errorDocument, 5);
    acting.reject(new ServiceError('InternalError', 500, 'late'));
    assert.equal(status, 200);
    assert.match(await textOf(body), /^<\?xml[^>]*>\s*<Error><Code>InternalError<\/Code><Message>late<\/Message>/);
  });

  test('that nobody waits for any more harm nothing when they fail', async () => {
    const acting = Promise.withResolvers<object>();
    const { body } = await answerInTime(acting.promise, codec, errorDocument, 5);
    for await (const _ of body as AsyncIterable<Buffer>) break;
    acting.reject(new Error('late and alone'));
    await new Promise(setImmediate);
  });
});
