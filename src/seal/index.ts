/**
 * The byte formats: sealed messages (Cobblestone-256), what they are bound to, and the envelope.
 * Bytes in, bytes out: no disk, no network, no policy. Knows only node:crypto and base.
 * docs/formats/ says the same in words, enough to open everything without this program.
 */
export * from './cobblestone.ts';
export * from './contexts.ts';
export * from './customer-key.ts';
export * from './envelope.ts';
export * from './kms-blob.ts';
