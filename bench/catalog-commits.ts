/**
 * Durable commits and reads of the LMDB catalog beside raw lmdb-js: `node bench/catalog-commits.ts [directory]`.
 *
 * One operation is what PutObject commits: a record of 700 bytes, checked to be new, and 4 KiB of a small
 * sealed object. Raw `put` writes the same bytes without the check. The rounds alternate, since disks drift.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { openLmdbCatalog } from '../src/catalog/index.ts';

const roundMs = 1500;
const roundCount = 3;
const record = randomBytes(700);
const value = randomBytes(4096);
const path = await mkdtemp(join(process.argv[2] ?? tmpdir(), 'coffer-bench-'));

const catalog = await openLmdbCatalog({ path: join(path, 'catalog') });
const openRaw = (overlappingSync: boolean, name: string) =>
  open<Buffer, Buffer>({ path: join(path, name), encoding: 'binary', keyEncoding: 'binary', noSubdir: false, overlappingSync, mapSize: 2 ** 38 });
const plain = openRaw(false, 'plain');
const overlapping = openRaw(true, 'overlapping');

function keys(): [Buffer, Buffer] {
  const id = randomBytes(12).toString('hex');
  return [Buffer.from(`object/bucket/${id}`), Buffer.from(`small/${id}`)];
}

const writers: Record<string, () => Promise<unknown>> = {
  async 'catalog commit'() {
    const [recordKey, valueKey] = keys();
    await catalog.commit({
      checks: [{ kind: 'value', key: recordKey, value: undefined }],
      puts: [{ key: recordKey, value: record }, { key: valueKey, value }],
    });
  },
  async 'raw put, plain'() {
    const [recordKey, valueKey] = keys();
    await Promise.all([plain.put(recordKey, record), plain.put(valueKey, value)]);
  },
  async 'raw put, overlapping'() {
    const [recordKey, valueKey] = keys();
    await Promise.all([overlapping.put(recordKey, record), overlapping.put(valueKey, value)]);
  },
};

/** Operations a second. */
async function rate(operation: () => Promise<unknown>, concurrency: number): Promise<number> {
  const startMs = performance.now();
  const endMs = startMs + roundMs;
  let count = 0;
  const run = async (): Promise<void> => {
    while (performance.now() < endMs) {
      await operation();
      count++;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, run));
  return (count / (performance.now() - startMs)) * 1000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

for (const concurrency of [1, 32, 256]) {
  const rates = new Map<string, number[]>(Object.keys(writers).map((name) => [name, []]));
  for (let round = 0; round < roundCount; round++) {
    for (const [name, operation] of Object.entries(writers)) rates.get(name)!.push(await rate(operation, concurrency));
  }
  const raw = median(rates.get('raw put, plain')!);
  for (const [name, values] of rates) {
    const middle = median(values);
    console.log(`${name.padEnd(22)} ${String(concurrency).padStart(4)} at a time  ${middle.toFixed(0).padStart(7)}/s  ${(middle / raw).toFixed(2)} of raw`);
  }
}

const readKeys = (await catalog.range({ start: Buffer.from('object/'), end: Buffer.from('object0'), limit: 5000 })).map(({ key }) => key);
let next = 0;
const readers: Record<string, () => Promise<unknown>> = {
  'catalog get': () => catalog.get(readKeys[next++ % readKeys.length]!),
  'catalog range of 100': () => catalog.range({ start: readKeys[next++ % readKeys.length]!, end: Buffer.from('object0'), limit: 100 }),
};
for (const [name, operation] of Object.entries(readers)) {
  console.log(`${name.padEnd(22)}    1 at a time  ${(await rate(operation, 1)).toFixed(0).padStart(7)}/s`);
}

await catalog.close();
await plain.close();
await overlapping.close();
await rm(path, { recursive: true });
