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
