/**
 * A real tree of files to send up and fetch back: a sample of node_modules, real text and real binaries, and beside
 * it names and sizes that servers stumble over. And how two trees are compared: path by path, byte by byte.
 */
import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { copyFile, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Random } from './random.ts';

const source = fileURLToPath(new URL('../../../node_modules', import.meta.url));
const largeSizeBytes = 1_000_000;

export interface TreeOptions {
  /** How many files of node_modules come along, evenly spread over it. */
  filesMin: number;
  /** Large files of node_modules, binaries of up to a hundred megabytes, come along until they have this size together. */
  largeSizeBytesSum: number;
  /** Of the files of sizes around the edges of chunks and parts. */
  edgeSizeBytesMax: number;
}

export const fullTree: TreeOptions = { filesMin: 1_100, largeSizeBytesSum: 180_000_000, edgeSizeBytesMax: Infinity };
/** For clients that send one file after the other. */
export const mediumTree: TreeOptions = { filesMin: 200, largeSizeBytesSum: 1_000_000, edgeSizeBytesMax: Infinity };
export const smallTree: TreeOptions = { filesMin: 200, largeSizeBytesSum: 0, edgeSizeBytesMax: 500_000 };

export interface Tree {
  readonly root: string;
  /** Paths relative to `root`, with `/`, sorted; each with size and SHA-256. */
  readonly files: ReadonlyMap<string, FileFacts>;
  readonly sizeBytes: number;
}

export interface FileFacts {
  sizeBytes: number;
  sha256: string;
}

/** Words that lie in files of every tree, for the search of what must not be readable. */
export const knownWords = [
  'the quick brown fox keeps its patient records here: 7f3c9a',
  'Account 4929-1111-2222-3333 of a customer who trusted the store',
];

/** Around a chunk of the seal (16 KiB) and a part of the clients (5, 8 and 15 MiB): one less, exactly, one more. */
const edgeSizesBytes = [0, 1, 16_383, 16_384, 16_385, 1_048_576, 5_242_880, 8_388_607, 8_388_608, 8_388_609, 15_728_640];

const awkwardNames = [
  'with space.txt', 'plus+plus.txt', 'percent%20sign.txt', 'amp&semi;colon=.txt', "quote'and\"double.txt", 'ünïcödé-猫.txt',
  'tilde~bang!star*(round)[square]{curly}.txt', 'hash#question?.txt', 'at@comma,dollar$.txt', '.hidden', 'UPPER and lower/Mixed Case.TXT',
  'back`tick^caret|pipe<less>greater.txt', 'deep/a/b/c/d/e/f/g/h/file', `long/${'n'.repeat(200)}.txt`,
];

/** Makes the tree under `root`, which must not exist. */
export async function makeTree(root: string, { filesMin, largeSizeBytesSum, edgeSizeBytesMax }: TreeOptions, random: Random): Promise<Tree> {
  const all = await filesUnder(source);
  const sizes = new Map<string, number>();
  for (const path of all) sizes.set(path, (await stat(join(source, path))).size);
  let sizeBytesSum = 0;
  const large = all.filter((path) => {
    if (sizes.get(path)! < largeSizeBytes || sizeBytesSum >= largeSizeBytesSum) return false;
    sizeBytesSum += sizes.get(path)!;
    return true;
  });
  const others = all.filter((path) => sizes.get(path)! < largeSizeBytes);
  const step = Math.max(1, Math.floor(others.length / filesMin));
  const chosen = [...others.filter((_, index) => index % step === 0), ...large];
  if (chosen.length < filesMin) throw new Error(`node_modules has ${all.length} files, too few for a tree of ${filesMin}; is it whole?`);

  await mkdir(root);
  for (const path of chosen) {
    await mkdir(dirname(join(root, 'modules', path)), { recursive: true });
    await copyFile(join(source, path), join(root, 'modules', path), constants.COPYFILE_FICLONE);
  }
  await mkdir(join(root, 'edges'));
  for (const sizeBytes of edgeSizesBytes) {
    if (sizeBytes <= edgeSizeBytesMax) await writeFile(join(root, 'edges', `${sizeBytes}.bin`), random.bytes(sizeBytes));
  }
  for (const [index, name] of awkwardNames.entries()) {
    const path = join(root, 'awkward', name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `${index}: ${knownWords[index % knownWords.length]}\n`.repeat(1 + index * 40));
  }
  return readTree(root);
}

export async function readTree(root: string): Promise<Tree> {
  const files = new Map<string, FileFacts>();
  let sizeBytes = 0;
  for (const path of await filesUnder(root)) {
    const facts = await factsOf(join(root, path));
    files.set(path, facts);
    sizeBytes += facts.sizeBytes;
  }
  return { root, files, sizeBytes };
}

/** What differs, one line each; at most `linesMax` of them and their count. Empty: the trees are equal. */
export function differences(expected: Tree, found: Tree, linesMax = 20): string[] {
  const lines: string[] = [];
  for (const [path, { sizeBytes, sha256 }] of expected.files) {
    const other = found.files.get(path);
    if (!other) lines.push(`missing: ${path}`);
    else if (other.sizeBytes !== sizeBytes) lines.push(`${path}: ${sizeBytes} bytes expected, ${other.sizeBytes} found`);
    else if (other.sha256 !== sha256) lines.push(`${path}: other bytes of the same size`);
  }
  for (const path of found.files.keys()) if (!expected.files.has(path)) lines.push(`unexpected: ${path}`);
  return lines.length <= linesMax ? lines : [...lines.slice(0, linesMax), `... and ${lines.length - linesMax} more`];
}

/** Regular files only: object stores know no links. */
async function filesUnder(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(root, join(entry.parentPath, entry.name))).sort();
}

export async function factsOf(path: string): Promise<FileFacts> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    hash.update(piece);
    sizeBytes += piece.byteLength;
  }
  return { sizeBytes, sha256: hash.digest('hex') };
}
