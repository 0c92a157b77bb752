/** What the S3 operations work with, built once by `server`. */
import type { Gate } from '../../audit/index.ts';
import type { KeyService } from '../../keyring/index.ts';
import type { StoreContext } from '../../objects/index.ts';

export interface S3Settings {
  region: string;
  /** 12 digits: who owns what is made here. */
  account: string;
  /** `none` stores objects plain where neither request nor bucket asks for encryption, as S3 did before 2023. */
  defaultEncryption: 'AES256' | 'none';
  /** What new buckets block. */
  newBucketsBlock: 'SSE-C' | 'NONE';
  /** `loopback` lets this machine use SSE-C and SSE-KMS over plain HTTP. */
  keysOverHttp: 'refuse' | 'loopback';
}

export interface S3 {
  readonly store: StoreContext;
  readonly gate: Gate;
  readonly keyService: KeyService;
  readonly settings: S3Settings;
}

/** An official output without what SDKs add. */
export type Output<CommandOutput> = Omit<CommandOutput, '$metadata'>;
