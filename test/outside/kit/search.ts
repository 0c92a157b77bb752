/**
 * Looks for what must not be readable: every byte of every file under a directory, raw, as a thief of the disk would.
 * Leaves it to the tests to show that the search finds what is there.
 */
import { createHash } from 'node:crypto';
import { open, readdir, type FileHandle } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Random } from './random.ts';
import type { Tree } from './tree.ts';

export interface Needle {
  /** What to call it in a report; never the bytes themselves. */
  name: string;
  /** At least 12 bytes. */
  bytes: Buffer;
}

export interface Finding {
  needle: Needle;
  /** Relative to the directory searched. */
  file: string;
  offset: number;
}

export interface SearchResult {
  findings: Finding[];
  filesCount: number;
  sizeBytes: number;
}

const pieceSizeBytes = 8 << 20;
const windowSizeBytes = 32;

/** A few windows of every file, at random places, of which none can stand in the store by chance or for another reason. */
export async function canariesOf(tree: Tree, random: Random, perFile = 2): Promise<Needle[]> {
  const names = [...tree.files.keys()].join('\n');
  const needles: Needle[] = [];
  for (const [path, { sizeBytes }] of tree.files) {
    if (sizeBytes < windowSizeBytes) continue;
    const file = await open(join(tree.root, path));
    try {
      for (let index = 0; index < perFile; index++) {
        const bytes = await distinctWindow(file, sizeBytes, random);
        // Names of objects are no secret, and some files tell the names of others.
        if (bytes && !names.includes(bytes.toString('latin1'))) needles.push({ name: `${path}, window ${index}`, bytes });
      }
    } finally {
      await file.close();
    }
  }
  return needles;
}

/** Zeros and rows of dashes stand everywhere. Undefined when a few throws hit nothing better. */
async function distinctWindow(file: FileHandle, sizeBytes: number, random: Random): Promise<Buffer | undefined> {
  for (let attempt = 0; attempt < 8; attempt++) {
    const bytes = Buffer.alloc(windowSizeBytes);
    await file.read(bytes, 0, windowSizeBytes, random.below(sizeBytes - windowSizeBytes + 1));
    if (new Set(bytes).size >= 12) return bytes;
  }
  return undefined;
}

/** A secret in every form that it could be written in: raw, hex, base64 (also inside a longer base64 text), base64url. */
export function formsOf(name: string, secret: Buffer): Needle[] {
  const needles: Needle[] = [
    { name: `${name}, raw`, bytes: secret },
    { name: `${name}, hex`, bytes: Buffer.from(secret.toString('hex')) },
    { name: `${name}, upper-case hex`, bytes: Buffer.from(secret.toString('hex').toUpperCase()) },
  ];
  for (const lead of [0, 1, 2]) {
    // The characters at both ends depend on the neighbours.
    const whole = Buffer.concat([Buffer.alloc(lead), secret]).toString('base64').replace(/=+$/, '');
    const inner = whole.slice(lead === 0 ? 0 : lead + 1, -1);
    needles.push({ name: `${name}, base64 at ${lead}`, bytes: Buffer.from(inner) });
    const urlSafe = inner.replaceAll('+', '-').replaceAll('/', '_');
    if (urlSafe !== inner) needles.push({ name: `${name}, base64url at ${lead}`, bytes: Buffer.from(urlSafe) });
  }
  return needles;
}

/** The forms of a customer's key, and of the digest that clients send along with it. */
export function formsOfCustomerKey(name: string, key: Buffer): Needle[] {
  return [...formsOf(name, key), ...formsOf(`MD5 of ${name}`, createHash('md5').update(key).digest())];
}

/** Every place of every needle in every file under `directory`; `findingsMax` bounds what is kept. */
export async function searchDirectory(directory: string, needles: readonly Needle[], findingsMax = 100_000): Promise<SearchResult> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const search = new Search(needles);
  const result: SearchResult = { findings: [], filesCount: 0, sizeBytes: 0 };
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    result.filesCount += 1;
    result.sizeBytes += await search.file(path, (needle, offset) => {
      if (result.findings.length < findingsMax) result.findings.push({ needle, file: relative(directory, path), offset });
    });
  }
  return result;
}

