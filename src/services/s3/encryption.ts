/**
 * Which encryption a write gets: what the request says, checked in AWS's order, before what the bucket says.
 * Source: contract s3-encryption.md 4.1, 5, 7.1; errors by E number in errors.ts.
 */
import { createHash } from 'node:crypto';
import { callerArn, type Caller } from '../../audit/index.ts';
import { bucketArn, decodeBase64, equalSecrets, objectArn, ServiceError } from '../../base/index.ts';
import { CustomerKeyError, type EncryptionChoice } from '../../keyring/index.ts';
import type { BucketRecord } from '../../objects/index.ts';
import type { Envelope } from '../../seal/index.ts';
import type { Call } from '../operation.ts';
import { s3Errors } from './errors.ts';
import { isSafeForKeys } from './guard.ts';
import type { S3 } from './s3.ts';

/** The encryption members of a writer's input, official names. */
export interface EncryptionInput {
  ServerSideEncryption?: string | undefined;
  SSEKMSKeyId?: string | undefined;
  SSEKMSEncryptionContext?: string | undefined;
  BucketKeyEnabled?: boolean | undefined;
  SSECustomerAlgorithm?: string | undefined;
  SSECustomerKey?: string | undefined;
  SSECustomerKeyMD5?: string | undefined;
}

/** What success echoes, official names. Never the context unless the client sent one, never C-* beside SSE. */
export interface EncryptionOutput {
  ServerSideEncryption?: 'AES256' | 'aws:kms' | 'aws:kms:dsse';
  SSEKMSKeyId?: string;
  BucketKeyEnabled?: boolean;
  SSECustomerAlgorithm?: string;
  SSECustomerKeyMD5?: string;
}

/** Where a writer writes, for blocking and for the encryption context. */
export interface Target {
  bucket: BucketRecord;
  key: string;
  /** In E22: `s3:PutObject` for put, post and multipart, `s3:CopyObject` for copies. */
  action: string;
}

/** Steps 5 to 8 of 4.1: syntax, blocked types, effective encryption, transport and signature of KMS. */
export function chooseEncryption(s3: S3, call: Call, input: EncryptionInput, target: Target): EncryptionChoice {
  const sse = input.ServerSideEncryption;
  const hasCustomerHeader = customerMembers(input).some((value) => value !== undefined);
  if (sse !== undefined && hasCustomerHeader) throw s3Errors.customerKeyWithOther(sse);
  const customerKey = readCustomerKeyForWrite(input);
  if (sse !== undefined && sse !== 'AES256' && sse !== 'aws:kms' && sse !== 'aws:kms:dsse') throw s3Errors.unsupportedEncryption(sse);
  const asksForKms = sse === 'aws:kms' || sse === 'aws:kms:dsse';
  if ((input.SSEKMSKeyId !== undefined || input.SSEKMSEncryptionContext !== undefined) && !asksForKms) throw s3Errors.kmsHeaderNeedsKms();
  if (customerKey !== undefined) {
    requireCustomerKeysAllowed(call.caller, target);
    return { scheme: 'SSE-C', customerKey };
  }
  const choice = effectiveChoice(s3, input, target);
  if (choice.scheme === 'SSE-KMS' || choice.scheme === 'DSSE-KMS') requireKmsTransport(s3, call.caller);
  return choice;
}

