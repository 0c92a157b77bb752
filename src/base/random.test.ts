import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freshRandom } from './index.ts';

test('no two draws are alike, across many refills of the pool, and earlier ones stay as they were', () => {
  const draws = Array.from({ length: 2_000 }, (_, index) => freshRandom(index % 2 === 0 ? 16 : 32));
  const texts = draws.map((draw) => draw.toString('hex'));
  assert.equal(new Set(texts.map((text) => text.slice(0, 32))).size, draws.length);
  freshRandom(1_024);
  assert.deepEqual(draws.map((draw) => draw.toString('hex')), texts);
  assert.ok(draws.every((draw) => draw.some((byte) => byte !== 0)));
  assert.throws(() => freshRandom(1_025), RangeError);
});
