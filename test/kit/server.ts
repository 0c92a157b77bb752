/**
 * A whole server in this process, on ports of its own over a data directory of its own: LMDB, files, real sockets.
 * Real SDK clients and requests signed by hand talk to it.
 */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KMSClient, type KMSClientConfig } from '@aws-sdk/client-kms';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { KeyUseEvent } from '../../src/audit/index.ts';
import { MovableClock } from '../../src/base/index.ts';
import { noMeter } from '../../src/objects/index.ts';
import type { Config } from '../../src/server/config.ts';
import { createLog } from '../../src/server/log.ts';
import type { ListenerLimits } from '../../src/server/listener.ts';
import type { Observer } from '../../src/server/observer.ts';
import type { RequestRecord } from '../../src/server/pipeline.ts';
import { prepare } from '../../src/server/prepare.ts';
import { startServer as startRealServer, type RunningServer } from '../../src/server/server.ts';
import { sign } from './sign.ts';

export interface StartOptions {
  settings?: Partial<Config>;
  limits?: Partial<ListenerLimits>;
  clock?: MovableClock;
  /** Keep working on the data of a server that was stopped with `keepData`. */
  dataDir?: string;
}

export interface RawRequestOptions {
  /** Default true. */
  sign?: boolean;
  /** Default `http`. */
  scheme?: 'http' | 'https';
  /** Of the signature; default `s3`. */
  service?: string;
  region?: string;
}

export interface RawAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface TestServer {
  readonly httpUrl: string;
  readonly httpsUrl: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** PEM of the CA that signed the HTTPS certificate. */
  readonly ca: Buffer;
  readonly credentials: { accessKeyId: string; secretAccessKey: string };
  readonly dataDir: string;
  readonly clock: MovableClock;
  /** One for each answered request, oldest first. */
  readonly requests: RequestRecord[];
  /** What the audit log was told, oldest first. */
  readonly keyUses: KeyUseEvent[];
  /** What the log wrote at its most talkative level, oldest first. */
  readonly logLines: string[];
  readonly running: RunningServer;
  /** Over HTTPS, path style; `scheme: 'http'` for plain HTTP. Destroyed with the server. */
  s3(options?: S3ClientConfig & { scheme?: 'http' | 'https' }): S3Client;
  kms(options?: KMSClientConfig & { scheme?: 'http' | 'https' }): KMSClient;
  /** `target`: path and query as they shall stand in the request line. */
  rawRequest(method: string, target: string, headers?: Record<string, string>, body?: string | Uint8Array, options?: RawRequestOptions): Promise<RawAnswer>;
  stop(options?: { keepData?: boolean }): Promise<void>;
}

export const testAccount = '111122223333';
export const testRegion = 'us-east-1';

export async function startServer(options: StartOptions = {}): Promise<TestServer> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'coffer-test-')));
  const clock = options.clock ?? new MovableClock();
  const { prepared, lock } = await prepare({
    data: dataDir,
    http: { host: '127.0.0.1', port: 0 },
    https: { host: '127.0.0.1', port: 0 },
    region: testRegion,
    account: testAccount,
    domains: [],
    workers: 1,
    rootKeyPath: join(dataDir, 'root.key'),
    logLevel: 'info',
    trustedProxies: [],
    defaultEncryption: 'AES256',
    newBucketsBlock: 'NONE',
    keysOverHttp: 'loopback',
    ...options.settings,
  });
  const requests: RequestRecord[] = [];
  const keyUses: KeyUseEvent[] = [];
  const logLines: string[] = [];
  const log = createLog({ level: 'debug', destination: { write: (line) => void logLines.push(line) } });
  const observer: Observer = {
    request: (record) => {
      requests.push(record);
      log.request(record);
    },
    keyUse: (event) => {
      keyUses.push(event);
      log.keyUse(event);
    },
    meter: noMeter,
    keyCacheHit: () => undefined,
    jobFailed: (job, error) => console.error(`background job ${job} failed:`, error),
    metrics: async () => '',
    metricsReport: async () => [],
  };
  const running = await startRealServer(prepared, { observer, clock, limits: options.limits ?? {} });
  const ca = prepared.tls?.caPath !== undefined ? await readFile(prepared.tls.caPath) : Buffer.alloc(0);
  const agents = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true, ca }) };
  const clients: { destroy(): void }[] = [];
  const { credentials } = prepared;
  const ports = { http: running.addresses.http?.port ?? 0, https: running.addresses.https?.port ?? 0 };
  const urls = { http: `http://127.0.0.1:${ports.http}`, https: `https://127.0.0.1:${ports.https}` };
  const common = (scheme: 'http' | 'https') => ({
    endpoint: urls[scheme],
    region: testRegion,
    credentials,
    requestHandler: { httpAgent: agents.http, httpsAgent: agents.https },
  });

  return {
    httpUrl: urls.http,
    httpsUrl: urls.https,
    httpPort: ports.http,
    httpsPort: ports.https,
    ca,
    credentials,
    dataDir,
    clock,
    keyUses,
    logLines,
    requests,
    running,
    s3: ({ scheme = 'https', ...more } = {}) => {
      const client = new S3Client({ ...common(scheme), forcePathStyle: true, ...more });
      clients.push(client);
      return client;
    },
    kms: ({ scheme = 'https', ...more } = {}) => {
      const client = new KMSClient({ ...common(scheme), ...more });
      clients.push(client);
      return client;
    },
    rawRequest: async (method, target, headers = {}, body, { sign: signed = true, scheme = 'http', service, region } = {}) => {
      const bare = { host: `127.0.0.1:${ports[scheme]}`, ...headers };
      const allHeaders = signed ? await sign({ method, target, headers: bare, body, ...(service ? { service } : {}), region: region ?? testRegion }, credentials) : bare;
      const send = scheme === 'https' ? httpsRequest : httpRequest;
      const sent = send({ host: '127.0.0.1', port: ports[scheme], method, path: target, headers: allHeaders, agent: agents[scheme] as HttpsAgent });
      sent.end(body);
      const [response] = await once(sent, 'response');
      const pieces: Buffer[] = [];
      for await (const piece of response) pieces.push(piece as Buffer);
      return { status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces) };
    },
    stop: async ({ keepData = false } = {}) => {
      for (const client of clients) client.destroy();
      for (const agent of Object.values(agents)) agent.destroy();
      await running.stop(1_000);
      lock.release();
      if (!keepData) await rm(dataDir, { recursive: true });
    },
  };
}
