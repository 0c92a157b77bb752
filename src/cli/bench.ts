/** `coffer bench`: measures any S3 endpoint, prints a table and, if asked, JSON. */
import { readFileSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { systemClock } from '../base/index.ts';
import { makeBucket, measure, modes, operations, type BenchMode, type BenchResult, type BenchTarget } from './bench/workload.ts';
import type { Command } from './command.ts';
import { formatBytes, startProgress } from './progress.ts';

const usage = `Usage: coffer bench [options]

Drives an S3 endpoint (Coffer or another) and says how many requests and bytes a second it served. Makes a bucket of its own
unless one is named; the objects it wrote stay there. Credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.

  --endpoint url         default http://127.0.0.1:9000; KMS and SSE-C modes want https
  --ca file              PEM of the CA to trust (default AWS_CA_BUNDLE)
  --region name          default AWS_REGION or us-east-1
  --bucket name          an existing or new bucket
  --sizes list           default 4KiB,1MiB,64MiB
  --operations list      of ${operations.join(',')}; default all
  --modes list           of ${modes.join(',')}; default: default
  --concurrency n        connections, default 16
  --seconds n            for each measurement, default 5
  --json file            the results as JSON, - for standard output instead of the table
`;

export const command: Command = async (args) => {
  const { values } = parseArgs({
    args: [...args], strict: true,
    options: {
      endpoint: { type: 'string' }, ca: { type: 'string' }, region: { type: 'string' }, bucket: { type: 'string' }, sizes: { type: 'string' },
      operations: { type: 'string' }, modes: { type: 'string' }, concurrency: { type: 'string' }, seconds: { type: 'string' }, json: { type: 'string' }, help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const target = readTarget(values);
  const sizes = (values.sizes ?? '4KiB,1MiB,64MiB').split(',').map(readSize);
  const chosenOperations = readList(values.operations, operations, operations);
  const chosenModes = readList<BenchMode>(values.modes, modes, ['default']);
  const concurrency = readCount('--concurrency', values.concurrency ?? '16', 1_024);
  const seconds = readCount('--seconds', values.seconds ?? '5', 3_600);
  await makeBucket(target);

  const plans = sizes.flatMap((sizeBytes) => chosenModes.flatMap((mode) => chosenOperations.map((operation) => ({ sizeBytes, mode, operation }))));
  const progress = startProgress({ title: 'measuring', total: plans.length, unit: 'items' });
  const results: BenchResult[] = [];
  for (const plan of plans) {
    results.push(await measure(target, { ...plan, concurrency, durationMs: seconds * 1_000, warmUpMs: 500 }));
    progress.add(1);
  }
  progress.done();
  const json = `${JSON.stringify({ endpoint: values.endpoint, concurrency, seconds, results }, undefined, 2)}\n`;
  if (values.json === '-') process.stdout.write(json);
  else process.stdout.write(renderTable(results));
  if (values.json !== undefined && values.json !== '-') writeFileSync(values.json, json);
  return 0;
};

export function renderTable(results: readonly BenchResult[]): string {
  const rows = [['operation', 'mode', 'size', 'requests/s', 'MB/s', 'median ms', 'p99 ms']];
  for (const result of results) {
    rows.push([
      result.operation, result.mode, formatBytes(result.sizeBytes), result.requestsPerSecond.toFixed(result.requestsPerSecond < 100 ? 1 : 0),
      result.megabytesPerSecond.toFixed(1), result.medianMs.toFixed(2), result.p99Ms.toFixed(2),
    ]);
  }
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return `${rows.map((row) => row.map((cell, column) => (column < 3 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')).join('\n')}\n`;
}

function readTarget(values: { endpoint?: string; ca?: string; region?: string; bucket?: string }): BenchTarget {
  const url = new URL(values.endpoint ?? 'http://127.0.0.1:9000');
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_CA_BUNDLE: caBundle, AWS_REGION: region } = process.env;
  if (!accessKeyId || !secretAccessKey) throw new Error('set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to the credentials of the endpoint');
  const isTls = url.protocol === 'https:';
  const caPath = values.ca ?? caBundle;
  return {
    endpoint: {
      host: url.hostname, port: Number(url.port === '' ? (isTls ? 443 : 80) : url.port),
      ...(isTls ? { tls: { ca: caPath === undefined ? undefined : readFileSync(caPath) } } : {}),
    },
    hostHeader: url.host,
    credentials: { accessKeyId, secretAccessKey, region: values.region ?? region ?? 'us-east-1' },
    bucket: values.bucket ?? `coffer-bench-${randomBytes(4).toString('hex')}`,
    clock: systemClock,
  };
}

function readList<Item extends string>(text: string | undefined, known: readonly Item[], preset: readonly Item[]): readonly Item[] {
  if (text === undefined) return preset;
  return text.split(',').map((name) => {
    const item = known.find((candidate) => candidate.toLowerCase() === name.trim().toLowerCase());
    if (item === undefined) throw new Error(`${JSON.stringify(name)} is not one of ${known.join(', ')}`);
    return item;
  });
}

function readSize(text: string): number {
  const match = /^(\d+)\s*(B|KiB|MiB|GiB)?$/i.exec(text.trim());
  if (match === null) throw new Error(`${JSON.stringify(text)} is no size: such as 4KiB, 1MiB, 64MiB`);
  const factors: Record<string, number> = { b: 1, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3 };
  return Number(match[1]) * (factors[(match[2] ?? 'B').toLowerCase()] ?? 1);
}

function readCount(name: string, text: string, max: number): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > max) throw new Error(`${name} takes a whole number from 1 to ${max}, not ${JSON.stringify(text)}`);
  return count;
}

