/**
 * Who signed this request: Signature Version 4 in the Authorization header or in the query string.
 * Hot path of every request. What the caller may do, and reading the body, are other rooms' business.
 * Source: contract kms-iam-audit section 5; s3-encryption 14.1 (E60, hoisted headers); glacier section 2.
 */
import type { Clock, HttpRequest } from '../base/index.ts';
import { ServiceError } from '../base/index.ts';
import { canonicalParameters, canonicalRequest, SHA256_OF_NOTHING, stringToSignOf } from './canonical.ts';
import { readClaim } from './claim.ts';
import type { Claim, ScopedCredential } from './claim.ts';
import { formatAmzDate, parseAmzDate, parseDateHeader } from './dates.ts';
import { hoistedFrom } from './hoisted-headers.ts';
import { payloadPlanOf } from './payload-plan.ts';
import type { PayloadPlan } from './payload-plan.ts';
import type { Refusals } from './refusals.ts';
import { s3Refusals } from './refusals-s3.ts';
import { glacierRefusals, jsonRefusals, queryRefusals } from './refusals-other.ts';
import { deriveSigningKey, sameSecret, sameSignature, sign, SigningKeyCache } from './signing-key.ts';
import type { SigningKey } from './signing-key.ts';

/** What is known of an access key: its secret, its session if it has one, and whose it is. */
export interface Credential<I> {
  secretAccessKey: string;
  /** Only for temporary credentials; requests must then carry it. */
  sessionToken?: string;
  /** Requests from this time on are refused as expired. */
  expiresAtMs?: number;
  identity: I;
}

/** Finds an access key that may sign; undefined for an unknown or inactive one. */
export type CredentialLookup<I> = (accessKeyId: string) => Promise<Credential<I> | undefined>;

export interface VerifyOptions<I> {
  /** The addressed service: `s3`, `kms`, `iam`, `sts`, `glacier`, `cloudtrail`. */
  service: string;
  /** Regions that a credential may be scoped to; the first is named in refusals. IAM and STS also take us-east-1. */
  regions: readonly string[] | 'any';
  clock: Clock;
  /** How far the request's time may be from ours. */
  skewMs: number;
  lookup: CredentialLookup<I>;
  /** Hex SHA-256 of the body, for services other than S3 whose body is read before. */
  bodySha256?: string;
}

export interface VerifiedAnonymous {
  kind: 'anonymous';
  payload: PayloadPlan;
}

export interface VerifiedIdentity<I> {
  kind: 'header' | 'presigned';
  identity: I;
  accessKeyId: string;
  /** Of the credential scope. */
  region: string;
  /** The time the request says it was signed at. */
  signedAtMs: number;
  payload: PayloadPlan;
  /** Lower-case names. */
  signedHeaders: ReadonlySet<string>;
}

export type Verified<I> = VerifiedAnonymous | VerifiedIdentity<I>;

/** Any key will do: what it signs is never accepted. */
const DUMMY_SECRET = 'no access key has this secret access key';

const EXPIRES_SECONDS_MAX = 604_800;

const keyCache = new SigningKeyCache(4096);

/**
 * Verifies the signature of a request, headers only: the body is vouched for by reading it after the payload plan.
 * Errors: ServiceError as the addressed service words it (contract 5.5). Unsigned requests are anonymous on S3 and
 * refused everywhere else.
 */
