/**
 * The primary process: starts workers, replaces those that die, stops them together. Serves nothing itself and
 * holds nothing that matters, so that it has no reason to die.
 */
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { getCompileCacheDir } from 'node:module';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Prepared } from './prepare.ts';
import { ReportCollection } from './report-collection.ts';
import type { Endpoint } from './settings.ts';
import type { BoundAddresses, ToPrimary, ToWorker } from './worker-messages.ts';

export interface ClusterLog {
  /** `reason`: what a worker said that could not start. */
  workerDied(facts: { processId: number | undefined; code: number | null; signal: string | null; againInMs: number; reason: string | undefined }): void;
}

export interface ClusterOptions {
  prepared: Prepared;
  workers: number;
  log: ClusterLog;
}

export interface Cluster {
  /** Where the workers listen. */
  readonly addresses: BoundAddresses;
  /** Resolves when every worker has gone; those that do not go within `graceMs` are killed. */
  stop(graceMs: number): Promise<void>;
}

/** A worker that lived shorter than this died of something that the next one may die of, too. */
const soonMs = 5_000;
const pauseMsMin = 250;
const pauseMsMax = 30_000;
/** Of the grace that is left to the workers, what the primary keeps for itself. */
const killMarginMs = 500;

/**
 * Buffers of bodies live for a moment. A young generation of 32 MiB lets them die there, where 16 had them promoted and
 * collected with the old: a 64 MiB upload spent 30 % of its time in the collector.
 */
const workerFlags = ['--max-semi-space-size=32'];

/** Resolves when the first worker answers requests. Rejects when the workers cannot start. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  // Workers accept from one shared socket. Handed out by the primary instead, a connection that is on its way to a
  // worker which is killed would be lost with no word to the client, who then waits for ever. As even, when measured.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ exec: fileURLToPath(new URL(`./worker${extname(import.meta.url)}`, import.meta.url)), args: [], execArgv: [...process.execArgv, ...workerFlags] });
  const primary = new Primary({ ...options, prepared: await withPorts(options.prepared) });
  let addresses: BoundAddresses;
  try {
    addresses = await primary.start();
  } catch (error) {
    await primary.stop(0);
    throw error;
  }
  return { addresses, stop: (graceMs) => primary.stop(graceMs) };
}

class Primary {
  readonly #options: ClusterOptions;
  readonly #prepared: Prepared;
  readonly #workers = new Set<Worker>();
  readonly #ready = new Set<Worker>();
  readonly #reasons = new WeakMap<Worker, string>();
  readonly #reports = new ReportCollection();
  readonly #pauses = new Set<NodeJS.Timeout>();
  #stopping = false;
  #pauseMs = 0;
  #firstReady: { resolve(addresses: BoundAddresses): void; reject(error: Error): void } | undefined;
  #lastGone: (() => void) | undefined;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#prepared = options.prepared;
  }

  start(): Promise<BoundAddresses> {
    return new Promise((resolve, reject) => {
      this.#firstReady = { resolve, reject };
      for (let index = 0; index < this.#options.workers; index++) this.#fork();
    });
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    for (const pause of this.#pauses) clearTimeout(pause);
    if (this.#workers.size === 0) return;
    const gone = new Promise<void>((resolve) => {
      this.#lastGone = resolve;
    });
    for (const worker of this.#workers) tell(worker, { kind: 'stop', graceMs: Math.max(0, graceMs - killMarginMs) });
    const kill = setTimeout(() => {
      for (const worker of this.#workers) worker.process.kill('SIGKILL');
    }, graceMs);
    await gone;
    clearTimeout(kill);
  }

  #fork(): void {
    const worker = cluster.fork(workerEnvironment());
    const startedMs = performance.now();
    this.#workers.add(worker);
    worker.on('message', (message: ToPrimary) => this.#hear(worker, message));
    worker.on('exit', (code: number | null, signal: string | null) => {
      this.#workers.delete(worker);
      this.#ready.delete(worker);
      this.#reports.gone(worker);
      this.#replace(worker, performance.now() - startedMs, code, signal);
    });
  }

  #hear(worker: Worker, message: ToPrimary): void {
    switch (message.kind) {
      case 'hello':
        return tell(worker, { kind: 'start', prepared: this.#prepared });
      case 'ready':
        this.#pauseMs = 0;
        this.#ready.add(worker);
        this.#firstReady?.resolve(message.addresses);
        this.#firstReady = undefined;
        return;
      case 'failed':
        this.#reasons.set(worker, message.message);
        return;
      case 'report':
        return this.#reports.answered(worker, message.id, message.report);
      case 'metrics-wanted':
        this.#answerMetrics(worker, message.id).catch(() => tell(worker, { kind: 'metrics', id: message.id, text: '' }));
    }
  }

  async #answerMetrics(worker: Worker, id: number): Promise<void> {
    const reports = await this.#reports.collect(this.#ready, (asked, roundId) => tell(asked, { kind: 'report-wanted', id: roundId }));
    // Loaded when first wanted: the primary counts nothing itself.
    const { addUpMetrics } = await import('./metrics.ts');
    tell(worker, { kind: 'metrics', id, text: await addUpMetrics(reports) });
  }

  #replace(worker: Worker, livedMs: number, code: number | null, signal: string | null): void {
    if (this.#stopping) {
      if (this.#workers.size === 0) this.#lastGone?.();
      return;
    }
    if (this.#firstReady) {
      this.#firstReady.reject(new Error(this.#reasons.get(worker) ?? `a worker ended before it was ready (${signal ?? `exit code ${code}`})`));
      return;
    }
    this.#pauseMs = livedMs < soonMs ? Math.min(pauseMsMax, Math.max(pauseMsMin, this.#pauseMs * 2)) : 0;
    this.#options.log.workerDied({ processId: worker.process.pid, code, signal, againInMs: this.#pauseMs, reason: this.#reasons.get(worker) });
    const pause = setTimeout(() => {
      this.#pauses.delete(pause);
      this.#fork();
    }, this.#pauseMs);
    this.#pauses.add(pause);
  }
}

/** Workers share the primary's cache of compiled code: with it they load in half the time. */
function workerEnvironment(): Record<string, string> {
  const directory = getCompileCacheDir();
  // Node.js names a subdirectory after its version, and expects to be told of the directory above.
  return directory === undefined ? {} : { NODE_COMPILE_CACHE: dirname(directory) };
}

function tell(worker: Worker, message: ToWorker): void {
  // A worker that is gone needs no word any more; its exit is dealt with elsewhere.
  if (worker.isConnected()) worker.send(message, () => undefined);
}

/**
 * With port 0 made a number, which workers that replace dead ones bind again. Between the look and the bind the port
 * is free for others; who cares names a port.
 */
async function withPorts(prepared: Prepared): Promise<Prepared> {
  const { settings } = prepared;
  const [http, https] = await Promise.all([withPort(settings.http), withPort(settings.https)]);
  return { ...prepared, settings: { ...settings, http, https } };
}

async function withPort(endpoint: Endpoint | undefined): Promise<Endpoint | undefined> {
  if (endpoint?.port !== 0) return endpoint;
  const probe = createServer().listen(0, endpoint.host);
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return { ...endpoint, port };
}
