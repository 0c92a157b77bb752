/**
 * The gate and the record. Nothing reaches a key or an object around it: it asks `policy`, and only
 * it can make the `Authorized` that every handler takes.
 */
export * from './events.ts';
export * from './gate.ts';
