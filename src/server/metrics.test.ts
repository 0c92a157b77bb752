import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SealError } from '../seal/index.ts';
import { addUpMetrics, createMetrics } from './metrics.ts';
import type { RequestRecord } from './pipeline.ts';

const record: RequestRecord = {
  requestId: 'r', service: 's3', operation: 'GetObject', method: 'GET', status: 200, errorCode: undefined, cause: undefined, durationMs: 7,
  bytesIn: 0, bytesOut: 100, remoteAddress: '::1', secure: true, accessKeyId: 'A', notes: { encryption: 'SSE-C' },
};

/** The value of one series, or undefined when the text has none of that name and labels. */
function valueOf(text: string, series: string): number | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

describe('metrics', () => {
  test('requests, by what they did and how they ended', async () => {
    const metrics = createMetrics();
    metrics.request(record);
    metrics.request({ ...record, durationMs: 70, bytesIn: 5 });
    metrics.request({ ...record, operation: '', status: 400, errorCode: 'InvalidURI', notes: {} });
    const text = await metrics.text();
    assert.equal(valueOf(text, 'coffer_requests_total{service="s3",operation="GetObject",status="200"}'), 2);
    assert.equal(valueOf(text, 'coffer_requests_total{service="s3",operation="none",status="400"}'), 1);
    assert.equal(valueOf(text, 'coffer_request_duration_seconds_bucket{le="0.01",operation="GetObject",encryption="SSE-C"}'), 1);
    assert.equal(valueOf(text, 'coffer_request_duration_seconds_count{operation="GetObject",encryption="SSE-C"}'), 2);
    assert.equal(valueOf(text, 'coffer_bytes_in_total'), 5);
    assert.equal(valueOf(text, 'coffer_bytes_out_total'), 300);
  });

  test('keys and sealed bytes', async () => {
    const metrics = createMetrics();
    metrics.keyCall('Decrypt', 'success');
    metrics.keyCall('Decrypt', 'denied');
    metrics.keyCall('Decrypt', 'denied');
    metrics.keyCacheHit();
    metrics.sealed(1000);
    metrics.opened(2000);
    const text = await metrics.text();
    assert.equal(valueOf(text, 'coffer_key_calls_total{operation="Decrypt",result="success"}'), 1);
    assert.equal(valueOf(text, 'coffer_key_calls_total{operation="Decrypt",result="denied"}'), 2);
    assert.equal(valueOf(text, 'coffer_key_cache_hits_total'), 1);
    assert.equal(valueOf(text, 'coffer_sealed_bytes_total'), 1000);
    assert.equal(valueOf(text, 'coffer_opened_bytes_total'), 2000);
  });

  test('data that does not authenticate is counted apart from callers that do not', async () => {
    const metrics = createMetrics();
    const alarm = 'coffer_authentication_failures_total{what="payload"}';
    assert.equal(valueOf(await metrics.text(), alarm), 0, 'an alarm on an increase needs a first value');
    metrics.request({ ...record, status: 403, errorCode: 'SignatureDoesNotMatch' });
    metrics.request({ ...record, status: 404, errorCode: 'NoSuchKey' });
    metrics.request({ ...record, status: 500, cause: new SealError('bad-key') });
    assert.equal(valueOf(await metrics.text(), alarm), 0);
    metrics.request({ ...record, status: 500, cause: new SealError('chunk-forged') });
    metrics.authenticationFailure('wrapped-key');
    const text = await metrics.text();
    assert.equal(valueOf(text, alarm), 1);
    assert.equal(valueOf(text, 'coffer_authentication_failures_total{what="wrapped-key"}'), 1);
    assert.equal(valueOf(text, 'coffer_refused_callers_total{code="SignatureDoesNotMatch"}'), 1);
    assert.equal(valueOf(text, 'coffer_refused_callers_total{code="NoSuchKey"}'), undefined);
  });

  test('labels from outside do not multiply series', async () => {
    const metrics = createMetrics();
    for (let i = 0; i < 50; i++) metrics.request({ ...record, errorCode: `Code${i}`, notes: { encryption: `type${i}`, bucket: `bucket${i}` } });
    assert.doesNotMatch(await metrics.text(), /type\d|bucket\d|Code\d/);
  });

  test('of several processes add up', async () => {
    const counted = [30, 12].map((bytes) => {
      const metrics = createMetrics({ processMetrics: true });
      metrics.sealed(bytes);
      return metrics;
    });
    // As they are after their way to another process.
    const reports = await Promise.all(counted.map(async (metrics) => structuredClone(await metrics.report())));
    const text = await addUpMetrics(reports);
    assert.equal(valueOf(text, 'coffer_sealed_bytes_total'), 42);
    assert.equal(valueOf(text, 'coffer_authentication_failures_total{what="payload"}'), 0);
  });
});
