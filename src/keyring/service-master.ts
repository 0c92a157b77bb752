/** The service keys that Coffer has: the SSE-S3 master key, and the key of stored metadata and secrets. */
import type { Clock } from '../base/index.ts';
import type { Catalog } from '../catalog/index.ts';
import type { RootOfTrust } from './root-of-trust.ts';
import { ServiceKey, type ServiceKeyOptions } from './service-key.ts';

/** Wraps the data keys of SSE-S3 objects, and the outer layer of DSSE-KMS. */
export type ServiceMaster = ServiceKey;
export const ServiceMaster = {
  open: (catalog: Catalog, root: RootOfTrust, clock: Clock, options?: ServiceKeyOptions): Promise<ServiceMaster> =>
    ServiceKey.openNamed('sse-s3', catalog, root, clock, options),
};

/** Seals user metadata and secret access keys. */
export type MetadataKey = ServiceKey;
export const MetadataKey = {
  open: (catalog: Catalog, root: RootOfTrust, clock: Clock, options?: ServiceKeyOptions): Promise<MetadataKey> =>
    ServiceKey.openNamed('metadata', catalog, root, clock, options),
};
