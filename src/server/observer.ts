/** Where everything that an operator may want to know goes: the log and the metrics, of one process. */
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { RequestRecord } from './pipeline.ts';

export interface Observer {
  request(record: RequestRecord): void;
  /** Background work that is tried again at its next turn. */
  jobFailed(job: string, error: unknown): void;
  /** Prometheus text of this process. */
  metrics(): Promise<string>;
}

export function createObserver(log: Log, metrics: Metrics): Observer {
  return {
    request(record) {
      metrics.request(record);
      log.request(record);
    },
    jobFailed: (job, error) => log.event('error', 'background job failed', { job }, error),
    metrics: () => metrics.text(),
  };
}
