/**
 * The primary process: starts workers, replaces those that die, stops them together. Serves nothing itself and
 * holds nothing that matters, so that it has no reason to die.
 */
import cluster, { type Worker } from 'node:cluster';
import { getCompileCacheDir } from 'node:module';
import { dirname, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Prepared } from './prepare.ts';
import type { BoundAddresses, ToPrimary, ToWorker } from './worker-messages.ts';

export interface ClusterLog {
  /** `reason`: what a worker said that could not start. */
  workerDied(facts: { processId: number | undefined; code: number | null; signal: string | null; againInMs: number; reason: string | undefined }): void;
}

export interface ClusterOptions {
  prepared: Prepared;
  workers: number;
  log: ClusterLog;
  /** The metrics of all workers in one text. */
  collectMetrics(): Promise<string>;
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

/** Resolves when the first worker answers requests. Rejects when the workers cannot start. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  cluster.setupPrimary({ exec: fileURLToPath(new URL(`./worker${extname(import.meta.url)}`, import.meta.url)), args: [] });
  const primary = new Primary(options);
  const addresses = await primary.start();
  return { addresses, stop: (graceMs) => primary.stop(graceMs) };
}

class Primary {
  readonly #options: ClusterOptions;
  #prepared: Prepared;
  readonly #workers = new Set<Worker>();
  readonly #reasons = new WeakMap<Worker, string>();
  readonly #pauses = new Set<NodeJS.Timeout>();
  #addresses: BoundAddresses | undefined;
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
      this.#replace(worker, performance.now() - startedMs, code, signal);
    });
  }

  #hear(worker: Worker, message: ToPrimary): void {
    switch (message.kind) {
      case 'hello':
        return tell(worker, { kind: 'start', prepared: this.#prepared });
      case 'ready':
        this.#pauseMs = 0;
        this.#addresses = message.addresses;
        this.#firstReady?.resolve(message.addresses);
        this.#firstReady = undefined;
        return;
      case 'failed':
        this.#reasons.set(worker, message.message);
        this.#firstReady?.reject(new Error(message.message));
        return;
      case 'metrics-wanted':
        void this.#options.collectMetrics().then(
          (text) => tell(worker, { kind: 'metrics', id: message.id, text }),
          () => tell(worker, { kind: 'metrics', id: message.id, text: '' }),
        );
    }
  }

  #replace(worker: Worker, livedMs: number, code: number | null, signal: string | null): void {
    if (this.#stopping) {
      if (this.#workers.size === 0) this.#lastGone?.();
      return;
    }
    // A port that the system chose lives as long as a worker that listens on it; the next one must ask for it by number.
    if (this.#workers.size === 0 && this.#addresses) this.#prepared = withPorts(this.#prepared, this.#addresses);
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

function withPorts(prepared: Prepared, { http, https }: BoundAddresses): Prepared {
  const { settings } = prepared;
  return {
    ...prepared,
    settings: {
      ...settings,
      http: settings.http && http ? { ...settings.http, port: http.port } : settings.http,
      https: settings.https && https ? { ...settings.https, port: https.port } : settings.https,
    },
  };
}
