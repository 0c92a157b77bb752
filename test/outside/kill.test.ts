/**
 * kill -9 in the middle of the work: a storm of uploads by the SDK and a sync by the aws CLI, while the primary, a
 * worker, all workers or everything is killed at a random moment. What was acknowledged is whole afterwards, nothing
 * is half, and the server is ready again.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { newBucket, newKmsKey, runAws, sdkClients, type SdkClients } from './kit/clients.ts';
import { startCoffer, statusOf, type Coffer } from './kit/coffer.ts';
import { seededRandom, type Random } from './kit/random.ts';
import { Storm } from './kit/storm.ts';
import { differences, makeTree, readTree, smallTree, type Tree } from './kit/tree.ts';

const workersCount = 3;
const stormMsMax = 4_000;
const recoveryMsMax = 30_000;

describe('killed at work', { timeout: 600_000 }, () => {
  let directory: string;
  let random: Random;
  let tree: Tree;
  let coffer: Coffer;
  let clients: SdkClients;
  let storm: Storm;

  before(async () => {
    random = seededRandom('kill');
    directory = await mkdtemp(join(tmpdir(), 'coffer-outside-'));
    tree = await makeTree(join(directory, 'tree'), smallTree, random);
    coffer = await startCoffer({ directory, workers: workersCount });
    clients = sdkClients(coffer);
    await newBucket(clients, 'storm');
    await newBucket(clients, 'synced');
    storm = new Storm({ bucket: 'storm', keyArn: await newKmsKey(clients), loops: 10, keysPerLoop: 12 }, random);
  });
  after(async () => {
    clients?.destroy();
    await coffer?.kill();
    await rm(directory, { recursive: true });
  });

  /** Says whether the server ends with it. */
  const blows: Record<string, () => Promise<boolean>> = {
    'the primary': async () => {
      process.kill(coffer.primaryId, 'SIGKILL');
      return true;
    },
    'one worker': async () => {
      process.kill(random.pick(coffer.workerIds()), 'SIGKILL');
      return false;
    },
    'all workers': async () => {
      for (const id of coffer.workerIds()) process.kill(id, 'SIGKILL');
      return false;
    },
    'everything at once': async () => {
      await coffer.kill();
      return true;
    },
  };

  const sync = (): Promise<unknown> =>
    runAws(coffer, coffer.httpsUrl, ['s3', 'sync', '--only-show-errors', tree.root, 's3://synced/'], { mayFail: true, env: { AWS_MAX_ATTEMPTS: '1' } });

  const rounds = ['everything at once', 'the primary', 'one worker', 'all workers', 'the primary', 'one worker', 'everything at once'];
  for (const [index, victim] of rounds.entries()) {
    test(`round ${index + 1}: ${victim}`, async () => {
      const over = new AbortController();
      const raging = storm.rage(clients.s3, over.signal);
      const syncing = sync();
      const delayMs = 200 + random.below(stormMsMax - 200);
      await new Promise((wake) => void setTimeout(wake, delayMs));
      const ended = await blows[victim]!();
      if (ended) {
        over.abort();
        await Promise.all([raging, syncing]);
        clients.destroy();
        coffer = await startCoffer({ directory, workers: workersCount, ports: coffer.ports });
        clients = sdkClients(coffer);
      } else {
        await recovered(coffer);
        over.abort();
        await Promise.all([raging, syncing]);
      }
      assert.equal(await statusOf(`${coffer.httpUrl}/_/health`), 200);
      await storm.verify(clients.s3);
      console.log(`round ${index + 1}: ${victim} after ${delayMs} ms; ${storm.acknowledgedCount} acknowledged and ${storm.unansweredCount} without an answer so far`);
    });
  }

  test('the storm was one', () => {
    assert.ok(storm.acknowledgedCount > 100, `${storm.acknowledgedCount} acknowledged`);
    assert.ok(storm.unansweredCount > 0, 'some requests lost their answer');
  });

  test('a sync that was killed again and again ends well in the end', async () => {
    const aws = (...parameters: string[]): Promise<unknown> => runAws(coffer, coffer.httpsUrl, ['s3', 'sync', '--only-show-errors', ...parameters]);
    await aws(tree.root, 's3://synced/');
    const fetched = join(directory, 'fetched');
    await aws('s3://synced/', fetched);
    assert.deepEqual(differences(tree, await readTree(fetched)), []);
    await coffer.stop();
  });
});

/** All workers are back and answer. */
async function recovered(coffer: Coffer): Promise<void> {
  const endMs = performance.now() + recoveryMsMax;
  for (;;) {
    const whole = coffer.workerIds().length === workersCount;
    if (whole && (await statusOf(`${coffer.httpUrl}/_/health`)) === 200) return;
    assert.ok(performance.now() < endMs, `the workers did not come back:\n${coffer.output()}`);
    await new Promise((wake) => void setTimeout(wake, 50));
  }
}
