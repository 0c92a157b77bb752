/**
 * Presigned URLs and browser forms: cases G of contract s3-encryption.md section 24, S07, S08, S50 and S51 of
 * s3-surface.md section 12. URLs and policies come from the official presigners, and by hand where those cannot.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { ctx, defaultRule, keyA, keyB, kid, md5, openLab, sse, type Lab, type LabAnswer } from '../kit/encryption-lab.ts';
import { postFields, presign, type Presigning } from '../kit/signed-by-hand.ts';

const bucket = 'lab-1';
const unsigned = 'There were headers present in the request which were not signed';

describe('presigned URLs and forms', () => {
  let lab: Lab;
  let K1: { id: string; arn: string };
  let K2: { id: string; arn: string };
  before(async () => {
    lab = await openLab();
    [K1, K2] = [await lab.newKey(), await lab.newKey()];
    await lab.newBucket();
  });
  after(() => lab.stop());

  const isAbsent = async (key: string): Promise<void> => assert.equal((await lab.send('HEAD', `/${bucket}/${key}`)).status, 404);
  const refusal = ({ status, code }: LabAnswer) => [status, code];
  const pathOf = (url: string): string => url.slice(new URL(url).origin.length);
  const bare = (method: string, target: string, headers: Record<string, string> = {}, body?: string | Buffer, scheme: 'http' | 'https' = 'https') =>
    lab.send(method, target, headers, body, { sign: false, scheme });
  /** A URL by hand, signed with `headers` beside host. */
  const byHand = (method: string, key: string, more: { headers?: Record<string, string> } & Omit<Partial<Presigning>, 'headers'> = {}): string => {
    const { credentials, httpsPort } = lab.server;
    return presign({ method, path: `/${bucket}/${key}`, credentials, ...more, headers: { host: `127.0.0.1:${httpsPort}`, ...more.headers } });
  };
  const assertUnsigned = (answer: LabAnswer, names: string): void => {
    assert.deepEqual([answer.status, answer.code, answer.message], [403, 'AccessDenied', unsigned]);
    assert.match(answer.text, new RegExp(`<HeadersNotSigned>${names}</HeadersNotSigned>`));
  };

  test('G01: an SSE header that was not signed', async () => {
    const target = pathOf(await getSignedUrl(lab.server.s3(), new PutObjectCommand({ Bucket: bucket, Key: 'g01' })));
    assertUnsigned(await bare('PUT', target, { [sse]: 'aws:kms' }, 'x'), sse);
    assertUnsigned(await bare('PUT', target, { [sse]: 'aws:kms', [kid]: K1.id }, 'x'), `${sse}, ?${kid}`);
    await isAbsent('g01');
    assert.equal((await bare('PUT', target, {}, 'x')).status, 200);
  });

  test('G02: signed for KMS, the headers must come as they were signed', async () => {
    const target = pathOf(await getSignedUrl(lab.server.s3(), new PutObjectCommand({ Bucket: bucket, Key: 'g02', ServerSideEncryption: 'aws:kms', SSEKMSKeyId: K1.arn }), {
      unhoistableHeaders: new Set([sse, kid]),
    }));
    const headers = { [sse]: 'aws:kms', [kid]: K1.arn };
    assert.deepEqual(refusal(await bare('PUT', target, {}, 'x')), [403, 'SignatureDoesNotMatch']);
    assert.deepEqual(refusal(await bare('PUT', target, { [sse]: 'aws:kms' }, 'x')), [403, 'SignatureDoesNotMatch']);
    assert.deepEqual(refusal(await bare('PUT', target, { ...headers, [kid]: K2.arn }, 'x')), [403, 'SignatureDoesNotMatch']);
    await isAbsent('g02');
    const written = await bare('PUT', target, headers, 'x');
    assert.deepEqual([written.status, written.headers[sse], written.headers[kid]], [200, 'aws:kms', K1.arn]);
  });

  test('G03: SSE in the query stands for the header', async () => {
    const target = byHand('PUT', 'g03', { query: { [sse]: 'aws:kms', [kid]: K1.id } });
    for (const headers of [{}, { [sse]: 'aws:kms' }, { [sse]: 'aws:kms', [kid]: K1.id }] as Record<string, string>[]) {
      const written = await bare('PUT', target, headers, 'x');
      assert.deepEqual([written.status, written.headers[sse], written.headers[kid]], [200, 'aws:kms', K1.arn], written.text);
    }
    for (const headers of [{ [sse]: 'AES256' }, { [kid]: K2.id }] as Record<string, string>[]) {
      assertUnsigned(await bare('PUT', target, headers, 'x'), String(Object.keys(headers)[0]));
    }
    const named = byHand('PUT', 'g03', { query: { [sse]: 'aws:kms' }, headers: { [sse]: 'aws:kms' } });
    assert.equal((await bare('PUT', named, {}, 'x')).status, 200);
    const unknown = await bare('PUT', byHand('PUT', 'g03', { query: { [sse]: 'rot13' } }), {}, 'x');
    assert.deepEqual([unknown.status, unknown.argumentName, unknown.argumentValue], [400, sse, 'rot13']);
  });

  test('G03: what the SDK hoists of a checksum is not held against the body', async () => {
    const target = byHand('PUT', 'g03-checksum', { query: { 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-sdk-checksum-algorithm': 'CRC32' } });
    assert.equal((await bare('PUT', target, {}, 'test-sse')).status, 200);
    const head = await lab.send('HEAD', `/${bucket}/g03-checksum`, { 'x-amz-checksum-mode': 'ENABLED' });
    assert.deepEqual([head.headers['x-amz-checksum-crc64nvme'], head.headers['x-amz-checksum-crc32']], ['Kr7StX/uFlQ=', undefined]);
  });

  test('G04: a presigned read of an SSE-C object', async () => {
    await lab.send('PUT', `/${bucket}/g04`, keyA.headers, 'secret');
    const urlWith = async (key: string): Promise<string> =>
      pathOf(await getSignedUrl(lab.server.s3(), new GetObjectCommand({ Bucket: bucket, Key: 'g04', SSECustomerAlgorithm: 'AES256', SSECustomerKey: key })));
    const target = await urlWith(keyA.key.toString('latin1'));
    assert.doesNotMatch(target, /MTIz/);
    const got = await bare('GET', target, keyA.headers);
    assert.deepEqual([got.status, got.text], [200, 'secret']);
    for (const headers of [{}, keyB.headers, { ...keyA.headers, 'x-amz-server-side-encryption-customer-algorithm': 'AES512' }] as Record<string, string>[]) {
      assert.deepEqual(refusal(await bare('GET', target, headers)), [403, 'SignatureDoesNotMatch']);
    }
    const other = await bare('GET', await urlWith(keyB.key.toString('latin1')), keyB.headers);
    assert.deepEqual([other.status, other.code, other.message], [403, 'AccessDenied', 'Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.']);
    const algorithmOnly = byHand('GET', 'g04', { headers: { 'x-amz-server-side-encryption-customer-algorithm': 'AES256' } });
    assertUnsigned(await bare('GET', algorithmOnly, keyA.headers), 'x-amz-server-side-encryption-customer-key, ?x-amz-server-side-encryption-customer-key-md5');
  });

  test('G05: a customer key in a URL is refused, and not repeated', async () => {
    const secret = keyA.key.toString('base64');
    for (const name of ['x-amz-server-side-encryption-customer-key', 'x-amz-copy-source-server-side-encryption-customer-key', 'X-Amz-Server-Side-Encryption-Customer-Key']) {
      for (const method of ['GET', 'PUT', 'HEAD', 'DELETE']) {
        for (const answer of [
          await bare(method, byHand(method, 'g05', { query: { [name]: secret, 'x-amz-server-side-encryption-customer-algorithm': 'AES256' } })),
          await lab.send(method, `/${bucket}/g05?${name}=${encodeURIComponent(secret)}`),
        ]) {
          assert.equal(answer.status, 400, `${method} ${name}: ${answer.text}`);
          assert.ok(![answer.text, JSON.stringify(answer.headers), JSON.stringify(lab.server.requests.at(-1), (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))].some((text) => text.includes(secret)));
        }
      }
    }
    await isAbsent('g05');
  });

  test('S07: past its time, with a parameter missing, with more than was signed', async () => {
    await lab.send('PUT', `/${bucket}/s07`, {}, 'x');
    const date = new Date(lab.server.clock.nowMs());
    const target = byHand('GET', 's07', { date });
    assert.equal((await bare('GET', target)).text, 'x');
    const old = byHand('GET', 's07', { expiresS: 1, date: new Date(date.getTime() - 3_000) });
    const late = await bare('GET', old);
    assert.deepEqual([late.status, late.code, late.message], [403, 'AccessDenied', 'Request has expired']);
    assert.match(late.text, /<X-Amz-Expires>1<\/X-Amz-Expires><Expires>[\d-]+T[\d:.]+Z<\/Expires><ServerTime>[\d-]+T[\d:.]+Z<\/ServerTime>/);
    for (const name of ['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Date', 'X-Amz-Expires', 'X-Amz-SignedHeaders', 'X-Amz-Signature']) {
      const dropped = await bare('GET', target.replace(new RegExp(`[?&]${name}=[^&]*`), (found) => (found.startsWith('?') ? '?x=' : '')));
      assert.deepEqual(refusal(dropped), [400, 'AuthorizationQueryParametersError'], name);
    }
    assertUnsigned(await bare('GET', target, { 'x-amz-meta-x': '1' }), 'x-amz-meta-x');
    for (const expiresS of [604_801, -1]) assert.deepEqual(refusal(await bare('GET', byHand('GET', 's07', { expiresS }))), [400, 'AuthorizationQueryParametersError']);
    assert.equal((await bare('GET', byHand('GET', 's07', { expiresS: 604_800, date: new Date(date.getTime() - 604_000_000) }))).status, 200);
    assert.deepEqual(refusal(await bare('PUT', target, {}, 'x')), [403, 'SignatureDoesNotMatch']);
  });

  test('S08: a signed Content-Type binds', async () => {
    const target = pathOf(await getSignedUrl(lab.server.s3(), new PutObjectCommand({ Bucket: bucket, Key: 's08', ContentType: 'text/plain' }), { signableHeaders: new Set(['content-type']) }));
    const refused = await bare('PUT', target, { 'content-type': 'text/html' }, 'x');
    assert.deepEqual(refusal(refused), [403, 'SignatureDoesNotMatch']);
    for (const name of ['AWSAccessKeyId', 'StringToSign', 'StringToSignBytes', 'SignatureProvided', 'CanonicalRequest', 'CanonicalRequestBytes']) assert.match(refused.text, new RegExp(`<${name}>`));
    assert.ok(refused.text.includes('content-type:text/html') && !refused.text.includes(lab.server.credentials.secretAccessKey));
    assert.equal((await bare('PUT', target, { 'content-type': 'text/plain' }, 'x')).status, 200);
    assert.equal((await lab.send('HEAD', `/${bucket}/s08`)).headers['content-type'], 'text/plain');
  });

  describe('forms', () => {
    interface Form {
      fields: Record<string, string>;
      file?: string | Buffer;
      fileName?: string;
      /** Behind the file. */
      late?: Record<string, string>;
      scheme?: 'http' | 'https';
      headers?: Record<string, string>;
      to?: string;
    }
    async function submit({ fields, file = 'the file', fileName = 'photo.jpg', late = {}, scheme = 'https', headers = {}, to = bucket }: Form): Promise<LabAnswer> {
      const boundary = randomUUID();
      const part = (head: string, value: string | Buffer) => [Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`), Buffer.from(value), Buffer.from('\r\n')];
      const fieldParts = (all: Record<string, string>) => Object.entries(all).flatMap(([name, value]) => part(`name="${name}"`, value));
      const body = Buffer.concat([...fieldParts(fields), ...part(`name="file"; filename="${fileName}"`, file), ...fieldParts(late), Buffer.from(`--${boundary}--\r\n`)]);
      return bare('POST', `/${to}`, { 'content-type': `multipart/form-data; boundary=${boundary}`, ...headers }, body, scheme);
    }
    /** Fields and the conditions that cover each of them. */
    const form = (fields: Record<string, string>, more: { conditions?: unknown[]; expires?: Date; uncovered?: string[] } = {}): Record<string, string> => postFields({
      credentials: lab.server.credentials, fields, ...(more.expires ? { expires: more.expires } : {}),
      conditions: [{ bucket }, ...Object.entries(fields).filter(([name]) => !more.uncovered?.includes(name)).map(([name, value]) => ({ [name]: value })), ...(more.conditions ?? [])],
    });
    const customerFields = keyA.headers;

    test('S50: the SDK\'s form, and a key made of the file name', async () => {
      const { fields } = await createPresignedPost(lab.server.s3(), { Bucket: bucket, Key: 'forms/${filename}', Fields: { 'Content-Type': 'image/jpeg', 'x-amz-meta-mood': 'ü' }, Conditions: [['content-length-range', 1, 100]] });
      const answer = await submit({ fields });
      assert.deepEqual([answer.status, answer.body.length, answer.headers[sse], answer.headers['etag']], [204, 0, 'AES256', `"${md5('the file')}"`], answer.text);
      assert.equal(answer.headers['location'], `${lab.server.httpsUrl}/${bucket}/forms/photo.jpg`);
      const got = await lab.send('GET', `/${bucket}/forms/photo.jpg`);
      assert.deepEqual([got.text, got.headers['content-type'], got.headers['x-amz-meta-mood']], ['the file', 'image/jpeg', '=?UTF-8?B?w7w=?=']);
    });

    test('G06: SSE and key id as fields', async () => {
      const { fields } = await createPresignedPost(lab.server.s3(), { Bucket: bucket, Key: 'g06', Fields: { [sse]: 'aws:kms', [kid]: K1.id } });
      const answer = await submit({ fields });
      assert.deepEqual([answer.status, answer.headers[sse], answer.headers[kid], answer.headers[ctx]], [204, 'aws:kms', K1.arn, undefined], answer.text);
      const head = await lab.send('HEAD', `/${bucket}/g06`);
      assert.deepEqual([head.headers[sse], head.headers[kid]], ['aws:kms', K1.arn]);
      const dsse = await submit({ fields: form({ key: 'g06', [sse]: 'aws:kms:dsse', [kid]: K1.arn }) });
      assert.deepEqual([dsse.status, dsse.headers[sse]], [204, 'aws:kms:dsse']);
      const managed = await submit({ fields: form({ key: 'g06', [sse]: 'aws:kms' }) });
      assert.equal(managed.status, 204);
      assert.notEqual(managed.headers[kid], K1.arn);
      const plainHttp = await submit({ fields: form({ key: 'g06-http', [sse]: 'aws:kms' }), scheme: 'http' });
      assert.deepEqual([plainHttp.status, plainHttp.message], [400, 'Requests specifying Server Side Encryption with AWS KMS managed keys must be made over a secure connection.']);
      const bad = await submit({ fields: form({ key: 'g06-bad', [sse]: 'rot13' }) });
      assert.deepEqual([bad.status, bad.argumentName, bad.argumentValue], [400, sse, 'rot13']);
      const missing = await submit({ fields: form({ key: 'g06-bad', [sse]: 'aws:kms', [kid]: 'fake-key-id' }) });
      assert.deepEqual([missing.code, missing.message], ['KMS.NotFoundException', "Invalid keyId 'fake-key-id'"]);
      await isAbsent('g06-http');
      await isAbsent('g06-bad');
    });

    test('G06: the bucket\'s default holds for forms', async () => {
      const other = await lab.newBucket();
      await lab.setDefault(other, defaultRule('aws:kms', K2.id, true));
      const fields = postFields({ credentials: lab.server.credentials, fields: { key: 'k' }, conditions: [{ bucket: other }, { key: 'k' }] });
      const answer = await submit({ fields, to: other });
      assert.deepEqual([answer.status, answer.headers[sse], answer.headers[kid], answer.headers[`${sse}-bucket-key-enabled`]], [204, 'aws:kms', K2.arn, 'true']);
      assert.equal((await lab.send('GET', `/${other}/k`)).text, 'the file');
    });

    test('G07: a customer key as fields', async () => {
      const fields = form({ key: 'g07', ...customerFields });
      const refused = await submit({ fields, scheme: 'http' });
      assert.deepEqual([refused.status, refused.code, refused.message], [400, 'InvalidArgument', 'Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.']);
      await isAbsent('g07');
      const answer = await submit({ fields });
      assert.deepEqual(
        [answer.status, answer.headers[`${sse}-customer-algorithm`], answer.headers[`${sse}-customer-key-md5`], answer.headers[sse]],
        [204, 'AES256', keyA.headers[`${sse}-customer-key-md5`], undefined],
      );
      assert.equal((await lab.send('GET', `/${bucket}/g07`, keyA.headers)).text, 'the file');
      assert.equal((await lab.send('GET', `/${bucket}/g07`)).code, 'InvalidRequest');
    });

    test('G08: every field must be covered, and as the policy says', async () => {
      for (const name of [sse, kid, `${sse}-customer-key`, 'x-amz-meta-a', 'Content-Type']) {
        const fields: Record<string, string> = { key: 'g08', ...(name.includes('customer') ? customerFields : { [name]: name === sse ? 'AES256' : 'x' }) };
        const refused = await submit({ fields: form(fields, { uncovered: [name] }) });
        assert.deepEqual([refused.status, refused.code], [403, 'AccessDenied']);
        assert.match(refused.message, new RegExp(`^Invalid according to Policy: Extra input fields: ${name.toLowerCase()}$`));
      }
      const refused = await submit({ fields: { ...form({ key: 'g08', [sse]: 'AES256' }), [sse]: 'aws:kms' } });
      assert.deepEqual([refused.status, refused.message], [403, `Invalid according to Policy: Policy Condition failed: ["eq", "$${sse}", "AES256"]`]);
      await isAbsent('g08');
      const ignored = await submit({ fields: { ...form({ key: 'g08' }), 'x-ignore-this': 'x' } });
      assert.equal(ignored.status, 204);
    });

    test('encryption headers of the request itself mean nothing', async () => {
      const answer = await submit({ fields: form({ key: 'headers' }), headers: { [sse]: 'aws:kms', [kid]: K1.id } });
      assert.deepEqual([answer.status, answer.headers[sse]], [204, 'AES256'], answer.text);
    });

    test('S50: what a form may not', async () => {
      const cases: [name: string, form: Form, expected: [number, string, RegExp]][] = [
        ['expired', { fields: form({ key: 's50' }, { expires: new Date(Date.now() - 1_000) }) }, [403, 'AccessDenied', /^Invalid according to Policy: Policy expired\.$/]],
        ['outside its prefix', { fields: { ...form({}, { conditions: [['starts-with', '$key', 'user/']] }), key: 's50' } }, [403, 'AccessDenied', /Policy Condition failed: \["starts-with", "\$key", "user\/"\]$/]],
        ['another bucket', { fields: postFields({ credentials: lab.server.credentials, fields: { key: 's50' }, conditions: [{ bucket: 'other' }, { key: 's50' }] }) }, [403, 'AccessDenied', /Policy Condition failed: \["eq", "\$bucket", "other"\]$/]],
        ['one byte too large', { fields: form({ key: 's50' }, { conditions: [['content-length-range', 0, 9]] }), file: '0123456789' }, [400, 'EntityTooLarge', /exceeds the maximum allowed size/]],
        ['one byte too small', { fields: form({ key: 's50' }, { conditions: [['content-length-range', 11, 99]] }), file: '0123456789' }, [400, 'EntityTooSmall', /smaller than the minimum allowed size/]],
        ['a wrong signature', { fields: { ...form({ key: 's50' }), 'x-amz-signature': '0'.repeat(64) } }, [403, 'SignatureDoesNotMatch', /./]],
        ['a policy that is none', { fields: { ...form({ key: 's50' }), policy: 'e30=' } }, [403, 'SignatureDoesNotMatch', /./]],
        ['no key', { fields: form({}) }, [400, 'InvalidArgument', /^Bucket POST must contain a field named 'key'\./]],
        ['fields behind the file', { fields: {}, late: form({ key: 's50' }) }, [400, 'InvalidArgument', /^Bucket POST must contain a field named '[\w-]+'\. .*check the order of the fields\.$/]],
        ['no signature', { fields: { key: 's50' } }, [403, 'AccessDenied', /./]],
        ['a wrong checksum', { fields: form({ key: 's50', 'x-amz-checksum-crc32': 'AAAAAA==' }) }, [400, 'BadDigest', /^The CRC32 you specified did not match/]],
        ['a bucket that is not there', { fields: postFields({ credentials: lab.server.credentials, fields: { key: 's50' }, conditions: [{ bucket: 'no-such-bucket' }, { key: 's50' }] }), to: 'no-such-bucket' }, [404, 'NoSuchBucket', /./]],
      ];
      for (const [name, sent, [status, code, message]] of cases) {
        const refused = await submit(sent);
        assert.deepEqual([refused.status, refused.code], [status, code], `${name}: ${refused.text}`);
        assert.match(refused.message, message, name);
      }
      const urlencoded = await bare('POST', `/${bucket}`, { 'content-type': 'application/x-www-form-urlencoded' }, 'key=s50&file=x');
      assert.deepEqual(refusal(urlencoded), [412, 'PreconditionFailed']);
      assert.match(urlencoded.text, /<Condition>Bucket POST must be of the enclosure-type multipart\/form-data<\/Condition>/);
      await isAbsent('s50');
      const exact = await submit({ fields: form({ key: 's50' }, { conditions: [['content-length-range', 10, 10]] }), file: '0123456789' });
      assert.equal(exact.status, 204);
    });

    test('S50: a large file goes through, and one too large leaves nothing', async () => {
      const file = Buffer.alloc(3_000_000, 'large');
      const tooLarge = await submit({ fields: form({ key: 's50-large' }, { conditions: [['content-length-range', 0, file.length - 1]] }), file });
      assert.deepEqual(refusal(tooLarge), [400, 'EntityTooLarge']);
      assert.match(tooLarge.text, new RegExp(`<ProposedSize>\\d+</ProposedSize><MaxSizeAllowed>${file.length - 1}</MaxSizeAllowed>`));
      await isAbsent('s50-large');
      assert.equal((await submit({ fields: form({ key: 's50-large', [sse]: 'aws:kms' }, { conditions: [['content-length-range', 0, file.length]] }), file })).status, 204);
      assert.ok((await lab.send('GET', `/${bucket}/s50-large`)).body.equals(file));
    });

    test('S51: 200, 201 with a document, 303 with a query', async () => {
      const etag = md5('the file');
      const ok = await submit({ fields: form({ key: 's51', success_action_status: '200' }) });
      assert.deepEqual([ok.status, ok.body.length], [200, 0]);
      const created = await submit({ fields: form({ key: 's51 &ü', success_action_status: '201' }) });
      assert.deepEqual([created.status, created.headers['content-type']], [201, 'application/xml']);
      assert.match(created.text, /^<\?xml version="1.0" encoding="UTF-8"\?>\s*<PostResponse>/);
      for (const [name, value] of Object.entries({ Location: `${lab.server.httpsUrl}/${bucket}/s51%20%26%C3%BC`, Bucket: bucket, Key: 's51 &amp;ü', ETag: `(&quot;|")${etag}(&quot;|")` })) {
        assert.match(created.text, new RegExp(`<${name}>${value}</${name}>`));
      }
      const odd = await submit({ fields: form({ key: 's51', success_action_status: '302' }) });
      assert.equal(odd.status, 204);
      const redirected = await submit({ fields: form({ key: 's51', success_action_redirect: 'https://example.org/done?a=b', success_action_status: '201' }) });
      assert.equal(redirected.status, 303);
      const location = new URL(String(redirected.headers['location']));
      assert.equal(`${location.origin}${location.pathname}`, 'https://example.org/done');
      assert.deepEqual([...location.searchParams], [['a', 'b'], ['bucket', bucket], ['key', 's51'], ['etag', `"${etag}"`]]);
      const nowhere = await submit({ fields: form({ key: 's51', success_action_redirect: 'javascript:alert(1)' }) });
      assert.equal(nowhere.status, 204);
    });

    test('tags as a document', async () => {
      const answer = await submit({ fields: form({ key: 'tagged', tagging: '<Tagging><TagSet><Tag><Key>a</Key><Value>b &amp; c</Value></Tag></TagSet></Tagging>' }) });
      assert.deepEqual(refusal(answer), [400, 'InvalidTag']);
      const right = await submit({ fields: form({ key: 'tagged', tagging: '<Tagging><TagSet><Tag><Key>a</Key><Value>b c</Value></Tag></TagSet></Tagging>' }) });
      assert.equal(right.status, 204, right.text);
      assert.match((await lab.send('GET', `/${bucket}/tagged?tagging`)).text, /<Key>a<\/Key><Value>b c<\/Value>/);
    });
  });
});
