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
  add32, and32, and64, type Code, constant32, constant64, extendTo64, get, i32, i64, instantiate, lessThanUnsigned32, load64, load8,
  loopWhile, set, shiftLeft64, shiftRight64, store64, type WasmInstance, wrapTo32, xor64,
} from './wasm-assembler.ts';

/** The polynomial with its bits reversed, as a reflected CRC uses it; x^64 is implied. */
export const crc64NvmePolynomial = 0x9a6c9329ac4bc9b5n;

const stateAddress = 0;
const tableAddress = 64;
const tableCount = 8;
const tableSizeBytes = 256 * 8;
const inputAddress = 32 * 1024;
const inputSizeBytes = 64 * 1024;

const kernel = createKernel();
const state = new Uint32Array(kernel.buffer, stateAddress, 2);
const input = new Uint8Array(kernel.buffer, inputAddress, inputSizeBytes);

export class Crc64Nvme {
  #low = 0xffffffff;
  #high = 0xffffffff;

  update(bytes: Uint8Array): void {
    state[0] = this.#low;
    state[1] = this.#high;
    for (let start = 0; start < bytes.byteLength; start += inputSizeBytes) {
      const piece = bytes.byteLength - start <= inputSizeBytes && start === 0 ? bytes : bytes.subarray(start, start + inputSizeBytes);
      input.set(piece);
      kernel.update(inputAddress, inputAddress + piece.byteLength);
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

function createKernel(): WasmInstance<'update'> {
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
