/**
 * The refusals of the key service: AWS codes and AWS's exact texts. Every client fault is 400 on the wire.
 * Source: contract kms-iam-audit.md 2.2, 2.5, 2.8 to 2.15, and the KMS API Reference.
 */
import { ServiceError } from '../base/index.ts';

function refusal(code: string, message?: string): ServiceError {
  return new ServiceError(code, 400, message);
}

export const keyErrors = {
  accessDenied: (message: string) => refusal('AccessDeniedException', message),
  foreignKey: (who: string, action: string) =>
    refusal(
      'AccessDeniedException',
      `User: ${who} is not authorized to perform: ${action} on this resource because the resource does not exist in this Region, ` +
        'no resource-based policies allow access, or a resource-based policy explicitly denies access',
    ),
  keyNotFound: (arn: string) => refusal('NotFoundException', `Key '${arn}' does not exist`),
  invalidKeyId: (keyRef: string) => refusal('NotFoundException', `Invalid keyId '${keyRef}'`),
  otherRegion: (region: string) => refusal('NotFoundException', `Invalid arn ${region}`),
  aliasNotFound: (aliasArn: string) => refusal('NotFoundException', `Alias ${aliasArn} is not found.`),
  aliasesNotSupported: () => refusal('InvalidArnException', 'Key Aliases are not supported for this operation.'),
  disabled: (arn: string) => refusal('DisabledException', `${arn} is disabled.`),
  pendingDeletion: (arn: string) => refusal('KMSInvalidStateException', `${arn} is pending deletion.`),
  pendingImport: (arn: string) => refusal('KMSInvalidStateException', `${arn} is pending import.`),
  unavailable: (arn: string) => refusal('KMSInvalidStateException', `${arn} is unavailable.`),
  notPendingDeletion: (arn: string) => refusal('KMSInvalidStateException', `${arn} is not pending deletion.`),
  originNotValid: (arn: string, origin: string) =>
    refusal('UnsupportedOperationException', `${arn} origin is ${origin} which is not valid for this operation.`),
  unsupported: (message?: string) => refusal('UnsupportedOperationException', message),
  usageNotValid: (arn: string, usage: string, operation: string) =>
    refusal('InvalidKeyUsageException', `${arn} key usage is ${usage} which is not valid for ${operation}.`),
  noDataKeyFromAsymmetric: () => refusal('InvalidKeyUsageException', 'You cannot generate a data key with an asymmetric CMK'),
  algorithmNotValid: (algorithm: string, spec: string) =>
    refusal('InvalidKeyUsageException', `Algorithm ${algorithm} is incompatible with key spec ${spec}.`),
  /** No message: it must not tell why the ciphertext does not open. */
  invalidCiphertext: () => refusal('InvalidCiphertextException'),
  incorrectKey: () =>
    refusal('IncorrectKeyException', 'The key ID in the request does not identify a CMK that can perform this operation.'),
  dryRun: () => refusal('DryRunOperationException', 'The request would have succeeded, but the DryRun option is set.'),
  /** AWS says nothing more about a public key that does not fit. */
  validationWithoutText: () => refusal('ValidationException', ''),
  validation: (message: string) => refusal('ValidationException', message),
  limitExceeded: (message: string) => refusal('LimitExceededException', message),
  alreadyExists: (message: string) => refusal('AlreadyExistsException', message),
  /** No message, as far as anybody wrote down. */
  notAuthorized: () => refusal('NotAuthorizedException'),
  invalidMarker: () => refusal('InvalidMarkerException'),
  tag: (message: string) => refusal('TagException', message),
  malformedPolicy: (message: string) => refusal('MalformedPolicyDocumentException', message),
  invalidSignature: () => refusal('KMSInvalidSignatureException'),
  invalidMac: () => refusal('KMSInvalidMacException'),
  /** The root of trust cannot be reached, or a record is damaged: the caller may try again later. */
  keyUnavailable: (cause: unknown) => new ServiceError('KeyUnavailableException', 500, 'The request was rejected because the key is not available. Try again.', { cause }),
};
