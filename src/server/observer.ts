/** Where everything that an operator may want to know goes: the log and the metrics. */
import type { RequestRecord } from './pipeline.ts';

export interface Observer {
  request(record: RequestRecord): void;
  jobFailed(job: string, error: unknown): void;
  /** Prometheus text of this process. */
  metrics(): Promise<string>;
}

export const noObserver: Observer = {
  request: () => undefined,
  jobFailed: () => undefined,
  metrics: async () => '',
};
