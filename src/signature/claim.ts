/**
 * What a request says about its own signature, read from the Authorization header or the query string. Nothing in a
 * claim is believed yet: syntax only.
 * Source: contract kms-iam-audit 5.1, 5.3, 5.5.
 */
import type { HttpRequest } from '../base/index.ts';
import { canonicalParameters, decodeCanonical } from './canonical.ts';
import type { CanonicalParameter } from './canonical.ts';
import type { Refusals, SignatureKind } from './refusals.ts';

export interface ScopedCredential {
  accessKeyId: string;
  /** As sent, `accessKeyId/date/region/service/aws4_request`. */
  text: string;
  /** The text behind the access key id. */
  scope: string;
  date: string;
  region: string;
  service: string;
}

export interface Claim {
  kind: SignatureKind;
  credential: ScopedCredential;
  /** As sent, names joined by `;`. */
  signedHeaders: string;
  signature: string;
  /** Only for presigned requests: what would be headers otherwise. */
  query: PresignedQuery | undefined;
}

export interface PresignedQuery {
  date: string;
  expires: string;
  securityToken: string | undefined;
  contentSha256: string | undefined;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const ALGORITHM_V4A = 'AWS4-ECDSA-P256-SHA256';
const TERMINATOR = 'aws4_request';

/**
 * The claim of a request, or undefined when it carries none.
 * `parameters` are its query parameters; X-Amz-Signature is taken out, as it is no part of the canonical query.
 */
export function readClaim(request: HttpRequest, parameters: CanonicalParameter[], refusals: Refusals): Claim | undefined {
  const authorization = request.headers['authorization'];
  const presigned = parameters.length === 0 ? undefined : takeSignatureParameters(parameters, refusals);
  if (authorization === undefined) return presigned === undefined ? undefined : readPresigned(presigned, refusals);
  if (presigned !== undefined) throw refusals.twoMechanisms();
  return readAuthorization(authorization, refusals);
}

/** Exported for tests: the claim in an Authorization header. */
export function readAuthorization(authorization: string, refusals: Refusals): Claim {
  if (authorization.trim() === '') throw refusals.emptyHeader();
  if (!authorization.startsWith(ALGORITHM) || !isBlankAt(authorization, ALGORITHM.length)) {
    if (authorization.startsWith(ALGORITHM_V4A)) throw refusals.signatureVersion4a();
    if (authorization.startsWith('AWS ')) throw refusals.signatureVersion2();
    if (authorization === ALGORITHM) throw refusals.malformedHeader(authorization, ['Credential', 'Signature', 'SignedHeaders']);
    throw refusals.unsupportedScheme(authorization);
  }
  let credential: string | undefined;
  let signedHeaders: string | undefined;
  let signature: string | undefined;
  let position = ALGORITHM.length;
  while (position < authorization.length) {
    let end = authorization.indexOf(',', position);
    if (end < 0) end = authorization.length;
    while (isBlankAt(authorization, position)) position++;
    const equals = authorization.indexOf('=', position);
    if (equals < 0 || equals > end) {
      if (authorization.slice(position, end).trim() !== '') throw refusals.malformedHeader(authorization, []);
    } else {
      const value = authorization.slice(equals + 1, end).trim();
      switch (authorization.slice(position, equals)) {
        case 'Credential':
          if (credential !== undefined) throw refusals.malformedHeader(authorization, []);
          credential = value;
          break;
        case 'SignedHeaders':
          if (signedHeaders !== undefined) throw refusals.malformedHeader(authorization, []);
          signedHeaders = value;
          break;
        case 'Signature':
          if (signature !== undefined) throw refusals.malformedHeader(authorization, []);
          signature = value;
          break;
        default:
          throw refusals.malformedHeader(authorization, []);
      }
    }
    position = end + 1;
  }
  if (!credential || !signedHeaders || !signature) {
    const missing = [];
    if (!credential) missing.push('Credential');
    if (!signature) missing.push('Signature');
    if (!signedHeaders) missing.push('SignedHeaders');
    throw refusals.malformedHeader(authorization, missing);
  }
  const parsed = parseCredential(credential);
  if (parsed === undefined) throw refusals.malformedCredential('header', authorization);
  return { kind: 'header', credential: parsed, signedHeaders, signature, query: undefined };
}

function isBlankAt(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code === 0x20 || code === 0x09;
}

/** Printable ASCII: what is signed must not hide a line break or a second reading. */
const PRINTABLE = /^[\x21-\x7e]+$/;

/** `accessKeyId/YYYYMMDD/region/service/aws4_request`; the access key id may itself hold a slash. */
export function parseCredential(text: string): ScopedCredential | undefined {
  const termAt = text.lastIndexOf('/');
  if (termAt < 0 || text.length - termAt - 1 !== TERMINATOR.length || !text.endsWith(TERMINATOR)) return undefined;
  const serviceAt = text.lastIndexOf('/', termAt - 1);
  const regionAt = text.lastIndexOf('/', serviceAt - 1);
  const dateAt = text.lastIndexOf('/', regionAt - 1);
  if (dateAt < 1 || regionAt - dateAt !== 9 || serviceAt - regionAt < 2 || termAt - serviceAt < 2) return undefined;
  if (text.length > 256 || !PRINTABLE.test(text)) return undefined;
  return {
    accessKeyId: text.slice(0, dateAt),
    text,
    scope: text.slice(dateAt + 1),
    date: text.slice(dateAt + 1, regionAt),
    region: text.slice(regionAt + 1, serviceAt),
    service: text.slice(serviceAt + 1, termAt),
  };
}

/** Query parameters that belong to the signature, by lower-case name. */
type SignatureParameters = Map<string, string>;

const SIGNATURE_PARAMETERS = new Set([
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-expires',
  'x-amz-signedheaders',
  'x-amz-signature',
  'x-amz-security-token',
  'x-amz-content-sha256',
]);

/** Whether a lower-case query name is the signature's own affair. */
export function isSignatureParameter(lowerName: string): boolean {
  return SIGNATURE_PARAMETERS.has(lowerName);
}

function takeSignatureParameters(parameters: CanonicalParameter[], refusals: Refusals): SignatureParameters | undefined {
  let found: SignatureParameters | undefined;
  let signatureIndex = -1;
  for (let index = 0; index < parameters.length; index++) {
    const { name, value } = parameters[index]!;
    if (name === 'AWSAccessKeyId') throw refusals.signatureVersion2();
    if ((name.charCodeAt(0) | 0x20) !== 0x78 || name.charCodeAt(1) !== 0x2d) continue;
    const lowerName = name.toLowerCase();
    if (!SIGNATURE_PARAMETERS.has(lowerName)) continue;
    found ??= new Map();
    if (found.has(lowerName)) throw refusals.invalidParameter(`The ${name} parameter must be given only once.`);
    found.set(lowerName, decodeCanonical(value));
    if (lowerName === 'x-amz-signature') signatureIndex = index;
  }
  if (found === undefined) return undefined;
  if (!found.has('x-amz-signature') && !found.has('x-amz-algorithm') && !found.has('x-amz-credential')) return undefined;
  if (signatureIndex >= 0) parameters.splice(signatureIndex, 1);
  return found;
}

const REQUIRED = ['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Signature', 'X-Amz-Date', 'X-Amz-SignedHeaders', 'X-Amz-Expires'];

function readPresigned(parameters: SignatureParameters, refusals: Refusals): Claim {
  const algorithm = parameters.get('x-amz-algorithm');
  if (algorithm === ALGORITHM_V4A) throw refusals.signatureVersion4a();
  const missing = REQUIRED.filter((name) => !parameters.get(name.toLowerCase()));
  if (missing.length > 0) throw refusals.missingParameters(missing);
  if (algorithm !== ALGORITHM) throw refusals.invalidParameter(`X-Amz-Algorithm only supports "${ALGORITHM}"`);
  const credential = parseCredential(parameters.get('x-amz-credential')!);
  if (credential === undefined) throw refusals.malformedCredential('presigned', '');
  const signedHeaders = parameters.get('x-amz-signedheaders')!;
  if (!PRINTABLE.test(signedHeaders)) throw refusals.missingParameters(['X-Amz-SignedHeaders']);
  return {
    kind: 'presigned',
    credential,
    signedHeaders,
    signature: parameters.get('x-amz-signature')!,
    query: {
      date: parameters.get('x-amz-date')!,
      expires: parameters.get('x-amz-expires')!,
      securityToken: parameters.get('x-amz-security-token'),
      contentSha256: parameters.get('x-amz-content-sha256'),
    },
  };
}

/**
 * The service that a request's credential is scoped to, for routing; undefined when there is none to be read.
 * Cheap, and says nothing about the signature.
 */
export function serviceOfCredentialScope(request: HttpRequest): string | undefined {
  const authorization = request.headers['authorization'];
  if (authorization !== undefined) {
    const start = authorization.indexOf('Credential=');
    if (start < 0) return undefined;
    const comma = authorization.indexOf(',', start);
    return parseCredential(authorization.slice(start + 11, comma < 0 ? undefined : comma).trim())?.service;
  }
  if (!/x-amz-credential/i.test(request.rawQuery)) return undefined;
  const credential = canonicalParameters(request.rawQuery).find(({ name }) => name.toLowerCase() === 'x-amz-credential');
  return credential === undefined ? undefined : parseCredential(decodeCanonical(credential.value))?.service;
}
