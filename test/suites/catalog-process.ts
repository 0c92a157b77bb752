/**
 * A process of its own for the tests of the LMDB catalog: `node catalog-process.ts <role> <path> <argument>`.
 * Not a test itself. It talks and waits synchronously (say.ts), so that nothing of its event loop comes
 * between two steps.
 */
import { open } from 'lmdb';
import { CatalogError, openLmdbCatalog } from '../../src/catalog/index.ts';
import { say, waitForParent } from './say.ts';

const [role, path, argument] = process.argv.slice(2) as [string, string, string];

const roles: Record<string, () => Promise<void>> = {
  /** Increments the key `counter` so many times. */
  async increment() {
    const catalog = await openLmdbCatalog({ path });
    const counter = Buffer.from('counter');
    for (let left = Number(argument); left > 0; ) {
      const value = await catalog.get(counter);
      const next = Buffer.from(String(Number(value?.toString() ?? '0') + 1));
      if (await catalog.commit({ checks: [{ kind: 'value', key: counter, value }], puts: [{ key: counter, value: next }] })) left--;
    }
    await catalog.close();
  },

  /** Reads before and after what the parent commits, within one turn of its event loop. */
  async watch() {
    const catalog = await openLmdbCatalog({ path });
    const key = Buffer.from('seen');
    const sayWhatIsSeen = async (): Promise<void> => {
      const value = await catalog.get(key);
      const [entry] = await catalog.range({ start: key, end: Buffer.from('seeo') });
      say(`${value?.toString()} ${entry?.value.toString()}`);
    };
    for (let rounds = Number(argument); rounds > 0; rounds--) {
      await sayWhatIsSeen();
      waitForParent();
      await sayWhatIsSeen();
      waitForParent();
    }
    await catalog.close();
  },

  /** Commits pairs of keys, 16 at a time, and says each one that is acknowledged, until it is killed. */
  async storm() {
    const catalog = await openLmdbCatalog({ path });
    let next = 0;
    const storm = async (): Promise<void> => {
      for (;;) {
        const name = `${argument}/${next++}`;
        const value = Buffer.from(name.repeat(40));
        await catalog.commit({
          puts: [{ key: Buffer.from(`first/${name}`), value }, { key: Buffer.from(`second/${name}`), value }],
        });
        say(name);
      }
    };
    await Promise.all(Array.from({ length: 16 }, storm));
  },

  /** Holds a view of the data for ever, as a process does that hangs or is killed while it reads. */
  async hold() {
    const root = open({ path, noSubdir: false, encoding: 'binary', keyEncoding: 'binary', overlappingSync: false });
    root.useReadTransaction();
    say('holding');
    waitForParent();
  },

  /** Fills the disk until there is no more room, then goes on in what is left. */
  async fill() {
    const catalog = await openLmdbCatalog({ path });
    const value = Buffer.alloc(100_000, 'v');
    const keyOf = (index: number): Buffer => Buffer.from(`key ${String(index).padStart(6, '0')}`);
    let count = 0;
    let refusal: unknown;
    while (refusal === undefined && count < 10_000) {
      await catalog.commit({ puts: [{ key: keyOf(count), value }] }).then(
        () => count++,
        (error: unknown) => {
          refusal = error;
        },
      );
    }
    say(refusal instanceof CatalogError ? refusal.code : String(refusal));
    const everything = { start: keyOf(0), end: Buffer.from('z') };
    const kept = await catalog.range(everything);
    say(String(kept.length === count && kept.every((entry, index) => entry.key.equals(keyOf(index)) && entry.value.equals(value))));
    // One that is too large fails alone; the small one beside it finds room.
    const outcomes = await Promise.allSettled([
      catalog.commit({ puts: Array.from({ length: 40 }, (_, index) => ({ key: keyOf(count + index), value })) }),
      catalog.commit({ deletes: [keyOf(0), keyOf(1), keyOf(2), keyOf(3)] }),
      catalog.commit({ puts: [{ key: Buffer.from('small'), value: Buffer.from('s') }] }),
    ]);
    say(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as CatalogError).code)).join(' '));
    // Freed pages serve again two commits later: LMDB keeps those of the last view.
    await catalog.commit({ puts: [{ key: Buffer.from('small'), value: Buffer.from('t') }] });
    say(String(await catalog.commit({ puts: [{ key: keyOf(0), value }] })));
    say(String((await catalog.range(everything)).length - count));
    await catalog.close();
  },
};

await roles[role]!();
