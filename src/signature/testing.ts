/**
 * What the tests of this room share: requests and their signer, aws-chunked bodies signed by createHmac from the text
 * of the specification, the key of AWS's examples.
 */
import { createHash, createHmac } from 'node:crypto';
import type { Hash, Hmac } from 'node:crypto';
import type { SignatureV4 } from '@smithy/signature-v4';
import type { ByteSource, HttpRequest } from '../base/index.ts';
import type { Credential, PayloadPlan } from './index.ts';
import { deriveSigningKey } from './signing-key.ts';

export const EXAMPLE_KEY_ID = 'AKIAIOSFODNN7EXAMPLE';
export const EXAMPLE_SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';

export interface RequestParts {
  method?: string;
  /** Path and query, one char per byte. */
  target?: string;
  headers?: Readonly<Record<string, string>>;
  body?: ByteSource | undefined;
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

/** SHA-256 as the AWS SDK wants it handed in. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    if (secret === undefined) this.#hash = createHash('sha256');
    else if (typeof secret === 'string') this.#hash = createHmac('sha256', secret);
    else if (ArrayBuffer.isView(secret)) {
      this.#hash = createHmac('sha256', new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength));
    } else this.#hash = createHmac('sha256', new Uint8Array(secret));
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return new Uint8Array(this.#hash.digest());
  }

  reset(): void {
    throw new Error('not used by the signer');
  }
}

export interface SigningParts {
  method?: string;
  /** Percent-encoded already. */
  path?: string;
  query?: Readonly<Record<string, string>>;
  headers?: Readonly<Record<string, string>>;
  body?: Uint8Array;
  service?: string;
  region?: string;
  /** When it is signed. */
  dateMs: number;
  accessKeyId?: string;
  secretAccessKey?: string;
  sessionToken?: string;
  /** Seconds; presigns the request instead of adding an Authorization header. */
  expiresIn?: number;
  /** Header names that presigning leaves as headers. */
  unhoistable?: readonly string[];
}

/** Signs requests with the AWS SDK's own signer, our independent witness; handed in, as only tests may run it. */
export function signerWith(Signer: typeof SignatureV4): (parts: SigningParts) => Promise<HttpRequest> {
  return (parts) => signedBy(Signer, parts);
}

async function signedBy(Signer: typeof SignatureV4, parts: SigningParts): Promise<HttpRequest> {
  const { method = 'GET', path = '/', query = {}, headers = {}, body, service = 's3', region = 'us-east-1' } = parts;
  const signer = new Signer({
    service,
    region,
    credentials: {
      accessKeyId: parts.accessKeyId ?? EXAMPLE_KEY_ID,
      secretAccessKey: parts.secretAccessKey ?? EXAMPLE_SECRET,
      ...(parts.sessionToken === undefined ? {} : { sessionToken: parts.sessionToken }),
    },
    sha256: Sha256,
    uriEscapePath: service !== 's3',
  });
  const unsigned = {
    method,
    protocol: 'http:',
    hostname: 'localhost',
    port: 9000,
    path,
    query: { ...query },
    headers: { host: 'localhost:9000', ...headers },
    body,
  };
  const signingDate = new Date(parts.dateMs);
  const result =
    parts.expiresIn === undefined
      ? await signer.sign(unsigned, { signingDate })
      : await signer.presign(unsigned, {
          signingDate,
          expiresIn: parts.expiresIn,
          unhoistableHeaders: new Set(parts.unhoistable ?? []),
        });
  const pairs = Object.entries(result.query ?? {}).map(([name, value]) => `${escape(name)}=${escape(String(value))}`);
  return request({
    method,
    target: pairs.length === 0 ? path : `${path}?${pairs.join('&')}`,
    headers: Object.fromEntries(Object.entries(result.headers).map(([name, value]) => [name.toLowerCase(), value])),
    body: pieces(body ?? Buffer.alloc(0)),
  });
}

function escape(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

const DATE = '20261123T120000Z';
const SCOPE = '20261123/us-east-1/s3/aws4_request';
const SEED = sha256('the signature of the request');

export const UNSIGNED_TRAILER: PayloadPlan = { kind: 'chunked', signed: false, trailer: true };

export function signedPlan(trailer: boolean): PayloadPlan {
  const signingKey = deriveSigningKey(EXAMPLE_SECRET, '20261123', 'us-east-1', 's3');
  return {
    kind: 'chunked',
    signed: true,
    trailer,
    signer: { accessKeyId: EXAMPLE_KEY_ID, signingKey, date: DATE, scope: SCOPE, seedSignature: SEED },
  };
}

function mac(text: string): string {
  let key: Buffer = Buffer.from(`AWS4${EXAMPLE_SECRET}`);
  for (const step of ['20261123', 'us-east-1', 's3', 'aws4_request']) key = createHmac('sha256', key).update(step).digest();
  return createHmac('sha256', key).update(text).digest('hex');
}

export interface EncodedChunk {
  header: Buffer;
  data: Buffer;
  end: Buffer;
}

export interface EncodedBody {
  chunks: EncodedChunk[];
  /** What follows the last chunk's header line. */
  trailer: Buffer;
}

/** `data` in the given chunks; the chunk of size 0 is added. */
export function encode(data: readonly Buffer[], options: { signed: boolean; trailers?: Readonly<Record<string, string>> }): EncodedBody {
  let previous = SEED;
  const chunks = [...data, Buffer.alloc(0)].map((bytes): EncodedChunk => {
    previous = mac(`AWS4-HMAC-SHA256-PAYLOAD\n${DATE}\n${SCOPE}\n${previous}\n${sha256('')}\n${sha256(bytes)}`);
    const extension = options.signed ? `;chunk-signature=${previous}` : '';
    const isLast = bytes.byteLength === 0;
    return {
      header: Buffer.from(`${bytes.byteLength.toString(16)}${extension}\r\n`),
      data: bytes,
      end: Buffer.from(isLast ? '' : '\r\n'),
    };
  });
  const trailers = Object.entries(options.trailers ?? {});
  let text = trailers.map(([name, value]) => `${name}:${value}\r\n`).join('');
  if (options.signed && trailers.length > 0) {
    const lines = trailers.map(([name, value]) => `${name}:${value}\n`).join('');
    text += `x-amz-trailer-signature:${mac(`AWS4-HMAC-SHA256-TRAILER\n${DATE}\n${SCOPE}\n${previous}\n${sha256(lines)}`)}\r\n`;
  }
  return { chunks, trailer: Buffer.from(`${text}\r\n`) };
}

export function bytesOf({ chunks, trailer }: EncodedBody): Buffer {
  return Buffer.concat([...chunks.flatMap(({ header, data, end }) => [header, data, end]), trailer]);
}
