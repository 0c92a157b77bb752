/**
 * A storm of uploads, copies and deletes by many SDK clients at once, which keeps account of what was acknowledged,
 * so that one can say afterwards what every key may hold: the last acknowledged state, or what an unanswered
 * request after it would have made; nothing else, and nothing half.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  CompleteMultipartUploadCommand, CopyObjectCommand, CreateMultipartUploadCommand, DeleteObjectCommand, GetObjectCommand,
  NoSuchKey, paginateListObjectsV2, PutObjectCommand, UploadPartCommand, type S3Client,
} from '@aws-sdk/client-s3';
import { randomOf, type Random } from './random.ts';

/** What an object holds: the digest of its bytes; undefined when there is no object. */
type State = string | undefined;

interface KeyHistory {
  acknowledged: State;
  /** What requests without an answer, later than the acknowledged one, may have made of it. */
  possible: Set<State>;
}

export interface StormOptions {
  bucket: string;
  keyArn: string;
  loops: number;
  keysPerLoop: number;
}

const partSizeBytes = 5 << 20;

export class Storm {
  readonly #options: StormOptions;
  readonly #random: Random;
  readonly #histories = new Map<string, KeyHistory>();
  #contentsCount = 0;
  acknowledgedCount = 0;
  unansweredCount = 0;

  constructor(options: StormOptions, random: Random) {
    this.#options = options;
    this.#random = random;
  }

  /** Runs until `signal`; then every request has its answer or its error. */
  async rage(s3: S3Client, signal: AbortSignal): Promise<void> {
    await Promise.all(Array.from({ length: this.#options.loops }, (_, loop) => this.#loop(s3, loop, signal)));
  }

  /** A loop has its keys for itself, so the order of what it asks is the order of what happens. */
  async #loop(s3: S3Client, loop: number, signal: AbortSignal): Promise<void> {
    const random = randomOf(`${this.#random.seed} loop ${loop} ${this.#contentsCount}`);
    while (!signal.aborted) {
      const key = `loop-${loop}/key-${random.below(this.#options.keysPerLoop)}`;
      const history = this.#historyOf(key);
      const act = this.#choose(s3, loop, key, random);
      history.possible.add(act.state);
      try {
        await act.run();
        history.acknowledged = act.state;
        history.possible.clear();
        this.acknowledgedCount += 1;
      } catch (error) {
        if (!isUnanswered(error)) throw new Error(`${act.name} of ${key} was refused: ${String(error)}`, { cause: error });
        this.unansweredCount += 1;
        // Nobody listens for a moment; let the others run.
        await new Promise((wake) => void setImmediate(wake));
      }
    }
  }

  #choose(s3: S3Client, loop: number, key: string, random: Random): { name: string; state: State; run(): Promise<unknown> } {
    const { bucket: Bucket, keyArn } = this.#options;
    const target = { Bucket, Key: key };
    const dice = random.below(100);
    if (dice < 12) return { name: 'deletion', state: undefined, run: () => s3.send(new DeleteObjectCommand(target)) };
    if (dice < 20) {
      const source = this.#settledKey(loop, key);
      if (source) {
        const run = (): Promise<unknown> => s3.send(new CopyObjectCommand({ ...target, CopySource: `${Bucket}/${source.key}` }));
        return { name: 'copy', state: source.state, run };
      }
    }
    const sizeBytes = dice < 60 ? random.below(60_000) : dice < 94 ? random.below(2_000_000) : partSizeBytes + random.below(partSizeBytes);
    const content = randomOf(`${this.#random.seed} content ${++this.#contentsCount}`).bytes(sizeBytes);
    const encryption = random.below(3) === 0 ? { ServerSideEncryption: 'aws:kms' as const, SSEKMSKeyId: keyArn } : {};
    const state = digestOf(content);
    if (sizeBytes <= partSizeBytes) return { name: 'upload', state, run: () => s3.send(new PutObjectCommand({ ...target, ...encryption, Body: content })) };
    return { name: 'upload in parts', state, run: () => uploadInParts(s3, target, encryption, content) };
  }

  /** Another key of the loop whose state is certain and not absence. */
  #settledKey(loop: number, not: string): { key: string; state: State } | undefined {
    for (const [key, { acknowledged, possible }] of this.#histories) {
      if (key !== not && key.startsWith(`loop-${loop}/`) && possible.size === 0 && acknowledged !== undefined) return { key, state: acknowledged };
    }
    return undefined;
  }

  #historyOf(key: string): KeyHistory {
    const known = this.#histories.get(key) ?? { acknowledged: undefined, possible: new Set() };
    this.#histories.set(key, known);
    return known;
  }

  /** Reads every key and the list of keys; throws with all that is not as it was acknowledged. Then that is what is. */
  async verify(s3: S3Client): Promise<void> {
    const listed = new Map<string, number>();
    for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: this.#options.bucket, Prefix: 'loop-' })) {
      for (const { Key, Size } of page.Contents ?? []) listed.set(Key!, Size!);
    }
    const wrong: string[] = [];
    const next = this.#histories.entries();
    const reader = async (): Promise<void> => {
      for (const [key, history] of next) {
        const found = await read(s3, this.#options.bucket, key);
        const state = found && digestOf(found);
        if (state !== history.acknowledged && !history.possible.has(state)) {
          const what = found === undefined ? 'is gone' : `holds ${found.byteLength} bytes that nobody wrote there last`;
          wrong.push(`${key} ${what}; acknowledged was ${history.acknowledged ?? 'its absence'}`);
        }
        if (listed.get(key) !== found?.byteLength) wrong.push(`${key} is listed with ${listed.get(key)} bytes and read with ${found?.byteLength}`);
        listed.delete(key);
        history.acknowledged = state;
        history.possible.clear();
      }
    };
    await Promise.all(Array.from({ length: 8 }, reader));
    assert.deepEqual([...wrong, ...[...listed.keys()].map((key) => `${key} is listed and was never written`)], []);
  }
}

async function uploadInParts(s3: S3Client, target: { Bucket: string; Key: string }, encryption: object, content: Buffer): Promise<void> {
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...target, ...encryption }));
  const part = async (PartNumber: number): Promise<{ PartNumber: number; ETag: string }> => {
    const Body = content.subarray((PartNumber - 1) * partSizeBytes, PartNumber * partSizeBytes);
    const { ETag } = await s3.send(new UploadPartCommand({ ...target, UploadId, PartNumber, Body }));
    return { PartNumber, ETag: ETag! };
  };
  const Parts = await Promise.all([part(1), part(2)]);
  await s3.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }));
}

async function read(s3: S3Client, Bucket: string, Key: string): Promise<Buffer | undefined> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    return Buffer.from(await Body!.transformToByteArray());
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  }
}

/** The connection broke or was refused, or the server said that it is going: it may have happened or not. */
function isUnanswered(error: unknown): boolean {
  const { code, name, $metadata } = error as { code?: string; name?: string; $metadata?: { httpStatusCode?: number } };
  if ($metadata?.httpStatusCode !== undefined) return $metadata.httpStatusCode === 503;
  return ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ETIMEDOUT'].includes(code ?? '') || name === 'TimeoutError' || /socket hang up/.test(String(error));
}

function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