function effectiveChoice(s3: S3, input: EncryptionInput, target: Target): EncryptionChoice {
  const { encryption } = target.bucket;
  const bucketKeyEnabled = input.BucketKeyEnabled ?? encryption.bucketKeyEnabled;
  const kms = (dsse: boolean, keyRef: string | undefined): EncryptionChoice => {
    const encryptionContext = readEncryptionContext(input.SSEKMSEncryptionContext, target, !dsse && bucketKeyEnabled);
    return dsse ? { scheme: 'DSSE-KMS', keyRef, encryptionContext } : { scheme: 'SSE-KMS', keyRef, encryptionContext, bucketKeyEnabled };
  };
  switch (input.ServerSideEncryption) {
    case 'AES256': return { scheme: 'SSE-S3' };
    // Without a key id it is the managed key, even where the bucket has a key of its own.
    case 'aws:kms': return kms(false, emptyIsAbsent(input.SSEKMSKeyId));
    case 'aws:kms:dsse': return kms(true, emptyIsAbsent(input.SSEKMSKeyId));
    default:
  }
  switch (encryption.algorithm) {
    case 'aws:kms': return kms(false, encryption.kmsKey);
    case 'aws:kms:dsse': return kms(true, encryption.kmsKey);
    case 'AES256': return { scheme: 'SSE-S3' };
    default: return s3.settings.defaultEncryption === 'none' ? { scheme: 'NONE' } : { scheme: 'SSE-S3' };
  }
}

/** E06, E07: KMS objects need TLS and a signature, on writes and on reads. */
export function requireKmsTransport(s3: S3, caller: Caller): void {
  if (!isSafeForKeys(s3, caller)) throw s3Errors.kmsNeedsTls();
  if (!caller.signed) throw s3Errors.kmsNeedsSignature();
}

/** E22. */
export function requireCustomerKeysAllowed(caller: Caller, target: Target): void {
  if (!target.bucket.encryption.blocked.includes('SSE-C')) return;
  throw s3Errors.customerKeysBlocked(callerArn(caller) || 'anonymous', target.action, objectArn(target.bucket.name, target.key));
}

function customerMembers(input: EncryptionInput): (string | undefined)[] {
  return [input.SSECustomerAlgorithm, input.SSECustomerKey, input.SSECustomerKeyMD5];
}

/** The 32 bytes of the customer's key, or undefined when no customer header came. E11 to E16, in AWS's order. */
export function readCustomerKeyForWrite(input: EncryptionInput): Buffer | undefined {
  const { SSECustomerAlgorithm: algorithm, SSECustomerKey: keyText, SSECustomerKeyMD5: md5 } = input;
  if (customerMembers(input).every((value) => value === undefined)) return undefined;
  if (algorithm === undefined) throw s3Errors.customerKeyNeedsAlgorithm();
  if (keyText === undefined) throw s3Errors.customerKeyMissing();
  if (algorithm !== 'AES256') throw s3Errors.invalidCustomerAlgorithm(algorithm);
  if (md5 === undefined) throw s3Errors.customerKeyMd5Missing();
  const key = decodeBase64(keyText);
  if (key === undefined) throw s3Errors.customerKeyInvalid();
  requireKeyMd5(key, md5);
  if (key.byteLength !== 32) throw s3Errors.customerKeyInvalid();
  return key;
}

/**
 * On reads the MD5 may be missing, and a key of another length is simply the wrong key.
 * Source: contract s3-encryption.md 4.2.
 */
export function readCustomerKeyForRead(input: EncryptionInput): Buffer | undefined {
  const { SSECustomerAlgorithm: algorithm, SSECustomerKey: keyText, SSECustomerKeyMD5: md5 } = input;
  if (customerMembers(input).every((value) => value === undefined)) return undefined;
  if (algorithm === undefined) throw s3Errors.customerKeyNeedsAlgorithm();
  if (algorithm !== 'AES256') throw s3Errors.invalidCustomerAlgorithm(algorithm);
  if (keyText === undefined) throw s3Errors.customerKeyMissing();
  const key = decodeBase64(keyText);
  if (key === undefined) throw s3Errors.customerKeyInvalid();
  if (md5 !== undefined) requireKeyMd5(key, md5);
  return key;
}

/** Whether a reader's key fits what it reads; one of another length is simply not it. Throws CustomerKeyError. */
export function proveCustomerKey(s3: S3, envelope: Envelope, customerKey: Buffer | undefined): void {
  if (envelope.scheme === 'SSE-C' && customerKey !== undefined && customerKey.byteLength !== 32) throw new CustomerKeyError('wrong');
  s3.store.dataKeys.proveCustomerKey(envelope, customerKey);
}

