/**
 * Answers to what never became a request: bytes that are not HTTP, headers without end, headers that do not
 * come. Written to the bare socket, because there is no exchange to answer.
 */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { ServiceError, systemClock } from '../base/index.ts';
import { incompleteBody, type RequestBody } from './request-body.ts';

/**
 * `body` is that of the connection's latest request. When it is still being read, its reader gets the error
 * and answers it; nobody else may write to the socket then.
 */
export function answerMalformed(error: NodeJS.ErrnoException, socket: Socket, body: RequestBody | undefined): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  if (body?.fail(error.code === 'HPE_INVALID_EOF_STATE' ? incompleteBody() : badFraming())) return;
  const { code, message, status } = describe(error);
  const requestId = randomBytes(8).toString('hex').toUpperCase();
  const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message><RequestId>${requestId}</RequestId></Error>`;
  socket.end(
    `HTTP/1.1 ${status}\r\nx-amz-request-id: ${requestId}\r\nContent-Type: application/xml\r\nContent-Length: ${xml.length}\r\n` +
      `Date: ${new Date(systemClock.nowMs()).toUTCString()}\r\nServer: Coffer\r\nConnection: close\r\n\r\n${xml}`,
    () => socket.destroySoon(),
  );
}

function describe({ code }: NodeJS.ErrnoException): { code: string; message: string; status: string } {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return {
        code: 'RequestHeaderSectionTooLarge',
        message: 'Your request header section exceeds the maximum allowed size.',
        status: '400 Bad Request',
      };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return {
        code: 'RequestTimeout',
        message: 'Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.',
        status: '400 Bad Request',
      };
    default:
      return { code: 'BadRequest', message: 'An error occurred when parsing the HTTP request.', status: '400 Bad Request' };
  }
}

function badFraming(): ServiceError {
  return new ServiceError('BadRequest', 400, 'An error occurred when parsing the HTTP request.', { headers: { connection: 'close' } });
}
