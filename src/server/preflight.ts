/**
 * Preflight requests of browsers. No bucket can have CORS rules yet, so the true answer is AWS's for buckets without.
 * Source: contract s3-surface.md section 3 (AccessForbidden, BadRequest) and section 9.
 */
import { ServiceError, type HttpRequest } from '../base/index.ts';

export function preflightRefusal(request: HttpRequest, isObject: boolean): ServiceError {
  const { origin, 'access-control-request-method': method } = request.headers;
  if (origin === undefined) return new ServiceError('BadRequest', 400, 'Insufficient information. Origin request header needed.');
  if (method === undefined) return new ServiceError('BadRequest', 400, 'Invalid Access-Control-Request-Method: null');
  return new ServiceError('AccessForbidden', 403, 'CORSResponse: CORS is not enabled for this bucket.', { details: { Method: method, ResourceType: isObject ? 'OBJECT' : 'BUCKET' } });
}
