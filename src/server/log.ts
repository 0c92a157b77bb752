/**
 * The log: JSON lines on standard output, one for each request, few others.
 *
 * What may be logged is a type: each function takes named facts and writes those and nothing else. Headers, query
 * strings, bodies and whole objects have no way in, so there is nothing to redact. Texts from callers are bounded.
 * A line is one JSON.stringify: pino's own way to make one costs eight times as much, a fifth of a small request.
 */
import { pino } from 'pino';
import { systemClock } from '../base/index.ts';
import type { KeyUseEvent } from '../audit/index.ts';
import type { RequestRecord } from './pipeline.ts';

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Facts of events other than requests. */
export interface LogFacts {
  address?: string;
  path?: string;
  job?: string;
  processId?: number;
  exitCode?: number;
  signal?: string;
  againInMs?: number;
  workers?: number;
  fingerprint?: string;
  version?: string;
}

export interface Log {
  request(record: RequestRecord): void;
  /** A use of a KMS key: who, which, for what; joined to its request by the request id. */
  keyUse(event: KeyUseEvent): void;
  /** Something an operator wants to know of; `error` adds its name, message, code and stack. */
  event(level: 'debug' | 'info' | 'warn' | 'error', message: string, facts?: LogFacts, error?: unknown): void;
  /** Writes what is buffered. The process's end does so, too. */
  flush(): void;
}

const { pid } = process;

export interface LogDestination {
  /** Takes a whole line with its end. */
  write(line: string): unknown;
}

export interface LogOptions {
  level: LogLevel;
  /** Absent: standard output, written a second or 8 KiB late so that requests do not wait for it. */
  destination?: LogDestination;
}

const textLengthMax = 256;
const stackLengthMax = 4_096;
const causeDepthMax = 3;

export function createLog({ level, destination = bufferedOutput() }: LogOptions): Log {
  const least = logLevels.indexOf(level);
  const graveEnough = (lineLevel: LogLevel): boolean => logLevels.indexOf(lineLevel) >= least;
  const now = isoTime();
  const write = (lineLevel: LogLevel, message: string, facts: Record<string, unknown>): void => {
    destination.write(`${JSON.stringify({ level: lineLevel, time: now(), process: pid, message, ...facts })}\n`);
  };
  const buffered = destination as { flushSync?(): void };
  return {
    request: (record) => {
      const lineLevel = record.status >= 500 ? 'error' : 'info';
      if (graveEnough(lineLevel)) destination.write(requestLine(lineLevel, now(), record));
    },
    keyUse: (event) => {
      if (graveEnough('info')) write('info', 'key use', keyUseLine(event));
    },
    event: (lineLevel, message, facts = {}, error) => {
      if (graveEnough(lineLevel)) write(lineLevel, message, { ...eventLine(facts), error: error === undefined ? undefined : errorLine(error) });
    },
    flush: () => buffered.flushSync?.(),
  };
}

/** Standard output through pino's writer: it copes with slow readers, and writes what is left when the process ends. */
function bufferedOutput(): LogDestination {
  return pino.destination({ dest: 1, sync: false, minLength: 8_192, periodicFlush: 1_000 });
}

/** `2026-01-31T12:00:00.123Z`; the part up to the seconds is made once a second. */
function isoTime(): () => string {
  let second = -1;
  let prefix = '';
  return () => {
    const nowMs = systemClock.nowMs();
    const nowSecond = Math.floor(nowMs / 1000);
    if (nowSecond !== second) {
      second = nowSecond;
      prefix = new Date(second * 1000).toISOString().slice(0, -4);
    }
    return `${prefix}${String(nowMs - second * 1000).padStart(3, '0')}Z`;
  };
}

/** Put together by hand: as an object through JSON.stringify, the line costs three times as much, and every request has one. */
function requestLine(level: LogLevel, time: string, record: RequestRecord): string {
  const { notes, cause, errorCode } = record;
  return (
    `{"level":"${level}","time":"${time}","process":${pid},"message":"request","requestId":"${record.requestId}","service":"${record.service}"` +
    `,"operation":"${record.operation}"${member('method', record.method)}${member('bucket', notes.bucket)}${member('encryption', notes.encryption)}` +
    `,"status":${record.status}${member('code', errorCode)},"durationMs":${Math.round(record.durationMs * 1000) / 1000}` +
    `,"bytesIn":${record.bytesIn},"bytesOut":${record.bytesOut}${member('remoteAddress', record.remoteAddress)},"secure":${record.secure}` +
    `${member('accessKeyId', record.accessKeyId)}${cause === undefined ? '' : `,"error":${JSON.stringify(errorLine(cause))}`}}\n`
  );
}

const plainText = /^[\w.:/+-]*$/;

/** A text that may come from a caller, as a JSON member; nothing when it is absent. */
function member(name: string, text: string | undefined): string {
  if (text === undefined) return '';
  return plainText.test(text) && text.length <= textLengthMax ? `,"${name}":"${text}"` : `,"${name}":${JSON.stringify(bounded(text))}`;
}

/** Encryption contexts are no secrets: AWS keeps them in its audit records in clear. */
function keyUseLine(event: KeyUseEvent): Record<string, unknown> {
  const { requestId, eventName, keyArn, keyMaterialId, encryptionContext, callerArn, invokedBy, sourceIp, errorCode } = event;
  return {
    requestId, operation: eventName, keyArn: bounded(keyArn), keyMaterialId, encryptionContext: encryptionContext && boundedPairs(encryptionContext), callerArn: bounded(callerArn), invokedBy,
    remoteAddress: bounded(sourceIp), code: errorCode,
  };
}

const pairsMax = 16;

function boundedPairs(pairs: Readonly<Record<string, string>>): Record<string, string | undefined> {
  return Object.fromEntries<string | undefined>(Object.entries(pairs).slice(0, pairsMax).map(([name, value]) => [bounded(name) ?? '', bounded(value)]));
}

function eventLine(facts: LogFacts): Record<string, unknown> {
  const { address, path, job, processId, exitCode, signal, againInMs, workers, fingerprint, version } = facts;
  return { address, path, job, processId, exitCode, signal, againInMs, workers, fingerprint, version };
}

/** Errors carry whatever their makers hung on them (requests, options), so only these four are taken. */
function errorLine(error: unknown, depth = 1): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: `not an Error: ${typeof error}` };
  const { code } = error as { code?: unknown };
  return {
    name: bounded(error.name),
    message: bounded(error.message),
    code: typeof code === 'string' ? bounded(code) : undefined,
    stack: error.stack?.slice(0, stackLengthMax),
    cause: error.cause === undefined || depth >= causeDepthMax ? undefined : errorLine(error.cause, depth + 1),
  };
}

function bounded(text: string | undefined): string | undefined {
  return text !== undefined && text.length > textLengthMax ? `${text.slice(0, textLengthMax)}...` : text;
}
