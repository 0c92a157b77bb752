/** Words that every room shares: bytes, errors, ARNs, time. */
export * from './arn.ts';
export * from './bytes.ts';
export * from './clock.ts';
export * from './errors.ts';
export * from './http.ts';
export * from './random.ts';
