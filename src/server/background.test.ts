import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MovableClock } from '../base/index.ts';
import { openMemoryCatalog, type Catalog } from '../catalog/index.ts';
import { Background, type Job } from './background.ts';

const leaseMs = 30_000;

function background(catalog: Catalog, clock: MovableClock, jobs: Job[], failures: string[] = []): Background {
  return new Background({ catalog, clock, jobs, leaseMs, log: { failed: (job, error) => void failures.push(`${job}: ${String(error)}`) } });
}

function counting(everyMs = 60_000): Job & { runs: number } {
  const job = {
    name: 'count',
    everyMs,
    runs: 0,
    run: async () => {
      job.runs += 1;
    },
  };
  return job;
}

describe('background work', () => {
  test('runs in one process of many', async () => {
    const [catalog, clock] = [openMemoryCatalog(), new MovableClock()];
    const [first, second] = [counting(), counting()];
    const [a, b] = [background(catalog, clock, [first]), background(catalog, clock, [second])];
    await Promise.all([a.runDue(), b.runDue()]);
    await Promise.all([a.runDue(), b.runDue()]);
    assert.deepEqual([first.runs + second.runs], [1]);
  });

  test('goes on elsewhere when its holder dies, after the lease', async () => {
    const [catalog, clock] = [openMemoryCatalog(), new MovableClock()];
    const [first, second] = [counting(), counting()];
    await background(catalog, clock, [first]).runDue();
    const heir = background(catalog, clock, [second]);
    clock.advanceMs(leaseMs - 1_000);
    await heir.runDue();
    assert.equal(second.runs, 0);
    clock.advanceMs(1_001);
    await heir.runDue();
    assert.equal(second.runs, 1);
  });

  test('goes on elsewhere at once when its holder stops', async () => {
    const [catalog, clock] = [openMemoryCatalog(), new MovableClock()];
    const second = counting();
    const a = background(catalog, clock, [counting()]);
    await a.runDue();
    await a.stop();
    await background(catalog, clock, [second]).runDue();
    assert.equal(second.runs, 1);
  });

  test('is due again after its time, not before', async () => {
    const [catalog, clock] = [openMemoryCatalog(), new MovableClock()];
    const job = counting(60_000);
    const runner = background(catalog, clock, [job]);
    await runner.runDue();
    clock.advanceMs(59_000);
    await runner.runDue();
    assert.equal(job.runs, 1);
    clock.advanceMs(1_000);
    await runner.runDue();
    assert.equal(job.runs, 2);
  });

  test('a job that fails is told of, and holds up no other', async () => {
    const [catalog, clock, failures] = [openMemoryCatalog(), new MovableClock(), [] as string[]];
    const after = counting();
    const broken: Job = { name: 'broken', everyMs: 1_000, run: () => Promise.reject(new Error('disk on fire')) };
    await background(catalog, clock, [broken, after], failures).runDue();
    assert.deepEqual(failures, ['broken: Error: disk on fire']);
    assert.equal(after.runs, 1);
  });

  test('stopping tells the job that runs and waits for it', async () => {
    const [catalog, clock] = [openMemoryCatalog(), new MovableClock()];
    const begun = Promise.withResolvers<void>();
    let ended = false;
    const long: Job = {
      name: 'long',
      everyMs: 1_000,
      run: (signal) =>
        new Promise((resolve) => {
          begun.resolve();
          signal.addEventListener('abort', () => {
            ended = true;
            resolve(undefined);
          });
        }),
    };
    const runner = background(catalog, clock, [long]);
    runner.start();
    await begun.promise;
    await runner.stop();
    assert.equal(ended, true);
  });
});
