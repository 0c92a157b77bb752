/** Signature V4 of the requests that the bench sends: header form, path and query already in canonical form. */
import { createHmac, hash } from 'node:crypto';

export interface BenchCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  region: string;
}

export interface BenchRequest {
  method: string;
  /** Canonically percent-encoded. */
  path: string;
  /** Canonical query string, without `?`. */
  query: string;
  host: string;
  headers: Readonly<Record<string, string>>;
  /** Size of the body that will follow. */
  bodySizeBytes: number;
}

/** The head of the request as it goes over the wire, empty line included. The signature holds for 15 minutes. */
export function signedHead(request: BenchRequest, credentials: BenchCredentials, nowMs: number): Buffer {
  const { accessKeyId, secretAccessKey, region } = credentials;
  const timestamp = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  const date = timestamp.slice(0, 8);
  const headers: Record<string, string> = {
    ...request.headers, host: request.host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'x-amz-date': timestamp,
  };
  const names = Object.keys(headers).sort();
  const canonicalHeaders = names.map((name) => `${name}:${headers[name] as string}\n`).join('');
  const signedHeaders = names.join(';');
  const canonical = [request.method, request.path, request.query, canonicalHeaders, signedHeaders, 'UNSIGNED-PAYLOAD'].join('\n');
  const scope = `${date}/${region}/s3/aws4_request`;
  const stringToSign = ['AWS4-HMAC-SHA256', timestamp, scope, hash('sha256', canonical, 'hex')].join('\n');
  let key: Buffer = Buffer.from(`AWS4${secretAccessKey}`);
  for (const part of [date, region, 's3', 'aws4_request']) key = createHmac('sha256', key).update(part).digest();
  const signature = createHmac('sha256', key).update(stringToSign).digest('hex');
  const lines = [
    `${request.method} ${request.path}${request.query === '' ? '' : `?${request.query}`} HTTP/1.1`,
    ...names.map((name) => `${name}: ${headers[name] as string}`),
    `authorization: AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`,
  ];
  if (request.bodySizeBytes > 0 || request.method === 'PUT' || request.method === 'POST') lines.push(`content-length: ${request.bodySizeBytes}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
