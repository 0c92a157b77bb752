/**
 * A batch of commits as one byte string, to pass from the thread that asks to the thread that writes.
 *
 * A structured clone of a Buffer copies all of the memory it is a view of; this copies each byte once and
 * hands the result over. Integers are little-endian uint32, a byte string is its length and its bytes.
 *
 *     commit count, then for each commit:
 *       check count,  then each: kind (0 no value, 1 value, 2 empty), key, value | key | start, end
 *       delete count, then each: key
 *       put count,    then each: key, value
 */
import { asBuffer, assert, type Bytes } from '../../base/index.ts';
import type { Check, Commit } from '../catalog.ts';
import { boundedEdge } from '../limits.ts';

const kindNoValue = 0;
const kindValue = 1;
const kindEmpty = 2;

/** The commit's part of a batch, copied, so that its buffers may change afterwards. */
export function encodeCommit({ checks = [], deletes = [], puts = [] }: Commit): Buffer {
  const strings: Bytes[] = [];
  for (const check of checks) {
    if (check.kind === 'empty') strings.push(boundedEdge(check.start), boundedEdge(check.end));
    else if (check.value === undefined) strings.push(check.key);
    else strings.push(check.key, check.value);
  }
  for (const key of deletes) strings.push(key);
  for (const { key, value } of puts) strings.push(key, value);

  let sizeBytes = 12 + 4 * checks.length;
  for (const bytes of strings) sizeBytes += 4 + bytes.byteLength;
  const target = Buffer.allocUnsafe(sizeBytes);
  let offset = 0;
  let stringIndex = 0;
  const writeUint32 = (value: number): void => {
    offset = target.writeUInt32LE(value, offset);
  };
  const writeStrings = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const bytes = strings[stringIndex++]!;
      writeUint32(bytes.byteLength);
      target.set(bytes, offset);
      offset += bytes.byteLength;
    }
  };

  writeUint32(checks.length);
  for (const check of checks) {
    const kind = check.kind === 'empty' ? kindEmpty : check.value === undefined ? kindNoValue : kindValue;
    writeUint32(kind);
    writeStrings(kind === kindNoValue ? 1 : 2);
  }
  writeUint32(deletes.length);
  writeStrings(deletes.length);
  writeUint32(puts.length);
  writeStrings(2 * puts.length);
  assert(offset === sizeBytes, 'an encoded commit has the size that was reckoned');
  return target;
}

/** The memory is not shared with any pool, so it can be handed to another thread. */
export function joinBatch(commits: readonly Buffer[]): ArrayBuffer {
  let sizeBytes = 4;
  for (const commit of commits) sizeBytes += commit.byteLength;
  const memory = new ArrayBuffer(sizeBytes);
  const target = Buffer.from(memory);
  let offset = target.writeUInt32LE(commits.length, 0);
  for (const commit of commits) {
    target.set(commit, offset);
    offset += commit.byteLength;
  }
  return memory;
}

export interface DecodedCommit {
  checks: Check[];
  deletes: Buffer[];
  puts: { key: Buffer; value: Buffer }[];
}

/** Views of the batch's memory. */
export function decodeBatch(batch: Bytes): DecodedCommit[] {
  const source = asBuffer(batch);
  let offset = 0;
  const readUint32 = (): number => {
    const value = source.readUInt32LE(offset);
    offset += 4;
    return value;
  };
  const readString = (): Buffer => {
    const sizeBytes = readUint32();
    const bytes = source.subarray(offset, offset + sizeBytes);
    offset += sizeBytes;
    return bytes;
  };
  const readCheck = (): Check => {
    const kind = readUint32();
    if (kind === kindEmpty) return { kind: 'empty', start: readString(), end: readString() };
    return { kind: 'value', key: readString(), value: kind === kindValue ? readString() : undefined };
  };
  const readList = <Item>(readItem: () => Item): Item[] => {
    const items: Item[] = new Array(readUint32());
    for (let i = 0; i < items.length; i++) items[i] = readItem();
    return items;
  };
  const commits = readList(() => ({
    checks: readList(readCheck),
    deletes: readList(readString),
    puts: readList(() => ({ key: readString(), value: readString() })),
  }));
  assert(offset === source.byteLength, 'a batch is read to its end');
  return commits;
}
