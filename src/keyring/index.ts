/**
 * Keys: root of trust, KMS keys and their materials, Coffer's own keys, data keys of objects. Generates, wraps,
 * unwraps, rotates and destroys them; every use of a KMS key passes the gate here.
 * What the sealed bytes look like is `seal`; what callers see of the KMS API is services/kms.
 */
export * from './keyring-error.ts';
export { openKeyFile, rootOfTrustFromKey, type RootOfTrust } from './root-of-trust.ts';
export { claimRoot } from './root-claim.ts';
export { KeyService, type DataKey, type KeyServiceOptions, type KeyUseAction, type Opened } from './key-service.ts';
export type { EncryptionContext } from './key-access.ts';
export { defaultLimits, type KeyLimits } from './limits.ts';
export { ServiceKey, type ServiceKeyOptions, type ServiceKeyVersion } from './service-key.ts';
export { MetadataKey, ServiceMaster } from './service-master.ts';
export { BucketKeys } from './bucket-keys.ts';
export { CustomerKeyError, DataKeys, wipeKeys, type EncryptionChoice, type PayloadKeys } from './data-keys.ts';
export type { DueKeyWork } from './key-work.ts';
export { keyErrors } from './key-errors.ts';
export { algorithmsOf, specTraits } from './key-specs.ts';
export * from './alias-administration.ts';
export * from './key-administration.ts';
export * from './key-pair-use.ts';
export * from './rotation-administration.ts';
export { readWrappedMaterial, readWrappedServiceKey, type WrappedMaterial } from './wrapped-material.ts';
