/** What a worker needs to serve, in one import that takes a while. */
export { createLog } from './log.ts';
export { createMetrics } from './metrics.ts';
export { createObserver } from './observer.ts';
export { startServer } from './server.ts';
