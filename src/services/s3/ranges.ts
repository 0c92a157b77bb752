/** Byte ranges as S3 understands them. Source: contract s3-surface.md section 5. */
import { s3Errors } from './errors.ts';

/** `end` is exclusive. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * The range that a header asks for, or undefined where AWS ignores the header and answers whole: several ranges,
 * reversed ones, other units, junk. Throws InvalidRange (416).
 */
export function readRange(header: string | undefined, sizeBytes: number): ByteRange | undefined {
  const match = header === undefined ? null : /^bytes=(\d*)-(\d*)$/i.exec(header.trim());
  if (match === null || header === undefined) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const suffixSize = Number(last);
    if (suffixSize === 0 || sizeBytes === 0) throw s3Errors.invalidRange(sizeBytes, header);
    return { start: Math.max(sizeBytes - suffixSize, 0), end: sizeBytes };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return undefined;
  if (start >= sizeBytes) throw s3Errors.invalidRange(sizeBytes, header);
  return { start, end: last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes) };
}

export function contentRange(range: ByteRange, sizeBytes: number): string {
  return `bytes ${range.start}-${range.end - 1}/${sizeBytes}`;
}
