/** What every catalog engine must do, as src/catalog/catalog.ts says it. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { keySizeBytesMax, valueSizeBytesMax, type Catalog, type CatalogEntry, type RangeOptions } from '../../src/catalog/index.ts';

/** Opens an empty catalog; what it leaves behind is removed after the test. The suite closes it. */
export type OpenCatalog = (context: TestContext) => Promise<Catalog>;

const key = (text: string): Buffer => Buffer.from(text, 'latin1');
const everything: RangeOptions = { start: Buffer.alloc(0), end: Buffer.alloc(keySizeBytesMax + 1, 0xff) };

function texts(entries: readonly CatalogEntry[]): string[] {
  return entries.map((entry) => entry.key.toString('latin1'));
}

async function fill(catalog: Catalog, keys: readonly string[]): Promise<void> {
  assert.equal(await catalog.commit({ puts: keys.map((text) => ({ key: key(text), value: key(`value of ${text}`) })) }), true);
}

export function catalogSuite(name: string, open: OpenCatalog): void {
  /** Each test has a catalog of its own. */
  function catalogTest(title: string, run: (catalog: Catalog) => Promise<void>): void {
    test(title, async (context) => {
      const catalog = await open(context);
      try {
        await run(catalog);
      } finally {
        await catalog.close();
      }
    });
  }

  describe(`catalog: ${name}`, () => {
    describe('get and commit', () => {
      catalogTest('what was never put is undefined', async (catalog) => {
        assert.equal(await catalog.get(key('a')), undefined);
        assert.deepEqual(await catalog.range(everything), []);
      });

      catalogTest('a value comes back as a Buffer with the same bytes', async (catalog) => {
        const value = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
        assert.equal(await catalog.commit({ puts: [{ key: key('a'), value }] }), true);
        const found = await catalog.get(key('a'));
        assert.ok(Buffer.isBuffer(found));
        assert.deepEqual(found, value);
      });

      catalogTest('an empty value is a value', async (catalog) => {
        await catalog.commit({ puts: [{ key: key('a'), value: Buffer.alloc(0) }] });
        assert.deepEqual(await catalog.get(key('a')), Buffer.alloc(0));
        assert.equal(await catalog.commit({ checks: [{ kind: 'value', key: key('a'), value: undefined }] }), false);
        assert.equal(await catalog.commit({ checks: [{ kind: 'value', key: key('a'), value: Buffer.alloc(0) }] }), true);
      });

      catalogTest('a put replaces, a delete removes, a delete of nothing is no error', async (catalog) => {
        await fill(catalog, ['a', 'b']);
        await catalog.commit({ puts: [{ key: key('a'), value: key('other') }], deletes: [key('b'), key('c')] });
        assert.deepEqual(await catalog.get(key('a')), key('other'));
        assert.equal(await catalog.get(key('b')), undefined);
      });

      catalogTest('deletes apply before puts, and of two puts of a key the last one holds', async (catalog) => {
        await fill(catalog, ['a']);
        await catalog.commit({
          puts: [{ key: key('a'), value: key('first') }, { key: key('a'), value: key('second') }],
          deletes: [key('a')],
        });
        assert.deepEqual(await catalog.get(key('a')), key('second'));
      });

      catalogTest('plain Uint8Arrays and views into larger memory serve as keys and values', async (catalog) => {
        const memory = Buffer.from('..key..value..');
        const viewKey = new Uint8Array(memory.buffer, memory.byteOffset + 2, 3);
        const viewValue = new Uint8Array(memory.buffer, memory.byteOffset + 7, 5);
        await catalog.commit({ puts: [{ key: viewKey, value: viewValue }] });
        assert.deepEqual(await catalog.get(viewKey), key('value'));
        assert.deepEqual(await catalog.range(everything), [{ key: key('key'), value: key('value') }]);
      });

      catalogTest('a commit of nothing is applied', async (catalog) => {
        assert.equal(await catalog.commit({}), true);
      });

      catalogTest('a commit of a thousand puts is one commit', async (catalog) => {
        const keys = Array.from({ length: 1000 }, (_, index) => `key ${String(index).padStart(4, '0')}`);
        await fill(catalog, keys);
        assert.deepEqual(texts(await catalog.range(everything)), keys);
      });
    });

    describe('order and ranges', () => {
      catalogTest('keys are ordered byte by byte, a shorter key before what it begins', async (catalog) => {
        const ordered = ['\x00', '\x00\x00', '\x00\x01', '\x01', 'A', 'a', 'a\x00', 'aa', 'b', '\x7f', '\x80', '\x80\xff', '\xfe', '\xff', '\xff\x00', '\xff\xff'];
        await fill(catalog, [...ordered].reverse());
        assert.deepEqual(texts(await catalog.range(everything)), ordered);
        assert.deepEqual(texts(await catalog.range({ ...everything, reverse: true })), [...ordered].reverse());
      });

      const rangeCases: { title: string; options: RangeOptions; expected: string[] }[] = [
        { title: 'start is inclusive, end exclusive', options: { start: key('b'), end: key('d') }, expected: ['b', 'c'] },
        { title: 'the same backwards', options: { start: key('b'), end: key('d'), reverse: true }, expected: ['c', 'b'] },
        { title: 'bounds need not be keys', options: { start: key('aa'), end: key('cc') }, expected: ['b', 'c'] },
        { title: 'nor backwards', options: { start: key('aa'), end: key('cc'), reverse: true }, expected: ['c', 'b'] },
        { title: 'an end behind all keys', options: { start: key('d'), end: key('z') }, expected: ['d', 'e'] },
        { title: 'backwards from behind all keys', options: { start: key('d'), end: key('z'), reverse: true }, expected: ['e', 'd'] },
        { title: 'a start before all keys', options: { start: key(''), end: key('c') }, expected: ['a', 'b'] },
        { title: 'backwards to before all keys', options: { start: key(''), end: key('c'), reverse: true }, expected: ['b', 'a'] },
        { title: 'limit counts from the start', options: { start: key('a'), end: key('z'), limit: 2 }, expected: ['a', 'b'] },
        { title: 'limit counts from the end backwards', options: { start: key('a'), end: key('z'), limit: 2, reverse: true }, expected: ['e', 'd'] },
        { title: 'a limit above the count', options: { start: key('a'), end: key('c'), limit: 9 }, expected: ['a', 'b'] },
        { title: 'limit zero', options: { start: key('a'), end: key('z'), limit: 0 }, expected: [] },
        { title: 'start and end the same', options: { start: key('b'), end: key('b') }, expected: [] },
        { title: 'start and end the same, backwards', options: { start: key('b'), end: key('b'), reverse: true }, expected: [] },
        { title: 'start behind end', options: { start: key('d'), end: key('b') }, expected: [] },
        { title: 'start behind end, backwards', options: { start: key('d'), end: key('b'), reverse: true }, expected: [] },
        { title: 'an empty end comes before every key', options: { start: key(''), end: key('') }, expected: [] },
        { title: 'an empty end backwards', options: { start: key(''), end: key(''), reverse: true }, expected: [] },
        { title: 'no keys between', options: { start: key('bb'), end: key('bc') }, expected: [] },
        { title: 'no keys between, backwards', options: { start: key('bb'), end: key('bc'), reverse: true }, expected: [] },
        { title: 'no keys before the first, backwards', options: { start: key(''), end: key('a'), reverse: true }, expected: [] },
      ];
      test('ranges', async (context) => {
        const catalog = await open(context);
        await fill(catalog, ['c', 'a', 'e', 'b', 'd']);
        for (const { title, options, expected } of rangeCases) {
          await context.test(title, async () => {
            const found = await catalog.range(options);
            assert.deepEqual(texts(found), expected);
            for (const entry of found) assert.equal(entry.value.toString('latin1'), `value of ${entry.key.toString('latin1')}`);
          });
        }
        await catalog.close();
      });

      catalogTest('a bound may be longer than any key, and is then still exact', async (catalog) => {
        const longest = 'm'.repeat(keySizeBytesMax);
        await fill(catalog, ['l', longest, 'n']);
        const edge = key(`${longest}!`);
        assert.deepEqual(texts(await catalog.range({ start: edge, end: key('z') })), ['n']);
        assert.deepEqual(texts(await catalog.range({ start: key('a'), end: edge })), ['l', longest]);
        assert.deepEqual(texts(await catalog.range({ start: key('a'), end: edge, reverse: true })), [longest, 'l']);
        assert.deepEqual(texts(await catalog.range({ start: key('a'), end: key(longest) })), ['l']);
        assert.equal(await catalog.commit({ checks: [{ kind: 'empty', start: edge, end: key('n') }] }), true);
        assert.equal(await catalog.commit({ checks: [{ kind: 'empty', start: key('m'), end: edge }] }), false);
      });
    });

    describe('checks', () => {
      catalogTest('value: holds for exactly these bytes', async (catalog) => {
        await catalog.commit({ puts: [{ key: key('a'), value: key('abc') }] });
        const holds = (value: Buffer | undefined): Promise<boolean> =>
          catalog.commit({ checks: [{ kind: 'value', key: key('a'), value }] });
        assert.equal(await holds(key('abc')), true);
        for (const other of ['abd', 'ab', 'abcd', '']) assert.equal(await holds(key(other)), false, other);
        assert.equal(await holds(undefined), false);
      });

      catalogTest('value: undefined holds where there is none', async (catalog) => {
        const check = { kind: 'value', key: key('a'), value: undefined } as const;
        assert.equal(await catalog.commit({ checks: [check], puts: [{ key: key('a'), value: key('1') }] }), true);
        assert.equal(await catalog.commit({ checks: [check], puts: [{ key: key('a'), value: key('2') }] }), false);
        assert.deepEqual(await catalog.get(key('a')), key('1'));
        await catalog.commit({ deletes: [key('a')] });
        assert.equal(await catalog.commit({ checks: [check] }), true);
        assert.equal(await catalog.commit({ checks: [{ kind: 'value', key: key('a'), value: key('1') }] }), false);
      });

      catalogTest('empty: start inclusive, end exclusive', async (catalog) => {
        await fill(catalog, ['b', 'd']);
        const empty = (start: string, end: string): Promise<boolean> =>
          catalog.commit({ checks: [{ kind: 'empty', start: key(start), end: key(end) }] });
        assert.equal(await empty('a', 'b'), true);
        assert.equal(await empty('a', 'b\x00'), false);
        assert.equal(await empty('b', 'c'), false);
        assert.equal(await empty('b\x00', 'd'), true);
        assert.equal(await empty('c', 'z'), false);
        assert.equal(await empty('e', 'z'), true);
        assert.equal(await empty('', 'z'), false);
        assert.equal(await empty('d', 'b'), true);
        assert.equal(await empty('b', 'b'), true);
      });

      catalogTest('one that fails is enough, and then nothing changes', async (catalog) => {
        await fill(catalog, ['a', 'b']);
        const before = await catalog.range(everything);
        const changes = { puts: [{ key: key('a'), value: key('new') }, { key: key('c'), value: key('new') }], deletes: [key('b')] };
        const holding = [
          { kind: 'value', key: key('a'), value: key('value of a') },
          { kind: 'empty', start: key('c'), end: key('z') },
        ] as const;
        assert.equal(await catalog.commit({ checks: [...holding, { kind: 'value', key: key('b'), value: undefined }], ...changes }), false);
        assert.equal(await catalog.commit({ checks: [{ kind: 'empty', start: key('a'), end: key('z') }, ...holding], ...changes }), false);
        assert.deepEqual(await catalog.range(everything), before);
        assert.equal(await catalog.commit({ checks: holding, ...changes }), true);
        assert.deepEqual(texts(await catalog.range(everything)), ['a', 'c']);
      });

      catalogTest('they see what was there before, not what the commit itself changes', async (catalog) => {
        await fill(catalog, ['a']);
        assert.equal(
          await catalog.commit({ checks: [{ kind: 'empty', start: key('a'), end: key('b') }], deletes: [key('a')] }),
          false,
        );
        assert.equal(
          await catalog.commit({ checks: [{ kind: 'value', key: key('c'), value: undefined }], puts: [{ key: key('c'), value: key('1') }] }),
          true,
        );
      });
    });

    describe('many at a time', () => {
      catalogTest('a key claimed by many is won by one', async (catalog) => {
        const outcomes = await Promise.all(
          Array.from({ length: 40 }, (_, index) =>
            catalog.commit({
              checks: [{ kind: 'value', key: key('claim'), value: undefined }],
              puts: [{ key: key('claim'), value: key(String(index)) }],
            }),
          ),
        );
        assert.equal(outcomes.filter(Boolean).length, 1);
        assert.deepEqual(await catalog.get(key('claim')), key(String(outcomes.indexOf(true))));
      });

      catalogTest('a range claimed by many is won by one', async (catalog) => {
        const outcomes = await Promise.all(
          Array.from({ length: 40 }, (_, index) =>
            catalog.commit({
              checks: [{ kind: 'empty', start: key('claim/'), end: key('claim0') }],
              puts: [{ key: key(`claim/${index}`), value: key('') }],
            }),
          ),
        );
        assert.equal(outcomes.filter(Boolean).length, 1);
        assert.deepEqual(texts(await catalog.range(everything)), [`claim/${outcomes.indexOf(true)}`]);
      });

      catalogTest('no increment of a counter is lost, and none counted twice', async (catalog) => {
        const incrementerCount = 24;
        let triesTotal = 0;
        await Promise.all(
          Array.from({ length: incrementerCount }, async () => {
            for (;;) {
              triesTotal++;
              const value = await catalog.get(key('counter'));
              const next = key(String(Number(value?.toString() ?? '0') + 1));
              const checks = [{ kind: 'value', key: key('counter'), value }] as const;
              if (await catalog.commit({ checks, puts: [{ key: key('counter'), value: next }] })) return;
            }
          }),
        );
        assert.deepEqual(await catalog.get(key('counter')), key(String(incrementerCount)));
        assert.ok(triesTotal > incrementerCount, 'the incrementers did meet');
      });

      catalogTest('a range sees each commit whole or not at all', async (catalog) => {
        const total = 1000;
        await catalog.commit({ puts: [{ key: key('a'), value: key(String(total)) }, { key: key('b'), value: key('0') }] });
        let moved = 0;
        const mover = (async () => {
          for (; moved < 100; moved++) {
            await catalog.commit({
              puts: [{ key: key('a'), value: key(String(total - moved)) }, { key: key('b'), value: key(String(moved)) }],
            });
          }
        })();
        while (moved < 100) {
          const entries = await catalog.range(everything);
          assert.equal(entries.reduce((sum, entry) => sum + Number(entry.value.toString()), 0), total);
          await new Promise((resolve) => setImmediate(resolve));
        }
        await mover;
      });

      catalogTest('what is acknowledged is seen at once', async (catalog) => {
        for (let round = 0; round < 50; round++) {
          const value = key(String(round));
          // A read just before, whose view must not be used again.
          const [, applied] = await Promise.all([catalog.get(key('a')), catalog.commit({ puts: [{ key: key('a'), value }] })]);
          assert.equal(applied, true);
          assert.deepEqual(await catalog.get(key('a')), value);
          assert.deepEqual(await catalog.range(everything), [{ key: key('a'), value }]);
        }
      });
    });

    describe('buffers', () => {
      catalogTest('what is returned belongs to the caller', async (catalog) => {
        await fill(catalog, ['a', 'b']);
        const value = await catalog.get(key('a'));
        const entries = await catalog.range(everything);
        value!.fill(0);
        for (const entry of entries) {
          entry.key.fill(0);
          entry.value.fill(0);
        }
        assert.deepEqual(await catalog.get(key('a')), key('value of a'));
        assert.deepEqual(texts(await catalog.range(everything)), ['a', 'b']);
      });

      catalogTest('what is returned stays as it is, whatever happens to the catalog', async (catalog) => {
        const large = Buffer.alloc(100_000, 'L');
        await catalog.commit({ puts: [{ key: key('large'), value: large }, { key: key('small'), value: key('s') }] });
        const got = await catalog.get(key('large'));
        const [first] = await catalog.range({ ...everything, limit: 1 });
        for (let round = 0; round < 20; round++) {
          await catalog.commit({ puts: [{ key: key('large'), value: Buffer.alloc(100_000, round) }, { key: key('small'), value: key('other') }] });
          await catalog.get(key('large'));
          await catalog.range(everything);
        }
        await catalog.close();
        assert.deepEqual(got, large);
        assert.deepEqual(first, { key: key('large'), value: large });
      });

      catalogTest('what was passed to commit may change as soon as the call has returned', async (catalog) => {
        const passedKey = key('a');
        const passedValue = key('value');
        const expected = key('value');
        await catalog.commit({ puts: [{ key: passedKey, value: passedValue }] });
        const committed = catalog.commit({
          checks: [{ kind: 'value', key: passedKey, value: expected }],
          puts: [{ key: passedKey, value: passedValue }],
        });
        passedKey.fill('x');
        passedValue.fill('x');
        expected.fill('x');
        assert.equal(await committed, true);
        assert.deepEqual(await catalog.range(everything), [{ key: key('a'), value: key('value') }]);
      });
    });

    describe('limits', () => {
      catalogTest('keys of the largest size, and one byte more', async (catalog) => {
        const largest = Buffer.alloc(keySizeBytesMax, 0xff);
        const tooLarge = Buffer.alloc(keySizeBytesMax + 1, 0xff);
        assert.equal(await catalog.commit({ puts: [{ key: largest, value: key('v') }] }), true);
        assert.deepEqual(await catalog.get(largest), key('v'));
        assert.deepEqual(await catalog.range(everything), [{ key: largest, value: key('v') }]);
        const refused = { name: 'CatalogError', code: 'too-large' };
        await assert.rejects(catalog.get(tooLarge), refused);
        await assert.rejects(catalog.commit({ puts: [{ key: key('a'), value: key('v') }, { key: tooLarge, value: key('v') }] }), refused);
        await assert.rejects(catalog.commit({ deletes: [tooLarge] }), refused);
        await assert.rejects(catalog.commit({ checks: [{ kind: 'value', key: tooLarge, value: undefined }] }), refused);
        assert.equal(await catalog.get(key('a')), undefined, 'nothing of a refused commit is applied');
      });

      catalogTest('values of the largest size, and one byte more', async (catalog) => {
        const largest = Buffer.alloc(valueSizeBytesMax, 'v');
        assert.equal(await catalog.commit({ puts: [{ key: key('a'), value: largest }] }), true);
        assert.deepEqual(await catalog.get(key('a')), largest);
        assert.equal(await catalog.commit({ checks: [{ kind: 'value', key: key('a'), value: largest }] }), true);
        const tooLarge = Buffer.alloc(valueSizeBytesMax + 1);
        await assert.rejects(catalog.commit({ puts: [{ key: key('a'), value: tooLarge }] }), { name: 'CatalogError', code: 'too-large' });
        assert.deepEqual(await catalog.get(key('a')), largest);
      });

      catalogTest('an empty key and a limit that is no count are broken invariants', async (catalog) => {
        await assert.rejects(catalog.get(Buffer.alloc(0)), /broken invariant/);
        await assert.rejects(catalog.commit({ puts: [{ key: Buffer.alloc(0), value: key('v') }] }), /broken invariant/);
        await assert.rejects(catalog.range({ ...everything, limit: -1 }), /broken invariant/);
        await assert.rejects(catalog.range({ ...everything, limit: 1.5 }), /broken invariant/);
      });
    });

    describe('close', () => {
      catalogTest('waits for what is under way', async (catalog) => {
        let applied = 0;
        const commits = Array.from({ length: 10 }, async (_, index) => {
          if (await catalog.commit({ puts: [{ key: key(`key ${index}`), value: key('v') }] })) applied++;
        });
        await catalog.close();
        await Promise.all(commits);
        assert.equal(applied, commits.length);
      });

      catalogTest('may be called again, and nothing else after it', async (catalog) => {
        await Promise.all([catalog.close(), catalog.close()]);
        await catalog.close();
        await assert.rejects(catalog.get(key('a')), /broken invariant/);
        await assert.rejects(catalog.range(everything), /broken invariant/);
        await assert.rejects(catalog.commit({}), /broken invariant/);
      });
    });
  });
}