/** The same for a text. */
export function searchText(text: string, needles: readonly Needle[]): Needle[] {
  const bytes = Buffer.from(text, 'utf8');
  return needles.filter((needle) => bytes.includes(needle.bytes));
}

export function describeFindings(findings: readonly Finding[], linesMax = 20): string[] {
  const lines = findings.slice(0, linesMax).map(({ needle, file, offset }) => `${needle.name} stands in ${file} at ${offset}`);
  return findings.length <= linesMax ? lines : [...lines, `... and ${findings.length - linesMax} more`];
}

/** How far the scan steps. A needle is looked up by the four bytes at each of its first eight offsets, so one of them is met. */
const strideSizeBytes = 8;
const needleSizeBytesMin = strideSizeBytes + 4;

interface Entry {
  needle: Needle;
  /** Where in the needle the four bytes stand. */
  lead: number;
}

/** All needles in one pass: four bytes choose a cell of a small table; only where it is set one looks closer. */
class Search {
  readonly #cells = new Uint8Array(1 << 20);
  readonly #byWord = new Map<number, Entry[]>();
  readonly #overlapSizeBytes: number;
  readonly #buffer: Buffer;
  readonly #words: Uint32Array;

  constructor(needles: readonly Needle[]) {
    for (const needle of needles) {
      if (needle.bytes.byteLength < needleSizeBytesMin) throw new Error(`${needle.name} is too short to be searched for`);
      for (let lead = 0; lead < strideSizeBytes; lead++) this.#enter({ needle, lead });
    }
    this.#overlapSizeBytes = Math.max(needleSizeBytesMin, ...needles.map(({ bytes }) => bytes.byteLength)) - 1;
    const memory = new ArrayBuffer(Math.ceil((this.#overlapSizeBytes + pieceSizeBytes) / strideSizeBytes) * strideSizeBytes);
    this.#buffer = Buffer.from(memory);
    this.#words = new Uint32Array(memory);
  }

  #enter(entry: Entry): void {
    const word = new Uint32Array(Uint8Array.from(entry.needle.bytes.subarray(entry.lead, entry.lead + 4)).buffer)[0]!;
    this.#cells[cellOf(word)] = 1;
    this.#byWord.set(word, [...(this.#byWord.get(word) ?? []), entry]);
  }

  /** The size of the file. */
  async file(path: string, found: (needle: Needle, offset: number) => void): Promise<number> {
    const file = await open(path);
    try {
      let kept = 0;
      let position = 0;
      for (;;) {
        const { bytesRead } = await file.read(this.#buffer, kept, pieceSizeBytes, position);
        if (bytesRead === 0) break;
        const sizeBytes = kept + bytesRead;
        const base = position - kept;
        this.#scan(sizeBytes, (needle, at) => {
          // A needle wholly inside what was kept was found in the turn before.
          if (at + needle.bytes.byteLength > kept) found(needle, base + at);
        });
        position += bytesRead;
        const keep = Math.min(this.#overlapSizeBytes, sizeBytes);
        this.#buffer.copyWithin(0, sizeBytes - keep, sizeBytes);
        kept = keep;
      }
      return position;
    } finally {
      await file.close();
    }
  }

  #scan(sizeBytes: number, found: (needle: Needle, at: number) => void): void {
    const cells = this.#cells;
    const words = this.#words;
    const wordsCount = sizeBytes >>> 2;
    for (let index = 0; index < wordsCount; index += strideSizeBytes / 4) {
      const word = words[index]!;
      if (cells[cellOf(word)] === 0) continue;
      for (const { needle, lead } of this.#byWord.get(word) ?? []) {
        const at = index * 4 - lead;
        const end = at + needle.bytes.length;
        if (at >= 0 && end <= sizeBytes && this.#buffer.compare(needle.bytes, 0, needle.bytes.length, at, end) === 0) found(needle, at);
      }
    }
  }
}

function cellOf(word: number): number {
  return Math.imul(word, 0x9e3779b1) >>> 12;
}
