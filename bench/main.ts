/**
 * `npm run bench [-- --quick]`: the figures of docs/PERFORMANCE.md, as ratios within one run, since machines differ and drift.
 * Measured and reference alternate, and the best of the rounds counts for both: other load only ever slows down.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { open as openLmdb } from 'lmdb';
import { systemClock } from '../src/base/index.ts';
import { openFileBlobStore } from '../src/blobs/index.ts';
import { makeBucket, measure, type BenchPlan, type BenchTarget } from '../src/cli/bench/workload.ts';
import { openRange, seal, Sealer, sealedSize } from '../src/seal/index.ts';
import { spawnServer, type SpawnedServer } from '../test/kit/spawn-server.ts';
import { measureMemory } from './memory.ts';

const isQuick = process.argv.includes('--quick');
const only = process.argv.find((argument) => argument.startsWith('--only='))?.slice('--only='.length);
const durationMs = isQuick ? 1_500 : 4_000;
const rounds = isQuick ? 2 : 3;
const small = 4 * 1024;
const large = 64 * 1024 * 1024;
const memoryDirectory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const diskDirectory = tmpdir();

interface Row {
  what: string;
  measured: string;
  reference: string;
  ratio: number;
  atLeast?: number;
  atMost?: number;
}

const rows: Row[] = [];

async function main(): Promise<void> {
  const sections: Record<string, () => Promise<void>> = { encryption: encryptedAgainstPlain, requests: smallRequests, steps: stepsAlone, memory: memory };
  for (const [name, section] of Object.entries(sections)) {
    if (only !== undefined && only !== name) continue;
    process.stderr.write(`${name} ...\n`);
    await section();
  }
  process.stdout.write(render());
}

/** Encrypted against plain on the same server, bound by the processor: data on tmpfs, one worker. */
async function encryptedAgainstPlain(): Promise<void> {
  await withServer(memoryDirectory, async (target) => {
    const pairs: [string, BenchPlan, BenchPlan, number][] = [
      ['GET 64 MiB, SSE-S3 against plain', plan('GET', 's3', large, 2), plan('GET', 'default', large, 2), 0.45],
      ['PUT 64 MiB, SSE-KMS against plain', plan('PUT', 'kms', large, 2), plan('PUT', 'default', large, 2), 1.2],
      ['GET 4 KiB, SSE-S3 against plain', plan('GET', 's3', small, 16), plan('GET', 'default', small, 16), 0.85],
    ];
    for (const [what, encrypted, plain, atLeast] of pairs) {
      const [measured, reference] = await alternate(() => rate(target, encrypted), () => rate(target, plain));
      rows.push({ what, measured: perSecond(measured, encrypted.sizeBytes), reference: perSecond(reference, plain.sizeBytes), ratio: measured / reference, atLeast });
    }
  });
}

async function smallRequests(): Promise<void> {
  await withServer(memoryDirectory, async (target) => {
    await withBareServer(small, async (bare) => {
      for (const mode of ['s3', 'kms'] as const) {
        const [measured, reference] = await alternate(() => rate(target, plan('GET', mode, small, 16)), () => rate(bare, plan('GET', 'default', small, 16)));
        rows.push({
          what: `GET 4 KiB ${mode === 's3' ? 'SSE-S3' : 'SSE-KMS'}, signed, against bare node:http`, measured: perSecond(measured), reference: perSecond(reference), ratio: measured / reference,
          ...(mode === 's3' ? { atLeast: 0.18 } : {}),
        });
      }
    });
  });
  await withServer(diskDirectory, async (target) => {
    const path = await mkdtemp(join(diskDirectory, 'coffer-bench-'));
    const raw = openLmdb<Buffer, Buffer>({ path, encoding: 'binary', keyEncoding: 'binary', noSubdir: false, overlappingSync: false, mapSize: 2 ** 38 });
    try {
      const [measured, reference] = await alternate(() => rate(target, plan('PUT', 's3', small, 32)), () => rawPuts(raw, 32));
      rows.push({ what: 'PUT 4 KiB SSE-S3, durable, against raw lmdb puts of the same bytes', measured: perSecond(measured), reference: perSecond(reference), ratio: measured / reference, atLeast: 0.4 });
    } finally {
      await raw.close();
      await rm(path, { recursive: true });
    }
  });
}

