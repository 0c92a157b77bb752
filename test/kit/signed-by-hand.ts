/**
 * Signature Version 4 by hand, for what the official signer does not do: chunks signed one by one, URLs presigned with
 * any parameters, POST policies. Source: AWS Signature Version 4 for S3, sigv4-streaming, sigv4-query-string-auth, sigv4-HTTPPOST.
 */
import { createHash, createHmac } from 'node:crypto';
import type { SigningCredentials } from './sign.ts';

const algorithm = 'AWS4-HMAC-SHA256';
const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** `YYYYMMDDTHHMMSSZ`. */
export function amzDate(date: Date): string {
  return date.toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
}

export interface Signing {
  credentials: SigningCredentials;
  date?: Date;
  region?: string;
}

function scopeOf(amz: string, region: string): string {
  return `${amz.slice(0, 8)}/${region}/s3/aws4_request`;
}

function signature({ credentials, region = 'us-east-1' }: Signing, amz: string, stringToSign: string): string {
  const key = [amz.slice(0, 8), region, 's3', 'aws4_request'].reduce<string | Buffer>((parent, text) => hmac(parent, text), `AWS4${credentials.secretAccessKey}`);
  return createHmac('sha256', key).update(stringToSign).digest('hex');
}

export interface Presigning extends Signing {
  method: string;
  /** As it stands in the URL. */
  path: string;
  /** Beside those of the signature; not encoded. */
  query?: Record<string, string>;
  /** Signed headers and the values that they shall have; `host` must be among them. */
  headers: Record<string, string>;
  expiresS?: number;
}

/** Path and query of a presigned URL. */
export function presign(presigning: Presigning): string {
  const { method, path, headers, credentials, date = new Date(), region = 'us-east-1', expiresS = 300 } = presigning;
  const amz = amzDate(date);
  const names = Object.keys(headers).map((name) => name.toLowerCase()).sort();
  const query: Record<string, string> = {
    ...presigning.query, 'X-Amz-Algorithm': algorithm, 'X-Amz-Credential': `${credentials.accessKeyId}/${scopeOf(amz, region)}`,
    'X-Amz-Date': amz, 'X-Amz-Expires': String(expiresS), 'X-Amz-SignedHeaders': names.join(';'),
  };
  // By name alone: `=` sorts behind the hyphen that makes a longer name.
  const encoded = Object.entries(query).map(([name, value]) => [encode(name), encode(value)] as const).sort(([a], [b]) => (a < b ? -1 : 1))
    .map((pair) => pair.join('=')).join('&');
  const canonical = [method, path, encoded, ...names.map((name) => `${name}:${headers[name] ?? ''}`), '', names.join(';'), 'UNSIGNED-PAYLOAD'].join('\n');
  return `${path}?${encoded}&X-Amz-Signature=${signature(presigning, amz, [algorithm, amz, scopeOf(amz, region), sha256(canonical)].join('\n'))}`;
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The fields of a POST form, the policy made of `conditions` and of those that cover the signature's own. */
export function postFields(signing: Signing & { conditions: unknown[]; fields: Record<string, string>; expires?: Date }): Record<string, string> {
  const { credentials, date = new Date(), region = 'us-east-1', conditions, fields, expires = new Date(date.getTime() + 300_000) } = signing;
  const amz = amzDate(date);
  const own = { 'x-amz-algorithm': algorithm, 'x-amz-credential': `${credentials.accessKeyId}/${scopeOf(amz, region)}`, 'x-amz-date': amz };
  const covering = Object.entries(own).map(([name, value]) => ({ [name]: value }));
  const policy = Buffer.from(JSON.stringify({ expiration: expires.toISOString(), conditions: [...conditions, ...covering] })).toString('base64');
  return { ...fields, ...own, policy, 'x-amz-signature': signature(signing, amz, policy) };
}

export interface ChunkedBody {
  chunks: readonly Buffer[];
  trailers?: Record<string, string>;
  /** Signed chunks and trailers when given, with what the signed request says. */
  seed?: Signing & { headers: Record<string, string>; spoil?: 'chunk' | 'trailer' };
}

/** aws-chunked, up to and including the empty chunk and what follows it. */
export function chunkedBody({ chunks, trailers = {}, seed }: ChunkedBody): Buffer {
  const amz = seed?.headers['x-amz-date'] ?? '';
  let previous = /Signature=([0-9a-f]{64})/.exec(seed?.headers['authorization'] ?? '')?.[1] ?? '';
  const chain = (kind: string, hashes: string[]): string => {
    previous = seed ? signature(seed, amz, [`${algorithm}-${kind}`, amz, scopeOf(amz, seed.region ?? 'us-east-1'), previous, ...hashes].join('\n')) : '';
    return previous;
  };
  const pieces = [...chunks, Buffer.alloc(0)].flatMap((chunk, index) => {
    const signed = seed ? `;chunk-signature=${spoiled(chain('PAYLOAD', [sha256(''), sha256(chunk)]), seed.spoil === 'chunk' && index === 1)}` : '';
    return [Buffer.from(`${chunk.length.toString(16)}${signed}\r\n`), chunk, ...(chunk.length > 0 ? [Buffer.from('\r\n')] : [])];
  });
  const lines = Object.entries(trailers).map(([name, value]) => `${name}:${value}`);
  if (seed && lines.length > 0) {
    const trailing = chain('TRAILER', [sha256(lines.map((line) => `${line}\n`).join(''))]);
    lines.push(`x-amz-trailer-signature:${spoiled(trailing, seed.spoil === 'trailer')}`);
  }
  return Buffer.concat([...pieces, Buffer.from([...lines, '', ''].join('\r\n'))]);
}

function spoiled(text: string, isSpoiled: boolean): string {
  return isSpoiled ? text.replace(/^./, (first) => (first === '0' ? '1' : '0')) : text;
}
