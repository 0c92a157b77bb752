/**
 * One place for one client's tests: a directory, a tree, a server, an SDK beside it, keys; and at the end the search
 * of all that the server has left on the disk.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newKmsKey, sdkClients, type SdkClients } from './clients.ts';
import { startCoffer, type Coffer } from './coffer.ts';
import type { Secrets } from './modes.ts';
import { seededRandom, type Random } from './random.ts';
import { canariesOf, describeFindings, formsOf, formsOfCustomerKey, searchDirectory, searchText, type Needle } from './search.ts';
import { differences, knownWords, makeTree, readTree, type Tree, type TreeOptions } from './tree.ts';

export interface Site {
  readonly directory: string;
  readonly coffer: Coffer;
  readonly clients: SdkClients;
  readonly random: Random;
  readonly tree: Tree;
  readonly secrets: Secrets;
  /** A path that nothing lies at yet. */
  newPath(name: string): string;
  /** Throws when the directory does not hold the tree, byte by byte; removes it. */
  assertFetched(directory: string): Promise<void>;
  /** Ends the server and searches everything it left for the tree, the customer's key, the root user's secret. */
  assertNothingReadable(more?: readonly Needle[]): Promise<void>;
  close(): Promise<void>;
}

export async function openSite(name: string, treeOptions: TreeOptions): Promise<Site> {
  const random = seededRandom(name);
  const directory = await mkdtemp(join(tmpdir(), 'coffer-outside-'));
  const served = join(directory, 'served');
  await mkdir(served);
  try {
    const tree = await makeTree(join(directory, 'tree'), treeOptions, random);
    console.log(`${name}: a tree of ${tree.files.size} files, ${(tree.sizeBytes / 1e6).toFixed(0)} MB`);
    const coffer = await startCoffer({ directory: served });
    const clients = sdkClients(coffer);
    // Visible characters, because rclone takes the key as a word.
    const customerKey = Buffer.from(random.bytes(24).toString('base64').replaceAll('/', '-'));
    const secrets: Secrets = { keyArn: await newKmsKey(clients), customerKey };
    let pathsCount = 0;
    return {
      directory, coffer, clients, random, tree, secrets,
      newPath: (what) => join(directory, `${what}-${++pathsCount}`),
      assertFetched: async (fetched) => {
        assert.deepEqual(differences(tree, await readTree(fetched)), []);
        await rm(fetched, { recursive: true });
      },
      assertNothingReadable: async (more = []) => {
        await coffer.stop();
        const canaries = [...(await canariesOf(tree, random)), ...knownWords.map((word) => ({ name: word, bytes: Buffer.from(word) }))];
        await assertNothingReadable({ coffer, needles: [...canaries, ...formsOfCustomerKey('the customer key', customerKey), ...more] });
      },
      close: async () => {
        clients.destroy();
        await coffer.kill();
        await rm(directory, { recursive: true });
      },
    };
  } catch (error) {
    await rm(directory, { recursive: true });
    throw error;
  }
}

/** The data directory, the server's temporary files, and what it printed. Its own credentials file holds the root user's secret. */
export async function assertNothingReadable({ coffer, needles }: { coffer: Coffer; needles: readonly Needle[] }): Promise<void> {
  const secret = formsOf('the secret access key of the root user', Buffer.from(coffer.credentials.secretAccessKey));
  const { findings, filesCount, sizeBytes } = await searchDirectory(coffer.directory, [...needles, ...secret]);
  console.log(`searched ${filesCount} files, ${(sizeBytes / 1e6).toFixed(0)} MB, for ${needles.length + secret.length} needles`);
  assert.ok(sizeBytes > 0, 'there is something to search');
  const own = (file: string, name: string): boolean => file === join('data', 'credentials') && name.startsWith('the secret access key');
  assert.deepEqual(describeFindings(findings.filter(({ file, needle }) => !own(file, needle.name))), []);
  assert.equal(findings.length, 1, 'the search finds the one secret that is there, in its own file');
  // The first start shows the root user's secret, and nothing else may show anything.
  assert.deepEqual(searchText(coffer.output(), needles).map(({ name }) => name), []);
}
