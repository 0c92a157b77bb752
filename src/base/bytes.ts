/** Byte helpers shared by all rooms. */
import { timingSafeEqual } from 'node:crypto';

export type Bytes = Uint8Array;

/** Bytes that arrive over time, each chunk owned by the receiver once yielded. */
export type ByteSource = AsyncIterable<Buffer>;

/** A view of the same memory as a Buffer, without a copy. */
export function asBuffer(bytes: Bytes): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Compares secrets in time that depends on their lengths only. */
export function equalSecrets(a: Bytes, b: Bytes): boolean {
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}

/** Big-endian unsigned 32 bits. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Each part behind its length as big-endian uint32, so that no two lists give the same bytes. */
export function lengthPrefixed(...parts: readonly (Bytes | string)[]): Buffer {
  let sizeBytes = 0;
  for (const part of parts) sizeBytes += 4 + (typeof part === 'string' ? Buffer.byteLength(part) : part.byteLength);
  const bytes = Buffer.allocUnsafe(sizeBytes);
  let offset = 0;
  for (const part of parts) {
    let partSizeBytes: number;
    if (typeof part === 'string') {
      partSizeBytes = bytes.write(part, offset + 4, 'utf8');
    } else {
      partSizeBytes = part.byteLength;
      bytes.set(part, offset + 4);
    }
    bytes.writeUInt32BE(partSizeBytes, offset);
    offset += 4 + partSizeBytes;
  }
  return bytes;
}

/**
 * Standard base64 of exactly its canonical form, or undefined.
 * Buffer.from alone ignores junk; a key or digest must not.
 */
export function decodeBase64(text: string): Buffer | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** Overwrites key material that is no longer needed. */
export function wipe(...secrets: readonly (Bytes | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0);
}
