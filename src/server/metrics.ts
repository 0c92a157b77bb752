/**
 * What is counted, for Prometheus. Each process counts for itself; the primary adds up what its workers counted.
 *
 * Labels come from closed sets (operations, types, codes), never from callers, so that the number of series is
 * bounded. A series is looked up once and then held: a request costs less than a microsecond.
 */
import { AggregatorRegistry, collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import { SealError } from '../seal/index.ts';
import type { RequestRecord } from './pipeline.ts';

export type KeyCallResult = 'success' | 'denied' | 'failed';

export interface Metrics {
  request(record: RequestRecord): void;
  /** One call to the key service, from outside or on behalf of a request: `operation` is its KMS name. */
  keyCall(operation: string, result: KeyCallResult): void;
  /** A data key was had without unwrapping it anew. */
  keyCacheHit(): void;
  sealed(bytes: number): void;
  opened(bytes: number): void;
  /** Sealed bytes, a wrapped key or a record did not authenticate: damage or tampering. Any at all is an alarm. */
  authenticationFailure(what: AuthenticationFailure): void;
  /** Prometheus text of this process. */
  text(): Promise<string>;
  /** What this process counted, as plain data for `addUpMetrics`. */
  report(): Promise<MetricsReport>;
}

/** Travels between processes; its form is prom-client's. */
export type MetricsReport = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

export type AuthenticationFailure = 'payload' | 'wrapped-key' | 'record';

export const metricsContentType = Registry.PROMETHEUS_CONTENT_TYPE;

const durationBucketsSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const encryptionTypes = new Set(['SSE-S3', 'SSE-KMS', 'DSSE-KMS', 'SSE-C', 'NONE']);
const sealFailures: readonly SealError['code'][] = ['truncated', 'chunk-forged', 'commitment-mismatch'];
/** Answers that say: the caller could not show who it is. Source: AWS common errors of S3, KMS, IAM. */
const callerFailures = new Set([
  'InvalidAccessKeyId', 'SignatureDoesNotMatch', 'RequestTimeTooSkewed', 'ExpiredToken', 'InvalidToken',
  'InvalidClientTokenId', 'UnrecognizedClientException', 'InvalidSignatureException', 'IncompleteSignature', 'IncompleteSignatureException',
  'MissingAuthenticationToken', 'MissingAuthenticationTokenException', 'ExpiredTokenException',
]);

/** `processMetrics` adds memory, processor time and event loop delay of this process. */
export function createMetrics({ processMetrics = false }: { processMetrics?: boolean } = {}): Metrics {
  const register = new Registry();
  const registers = [register];
  if (processMetrics) collectDefaultMetrics({ register });
  const requests = new Counter({ name: 'coffer_requests_total', help: 'Requests answered.', labelNames: ['service', 'operation', 'status'], registers });
  const durations = new Histogram({
    name: 'coffer_request_duration_seconds',
    help: 'From the first byte of a request to the last byte of its answer.',
    labelNames: ['operation', 'encryption'],
    buckets: durationBucketsSeconds,
    registers,
  });
  const bytesIn = new Counter({ name: 'coffer_bytes_in_total', help: 'Bytes of request bodies received.', registers });
  const bytesOut = new Counter({ name: 'coffer_bytes_out_total', help: 'Bytes of answer bodies sent.', registers });
  const keyCalls = new Counter({ name: 'coffer_key_calls_total', help: 'Calls to the key service.', labelNames: ['operation', 'result'], registers });
  const keyCacheHits = new Counter({ name: 'coffer_key_cache_hits_total', help: 'Data keys had without unwrapping them anew.', registers });
  const sealedBytes = new Counter({ name: 'coffer_sealed_bytes_total', help: 'Plain bytes sealed.', registers });
  const openedBytes = new Counter({ name: 'coffer_opened_bytes_total', help: 'Plain bytes opened.', registers });
  const failures = new Counter({
    name: 'coffer_authentication_failures_total',
    help: 'Stored data that did not authenticate: damage or tampering. Alarm on any increase.',
    labelNames: ['what'],
    registers,
  });
  const refusedCallers = new Counter({ name: 'coffer_refused_callers_total', help: 'Requests whose caller could not be told.', labelNames: ['code'], registers });

  const seriesOfOperation = held((service: string) =>
    held((operation: string) => ({
      byStatus: held((status: number) => requests.labels(service, operation, String(status))),
      byEncryption: held((encryption: string) => durations.labels(operation, encryption)),
    })),
  );
  const keyCallSeries = held((operation: string) => held((result: string) => keyCalls.labels(operation, result)));
  const failureSeries = held((what: string) => failures.labels(what));
  const refusedSeries = held((code: string) => refusedCallers.labels(code));
  // An alarm on an increase needs a value from before the first failure.
  for (const what of ['payload', 'wrapped-key', 'record']) failureSeries(what).inc(0);

  return {
    request: (record) => {
      const { service, errorCode, cause, notes } = record;
      const operation = record.operation === '' ? 'none' : record.operation;
      const encryption = notes.encryption !== undefined && encryptionTypes.has(notes.encryption) ? notes.encryption : '';
      const series = seriesOfOperation(service)(operation);
      series.byStatus(record.status).inc();
      series.byEncryption(encryption).observe(record.durationMs / 1000);
      if (record.bytesIn > 0) bytesIn.inc(record.bytesIn);
      if (record.bytesOut > 0) bytesOut.inc(record.bytesOut);
      if (errorCode !== undefined && callerFailures.has(errorCode)) refusedSeries(errorCode).inc();
      if (cause instanceof SealError && sealFailures.includes(cause.code)) failureSeries('payload').inc();
    },
    keyCall: (operation, result) => keyCallSeries(operation)(result).inc(),
    keyCacheHit: () => keyCacheHits.inc(),
    sealed: (bytes) => sealedBytes.inc(bytes),
    opened: (bytes) => openedBytes.inc(bytes),
    authenticationFailure: (what) => failureSeries(what).inc(),
    text: () => register.metrics(),
    report: () => register.getMetricsAsJSON(),
  };
}

/** The sums over several processes, as Prometheus text. */
export function addUpMetrics(reports: MetricsReport[]): Promise<string> {
  return AggregatorRegistry.aggregate(reports).metrics();
}

/** What `make` gives for a label value, made on first use and held: prom-client looks series up by a text it builds. */
function held<Label, Series>(make: (label: Label) => Series): (label: Label) => Series {
  const known = new Map<Label, Series>();
  return (label) => {
    let series = known.get(label);
    if (series === undefined) known.set(label, (series = make(label)));
    return series;
  };
}
