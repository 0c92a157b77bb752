/** The refusals of S3. Source: contract kms-iam-audit 5.3 and 5.5, s3-surface section 1, s3-encryption E60. */
import { ServiceError } from '../base/index.ts';
import { formatIsoSeconds } from './dates.ts';
import {
  hexPairs,
  s3SignatureDoesNotMatch,
  signatureVersion2Refused,
  signatureVersion4aRefused,
  UNSIGNED_HEADERS_MESSAGE,
  withoutCustomerKeys,
} from './refusals.ts';
import type { Refusals, SignatureKind } from './refusals.ts';

const MISSING_PARAMETERS =
  'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.';
const CREDENTIAL_FORM = 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".';

export const s3Refusals: Refusals = {
  unknownKey: unknownKeyRefused,
  missingToken: unknownKeyRefused,
  invalidToken: () => new ServiceError('InvalidToken', 400, 'The provided token is malformed or otherwise invalid.'),
  expiredToken: () => new ServiceError('ExpiredToken', 400, 'The provided token has expired.'),
  badSignature: (mismatch) => {
    const canonicalRequest = withoutCustomerKeys(mismatch.canonicalRequest);
    return s3SignatureDoesNotMatch(mismatch, {
      CanonicalRequest: canonicalRequest,
      CanonicalRequestBytes: hexPairs(canonicalRequest),
    });
  },
  timeTooSkewed: ({ requestTime, nowMs, skewMs }) =>
    new ServiceError(
      'RequestTimeTooSkewed',
      403,
      "The difference between the request time and the server's time is too large.",
      {
        details: {
          RequestTime: requestTime,
          ServerTime: formatIsoSeconds(nowMs),
          MaxAllowedSkewMilliseconds: String(skewMs),
        },
      },
    ),
  wrongRegion: (kind, sent, expected) =>
    malformed(kind, `the region '${sent}' is wrong; expecting '${expected}'`, { Region: expected }),
  wrongService: (kind, sent, expected) => malformed(kind, `the service '${sent}' is wrong; expecting '${expected}'`),
  wrongScopeDate: (kind, scopeDate, requestDate) =>
    malformed(kind, `Invalid credential date "${scopeDate}". This date is not the same as X-Amz-Date: "${requestDate}".`),
  malformedHeader: () =>
    malformed('header', 'the authorization header requires three components: Credential, SignedHeaders, and Signature.'),
  emptyHeader: () => new ServiceError('AccessDenied', 403, 'Access Denied'),
  unsupportedScheme: () =>
    new ServiceError('InvalidArgument', 400, 'Unsupported Authorization Type', {
      details: { ArgumentName: 'Authorization' },
    }),
  malformedCredential: (kind) => malformed(kind, CREDENTIAL_FORM),
  missingParameters: () => new ServiceError('AuthorizationQueryParametersError', 400, MISSING_PARAMETERS),
  invalidParameter: (message) => new ServiceError('AuthorizationQueryParametersError', 400, message),
  twoMechanisms: () =>
    new ServiceError(
      'InvalidArgument',
      400,
      'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified',
      { details: { ArgumentName: 'Authorization' } },
    ),
  missingDate: missingDateRefused,
  invalidDate: missingDateRefused,
  headersNotSigned: (names) =>
    new ServiceError('AccessDenied', 403, UNSIGNED_HEADERS_MESSAGE, { details: { HeadersNotSigned: names.join(', ') } }),
  expired: ({ expiresSeconds, endMs, nowMs }) =>
    new ServiceError('AccessDenied', 403, 'Request has expired', {
      details: {
        'X-Amz-Expires': String(expiresSeconds),
        Expires: formatIsoSeconds(endMs),
        ServerTime: formatIsoSeconds(nowMs),
      },
    }),
  signatureVersion2: signatureVersion2Refused,
  signatureVersion4a: signatureVersion4aRefused,
  noCredentials: () => new ServiceError('AccessDenied', 403, 'Access Denied'),
};

function unknownKeyRefused(accessKeyId: string): ServiceError {
  return new ServiceError('InvalidAccessKeyId', 403, 'The AWS Access Key Id you provided does not exist in our records.', {
    details: { AWSAccessKeyId: accessKeyId },
  });
}

function missingDateRefused(): ServiceError {
  return new ServiceError('AccessDenied', 403, 'AWS authentication requires a valid Date or x-amz-date header');
}

function malformed(kind: SignatureKind, reason: string, details: Record<string, string> = {}): ServiceError {
  return kind === 'header'
    ? new ServiceError('AuthorizationHeaderMalformed', 400, `The authorization header is malformed; ${reason}`, { details })
    : new ServiceError('AuthorizationQueryParametersError', 400, `Error parsing the X-Amz-Credential parameter; ${reason}`, {
        details,
      });
}
