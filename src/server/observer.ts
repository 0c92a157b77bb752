/** Where everything that an operator may want to know goes: the log and the metrics, of one process. */
import type { KeyUseEvent } from '../audit/index.ts';
import type { StoreMeter } from '../objects/index.ts';
import type { Log } from './log.ts';
import type { Metrics, MetricsReport } from './metrics.ts';
import type { RequestRecord } from './pipeline.ts';

export interface Observer {
  request(record: RequestRecord): void;
  /** A use of a KMS key, be it refused. */
  keyUse(event: KeyUseEvent): void;
  readonly meter: StoreMeter;
  keyCacheHit(): void;
  /** Background work that is tried again at its next turn. */
  jobFailed(job: string, error: unknown): void;
  /** Prometheus text of this process. */
  metrics(): Promise<string>;
  metricsReport(): Promise<MetricsReport>;
}

export function createObserver(log: Log, metrics: Metrics): Observer {
  return {
    request(record) {
      metrics.request(record);
      log.request(record);
    },
    keyUse(event) {
      metrics.keyCall(event.eventName, resultOf(event));
      log.keyUse(event);
    },
    meter: metrics,
    keyCacheHit: () => metrics.keyCacheHit(),
    jobFailed: (job, error) => log.event('error', 'background job failed', { job }, error),
    metrics: () => metrics.text(),
    metricsReport: () => metrics.report(),
  };
}

function resultOf({ errorCode }: KeyUseEvent): 'success' | 'denied' | 'failed' {
  if (errorCode === undefined) return 'success';
  return errorCode === 'AccessDenied' ? 'denied' : 'failed';
}
