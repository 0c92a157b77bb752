/**
 * The envelope: under which scheme and which keys an object is sealed. It lies in the object's record, so that
 * another key or scheme changes the envelope and never the payload.
 * What the wrapped keys are bound to is contexts.ts; who unwraps them is the keyring.
 *
 * Source: docs/formats/wrapped-key.md section 8.
 */
import { decodeBase64 } from '../base/index.ts';
import type { EncryptionContext } from './contexts.ts';
import { SealError } from './errors.ts';

/** A data key under a version of the SSE-S3 master key. */
export interface MasterWrappedKey {
  keyVersionId: string;
  wrappedDataKey: Buffer;
}

export interface PlainEnvelope {
  scheme: 'NONE';
}

export interface SseS3Envelope extends MasterWrappedKey {
  scheme: 'SSE-S3';
}

export interface SseKmsEnvelope {
  scheme: 'SSE-KMS';
  keyArn: string;
  /** A KMS blob; with `bucketKey`, a sealed message under the bucket key. */
  wrappedDataKey: Buffer;
  /** The client's own pairs, without the one that S3 adds. */
  encryptionContext: EncryptionContext;
  /** The KMS blob of the bucket key. */
  bucketKey?: { blob: Buffer };
}

export interface DsseKmsEnvelope {
  scheme: 'DSSE-KMS';
  keyArn: string;
  /** KMS blob of the inner layer's data key. */
  wrappedDataKey: Buffer;
  encryptionContext: EncryptionContext;
  outer: MasterWrappedKey;
}

export interface SseCEnvelope {
  scheme: 'SSE-C';
  salt: Buffer;
  check: Buffer;
  wrappedDataKey: Buffer;
}

export type Envelope = PlainEnvelope | SseS3Envelope | SseKmsEnvelope | DsseKmsEnvelope | SseCEnvelope;
export type Scheme = Envelope['scheme'];

/** The envelope as JSON keeps it: bytes as canonical base64. */
export type EnvelopeJson = { version: 1 } & (
  | { scheme: 'NONE' }
  | { scheme: 'SSE-S3'; keyVersionId: string; wrappedDataKey: string }
  | { scheme: 'SSE-KMS'; keyArn: string; wrappedDataKey: string; encryptionContext: EncryptionContext; bucketKey?: { blob: string } }
  | { scheme: 'DSSE-KMS'; keyArn: string; wrappedDataKey: string; encryptionContext: EncryptionContext; outer: { keyVersionId: string; wrappedDataKey: string } }
  | { scheme: 'SSE-C'; salt: string; check: string; wrappedDataKey: string }
);

/** A plain value, ready for JSON.stringify or to be a member of a larger record. */
export function encodeEnvelope(envelope: Envelope): EnvelopeJson {
  switch (envelope.scheme) {
    case 'NONE':
      return { version: 1, scheme: 'NONE' };
    case 'SSE-S3':
      return { version: 1, scheme: 'SSE-S3', keyVersionId: envelope.keyVersionId, wrappedDataKey: base64(envelope.wrappedDataKey) };
    case 'SSE-KMS': {
      const { keyArn, encryptionContext, bucketKey } = envelope;
      const json = { version: 1, scheme: 'SSE-KMS', keyArn, wrappedDataKey: base64(envelope.wrappedDataKey), encryptionContext } as const;
      return bucketKey === undefined ? json : { ...json, bucketKey: { blob: base64(bucketKey.blob) } };
    }
    case 'DSSE-KMS': {
      const { keyArn, encryptionContext, outer } = envelope;
      return {
        version: 1, scheme: 'DSSE-KMS', keyArn, wrappedDataKey: base64(envelope.wrappedDataKey), encryptionContext,
        outer: { keyVersionId: outer.keyVersionId, wrappedDataKey: base64(outer.wrappedDataKey) },
      };
    }
    case 'SSE-C':
      return { version: 1, scheme: 'SSE-C', salt: base64(envelope.salt), check: base64(envelope.check), wrappedDataKey: base64(envelope.wrappedDataKey) };
  }
}

/**
 * The envelope of a parsed JSON value. Strict: an unknown version, scheme or member, a missing member, one of
 * another type and base64 that is not canonical all throw SealError `unknown-format`.
 */
export function decodeEnvelope(json: unknown): Envelope {
  if (!isRecord(json) || json['version'] !== 1) throw new SealError('unknown-format');
  switch (json['scheme']) {
    case 'NONE':
      expectMembers(json, 2);
      return { scheme: 'NONE' };
    case 'SSE-S3':
      expectMembers(json, 4);
      return { scheme: 'SSE-S3', keyVersionId: text(json['keyVersionId']), wrappedDataKey: bytes(json['wrappedDataKey']) };
    case 'SSE-KMS': {
      const envelope: SseKmsEnvelope = {
        scheme: 'SSE-KMS', keyArn: text(json['keyArn']), wrappedDataKey: bytes(json['wrappedDataKey']),
        encryptionContext: pairs(json['encryptionContext']),
      };
      const bucketKey = json['bucketKey'];
      expectMembers(json, bucketKey === undefined ? 5 : 6);
      if (bucketKey !== undefined) envelope.bucketKey = { blob: bytes(record(bucketKey, 1)['blob']) };
      return envelope;
    }
    case 'DSSE-KMS': {
      expectMembers(json, 6);
      const outer = record(json['outer'], 2);
      return {
        scheme: 'DSSE-KMS', keyArn: text(json['keyArn']), wrappedDataKey: bytes(json['wrappedDataKey']),
        encryptionContext: pairs(json['encryptionContext']),
        outer: { keyVersionId: text(outer['keyVersionId']), wrappedDataKey: bytes(outer['wrappedDataKey']) },
      };
    }
    case 'SSE-C':
      expectMembers(json, 5);
      return { scheme: 'SSE-C', salt: bytes(json['salt'], 32), check: bytes(json['check'], 32), wrappedDataKey: bytes(json['wrappedDataKey']) };
    default:
      throw new SealError('unknown-format');
  }
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function expectMembers(json: Record<string, unknown>, count: number): void {
  if (Object.keys(json).length !== count) throw new SealError('unknown-format');
}

function record(value: unknown, memberCount: number): Record<string, unknown> {
  if (!isRecord(value)) throw new SealError('unknown-format');
  expectMembers(value, memberCount);
  return value;
}

function text(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw new SealError('unknown-format');
  return value;
}

function bytes(value: unknown, sizeBytes?: number): Buffer {
  const decoded = typeof value === 'string' ? decodeBase64(value) : undefined;
  if (decoded === undefined || decoded.length === 0 || (sizeBytes !== undefined && decoded.length !== sizeBytes)) {
    throw new SealError('unknown-format');
  }
  return decoded;
}

function pairs(value: unknown): EncryptionContext {
  if (!isRecord(value)) throw new SealError('unknown-format');
  for (const name of Object.keys(value)) {
    if (typeof value[name] !== 'string') throw new SealError('unknown-format');
  }
  return value as EncryptionContext;
}
