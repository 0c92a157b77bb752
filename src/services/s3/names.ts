/**
 * Which bucket names there can be. Source: contract s3-surface.md section 4.
 */
import { s3Errors } from './errors.ts';

const reservedPrefixes = ['xn--', 'sthree-', 'amzn-s3-demo-'];
const reservedSuffixes = ['-s3alias', '--ol-s3', '.mrap', '--x-s3', '--table-s3', '-an'];
/** First path segments that mean something else here: S3 Control. Names that begin with `_` are ruled out by their form. */
const reservedNames: ReadonlySet<string> = new Set(['v20180820']);

export function isBucketName(name: string): boolean {
  return (
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) &&
    !name.includes('..') &&
    !/^\d+\.\d+\.\d+\.\d+$/.test(name) &&
    !reservedPrefixes.some((prefix) => name.startsWith(prefix)) &&
    !reservedSuffixes.some((suffix) => name.endsWith(suffix)) &&
    !reservedNames.has(name)
  );
}

/** Throws InvalidBucketName. Only for new buckets: a name that cannot be is otherwise a bucket that is not there. */
export function requireBucketName(name: string): void {
  if (!isBucketName(name)) throw s3Errors.invalidBucketName(name);
}
