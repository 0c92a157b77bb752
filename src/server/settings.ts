/** What the assembled server needs to know: what `config.ts` reads from flags, environment and file, checked. */
import type { RootCredentials } from './root-credentials.ts';

export interface Endpoint {
  host: string;
  port: number;
}

export interface Settings {
  /** Absolute path of the data directory. */
  data: string;
  /** Absent: off. */
  http?: Endpoint | undefined;
  https?: Endpoint | undefined;
  region: string;
  /** Nobody chose a region: callers may sign for any, as their own configuration has it. */
  acceptsAnyRegion?: boolean | undefined;
  /** 12 digits. */
  account: string;
  /** Host names whose sub-domains are buckets, beside localhost. */
  domains: readonly string[];
  /** Addresses and networks. */
  trustedProxies: readonly string[];
  defaultEncryption: 'AES256' | 'none';
  newBucketsBlock: 'SSE-C' | 'NONE';
  keysOverHttp: 'refuse' | 'loopback';
  rootCredentials?: RootCredentials | undefined;
}
