/**
 * The errors of S3 by name: code, status, message and extra elements.
 * Source: contract s3-encryption.md section 3 (E numbers), s3-surface.md section 3.
 */
import { ServiceError, type ErrorDetails } from '../../base/index.ts';

const sseHeader = 'x-amz-server-side-encryption';

function sseArgument(message: string, value?: string): ServiceError {
  const details: ErrorDetails = value === undefined ? { ArgumentName: sseHeader } : { ArgumentName: sseHeader, ArgumentValue: value };
  return new ServiceError('InvalidArgument', 400, message, { details });
}

export const s3Errors = {
  accessDenied: (message = 'Access Denied', details: ErrorDetails = {}) => new ServiceError('AccessDenied', 403, message, { details }),
  aclsAgainstOwnership: () =>
    new ServiceError('InvalidBucketAclWithObjectOwnership', 400, "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"),
  aclsNotSupported: () => new ServiceError('AccessControlListNotSupported', 400, 'The bucket does not allow ACLs'),
  badDigest: (message: string, details: ErrorDetails = {}) => new ServiceError('BadDigest', 400, message, { details }),
  bucketAlreadyExists: (bucket: string) =>
    new ServiceError('BucketAlreadyExists', 409, 'The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.', { details: { BucketName: bucket } }),
  bucketAlreadyOwnedByYou: (bucket: string) =>
    new ServiceError('BucketAlreadyOwnedByYou', 409, 'Your previous request to create the named bucket succeeded and you already own it.', { details: { BucketName: bucket } }),
  bucketNotEmpty: (bucket: string, isVersioned: boolean) =>
    new ServiceError('BucketNotEmpty', 409, `The bucket you tried to delete is not empty${isVersioned ? '. You must delete all versions in the bucket.' : ''}`, { details: { BucketName: bucket } }),
  conditionalRequestConflict: (condition: string, key: string) =>
    new ServiceError('ConditionalRequestConflict', 409, 'The conditional request cannot succeed due to a conflicting operation against this resource.', { details: { Condition: condition, Key: key } }),
  entityTooLarge: (proposed: number, max: number) =>
    new ServiceError('EntityTooLarge', 400, 'Your proposed upload exceeds the maximum allowed size', { details: { ProposedSize: String(proposed), MaxSizeAllowed: String(max) } }),
  entityTooSmall: (details: ErrorDetails) =>
    new ServiceError('EntityTooSmall', 400, 'Your proposed upload is smaller than the minimum allowed size', { details }),
  illegalLocationConstraint: (constraint: string) =>
    new ServiceError('IllegalLocationConstraintException', 400, `The ${constraint} location constraint is incompatible for the region specific endpoint this request was sent to.`),
  illegalVersioningConfiguration: () => new ServiceError('IllegalVersioningConfigurationException', 400, 'The Versioning element must be specified'),
  internal: (cause: unknown) => new ServiceError('InternalError', 500, 'We encountered an internal error. Please try again.', { cause }),
  invalidArgument: (message: string, name?: string, value?: string) =>
    new ServiceError('InvalidArgument', 400, message, { details: { ...(name === undefined ? {} : { ArgumentName: name }), ...(value === undefined ? {} : { ArgumentValue: value }) } }),
  invalidBucketName: (bucket: string) => new ServiceError('InvalidBucketName', 400, 'The specified bucket is not valid.', { details: { BucketName: bucket } }),
  invalidDigest: (value: string) => new ServiceError('InvalidDigest', 400, 'The Content-MD5 you specified was invalid.', { details: { 'Content-MD5': value } }),
  invalidLocationConstraint: (constraint: string) =>
    new ServiceError('InvalidLocationConstraint', 400, 'The specified location-constraint is not valid', { details: { LocationConstraint: constraint } }),
  invalidPart: (details: ErrorDetails) =>
    new ServiceError('InvalidPart', 400, "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.", { details }),
  invalidPartNumber: (details: ErrorDetails) => new ServiceError('InvalidPartNumber', 416, 'The requested partnumber is not satisfiable', { details }),
  invalidPartOrder: (uploadId: string) =>
    new ServiceError('InvalidPartOrder', 400, 'The list of parts was not in ascending order. Parts must be ordered by part number.', { details: { UploadId: uploadId } }),
  invalidRange: (size: number, range: string) =>
    new ServiceError('InvalidRange', 416, 'The requested range is not satisfiable', { details: { ActualObjectSize: String(size), RangeRequested: range }, headers: { 'content-range': `bytes */${size}` } }),
  invalidRequest: (message: string) => new ServiceError('InvalidRequest', 400, message),
  invalidTag: (message: string, details: ErrorDetails = {}) => new ServiceError('InvalidTag', 400, message, { details }),
  keyTooLong: (sizeBytes: number, max: number) =>
    new ServiceError('KeyTooLongError', 400, 'Your key is too long', { details: { Size: String(sizeBytes), MaxSizeAllowed: String(max) } }),
  malformedAcl: () => new ServiceError('MalformedACLError', 400, 'The XML you provided was not well-formed or did not validate against our published schema'),
  malformedXml: () => new ServiceError('MalformedXML', 400, 'The XML you provided was not well-formed or did not validate against our published schema'),
  metadataTooLarge: (size: number) =>
    new ServiceError('MetadataTooLarge', 400, 'Your metadata headers exceed the maximum allowed metadata size', { details: { Size: String(size), MaxSizeAllowed: '2048' } }),
  methodNotAllowedOnMarker: (method: string) =>
    new ServiceError('MethodNotAllowed', 405, 'The specified method is not allowed against this resource.', {
      details: { Method: method, ResourceType: 'DeleteMarker' }, headers: { allow: 'DELETE', 'x-amz-delete-marker': 'true' },
    }),
  missingSecurityHeader: (header: string) =>
    new ServiceError('MissingSecurityHeader', 400, 'Your request was missing a required header', { details: { MissingHeaderName: header } }),
  noSuchBucket: (bucket: string) => new ServiceError('NoSuchBucket', 404, 'The specified bucket does not exist', { details: { BucketName: bucket } }),
  noSuchEncryptionConfiguration: (bucket: string) =>
    new ServiceError('ServerSideEncryptionConfigurationNotFoundError', 404, 'The server side encryption configuration was not found', { details: { BucketName: bucket } }),
  noSuchKey: (key: string, headers: Readonly<Record<string, string>> = {}) => new ServiceError('NoSuchKey', 404, 'The specified key does not exist.', { details: { Key: key }, headers }),
  noSuchOwnershipControls: (bucket: string) =>
    new ServiceError('OwnershipControlsNotFoundError', 404, 'The bucket ownership controls were not found', { details: { BucketName: bucket } }),
  noSuchPublicAccessBlock: (bucket: string) =>
    new ServiceError('NoSuchPublicAccessBlockConfiguration', 404, 'The public access block configuration was not found', { details: { BucketName: bucket } }),
  noSuchTagSet: (bucket: string) => new ServiceError('NoSuchTagSet', 404, 'The TagSet does not exist', { details: { BucketName: bucket } }),
  noSuchUpload: (uploadId: string) =>
    new ServiceError('NoSuchUpload', 404, 'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.', { details: { UploadId: uploadId } }),
  noSuchVersion: (key: string, versionId: string) =>
    new ServiceError('NoSuchVersion', 404, 'The specified version does not exist.', { details: { Key: key, VersionId: versionId } }),
  /** Where no header is at fault: a sentence that says what is missing here. */
  notBuilt: (sentence: string) => new ServiceError('NotImplemented', 501, sentence),
  notImplemented: (header: string, additionalMessage?: string) =>
    new ServiceError('NotImplemented', 501, 'A header you provided implies functionality that is not implemented', {
      details: { Header: header, ...(additionalMessage === undefined ? {} : { additionalMessage }) },
    }),
  preconditionFailed: (condition: string) =>
    new ServiceError('PreconditionFailed', 412, 'At least one of the pre-conditions you specified did not hold', { details: { Condition: condition } }),
  unexpectedContent: () => new ServiceError('UnexpectedContent', 400, 'This request does not support content'),

  /** E01 */ unsupportedEncryption: (value: string) => sseArgument('The encryption method specified is not supported', value),
  /** E02 */ kmsHeaderNeedsKms: () => sseArgument('Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms'),
  /** E03 */ encryptionNotForOperation: (value: string) => sseArgument('x-amz-server-side-encryption header is not supported for this operation.', value),
  /** E04 */ customerKeyWithOther: (value: string) => sseArgument('Server Side Encryption with Customer provided key is incompatible with the encryption method specified', value),
  /** E05 */ badEncryptionContext: () =>
    new ServiceError('InvalidArgument', 400, "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON which represents a string-string map"),
  /** E06 */ kmsNeedsTls: () => new ServiceError('InvalidArgument', 400, 'Requests specifying Server Side Encryption with AWS KMS managed keys must be made over a secure connection.'),
  /** E07 */ kmsNeedsSignature: () =>
    new ServiceError('InvalidArgument', 400, 'Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.', { details: { ArgumentName: 'Authorization', ArgumentValue: 'null' } }),
  /** E10 */ customerKeyNeedsTls: () => new ServiceError('InvalidArgument', 400, 'Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.'),
  /** E11 */ customerKeyNeedsAlgorithm: () => sseArgument('Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.'),
  /** E12 */ invalidCustomerAlgorithm: (value: string) =>
    new ServiceError('InvalidEncryptionAlgorithmError', 400, 'The Encryption request you specified is not valid. Supported value: AES256.', { details: { ArgumentName: sseHeader, ArgumentValue: value } }),
  /** E13 */ customerKeyMissing: () => sseArgument('Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.'),
  /** E14 */ customerKeyMd5Missing: () => sseArgument('Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated MD5 of the secret key.'),
  /** E15 */ customerKeyMd5Differs: () => sseArgument('The calculated MD5 hash of the key did not match the hash that was provided.'),
  /** E16 */ customerKeyInvalid: () => sseArgument('The secret key was invalid for the specified algorithm.'),
  /** E17 */ customerKeyRequired: () =>
    new ServiceError('InvalidRequest', 400, 'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.'),
  /** E18 */ customerKeyWrong: () => new ServiceError('AccessDenied', 403, 'Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.'),
  /** E19 */ customerKeyNotApplicable: () => new ServiceError('InvalidRequest', 400, 'The encryption parameters are not applicable to this object.'),
  /** E20 */ partNeedsUploadEncryption: () =>
    new ServiceError('InvalidRequest', 400, 'The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.'),
  /** E21 */ partEncryptionDiffers: () => new ServiceError('InvalidRequest', 400, 'The provided encryption parameters did not match the ones used originally.'),
  /** E22 */ customerKeysBlocked: (caller: string, action: string, resource: string) =>
    new ServiceError('AccessDenied', 403, `User: ${caller} is not authorized to perform: ${action} on resource: "${resource}" because this bucket has blocked upload requests that specify Server Side Encryption with Customer provided keys (SSE-C). Please specify a different server-side encryption type`),
  /** E41 */ kmsKeyNotApplicable: () =>
    new ServiceError('InvalidArgument', 400, 'a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse', { details: { ArgumentName: 'ApplyServerSideEncryptionByDefault' } }),
  /** E50 */ illegalSelfCopy: () =>
    new ServiceError('InvalidRequest', 400, "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes."),
};
