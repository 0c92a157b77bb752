/**
 * Checksums of multipart uploads: what Create declares, what a part brings, what Complete makes of them.
 * Source: contract s3-encryption.md sections 10.3 and 10.4 (E74 to E79).
 */
import { equalSecrets } from '../../base/index.ts';
import { checksumAlgorithms, combineCrc, compositeChecksum, type ChecksumAlgorithm, type CrcAlgorithm } from '../../checksum/index.ts';
import type { ChecksumType, StoredChecksum } from '../../objects/index.ts';
import { decodeChecksum, isChecksumAlgorithm, type ChecksumExpectation, type ChecksumMembers } from './checksums.ts';
import { s3Errors } from './errors.ts';

const defaultTypes: Record<ChecksumAlgorithm, ChecksumType> = {
  CRC32: 'COMPOSITE', CRC32C: 'COMPOSITE', CRC64NVME: 'FULL_OBJECT', SHA1: 'COMPOSITE', SHA256: 'COMPOSITE', SHA512: 'COMPOSITE', MD5: 'COMPOSITE',
  XXHASH64: 'COMPOSITE', XXHASH3: 'COMPOSITE', XXHASH128: 'COMPOSITE',
};

export interface DeclaredChecksum {
  algorithm: ChecksumAlgorithm;
  type: ChecksumType;
}

/** What Create declares, or undefined. E74, E75, E76. */
export function declareChecksum(algorithm: string | undefined, type: string | undefined): DeclaredChecksum | undefined {
  if (algorithm === undefined) {
    if (type !== undefined) throw s3Errors.invalidRequest('The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.');
    return undefined;
  }
  if (!isChecksumAlgorithm(algorithm)) {
    throw s3Errors.invalidRequest(`Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${checksumAlgorithms.join(', ')}]`);
  }
  if (type === undefined) return { algorithm, type: defaultTypes[algorithm] };
  if (type !== 'FULL_OBJECT' && type !== 'COMPOSITE') throw s3Errors.invalidRequest('Value for x-amz-checksum-type header is invalid.');
  const fits = type === 'FULL_OBJECT' ? isCrc(algorithm) : algorithm !== 'CRC64NVME';
  if (!fits) {
    throw s3Errors.invalidRequest(`The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`);
  }
  return { algorithm, type };
}

/** What a part's checksum must be of. E77. Uploads that declare nothing keep CRC-64/NVME for the whole object. */
export function requireDeclaredAlgorithm(declared: ChecksumAlgorithm | undefined, expected: ChecksumExpectation): void {
  if (declared === undefined || expected.from === undefined || expected.algorithm === declared) return;
  throw s3Errors.invalidRequest(`Checksum Type mismatch occurred, expected checksum Type: ${declared.toLowerCase()}, actual checksum Type: ${expected.algorithm.toLowerCase()}`);
}

/** One part as Complete sees it. */
export interface PartDigest {
  number: number;
  sizeBytes: number;
  digest: Buffer;
}

/** The object's checksum out of its parts'. Composite values carry no `-N`. */
export function combineChecksums({ algorithm, type }: DeclaredChecksum, parts: readonly PartDigest[]): StoredChecksum {
  if (type === 'COMPOSITE') return { algorithm, type, value: compositeChecksum(algorithm, parts.map(({ digest }) => digest)).toString('base64') };
  const [first, ...rest] = parts;
  if (first === undefined || !isCrc(algorithm)) throw new Error('only CRCs of parts combine to that of the whole');
  const whole = rest.reduce((crc, { digest, sizeBytes }) => combineCrc(algorithm, crc, digest, sizeBytes), first.digest);
  return { algorithm, type, value: whole.toString('base64') };
}

export interface CompleteChecksumInput extends ChecksumMembers {
  ChecksumType?: string | undefined;
}

/** E78: the type that Complete names must be the upload's. */
export function requireChecksumType(declared: DeclaredChecksum | undefined, type: string | undefined): void {
  if (type === undefined || type === (declared?.type ?? 'FULL_OBJECT')) return;
  throw s3Errors.invalidRequest(`The upload was created using the ${declared?.type ?? 'null'} checksum mode. The complete request must use the same checksum mode.`);
}

/** E79: a composite upload wants each part's checksum, and the right one. */
export function checkListedPart(declared: DeclaredChecksum | undefined, listed: ChecksumMembers, part: PartDigest, refuse: () => Error): void {
  if (declared === undefined) return;
  const text = listed[`Checksum${declared.algorithm}`];
  if (text === undefined) {
    if (declared.type === 'FULL_OBJECT') return;
    throw s3Errors.invalidRequest(`The upload was created using a ${declared.algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${part.number} in the request.`);
  }
  if (!equalSecrets(decodeChecksum(declared.algorithm, text), part.digest)) throw refuse();
}

/** The whole object's value, where Complete brings one. */
export function checkWholeChecksum(input: CompleteChecksumInput, checksum: StoredChecksum, partCount: number): void {
  for (const algorithm of checksumAlgorithms) {
    const text = input[`Checksum${algorithm}`];
    if (text === undefined) continue;
    const shown = checksum.type === 'COMPOSITE' ? [checksum.value, `${checksum.value}-${partCount}`] : [checksum.value];
    if (algorithm !== checksum.algorithm || !shown.includes(text)) {
      throw s3Errors.badDigest(`The ${algorithm.toLowerCase()} you specified did not match the calculated checksum.`);
    }
  }
}

function isCrc(algorithm: ChecksumAlgorithm): algorithm is CrcAlgorithm {
  return algorithm === 'CRC32' || algorithm === 'CRC32C' || algorithm === 'CRC64NVME';
}
