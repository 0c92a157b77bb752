/** What the operating system said, as a BlobError. */
import { BlobError } from '../blob-store.ts';

/** EFBIG: a limit on the size of files, met like a full disk. */
const fullCodes: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** `full` or `io`, with the original as cause. Whether ENOENT means `missing` is for the caller to say. */
export function toBlobError(error: unknown, what: string): BlobError {
  if (error instanceof BlobError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return new BlobError(fullCodes.has(code) ? 'full' : 'io', `${what}: ${message}`, { cause: error });
}

export function isErrno(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === code;
}
