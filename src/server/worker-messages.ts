/** What the primary process and its workers say to each other. */
import type { AddressInfo } from 'node:net';
import type { MetricsReport } from './metrics.ts';
import type { Prepared } from './prepare.ts';

export type ToWorker =
  /** The first message: what to serve. */
  | { kind: 'start'; prepared: Prepared }
  /** Finish what is under way within `graceMs`, then exit with 0. */
  | { kind: 'stop'; graceMs: number }
  /** Answer with a `report` of the same id. */
  | { kind: 'report-wanted'; id: number }
  /** The metrics of all workers, in Prometheus text; answers `metrics-wanted` of the same id. */
  | { kind: 'metrics'; id: number; text: string };

export type ToPrimary =
  /** Loaded and waiting for `start`. */
  | { kind: 'hello' }
  | { kind: 'ready'; addresses: BoundAddresses }
  /** The start failed for a reason that the operator can mend; the worker exits. */
  | { kind: 'failed'; message: string }
  | { kind: 'metrics-wanted'; id: number }
  | { kind: 'report'; id: number; report: MetricsReport };

export interface BoundAddresses {
  http?: AddressInfo | undefined;
  https?: AddressInfo | undefined;
}
