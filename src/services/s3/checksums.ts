/**
 * Checksums of a write as its request announces them, and of a read as its answer shows them.
 * Source: contract s3-encryption.md section 10 (E70 to E82), s3-surface.md section 2.
 */
import { decodeBase64, equalSecrets } from '../../base/index.ts';
import { checksumAlgorithms, checksumSizeBytes, type ChecksumAlgorithm } from '../../checksum/index.ts';
import type { StoredChecksum } from '../../objects/index.ts';
import type { Call } from '../operation.ts';

import { s3Errors } from './errors.ts';

/** What of a call the checksums of its body are read from. */
type Announced = Pick<Call, 'headers' | 'payload'>;

/** `ChecksumCRC32` and its kin, by official member name. */
export type ChecksumMembers = { [Algorithm in ChecksumAlgorithm as `Checksum${Algorithm}`]?: string | undefined };

export interface ChecksumExpectation {
  algorithm: ChecksumAlgorithm;
  /** Absent when the server computes it by itself. */
  from?: 'header' | 'trailer';
  value?: Buffer;
}

const headerPrefix = 'x-amz-checksum-';

/** Which checksum is computed and what it must be. CRC-64/NVME where the client gave none. */
export function expectChecksum(call: Announced, input: ChecksumMembers, fallback: ChecksumAlgorithm = 'CRC64NVME'): ChecksumExpectation {
  const given = checksumAlgorithms.filter((algorithm) => input[`Checksum${algorithm}`] !== undefined);
  const trailers = (call.headers['x-amz-trailer'] ?? '').split(',').map((name) => name.trim().toLowerCase()).filter((name) => name.startsWith(headerPrefix));
  if (given.length + trailers.length > 1) {
    throw s3Errors.invalidRequest('Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.');
  }
  const [algorithm] = given;
  if (algorithm !== undefined) {
    return { algorithm, from: 'header', value: decodeChecksum(algorithm, input[`Checksum${algorithm}`] as string) };
  }
  const [trailer] = trailers;
  if (trailer !== undefined) {
    const trailing = checksumAlgorithms.find((name) => headerPrefix + name.toLowerCase() === trailer);
    if (trailing === undefined) throw s3Errors.invalidRequest('The value specified in the x-amz-trailer header is not supported');
    return { algorithm: trailing, from: 'trailer' };
  }
  if (call.headers['x-amz-sdk-checksum-algorithm'] !== undefined) {
    throw s3Errors.invalidRequest('x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.');
  }
  return { algorithm: fallback };
}

/** E70. */
export function decodeChecksum(algorithm: ChecksumAlgorithm, text: string): Buffer {
  const value = decodeBase64(text);
  if (value === undefined || value.byteLength !== checksumSizeBytes[algorithm]) {
    throw s3Errors.invalidRequest(`Value for ${headerPrefix}${algorithm.toLowerCase()} header is invalid.`);
  }
  return value;
}

/** Once the body has ended. E71, and E70 for a trailer that is none. */
export function verifyChecksum(call: Announced, expectation: ChecksumExpectation, computed: Buffer): void {
  const { algorithm } = expectation;
  let { value } = expectation;
  if (expectation.from === 'trailer') {
    const text = call.payload.trailers()[headerPrefix + algorithm.toLowerCase()];
    if (text === undefined) throw s3Errors.badDigest(`The ${algorithm} you specified did not match the calculated checksum.`);
    value = decodeChecksum(algorithm, text.trim());
  }
  if (value !== undefined && !equalSecrets(value, computed)) throw s3Errors.badDigest(`The ${algorithm} you specified did not match the calculated checksum.`);
}

/** The 16 bytes of Content-MD5, or undefined. E80. */
export function readContentMd5(text: string | undefined): Buffer | undefined {
  if (text === undefined) return undefined;
  const md5 = decodeBase64(text);
  if (md5 === undefined || md5.byteLength !== 16) throw s3Errors.invalidDigest(text);
  return md5;
}

/** E81. */
export function verifyContentMd5(expected: Buffer | undefined, computed: Buffer | undefined): void {
  if (expected === undefined || computed === undefined || equalSecrets(expected, computed)) return;
  throw s3Errors.badDigest('The Content-MD5 you specified did not match what we received.', {
    ExpectedDigest: expected.toString('base64'), CalculatedDigest: computed.toString('base64'),
  });
}

/** As an answer shows it; `-N` is put behind a composite value where there are parts. */
export function checksumOutput(checksum: StoredChecksum | undefined, partCount?: number): ChecksumMembers & { ChecksumType?: 'FULL_OBJECT' | 'COMPOSITE' } {
  if (checksum === undefined) return {};
  const value = checksum.type === 'COMPOSITE' && partCount !== undefined ? `${checksum.value}-${partCount}` : checksum.value;
  return { [`Checksum${checksum.algorithm}`]: value, ChecksumType: checksum.type };
}

export function isChecksumAlgorithm(text: string): text is ChecksumAlgorithm {
  return Object.hasOwn(checksumSizeBytes, text);
}
