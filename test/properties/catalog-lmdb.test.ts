/**
 * The LMDB catalog against the memory catalog as its model: any commits, also several at the same time
 * from two openings of the same files, give results and contents that some order of them gives.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  openLmdbCatalog, openMemoryCatalog, type Catalog, type CatalogEntry, type Check, type Commit, type RangeOptions,
} from '../../src/catalog/index.ts';

/** Few keys, so that commits meet; with the bytes at the edges, and one key the beginning of others. */
const keyBytes = fc.array(fc.constantFrom(0x00, 0x61, 0x7f, 0x80, 0xff), { minLength: 1, maxLength: 3 }).map((bytes) => Buffer.from(bytes));
const edgeBytes = fc.array(fc.constantFrom(0x00, 0x61, 0x7f, 0x80, 0xff), { maxLength: 4 }).map((bytes) => Buffer.from(bytes));
const valueBytes = fc.oneof(
  fc.constantFrom('', '1', '2').map((text) => Buffer.from(text)),
  // Beyond a page, so that LMDB keeps it elsewhere.
  fc.constantFrom(2_000, 5_000, 20_000).map((sizeBytes) => Buffer.alloc(sizeBytes, 'v')),
);

const check: fc.Arbitrary<Check> = fc.oneof(
  fc.record({ kind: fc.constant('value' as const), key: keyBytes, value: fc.option(valueBytes, { nil: undefined }) }),
  fc.record({ kind: fc.constant('empty' as const), start: edgeBytes, end: edgeBytes }),
);
const commit: fc.Arbitrary<Commit> = fc.record({
  checks: fc.array(check, { maxLength: 2 }),
  puts: fc.array(fc.record({ key: keyBytes, value: valueBytes }), { maxLength: 4 }),
  deletes: fc.array(keyBytes, { maxLength: 3 }),
});
const range: fc.Arbitrary<RangeOptions> = fc.record(
  { start: edgeBytes, end: edgeBytes, limit: fc.nat({ max: 5 }), reverse: fc.boolean() },
  { requiredKeys: ['start', 'end'] },
);

interface Step {
  /** Asked for at the same time: the first ones of the first opening, the others of the second. */
  first: Commit[];
  second: Commit[];
  ranges: RangeOptions[];
  keys: Buffer[];
}
const step: fc.Arbitrary<Step> = fc.record({
  first: fc.array(commit, { maxLength: 3 }),
  second: fc.array(commit, { maxLength: 2 }),
  ranges: fc.array(range, { maxLength: 3 }),
  keys: fc.array(keyBytes, { maxLength: 3 }),
});

const everything: RangeOptions = { start: Buffer.alloc(0), end: Buffer.alloc(8, 0xff) };

/** All orders of both lists together that keep the order of each. */
function* interleavings<Item>(first: readonly Item[], second: readonly Item[]): Generator<Item[]> {
  if (first.length === 0 || second.length === 0) {
    yield [...first, ...second];
    return;
  }
  for (const rest of interleavings(first.slice(1), second)) yield [first[0]!, ...rest];
  for (const rest of interleavings(first, second.slice(1))) yield [second[0]!, ...rest];
}

async function modelOf(entries: readonly CatalogEntry[]): Promise<Catalog> {
  const model = openMemoryCatalog();
  await model.commit({ puts: entries });
  return model;
}

/** The model after some order that gives these outcomes and these contents; undefined when there is none. */
async function explain(
  before: readonly CatalogEntry[],
  step: Step,
  outcomes: ReadonlyMap<Commit, boolean>,
  after: readonly CatalogEntry[],
): Promise<Catalog | undefined> {
  for (const order of interleavings(step.first, step.second)) {
    const model = await modelOf(before);
    let agrees = true;
    for (const commit of order) agrees = (await model.commit(commit)) === outcomes.get(commit) && agrees;
    if (agrees && sameEntries(await model.range(everything), after)) return model;
  }
  return undefined;
}

function sameEntries(some: readonly CatalogEntry[], others: readonly CatalogEntry[]): boolean {
  return (
    some.length === others.length &&
    some.every(({ key, value }, index) => key.equals(others[index]!.key) && value.equals(others[index]!.value))
  );
}

test('LMDB does what the memory catalog does, in some order of what was asked at the same time', async (context) => {
  const path = await mkdtemp(join(tmpdir(), 'coffer-catalog-'));
  const openings = [await openLmdbCatalog({ path }), await openLmdbCatalog({ path })] as const;
  context.after(async () => {
    for (const opening of openings) await opening.close();
    await rm(path, { recursive: true, force: true });
  });

  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      const [first, second] = openings;
      await first.commit({ deletes: (await first.range(everything)).map(({ key }) => key) });
      for (const step of steps) {
        const before = await first.range(everything);
        const outcomes = new Map<Commit, boolean>();
        const ask = async (catalog: Catalog, commit: Commit): Promise<void> => {
          outcomes.set(commit, await catalog.commit(commit));
        };
        await Promise.all([
          ...step.first.map((commit) => ask(first, commit)),
          ...step.second.map((commit) => ask(second, commit)),
        ]);
        const model = await explain(before, step, outcomes, await second.range(everything));
        assert.ok(model, 'no order of the commits explains what came of them');
        for (const range of step.ranges) {
          const expected = await model.range(range);
          assert.deepEqual(await first.range(range), expected);
          assert.deepEqual(await second.range(range), expected);
        }
        for (const key of step.keys) assert.deepEqual(await first.get(key), await model.get(key));
      }
    }),
    { numRuns: 60 },
  );
});
