/**
 * One measurement: an operation, a size and an encryption mode, for some seconds, over some connections.
 * Requests are signed beforehand and sent again and again, since a signature holds for 15 minutes: the client must
 * cost as little as possible where it shares a machine with the server.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../../base/index.ts';
import { BenchConnection, type Endpoint, type Reply } from './connection.ts';
import { signedHead, type BenchCredentials } from './sign.ts';

export const operations = ['PUT', 'GET', 'HEAD', 'RANGE', 'LIST', 'DELETE'] as const;
export type BenchOperation = (typeof operations)[number];

/** `default` sends no header at all. */
export const modes = ['default', 's3', 'kms', 'kms-bucket-key', 'dsse', 'sse-c'] as const;
export type BenchMode = (typeof modes)[number];

export interface BenchTarget {
  endpoint: Endpoint;
  /** As the Host header has it. */
  hostHeader: string;
  credentials: BenchCredentials;
  bucket: string;
  clock: Clock;
}

export interface BenchPlan {
  operation: BenchOperation;
  mode: BenchMode;
  sizeBytes: number;
  concurrency: number;
  durationMs: number;
  /** Driven ahead without being counted: code that has not been compiled yet is not what is asked for. */
  warmUpMs?: number;
}

export interface BenchResult extends BenchPlan {
  requests: number;
  seconds: number;
  requestsPerSecond: number;
  megabytesPerSecond: number;
  medianMs: number;
  p99Ms: number;
}

const pieceSizeBytes = 256 * 1024;
const rangeSizeBytes = 4 * 1024;
/** Objects that reads and overwrites go round, so that no single one is hot. */
const objectCountMax = 64;
const objectBytesMax = 256 * 1024 * 1024;

export async function measure(target: BenchTarget, plan: BenchPlan): Promise<BenchResult> {
  const connections = await Promise.all(Array.from({ length: plan.concurrency }, () => BenchConnection.open(target.endpoint)));
  try {
    return await run(target, plan, connections);
  } finally {
    for (const connection of connections) connection.close();
  }
}

async function run(target: BenchTarget, plan: BenchPlan, connections: readonly BenchConnection[]): Promise<BenchResult> {
  const requests = new Requests(target, plan);
  if (plan.operation !== 'PUT' && plan.operation !== 'DELETE') await prepare(requests, connections);
  const latenciesMs: number[] = [];
  let bytes = 0;
  let next = 0;
  const startedMs = performance.now() + (plan.warmUpMs ?? 0);
  const endMs = startedMs + plan.durationMs;
  await Promise.all(connections.map(async (connection) => {
    while (performance.now() < endMs) {
      const index = next++;
      if (plan.operation === 'DELETE') await expectSuccess(connection, requests.put(index), requests.body, false);
      const sentMs = performance.now();
      const reply = await expectSuccess(connection, requests.measured(index), plan.operation === 'PUT' ? requests.body : [], plan.operation === 'HEAD');
      if (sentMs < startedMs) continue;
      latenciesMs.push(performance.now() - sentMs);
      bytes += plan.operation === 'PUT' ? plan.sizeBytes : reply.bodySizeBytes;
    }
  }));
  // A deletion's put is not part of what is measured.
  const busyMs = plan.operation === 'DELETE' ? latenciesMs.reduce((sum, ms) => sum + ms, 0) / plan.concurrency : performance.now() - startedMs;
  latenciesMs.sort((a, b) => a - b);
  const at = (share: number): number => latenciesMs[Math.min(Math.floor(latenciesMs.length * share), latenciesMs.length - 1)] ?? 0;
  const seconds = busyMs / 1_000;
  return {
    ...plan, requests: latenciesMs.length, seconds, requestsPerSecond: latenciesMs.length / seconds, megabytesPerSecond: bytes / seconds / 1e6,
    medianMs: at(0.5), p99Ms: at(0.99),
  };
}

async function prepare(requests: Requests, connections: readonly BenchConnection[]): Promise<void> {
  let next = 0;
  await Promise.all(connections.map(async (connection) => {
    for (let index = next++; index < requests.objectCount; index = next++) await expectSuccess(connection, requests.put(index), requests.body, false);
  }));
}

async function expectSuccess(connection: BenchConnection, head: Buffer, body: readonly Buffer[], isHead: boolean): Promise<Reply> {
  const reply = await connection.send(head, body, isHead);
  if (reply.status < 200 || reply.status > 299) throw new Error(`the server answered ${reply.status}:\n${reply.text}`);
  return reply;
}

/** The signed requests of one plan, made once. */
class Requests {
  readonly objectCount: number;
  readonly body: readonly Buffer[];
  readonly #target: BenchTarget;
  readonly #plan: BenchPlan;
  readonly #prefix = randomBytes(4).toString('hex');
  readonly #encryption: Readonly<Record<string, string>>;
  readonly #puts: Buffer[] = [];
  readonly #measured: Buffer[] = [];

