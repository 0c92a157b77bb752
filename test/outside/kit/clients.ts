/**
 * Other people's programs, run as a user runs them: from Debian's /usr/bin, with an environment of their own that
 * names this server, its credentials and its CA and nothing of the machine. Also the SDK, for what has to be looked
 * up or set up around them.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { Agent as HttpsAgent } from 'node:https';
import { KMSClient, CreateKeyCommand } from '@aws-sdk/client-kms';
import {
  CreateBucketCommand, HeadObjectCommand, paginateListObjectsV2, PutBucketEncryptionCommand, S3Client,
  type HeadObjectCommandOutput, type ServerSideEncryptionByDefault,
} from '@aws-sdk/client-s3';
import type { Coffer } from './coffer.ts';

const runMsMax = 240_000;

export interface Outcome {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  /** For ends other than 0. Absent: they throw. */
  mayFail?: boolean;
}

/** The environment in which a client finds the server, and no other settings. */
export function clientEnvironment(coffer: Coffer): Record<string, string> {
  return {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: coffer.directory,
    LANG: 'C.UTF-8',
    AWS_ACCESS_KEY_ID: coffer.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: coffer.credentials.secretAccessKey,
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_PAGER: '',
  };
}

/** The aws CLI over the given endpoint. The CA is named for it alone: rclone stops over AWS_CA_BUNDLE. */
export function runAws(coffer: Coffer, endpoint: string, parameters: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return run(coffer, 'aws', ['--endpoint-url', endpoint, ...parameters], { ...options, env: { AWS_CA_BUNDLE: coffer.caPath, ...options.env } });
}

/** Throws, with all that the program wrote, when it is missing, fails or takes too long. */
export async function run(coffer: Coffer, program: string, parameters: readonly string[], { env = {}, cwd = coffer.directory, mayFail = false }: RunOptions = {}): Promise<Outcome> {
  const path = `/usr/bin/${program}`;
  if (!existsSync(path)) throw new Error(`${path} is missing: .ci/run installs it from Debian`);
  const child = spawn(path, parameters, { cwd, env: { ...clientEnvironment(coffer), ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const late = setTimeout(() => child.kill('SIGKILL'), runMsMax);
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (...end) => resolve(end));
  });
  clearTimeout(late);
  const outcome: Outcome = { code, signal, stdout: stdout(), stderr: stderr() };
  if (code !== 0 && !mayFail) {
    const last = coffer.output().split('\n').slice(-6).join('\n');
    throw new Error(`${program} ${parameters.join(' ')}\nended with ${code ?? signal}\n${tail(outcome.stdout)}\n${tail(outcome.stderr)}\nthe server's last words:\n${last}`);
  }
  return outcome;
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const pieces: Buffer[] = [];
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  return () => Buffer.concat(pieces).toString('utf8');
}

function tail(text: string): string {
  return text.length <= 4_000 ? text : `...${text.slice(-4_000)}`;
}

export interface SdkClients {
  s3: S3Client;
  kms: KMSClient;
  destroy(): void;
}

export function sdkClients(coffer: Coffer): SdkClients {
  const httpsAgent = new HttpsAgent({ keepAlive: true, maxSockets: 32, ca: readFileSync(coffer.caPath) });
  const common = { endpoint: coffer.httpsUrl, region: 'us-east-1', credentials: coffer.credentials, requestHandler: { httpsAgent } };
  const s3 = new S3Client({ ...common, forcePathStyle: true });
  const kms = new KMSClient(common);
  return {
    s3, kms,
    destroy: () => {
      s3.destroy();
      kms.destroy();
      httpsAgent.destroy();
    },
  };
}

/** The new key's ARN. */
export async function newKmsKey({ kms }: SdkClients): Promise<string> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Description: 'for outside clients' }));
  return KeyMetadata!.Arn!;
}

export interface BucketOptions {
  /** The bucket's default encryption. */
  encryption?: ServerSideEncryptionByDefault;
  /** New buckets refuse SSE-C, as on AWS, until told otherwise. */
  allowSseC?: boolean;
}

export async function newBucket({ s3 }: SdkClients, bucket: string, { encryption, allowSseC = false }: BucketOptions = {}): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  if (!encryption && !allowSseC) return;
  await s3.send(new PutBucketEncryptionCommand({
    Bucket: bucket,
    ServerSideEncryptionConfiguration: {
      Rules: [{
        ApplyServerSideEncryptionByDefault: encryption ?? { SSEAlgorithm: 'AES256' },
        ...(allowSseC ? { BlockedEncryptionTypes: { EncryptionType: ['NONE'] } } : {}),
      }],
    },
  }));
}

export async function keysOf({ s3 }: SdkClients, bucket: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: bucket })) keys.push(...(page.Contents ?? []).map(({ Key }) => Key!));
  return keys;
}

/** What the server says about every object of a bucket; many at a time. */
export async function headsOf(clients: SdkClients, bucket: string, customerKey?: Buffer): Promise<Map<string, HeadObjectCommandOutput>> {
  const keys = await keysOf(clients, bucket);
  const heads = new Map<string, HeadObjectCommandOutput>();
  const sseC = customerKey ? { SSECustomerAlgorithm: 'AES256', SSECustomerKey: customerKey.toString('base64') } : {};
  const next = keys.values();
  const worker = async (): Promise<void> => {
    for (const key of next) heads.set(key, await clients.s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key, ...sseC })));
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  return heads;
}
