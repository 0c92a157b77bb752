/**
 * The ciphertext blob of the key service: what Encrypt and GenerateDataKey return and Decrypt takes.
 *
 *     0   1   version, 0x01
 *     1   32  id of the key material
 *     33  n   Cobblestone-256 message of the plaintext, under that material and kmsContext
 *
 * Source: docs/formats/wrapped-key.md section 4.
 */
import { asBuffer, assert } from '../base/index.ts';
import type { Bytes } from '../base/index.ts';
import { open, seal } from './cobblestone.ts';
import { kmsContext } from './contexts.ts';
import type { KmsPlace } from './contexts.ts';
import { SealError } from './errors.ts';
import { headerSizeBytes, tagSizeBytes } from './sizes.ts';

const blobVersion = 1;
const materialIdSizeBytes = 32;
const prefixSizeBytes = 1 + materialIdSizeBytes;

/**
 * The blob of `plaintext` under `material` (32 bytes), whose id is 64 lower-case hex digits.
 * 105 bytes longer than a plaintext below 16 KiB: 137 for a data key of 32.
 */
export function encodeKmsBlob(materialId: string, material: Bytes, place: KmsPlace, plaintext: Bytes): Buffer {
  assert(/^[0-9a-f]{64}$/.test(materialId), 'a key material id is 64 lower-case hex digits');
  const prefix = Buffer.allocUnsafe(prefixSizeBytes);
  prefix[0] = blobVersion;
  prefix.write(materialId, 1, 'hex');
  return Buffer.concat([prefix, seal(material, kmsContext(place), plaintext)]);
}

/** Which key material the blob asks for, as 64 hex digits; undefined when it is no blob of this version. */
export function kmsBlobMaterialId(blob: Bytes): string | undefined {
  if (blob.byteLength < prefixSizeBytes + headerSizeBytes + tagSizeBytes || blob[0] !== blobVersion) return undefined;
  return asBuffer(blob).toString('hex', 1, prefixSizeBytes);
}

/** The plaintext of a blob. Throws SealError: `unknown-format`, and as `open`. */
export function openKmsBlob(blob: Bytes, material: Bytes, place: KmsPlace): Buffer {
  if (kmsBlobMaterialId(blob) === undefined) throw new SealError('unknown-format');
  return open(material, kmsContext(place), blob.subarray(prefixSizeBytes));
}
