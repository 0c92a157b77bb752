/**
 * Work that nobody waits for, done by one process at a time: whoever holds the lease in the catalog runs the
 * jobs; when it dies, its lease runs out and another goes on. Jobs must therefore stand being run twice.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../base/index.ts';
import type { Catalog } from '../catalog/index.ts';

export interface Job {
  /** For the log. */
  name: string;
  /** From the end of one run to the beginning of the next. */
  everyMs: number;
  /** One round of work; stops early when the signal fires. */
  run(signal: AbortSignal): Promise<unknown>;
}

export interface BackgroundLog {
  /** A job failed; it is tried again at its next turn. */
  failed(job: string, error: unknown): void;
}

export interface BackgroundOptions {
  catalog: Catalog;
  clock: Clock;
  jobs: readonly Job[];
  log: BackgroundLog;
  /** How long a lease holds without renewal. */
  leaseMs?: number;
}

interface LeaseRecord {
  v: 1;
  holder: string;
  expiresMs: number;
}

const leaseKey = Buffer.from('l/background');

export class Background {
  readonly #catalog: Catalog;
  readonly #clock: Clock;
  readonly #log: BackgroundLog;
  readonly #leaseMs: number;
  readonly #holder = randomBytes(16).toString('hex');
  readonly #jobs: { job: Job; dueMs: number }[];
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  #leaseUntilMs = 0;

  constructor({ catalog, clock, jobs, log, leaseMs = 30_000 }: BackgroundOptions) {
    this.#catalog = catalog;
    this.#clock = clock;
    this.#log = log;
    this.#leaseMs = leaseMs;
    this.#jobs = jobs.map((job) => ({ job, dueMs: 0 }));
  }

  /** Begins at once, and looks again several times within each lease. */
  start(): void {
    const next = (): void => {
      this.#round = this.runDue().then(() => {
        if (this.#stop.signal.aborted) return;
        this.#timer = setTimeout(next, this.#leaseMs / 3);
        this.#timer.unref();
      });
    };
    next();
  }

  /** One look: takes or renews the lease, runs what is due. Never throws. */
  async runDue(): Promise<void> {
    for (const entry of this.#jobs) {
      if (this.#stop.signal.aborted || this.#clock.nowMs() < entry.dueMs) continue;
      try {
        if (!(await this.#holdLease())) return;
        await this.#runUnderLease(entry.job);
      } catch (error) {
        this.#log.failed(entry.job.name, error);
      }
      entry.dueMs = this.#clock.nowMs() + entry.job.everyMs;
    }
  }

  /** Tells the jobs to stop, waits for them, and gives the lease back so that another may go on at once. */
  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#round;
    await this.#giveLeaseBack().catch((error: unknown) => this.#log.failed('lease', error));
  }

  /** A job that outlasts the lease keeps it; one that loses it is told to stop. */
  async #runUnderLease(job: Job): Promise<void> {
    const lost = new AbortController();
    const renewal = setInterval(() => {
      this.#holdLease().then(
        (held) => held || lost.abort(),
        () => lost.abort(),
      );
    }, this.#leaseMs / 3);
    renewal.unref();
    try {
      await job.run(AbortSignal.any([this.#stop.signal, lost.signal]));
    } finally {
      clearInterval(renewal);
    }
  }

  /** True when this process may work for now: the lease was free, run out, or ours. */
  async #holdLease(): Promise<boolean> {
    const nowMs = this.#clock.nowMs();
    if (nowMs < this.#leaseUntilMs - (this.#leaseMs * 2) / 3) return true;
    const value = await this.#catalog.get(leaseKey);
    const lease = value && (JSON.parse(value.toString()) as LeaseRecord);
    if (lease && lease.holder !== this.#holder && nowMs < lease.expiresMs) return false;
    const mine: LeaseRecord = { v: 1, holder: this.#holder, expiresMs: nowMs + this.#leaseMs };
    const taken = await this.#catalog.commit({
      checks: [{ kind: 'value', key: leaseKey, value }],
      puts: [{ key: leaseKey, value: Buffer.from(JSON.stringify(mine)) }],
    });
    if (taken) this.#leaseUntilMs = mine.expiresMs;
    return taken;
  }

  async #giveLeaseBack(): Promise<void> {
    const value = await this.#catalog.get(leaseKey);
    if (!value || (JSON.parse(value.toString()) as LeaseRecord).holder !== this.#holder) return;
    await this.#catalog.commit({ checks: [{ kind: 'value', key: leaseKey, value }], deletes: [leaseKey] });
  }
}
