/**
 * What an operation of a service is to the pipeline that runs it.
 *
 * Steps of one request, in order: `before` (what AWS checks ahead of authorization, such as that the
 * bucket exists), `demands` (what the caller must be allowed), the gate, reading of a structured body, `act`.
 * An operation knows typed input and output, and nothing of sockets, XML or signatures.
 */
import type { Authorized, Caller } from '../audit/index.ts';
import type { Payload } from '../base/index.ts';
import type { Demand } from '../policy/index.ts';

/** One call under way: who calls, and what the official input shape has no member for. */
export interface Call {
  readonly caller: Caller;
  readonly requestId: string;
  /** Request headers, lower-case names: for rules about headers that an operation does not have (SSE on a GET). */
  readonly headers: Readonly<Record<string, string>>;
  /** Query parameters by decoded name, first value wins; a bare name has the empty string. */
  readonly query: ReadonlyMap<string, string>;
  /** The body of a streaming operation. The first pull answers `Expect: 100-continue`. */
  readonly payload: Payload;
  /** Scheme and host that the caller used, such as `https://localhost:9443`: for Location elements. */
  readonly origin: string;
  /** Facts for the log line and the metrics, filled in by the operation. */
  readonly notes: CallNotes;
}

export interface CallNotes {
  bucket?: string;
  /** As in audit records: `SSE-S3`, `SSE-KMS`, `DSSE-KMS`, `SSE-C`, `NONE`. */
  encryption?: string;
  keyArn?: string;
}

export interface Operation<Input, Output> {
  /** The official name, such as `PutObject`. */
  readonly name: string;
  before?(input: Input, call: Call): Promise<void> | void;
  demands(input: Input, call: Call): readonly Demand[] | Promise<readonly Demand[]>;
  act(request: Authorized<Input>, call: Call): Promise<Output>;
}

/** Operations by official name; the pipeline answers NotImplemented for what is missing. */
export type OperationTable = ReadonlyMap<string, Operation<never, unknown>>;
