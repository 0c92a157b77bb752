/**
 * Real SDK clients whose wire ends here: what they serialise is handed to us, what we encode is handed to them. And
 * sample values made from a shape, so that every operation can be tried.
 */
import { Readable } from 'node:stream';
import type { HttpRequest, HttpResponse } from '../../src/base/index.ts';
import type { ServiceName } from '../../src/wire/index.ts';
import type { Shape } from '../../src/wire/schema.ts';

interface SdkRequest {
  method: string;
  path: string;
  hostname: string;
  port?: number;
  query?: Record<string, string | string[] | null>;
  headers: Record<string, string>;
  body?: unknown;
}

export interface Captured {
  readonly request: HttpRequest;
  readonly body: Buffer;
}

interface SdkModule {
  readonly [name: string]: unknown;
}

export interface SdkClient {
  send(command: unknown): Promise<Record<string, unknown>>;
}

/** A client of the service that talks to `answer` instead of the network. */
export async function clientOf(service: ServiceName, answer: (captured: Captured) => HttpResponse | Promise<HttpResponse>): Promise<{ client: SdkClient; module: SdkModule }> {
  const module = (await import(`@aws-sdk/client-${service}`)) as SdkModule;
  const names = { s3: 'S3Client', kms: 'KMSClient', iam: 'IAMClient', sts: 'STSClient', glacier: 'GlacierClient', cloudtrail: 'CloudTrailClient' };
  const Client = module[names[service]] as new (config: object) => SdkClient;
  const client = new Client({
    region: 'us-east-1',
    endpoint: 'http://127.0.0.1:9000',
    forcePathStyle: true,
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Sample ids are no ARNs of real resources; the server, not the client, is under test.
    disableS3ExpressSessionAuth: true,
    requestHandler: {
      async handle(request: SdkRequest) {
        const response = await answer(await capture(request));
        return {
          response: {
            statusCode: response.status,
            // Node's client would hand them over with these names too.
            headers: { ...response.headers },
            body: Readable.from(response.body === undefined ? [] : typeof response.body === 'string' || Buffer.isBuffer(response.body) ? [Buffer.from(response.body as string)] : response.body),
          },
        };
      },
    },
  });
  return { client, module };
}

async function capture(request: SdkRequest): Promise<Captured> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) headers[name.toLowerCase()] = value;
  const body = await bytesOf(request.body);
  return {
    body,
    request: {
      method: request.method,
      rawPath: request.path,
      rawQuery: Object.entries(request.query ?? {})
        .flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((item) => (item === null ? encode(name) : `${encode(name)}=${encode(item)}`)))
        .join('&'),
      headers,
      secure: false,
      remoteAddress: '127.0.0.1',
      body: Readable.from([body]),
    },
  };
}

const encode = (text: string): string => encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/** Whatever a body may be, whole. */
export async function bytesOf(body: unknown): Promise<Buffer> {
  if (body === undefined || body === null) return Buffer.alloc(0);
  if (typeof body === 'string') return Buffer.from(body, 'utf8');
  if (body instanceof Uint8Array) return Buffer.from(body);
  const chunks: Buffer[] = [];
  for await (const chunk of body as AsyncIterable<Uint8Array | string>) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

/** A request as the pipeline would hand it over. */
export function requestOf(method: string, target: string, headers: Readonly<Record<string, string>> = {}): HttpRequest {
  const mark = target.indexOf('?');
  return {
    method,
    rawPath: mark < 0 ? target : target.slice(0, mark),
    rawQuery: mark < 0 ? '' : target.slice(mark + 1),
    headers: { host: '127.0.0.1:9000', ...headers },
    secure: false,
    remoteAddress: '127.0.0.1',
    body: Readable.from([]),
  };
}

/** `extent` says which members a sample has: all of them, or the required ones only. */
export type Extent = 'all' | 'required';

export type Override = (member: string, shape: Shape, structure: string) => unknown;

/** A value of the shape. `override` may give a member another value, or leave it out with null. */
export function sample(shape: Shape, extent: Extent, override: Override, name = 'value', depth = 0, structure = ''): unknown {
  switch (shape.kind) {
    case 'struct': {
      const value: Record<string, unknown> = {};
      const members = shape.isUnion ? shape.members.slice(0, 1) : shape.members;
      for (const member of members) {
        if (!shape.isUnion && extent === 'required' && !member.required) continue;
        const given = override(member.name, member.shape, shape.name);
        if (given === null) continue;
        value[member.name] = given ?? sample(member.shape, extent, override, member.name, depth + 1, shape.name);
      }
      return value;
    }
    case 'list':
      return [0, 1].map((index) => override(name, shape.value!, structure) ?? sample(shape.value!, extent, override, `${name}${index}`, depth + 1));
    case 'map':
      return { alpha: sample(shape.value!, extent, override, name, depth + 1), 'beta-2': sample(shape.value!, extent, override, name, depth + 1) };
    case 'string':
      return `${name} <&> \u00fc`;
    case 'number':
      return 7 + depth;
    case 'boolean':
      return true;
    case 'timestamp':
      return new Date('2026-11-23T10:00:00.000Z');
    case 'blob':
      return Buffer.from([0, 255, 10, depth]);
    case 'stream':
      return Buffer.from('streamed body');
    default:
      return {};
  }
}

/** The same value with plain prototypes, so that maps without prototype compare equal. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `bytes:${Buffer.from(value).toString('hex')}`;
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined).map(([key, item]) => [key, plain(item)]));
  }
  return value;
}
