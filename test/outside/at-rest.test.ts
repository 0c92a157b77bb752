/**
 * The search that the other tests end with, turned on itself: it finds what lies open. Every window of a plain tree,
 * every form of a key, and the objects of a server that was told not to encrypt.
 */
import assert from 'node:assert/strict';
import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { newBucket, sdkClients } from './kit/clients.ts';
import { startCoffer, type Coffer } from './kit/coffer.ts';
import { seededRandom, type Random } from './kit/random.ts';
import { canariesOf, formsOfCustomerKey, searchDirectory, type Finding, type Needle } from './kit/search.ts';
import { makeTree, smallTree, type Tree } from './kit/tree.ts';

describe('the search for plain text', { timeout: 300_000 }, () => {
  let directory: string;
  let random: Random;
  let tree: Tree;
  let canaries: Needle[];

  before(async () => {
    random = seededRandom('at rest');
    directory = await mkdtemp(join(tmpdir(), 'coffer-outside-'));
    tree = await makeTree(join(directory, 'tree'), smallTree, random);
    canaries = await canariesOf(tree, random, 4);
  });
  after(() => rm(directory, { recursive: true }));

  const found = (findings: readonly Finding[]): Set<Needle> => new Set(findings.map(({ needle }) => needle));

  test('finds every window in the tree it was taken from', async () => {
    assert.ok(canaries.length > 500, `${canaries.length} canaries`);
    const { findings } = await searchDirectory(tree.root, canaries);
    const hit = found(findings);
    assert.deepEqual(canaries.filter((needle) => !hit.has(needle)).map(({ name }) => name), []);
  });

  test('finds needles at the edges of what it reads at once', async () => {
    const edges = join(directory, 'edges');
    await mkdir(edges);
    const needle: Needle = { name: 'edge', bytes: random.bytes(32) };
    const offsets = [0, (8 << 20) - 32, (8 << 20) - 31, (8 << 20) - 1, 8 << 20, (16 << 20) - 5, (20 << 20) - 32];
    for (const offset of offsets) {
      const bytes = Buffer.alloc(20 << 20);
      needle.bytes.copy(bytes, offset);
      await writeFile(join(edges, 'file'), bytes);
      const { findings } = await searchDirectory(edges, [needle]);
      assert.deepEqual(findings.map((finding) => finding.offset), [offset]);
    }
  });

  test('finds a key in every form', async () => {
    const key = random.bytes(32);
    const json = (lead: number): string => JSON.stringify({ key: Buffer.concat([random.bytes(lead), key, random.bytes(7)]).toString('base64') });
    const forms = [key, key.toString('hex'), key.toString('hex').toUpperCase(), key.toString('base64'), key.toString('base64url'), json(3), json(4), json(5)];
    const place = join(directory, 'keys');
    await mkdir(place);
    for (const [index, form] of forms.entries()) {
      await writeFile(join(place, 'file'), form);
      const { findings } = await searchDirectory(place, formsOfCustomerKey('the key', key));
      assert.ok(findings.length > 0, `form ${index} is found`);
    }
  });

  test('finds the objects of a server that does not encrypt', async () => {
    const served = join(directory, 'served');
    await mkdir(served);
    let coffer: Coffer | undefined;
    try {
      coffer = await startCoffer({ directory: served, workers: 1, flags: ['--default-encryption', 'none'] });
      const clients = sdkClients(coffer);
      await newBucket(clients, 'plain');
      for (const path of tree.files.keys()) {
        await clients.s3.send(new PutObjectCommand({ Bucket: 'plain', Key: path, Body: await readFile(join(tree.root, path)) }));
      }
      clients.destroy();
      await coffer.stop();
      const { findings } = await searchDirectory(coffer.data, canaries);
      const hit = found(findings);
      const missed = canaries.filter((needle) => !hit.has(needle)).map(({ name }) => name);
      assert.deepEqual(missed, []);
    } finally {
      await coffer?.kill();
    }
  });
});