/** 64 MiB against the sum of what its steps cost alone: socket, AES-GCM, file. */
async function stepsAlone(): Promise<void> {
  await withServer(memoryDirectory, async (target) => {
    await withBareServer(large, async (bare) => {
      const blobs = await openFileBlobStore({ path: await mkdtemp(join(memoryDirectory, 'coffer-bench-')) });
      const key = randomBytes(32);
      const context = Buffer.from('bench');
      const piece = randomBytes(64 * 1024);
      const id = randomBytes(16).toString('hex');
      const sealAlone = async (): Promise<void> => {
        const sealer = new Sealer(key, context);
        for (let size = 0; size < large; size += piece.length) sealer.update(piece);
        sealer.final();
      };
      const message = seal(key, context, Buffer.alloc(large, piece));
      const openAlone = async (): Promise<void> => {
        const source = { inputKey: key, context, sealedSizeBytes: sealedSize(large), read: async (start: number, end: number) => message.subarray(start, end) };
        for await (const _ of openRange(source, 0, large));
      };
      const writeAlone = async (name: string): Promise<void> => {
        const writer = await blobs.create(name);
        for (let offset = 0; offset < message.length; offset += piece.length) await writer.append(message.subarray(offset, offset + piece.length));
        await writer.finish();
      };
      await writeAlone(id);
      const readAlone = async (): Promise<void> => {
        const reader = await blobs.open(id);
        for (let offset = 0; offset < message.length; offset += 256 * 1024) await reader.read(offset, Math.min(offset + 256 * 1024, message.length));
        await reader.close();
      };
      const socketSeconds = async (operation: 'GET' | 'PUT'): Promise<number> => 1 / (await rate(bare, plan(operation, 'default', large, 1)));
      for (const operation of ['GET', 'PUT'] as const) {
        const [alone, whole] = [[] as number[], [] as number[]];
        for (let round = 0; round < rounds; round++) {
          whole.push(1 / (await rate(target, plan(operation, 'kms', large, 1))));
          const steps = operation === 'GET'
            ? [await socketSeconds('GET'), await best(openAlone), await best(readAlone)]
            : [await socketSeconds('PUT'), await best(sealAlone), await best(async () => {
                const name = randomBytes(16).toString('hex');
                await writeAlone(name);
                await blobs.remove(name);
              })];
          alone.push(steps.reduce((sum, seconds) => sum + seconds, 0));
        }
        const [measured, reference] = [Math.min(...whole), Math.min(...alone)];
        rows.push({ what: `${operation} 64 MiB SSE-KMS against socket + AES-GCM + file alone`, measured: `${(measured * 1_000).toFixed(0)} ms`, reference: `${(reference * 1_000).toFixed(0)} ms`, ratio: reference / measured, atLeast: 0.7 });
      }
    });
  });
}

async function memory(): Promise<void> {
  await withServer(diskDirectory, async (target, server) => {
    const { uploadsMiB, downloadsMiB } = await measureMemory(target, server, { connections: 64, sizeBytes: 256 * 1024 * 1024, durationMs: isQuick ? 8_000 : 20_000 });
    rows.push({ what: 'Resident memory of a worker, 64 uploads of 256 MiB', measured: `${uploadsMiB.toFixed(0)} MiB`, reference: '', ratio: uploadsMiB, atMost: 400 });
    rows.push({ what: 'Resident memory of a worker, 64 slow downloads', measured: `${downloadsMiB.toFixed(0)} MiB`, reference: '', ratio: downloadsMiB, atMost: 400 });
  });
}

function plan(operation: BenchPlan['operation'], mode: BenchPlan['mode'], sizeBytes: number, concurrency: number): BenchPlan {
  return { operation, mode, sizeBytes, concurrency, durationMs, warmUpMs: sizeBytes === small ? 2_500 : 500 };
}

/** Requests a second. */
async function rate(target: BenchTarget, chosen: BenchPlan): Promise<number> {
  return (await measure(target, chosen)).requestsPerSecond;
}

