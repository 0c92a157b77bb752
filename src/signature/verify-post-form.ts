/**
 * Who signed this browser form: Signature Version 4 over the base64 policy of a POST upload.
 * Source: contract kms-iam-audit 5.4.
 */
import { createHmac } from 'node:crypto';
import { equalSecrets, ServiceError } from '../base/index.ts';
import { parseCredential } from './claim.ts';
import { parseAmzDate } from './dates.ts';
import { parsePostPolicy, refuseExpiredPolicy } from './post-policy.ts';
import type { PostPolicy } from './post-policy.ts';
import { s3SignatureDoesNotMatch, signatureVersion4aRefused } from './refusals.ts';
import { s3Refusals } from './refusals-s3.ts';
import { sameSignature, sign } from './signing-key.ts';
import { checkToken, findSigningKey, isRegionAccepted, keepSigningKey } from './verify-request.ts';
import type { VerifyOptions } from './verify-request.ts';

export interface VerifiedPostForm<I> {
  kind: 'post';
  identity: I;
  accessKeyId: string;
  region: string;
  /** Of the signature: 2 where an old form signs its policy by HMAC-SHA-1. */
  version: 2 | 4;
  /** Signed and not expired; whether the form keeps to it says `checkPostPolicy`. */
  policy: PostPolicy;
}

export type PostFormOptions<I> = Pick<VerifyOptions<I>, 'regions' | 'clock' | 'lookup'>;

/**
 * Verifies a POST form by its fields (lower-case names, the file left out). A form without policy and signature is
 * anonymous.
 * Errors: ServiceError; 400 InvalidArgument (field missing), InvalidPolicyDocument, InvalidToken, ExpiredToken,
 * AuthorizationQueryParametersError; 403 SignatureDoesNotMatch, InvalidAccessKeyId, AccessDenied (expired).
 */
export async function verifyPostForm<I>(
  fields: ReadonlyMap<string, string>,
  options: PostFormOptions<I>,
): Promise<{ kind: 'anonymous' } | VerifiedPostForm<I>> {
  if (fields.has('awsaccesskeyid') || fields.has('signature')) return verifyVersion2(fields, options);
  if (!['policy', 'x-amz-signature', 'x-amz-credential', 'x-amz-algorithm'].some((name) => fields.has(name))) {
    return { kind: 'anonymous' };
  }
  const policyText = requiredField(fields, 'policy');
  const algorithm = requiredField(fields, 'x-amz-algorithm');
  const credentialText = requiredField(fields, 'x-amz-credential');
  const date = requiredField(fields, 'x-amz-date');
  const signature = requiredField(fields, 'x-amz-signature');

  if (algorithm === 'AWS4-ECDSA-P256-SHA256') throw signatureVersion4aRefused();
  if (algorithm !== 'AWS4-HMAC-SHA256') throw s3Refusals.invalidParameter('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"');
  const credential = parseCredential(credentialText);
  if (credential === undefined) throw s3Refusals.malformedCredential('presigned', '');
  if (parseAmzDate(date) === undefined) {
    throw s3Refusals.invalidParameter(`X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`);
  }
  const { accessKeyId, region } = credential;
  if (credential.service !== 's3') throw s3Refusals.wrongService('presigned', credential.service, 's3');
  if (!date.startsWith(credential.date)) throw s3Refusals.wrongScopeDate('presigned', credential.date, date.slice(0, 8), date);
  if (!isRegionAccepted('s3', region, options.regions)) {
    throw s3Refusals.wrongRegion('presigned', region, options.regions[0] ?? 'us-east-1');
  }

  const known = await options.lookup(accessKeyId);
  const found = findSigningKey(credential, known?.secretAccessKey);
  const matches = sameSignature(sign(found.signingKey, policyText), signature);
  if (known === undefined) throw s3Refusals.unknownKey(accessKeyId);
  checkToken(fields.get('x-amz-security-token'), accessKeyId, known, s3Refusals);
  if (!matches) throw s3SignatureDoesNotMatch({ accessKeyId, stringToSign: policyText, signatureProvided: signature });
  keepSigningKey(credential, known.secretAccessKey, found);
  const nowMs = options.clock.nowMs();
  if (known.expiresAtMs !== undefined && nowMs >= known.expiresAtMs) throw s3Refusals.expiredToken();
  const policy = parsePostPolicy(policyText);
  refuseExpiredPolicy(policy, nowMs);
  return { kind: 'post', version: 4, identity: known.identity, accessKeyId, region, policy };
}

/**
 * Forms of old: signature = base64(HMAC-SHA-1(secret, base64 policy)). AWS still takes them where it always did, and
 * the policy bounds them as it does newer ones; what needs Signature Version 4 (KMS) refuses them later.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UploadExamples.html (signature version 2).
 */
async function verifyVersion2<I>(fields: ReadonlyMap<string, string>, options: PostFormOptions<I>): Promise<VerifiedPostForm<I>> {
  const policyText = requiredField(fields, 'policy');
  const accessKeyId = requiredField(fields, 'awsaccesskeyid');
  const signature = requiredField(fields, 'signature');
  const known = await options.lookup(accessKeyId);
  const expected = createHmac('sha1', known?.secretAccessKey ?? 'nobody').update(policyText).digest('base64');
  const matches = equalSecrets(Buffer.from(expected), Buffer.from(signature));
  if (known === undefined) throw s3Refusals.unknownKey(accessKeyId);
  checkToken(fields.get('x-amz-security-token'), accessKeyId, known, s3Refusals);
  if (!matches) throw s3SignatureDoesNotMatch({ accessKeyId, stringToSign: policyText, signatureProvided: signature });
  const nowMs = options.clock.nowMs();
  if (known.expiresAtMs !== undefined && nowMs >= known.expiresAtMs) throw s3Refusals.expiredToken();
  const policy = parsePostPolicy(policyText);
  refuseExpiredPolicy(policy, nowMs);
  return { kind: 'post', version: 2, identity: known.identity, accessKeyId, region: '', policy };
}

function requiredField(fields: ReadonlyMap<string, string>, name: string): string {
  const value = fields.get(name);
  if (value === undefined || value === '') {
    throw new ServiceError(
      'InvalidArgument',
      400,
      `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
      { details: { ArgumentName: name, ArgumentValue: '' } },
    );
  }
  return value;
}