export async function verifyRequest<I>(request: HttpRequest, options: VerifyOptions<I>): Promise<Verified<I>> {
  const isS3 = options.service === 's3';
  const refusals = refusalsOf(options.service);
  const parameters = canonicalParameters(request.rawQuery);
  // First of all, so that no later refusal repeats a key that stands in the URL.
  const hoisted = isS3 && parameters.length > 0 ? hoistedFrom(parameters) : undefined;
  const claim = readClaim(request, parameters, refusals);
  if (claim === undefined) {
    if (!isS3) throw refusals.noCredentials();
    return { kind: 'anonymous', payload: anonymousPayload(request) };
  }

  const nowMs = options.clock.nowMs();
  const { credential } = claim;
  const time = checkTime(request, claim, options.skewMs, nowMs, refusals);
  checkScope(claim, time.amzDate, time.sent, options, refusals);
  const signedHeaders = readSignedHeaders(request, claim, hoisted, refusals);
  const contentSha256 = contentSha256Of(request, claim, isS3, options.bodySha256);

  const known = await options.lookup(credential.accessKeyId);
  const found = findSigningKey(credential, known?.secretAccessKey);
  const canonical = canonicalRequest({
    method: request.method,
    rawPath: request.rawPath,
    pathEncoding: isS3 ? 'once' : 'twice',
    parameters,
    headers: request.headers,
    hoisted,
    signedHeaders,
    signedHeadersText: claim.signedHeaders,
    payloadHash: contentSha256,
  });
  const stringToSign = stringToSignOf(time.amzDate, credential.scope, canonical);
  const matches = sameSignature(sign(found.signingKey, stringToSign), claim.signature);

  if (known === undefined) throw refusals.unknownKey(credential.accessKeyId);
  const token = request.headers['x-amz-security-token'] ?? claim.query?.securityToken;
  checkToken(token, credential.accessKeyId, known, refusals);
  if (!matches) {
    throw refusals.badSignature({
      accessKeyId: credential.accessKeyId,
      stringToSign,
      canonicalRequest: canonical,
      signatureProvided: claim.signature,
    });
  }
  keepSigningKey(credential, known.secretAccessKey, found);
  if (known.expiresAtMs !== undefined && nowMs >= known.expiresAtMs) throw refusals.expiredToken();

  return {
    kind: claim.kind,
    identity: known.identity,
    accessKeyId: credential.accessKeyId,
    region: credential.region,
    signedAtMs: time.timeMs,
    payload: isS3
      ? payloadPlanOf(contentSha256, {
          accessKeyId: credential.accessKeyId,
          signingKey: found.signingKey,
          date: time.amzDate,
          scope: credential.scope,
          seedSignature: claim.signature,
        })
      : { kind: 'sha256', hex: contentSha256.toLowerCase(), service: options.service },
    signedHeaders,
  };
}

export function refusalsOf(service: string): Refusals {
  switch (service) {
    case 's3':
      return s3Refusals;
    case 'iam':
    case 'sts':
      return queryRefusals;
    case 'glacier':
      return glacierRefusals;
    default:
      return jsonRefusals;
  }
}

/** Nobody vouches for an anonymous body, but what its sender declared still holds. */
function anonymousPayload(request: HttpRequest): PayloadPlan {
  const declared = request.headers['x-amz-content-sha256'];
  return declared === undefined ? { kind: 'unsigned' } : payloadPlanOf(declared, undefined);
}

interface RequestTime {
  timeMs: number;
  /** Basic form, as it stands in the string to sign. */
  amzDate: string;
  /** As received. */
  sent: string;
}

function checkTime(request: HttpRequest, claim: Claim, skewMs: number, nowMs: number, refusals: Refusals): RequestTime {
  if (claim.query !== undefined) return checkPresignedTime(claim.query, skewMs, nowMs, refusals);
  let sent = request.headers['x-amz-date'];
  let timeMs: number | undefined;
  if (sent !== undefined) {
    timeMs = parseAmzDate(sent);
  } else {
    sent = request.headers['date'];
    if (sent === undefined) throw refusals.missingDate(request.headers['authorization'] ?? '');
    timeMs = parseDateHeader(sent);
  }
  if (timeMs === undefined) throw refusals.invalidDate(sent);
  const amzDate = sent.length === 16 ? sent : formatAmzDate(timeMs);
  if (Math.abs(nowMs - timeMs) > skewMs) {
    throw refusals.timeTooSkewed({ requestTime: amzDate, requestTimeMs: timeMs, nowMs, skewMs });
  }
  return { timeMs, amzDate, sent };
}

function checkPresignedTime(
  query: { date: string; expires: string },
  skewMs: number,
  nowMs: number,
  refusals: Refusals,
): RequestTime {
  const timeMs = parseAmzDate(query.date);
  if (timeMs === undefined) {
    throw refusals.invalidParameter(`X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`);
  }
  if (!/^-?\d{1,15}$/.test(query.expires)) throw refusals.invalidParameter('X-Amz-Expires should be a number');
  const expiresSeconds = Number(query.expires);
  if (expiresSeconds < 0) throw refusals.invalidParameter('X-Amz-Expires must be non-negative');
  if (expiresSeconds === 0) throw refusals.invalidParameter('X-Amz-Expires must be at least 1 second');
  if (expiresSeconds > EXPIRES_SECONDS_MAX) {
    throw refusals.invalidParameter(
      'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds',
    );
  }
  if (timeMs > nowMs + skewMs) {
    throw refusals.timeTooSkewed({ requestTime: query.date, requestTimeMs: timeMs, nowMs, skewMs });
  }
  const endMs = timeMs + expiresSeconds * 1000;
  if (nowMs >= endMs) throw refusals.expired({ expiresSeconds, requestTime: query.date, endMs, nowMs });
  return { timeMs, amzDate: query.date, sent: query.date };
}

