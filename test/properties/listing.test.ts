/**
 * The listings against a simple model: after any writes and deletes in any state of versioning, every listing with
 * any prefix, delimiter, marker and page size shows what a plain filter over sorted names shows.
 * Source of the rules: contract s3-surface.md sections 7 and 8.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openTestS3, type TestS3 } from '../kit/s3-fixture.ts';

const Bucket = 'model';

/** Few names over awkward characters, so that they meet, group and sort apart from UTF-16 order. */
const character = fc.constantFrom('a', 'b', '/', '/', '-', 'é', '\uFF5E', '\u{1F600}', '%', ' ', '\u0001', '\u{10FFFF}');
const name = (minLength: number, maxLength: number) => fc.array(character, { minLength, maxLength }).map((characters) => characters.join(''));

type Step =
  | { kind: 'put' | 'delete' | 'begin'; key: string }
  | { kind: 'delete-version'; index: number }
  | { kind: 'versioning'; status: 'Enabled' | 'Suspended' };

/** Some come often, so that they gather versions and uploads. */
const key = fc.oneof({ weight: 3, arbitrary: fc.constantFrom('a', 'a/b', 'a/', 'é') }, { weight: 2, arbitrary: name(1, 4) });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('put' as const), key }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('begin' as const), key }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('delete-version' as const), index: fc.nat({ max: 9 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('versioning' as const), status: fc.constantFrom('Enabled' as const, 'Suspended' as const) }) },
);
const query = fc.record({ prefix: name(0, 2), delimiter: fc.oneof(fc.constantFrom('', '/'), name(1, 2)), after: fc.oneof(fc.constantFrom('', 'a', 'a/', 'a/b'), name(0, 3)), limit: fc.integer({ min: 1, max: 5 }) });
type Query = typeof query extends fc.Arbitrary<infer Value> ? Value : never;

interface ModelVersion {
  key: string;
  id: string;
  isMarker: boolean;
}

/** All versions newest first by key, and uploads in the order of their beginning. */
class Model {
  readonly versions: ModelVersion[] = [];
  readonly uploads: { key: string; id: string }[] = [];
  versioning: 'Enabled' | 'Suspended' | undefined;

  add(version: ModelVersion): void {
    if (version.id === 'null') this.remove(version.key, 'null');
    this.versions.unshift(version);
  }

  remove(of: string, id: string): void {
    const index = this.versions.findIndex((version) => version.key === of && version.id === id);
    if (index >= 0) this.versions.splice(index, 1);
  }

  isLatest(version: ModelVersion): boolean {
    return this.versions.find(({ key: other }) => other === version.key) === version;
  }
}

async function apply(s3: TestS3, model: Model, action: Step): Promise<void> {
  switch (action.kind) {
    case 'put': {
      const id = (await s3.put(Bucket, action.key)) ?? 'null';
      model.add({ key: action.key, id, isMarker: false });
      return;
    }
    case 'delete': {
      const { VersionId } = await s3.call('DeleteObject', { Bucket, Key: action.key });
      if (model.versioning === undefined) model.remove(action.key, 'null');
      else model.add({ key: action.key, id: VersionId ?? '', isMarker: true });
      return;
    }
    case 'delete-version': {
      const version = model.versions[action.index % Math.max(1, model.versions.length)];
      if (version === undefined) return;
      await s3.call('DeleteObject', { Bucket, Key: version.key, VersionId: version.id });
      model.remove(version.key, version.id);
      return;
    }
    case 'versioning':
      await s3.call('PutBucketVersioning', { Bucket, VersioningConfiguration: { Status: action.status } });
      model.versioning = action.status;
      return;
    case 'begin': {
      const { UploadId = '' } = await s3.call('CreateMultipartUpload', { Bucket, Key: action.key });
      s3.clock.advanceMs(1);
      model.uploads.push({ key: action.key, id: UploadId });
    }
  }
}

const byBytes = (a: { key: string }, b: { key: string }): number => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key));
const comesAfter = (text: string, other: string): boolean => Buffer.compare(Buffer.from(text), Buffer.from(other)) > 0;

