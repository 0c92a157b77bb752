/**
 * CRC-64/NVME, incremental, in WebAssembly: Node has no native one, and JavaScript numbers stop at 53 bits.
 *
 * Width 64, polynomial 0xad93d23594c93659, reflected in and out, initial value and final xor all ones,
 * check value ae8b14860a799888.
 * Source: NVM Express NVM Command Set Specification 1.0d, section 5.2.1.3.4; https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-64-nvme
 *
 * One WebAssembly instance serves all checksums of the process: an update copies its bytes in, runs to
 * its end and takes the 64 bits of state out again, so nothing is shared between two checksums.
 */
import {
  add32, and32, and64, type Code, constant32, constant64, extendTo64, get, i32, i64, instantiate, lessThanUnsigned32, load128,
  load64, load8, loopWhile, set, shiftLeft64, shiftRight64, store128, store64, type WasmFunction, type WasmInstance, wrapTo32, xor128, xor64,
} from './wasm-assembler.ts';

/** The polynomial with its bits reversed, as a reflected CRC uses it; x^64 is implied. */
export const crc64NvmePolynomial = 0x9a6c9329ac4bc9b5n;

/**
 * A sparse multiple of the polynomial: the sum of x^e over these exponents is 0. Squaring keeps sums, so the sum
 * of y^e with y = x^128 is 0 as well, and in a row of 16-byte words each word may be replaced by itself added to
 * the twelve words that lie 31 to 299 places on. Twelve exclusive-ors for 16 bytes, without tables and without
 * carry-less multiplication, which WebAssembly lacks: 3 times as fast as the tables, which do the last 299 words.
 * Found by search (sums of four triples that meet); the test recomputes the sum.
 * Source of the idea: S. Russell, "Chorba: A novel CRC32 implementation", arXiv 2412.16398.
 */
export const sparseMultiple = [0, 13, 83, 96, 108, 128, 133, 172, 179, 237, 251, 268, 299] as const;

const wordSizeBytes = 16;
const foldedWords = sparseMultiple[sparseMultiple.length - 1] as number;
const foldedSizeBytes = foldedWords * wordSizeBytes;

const stateAddress = 0;
const tableAddress = 64;
const tableCount = 8;
const tableSizeBytes = 256 * 8;
const residueAddress = 24 * 1024;
const zerosAddress = residueAddress + 8 * 1024;
/** The words ahead of the input are zero and stay so: the first words reach back to them. */
const inputAddress = zerosAddress + 8 * 1024;
const inputSizeBytes = 64 * 1024;

const kernel = createKernel();
const state = new Uint32Array(kernel.buffer, stateAddress, 2);
const memory = new Uint8Array(kernel.buffer);
const input = new Uint8Array(kernel.buffer, inputAddress, inputSizeBytes);
const firstWord = new Uint32Array(kernel.buffer, inputAddress, 2);

export class Crc64Nvme {
  #low = 0xffffffff;
  #high = 0xffffffff;

  update(bytes: Uint8Array): void {
    state[0] = this.#low;
    state[1] = this.#high;
    for (let start = 0; start < bytes.byteLength; start += inputSizeBytes) {
      const piece = start === 0 && bytes.byteLength <= inputSizeBytes ? bytes : bytes.subarray(start, start + inputSizeBytes);
      input.set(piece);
      // Folding ends with the cost of `foldedWords` by table, so it pays only from a few times that.
      if (piece.byteLength < 3 * foldedSizeBytes) kernel.update(inputAddress, inputAddress + piece.byteLength);
      else foldInput(piece.byteLength);
    }
    this.#low = state[0];
    this.#high = state[1];
  }

