/** One serving process: rooms, listeners, the pages beside the APIs, background work; and their orderly end. */
import { readFile } from 'node:fs/promises';
import { systemClock, type Clock } from '../base/index.ts';
import { assemble } from './assemble.ts';
import { Background } from './background.ts';
import { trustedProxies } from './connection.ts';
import { createListener, type Handler, type Listener, type ListenerLimits } from './listener.ts';
import { createLog, type Log } from './log.ts';
import { Metrics } from './metrics.ts';
import { serverPages } from './server-pages.ts';
import type { Prepared } from './prepare.ts';
import type { BoundAddresses } from './worker-messages.ts';

export interface ServerParts {
  /** The metrics of all workers; those of this process when absent. */
  allMetrics?: () => Promise<string>;
  clock?: Clock;
  log?: Log;
  limits?: Partial<ListenerLimits>;
}

export interface RunningServer {
  readonly addresses: BoundAddresses;
  /** Accepts no more, finishes what is under way within `graceMs`, closes the stores. */
  stop(graceMs: number): Promise<void>;
}
