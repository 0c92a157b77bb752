/** The ten checksums of S3, computed here by other code than the server's: bit by bit, by node:crypto and by hash-wasm. */
import { createHash } from 'node:crypto';
import { xxhash128, xxhash3, xxhash64 } from 'hash-wasm';

export const checksumNames = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256', 'SHA512', 'MD5', 'XXHASH64', 'XXHASH3', 'XXHASH128'] as const;
export type ChecksumName = (typeof checksumNames)[number];

/** Base64, as headers carry it. */
export async function checksumOf(name: ChecksumName, bytes: Buffer | string): Promise<string> {
  const data = Buffer.from(bytes);
  switch (name) {
    case 'CRC32': return crc(data, 32n, 0xedb88320n);
    case 'CRC32C': return crc(data, 32n, 0x82f63b78n);
    case 'CRC64NVME': return crc(data, 64n, 0x9a6c9329ac4bc9b5n);
    case 'XXHASH64': return Buffer.from(await xxhash64(data), 'hex').toString('base64');
    case 'XXHASH3': return Buffer.from(await xxhash3(data), 'hex').toString('base64');
    case 'XXHASH128': return Buffer.from(await xxhash128(data), 'hex').toString('base64');
    default: return createHash(name).update(data).digest('base64');
  }
}

export function checksumHeader(name: ChecksumName): string {
  return `x-amz-checksum-${name.toLowerCase()}`;
}

/** A value of the right form that is not that of `value`'s bytes. */
export function otherChecksum(value: string): string {
  const bytes = Buffer.from(value, 'base64');
  bytes[0] = (bytes[0] as number) ^ 1;
  return bytes.toString('base64');
}

/** Reflected, all ones before and after. */
function crc(data: Buffer, bits: bigint, polynomial: bigint): string {
  const table = Array.from({ length: 256 }, (_, byte) => {
    let value = BigInt(byte);
    for (let bit = 0; bit < 8; bit++) value = value & 1n ? (value >> 1n) ^ polynomial : value >> 1n;
    return value;
  });
  const ones = (1n << bits) - 1n;
  let state = ones;
  for (const byte of data) state = (state >> 8n) ^ (table[Number((state ^ BigInt(byte)) & 0xffn)] as bigint);
  return Buffer.from((state ^ ones).toString(16).padStart(Number(bits) / 4, '0'), 'hex').toString('base64');
}