async function alternate(measured: () => Promise<number>, reference: () => Promise<number>): Promise<[number, number]> {
  let [bestMeasured, bestReference] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    bestMeasured = Math.max(bestMeasured, await measured());
    bestReference = Math.max(bestReference, await reference());
  }
  return [bestMeasured, bestReference];
}

/** Seconds of the fastest of several runs. */
async function best(step: () => Promise<void>): Promise<number> {
  let seconds = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const startedMs = performance.now();
    await step();
    seconds = Math.min(seconds, (performance.now() - startedMs) / 1_000);
  }
  return seconds;
}

/** What a small PUT that overwrites commits: the record, the sealed bytes under a new name, the old ones gone. */
async function rawPuts(raw: ReturnType<typeof openLmdb<Buffer, Buffer>>, concurrency: number): Promise<number> {
  const [record, value] = [randomBytes(700), randomBytes(sealedSize(small))];
  const places = new Map<number, Buffer>();
  const startedMs = performance.now();
  let count = 0;
  await Promise.all(Array.from({ length: concurrency }, async () => {
    while (performance.now() < startedMs + durationMs) {
      const slot = count++ % 64;
      const before = places.get(slot);
      const place = Buffer.concat([Buffer.from('d/'), randomBytes(16)]);
      places.set(slot, place);
      await Promise.all([raw.put(Buffer.from(`o/bench/${slot}`), record), raw.put(place, value), ...(before ? [raw.remove(before)] : [])]);
    }
  }));
  return count / ((performance.now() - startedMs) / 1_000);
}

async function withServer(directory: string, use: (target: BenchTarget, server: SpawnedServer) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(join(directory, 'coffer-bench-'));
  const server = await spawnServer({ dataDir, workers: 1, flags: ['--default-encryption', 'none', '--keys-over-http', 'loopback', '--new-buckets-block', 'NONE', '--log-level', 'warn'] });
  try {
    const target: BenchTarget = {
      endpoint: { host: '127.0.0.1', port: server.httpPort }, hostHeader: `127.0.0.1:${server.httpPort}`,
      credentials: { ...server.credentials, region: 'us-east-1' }, bucket: 'bench', clock: systemClock,
    };
    await makeBucket(target);
    await use(target, server);
  } finally {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function withBareServer(sizeBytes: number, use: (target: BenchTarget) => Promise<void>): Promise<void> {
  const child: ChildProcess = spawn(process.execPath, [fileURLToPath(new URL('bare-server.ts', import.meta.url)), String(sizeBytes)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  const port = Number(/port (\d+)/.exec(line.toString())?.[1]);
  try {
    await use({
      endpoint: { host: '127.0.0.1', port }, hostHeader: `127.0.0.1:${port}`, bucket: 'bench', clock: systemClock,
      credentials: { accessKeyId: 'none', secretAccessKey: 'none', region: 'us-east-1' },
    });
  } finally {
    child.kill();
  }
}

function perSecond(rateValue: number, sizeBytes?: number): string {
  return sizeBytes === undefined || sizeBytes === small ? `${rateValue.toFixed(0)}/s` : `${((rateValue * sizeBytes) / 1e9).toFixed(2)} GB/s`;
}

function render(): string {
  const lines = [`${process.version}, ${new Date(systemClock.nowMs()).toISOString()}`, ''];
  const width = Math.max(...rows.map(({ what }) => what.length));
  for (const { what, measured, reference, ratio, atLeast, atMost } of rows) {
    const bound = atLeast === undefined ? (atMost === undefined ? '' : `at most ${atMost}`) : `at least ${atLeast}`;
    const isKept = (atLeast === undefined || ratio >= atLeast) && (atMost === undefined || ratio <= atMost);
    lines.push(`${what.padEnd(width)}  ${measured.padStart(10)}  ${reference.padStart(10)}  ${reference === '' ? '' : ratio.toFixed(2).padStart(6)}  ${bound.padEnd(14)} ${bound === '' ? '' : isKept ? 'kept' : 'MISSED'}`);
  }
  return `${lines.join('\n')}\n`;
}

await main();
