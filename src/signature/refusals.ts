/**
 * What a caller is told when a request's signature is not accepted: one table for S3, one for all other services.
 * Nothing here decides; the verifier picks the row.
 * Source: contract kms-iam-audit 5.5, section 4 (tokens); glacier section 2 (its statuses).
 */
import { ServiceError } from '../base/index.ts';
import type { ErrorDetails } from '../base/index.ts';

/** How a request carries its signature. */
export type SignatureKind = 'header' | 'presigned';

/** What the verifier computed, shown to S3's callers for debugging. */
export interface SignatureMismatch {
  accessKeyId: string;
  stringToSign: string;
  canonicalRequest: string;
  signatureProvided: string;
}

export interface SkewedRequest {
  /** As sent, basic form. */
  requestTime: string;
  requestTimeMs: number;
  nowMs: number;
  skewMs: number;
}

export interface Refusals {
  unknownKey(accessKeyId: string): ServiceError;
  invalidToken(accessKeyId: string): ServiceError;
  missingToken(accessKeyId: string): ServiceError;
  expiredToken(): ServiceError;
  badSignature(mismatch: SignatureMismatch): ServiceError;
  timeTooSkewed(skewed: SkewedRequest): ServiceError;
  wrongRegion(kind: SignatureKind, sent: string, expected: string): ServiceError;
  wrongService(kind: SignatureKind, sent: string, expected: string): ServiceError;
  wrongScopeDate(kind: SignatureKind, scopeDate: string, requestDate: string, requestTime: string): ServiceError;
  /** An Authorization header that lacks `missing`, or has them all but unreadable. */
  malformedHeader(authorization: string, missing: readonly string[]): ServiceError;
  emptyHeader(): ServiceError;
  unsupportedScheme(authorization: string): ServiceError;
  malformedCredential(kind: SignatureKind, authorization: string): ServiceError;
  missingParameters(missing: readonly string[]): ServiceError;
  invalidParameter(message: string): ServiceError;
  twoMechanisms(): ServiceError;
  missingDate(authorization: string): ServiceError;
  invalidDate(sent: string): ServiceError;
  headersNotSigned(names: readonly string[]): ServiceError;
  expired(expiry: { expiresSeconds: number; requestTime: string; endMs: number; nowMs: number }): ServiceError;
  signatureVersion2(): ServiceError;
  signatureVersion4a(): ServiceError;
  /** For services without anonymous callers. */
  noCredentials(): ServiceError;
}

export const UNSIGNED_HEADERS_MESSAGE = 'There were headers present in the request which were not signed';

const SIGV2_MESSAGE = 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.';
const SIGV4A_MESSAGE = 'A header you provided implies functionality that is not implemented';

export function signatureVersion2Refused(): ServiceError {
  return new ServiceError('InvalidRequest', 400, SIGV2_MESSAGE);
}

export function signatureVersion4aRefused(): ServiceError {
  return new ServiceError('NotImplemented', 501, SIGV4A_MESSAGE, {
    details: { Header: 'Authorization', additionalMessage: 'AWS4-ECDSA-P256-SHA256 is not supported; sign with AWS4-HMAC-SHA256.' },
  });
}

/** Bytes of a text (one char per byte) as blank-separated hex pairs. */
export function hexPairs(text: string): string {
  return Buffer.from(text, 'latin1').toString('hex').replace(/(..)(?=.)/g, '$1 ');
}

/** S3's SignatureDoesNotMatch with what was compared; `more` comes behind. */
export function s3SignatureDoesNotMatch(
  parts: { accessKeyId: string; stringToSign: string; signatureProvided: string },
  more: ErrorDetails = {},
): ServiceError {
  return new ServiceError(
    'SignatureDoesNotMatch',
    403,
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    {
      details: {
        AWSAccessKeyId: parts.accessKeyId,
        StringToSign: parts.stringToSign,
        SignatureProvided: parts.signatureProvided,
        StringToSignBytes: hexPairs(parts.stringToSign),
        ...more,
      },
    },
  );
}

const CUSTOMER_KEY_LINE = /^(x-amz-(?:copy-source-)?server-side-encryption-customer-key):.*$/gm;

/** The canonical request as an answer may show it: customer-provided keys must not end up in anybody's error log. */
export function withoutCustomerKeys(canonicalRequest: string): string {
  return canonicalRequest.replace(CUSTOMER_KEY_LINE, '$1:(not shown)');
}
