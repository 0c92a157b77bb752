/**
 * Checksums as S3 knows them: the ten algorithms, incremental; the checksum of a whole out of the
 * checksums of its parts. Bytes in, digests out: header names, base64, defaults per operation and
 * the comparison with what a caller declared are the business of the rooms above.
 */
export { type Checksum, type ChecksumAlgorithm, checksumAlgorithms, checksumSizeBytes, compositeChecksum, createChecksum } from './checksum.ts';
export { combineCrc, type CrcAlgorithm } from './crc-combine.ts';