/** One line for each item or common prefix, in order: `key`, `key id`, or `prefix *`. The sort is stable, so versions stay in their order. */
function expectedLines<Item extends { key: string }>(items: readonly Item[], { prefix, delimiter, after }: Query, show: (item: Item) => string): string[] {
  const lines: string[] = [];
  for (const item of items.toSorted(byBytes)) {
    if (!item.key.startsWith(prefix) || !(after === '' || comesAfter(item.key, after))) continue;
    const at = delimiter === '' ? -1 : item.key.indexOf(delimiter, prefix.length);
    const common = at < 0 ? undefined : item.key.slice(0, at + delimiter.length);
    if (common !== undefined && common === after) continue;
    const line = common === undefined ? show(item) : `${common} *`;
    if (lines.at(-1) !== line) lines.push(line);
  }
  return lines;
}

interface Shown {
  lines: string[];
  isTruncated: boolean | undefined;
}

const prefixLines = (prefixes: { Prefix?: string | undefined }[] = []): string[] => prefixes.map(({ Prefix }) => `${Prefix} *`);

/** Walks all pages. Keys and prefixes come in two lists, so each page is compared as a set, and the pages in order. */
async function walk(expected: readonly string[], limit: number, next: (isFirst: boolean) => Promise<Shown>): Promise<void> {
  for (let first = 0; ; first += limit) {
    const { lines, isTruncated } = await next(first === 0);
    assert.deepEqual(lines.toSorted(), expected.slice(first, first + limit).toSorted());
    assert.equal(isTruncated, expected.length > first + limit);
    if (!isTruncated) return;
  }
}

async function checkListings(s3: TestS3, model: Model, asked: Query): Promise<void> {
  const { limit, after } = asked;
  const common = { Bucket, Prefix: asked.prefix, Delimiter: asked.delimiter };
  const current = model.versions.filter((version) => model.isLatest(version) && !version.isMarker);
  const objects = expectedLines(current, asked, (version) => version.key);

  let token: string | undefined;
  await walk(objects, limit, async (isFirst) => {
    const page = await s3.call('ListObjectsV2', { ...common, MaxKeys: limit, ...(isFirst ? { StartAfter: after } : { ContinuationToken: token }) });
    token = page.NextContinuationToken;
    return { lines: [...(page.Contents ?? []).map(({ Key = '' }) => Key), ...prefixLines(page.CommonPrefixes)], isTruncated: page.IsTruncated };
  });

  let marker: string | undefined = after;
  await walk(objects, limit, async () => {
    const page = await s3.call('ListObjects', { ...common, MaxKeys: limit, Marker: marker });
    marker = page.NextMarker ?? page.Contents?.at(-1)?.Key;
    return { lines: [...(page.Contents ?? []).map(({ Key = '' }) => Key), ...prefixLines(page.CommonPrefixes)], isTruncated: page.IsTruncated };
  });

  const versions = expectedLines(model.versions, asked, (version) => `${version.key} ${version.id} ${model.isLatest(version)} ${version.isMarker}`);
  let place: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = { KeyMarker: after };
  await walk(versions, limit, async () => {
    const page = await s3.call('ListObjectVersions', { ...common, MaxKeys: limit, ...place });
    place = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
    const lines = (page.Entries ?? []).map((entry) => `${entry.Key} ${entry.VersionId} ${entry.IsLatest} ${entry.kind === 'DeleteMarker'}`);
    // What lies in one list keeps its order within the page.
    assert.deepEqual(lines, versions.filter((line) => lines.includes(line)));
    return { lines: [...lines, ...prefixLines(page.CommonPrefixes)], isTruncated: page.IsTruncated };
  });

  const uploads = expectedLines(model.uploads, asked, (upload) => `${upload.key} ${upload.id}`);
  let position: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = { KeyMarker: after };
  await walk(uploads, limit, async () => {
    const page = await s3.call('ListMultipartUploads', { ...common, MaxUploads: limit, ...position });
    position = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
    return { lines: [...(page.Uploads ?? []).map(({ Key, UploadId }) => `${Key} ${UploadId}`), ...prefixLines(page.CommonPrefixes)], isTruncated: page.IsTruncated };
  });
}

test('listings show what the model shows', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), fc.array(query, { minLength: 1, maxLength: 8 }), async (steps, queries) => {
      const s3 = await openTestS3();
      await s3.call('CreateBucket', { Bucket });
      // A neighbour on each side: nothing of it may show.
      for (const neighbour of ['mode', 'modem']) {
        await s3.call('CreateBucket', { Bucket: neighbour });
        await s3.put(neighbour, 'a');
      }
      const model = new Model();
      for (const action of steps) await apply(s3, model, action);
      for (const asked of queries) await checkListings(s3, model, asked);
    }),
    { numRuns: 200 },
  );
});