  digest(): Buffer {
    const digest = Buffer.allocUnsafe(8);
    digest.writeUInt32BE(~this.#high >>> 0, 0);
    digest.writeUInt32BE(~this.#low >>> 0, 4);
    return digest;
  }
}

/** Advances the state by the input, of which all but the last words are folded into these. */
function foldInput(sizeBytes: number): void {
  // A CRC's state and the bytes that follow are the same thing.
  (firstWord[0] as number) ^= state[0] as number;
  (firstWord[1] as number) ^= state[1] as number;
  state.fill(0);
  const wordsEnd = inputAddress + Math.floor(sizeBytes / wordSizeBytes) * wordSizeBytes;
  const tail = wordsEnd - foldedSizeBytes;
  kernel.fold(inputAddress, inputAddress, tail);
  // The tail takes what lies before it and gives nothing: it is moved out, and reads zeros in its place.
  memory.copyWithin(residueAddress, tail, wordsEnd);
  memory.fill(0, tail, wordsEnd);
  kernel.fold(residueAddress, tail, wordsEnd);
  kernel.update(residueAddress, residueAddress + foldedSizeBytes);
  kernel.update(wordsEnd, inputAddress + sizeBytes);
}

/**
 * `tables[k][byte]` is what the byte has become after k more zero bytes: eight bytes advance with
 * eight look-ups that do not wait for each other ("slicing by 8", Kounavis and Berry, 2005).
 */
function slicingTables(): bigint[][] {
  const first: bigint[] = [];
  for (let byte = 0n; byte < 256n; byte++) {
    let remainder = byte;
    for (let bit = 0; bit < 8; bit++) remainder = remainder & 1n ? (remainder >> 1n) ^ crc64NvmePolynomial : remainder >> 1n;
    first.push(remainder);
  }
  const tables = [first];
  for (let k = 1; k < tableCount; k++) {
    const previous = tables[k - 1] as bigint[];
    tables.push(previous.map((entry) => (first[Number(entry & 0xffn)] as bigint) ^ (entry >> 8n)));
  }
  return tables;
}

function createKernel(): WasmInstance<'update' | 'fold'> {
  const [start, end, crc] = [0, 1, 2];
  const tableOf = (k: number): number => tableAddress + k * tableSizeBytes;

  // The byte's number times 8, the size of an entry, in one shift and one mask.
  const entryOfByte = (index: number): Code =>
    index === 0
      ? [...get(crc), ...constant64(0xffn), ...and64, ...constant64(3n), ...shiftLeft64, ...wrapTo32]
      : [...get(crc), ...constant64(BigInt(8 * index - 3)), ...shiftRight64, ...wrapTo32, ...constant32(0xff * 8), ...and32];

  const eightBytes: Code[] = [[...get(start), ...load64(0), ...get(crc), ...xor64, ...set(crc)]];
  for (let index = 0; index < 8; index++) {
    eightBytes.push([...entryOfByte(index), ...load64(tableOf(7 - index))]);
    if (index > 0) eightBytes.push(xor64);
  }
  eightBytes.push([...set(crc), ...get(start), ...constant32(8), ...add32, ...set(start)]);

  const oneByte: Code[] = [
    [...get(start), ...load8(0), ...extendTo64, ...get(crc), ...xor64, ...constant64(0xffn), ...and64, ...constant64(3n), ...shiftLeft64, ...wrapTo32],
    [...load64(tableOf(0)), ...get(crc), ...constant64(8n), ...shiftRight64, ...xor64, ...set(crc)],
    [...get(start), ...constant32(1), ...add32, ...set(start)],
  ];

  const instance = instantiate(2, [
    foldFunction(),
    {
      name: 'update',
      parameters: [i32, i32],
      locals: [i64],
      body: [
        [...constant32(0), ...load64(stateAddress), ...set(crc)],
        loopWhile([get(start), constant32(7), add32, get(end), lessThanUnsigned32], eightBytes),
        loopWhile([get(start), get(end), lessThanUnsigned32], oneByte),
        [...constant32(0), ...get(crc), ...store64(stateAddress)],
      ],
    },
  ]);
  const table = new BigUint64Array(instance.buffer, tableAddress, tableCount * 256);
  slicingTables().forEach((entries, k) => table.set(entries, k * 256));
  return instance;
}

/** `fold(destination, source, end)`: each word at `destination` takes the words behind the one at `source`, up to `end`. */
function foldFunction(): WasmFunction<'fold'> {
  const [destination, source, end] = [0, 1, 2];
  // Offsets of loads count upwards, so the address is that of the farthest word back.
  const reachesBack = sparseMultiple.slice(0, -1).map((exponent) => exponent * wordSizeBytes);
  const unrolled = 4;
  const words = Array.from({ length: unrolled }, (_, index) => index * wordSizeBytes).map((at): Code => {
    const taken = reachesBack.map((offset): Code => [...get(source), ...load128(offset + at), ...xor128]);
    return [...get(destination), ...get(destination), ...load128(at), ...taken.flat(), ...store128(at)];
  });
  const oneWord = words[0] as Code;
  const advance = (count: number): Code => [destination, source].flatMap((local) => [...get(local), ...constant32(count * wordSizeBytes), ...add32, ...set(local)]);
  return {
    name: 'fold',
    parameters: [i32, i32, i32],
    locals: [],
    body: [
      [...get(source), ...constant32(-foldedSizeBytes), ...add32, ...set(source)],
      [...get(end), ...constant32(-foldedSizeBytes), ...add32, ...set(end)],
      loopWhile([get(source), constant32((unrolled - 1) * wordSizeBytes), add32, get(end), lessThanUnsigned32], [...words, advance(unrolled)]),
      loopWhile([get(source), get(end), lessThanUnsigned32], [oneWord, advance(1)]),
    ],
  };
}
