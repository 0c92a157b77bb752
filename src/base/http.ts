/** An HTTP exchange as the rooms above see it, free of node:http. */
import type { ByteSource } from './bytes.ts';

export interface HttpRequest {
  readonly method: string;
  /** Request target up to `?`, exactly as received: percent-encoded, never normalised. */
  readonly rawPath: string;
  /** Behind `?`, exactly as received; empty when there is none. */
  readonly rawQuery: string;
  /** Lower-case names; the values of a repeated header joined by `,`. */
  readonly headers: Readonly<Record<string, string>>;
  /** The caller's connection (or the trusted proxy's word) is TLS. */
  readonly secure: boolean;
  readonly remoteAddress: string;
  /** The body as transported (aws-chunked still on). The first pull answers `Expect: 100-continue`. */
  readonly body: ByteSource;
}

export interface HttpResponse {
  status: number;
  /** Lower-case names. */
  headers: Record<string, string>;
  /** Whole, or streamed; a streamed body comes with its content-length header. */
  body?: Buffer | string | ByteSource;
}

/** A request body after its transport coding and signature were taken off. */
export interface Payload {
  /** Fails with a ServiceError when the bytes are not what was announced or signed. */
  readonly body: ByteSource;
  /** Bytes that `body` will yield, where the caller announced it. */
  readonly decodedLength: number | undefined;
  /** Trailing headers, lower-case names; complete once `body` has ended. */
  trailers(): Readonly<Record<string, string>>;
}
