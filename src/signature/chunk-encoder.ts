/** Writes aws-chunked bodies for the tests, signed by createHmac from the text of the specification. */
import { createHmac } from 'node:crypto';
import { EXAMPLE_KEY_ID, EXAMPLE_SECRET, sha256 } from './testing.ts';
import { deriveSigningKey } from './signing-key.ts';
import type { PayloadPlan } from './payload-plan.ts';

const DATE = '20261123T120000Z';
const SCOPE = '20261123/us-east-1/s3/aws4_request';
const SEED = sha256('the signature of the request');
const EMPTY = sha256('');

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
    previous = mac(`AWS4-HMAC-SHA256-PAYLOAD\n${DATE}\n${SCOPE}\n${previous}\n${EMPTY}\n${sha256(bytes)}`);
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
