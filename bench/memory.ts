/** How much memory a worker takes under many large uploads, and under many readers that read slowly. */
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { systemClock } from '../src/base/index.ts';
import { BenchConnection } from '../src/cli/bench/connection.ts';
import { signedHead } from '../src/cli/bench/sign.ts';
import type { BenchTarget } from '../src/cli/bench/workload.ts';
import type { SpawnedServer } from '../test/kit/spawn-server.ts';

export interface MemoryPlan {
  connections: number;
  sizeBytes: number;
  durationMs: number;
}

const piece = Buffer.alloc(64 * 1024, 'x');

/** The largest resident sizes seen, in MiB. */
export async function measureMemory(target: BenchTarget, server: SpawnedServer, plan: MemoryPlan): Promise<{ uploadsMiB: number; downloadsMiB: number }> {
  const [worker] = await server.workerIds();
  if (worker === undefined) throw new Error('the server has no worker');
  const uploads = await Promise.all(Array.from({ length: plan.connections }, (_, index) => startUpload(target, index, plan.sizeBytes)));
  const uploadsMiB = await watch(worker, plan.durationMs);
  for (const socket of uploads) socket.destroy();

  const writer = await BenchConnection.open(target.endpoint);
  const head = headOf(target, 'PUT', 'slow', plan.sizeBytes);
  const reply = await writer.send(head, Array.from({ length: plan.sizeBytes / piece.length }, () => piece), false);
  writer.close();
  if (reply.status !== 200) throw new Error(`the server answered ${reply.status}: ${reply.text}`);
  const downloads = await Promise.all(Array.from({ length: plan.connections }, () => startSlowDownload(target)));
  const downloadsMiB = await watch(worker, plan.durationMs);
  for (const socket of downloads) socket.destroy();
  return { uploadsMiB, downloadsMiB };
}

async function watch(processId: number, durationMs: number): Promise<number> {
  let largestMiB = 0;
  const endMs = performance.now() + durationMs;
  while (performance.now() < endMs) {
    const status = await readFile(`/proc/${processId}/status`, 'utf8');

    largestMiB = Math.max(largestMiB, Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return largestMiB;
}

function startUpload(target: BenchTarget, index: number, sizeBytes: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(target.endpoint, () => {
      socket.write(headOf(target, 'PUT', `upload-${index}`, sizeBytes));
      let left = sizeBytes;
      const write = (): void => {
        while (left > 0 && !socket.destroyed) {
          left -= piece.length;
          if (!socket.write(piece)) return void socket.once('drain', write);
        }
      };
      write();
      resolve(socket);
    });
    socket.once('error', reject);
    socket.resume();
  });
}

/** Reads 64 KiB, then rests. */
function startSlowDownload(target: BenchTarget): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(target.endpoint, () => {
      socket.write(headOf(target, 'GET', 'slow', 0));
      resolve(socket);
    });
    socket.once('error', reject);
    socket.on('data', () => {
      socket.pause();
      setTimeout(() => socket.resume(), 50);
    });
  });
}

function headOf(target: BenchTarget, method: string, key: string, bodySizeBytes: number): Buffer {
  const headers: Record<string, string> = method === 'PUT' ? { 'x-amz-server-side-encryption': 'aws:kms' } : {};
  return signedHead({ method, path: `/${target.bucket}/${key}`, query: '', host: target.hostHeader, headers, bodySizeBytes }, target.credentials, systemClock.nowMs());
}
