/**
 * How a request's body is to be read, as its signature promised it: the meaning of x-amz-content-sha256.
 * Source: contract kms-iam-audit 5.2.
 */
import { ServiceError } from '../base/index.ts';
import type { SigningKey } from './signing-key.ts';

/** What the chunk signatures of a body chain on. */
export interface ChunkSigner {
  readonly accessKeyId: string;
  readonly signingKey: SigningKey;
  /** `YYYYMMDDTHHMMSSZ`. */
  readonly date: string;
  readonly scope: string;
  /** The signature of the request itself. */
  readonly seedSignature: string;
}

export type PayloadPlan =
  /** The whole body has this SHA-256, lower-case hex. */
  | { readonly kind: 'sha256'; readonly hex: string; readonly service: string }
  /** Nothing is known about the body. */
  | { readonly kind: 'unsigned' }
  /** aws-chunked; signed when there is a signer. */
  | { readonly kind: 'chunked'; readonly signed: false; readonly trailer: true }
  | { readonly kind: 'chunked'; readonly signed: true; readonly trailer: boolean; readonly signer: ChunkSigner };

const UNSIGNED: PayloadPlan = { kind: 'unsigned' };
const UNSIGNED_TRAILER: PayloadPlan = { kind: 'chunked', signed: false, trailer: true };
const SHA256_HEX = /^[0-9a-f]{64}$/i;

const INVALID_MESSAGE =
  'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.';

/**
 * The plan that a value of x-amz-content-sha256 stands for on S3.
 * `signer` is undefined for anonymous requests, which cannot sign chunks.
 */
export function payloadPlanOf(contentSha256: string, signer: ChunkSigner | undefined): PayloadPlan {
  switch (contentSha256) {
    case 'UNSIGNED-PAYLOAD':
      return UNSIGNED;
    case 'STREAMING-UNSIGNED-PAYLOAD-TRAILER':
      return UNSIGNED_TRAILER;
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD':
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER':
      if (signer === undefined) throw invalidContentSha256(contentSha256);
      return { kind: 'chunked', signed: true, trailer: contentSha256.endsWith('-TRAILER'), signer };
    case 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD':
    case 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER':
      throw new ServiceError('NotImplemented', 501, 'A header you provided implies functionality that is not implemented', {
        details: { Header: 'x-amz-content-sha256' },
      });
    default:
      if (!SHA256_HEX.test(contentSha256)) throw invalidContentSha256(contentSha256);
      return { kind: 'sha256', hex: contentSha256.toLowerCase(), service: 's3' };
  }
}

function invalidContentSha256(value: string): ServiceError {
  return new ServiceError('InvalidArgument', 400, INVALID_MESSAGE, {
    details: { ArgumentName: 'x-amz-content-sha256', ArgumentValue: value },
  });
}
