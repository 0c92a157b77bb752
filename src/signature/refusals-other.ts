/**
 * The refusals of the JSON services (KMS, CloudTrail, Glacier) and the Query services (IAM, STS): the same texts under
 * other codes and statuses. Never shows a canonical request.
 * Source: contract kms-iam-audit 5.5 and section 4; glacier section 2.
 */
import { hash } from 'node:crypto';
import { ServiceError } from '../base/index.ts';
import { formatAmzDate } from './dates.ts';
import { signatureVersion4aRefused, UNSIGNED_HEADERS_MESSAGE } from './refusals.ts';
import type { Refusals } from './refusals.ts';

interface Row {
  code: string;
  status: number;
}

interface Rows {
  unknownKey: Row;
  expiredToken: Row;
  badSignature: Row;
  noCredentials: Row;
  incomplete: Row;
}

const JSON_ROWS: Rows = {
  unknownKey: { code: 'UnrecognizedClientException', status: 400 },
  expiredToken: { code: 'ExpiredTokenException', status: 400 },
  badSignature: { code: 'InvalidSignatureException', status: 400 },
  noCredentials: { code: 'MissingAuthenticationTokenException', status: 400 },
  incomplete: { code: 'IncompleteSignatureException', status: 400 },
};

const GLACIER_ROWS: Rows = {
  ...JSON_ROWS,
  expiredToken: { code: 'ExpiredTokenException', status: 403 },
  badSignature: { code: 'InvalidSignatureException', status: 403 },
};

const QUERY_ROWS: Rows = {
  unknownKey: { code: 'InvalidClientTokenId', status: 403 },
  expiredToken: { code: 'ExpiredToken', status: 403 },
  badSignature: { code: 'SignatureDoesNotMatch', status: 403 },
  noCredentials: { code: 'MissingAuthenticationToken', status: 403 },
  incomplete: { code: 'IncompleteSignature', status: 400 },
};

const MS_PER_MINUTE = 60_000;

export const jsonRefusals: Refusals = refusalsFrom(JSON_ROWS);
export const glacierRefusals: Refusals = refusalsFrom(GLACIER_ROWS);
export const queryRefusals: Refusals = refusalsFrom(QUERY_ROWS);

function refusalsFrom(rows: Rows): Refusals {
  const refuse = ({ code, status }: Row, message: string): ServiceError => new ServiceError(code, status, message);
  const unknownKey = (): ServiceError =>
    refuse(rows.unknownKey, 'The security token included in the request is invalid.');
  const incomplete = (message: string, authorization: string): ServiceError =>
    refuse(rows.incomplete, `${message} ${fingerprint(authorization)}`);
  return {
    unknownKey,
    invalidToken: unknownKey,
    missingToken: unknownKey,
    expiredToken: () => refuse(rows.expiredToken, 'The security token included in the request is expired'),
    badSignature: () =>
      refuse(
        rows.badSignature,
        'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
      ),
    timeTooSkewed: ({ requestTime, requestTimeMs, nowMs, skewMs }) => {
      const minutes = Math.round(skewMs / MS_PER_MINUTE);
      const now = formatAmzDate(nowMs);
      return refuse(
        rows.badSignature,
        requestTimeMs < nowMs
          ? `Signature expired: ${requestTime} is now earlier than ${formatAmzDate(nowMs - skewMs)} (${now} - ${minutes} min.)`
          : `Signature not yet current: ${requestTime} is still later than ${formatAmzDate(nowMs + skewMs)} (${now} + ${minutes} min.)`,
      );
    },
    wrongRegion: (_kind, sent) =>
      refuse(rows.badSignature, `Credential should be scoped to a valid Region, not '${sent}'.`),
    wrongService: (_kind, _sent, expected) =>
      refuse(rows.badSignature, `Credential should be scoped to correct service: '${expected}'.`),
    wrongScopeDate: (_kind, scopeDate, requestDate, requestTime) =>
      refuse(
        rows.badSignature,
        `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${scopeDate}' != '${requestDate}', from '${requestTime}'.`,
      ),
    malformedHeader: (authorization, missing) =>
      incomplete(
        missing.length > 0
          ? missing.map((name) => `Authorization header requires '${name}' parameter.`).join(' ')
          : 'Authorization header is not well-formed.',
        authorization,
      ),
    emptyHeader: () => incomplete("Authorization header cannot be empty: ''.", ''),
    unsupportedScheme: (authorization) => incomplete('Unsupported Authorization scheme.', authorization),
    malformedCredential: (_kind, authorization) =>
      incomplete('Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.', authorization),
    missingParameters: (missing) =>
      refuse(
        rows.incomplete,
        `${missing.map((name) => `AWS query-string parameters must include '${name}'.`).join(' ')} Re-examine the query-string parameters.`,
      ),
    invalidParameter: (message) => refuse(rows.incomplete, message),
    twoMechanisms: () => refuse(rows.incomplete, 'Only one auth mechanism allowed.'),
    missingDate: (authorization) =>
      incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.", authorization),
    invalidDate: (sent) => refuse(rows.incomplete, `Date must be in ISO-8601 'basic format'. Got '${sent}'.`),
    headersNotSigned: (names) => refuse(rows.badSignature, `${UNSIGNED_HEADERS_MESSAGE}: ${names.join(', ')}`),
    expired: ({ expiresSeconds, requestTime, nowMs }) =>
      refuse(
        rows.badSignature,
        `Signature expired: ${requestTime} is now earlier than ${formatAmzDate(nowMs - expiresSeconds * 1000)} (${formatAmzDate(nowMs)} - ${Math.ceil(expiresSeconds / 60)} min.)`,
      ),
    signatureVersion2: () =>
      refuse(rows.incomplete, 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.'),
    signatureVersion4a: signatureVersion4aRefused,
    noCredentials: () => refuse(rows.noCredentials, 'Missing Authentication Token'),
  };
}

/** AWS's way of pointing at a header without repeating it. */
function fingerprint(authorization: string): string {
  return `(Hashed with SHA-256 and encoded with Base64) Authorization=${hash('sha256', authorization, 'base64')}`;
}