  constructor(target: BenchTarget, plan: BenchPlan) {
    this.#target = target;
    this.#plan = plan;
    this.objectCount = Math.max(1, Math.min(objectCountMax, Math.floor(objectBytesMax / Math.max(plan.sizeBytes, 1))));
    const piece = randomBytes(Math.min(plan.sizeBytes, pieceSizeBytes));
    this.body = Array.from({ length: Math.ceil(plan.sizeBytes / pieceSizeBytes) }, (_, index) => piece.subarray(0, Math.min(pieceSizeBytes, plan.sizeBytes - index * pieceSizeBytes)));
    this.#encryption = encryptionHeaders(plan.mode);
  }

  put(index: number): Buffer {
    const slot = index % this.objectCount;
    return (this.#puts[slot] ??= this.#sign('PUT', slot, this.#encryption, this.#plan.sizeBytes));
  }

  measured(index: number): Buffer {
    const { operation, mode } = this.#plan;
    const slot = index % this.objectCount;
    const readHeaders = mode === 'sse-c' ? this.#encryption : {};
    switch (operation) {
      case 'PUT': return this.put(index);
      case 'GET': return (this.#measured[slot] ??= this.#sign('GET', slot, readHeaders));
      case 'HEAD': return (this.#measured[slot] ??= this.#sign('HEAD', slot, readHeaders));
      case 'RANGE': return (this.#measured[slot] ??= this.#sign('GET', slot, { ...readHeaders, range: this.#range() }));
      case 'DELETE': return (this.#measured[slot] ??= this.#sign('DELETE', slot, {}));
      case 'LIST': return (this.#measured[0] ??= this.#signList());
    }
  }

  /** From the middle, where a range costs most to find. */
  #range(): string {
    const start = Math.max(Math.floor(this.#plan.sizeBytes / 2) - rangeSizeBytes / 2, 0);
    return `bytes=${start}-${Math.max(start, Math.min(start + rangeSizeBytes, this.#plan.sizeBytes) - 1)}`;
  }

  #sign(method: string, slot: number, headers: Readonly<Record<string, string>>, bodySizeBytes = 0): Buffer {
    const path = `/${this.#target.bucket}/${this.#prefix}/${slot}`;
    return signedHead({ method, path, query: '', host: this.#target.hostHeader, headers, bodySizeBytes }, this.#target.credentials, this.#target.clock.nowMs());
  }

  #signList(): Buffer {
    const query = `list-type=2&prefix=${this.#prefix}%2F`;
    return signedHead(
      { method: 'GET', path: `/${this.#target.bucket}`, query, host: this.#target.hostHeader, headers: {}, bodySizeBytes: 0 }, this.#target.credentials, this.#target.clock.nowMs(),
    );
  }
}

function encryptionHeaders(mode: BenchMode): Readonly<Record<string, string>> {
  const sse = 'x-amz-server-side-encryption';
  switch (mode) {
    case 'default': return {};
    case 's3': return { [sse]: 'AES256' };
    case 'kms': return { [sse]: 'aws:kms' };
    case 'kms-bucket-key': return { [sse]: 'aws:kms', [`${sse}-bucket-key-enabled`]: 'true' };
    case 'dsse': return { [sse]: 'aws:kms:dsse' };
    case 'sse-c': {
      const key = randomBytes(32);
      return {
        [`${sse}-customer-algorithm`]: 'AES256', [`${sse}-customer-key`]: key.toString('base64'),
        [`${sse}-customer-key-md5`]: createHash('md5').update(key).digest('base64'),
      };
    }
  }
}

/** Makes the bucket, open for SSE-C. */
export async function makeBucket(target: BenchTarget): Promise<void> {
  const connection = await BenchConnection.open(target.endpoint);
  const send = async (method: string, path: string, query: string, body: string): Promise<void> => {
    const bytes = Buffer.from(body);
    const headers: Record<string, string> = body === '' ? {} : { 'content-md5': createHash('md5').update(bytes).digest('base64') };
    const head = signedHead({ method, path, query, host: target.hostHeader, headers, bodySizeBytes: bytes.byteLength }, target.credentials, target.clock.nowMs());
    const reply = await connection.send(head, body === '' ? [] : [bytes], false);
    if (reply.status > 299 && reply.status !== 409) throw new Error(`the server answered ${reply.status}:\n${reply.text}`);
  };
  try {
    await send('PUT', `/${target.bucket}`, '', '');
    const rule = '<ServerSideEncryptionConfiguration><Rule><BlockedEncryptionTypes><EncryptionType>NONE</EncryptionType></BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>';
    // Servers that do not know blocked types have nothing to open.
    await send('PUT', `/${target.bucket}`, 'encryption=', rule).catch(() => undefined);
  } finally {
    connection.close();
  }
}
