/**
 * The one error a service throws at its caller. Only `wire` turns it into bytes.
 */

/** Elements beside Code and Message in an error answer, such as `BucketName`; order is kept. */
export type ErrorDetails = Readonly<Record<string, string>>;

export interface ServiceErrorOptions {
  /** Extra elements of the error body. */
  details?: ErrorDetails;
  /** Response headers that belong to the error, lower-case names. */
  headers?: Readonly<Record<string, string>>;
  /** Kept for the log, never shown to the caller. */
  cause?: unknown;
}

/**
 * An answer that is an AWS error: wire code, HTTP status, exact message.
 * A message of `undefined` means that the error has no message member at all (some KMS errors).
 */
export class ServiceError extends Error {
  readonly code: string;
  readonly status: number;
  readonly publicMessage: string | undefined;
  readonly details: ErrorDetails;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: string, status: number, message: string | undefined, options: ServiceErrorOptions = {}) {
    super(message ?? code, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ServiceError';
    this.code = code;
    this.status = status;
    this.publicMessage = message;
    this.details = options.details ?? {};
    this.headers = options.headers ?? {};
  }
}

/** A broken belief of ours, never of a caller's making. Not caught: it ends as InternalError. */
export function assert(belief: unknown, message: string): asserts belief {
  if (!belief) throw new Error(`broken invariant: ${message}`);
}
