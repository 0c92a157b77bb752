/** `coffer serve`: prepares the data, starts the workers, tells where they listen, ends them on a signal. */
import { startCluster } from '../server/cluster.ts';
import { describeSettings } from '../server/config.ts';
import { createLog } from '../server/log.ts';
import { prepare } from '../server/prepare.ts';
import type { Command } from './command.ts';
import { describeStart } from './describe-start.ts';
import { readSettings } from './read-settings.ts';

/** From the signal to the exit: requests that take longer are cut. */
const stopGraceMs = 9_500;

const usage = `Usage: coffer serve [options]

Serves S3 and KMS over HTTP and HTTPS until it gets SIGTERM or SIGINT.

${describeSettings()}`;

export const command: Command = async (args) => {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(usage);
    return 0;
  }
  const config = readSettings(args);
  if (!config) return 2;

  const { prepared, lock } = await prepare(config);
  const log = createLog({ level: config.logLevel });
  const stopped = signalled();
  const cluster = await startCluster({
    prepared,
    workers: config.workers,
    log: {
      workerDied: ({ processId, code, signal, againInMs, reason }) =>
        log.event('error', 'a worker died and is replaced', {
          againInMs, ...(processId === undefined ? {} : { processId }), ...(code === null ? {} : { exitCode: code }), ...(signal === null ? {} : { signal }),
        }, reason === undefined ? undefined : new Error(reason)),
    },
  });
  process.stdout.write(describeStart(prepared, cluster.addresses));
  log.event('info', 'ready', { workers: config.workers, fingerprint: prepared.rootFingerprint });
  if (config.keysOverHttp === 'loopback') log.event('warn', 'keys-over-http=loopback: programs on this machine may send keys over plain HTTP');

  log.event('info', 'stopping', { signal: await stopped });
  await cluster.stop(stopGraceMs);
  lock.release();
  log.flush();
  return 0;
};

/** A second signal does not wait for requests under way. */
function signalled(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let count = 0;
    const onSignal = (signal: NodeJS.Signals): void => {
      count += 1;
      if (count > 1) process.exit(1);
      resolve(signal);
    };
    for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, onSignal);
  });
}
