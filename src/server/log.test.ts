import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLog, type LogLevel } from './log.ts';
import type { RequestRecord } from './pipeline.ts';

function logTo(level: LogLevel): { log: ReturnType<typeof createLog>; lines: () => Record<string, unknown>[] } {
  const written: string[] = [];
  const log = createLog({ level, destination: { write: (line) => void written.push(line) } });
  return { log, lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

const record: RequestRecord = {
  requestId: 'EXAMPLE123456789',
  service: 's3',
  operation: 'PutObject',
  method: 'PUT',
  status: 200,
  errorCode: undefined,
  cause: undefined,
  durationMs: 12.34567,
  bytesIn: 11,
  bytesOut: 0,
  remoteAddress: '192.0.2.7',
  secure: true,
  accessKeyId: 'AKIDEXAMPLE',
  notes: { bucket: 'invoices', encryption: 'SSE-KMS' },
};

describe('log', () => {
  test('one line for a request', () => {
    const { log, lines } = logTo('info');
    log.request(record);
    const [line, ...more] = lines();
    assert.deepEqual(more, []);
    const { time, process: processId, ...facts } = line as { time: string; process: number };
    assert.match(time, /^\d{4}-\d\d-\d\dT.*Z$/);
    assert.equal(processId, process.pid);
    assert.deepEqual(facts, {
      level: 'info', message: 'request', requestId: 'EXAMPLE123456789', service: 's3', operation: 'PutObject', method: 'PUT', bucket: 'invoices',
      encryption: 'SSE-KMS', status: 200, durationMs: 12.346, bytesIn: 11, bytesOut: 0, remoteAddress: '192.0.2.7', secure: true, accessKeyId: 'AKIDEXAMPLE',
    });
  });

  test('nothing else of a record, of its notes or of an error gets in', () => {
    const { log, lines } = logTo('debug');
    const cause = Object.assign(new Error('disk'), { code: 'EIO', options: { key: 'sesame' } }, { cause: Object.assign(new Error('lower'), { request: 'sesame' }) });
    const loaded = { ...record, status: 500, cause, headers: { authorization: 'sesame' }, notes: { ...record.notes, customerKey: 'sesame' } };
    log.request(loaded);
    log.event('error', 'job failed', { job: 'reap trash', secret: 'sesame' } as { job: string }, cause);
    log.event('error', 'odd', {}, { thrown: 'sesame' });
    assert.doesNotMatch(JSON.stringify(lines()), /sesame/);
    const [request, event, odd] = lines() as { level: string; job?: string; error: Record<string, unknown> }[];
    assert.equal(request?.level, 'error');
    assert.equal(request.error['message'], 'disk');
    assert.equal(request.error['code'], 'EIO');
    assert.equal((request.error['cause'] as { message: string }).message, 'lower');
    assert.match(String(request.error['stack']), /log\.test/);
    assert.equal(event?.job, 'reap trash');
    assert.equal(odd?.error['message'], 'not an Error: object');
  });

  test('texts from callers are bounded and cannot break a line', () => {
    const { log, lines } = logTo('info');
    log.request({ ...record, accessKeyId: `A\n"}${'B'.repeat(100_000)}`, notes: { bucket: 'b'.repeat(100_000) } });
    const [line] = lines();
    assert.ok(JSON.stringify(line).length < 2_000);
    assert.equal(line?.['status'], 200);
  });

  test('circular causes end', () => {
    const { log, lines } = logTo('info');
    const error = new Error('round');
    error.cause = error;
    log.event('error', 'odd', {}, error);
    assert.equal(lines().length, 1);
  });

  test('levels', () => {
    const quiet = logTo('error');
    quiet.log.request(record);
    quiet.log.event('warn', 'a worker died', { processId: 1 });
    assert.equal(quiet.lines().length, 0);
    quiet.log.request({ ...record, status: 503 });
    assert.equal(quiet.lines().length, 1);
    const silent = logTo('silent');
    silent.log.request({ ...record, status: 500 });
    assert.equal(silent.lines().length, 0);
  });
});
