/** The real command line as a process of its own, with workers: for starts, signals and crashes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface SpawnOptions {
  /** Default: one of its own, removed by `stop`. */
  dataDir?: string;
  /** Default 2. */
  workers?: number;
  /** More flags of `serve`. */
  flags?: readonly string[];
  env?: Readonly<Record<string, string>>;
}

export interface SpawnedServer {
  readonly process: ChildProcess;
  readonly dataDir: string;
  readonly httpUrl: string;
  readonly httpsUrl: string;
  readonly httpPort: number;
  readonly credentials: { accessKeyId: string; secretAccessKey: string };
  /** Everything on standard output and error so far. */
  output(): string;
  /** Process ids of the workers that run now. */
  workerIds(): Promise<number[]>;
  /** Resolves when `output()` matches. Rejects when the process ends before. */
  outputMatching(pattern: RegExp): Promise<RegExpExecArray>;
  /** Exit code and signal, once it has ended. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** SIGTERM, then waits for the end; removes the data directory unless it was given. */
  stop(): Promise<void>;
}

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** Runs `coffer` with these arguments to its end. */
export async function runCommand(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [main, ...args], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = collect(child);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output: output.text() };
}

/** Resolves when the server has said that it is ready. */
export async function spawnServer(options: SpawnOptions = {}): Promise<SpawnedServer> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'coffer-spawned-')));
  const args = ['serve', '--data', dataDir, '--http', '127.0.0.1:0', '--https', '127.0.0.1:0', '--workers', String(options.workers ?? 2), ...(options.flags ?? [])];
  const child = spawn(process.execPath, [main, ...args], { env: { ...process.env, ...options.env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = collect(child);
  const ended = once(child, 'close').then(([code, signal]) => ({ code: code as number | null, signal: signal as NodeJS.Signals | null }));

  const outputMatching = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const match = pattern.exec(output.text());
      if (match) return match;
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the server ended before ${String(pattern)}:\n${output.text()}`);
      await Promise.race([output.more(), ended]);
    }
  };

  await outputMatching(/Coffer is ready\.[^]*--sse/);
  const httpUrl = /http:\/\/\S+/.exec(output.text())?.[0] ?? '';
  const kept = await readFile(join(dataDir, 'credentials'), 'utf8').catch(() => '');
  return {
    process: child,
    dataDir,
    httpUrl,
    httpsUrl: /https:\/\/\S+/.exec(output.text())?.[0] ?? '',
    httpPort: Number(new URL(httpUrl).port),
    credentials: {
      accessKeyId: /aws_access_key_id = (\S+)/.exec(kept)?.[1] ?? '',
      secretAccessKey: /aws_secret_access_key = (\S+)/.exec(kept)?.[1] ?? '',
    },
    output: output.text,
    outputMatching,
    ended,
    workerIds: async () => {
      const listing = spawn('ps', ['-o', 'pid=', '--ppid', String(child.pid)], { stdio: ['ignore', 'pipe', 'ignore'] });
      const text = collect(listing);
      await once(listing, 'close');
      return text.text().split(/\s+/).filter(Boolean).map(Number);
    },
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true });
    },
  };
}

function collect(child: ChildProcess): { text(): string; more(): Promise<void> } {
  let text = '';
  let wake: (() => void) | undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      wake?.();
    });
  }
  return {
    text: () => text,
    more: () =>
      new Promise((resolve) => {
        wake = resolve;
      }),
  };
}
