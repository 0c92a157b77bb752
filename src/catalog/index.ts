/** The catalog room: the contract, and the engines that keep it. */
export * from './catalog.ts';
export { keySizeBytesMax, valueSizeBytesMax } from './limits.ts';
export { openMemoryCatalog } from './memory-catalog.ts';
export { openLmdbCatalog } from './lmdb/lmdb-catalog.ts';
