/**
 * Versions, conditional writes and copies: cases S28 to S30, S33 to S36, S53 and S54 of contract s3-surface.md section 12,
 * as clients of single objects meet them. What lists show of versions is in s3-listing.test.ts.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { md5, openLab, type Lab, type LabAnswer } from '../kit/encryption-lab.ts';
import { schemeCases } from '../kit/encryption-schemes.ts';

describe('versions, conditions and copies', () => {
  let lab: Lab;
  before(async () => {
    lab = await openLab();
  });
  after(() => lab.stop());

  const refusal = ({ status, code }: LabAnswer) => [status, code];
  const element = ({ text }: LabAnswer, name: string): string | undefined => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
  const versionOf = ({ headers }: LabAnswer): string => String(headers['x-amz-version-id']);
  const put = (target: string, body: string | Buffer = 'x', headers: Record<string, string> = {}): Promise<LabAnswer> => lab.send('PUT', target, headers, body);
  const copy = (target: string, source: string, headers: Record<string, string> = {}): Promise<LabAnswer> => lab.send('PUT', target, { 'x-amz-copy-source': source, ...headers });
  const get = (target: string): Promise<LabAnswer> => lab.send('GET', target);
  async function setVersioning(bucket: string, status: 'Enabled' | 'Suspended'): Promise<void> {
    const answer = await put(`/${bucket}?versioning`, `<VersioningConfiguration><Status>${status}</Status></VersioningConfiguration>`);
    assert.equal(answer.status, 200);
  }

  describe('versions', () => {
    test('S53: put, put, delete, and what each name leads to', async () => {
      const bucket = await lab.newBucket();
      const target = `/${bucket}/k`;
      const before = await put(target, 'before');
      assert.equal(before.headers['x-amz-version-id'], undefined);
      await setVersioning(bucket, 'Enabled');
      const [first, second] = [versionOf(await put(target, 'first')), versionOf(await put(target, 'second'))];
      assert.notEqual(first, second);
      const current = await get(target);
      assert.deepEqual([current.text, versionOf(current)], ['second', second]);
      const deleted = await lab.send('DELETE', target);
      const marker = versionOf(deleted);
      assert.deepEqual([deleted.status, deleted.headers['x-amz-delete-marker']], [204, 'true']);
      for (const method of ['GET', 'HEAD']) {
        const gone = await lab.send(method, target);
        assert.deepEqual([gone.status, gone.headers['x-amz-delete-marker'], versionOf(gone)], [404, 'true', marker], method);
        const byId = await lab.send(method, `${target}?versionId=${marker}`);
        assert.deepEqual([byId.status, byId.headers['x-amz-delete-marker'], byId.headers['allow']], [405, 'true', 'DELETE'], method);
      }
      assert.equal((await get(target)).code, 'NoSuchKey');
      assert.equal((await get(`${target}?versionId=${marker}`)).code, 'MethodNotAllowed');
      for (const [id, text] of [['null', 'before'], [first, 'first'], [second, 'second']]) {
        const got = await get(`${target}?versionId=${id}`);
        assert.deepEqual([got.status, got.text, versionOf(got)], [200, text, id]);
      }
      const undone = await lab.send('DELETE', `${target}?versionId=${marker}`);
      assert.deepEqual([undone.status, undone.headers['x-amz-delete-marker'], versionOf(undone)], [204, 'true', marker]);
      assert.equal((await get(target)).text, 'second');
      const removed = await lab.send('DELETE', `${target}?versionId=${second}`);
      assert.deepEqual([removed.status, removed.headers['x-amz-delete-marker'], versionOf(removed)], [204, undefined, second]);
      assert.equal((await get(target)).text, 'first');
      const absent = await get(`${target}?versionId=${second}`);
      assert.deepEqual([...refusal(absent), element(absent, 'Key'), element(absent, 'VersionId')], [404, 'NoSuchVersion', 'k', second]);
      assert.equal((await lab.send('DELETE', `${target}?versionId=${second}`)).status, 204);
    });

    test('S54: suspended, there is one null version', async () => {
      const bucket = await lab.newBucket();
      const target = `/${bucket}/k`;
      await setVersioning(bucket, 'Enabled');
      const kept = versionOf(await put(target, 'kept'));
      await setVersioning(bucket, 'Suspended');
      for (const text of ['one', 'two']) {
        const written = await put(target, text);
        assert.equal(versionOf(written), 'null');
        assert.deepEqual([(await get(target)).text, (await get(`${target}?versionId=null`)).text], [text, text]);
      }
      const deleted = await lab.send('DELETE', target);
      assert.deepEqual([deleted.headers['x-amz-delete-marker'], versionOf(deleted)], ['true', 'null']);
      assert.equal((await get(`${target}?versionId=null`)).status, 405);
      const { text } = await get(`/${bucket}?versions`);
      assert.deepEqual([text.match(/<Version>/g)?.length, text.match(/<DeleteMarker>/g)?.length], [1, 1]);
      assert.equal((await get(`${target}?versionId=${kept}`)).text, 'kept');
      await put(target, 'again');
      assert.doesNotMatch((await get(`/${bucket}?versions`)).text, /<DeleteMarker>/);
    });

    test('version ids that are none', async () => {
      const bucket = await lab.newBucket();
      const target = `/${bucket}/k`;
      await put(target);
      for (const method of ['GET', 'HEAD', 'DELETE']) {
        for (const id of ['abc', '']) assert.equal((await lab.send(method, `${target}?versionId=${id}`)).status, 400, `${method} ${id}`);
      }
      const refused = await get(`${target}?versionId=abc`);
      assert.deepEqual([...refusal(refused), refused.message, refused.argumentName, refused.argumentValue], [400, 'InvalidArgument', 'Invalid version id specified', 'versionId', 'abc']);
      assert.equal((await get(`${target}?versionId=null`)).text, 'x');
      await setVersioning(bucket, 'Enabled');
      assert.equal((await get(`${target}?versionId=${'a'.repeat(32)}`)).status, 404);
      assert.equal((await get(`${target}?versionId=null`)).text, 'x');
    });

    test('tags and attributes by version', async () => {
      const bucket = await lab.newBucket();
      const target = `/${bucket}/k`;
      await setVersioning(bucket, 'Enabled');
      const [first, second] = [versionOf(await put(target, 'first')), versionOf(await put(target, 'second!'))];
      await put(`${target}?tagging&versionId=${first}`, '<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>');
      assert.equal((await lab.send('HEAD', `${target}?versionId=${first}`)).headers['x-amz-tagging-count'], '1');
      assert.equal((await lab.send('HEAD', target)).headers['x-amz-tagging-count'], undefined);
      const told = await lab.send('GET', `${target}?attributes&versionId=${first}`, { 'x-amz-object-attributes': 'ObjectSize' });
      assert.deepEqual([element(told, 'ObjectSize'), versionOf(told)], ['5', first]);
      assert.notEqual(first, second);
    });
  });

  describe('conditional writes', () => {
    test('S28 S30: PUT', async () => {
      const bucket = await lab.newBucket();
      const target = `/${bucket}/k`;
      const failed = (answer: LabAnswer, condition: string): void => assert.deepEqual([...refusal(answer), element(answer, 'Condition')], [412, 'PreconditionFailed', condition]);
      assert.deepEqual(refusal(await put(target, 'x', { 'if-match': md5('x') })), [404, 'NoSuchKey']);
      assert.equal((await put(target, 'x', { 'if-none-match': '*' })).status, 200);
      failed(await put(target, 'y', { 'if-none-match': '*' }), 'If-None-Match');
      for (const headers of [{ 'if-none-match': md5('x') }, { 'if-match': '*' }, { 'if-match': md5('x'), 'if-none-match': '*' }] as Record<string, string>[]) {
        assert.deepEqual(refusal(await put(target, 'y', headers)), [501, 'NotImplemented'], JSON.stringify(headers));
      }
      failed(await put(target, 'y', { 'if-match': md5('y') }), 'If-Match');
      assert.equal((await get(target)).text, 'x');
      assert.equal((await put(target, 'y', { 'if-match': `"${md5('x')}"` })).status, 200);
      assert.equal((await get(target)).text, 'y');
      await setVersioning(bucket, 'Enabled');
      await lab.send('DELETE', target);
      assert.deepEqual(refusal(await put(target, 'z', { 'if-match': md5('y') })), [404, 'NoSuchKey']);
      assert.equal((await put(target, 'z', { 'if-none-match': '*' })).status, 200);
    });

    test('S29: of twenty racing writers exactly one comes first', async () => {
      const bucket = await lab.newBucket();
      const body = (index: number, size: number): Buffer => Buffer.alloc(size, `writer ${index};`);
      for (const size of [10, 40_000]) {
        const target = `/${bucket}/k${size}`;
        const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => put(target, body(index, size), { 'if-none-match': '*' })));
        const winners = answers.flatMap(({ status }, index) => (status === 200 ? [index] : []));
        assert.equal(winners.length, 1);
        for (const { status, code } of answers) assert.ok(status === 200 || (status === 412 && code === 'PreconditionFailed') || status === 409, `${status} ${code}`);
        assert.ok((await get(target)).body.equals(body(winners[0] as number, size)));
        const next = await Promise.all(Array.from({ length: 20 }, (_, index) => put(target, `next ${index}`, { 'if-match': md5(body(winners[0] as number, size)) })));
        assert.equal(next.filter(({ status }) => status === 200).length, 1);
      }
    });

    test('S33: DELETE', async () => {
      const bucket = await lab.newBucket();
      const target = `/${bucket}/k`;
      await put(target);
      assert.equal((await lab.send('DELETE', target, { 'if-match': '"other"' })).status, 412);
      assert.equal((await get(target)).text, 'x');
      assert.equal((await lab.send('DELETE', target, { 'if-match': `"${md5('x')}"` })).status, 204);
      assert.equal((await get(target)).status, 404);
    });

    test('copies', async () => {
      const bucket = await lab.newBucket();
      await put(`/${bucket}/source`, 'source');
      const target = `/${bucket}/target`;
      assert.equal((await copy(target, `${bucket}/source`, { 'if-none-match': '*' })).status, 200);
      assert.equal((await copy(target, `${bucket}/source`, { 'if-none-match': '*' })).status, 412);
      assert.equal((await copy(target, `${bucket}/source`, { 'if-match': md5('other') })).status, 412);
      assert.equal((await copy(target, `${bucket}/source`, { 'if-match': md5('source') })).status, 200);
    });
  });

  describe('copies', () => {
    test('S34: onto itself', async () => {
      const bucket = await lab.newBucket();
      const target = `/${bucket}/k`;
      await put(target, 'x', { 'x-amz-meta-a': 'old', 'content-type': 'text/plain' });
      const refused = await copy(target, `${bucket}/k`);
      assert.deepEqual(
        [...refusal(refused), refused.message],
        [400, 'InvalidRequest', 'This copy request is illegal because it is trying to copy an object to itself without changing the object\'s metadata, storage class, website redirect location or encryption attributes.'],
      );
      const replaced = await copy(target, `/${bucket}/k`, { 'x-amz-metadata-directive': 'REPLACE', 'x-amz-meta-b': 'new' });
      assert.equal(replaced.status, 200);
      const head = await lab.send('HEAD', target);
      assert.deepEqual([head.headers['x-amz-meta-a'], head.headers['x-amz-meta-b'], head.headers['content-type']], [undefined, 'new', 'binary/octet-stream']);
      assert.equal((await copy(target, `${bucket}/k`, { 'x-amz-storage-class': 'STANDARD_IA' })).status, 200);
      assert.equal((await lab.send('HEAD', target)).headers['x-amz-storage-class'], 'STANDARD_IA');
      assert.equal((await copy(target, `${bucket}/k`, { 'x-amz-website-redirect-location': '/there' })).status, 200);
      assert.equal((await get(target)).text, 'x');
      for (const name of ['x-amz-metadata-directive', 'x-amz-tagging-directive']) assert.deepEqual(refusal(await copy(target, `${bucket}/k`, { [name]: 'MAYBE' })), [400, 'InvalidArgument']);
    });

    test('metadata and tags go along, or are replaced', async () => {
      const bucket = await lab.newBucket();
      await put(`/${bucket}/s`, 'x', { 'x-amz-meta-a': 'kept', 'cache-control': 'no-store', 'x-amz-tagging': 'a=1&b=2', 'x-amz-website-redirect-location': '/not-copied' });
      await copy(`/${bucket}/t`, `${bucket}/s`, { 'x-amz-meta-ignored': 'x' });
      const { headers } = await lab.send('HEAD', `/${bucket}/t`);
      assert.deepEqual(
        ['x-amz-meta-a', 'x-amz-meta-ignored', 'cache-control', 'x-amz-tagging-count', 'x-amz-website-redirect-location'].map((name) => headers[name]),
        ['kept', undefined, 'no-store', '2', undefined],
      );
      await copy(`/${bucket}/t`, `${bucket}/s`, { 'x-amz-tagging-directive': 'REPLACE', 'x-amz-tagging': 'c=3' });
      assert.match((await get(`/${bucket}/t?tagging`)).text, /<TagSet><Tag><Key>c<\/Key><Value>3<\/Value><\/Tag><\/TagSet>/);
    });

    test('S35: sources that are delete markers', async () => {
      const bucket = await lab.newBucket();
      await setVersioning(bucket, 'Enabled');
      const first = versionOf(await put(`/${bucket}/k`, 'first'));
      const marker = versionOf(await lab.send('DELETE', `/${bucket}/k`));
      assert.deepEqual(refusal(await copy(`/${bucket}/t`, `${bucket}/k`)), [404, 'NoSuchKey']);
      assert.deepEqual(refusal(await copy(`/${bucket}/t`, `${bucket}/k?versionId=${marker}`)), [400, 'InvalidRequest']);
      const restored = await copy(`/${bucket}/k`, `${bucket}/k?versionId=${first}`);
      assert.deepEqual([restored.status, restored.headers['x-amz-copy-source-version-id']], [200, first]);
      assert.deepEqual([(await get(`/${bucket}/k`)).text, versionOf(await get(`/${bucket}/k`))], ['first', versionOf(restored)]);
    });

    test('sources that are not there or not named', async () => {
      const bucket = await lab.newBucket();
      assert.deepEqual(refusal(await copy(`/${bucket}/t`, `${bucket}/none`)), [404, 'NoSuchKey']);
      assert.deepEqual(refusal(await copy(`/${bucket}/t`, 'no-such-bucket/k')), [404, 'NoSuchBucket']);
      await setVersioning(bucket, 'Enabled');
      const other = versionOf(await put(`/${bucket}/other`));
      await put(`/${bucket}/s`);
      for (const version of [other, 'never-made']) assert.deepEqual(refusal(await copy(`/${bucket}/t`, `${bucket}/s?versionId=${version}`)), [404, 'NoSuchVersion'], version);
      for (const source of ['nonsense', '', '/', `${bucket}/`, '%zz/k']) assert.deepEqual(refusal(await copy(`/${bucket}/t`, source)), [400, 'InvalidArgument'], source);
    });

    test('S36: conditions on the source', async () => {
      const bucket = await lab.newBucket();
      await put(`/${bucket}/s`);
      const modified = new Date(String((await lab.send('HEAD', `/${bucket}/s`)).headers['last-modified']));
      const at = (seconds: number): string => new Date(modified.getTime() + seconds * 1_000).toUTCString();
      const prefix = 'x-amz-copy-source-';
      const cases: [headers: Record<string, string>, condition?: string][] = [
        [{ 'if-match': md5('x') }], [{ 'if-match': md5('y') }, 'If-Match'],
        [{ 'if-none-match': md5('y') }], [{ 'if-none-match': md5('x') }, 'If-None-Match'],
        [{ 'if-modified-since': at(-1) }], [{ 'if-modified-since': at(0) }, 'If-Modified-Since'],
        [{ 'if-unmodified-since': at(0) }], [{ 'if-unmodified-since': at(-1) }, 'If-Unmodified-Since'],
        [{ 'if-match': md5('x'), 'if-unmodified-since': at(-1) }], [{ 'if-none-match': md5('x'), 'if-modified-since': at(-1) }, 'If-None-Match'],
      ];
      for (const [conditions, condition] of cases) {
        const answer = await copy(`/${bucket}/t`, `${bucket}/s`, Object.fromEntries(Object.entries(conditions).map(([name, value]) => [prefix + name, value])));
        assert.equal(answer.status, condition === undefined ? 200 : 412, JSON.stringify(conditions));
        if (condition !== undefined) assert.deepEqual([answer.code, element(answer, 'Condition')], ['PreconditionFailed', prefix + condition]);
      }
    });

    test('restoring an old version needs that version\'s key, whatever the newer one has', async () => {
      const bucket = await lab.newBucket();
      await setVersioning(bucket, 'Enabled');
      const schemes = schemeCases(await lab.newKey());
      for (const { name, write, source } of schemes) {
        const old = versionOf(await put(`/${bucket}/k`, name, write));
        await put(`/${bucket}/k`, 'newer');
        const restored = await copy(`/${bucket}/k`, `${bucket}/k?versionId=${old}`, source);
        assert.equal(restored.status, 200, `${name}: ${restored.text}`);
        assert.equal((await get(`/${bucket}/k`)).text, name);
      }
    });
  });
});
