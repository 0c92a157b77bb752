/** Signs requests with the official signer, for tests that send them by hand. */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';

export interface SigningCredentials {
  accessKeyId: string;
  secretAccessKey: string;
}

export interface RequestToSign {
  method: string;
  /** Path and query as they will stand in the request line. */
  target: string;
  headers: Readonly<Record<string, string>>;
  /** Hashed into the signature; S3 requests may bring their own x-amz-content-sha256 instead. */
  body?: string | Uint8Array | undefined;
  service?: string;
  region?: string;
  signingDate?: Date;
}

/** All headers to send, signature included. `host` must be among those given. */
export async function sign(request: RequestToSign, credentials: SigningCredentials): Promise<Record<string, string>> {
  const { method, target, headers, body = '', service = 's3', region = 'us-east-1', signingDate } = request;
  const question = target.indexOf('?');
  const path = question < 0 ? target : target.slice(0, question);
  const signer = new SignatureV4({ credentials, region, service, sha256: Sha256, uriEscapePath: service !== 's3', applyChecksum: true });
  const signed = await signer.sign(
    { method, protocol: 'http:', hostname: 'unused', path, query: question < 0 ? {} : parseQuery(target.slice(question + 1)), headers: { ...headers }, body },
    signingDate ? { signingDate } : {},
  );
  return signed.headers;
}

function parseQuery(text: string): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const before = query[name];
    query[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  return query;
}

/** node:crypto in the shape that the signer asks for. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: unknown) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as string | Buffer);
  }

  update(data: string | Uint8Array): void {
    this.#hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error('not used by the signer');
  }
}
