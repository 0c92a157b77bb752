/**
 * What each sealed message is bound to. A message opens under the context it was sealed under and no other,
 * so nothing that is stored can be put in the place of something else.
 * Every context is its label and its fields, each behind its length as big-endian uint32.
 *
 * Source: docs/formats/wrapped-key.md section 3.
 */
import { assert, lengthPrefixed, uint32 } from '../base/index.ts';
import type { Bytes } from '../base/index.ts';

/** One version of one object. */
export interface ObjectVersion {
  bucket: string;
  key: string;
  /** 16 random bytes, drawn when the version (or the multipart upload that becomes it) is begun; never reused. */
  versionNonce: Bytes;
}

export interface PayloadPlace extends ObjectVersion {
  /** 0 when the object was not uploaded in parts, else 1 to 10000. */
  partNumber: number;
  /** `only` where the payload is sealed once; DSSE seals an `inner` message and that as an `outer` one. */
  layer: 'only' | 'inner' | 'outer';
}

/** For the payload of an object or of one part. */
export function payloadContext(place: PayloadPlace): Buffer {
  return context('coffer/payload/1', place.bucket, place.key, nonceOf(place), uint32(place.partNumber), place.layer);
}

export interface DataKeyPlace extends ObjectVersion {
  /** The scheme in whose envelope the wrapped key lies. Without a bucket key, SSE-KMS has `kmsContext` instead. */
  scheme: 'SSE-S3' | 'SSE-KMS' | 'DSSE-KMS' | 'SSE-C';
  /**
   * What wraps. SSE-S3 and the outer layer of DSSE-KMS: the version of the SSE-S3 master key; SSE-KMS with a bucket
   * key: the id of the key material that the bucket key's blob names (64 hex digits); SSE-C: empty.
   */
  keyVersionId: string;
}

/** For a data key wrapped by anything but the key service itself. */
export function dataKeyContext(place: DataKeyPlace): Buffer {
  return context('coffer/data-key/1', place.scheme, place.keyVersionId, place.bucket, place.key, nonceOf(place));
}

export type EncryptionContext = Readonly<Record<string, string>>;

export interface KmsPlace {
  keyArn: string;
  /** All pairs of the KMS call, those that S3 adds included. Their order means nothing. */
  encryptionContext: EncryptionContext;
}

/** For a ciphertext of the key service. */
export function kmsContext(place: KmsPlace): Buffer {
  const names = Object.keys(place.encryptionContext);
  const fields: (Bytes | string)[] = [place.keyArn, uint32(names.length)];
  const pairs = names.map((name) => [utf8(name), place.encryptionContext[name]!] as const);
  pairs.sort(([a], [b]) => Buffer.compare(a, b));
  for (const [name, value] of pairs) fields.push(name, value);
  return context('coffer/kms/1', ...fields);
}

export interface KeyMaterialPlace {
  /** What the material is for, such as `kms` or `sse-s3`. */
  kind: string;
  id: string;
  /** Version or material id within the key. */
  version: string;
}

/** For key material wrapped under the root of trust. */
export function keyMaterialContext(place: KeyMaterialPlace): Buffer {
  return context('coffer/key-material/1', place.kind, place.id, place.version);
}

/** For an object's sealed metadata. */
export function metadataContext(place: ObjectVersion): Buffer {
  return context('coffer/metadata/1', place.bucket, place.key, nonceOf(place));
}

/** For an object's sealed checksums. */
export function checksumsContext(place: ObjectVersion): Buffer {
  return context('coffer/checksums/1', place.bucket, place.key, nonceOf(place));
}

function context(label: string, ...fields: readonly (Bytes | string)[]): Buffer {
  return lengthPrefixed(label, ...fields.map((field) => (typeof field === 'string' ? utf8(field) : field)));
}

/** Refuses lone surrogates: UTF-8 has one replacement for all of them, and two names would give the same bytes. */
function utf8(text: string): Buffer {
  assert(text.isWellFormed(), 'text that a key is bound to is well-formed Unicode');
  return Buffer.from(text, 'utf8');
}

function nonceOf(place: ObjectVersion): Bytes {
  assert(place.versionNonce.byteLength === 16, 'a version nonce has 16 bytes');
  return place.versionNonce;
}
