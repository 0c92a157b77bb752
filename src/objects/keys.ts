/**
 * Where things lie in the catalog. Source: docs/formats/catalog.md.
 *
 * | key                                        | value                                                      |
 * |--------------------------------------------|------------------------------------------------------------|
 * | `b/` bucket                                | bucket record                                              |
 * | `o/` bucket 00 key                         | version record of the current version (or delete marker)   |
 * | `v/` bucket 00 key 00 age(8)               | version record of a noncurrent version, newest first       |
 * | `d/` nonce(16)                             | sealed bytes of a small object                             |
 * | `p/` nonce(16) segment(4)                  | part segment of a multipart object                         |
 * | `u/` bucket 00 key 00 start(8) nonce(16)   | upload record                                              |
 * | `w/` nonce(16) partNumber(2)               | part record of an open upload                              |
 * | `t/` due(8) nonce(16)                      | trash: what a commit unlinked, to be removed when due      |
 * | `r/` blob id(16)                           | which record names this blob; for the scrubber             |
 *
 * Integers are big-endian. Bucket names and object keys hold no 00 byte, so byte order of catalog keys is
 * byte order of object keys, which is the order S3 lists in.
 */
import { assert, type Bytes } from '../base/index.ts';
import { ObjectStoreError } from './errors.ts';

const separator = Buffer.of(0);
const objectKeySizeBytesMax = 1_024;

/** 1 to 1,024 bytes without a 00 byte. */
export function isObjectKey(key: string | Bytes): boolean {
  const sizeBytes = typeof key === 'string' ? Buffer.byteLength(key, 'utf8') : key.byteLength;
  return sizeBytes > 0 && sizeBytes <= objectKeySizeBytesMax && (typeof key === 'string' ? !key.includes('\0') : !key.includes(0));
}

/** UTF-8, since names come here that no bucket can have: one byte for each character would take U+0161 for `a`. */
export function bucketRecordKey(bucket: string): Buffer {
  return Buffer.from(`b/${bucket}`, 'utf8');
}

export function currentKey(bucket: string, key: string | Bytes): Buffer {
  return objectKey('o/', bucket, key);
}

/** All noncurrent versions of one key lie behind this prefix. */
export function noncurrentPrefix(bucket: string, key: string | Bytes): Buffer {
  return Buffer.concat([objectKey('v/', bucket, key), separator]);
}

export function noncurrentKey(bucket: string, key: string, sequence: number): Buffer {
  return Buffer.concat([noncurrentPrefix(bucket, key), age(sequence)]);
}

export function inlineKey(nonce: Bytes): Buffer {
  return Buffer.concat([Buffer.from('d/'), nonce]);
}

export function segmentPrefix(nonce: Bytes): Buffer {
  return Buffer.concat([Buffer.from('p/'), nonce]);
}

export function segmentKey(nonce: Bytes, segment: number): Buffer {
  const bytes = Buffer.allocUnsafe(22);
  bytes.write('p/', 'latin1');
  bytes.set(nonce, 2);
  bytes.writeUInt32BE(segment, 18);
  return bytes;
}

export function uploadPrefix(bucket: string, key: string | Bytes): Buffer {
  return Buffer.concat([objectKey('u/', bucket, key), separator]);
}

export function uploadKey(bucket: string, key: string, startedMs: number, nonce: Bytes): Buffer {
  return Buffer.concat([uploadPrefix(bucket, key), uint64(startedMs), nonce]);
}

export function partPrefix(nonce: Bytes): Buffer {
  return Buffer.concat([Buffer.from('w/'), nonce]);
}

export function partKey(nonce: Bytes, partNumber: number): Buffer {
  const bytes = Buffer.allocUnsafe(20);
  bytes.write('w/', 'latin1');
  bytes.set(nonce, 2);
  bytes.writeUInt16BE(partNumber, 18);
  return bytes;
}

export function trashKey(dueMs: number, nonce: Bytes): Buffer {
  return Buffer.concat([Buffer.from('t/'), uint64(dueMs), nonce]);
}

export function blobReferenceKey(blobId: string): Buffer {
  return Buffer.concat([Buffer.from('r/'), Buffer.from(blobId, 'hex')]);
}

/** Prefix of all current (`o/`), noncurrent (`v/`) or upload (`u/`) entries of a bucket. */
export function bucketPrefix(table: 'o/' | 'v/' | 'u/', bucket: string): Buffer {
  return Buffer.concat([Buffer.from(`${table}${bucket}`, 'utf8'), separator]);
}

/** The first byte string behind everything that begins with `prefix`. */
export function endOfPrefix(prefix: Bytes): Buffer {
  const end = Buffer.from(prefix);
  for (let index = end.length - 1; index >= 0; index--) {
    const byte = end[index] as number;
    if (byte < 0xff) {
      end[index] = byte + 1;
      return end.subarray(0, index + 1);
    }
  }
  throw new Error('a prefix of only 0xff bytes has no end');
}

/** Versions sort newest first, so the sequence number counts down in the key. */
function age(sequence: number): Buffer {
  return uint64(Number.MAX_SAFE_INTEGER - sequence);
}

export function uint64(value: number): Buffer {
  assert(Number.isSafeInteger(value) && value >= 0, 'an unsigned integer below 2^53');
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

/** Throws ObjectStoreError `invalid-key`: a 00 byte would lead into the rows of another object. */
function objectKey(table: string, bucket: string, key: string | Bytes): Buffer {
  if (!isObjectKey(key)) throw new ObjectStoreError('invalid-key', 'an object key has 1 to 1,024 bytes, none of them 00');
  const keyBytes = typeof key === 'string' ? Buffer.from(key, 'utf8') : key;
  return Buffer.concat([Buffer.from(`${table}${bucket}\0`, 'utf8'), keyBytes]);
}
