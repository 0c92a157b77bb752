/**
 * What every protocol offers for one operation: a codec, compiled once from its schema.
 */
import type { HttpRequest, HttpResponse } from '../base/http.ts';
import type { Address } from './address.ts';

/**
 * How the request's body is read.
 * - `none`: the operation has none; the pipeline drains or ignores what came.
 * - `structured`: collect it (at most `bodySizeBytesMax`) and call decodeBody.
 * - `raw-string`: the same, the body is one text member (a policy).
 * - `stream`: hand it, unread, to the member named by `payloadMember`.
 */
export type BodyKind = 'none' | 'structured' | 'raw-string' | 'stream';

/** What a handler's output may carry beside its shape's members. */
export interface OutputExtras {
  /** Instead of the schema's success status (RestoreObject: 200 or 202). */
  $status?: number;
  /** Headers that no schema models, lower-case names. */
  $headers?: Readonly<Record<string, string>>;
}

export interface Codec {
  readonly operation: string;
  readonly bodyKind: BodyKind;
  readonly bodySizeBytesMax: number;
  /** The input member that takes a `stream` body. */
  readonly payloadMember: string | undefined;
  /** The output's streaming member, when it has one. */
  readonly outputStreamMember: string | undefined;
  /** Every member that does not lie in the body. Throws ServiceError. */
  decodeHead(request: HttpRequest, address: Address): Record<string, unknown>;
  /** Adds the body's members to `input`. Throws ServiceError. */
  decodeBody(body: Uint8Array, input: Record<string, unknown>): void;
  /** The success answer. Request id and connection headers are the pipeline's. */
  encode(output: Readonly<Record<string, unknown>> & OutputExtras, requestId?: string): HttpResponse;
}

/** Bodies that are read whole are no larger than this, unless an operation says otherwise. */
export const STRUCTURED_BODY_SIZE_BYTES_MAX = 2 * 1024 * 1024;
