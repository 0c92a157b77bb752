/**
 * One sealed object as one act: bytes sealed and stored, then a record that names them, in an order that survives a
 * crash at any point. Knows buckets, versions, uploads and listings; knows nothing of HTTP or of AWS error codes.
 */
export * from './buckets.ts';
export * from './delete-bucket.ts';
export * from './errors.ts';
export * from './export.ts';
export * from './listing.ts';
export * from './metadata.ts';
export * from './payload-write.ts';
export * from './reading.ts';
export * from './records.ts';
export * from './scrub.ts';
export * from './store-context.ts';
export * from './trash.ts';
export * from './uploads.ts';
export * from './version-id.ts';
export * from './walk.ts';
export * from './versions.ts';
