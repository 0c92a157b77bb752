/** The four ways an object can be encrypted, as requests ask for them: for cases that hold for each of them. */
import { bk, keyA, kid, sse } from './encryption-lab.ts';

export interface SchemeCase {
  name: 'SSE-S3' | 'SSE-KMS' | 'SSE-KMS with a bucket key' | 'DSSE-KMS' | 'SSE-C';
  /** Headers of a writer. */
  write: Record<string, string>;
  /** Headers that a reader must send. */
  read: Record<string, string>;
  /** Headers that a copy from such an object must send. */
  source: Record<string, string>;
  /** What every answer about such an object echoes: SSE, key id and bucket key, customer algorithm. */
  echo: (string | undefined)[];
  /** ETags are no MD5. */
  isOpaque: boolean;
}

export function schemeCases(key: { id: string; arn: string }): SchemeCase[] {
  const plain = { read: {}, source: {}, isOpaque: true };
  return [
    { ...plain, name: 'SSE-S3', write: {}, echo: ['AES256', undefined, undefined, undefined], isOpaque: false },
    { ...plain, name: 'SSE-KMS', write: { [sse]: 'aws:kms', [kid]: key.id }, echo: ['aws:kms', key.arn, undefined, undefined] },
    { ...plain, name: 'SSE-KMS with a bucket key', write: { [sse]: 'aws:kms', [kid]: key.id, [bk]: 'true' }, echo: ['aws:kms', key.arn, 'true', undefined] },
    { ...plain, name: 'DSSE-KMS', write: { [sse]: 'aws:kms:dsse', [kid]: key.id }, echo: ['aws:kms:dsse', key.arn, undefined, undefined] },
    { name: 'SSE-C', write: keyA.headers, read: keyA.headers, source: keyA.sourceHeaders, echo: [undefined, undefined, undefined, 'AES256'], isOpaque: true },
  ];
}

/** The headers of an answer that `echo` of a case lists. */
export function echoOf({ headers }: { headers: Record<string, unknown> }): unknown[] {
  return [headers[sse], headers[kid], headers[bk], headers[`${sse}-customer-algorithm`]];
}
