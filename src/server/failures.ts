/**
 * What a caller is told of everything that can be thrown below: one table from errors to ServiceErrors.
 * Errors that are nobody's answer become InternalError; their cause goes to the log alone.
 */
import { Denied } from '../audit/index.ts';
import { ServiceError } from '../base/index.ts';
import { BlobError } from '../blobs/index.ts';
import { CatalogError } from '../catalog/index.ts';
import { internalError, type ServiceName } from '../wire/index.ts';

export function toServiceError(service: ServiceName, error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof Denied) return accessDenied(service, error);
  if ((error instanceof CatalogError || error instanceof BlobError) && error.code === 'full') return noRoom(service, error);
  return internalError(service, error);
}

function accessDenied(service: ServiceName, denied: Denied): ServiceError {
  switch (service) {
    case 's3':
    case 'iam':
    case 'sts':
      return new ServiceError('AccessDenied', 403, denied.message);
    case 'kms':
    case 'cloudtrail':
      return new ServiceError('AccessDeniedException', 400, denied.message);
    case 'glacier':
      return new ServiceError('AccessDeniedException', 403, denied.message);
  }
}

/** AWS has no such answer; 503 is what its clients retry and report honestly. [choice] */
function noRoom(service: ServiceName, cause: Error): ServiceError {
  const message = 'The server has no room left to store this; nothing was changed.';
  switch (service) {
    case 's3':
    case 'iam':
    case 'sts':
      return new ServiceError('ServiceUnavailable', 503, message, { cause });
    case 'kms':
      return new ServiceError('KMSInternalException', 500, message, { cause });
    case 'cloudtrail':
      return new ServiceError('InternalFailure', 500, message, { cause });
    case 'glacier':
      return new ServiceError('ServiceUnavailableException', 503, message, { cause });
  }
}

/** A body that is read whole and is larger than any that its operation could need. */
export function bodyTooLarge(service: ServiceName, sizeBytesMax: number): ServiceError {
  const message = `The request body is larger than the ${sizeBytesMax} bytes that are possible here.`;
  switch (service) {
    case 's3':
      return new ServiceError('MaxMessageLengthExceeded', 400, 'Your request was too big.', { details: { MaxMessageLengthBytes: String(sizeBytesMax) } });
    case 'kms':
    case 'cloudtrail':
      return new ServiceError('RequestEntityTooLargeException', 413, message);
    case 'iam':
    case 'sts':
      return new ServiceError('RequestEntityTooLarge', 413, message);
    case 'glacier':
      return new ServiceError('RequestEntityTooLargeException', 413, message);
  }
}
