/**
 * The rooms below the services, over one data directory: what a server and the tools that work without one both
 * stand on. Safe several times at once over the same data: LMDB is shared between processes, blobs are immutable.
 */
import { join } from 'node:path';
import type { Gate } from '../audit/index.ts';
import type { Clock } from '../base/index.ts';
import { openFileBlobStore } from '../blobs/index.ts';
import { openLmdbCatalog } from '../catalog/index.ts';
import { BucketKeys, claimRoot, DataKeys, KeyService, MetadataKey, openKeyFile, ServiceMaster, type RootOfTrust } from '../keyring/index.ts';
import type { StoreContext, StoreMeter } from '../objects/index.ts';
import type { Config } from './config.ts';

export interface Rooms {
  readonly root: RootOfTrust;
  readonly keyService: KeyService;
  readonly master: ServiceMaster;
  readonly metadataKey: MetadataKey;
  readonly store: StoreContext;
  /** Wipes keys, waits for commits under way, lets go of the files. */
  close(): Promise<void>;
}

export interface RoomsOptions {
  gate: Gate;
  clock: Clock;
  meter: StoreMeter;
  onKeyCacheHit?: () => void;
}

/** Throws KeyringError when root and data do not belong together, CatalogError and BlobError when a store cannot be opened. */
export async function openRooms(config: Config, { gate, clock, meter, onKeyCacheHit }: RoomsOptions): Promise<Rooms> {
  const { region, account } = config;
  const root = await openKeyFile(config.rootKeyPath, { create: false });
  const [catalog, blobs] = await Promise.all([openLmdbCatalog({ path: catalogPath(config) }), openFileBlobStore({ path: blobsPath(config) })]);
  try {
    await claimRoot(catalog, root);
    const keyService = new KeyService({ catalog, root, gate, clock, region, account });
    const [master, metadataKey] = await Promise.all([ServiceMaster.open(catalog, root, clock), MetadataKey.open(catalog, root, clock)]);
    const dataKeys = new DataKeys({ keyService, master, clock, bucketKeys: new BucketKeys({ keyService, clock, ...(onKeyCacheHit ? { onHit: onKeyCacheHit } : {}) }) });
    return {
      root, keyService, master, metadataKey,
      store: { catalog, blobs, clock, dataKeys, metadataKey, meter },
      close: async () => {
        dataKeys.close();
        keyService.close();
        master.close();
        metadataKey.close();
        await catalog.close();
      },
    };
  } catch (error) {
    await catalog.close();
    throw error;
  }
}

export function catalogPath({ data }: Pick<Config, 'data'>): string {
  return join(data, 'catalog');
}

export function blobsPath({ data }: Pick<Config, 'data'>): string {
  return join(data, 'blobs');
}
