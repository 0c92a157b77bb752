/** The blobs room: the contract, and the engines that keep it. */
export * from './blob-store.ts';
export { isBlobId } from './blob-id.ts';
export { openMemoryBlobStore } from './memory-blob-store.ts';
export { openFileBlobStore } from './files/file-blob-store.ts';
