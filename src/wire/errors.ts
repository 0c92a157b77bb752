/**
 * Turns a ServiceError into the answer of each protocol. The only place where errors become bytes.
 * Source: contract s3-surface section 3, kms-iam-audit 1.1 and 1.2, glacier section 2.
 */
import { ServiceError } from '../base/errors.ts';
import type { HttpResponse } from '../base/http.ts';
import type { ServiceName } from './address.ts';
import { AWS_JSON_CONTENT_TYPE } from './aws-json.ts';
import { safeHeaderText } from './header-text.ts';
import { S3_CONTROL_PATH } from './s3-exceptions.ts';
import { escapeXml, XML_DECLARATION } from './xml-encode.ts';

export const QUERY_XML_NAMESPACE: Readonly<Record<'iam' | 'sts', string>> = {
  iam: 'https://iam.amazonaws.com/doc/2010-05-08/',
  sts: 'https://sts.amazonaws.com/doc/2011-06-15/',
};

export interface ErrorContext {
  readonly requestId: string;
  /** S3's x-amz-id-2. */
  readonly hostId?: string;
  /** Answers to HEAD have no body. */
  readonly method?: string;
  /** The request's raw path, shown as Resource. Errors under S3 Control's path are wrapped. */
  readonly resource?: string;
}

/** Statuses that forbid a body. */
const BODILESS: ReadonlySet<number> = new Set([204, 304]);

/** The error answer of a service's protocol. Request id headers are the pipeline's. */
export function encodeError(service: ServiceName, error: ServiceError, context: ErrorContext): HttpResponse {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(error.headers)) headers[name] = safeHeaderText(value);
  const response: HttpResponse = { status: error.status, headers };
  if (context.method === 'HEAD' || BODILESS.has(error.status)) return response;
  switch (service) {
    case 's3':
      headers['content-type'] = 'application/xml';
      response.body = encodeErrorDocument(error, context);
      return response;
    case 'iam':
    case 'sts':
      headers['content-type'] = 'text/xml';
      response.body = queryError(service, error, context);
      return response;
    case 'kms':
    case 'cloudtrail':
      headers['content-type'] = AWS_JSON_CONTENT_TYPE;
      response.body = JSON.stringify({ __type: error.code, message: error.publicMessage });
      return response;
    case 'glacier':
      headers['content-type'] = 'application/json';
      response.body = JSON.stringify({ code: error.code, message: error.publicMessage ?? null, type: error.status >= 500 ? 'Server' : 'Client' });
      return response;
  }
}

/** S3's error document, declaration included and without a namespace; also sent under status 200 by slow operations. */
export function encodeErrorDocument(error: ServiceError, context: ErrorContext): string {
  const [open, close] = context.resource?.startsWith(S3_CONTROL_PATH) ? ['<ErrorResponse><Error>', `</Error><RequestId>${escapeXml(context.requestId)}</RequestId></ErrorResponse>`] : ['<Error>', '</Error>'];
  let text = `${XML_DECLARATION}${open}<Code>${escapeXml(error.code)}</Code>`;
  if (error.publicMessage !== undefined) text += `<Message>${escapeXml(error.publicMessage)}</Message>`;
  for (const [name, value] of Object.entries(error.details)) text += `<${name}>${escapeXml(value)}</${name}>`;
  if (context.resource !== undefined) text += `<Resource>${escapeXml(context.resource)}</Resource>`;
  text += `<RequestId>${escapeXml(context.requestId)}</RequestId>`;
  if (context.hostId !== undefined) text += `<HostId>${escapeXml(context.hostId)}</HostId>`;
  return text + close;
}

function queryError(service: 'iam' | 'sts', error: ServiceError, context: ErrorContext): string {
  const type = error.status >= 500 ? 'Receiver' : 'Sender';
  const message = error.publicMessage === undefined ? '' : `<Message>${escapeXml(error.publicMessage)}</Message>`;
  return (
    `<ErrorResponse xmlns="${QUERY_XML_NAMESPACE[service]}"><Error><Type>${type}</Type><Code>${escapeXml(error.code)}</Code>${message}</Error>` +
    `<RequestId>${escapeXml(context.requestId)}</RequestId></ErrorResponse>`
  );
}

/** The answer to an operation that nobody handles, naming it. */
export function notImplemented(service: ServiceName, operation: string): ServiceError {
  const message = `The operation ${operation} is not implemented.`;
  switch (service) {
    case 's3':
      return new ServiceError('NotImplemented', 501, message);
    case 'kms':
      return new ServiceError('UnsupportedOperationException', 400, message);
    case 'cloudtrail':
      return new ServiceError('UnsupportedOperationException', 400, message);
    case 'iam':
    case 'sts':
      return new ServiceError('NotImplemented', 501, message);
    case 'glacier':
      return new ServiceError('NotImplementedException', 501, message);
  }
}

/** What a caller learns of an error that is none of ServiceError's: nothing. */
export function internalError(service: ServiceName, cause: unknown): ServiceError {
  switch (service) {
    case 's3':
      return new ServiceError('InternalError', 500, 'We encountered an internal error. Please try again.', { cause });
    case 'kms':
      return new ServiceError('KMSInternalException', 500, 'The request was rejected because an internal exception occurred. The request can be retried.', { cause });
    case 'cloudtrail':
      return new ServiceError('InternalFailure', 500, 'The request processing has failed because of an unknown error.', { cause });
    case 'iam':
    case 'sts':
      return new ServiceError('ServiceFailure', 500, 'The request processing has failed because of an unknown error, exception or failure.', { cause });
    case 'glacier':
      return new ServiceError('ServiceUnavailableException', 500, 'Service Unavailable', { cause });
  }
}
