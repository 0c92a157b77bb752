/** What the tests of this room share: requests, bodies, the key of AWS's examples. */
import { createHash } from 'node:crypto';
import type { ByteSource, HttpRequest } from '../base/index.ts';
import type { Credential } from './index.ts';

export const EXAMPLE_KEY_ID = 'AKIAIOSFODNN7EXAMPLE';
export const EXAMPLE_SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';

export interface RequestParts {
  method?: string;
  /** Path and query, one char per byte. */
  target?: string;
  headers?: Readonly<Record<string, string>>;
  body?: ByteSource;
}

export function request({ method = 'GET', target = '/', headers = {}, body = pieces(Buffer.alloc(0)) }: RequestParts): HttpRequest {
  const question = target.indexOf('?');
  return {
    method,
    rawPath: question < 0 ? target : target.slice(0, question),
    rawQuery: question < 0 ? '' : target.slice(question + 1),
    headers,
    secure: true,
    remoteAddress: '127.0.0.1',
    body,
  };
}

/** The bytes as the network might deliver them; each piece a copy, as the receiver owns it. */
export async function* pieces(bytes: Uint8Array, sizeBytes = 65536): AsyncGenerator<Buffer> {
  for (let start = 0; start < bytes.byteLength; start += sizeBytes) yield Buffer.from(bytes.subarray(start, start + sizeBytes));
}

/** Identity is the access key id. */
export async function lookupExample(accessKeyId: string): Promise<Credential<string> | undefined> {
  return accessKeyId === EXAMPLE_KEY_ID ? { secretAccessKey: EXAMPLE_SECRET, identity: accessKeyId } : undefined;
}

export function authorization(parts: { names: readonly string[]; signature: string; scope?: string; accessKeyId?: string }): string {
  const { names, signature, scope = '20130524/us-east-1/s3/aws4_request', accessKeyId = EXAMPLE_KEY_ID } = parts;
  return `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope},SignedHeaders=${names.join(';')},Signature=${signature}`;
}

export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

export async function readAll(source: ByteSource): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}
