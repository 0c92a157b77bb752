/**
 * The pages beside the APIs, under `/_/`, which no bucket name can begin with:
 *
 *     GET /_/health    200 when requests can be served, 503 when not; JSON; open to everybody, says nothing else
 *     GET /_/metrics   Prometheus text over all workers; for callers on this machine only
 */
import { isIP } from 'node:net';
import type { HttpRequest } from '../base/index.ts';
import { addressRequest } from '../wire/index.ts';
import type { Answer } from './listener.ts';

export interface PagesOptions {
  baseDomains: readonly string[];
  /** Rejects or resolves false when requests cannot be served. */
  isReady(): Promise<boolean>;
  metrics(): Promise<string>;
}

export type Pages = (request: HttpRequest) => Promise<Answer> | undefined;

/** Undefined for requests that are none of these pages'. */
export function serverPages(options: PagesOptions): Pages {
  return (request) => (request.rawPath.startsWith('/_/') && !isBucketHost(request, options.baseDomains) ? answer(request, options) : undefined);
}

/** On a bucket's own host name `_/health` is an object key like any other. */
function isBucketHost(request: HttpRequest, baseDomains: readonly string[]): boolean {
  try {
    const address = addressRequest({ ...request, rawQuery: '' }, { baseDomains, scopeService: 's3' });
    return address.service === 's3' && address.virtualHost;
  } catch {
    return false;
  }
}

async function answer(request: HttpRequest, { isReady, metrics }: PagesOptions): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return page(405, 'text/plain', 'Only GET is possible here.\n', { allow: 'GET, HEAD' });
  switch (request.rawPath) {
    case '/_/health': {
      const ready = await isReady().catch(() => false);
      return page(ready ? 200 : 503, 'application/json', `${JSON.stringify({ status: ready ? 'ok' : 'unavailable' })}\n`);
    }
    case '/_/metrics':
      if (!isFromThisMachine(request)) return page(403, 'text/plain', 'Metrics are answered to callers on this machine only.\n');
      return page(200, 'text/plain; version=0.0.4; charset=utf-8', await metrics());
    default:
      return page(404, 'text/plain', 'There is no such page.\n');
  }
}

/** A proxy that nobody configured must not make the world look local: what it forwards for is not on this machine. */
function isFromThisMachine({ remoteAddress, headers }: HttpRequest): boolean {
  if (remoteAddress !== '::1' && !(isIP(remoteAddress) === 4 && remoteAddress.startsWith('127.'))) return false;
  return headers['x-forwarded-for'] === undefined && headers['forwarded'] === undefined;
}

function page(status: number, contentType: string, body: string, headers: Record<string, string> = {}): Answer {
  return { status, headers: { ...headers, 'content-type': contentType, 'cache-control': 'no-store', server: 'Coffer' }, body };
}
