/** A worker process: waits to be told what to serve, serves it, stops when told or when the primary is gone. */
import { flushCompileCache } from 'node:module';
import type { Log } from './log.ts';
import type { Observer } from './observer.ts';
import type { RunningServer } from './server.ts';
import type { ToPrimary, ToWorker } from './worker-messages.ts';

const stopGraceMs = 9_000;

// Loaded while the primary prepares what to serve.
const modules = import('./worker-modules.ts');
let running: RunningServer | undefined;
let log: Log | undefined;
let observer: Observer | undefined;
let stopping = false;
let lastMetricsId = 0;
const metricsWaiters = new Map<number, (text: string) => void>();

function tell(message: ToPrimary): void {
  process.send?.(message);
}

async function start(message: ToWorker & { kind: 'start' }): Promise<void> {
  try {
    const { createLog, createMetrics, createObserver, startServer } = await modules;
    log = createLog({ level: message.prepared.settings.logLevel });
    observer = createObserver(log, createMetrics({ processMetrics: true }));
    running = await startServer(message.prepared, { observer, allMetrics });
    tell({ kind: 'ready', addresses: running.addresses });
    // Written at exit otherwise, and a worker may end without one.
    setImmediate(flushCompileCache);
  } catch (error) {
    process.send?.({ kind: 'failed', message: error instanceof Error ? error.message : String(error) } satisfies ToPrimary, () => process.exit(1));
  }
}

async function stop(graceMs: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  await running?.stop(graceMs);
  log?.flush();
  process.exit(0);
}

/** Asks the primary, which asks all workers. */
function allMetrics(): Promise<string> {
  const id = ++lastMetricsId;
  return new Promise((resolve) => {
    metricsWaiters.set(id, resolve);
    tell({ kind: 'metrics-wanted', id });
  });
}

process.on('message', (message: ToWorker) => {
  switch (message.kind) {
    case 'start':
      return void start(message);
    case 'stop':
      return void stop(message.graceMs);
    case 'report-wanted':
      return void observer?.metricsReport().then((report) => tell({ kind: 'report', id: message.id, report }));
    case 'metrics':
      metricsWaiters.get(message.id)?.(message.text);
      metricsWaiters.delete(message.id);
  }
});
process.on('uncaughtExceptionMonitor', (error) => {
  log?.event('error', 'the worker ends after an error that nobody expected', {}, error);
  log?.flush();
});
// The lock on the data is the primary's: without it another server may start, so nothing more may be written.
process.on('disconnect', () => process.exit(1));
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void stop(stopGraceMs));

tell({ kind: 'hello' });
