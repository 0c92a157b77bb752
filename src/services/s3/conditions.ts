/**
 * Conditional requests: RFC 9110 order for reads, and the narrower rules of conditional writes.
 * Source: contract s3-surface.md sections 5 and 6.
 */
import { ServiceError } from '../../base/index.ts';
import type { VersionRecord } from '../../objects/index.ts';
import { s3Errors } from './errors.ts';

export interface ReadConditions {
  IfMatch?: string | undefined;
  IfNoneMatch?: string | undefined;
  IfModifiedSince?: Date | undefined;
  IfUnmodifiedSince?: Date | undefined;
}

export interface Validators {
  etag: string;
  modifiedMs: number;
}

/** Quotes are optional, `*` matches everything, a list matches when one does. */
export function matchesETag(header: string, etag: string): boolean {
  return header.split(',').some((candidate) => {
    const text = candidate.trim().replace(/^W\//, '').replaceAll('"', '');
    return text === '*' || text === etag;
  });
}

/** Throws 412, or 304 with the validators that a cache needs. */
export function checkReadConditions(conditions: ReadConditions, object: Validators, nowMs: number, headers: Record<string, string>): void {
  const modifiedS = Math.floor(object.modifiedMs / 1_000);
  const isSince = (date: Date): boolean => modifiedS > Math.floor(date.getTime() / 1_000);
  if (conditions.IfMatch !== undefined) {
    if (!matchesETag(conditions.IfMatch, object.etag)) throw s3Errors.preconditionFailed('If-Match');
  } else if (conditions.IfUnmodifiedSince !== undefined && isSince(conditions.IfUnmodifiedSince)) {
    throw s3Errors.preconditionFailed('If-Unmodified-Since');
  }
  if (conditions.IfNoneMatch !== undefined) {
    if (matchesETag(conditions.IfNoneMatch, object.etag)) throw notModified(headers);
  } else if (conditions.IfModifiedSince !== undefined && conditions.IfModifiedSince.getTime() <= nowMs && !isSince(conditions.IfModifiedSince)) {
    throw notModified(headers);
  }
}

function notModified(headers: Record<string, string>): ServiceError {
  return new ServiceError('NotModified', 304, 'Not Modified', { headers });
}

export interface CopyConditions {
  CopySourceIfMatch?: string | undefined;
  CopySourceIfNoneMatch?: string | undefined;
  CopySourceIfModifiedSince?: Date | undefined;
  CopySourceIfUnmodifiedSince?: Date | undefined;
}

/** All failures are 412, and a true If-Match beats a false If-Unmodified-Since. */
export function checkCopyConditions(conditions: CopyConditions, object: Validators, nowMs: number): void {
  const modifiedS = Math.floor(object.modifiedMs / 1_000);
  const isSince = (date: Date): boolean => modifiedS > Math.floor(date.getTime() / 1_000);
  const { CopySourceIfMatch, CopySourceIfNoneMatch, CopySourceIfModifiedSince, CopySourceIfUnmodifiedSince } = conditions;
  if (CopySourceIfMatch !== undefined) {
    if (!matchesETag(CopySourceIfMatch, object.etag)) throw s3Errors.preconditionFailed('x-amz-copy-source-If-Match');
  } else if (CopySourceIfUnmodifiedSince !== undefined && isSince(CopySourceIfUnmodifiedSince)) {
    throw s3Errors.preconditionFailed('x-amz-copy-source-If-Unmodified-Since');
  }
  if (CopySourceIfNoneMatch !== undefined) {
    if (matchesETag(CopySourceIfNoneMatch, object.etag)) throw s3Errors.preconditionFailed('x-amz-copy-source-If-None-Match');
  } else if (CopySourceIfModifiedSince !== undefined && CopySourceIfModifiedSince.getTime() <= nowMs && !isSince(CopySourceIfModifiedSince)) {
    throw s3Errors.preconditionFailed('x-amz-copy-source-If-Modified-Since');
  }
}

export interface WriteConditions {
  IfMatch?: string | undefined;
  IfNoneMatch?: string | undefined;
}

/** Forms that AWS does not have: 501. */
export function requireKnownWriteConditions({ IfMatch, IfNoneMatch }: WriteConditions): void {
  if (IfMatch !== undefined && IfNoneMatch !== undefined) throw s3Errors.notImplemented('If-Match,If-None-Match', 'Multiple conditional request headers present in the request');
  if (IfNoneMatch !== undefined && IfNoneMatch !== '*') throw s3Errors.notImplemented('If-None-Match', 'We don\'t accept the provided value of If-None-Match header for this API');
  if (IfMatch === '*') throw s3Errors.notImplemented('If-Match', 'We don\'t accept the provided value of If-Match header for this API');
}

/** Judged against the state that the commit replaces, and once before the body is read. */
export function checkWriteConditions({ IfMatch, IfNoneMatch }: WriteConditions, key: string, current: VersionRecord | undefined): void {
  const exists = current !== undefined && current.kind === 'object';
  if (IfNoneMatch !== undefined && exists) throw s3Errors.preconditionFailed('If-None-Match');
  if (IfMatch !== undefined) {
    if (!exists) throw s3Errors.noSuchKey(key);
    if (!matchesETag(IfMatch, current.etag)) throw s3Errors.preconditionFailed('If-Match');
  }
}
