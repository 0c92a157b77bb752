/**
 * The CRC of two byte strings laid end to end, out of their CRCs and the second one's length.
 *
 * Appending n zero bytes multiplies a CRC by x^(8n) modulo its polynomial, and all three CRCs begin and
 * end with all ones, which cancels: crc(AB) = crc(A) * x^(8 |B|) + crc(B).
 * Polynomials are reflected: the highest bit of `width` is the coefficient of x^0.
 */
import { assert } from '../base/index.ts';
import { checksumSizeBytes } from './checksum.ts';

export type CrcAlgorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME';

/** Up to 64 bits as two unsigned 32-bit halves; BigInt is 30 times as slow here. */
interface Polynomial {
  high: number;
  low: number;
}

interface Field {
  width: 32 | 64;
  modulus: Polynomial;
  /** `zeros[k]` is x^(8 * 2^k): what 2^k zero bytes multiply by. */
  zeros: Polynomial[];
  /** The last length and its x^(8n): the parts of an upload mostly have one size. */
  last: { length: number; factor: Polynomial };
}

const fields: Readonly<Record<CrcAlgorithm, Field>> = {
  CRC32: createField(32, { high: 0, low: 0xedb88320 }),
  CRC32C: createField(32, { high: 0, low: 0x82f63b78 }),
  CRC64NVME: createField(64, { high: 0x9a6c9329, low: 0xac4bc9b5 }),
};

/** Digests as `createChecksum` gives them, big-endian; `lengthB` in bytes. */
export function combineCrc(algorithm: CrcAlgorithm, crcA: Uint8Array, crcB: Uint8Array, lengthB: number): Buffer {
  const size = checksumSizeBytes[algorithm];
  assert(crcA.byteLength === size && crcB.byteLength === size, `${algorithm} digests have ${size} bytes`);
  assert(Number.isSafeInteger(lengthB) && lengthB >= 0, 'a length is a whole number');
  const field = fields[algorithm];
  if (field.last.length !== lengthB) field.last = { length: lengthB, factor: factorOfZeros(field, lengthB) };
  const product = multiply(field, read(crcA), field.last.factor);
  const b = read(crcB);
  return write(size, { high: product.high ^ b.high, low: product.low ^ b.low });
}

function createField(width: 32 | 64, modulus: Polynomial): Field {
  const one = oneOf(width);
  const field: Field = { width, modulus, zeros: [], last: { length: 0, factor: one } };
  // x^8, then its squares: 2^52 is beyond the largest safe length.
  let power = width === 32 ? { high: 0, low: one.low >>> 8 } : { high: one.high >>> 8, low: 0 };
  for (let k = 0; k < 53; k++) {
    field.zeros.push(power);
    power = multiply(field, power, power);
  }
  return field;
}

function oneOf(width: 32 | 64): Polynomial {
  return width === 32 ? { high: 0, low: 0x80000000 } : { high: 0x80000000, low: 0 };
}

function factorOfZeros(field: Field, length: number): Polynomial {
  let factor = oneOf(field.width);
  for (let k = 0, rest = length; rest > 0; k++, rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) factor = multiply(field, factor, field.zeros[k] as Polynomial);
  }
  return factor;
}

function multiply(field: Field, a: Polynomial, b: Polynomial): Polynomial {
  let [shiftedHigh, shiftedLow] = [b.high, b.low];
  let [high, low] = [0, 0];
  for (let bit = field.width - 1; bit >= 0; bit--) {
    const coefficient = bit >= 32 ? a.high >>> (bit - 32) : a.low >>> bit;
    if (coefficient & 1) {
      high ^= shiftedHigh;
      low ^= shiftedLow;
    }
    const carry = shiftedLow & 1;
    shiftedLow = (shiftedLow >>> 1) | (shiftedHigh << 31);
    shiftedHigh >>>= 1;
    if (carry) {
      shiftedHigh ^= field.modulus.high;
      shiftedLow ^= field.modulus.low;
    }
  }
  return { high: high >>> 0, low: low >>> 0 };
}

function read(digest: Uint8Array): Polynomial {
  const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
  return digest.byteLength === 4 ? { high: 0, low: view.getUint32(0) } : { high: view.getUint32(0), low: view.getUint32(4) };
}

function write(size: number, value: Polynomial): Buffer {
  const digest = Buffer.allocUnsafe(size);
  if (size === 8) digest.writeUInt32BE(value.high >>> 0, 0);
  digest.writeUInt32BE(value.low >>> 0, size - 4);
  return digest;
}
