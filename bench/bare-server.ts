/** What node:http costs alone: answers so many bytes to GET, takes in whatever is PUT. `node bare-server.ts SIZE`. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const sizeBytes = Number(process.argv[2]);
const piece = Buffer.alloc(Math.min(sizeBytes, 256 * 1024), 'x');
const server = createServer((request, response) => {
  if (request.method === 'PUT') {
    request.on('data', () => undefined).on('end', () => response.end());
    return;
  }
  response.setHeader('content-length', sizeBytes);
  let left = sizeBytes;
  const write = (): void => {
    while (left > 0) {
      const next = left < piece.length ? piece.subarray(0, left) : piece;
      left -= next.length;
      if (left === 0) response.end(next);
      else if (!response.write(next)) return void response.once('drain', write);
    }
  };
  write();
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`port ${(server.address() as AddressInfo).port}\n`));
