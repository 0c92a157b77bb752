/**
 * `coffer serve` as an operator runs it: a process of its own with several workers, HTTP and HTTPS under its local CA,
 * over a data directory of its own. Leaves clients to clients.ts.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
const startMsMax = 60_000;
const stopMsMax = 30_000;

export interface CofferOptions {
  /** A directory of the test's own. Below it `data`, `tmp` and `home` of the server come to lie. */
  directory: string;
  workers?: number;
  /** More flags of `coffer serve`. */
  flags?: readonly string[];
  /** Those of an earlier start, to come back to the same address. Absent: free ones. */
  ports?: { http: number; https: number };
}

export interface Coffer {
  readonly directory: string;
  readonly data: string;
  readonly httpUrl: string;
  readonly httpsUrl: string;
  readonly ports: { http: number; https: number };
  /** Path of the certificate (PEM) that clients must trust. */
  readonly caPath: string;
  readonly credentials: { accessKeyId: string; secretAccessKey: string };
  readonly primaryId: number;
  /** Everything that was written to standard output and standard error. */
  output(): string;
  workerIds(): number[];
  /** SIGTERM, and its end. Throws when it does not end well. */
  stop(): Promise<void>;
  /** SIGKILL to the primary and all workers in one call; resolves when the primary is gone. */
  kill(): Promise<void>;
}

/** Resolves when every listener answers. Throws with what the server wrote when it does not come up. */
export async function startCoffer({ directory, workers = 3, flags = [], ports = { http: 0, https: 0 } }: CofferOptions): Promise<Coffer> {
  const data = join(directory, 'data');
  const temporary = join(directory, 'tmp');
  await mkdir(temporary, { recursive: true });
  const parameters = [
    program, 'serve', '--data', data,
    '--http', `127.0.0.1:${ports.http}`, '--https', `127.0.0.1:${ports.https}`, '--workers', String(workers), ...flags,
  ];
  // A process group of its own, so that it can be killed whole. Nothing of the caller's environment reaches it.
  const child = spawn(process.execPath, parameters, {
    cwd: directory,
    env: { PATH: '/usr/bin:/bin', HOME: directory, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const pieces: Buffer[] = [];
  const output = (): string => Buffer.concat(pieces).toString('utf8');
  child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
  child.stderr.on('data', (piece: Buffer) => pieces.push(piece));
  const endWithUs = (): void => killGroup(child);
  process.once('exit', endWithUs);
  child.once('exit', () => process.off('exit', endWithUs));

  const bound = await portsOf(child, output);
  await ready(`http://127.0.0.1:${bound.http}/_/health`, child, output);
  return {
    directory, data,
    httpUrl: `http://127.0.0.1:${bound.http}`,
    httpsUrl: `https://127.0.0.1:${bound.https}`,
    ports: bound,
    caPath: join(data, 'tls', 'ca.crt'),
    credentials: readCredentials(join(data, 'credentials')),
    primaryId: child.pid!,
    output,
    workerIds: () => childrenOf(child.pid!),
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        const late = setTimeout(() => killGroup(child), stopMsMax);
        await once(child, 'exit');
        clearTimeout(late);
      }
      if (child.exitCode !== 0) throw new Error(`coffer ended with ${child.exitCode ?? child.signalCode}:\n${output()}`);
    },
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      killGroup(child);
      await gone;
    },
  };
}

function killGroup(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** What the server says about where it listens, once it does. */
async function portsOf(child: ChildProcess, output: () => string): Promise<{ http: number; https: number }> {
  const find = (): { http: number; https: number } | undefined => {
    const http = /^ +HTTP +http:\/\/[^:\s]+:(\d+)$/m.exec(output())?.[1];
    const https = /^ +HTTPS +https:\/\/[^:\s]+:(\d+)$/m.exec(output())?.[1];
    return http === undefined || https === undefined ? undefined : { http: Number(http), https: Number(https) };
  };
  return until(find, child, output, 'to say where it listens');
}

async function ready(url: string, child: ChildProcess, output: () => string): Promise<void> {
  await until(async () => ((await statusOf(url)) === 200 ? true : undefined), child, output, 'to be ready');
}

/** Asks again and again, a tenth of a second apart, as long as the server lives and time is left. */
async function until<Found>(look: () => Found | undefined | Promise<Found | undefined>, child: ChildProcess, output: () => string, what: string): Promise<Found> {
  const endMs = performance.now() + startMsMax;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    const ended = child.exitCode ?? child.signalCode;
    if (ended !== null || performance.now() > endMs) {
      killGroup(child);
      throw new Error(`coffer ${ended === null ? `took more than ${startMsMax} ms` : `ended with ${ended} and was`} ${what}:\n${output()}`);
    }
    await new Promise((wake) => void setTimeout(wake, 100));
  }
}

/** Undefined when there is no answer. */
export function statusOf(url: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const request = httpRequest(url, { agent: false, timeout: 5_000 }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
    request.end();
  });
}

function readCredentials(path: string): Coffer['credentials'] {
  if (!existsSync(path)) throw new Error(`the server left no credentials in ${path}`);
  const text = readFileSync(path, 'utf8');
  const valueOf = (name: string): string => {
    const value = new RegExp(`^${name} = (\\S+)$`, 'm').exec(text)?.[1];
    if (value === undefined) throw new Error(`no ${name} in ${path}`);
    return value;
  };
  return { accessKeyId: valueOf('aws_access_key_id'), secretAccessKey: valueOf('aws_secret_access_key') };
}

/** Linux only, as is all of test/outside. */
function childrenOf(processId: number): number[] {
  try {
    return readFileSync(`/proc/${processId}/task/${processId}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