/** Base64 of the key's MD5: the echo of reads that came without one. */
export function customerKeyMd5(key: Buffer): string {
  return createHash('md5').update(key).digest('base64');
}

function requireKeyMd5(key: Buffer, md5: string): void {
  if (!equalSecrets(Buffer.from(customerKeyMd5(key)), Buffer.from(md5))) throw s3Errors.customerKeyMd5Differs();
}

/** The client's own pairs. The pair that S3 sets may be repeated, not changed. Throws E05. */
function readEncryptionContext(header: string | undefined, target: Target, withBucketKey: boolean): Record<string, string> {
  if (header === undefined) return {};
  const bytes = decodeBase64(header);
  const pairs = bytes && parseFlatStringMap(bytes);
  if (pairs === undefined) throw s3Errors.badEncryptionContext();
  const arn = withBucketKey ? bucketArn(target.bucket.name) : objectArn(target.bucket.name, target.key);
  for (const name of Object.keys(pairs)) {
    if (name === 'aws:s3:arn' ? pairs[name] !== arn : name.startsWith('aws:')) throw s3Errors.badEncryptionContext();
  }
  delete pairs['aws:s3:arn'];
  return pairs;
}

function parseFlatStringMap(bytes: Buffer): Record<string, string> | undefined {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  if (!entries.every(([, member]) => typeof member === 'string')) return undefined;
  // JSON.parse keeps the last of two equal names; each pair has exactly two strings, so their number tells.
  const stringCount = text.match(/"(?:[^"\\]|\\.)*"/g)?.length ?? 0;
  if (stringCount !== 2 * entries.length) return undefined;
  return Object.assign(Object.create(null), value) as Record<string, string>;
}

function emptyIsAbsent(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

/** The echo of section 2. `keyMd5` as the request had it, or computed. */
export function encryptionOutput(envelope: Envelope, keyMd5?: string): EncryptionOutput {
  switch (envelope.scheme) {
    case 'NONE': return {};
    case 'SSE-S3': return { ServerSideEncryption: 'AES256' };
    case 'SSE-KMS':
      return { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: envelope.keyArn, ...(envelope.bucketKey === undefined ? {} : { BucketKeyEnabled: true }) };
    case 'DSSE-KMS': return { ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId: envelope.keyArn };
    case 'SSE-C': return { SSECustomerAlgorithm: 'AES256', ...(keyMd5 === undefined ? {} : { SSECustomerKeyMD5: keyMd5 }) };
  }
}

/** For the log line. */
export function noteEncryption(call: Call, envelope: Envelope): void {
  call.notes.encryption = envelope.scheme;
  if ('keyArn' in envelope) call.notes.keyArn = envelope.keyArn;
}

/** Whether ETags are the MD5 of the plain text. Source: contract s3-encryption.md section 9. */
export function hasMd5ETag(scheme: Envelope['scheme']): boolean {
  return scheme === 'SSE-S3' || scheme === 'NONE';
}

/**
 * Runs a use of the key service and gives its refusals their S3 form: 400 with the code prefixed by `KMS.`,
 * only authorization is 403. What does not open is our own damage, never the caller's business.
 * Source: contract s3-encryption.md section 15.
 */
export async function inKmsWords<Result>(use: () => Promise<Result>): Promise<Result> {
  try {
    return await use();
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const message = error.publicMessage;
    if (error.code === 'AccessDeniedException') throw s3Errors.accessDenied(message);
    if (error.code === 'InvalidCiphertextException' || error.code === 'IncorrectKeyException') throw s3Errors.internal(error);
    if (error.code === 'ThrottlingException') throw new ServiceError('SlowDown', 503, 'Please reduce your request rate.', { cause: error });
    if (error.status >= 500) throw new ServiceError('ServiceUnavailable', 503, 'The key service is unavailable. Please try again.', { cause: error });
    throw new ServiceError(`KMS.${error.code}`, 400, message ?? error.code, { cause: error });
  }
}
