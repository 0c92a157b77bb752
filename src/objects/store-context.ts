/** What the functions of this room work on, built once by `server`. */
import type { BlobStore } from '../blobs/index.ts';
import type { Catalog } from '../catalog/index.ts';
import type { Clock } from '../base/index.ts';
import type { DataKeys } from '../keyring/data-keys.ts';
import type { ServiceMaster } from '../keyring/service-master.ts';

/** Counts plain bytes that were sealed and opened. */
export interface StoreMeter {
  sealed(sizeBytes: number): void;
  opened(sizeBytes: number): void;
}

export const noMeter: StoreMeter = { sealed: () => undefined, opened: () => undefined };

export interface StoreContext {
  readonly catalog: Catalog;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly dataKeys: DataKeys;
  /** Seals user metadata. */
  readonly metadataKey: ServiceMaster;
  readonly meter: StoreMeter;
}

/** How long unlinked blobs stay, so that readers who hold an older record finish. */
export const trashDelayMs = 60_000;

/** Commits that meet each other try again; more rounds than this mean that something else is wrong. */
export const commitAttemptsMax = 1_000;
