import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createMetrics } from './metrics.ts';
import { ReportCollection } from './report-collection.ts';

describe('collecting reports', () => {
  const [a, b] = [{ name: 'a' }, { name: 'b' }];

  test('ends with the last answer; rounds do not mix', async () => {
    const report = await createMetrics().report();
    const collection = new ReportCollection();
    const ids: number[] = [];
    const rounds = [collection.collect([a, b], (_, id) => ids.push(id)), collection.collect([a], (_, id) => ids.push(id))];
    assert.equal(new Set(ids).size, 2);
    collection.answered(a, ids[0] as number, report);
    collection.answered(a, ids[0] as number, report);
    collection.answered(b, ids[0] as number, []);
    assert.deepEqual(await rounds[0], [report, []]);
    collection.answered(a, ids[2] as number, []);
    assert.deepEqual(await rounds[1], [[]]);
  });

  test('does not wait for a worker that dies', async () => {
    const collection = new ReportCollection();
    const round = collection.collect([a, b], (worker, id) => {
      if (worker === a) collection.answered(a, id, []);
    });
    collection.gone(b);
    assert.deepEqual(await round, [[]]);
  });

  test('of nobody is empty', async () => {
    assert.deepEqual(await new ReportCollection().collect([], () => undefined), []);
  });
});
