/**
 * What the catalog keeps of buckets, object versions, uploads and parts: JSON with a version field.
 * Every version ever written stays readable, here and nowhere else. Source: docs/formats/catalog.md.
 */
import type { EnvelopeJson } from '../seal/index.ts';
import { ObjectStoreError } from './errors.ts';

export const recordVersion = 1;

export type BlockedEncryption = 'SSE-C';

/** Default encryption of a bucket, as it was put; `algorithm` is absent until somebody configures it. */
export interface BucketEncryption {
  algorithm?: 'AES256' | 'aws:kms' | 'aws:kms:dsse';
  /** Exactly as put: id, ARN, alias or alias ARN. */
  kmsKey?: string;
  bucketKeyEnabled: boolean;
  blocked: readonly BlockedEncryption[];
}

export interface Tag {
  Key: string;
  Value: string;
}

export interface BucketRecord {
  v: 1;
  name: string;
  owner: string;
  region: string;
  createdMs: number;
  versioning?: 'Enabled' | 'Suspended';
  encryption: BucketEncryption;
  tags?: Tag[];
  /** Other sub-resources by their query name, each as its handler stores it. */
  configurations?: Record<string, unknown>;
}

/** System metadata, by the member names of the official shapes. */
export interface SystemMetadata {
  CacheControl?: string;
  ContentDisposition?: string;
  ContentEncoding?: string;
  ContentLanguage?: string;
  ContentType?: string;
  Expires?: string;
  WebsiteRedirectLocation?: string;
}

export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE';

export interface StoredChecksum {
  algorithm: string;
  type: ChecksumType;
  /** Base64; composite values carry no `-N` here. */
  value: string;
}

/** A checksum in clear (SSE-S3, NONE), or sealed under the data key so that it says nothing to others. */
export type ChecksumRecord =
  | { algorithm: string; type: ChecksumType; value: string }
  | { algorithm: string; type: ChecksumType; sealed: string };

/** Where the sealed bytes lie. */
export type PayloadRecord =
  | { at: 'catalog' }
  | { at: 'blob'; id: string }
  /** Multipart: segments of `partsPerSegment` parts under `p/`. */
  | { at: 'parts'; partCount: number; segmentStarts: number[] };

export interface VersionRecord {
  v: 1;
  kind: 'object' | 'delete-marker';
  /** Counts up with each version of a key: which is newer. */
  sequence: number;
  /** 16 random bytes in base64url: names this version for ever and is bound into all that is sealed for it. */
  nonce: string;
  /** The version is addressed as `null`: written while versioning was off or suspended. */
  isNull: boolean;
  modifiedMs: number;
  /** Bytes of plain text. */
  size: number;
  /** Without quotes. */
  etag: string;
  storageClass?: string;
  system?: SystemMetadata;
  /** User metadata, sealed under the store's metadata key: `keyVersionId.base64`. */
  userMetadata?: string;
  tags?: Tag[];
  checksum?: ChecksumRecord;
  envelope: EnvelopeJson;
  payload: PayloadRecord;
  /** Only on current records: sequence of the noncurrent null version, if there is one. */
  nullSequence?: number;
}

export interface UploadRecord {
  v: 1;
  key: string;
  nonce: string;
  startedMs: number;
  /** Nonce of the version that was current at the start, so that a conditional completion notices what came between. */
  baseNonce?: string;
  storageClass?: string;
  system?: SystemMetadata;
  userMetadata?: string;
  tags?: Tag[];
  checksumAlgorithm?: string;
  checksumType?: ChecksumType;
  envelope: EnvelopeJson;
  /** ARN of who began it. */
  initiator: string;
}

export interface PartRecord {
  v: 1;
  number: number;
  size: number;
  etag: string;
  modifiedMs: number;
  blob: string;
  checksum?: ChecksumRecord;
}

/** One part of a completed object. */
export interface SegmentPart {
  number: number;
  size: number;
  blob: string;
  etag: string;
  checksum?: ChecksumRecord;
}

export interface SegmentRecord {
  v: 1;
  parts: SegmentPart[];
}

/** What a commit unlinked. */
export interface TrashRecord {
  v: 1;
  blobs?: string[];
  /** Nonce whose part segments, and the blobs they name, go. */
  segmentsOf?: string;
}

export const partsPerSegment = 500;

export function encodeRecord(record: { v: 1 }): Buffer {
  return Buffer.from(JSON.stringify(record), 'utf8');
}

/** Throws ObjectStoreError `newer-format` for a record of a version this program does not know. */
export function decodeRecord<Record extends { v: 1 }>(bytes: Buffer): Record {
  const record = JSON.parse(bytes.toString('utf8')) as { v?: unknown };
  if (record.v !== recordVersion) {
    throw new ObjectStoreError('newer-format', `record version ${String(record.v)} is not one of: ${recordVersion}`);
  }
  return record as Record;
}
