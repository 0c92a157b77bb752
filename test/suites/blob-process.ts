/**
 * A process of its own for the tests of the file blobs: `node blob-process.ts <role> <path>`. Not a test
 * itself.
 */
import { BlobError, openFileBlobStore } from '../../src/blobs/index.ts';
import { patternBytes, randomBlobId } from './blob-store-suite.ts';
import { say } from './say.ts';

const [role, path] = process.argv.slice(2) as [string, string];

const roles: Record<string, () => Promise<void>> = {
  /** Writes blobs, 8 at a time, and says the id of each when it begins and when it is finished, until it is killed. */
  async storm() {
    const store = await openFileBlobStore({ path });
    const storm = async (_: unknown, index: number): Promise<void> => {
      for (let seed = index; ; seed += 8) {
        const id = randomBlobId();
        const writer = await store.create(id);
        say(`begun ${id}`);
        const bytes = patternBytes(400_000 + seed, seed);
        await writer.append(bytes.subarray(0, 300_000));
        await writer.append(bytes.subarray(300_000));
        await writer.finish();
        say(`finished ${id} ${seed}`);
      }
    };
    await Promise.all(Array.from({ length: 8 }, storm));
  },

  /** Appends until the disk is full, then shows that what fits still goes. */
  async fill() {
    const store = await openFileBlobStore({ path });
    const writer = await store.create(randomBlobId());
    const outcome = async (act: Promise<unknown>): Promise<string> =>
      act.then(() => 'done', (error: unknown) => (error instanceof BlobError ? error.code : String(error)));
    let refusal = 'done';
    for (let count = 0; count < 1000 && refusal === 'done'; count++) refusal = await outcome(writer.append(Buffer.alloc(100_000)));
    say(refusal);
    say(await outcome(writer.append(Buffer.alloc(10))));
    await writer.abort();

    // One whose end does not fit, though every append was taken.
    const lastDrop = await store.create(randomBlobId());
    await lastDrop.append(Buffer.alloc(200_000));
    for (let count = 0; count < 19; count++) await lastDrop.append(Buffer.alloc(205_000));
    await lastDrop.append(Buffer.alloc(100_000));
    say(await outcome(lastDrop.finish()));
    await lastDrop.abort();

    let left = 0;
    for await (const _ of store.list()) left++;
    say(String(left));

    const id = randomBlobId();
    const small = await store.create(id);
    await small.append(patternBytes(1000));
    say(await outcome(small.finish()));
    const reader = await store.open(id);
    say(String((await reader.read(0, 1000)).equals(patternBytes(1000))));
    await reader.close();
  },
};

await roles[role]!();