function checkScope<I>(claim: Claim, amzDate: string, sent: string, options: VerifyOptions<I>, refusals: Refusals): void {
  const { date, region, service } = claim.credential;
  if (service !== options.service) throw refusals.wrongService(claim.kind, service, options.service);
  if (!amzDate.startsWith(date)) throw refusals.wrongScopeDate(claim.kind, date, amzDate.slice(0, 8), sent);
  if (isRegionAccepted(service, region, options.regions)) return;
  throw refusals.wrongRegion(claim.kind, region, options.regions[0] ?? 'us-east-1');
}

/** The signed header names in the order of the claim. Every x-amz-* header, and the host, must be among them. */
function readSignedHeaders(
  request: HttpRequest,
  claim: Claim,
  hoisted: Readonly<Record<string, string>> | undefined,
  refusals: Refusals,
): ReadonlySet<string> {
  const names = claim.signedHeaders.split(';');
  const signed = new Set(names);
  // A name twice would hash its header twice: a short request could cost megabytes of hashing.
  if (signed.size !== names.length) {
    throw claim.kind === 'header'
      ? refusals.malformedHeader(request.headers['authorization'] ?? '', [])
      : refusals.invalidParameter('X-Amz-SignedHeaders must name each header once.');
  }
  let unsigned: string[] | undefined;
  if (!signed.has('host')) unsigned = ['host'];
  for (const name in request.headers) {
    if (name.charCodeAt(0) !== 0x78 || !name.startsWith('x-amz-') || signed.has(name)) continue;
    // Signed as part of the query, where it says the same.
    if (hoisted !== undefined && Object.hasOwn(hoisted, name) && hoisted[name] === request.headers[name]) continue;
    (unsigned ??= []).push(name);
  }
  if (unsigned !== undefined) throw refusals.headersNotSigned(unsigned);
  return signed;
}

/** The last line of the canonical request. */
function contentSha256Of(request: HttpRequest, claim: Claim, isS3: boolean, bodySha256: string | undefined): string {
  const declared = request.headers['x-amz-content-sha256'] ?? claim.query?.contentSha256;
  if (isS3) {
    if (declared !== undefined) return declared;
    if (claim.kind === 'presigned') return 'UNSIGNED-PAYLOAD';
    throw new ServiceError('InvalidRequest', 400, 'Missing required header for this request: x-amz-content-sha256');
  }
  if (bodySha256 !== undefined) return bodySha256;
  // A body that is streamed (Glacier's archives): believed here, checked while it is read.
  return declared !== undefined && /^[0-9a-f]{64}$/.test(declared) ? declared : SHA256_OF_NOTHING;
}

/** Compares the token of a request with the credential's own: both or neither must have one. */
export function checkToken<I>(sent: string | undefined, accessKeyId: string, known: Credential<I>, refusals: Refusals): void {
  if (known.sessionToken === undefined) {
    if (sent !== undefined) throw refusals.invalidToken(accessKeyId);
    return;
  }
  if (sent === undefined) throw refusals.missingToken(accessKeyId);
  if (!sameSecret(sent, known.sessionToken)) throw refusals.invalidToken(accessKeyId);
}

export function isRegionAccepted(service: string, region: string, regions: readonly string[] | 'any'): boolean {
  if (regions === 'any' || regions.includes(region)) return true;
  return region === 'us-east-1' && (service === 'iam' || service === 'sts');
}

interface FoundKey {
  signingKey: SigningKey;
  isCached: boolean;
}

/** The key of a credential; without a secret one that signs nothing we accept, so that refusals take alike long. */
export function findSigningKey(credential: ScopedCredential, secretAccessKey = DUMMY_SECRET): FoundKey {
  const cached = keyCache.get(credential.text, secretAccessKey);
  if (cached !== undefined) return { signingKey: cached, isCached: true };
  const { date, region, service } = credential;
  return { signingKey: deriveSigningKey(secretAccessKey, date, region, service), isCached: false };
}

/** To be called once a signature was found right. */
export function keepSigningKey(credential: ScopedCredential, secretAccessKey: string, found: FoundKey): void {
  if (!found.isCached) keyCache.keep(credential.text, secretAccessKey, found.signingKey);
}
