/**
 * Several processes over one LMDB catalog: what one does, the others see at once.
 * Source: contract kms-iam-audit.md cases K16, K27, R07, section 2.5.
 */
import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { KeyProcessAnswer } from '../../test/kit/key-process.ts';

const dayMs = 24 * 60 * 60_000;

class Worker {
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#process = child;
  }

  static async start(catalogPath: string): Promise<Worker> {
    const child = fork(new URL('../../test/kit/key-process.ts', import.meta.url), [catalogPath], { serialization: 'advanced' });
    await once(child, 'message');
    return new Worker(child);
  }

  async ask<Output = Record<string, unknown>>(operation: string, input: Record<string, unknown> = {}): Promise<Output> {
    this.#process.send({ operation, input });
    const [answer] = (await once(this.#process, 'message')) as [KeyProcessAnswer];
    if ('refusal' in answer) throw Object.assign(new Error(answer.refusal), { refusal: answer.refusal });
    return answer.output as Output;
  }

  async stop(): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.disconnect();
    await ended;
  }
}

describe('two processes', () => {
  let folder: string;
  let workers: [Worker, Worker];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'coffer-keys-'));
    const path = join(folder, 'catalog');
    // Started together: claiming the root and making the first records is a race as well.
    workers = await Promise.all([Worker.start(path), Worker.start(path)]);
  });
  after(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    await rm(folder, { recursive: true });
  });

  async function newKey(): Promise<string> {
    return (await workers[0].ask<{ KeyMetadata: { KeyId: string } }>('CreateKey')).KeyMetadata.KeyId;
  }

  test('make one managed key between them', async () => {
    const arns = await Promise.all(workers.map((worker) => worker.ask<string>('managedKey')));
    assert.equal(arns[0], arns[1]);
    const { Keys } = await workers[1].ask<{ Keys: unknown[] }>('ListKeys');
    assert.equal(Keys.length, 1);
  });

  test('a key disabled in one is disabled in the other at once, however often', async () => {
    const KeyId = await newKey();
    const { CiphertextBlob } = await workers[1].ask<{ CiphertextBlob: Buffer }>('Encrypt', { KeyId, Plaintext: Buffer.from('text') });
    for (let round = 0; round < 20; round++) {
      assert.equal((await workers[1].ask<{ Plaintext: Uint8Array }>('Decrypt', { CiphertextBlob })).Plaintext.length, 4);
      await workers[0].ask('DisableKey', { KeyId });
      await assert.rejects(workers[1].ask('Decrypt', { CiphertextBlob }), { refusal: 'DisabledException' });
      await workers[0].ask('EnableKey', { KeyId });
    }
  });

  test('a rotation in one is used by the other at once', async () => {
    const KeyId = await newKey();
    await workers[1].ask('GenerateDataKey', { KeyId, KeySpec: 'AES_256' });
    await workers[0].ask('RotateKeyOnDemand', { KeyId });
    const { KeyMetadata } = await workers[0].ask<{ KeyMetadata: { CurrentKeyMaterialId: string } }>('DescribeKey', { KeyId });
    const made = await workers[1].ask<{ KeyMaterialId: string }>('GenerateDataKey', { KeyId, KeySpec: 'AES_256' });
    assert.equal(made.KeyMaterialId, KeyMetadata.CurrentKeyMaterialId);
  });

  test('both change the same key at once, and no change is lost', async () => {
    const KeyId = await newKey();
    await Promise.all(workers.map(async (worker, index) => {
      for (let tag = 0; tag < 20; tag++) await worker.ask('TagResource', { KeyId, Tags: [{ TagKey: `${index}-${tag}`, TagValue: '' }] });
    }));
    const { Tags } = await workers[0].ask<{ Tags: unknown[] }>('ListResourceTags', { KeyId });
    assert.equal(Tags.length, 40);
  });

  test('of an alias that both make at once, one gets it', async () => {
    const KeyId = await newKey();
    const outcomes = await Promise.allSettled(workers.map((worker) => worker.ask('CreateAlias', { AliasName: 'alias/race', TargetKeyId: KeyId })));
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  });

  test('a due rotation happens once, although both run the work', async () => {
    const KeyId = await newKey();
    await workers[0].ask('EnableKeyRotation', { KeyId, RotationPeriodInDays: 90 });
    const done = await Promise.all(workers.map((worker) => worker.ask<{ rotated: number }>('runDueKeyWork', { advanceMs: 91 * dayMs })));
    assert.equal(done[0]!.rotated + done[1]!.rotated, 1);
    const { Rotations } = await workers[1].ask<{ Rotations: { RotationType: string }[] }>('ListKeyRotations', { KeyId });
    assert.deepEqual(Rotations.map(({ RotationType }) => RotationType), ['AUTOMATIC']);
  });
});
