/** One serving process: rooms, listeners, the pages beside the APIs, background work; and their orderly end. */
import { readFile } from 'node:fs/promises';
import { systemClock, type Clock, type HttpRequest } from '../base/index.ts';
import { assemble } from './assemble.ts';
import { Background } from './background.ts';
import { bucketCertificates } from './bucket-certificates.ts';
import { trustedProxies } from './connection.ts';
import { createListener, type Answer, type Listener, type ListenerLimits, type ListenerTls } from './listener.ts';
import type { Observer } from './observer.ts';
import type { Prepared } from './prepare.ts';
import type { Rooms } from './rooms.ts';
import { serverPages } from './server-pages.ts';
import type { Endpoint } from './settings.ts';
import type { BoundAddresses } from './worker-messages.ts';

export interface ServerParts {
  observer: Observer;
  /** The metrics of all workers; those of this process when absent. */
  allMetrics?: (() => Promise<string>) | undefined;
  clock?: Clock;
  limits?: Partial<ListenerLimits>;
}

export interface RunningServer {
  readonly addresses: BoundAddresses;
  readonly rooms: Rooms;
  /** Accepts no more, finishes what is under way within `graceMs`, closes the stores. */
  stop(graceMs: number): Promise<void>;
}

/** Resolves when requests are answered. Throws when a store cannot be opened or an address not be bound. */
export async function startServer(prepared: Prepared, parts: ServerParts): Promise<RunningServer> {
  const { settings } = prepared;
  const { observer, clock = systemClock } = parts;
  const { rooms, pipeline, jobs } = await assemble(prepared, clock, observer);
  const listeners: Listener[] = [];
  try {
    let stopping = false;
    const pages = serverPages({
      baseDomains: settings.domains,
      isReady: async () => !stopping && (await canRead(rooms)),
      metrics: parts.allMetrics ?? (() => observer.metrics()),
    });
    const handle = (request: HttpRequest): Promise<Answer> => pages(request) ?? pipeline.handle(request);
    const common = { handle, limits: parts.limits ?? {}, ...(settings.trustedProxies.length > 0 ? { trustedProxies: trustedProxies(settings.trustedProxies) } : {}) };
    const listen = async ({ host, port }: Endpoint, listener: Listener) => {
      listeners.push(listener);
      return listener.listen(host, port).catch((error: unknown) => {
        throw cannotListen(host, port, error);
      });
    };
    const http = settings.http && (await listen(settings.http, createListener(common)));
    const https = settings.https && (await listen(settings.https, createListener({ ...common, tls: await readTls(prepared, clock) })));

    const background = new Background({ catalog: rooms.store.catalog, clock, jobs, log: { failed: (job, error) => observer.jobFailed(job, error) } });
    background.start();
    return {
      addresses: { http, https },
      rooms,
      stop: async (graceMs) => {
        stopping = true;
        await Promise.all([background.stop(), ...listeners.map((listener) => listener.close(graceMs))]);
        await rooms.close();
      },
    };
  } catch (error) {
    await Promise.all(listeners.map((listener) => listener.close(0)));
    await rooms.close();
    throw error;
  }
}

function cannotListen(host: string, port: number, cause: unknown): Error {
  const { code, message } = cause as NodeJS.ErrnoException;
  const reasons: Record<string, string> = { EADDRINUSE: 'another program listens there', EACCES: 'this user may not use that port', EADDRNOTAVAIL: 'this machine has no such address' };
  return new Error(`cannot listen on ${host}:${port}: ${reasons[code ?? ''] ?? message}`, { cause });
}

async function canRead({ store: { catalog } }: Rooms): Promise<boolean> {
  await catalog.get(Buffer.from('health'));
  return true;
}

async function readTls({ tls, settings }: Prepared, clock: Clock): Promise<ListenerTls> {
  if (!tls) throw new Error('HTTPS is on, and no certificate was prepared');
  const [key, cert, forBuckets] = await Promise.all([
    readFile(tls.keyPath),
    readFile(tls.certPath),
    bucketCertificates(tls, [...new Set(['localhost', ...settings.domains])], clock),
  ]);
  return { key, cert, ...(forBuckets ? { SNICallback: forBuckets } : {}) };
}
