/** What a sender is told when a body is not what was announced or signed. Source: contract s3-surface section 2, kms-iam-audit 5.2. */
import { ServiceError } from '../base/index.ts';

export function incompleteBody(cause?: unknown): ServiceError {
  return new ServiceError(
    'IncompleteBody',
    400,
    'You did not provide the number of bytes specified by the Content-Length HTTP header.',
    cause === undefined ? {} : { cause },
  );
}

export function missingContentLength(): ServiceError {
  return new ServiceError('MissingContentLength', 411, 'You must provide the Content-Length HTTP header.');
}

export function malformedChunk(): ServiceError {
  return new ServiceError('InvalidRequest', 400, 'The request body is not well-formed aws-chunked encoding.');
}

export function malformedTrailer(): ServiceError {
  return new ServiceError(
    'MalformedTrailerError',
    400,
    'The request contained trailing data that was not well-formed or did not conform to our published schema.',
  );
}

export function payloadTooLarge(proposedSize: number, maxSizeAllowed: number): ServiceError {
  return new ServiceError('EntityTooLarge', 400, 'Your proposed upload exceeds the maximum allowed size', {
    details: { ProposedSize: String(proposedSize), MaxSizeAllowed: String(maxSizeAllowed) },
  });
}

export function payloadTooSmall(proposedSize: number, minSizeAllowed: number): ServiceError {
  return new ServiceError('EntityTooSmall', 400, 'Your proposed upload is smaller than the minimum allowed size', {
    details: { ProposedSize: String(proposedSize), MinSizeAllowed: String(minSizeAllowed) },
  });
}

export function payloadHashMismatch(service: string, declaredHex: string, computedHex: string): ServiceError {
  if (service !== 's3') {
    return new ServiceError(
      'InvalidSignatureException',
      service === 'glacier' ? 403 : 400,
      `The value passed in as x-amz-content-sha256 does not match the computed payload hash. Computed digest: ${computedHex} expected hash: ${declaredHex}`,
    );
  }
  return new ServiceError(
    'XAmzContentSHA256Mismatch',
    400,
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
    { details: { ClientComputedContentSHA256: declaredHex, S3ComputedContentSHA256: computedHex } },
  );
}
