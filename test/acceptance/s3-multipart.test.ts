/**
 * Uploads in parts: cases S21, S31, S32, S37 and S39 to S47 of contract s3-surface.md section 12. What encryption adds
 * is in encryption-multipart.test.ts.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { checksumOf, otherChecksum } from '../kit/checksum-values.ts';
import { completion, md5, openLab, type Lab, type LabAnswer } from '../kit/encryption-lab.ts';

const MiB = 1024 * 1024;

describe('uploads in parts', () => {
  let lab: Lab;
  let bucket: string;
  const first = Buffer.alloc(5 * MiB, 'first;');
  const second = Buffer.alloc(5 * MiB, 'second;');
  const last = Buffer.from('the last');
  before(async () => {
    lab = await openLab();
    bucket = await lab.newBucket();
  });
  after(() => lab.stop());

  const refusal = ({ status, code }: LabAnswer) => [status, code];
  const element = ({ text }: LabAnswer, name: string): string | undefined => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
  const part = (key: string, id: string, number: number | string, body: Buffer | string, headers: Record<string, string> = {}): Promise<LabAnswer> =>
    lab.send('PUT', `/${bucket}/${key}?partNumber=${number}&uploadId=${id}`, headers, body);
  const complete = (key: string, id: string, parts: Parameters<typeof completion>[0], headers: Record<string, string> = {}): Promise<LabAnswer> =>
    lab.send('POST', `/${bucket}/${key}?uploadId=${id}`, headers, completion(parts));
  /** As ListParts names it. */
  const listed = (number: number, answer: LabAnswer, extra = '') => ({ number, etag: String(answer.headers['etag']), extra });
  /** The three parts, uploaded out of order and at once. */
  async function threeParts(key: string, headers: Record<string, string> = {}): Promise<{ id: string; parts: ReturnType<typeof listed>[] }> {
    const id = await lab.startUpload(bucket, key, headers);
    const bodies: [number, Buffer][] = [[3, last], [1, first], [2, second]];
    const parts = await Promise.all(bodies.map(async ([number, body]) => listed(number, await part(key, id, number, body))));
    return { id, parts: parts.sort((a, b) => a.number - b.number) };
  }
  const isAbsent = async (key: string): Promise<void> => assert.equal((await lab.send('HEAD', `/${bucket}/${key}`)).status, 404);

  test('S39: a completion sent many times at once is answered alike', async () => {
    for (let round = 0; round < 4; round++) {
      const key = `at-once-${round}`;
      const id = await lab.startUpload(bucket, key);
      const parts = [listed(1, await part(key, id, 1, first)), listed(2, await part(key, id, 2, last))];
      const answers = await Promise.all(Array.from({ length: 6 }, () => complete(key, id, parts)));
      assert.deepEqual(answers.map((answer) => [answer.status, element(answer, 'ETag')]), answers.map(() => [200, element(answers[0]!, 'ETag')]));
      assert.ok((await lab.send('GET', `/${bucket}/${key}`)).body.equals(Buffer.concat([first, last])));
    }
  });

  test('S39 S42 S21 S37: three parts at once, completed, read, copied; and what is refused on the way', async () => {
    const { id, parts } = await threeParts('s39');
    const [one, two, three] = parts as [typeof parts[0] & {}, typeof parts[0] & {}, typeof parts[0] & {}];
    const descending = await complete('s39', id, [two, one, three]);
    assert.deepEqual([...refusal(descending), element(descending, 'UploadId')], [400, 'InvalidPartOrder', id]);
    assert.equal((await complete('s39', id, [one, one])).code, 'InvalidPartOrder');
    for (const wrong of [{ ...two, etag: md5('x') }, { ...two, number: 7 }]) {
      const refused = await complete('s39', id, [one, wrong]);
      assert.deepEqual([...refusal(refused), element(refused, 'PartNumber'), element(refused, 'UploadId')], [400, 'InvalidPart', String(wrong.number), id]);
    }
    const none = await lab.send('POST', `/${bucket}/s39?uploadId=${id}`, {}, '<CompleteMultipartUpload></CompleteMultipartUpload>');
    assert.deepEqual([none.status, ['InvalidRequest', 'MalformedXML'].includes(none.code)], [400, true]);
    await isAbsent('s39');

    const done = await complete('s39', id, parts);
    const binary = Buffer.concat([first, second, last].map((body) => Buffer.from(md5(body), 'hex')));
    assert.deepEqual([done.status, element(done, 'ETag')?.replaceAll('&quot;', '"')], [200, `"${md5(binary)}-3"`]);
    assert.match(String(element(done, 'Location')), new RegExp(`/${bucket}/s39$`));
    assert.equal((await complete('s39', id, parts)).status, 200, 'twice is answered alike');
    for (const answer of [await part('s39', id, 4, 'x'), await lab.send('DELETE', `/${bucket}/s39?uploadId=${id}`), await lab.send('GET', `/${bucket}/s39?uploadId=${id}`)]) {
      assert.deepEqual([...refusal(answer), element(answer, 'UploadId')], [404, 'NoSuchUpload', id]);
    }

    const whole = Buffer.concat([first, second, last]);
    assert.ok((await lab.send('GET', `/${bucket}/s39`)).body.equals(whole));
    for (const [number, body, start] of [[1, first, 0], [2, second, 5 * MiB], [3, last, 10 * MiB]] as const) {
      for (const method of ['GET', 'HEAD']) {
        const got = await lab.send(method, `/${bucket}/s39?partNumber=${number}`);
        assert.deepEqual(
          [got.status, got.headers['x-amz-mp-parts-count'], got.headers['content-range'], got.headers['content-length']],
          [206, '3', `bytes ${start}-${start + body.length - 1}/${whole.length}`, String(body.length)],
        );
        if (method === 'GET') assert.ok(got.body.equals(body));
      }
    }
    const beyond = await lab.send('GET', `/${bucket}/s39?partNumber=4`);
    assert.deepEqual([...refusal(beyond), element(beyond, 'PartNumberRequested'), element(beyond, 'ActualPartCount')], [416, 'InvalidPartNumber', '4', '3']);
    assert.deepEqual(refusal(await lab.send('GET', `/${bucket}/s39?partNumber=1`, { range: 'bytes=0-1' })), [400, 'InvalidRequest']);
    for (const number of ['0', '10001', 'x']) assert.equal((await lab.send('GET', `/${bucket}/s39?partNumber=${number}`)).status, 400, number);
    const border = await lab.send('GET', `/${bucket}/s39`, { range: `bytes=${5 * MiB - 3}-${10 * MiB + 2}` });
    assert.ok(border.body.equals(whole.subarray(5 * MiB - 3, 10 * MiB + 3)));

    const copied = await lab.send('PUT', `/${bucket}/copy`, { 'x-amz-copy-source': `${bucket}/s39` });
    assert.deepEqual([element(copied, 'ETag')?.replaceAll('&quot;', '"'), element(copied, 'ChecksumType')], [`"${md5(whole)}"`, 'FULL_OBJECT']);
    const head = await lab.send('HEAD', `/${bucket}/copy`, { 'x-amz-checksum-mode': 'ENABLED' });
    assert.deepEqual([head.headers['x-amz-checksum-crc64nvme'], head.headers['x-amz-checksum-type']], [await checksumOf('CRC64NVME', whole), 'FULL_OBJECT']);
  });

  test('S40: a part too small that is not the last', async () => {
    const id = await lab.startUpload(bucket, 's40');
    const parts = [listed(1, await part('s40', id, 1, Buffer.alloc(MiB))), listed(2, await part('s40', id, 2, last))];
    const refused = await complete('s40', id, parts);
    assert.deepEqual(
      [...refusal(refused), ...['ProposedSize', 'MinSizeAllowed', 'PartNumber'].map((name) => element(refused, name)), element(refused, 'ETag')?.replaceAll('&quot;', '')],
      [400, 'EntityTooSmall', String(MiB), String(5 * MiB), '1', md5(Buffer.alloc(MiB))],
    );
    await isAbsent('s40');
    // A part uploaded again takes the place of the first.
    const [, two] = parts;
    assert.equal((await complete('s40', id, [listed(1, await part('s40', id, 1, first)), two as typeof parts[0] & {}])).status, 200);
    assert.ok((await lab.send('GET', `/${bucket}/s40`)).body.equals(Buffer.concat([first, last])));
  });

  test('S41: part numbers', async () => {
    const id = await lab.startUpload(bucket, 's41');
    for (const number of ['0', '10001', '-1', 'x']) assert.deepEqual(refusal(await part('s41', id, number, 'x')), [400, 'InvalidArgument'], number);
    for (const number of [1, 10_000]) assert.equal((await part('s41', id, number, 'x')).status, 200);
    assert.deepEqual(refusal(await part('s41', 'no-such-upload', 1, 'x')), [404, 'NoSuchUpload']);
    assert.deepEqual(refusal(await part('s41-other', id, 1, 'x')), [404, 'NoSuchUpload']);
    assert.equal((await lab.send('DELETE', `/${bucket}/s41?uploadId=${id}`)).status, 204);
    assert.deepEqual(refusal(await lab.send('DELETE', `/${bucket}/s41?uploadId=${id}`)), [404, 'NoSuchUpload']);
  });

  test('S31 S32: what came between the start of an upload and its completion', async () => {
    const ready = async (key: string) => {
      const id = await lab.startUpload(bucket, key);
      return { id, parts: [listed(1, await part(key, id, 1, last))] };
    };
    const written = await ready('s31');
    await lab.send('PUT', `/${bucket}/s31`, {}, 'between');
    const exists = await complete('s31', written.id, written.parts, { 'if-none-match': '*' });
    assert.deepEqual([...refusal(exists), element(exists, 'Condition')], [412, 'PreconditionFailed', 'If-None-Match']);
    const rewritten = await ready('s31');
    await lab.send('PUT', `/${bucket}/s31`, {}, 'between');
    const conflict = await complete('s31', rewritten.id, rewritten.parts, { 'if-match': md5('between') });
    assert.deepEqual([...refusal(conflict), element(conflict, 'Key')], [409, 'ConditionalRequestConflict', 's31']);
    const deleted = await ready('s31');
    await lab.send('DELETE', `/${bucket}/s31`);
    assert.deepEqual(refusal(await complete('s31', deleted.id, deleted.parts, { 'if-none-match': '*' })), [409, 'ConditionalRequestConflict']);
    await isAbsent('s31');
    const fresh = await ready('s31');
    assert.deepEqual(refusal(await complete('s31', fresh.id, fresh.parts, { 'if-match': md5('x') })), [404, 'NoSuchKey']);
    assert.deepEqual(refusal(await complete('s31', fresh.id, fresh.parts, { 'if-none-match': md5('x') })), [501, 'NotImplemented']);
    assert.equal((await complete('s31', fresh.id, fresh.parts, { 'if-none-match': '*' })).status, 200);
    const matching = await ready('s31');
    const etag = String((await lab.send('HEAD', `/${bucket}/s31`)).headers['etag']);
    assert.equal((await complete('s31', matching.id, matching.parts, { 'if-match': etag })).status, 200);
  });

  test('S43: composite checksums', async () => {
    const id = await lab.startUpload(bucket, 's43', { 'x-amz-checksum-algorithm': 'CRC32' });
    const bodies = [first, last];
    const values = await Promise.all(bodies.map((body) => checksumOf('CRC32', body)));
    const parts = await Promise.all(bodies.map(async (body, index) => listed(index + 1, await part('s43', id, index + 1, body, { 'x-amz-checksum-crc32': values[index] as string }))));
    const without = await complete('s43', id, parts);
    assert.deepEqual(
      [...refusal(without), without.message],
      [400, 'InvalidRequest', 'The upload was created using a crc32 checksum. The complete request must include the checksum for each part. It was missing for part 1 in the request.'],
    );
    const withChecksums = (wrong = -1) => parts.map((entry, index) => ({
      ...entry, extra: `<ChecksumCRC32>${index === wrong ? otherChecksum(values[index] as string) : values[index]}</ChecksumCRC32>`,
    }));
    const wrong = await complete('s43', id, withChecksums(1));
    assert.deepEqual([wrong.status, ['InvalidPart', 'BadDigest'].includes(wrong.code)], [400, true]);
    const mode = await complete('s43', id, withChecksums(), { 'x-amz-checksum-type': 'FULL_OBJECT' });
    assert.deepEqual([mode.status, mode.message], [400, 'The upload was created using the COMPOSITE checksum mode. The complete request must use the same checksum mode.']);
    const done = await complete('s43', id, withChecksums());
    const composite = await checksumOf('CRC32', Buffer.concat(values.map((value) => Buffer.from(value, 'base64'))));
    assert.deepEqual([done.status, element(done, 'ChecksumCRC32'), element(done, 'ChecksumType')], [200, `${composite}-2`, 'COMPOSITE']);
    const checked = { 'x-amz-checksum-mode': 'ENABLED' };
    const head = await lab.send('HEAD', `/${bucket}/s43`, checked);
    assert.deepEqual([head.headers['x-amz-checksum-crc32'], head.headers['x-amz-checksum-type']], [`${composite}-2`, 'COMPOSITE']);
    const onePart = await lab.send('HEAD', `/${bucket}/s43?partNumber=2`, checked);
    assert.equal(onePart.headers['x-amz-checksum-crc32'], values[1]);
    const told = await lab.send('GET', `/${bucket}/s43?attributes`, { 'x-amz-object-attributes': 'Checksum,ObjectParts' });
    assert.deepEqual([element(told, 'ChecksumCRC32'), told.text.match(/<Part>/g)?.length, element(told, 'PartsCount') ?? element(told, 'TotalPartsCount')], [composite, 2, '2']);
  });

  for (const algorithm of ['CRC32', 'CRC32C', 'CRC64NVME'] as const) {
    test(`S44: a whole object's ${algorithm}, combined out of its parts`, async () => {
      const key = `s44-${algorithm}`;
      const id = await lab.startUpload(bucket, key, { 'x-amz-checksum-algorithm': algorithm, 'x-amz-checksum-type': 'FULL_OBJECT' });
      const parts = [listed(1, await part(key, id, 1, first)), listed(2, await part(key, id, 2, last))];
      const value = await checksumOf(algorithm, Buffer.concat([first, last]));
      const header = `x-amz-checksum-${algorithm.toLowerCase()}`;
      const wrong = await complete(key, id, parts, { [header]: otherChecksum(value), 'x-amz-checksum-type': 'FULL_OBJECT' });
      assert.deepEqual([...refusal(wrong), wrong.message], [400, 'BadDigest', `The ${algorithm.toLowerCase()} you specified did not match the calculated checksum.`]);
      await isAbsent(key);
      const done = await complete(key, id, parts, { [header]: value, 'x-amz-checksum-type': 'FULL_OBJECT' });
      assert.deepEqual([done.status, element(done, `Checksum${algorithm}`), element(done, 'ChecksumType')], [200, value, 'FULL_OBJECT']);
    });
  }

  test('S46: another size than announced', async () => {
    const id = await lab.startUpload(bucket, 's46');
    const parts = [listed(1, await part('s46', id, 1, last))];
    const refused = await complete('s46', id, parts, { 'x-amz-mp-object-size': '9' });
    assert.deepEqual([...refusal(refused), refused.message], [400, 'InvalidRequest', "The provided 'x-amz-mp-object-size' header value 9 does not match what was computed: 8"]);
    assert.equal((await complete('s46', id, parts, { 'x-amz-mp-object-size': '8' })).status, 200);
  });

  test('S47: parts out of a range of another object', async () => {
    await lab.send('PUT', `/${bucket}/ten`, {}, '0123456789');
    const id = await lab.startUpload(bucket, 's47');
    const copy = (range: string | undefined): Promise<LabAnswer> => lab.send('PUT', `/${bucket}/s47?partNumber=1&uploadId=${id}`, {
      'x-amz-copy-source': `${bucket}/ten`, ...(range === undefined ? {} : { 'x-amz-copy-source-range': range }),
    });
    for (const range of ['0-10', 'bytes=0-10', 'bytes=20-30', 'bytes=5-', 'bytes=-5', 'bytes=5-1', '0-9', 'bytes=0-1,3-4']) {
      const refused = await copy(range);
      assert.deepEqual([refused.status, ['InvalidArgument', 'InvalidRequest'].includes(refused.code)], [400, true], range);
    }
    for (const [range, text] of [[undefined, '0123456789'], ['bytes=0-9', '0123456789'], ['bytes=2-5', '2345'], ['bytes=9-9', '9']] as const) {
      const copied = await copy(range);
      assert.deepEqual([copied.status, element(copied, 'ETag')?.replaceAll('&quot;', '')], [200, md5(text)]);
    }
    const done = await complete('s47', id, [{ number: 1, etag: md5('9') }]);
    assert.equal(done.status, 200);
    assert.equal((await lab.send('GET', `/${bucket}/s47`)).text, '9');
  });

  test('metadata, tags and class are those of the start', async () => {
    const id = await lab.startUpload(bucket, 'meta', { 'x-amz-meta-a': 'b', 'content-type': 'text/plain', 'x-amz-tagging': 'c=d', 'x-amz-storage-class': 'STANDARD_IA' });
    await complete('meta', id, [listed(1, await part('meta', id, 1, last))]);
    const { headers } = await lab.send('HEAD', `/${bucket}/meta`);
    assert.deepEqual(
      ['x-amz-meta-a', 'content-type', 'x-amz-tagging-count', 'x-amz-storage-class'].map((name) => headers[name]),
      ['b', 'text/plain', '1', 'STANDARD_IA'],
    );
  });
});
