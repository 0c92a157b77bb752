/**
 * Data keys of objects: made, wrapped into an envelope, and unwrapped again in the name of whoever reads.
 * The scheme is chosen by the services; which bytes the keys seal is `objects`' matter.
 *
 * Source: docs/formats/wrapped-key.md; contract s3-encryption.md sections 7, 8 and 15.
 */
import type { Caller } from '../audit/index.ts';
import { asBuffer, assert, bucketArn, equalSecrets, freshRandom, objectArn, wipe, type Clock } from '../base/index.ts';
import {
  customerKeyCheck, customerWrappingKey, dataKeyContext, isCustomerKey, kmsBlobMaterialId, newCustomerKeySalt, open, seal,
  type Envelope, type MasterWrappedKey, type ObjectVersion,
} from '../seal/index.ts';
import type { BucketKeys } from './bucket-keys.ts';
import { DataKeyCache } from './data-key-cache.ts';
import type { KeyService } from './key-service.ts';
import type { ServiceMaster } from './service-master.ts';

/** How a new object or upload is to be encrypted, fully decided. */
export type EncryptionChoice =
  | { scheme: 'NONE' }
  | { scheme: 'SSE-S3' }
  /** `keyRef` as the caller or the bucket named it; absent: the managed key. */
  | { scheme: 'SSE-KMS'; keyRef: string | undefined; encryptionContext: Readonly<Record<string, string>>; bucketKeyEnabled: boolean }
  | { scheme: 'DSSE-KMS'; keyRef: string | undefined; encryptionContext: Readonly<Record<string, string>> }
  | { scheme: 'SSE-C'; customerKey: Buffer };

/** What opens a payload: nothing, one key, or one for each of two layers. Wiped by whoever asked for them. */
export type PayloadKeys =
  | { layers: 0 }
  | { layers: 1; key: Buffer }
  | { layers: 2; inner: Buffer; outer: Buffer };

/** The customer's key is missing, not wanted, or another one. The service words the answer. */
export class CustomerKeyError extends Error {
  readonly code: 'missing' | 'not-applicable' | 'wrong';

  constructor(code: 'missing' | 'not-applicable' | 'wrong') {
    super(`customer key ${code}`);
    this.name = 'CustomerKeyError';
    this.code = code;
  }
}

const dataKeySizeBytes = 32;

export class DataKeys {
  readonly #service: KeyService;
  readonly #master: ServiceMaster;
  readonly #bucketKeys: BucketKeys;
  readonly #cache: DataKeyCache;

  constructor(options: { keyService: KeyService; master: ServiceMaster; bucketKeys: BucketKeys; clock: Clock }) {
    this.#service = options.keyService;
    this.#master = options.master;
    this.#bucketKeys = options.bucketKeys;
    this.#cache = new DataKeyCache(options.clock);
  }

  /**
   * Fresh keys for one object version, and the envelope that gives them back.
   * Every wrapping is undone and compared before it is returned: a key that cannot be unwrapped must fail the
   * write, not the read. Throws ServiceError of the key service, Denied.
   */
  async create(choice: EncryptionChoice, place: ObjectVersion, requester: Caller): Promise<{ keys: PayloadKeys; envelope: Envelope }> {
    const caller = throughS3(requester);
    switch (choice.scheme) {
      case 'NONE':
        return { keys: { layers: 0 }, envelope: { scheme: 'NONE' } };
      case 'SSE-S3': {
        const key = freshRandom(dataKeySizeBytes);
        return { keys: { layers: 1, key }, envelope: { scheme: 'SSE-S3', ...(await this.#wrapUnderMaster('SSE-S3', key, place)) } };
      }
      case 'SSE-C': {
        const key = freshRandom(dataKeySizeBytes);
        const salt = newCustomerKeySalt();
        const wrappingKey = customerWrappingKey(choice.customerKey, salt);
        const context = dataKeyContext({ scheme: 'SSE-C', keyVersionId: '', ...place });
        const wrappedDataKey = wrapAndProve(wrappingKey, context, key);
        wipe(wrappingKey);
        return { keys: { layers: 1, key }, envelope: { scheme: 'SSE-C', salt, check: customerKeyCheck(choice.customerKey, salt), wrappedDataKey } };
      }
      case 'SSE-KMS':
        return choice.bucketKeyEnabled ? this.#createUnderBucketKey(choice, place, caller) : this.#createUnderKms(choice, place, caller);
      case 'DSSE-KMS': {
        const inner = await this.#generate(choice, objectContext(choice.encryptionContext, place), caller);
        const outer = freshRandom(dataKeySizeBytes);
        return {
          keys: { layers: 2, inner: inner.plaintext, outer },
          envelope: {
            scheme: 'DSSE-KMS', keyArn: inner.keyArn, wrappedDataKey: inner.blob, encryptionContext: choice.encryptionContext,
            outer: await this.#wrapUnderMaster('DSSE-KMS', outer, place),
          },
        };
      }
    }
  }

  /**
   * The keys of an envelope, in the caller's name. Throws CustomerKeyError, ServiceError of the key service,
   * Denied, and SealError when the envelope was tampered with.
   */
  async unwrap(envelope: Envelope, place: ObjectVersion, requester: Caller, customerKey?: Buffer): Promise<PayloadKeys> {
    const caller = throughS3(requester);
    if (envelope.scheme !== 'SSE-C' && customerKey !== undefined) throw new CustomerKeyError('not-applicable');
    switch (envelope.scheme) {
      case 'NONE':
        return { layers: 0 };
      case 'SSE-S3':
        return { layers: 1, key: await this.#unwrapHot(envelope, place) };
      case 'SSE-C': {
        if (customerKey === undefined) throw new CustomerKeyError('missing');
        if (!isCustomerKey(customerKey, envelope.salt, envelope.check)) throw new CustomerKeyError('wrong');
        const wrappingKey = customerWrappingKey(customerKey, envelope.salt);
        const key = open(wrappingKey, dataKeyContext({ scheme: 'SSE-C', keyVersionId: '', ...place }), envelope.wrappedDataKey);
        wipe(wrappingKey);
        return { layers: 1, key };
      }
      case 'SSE-KMS': {
        if (envelope.bucketKey === undefined) {
          const encryptionContext = objectContext(envelope.encryptionContext, place);
          return { layers: 1, key: (await this.#service.decrypt(caller, envelope.wrappedDataKey, { encryptionContext, keyRef: envelope.keyArn })).plaintext };
        }
        const { blob } = envelope.bucketKey;
        const encryptionContext = bucketContext(envelope.encryptionContext, place);
        const bucketKey = await this.#bucketKeys.forReading(caller, envelope.keyArn, blob, encryptionContext);
        return { layers: 1, key: open(bucketKey, bucketKeyPlace(blob, place), envelope.wrappedDataKey) };
      }
      case 'DSSE-KMS': {
        const encryptionContext = objectContext(envelope.encryptionContext, place);
        const inner = await this.#service.decrypt(caller, envelope.wrappedDataKey, { encryptionContext, keyRef: envelope.keyArn });
        return { layers: 2, inner: inner.plaintext, outer: await this.#unwrapUnderMaster('DSSE-KMS', envelope.outer, place) };
      }
    }
  }

  /** Proof of the customer's key without unwrapping anything: for HEAD and attributes. Throws CustomerKeyError. */
  proveCustomerKey(envelope: Envelope, customerKey: Buffer | undefined): void {
    if (envelope.scheme !== 'SSE-C') {
      if (customerKey !== undefined) throw new CustomerKeyError('not-applicable');
      return;
    }
    if (customerKey === undefined) throw new CustomerKeyError('missing');
    if (!isCustomerKey(customerKey, envelope.salt, envelope.check)) throw new CustomerKeyError('wrong');
  }

  async #createUnderKms(choice: EncryptionChoice & { scheme: 'SSE-KMS' }, place: ObjectVersion, caller: Caller) {
    const { plaintext, blob, keyArn } = await this.#generate(choice, objectContext(choice.encryptionContext, place), caller);
    const envelope: Envelope = { scheme: 'SSE-KMS', keyArn, wrappedDataKey: blob, encryptionContext: choice.encryptionContext };
    return { keys: { layers: 1, key: plaintext } as const, envelope };
  }

  async #createUnderBucketKey(choice: EncryptionChoice & { scheme: 'SSE-KMS' }, place: ObjectVersion, caller: Caller) {
    const encryptionContext = bucketContext(choice.encryptionContext, place);
    const keyRef = await this.#keyRef(choice.keyRef);
    const { key: bucketKey, blob, keyArn } = await this.#bucketKeys.forWriting(caller, keyRef, encryptionContext);
    const key = freshRandom(dataKeySizeBytes);
    const wrappedDataKey = wrapAndProve(bucketKey, bucketKeyPlace(blob, place), key);
    const envelope: Envelope = { scheme: 'SSE-KMS', keyArn, wrappedDataKey, encryptionContext: choice.encryptionContext, bucketKey: { blob } };
    return { keys: { layers: 1, key } as const, envelope };
  }

  async #generate(choice: { keyRef: string | undefined }, encryptionContext: Record<string, string>, caller: Caller) {
    const keyRef = await this.#keyRef(choice.keyRef);
    return this.#service.generateDataKey(caller, keyRef, { encryptionContext, sizeBytes: dataKeySizeBytes });
  }

  async #keyRef(keyRef: string | undefined): Promise<string> {
    return keyRef ?? (await this.#service.managedKey('s3'));
  }

  async #wrapUnderMaster(scheme: 'SSE-S3' | 'DSSE-KMS', key: Buffer, place: ObjectVersion) {
    const { keyVersionId, key: masterKey } = await this.#master.current();
    return { keyVersionId, wrappedDataKey: wrapAndProve(masterKey, dataKeyContext({ scheme, keyVersionId, ...place }), key) };
  }

  async #unwrapHot(wrapped: MasterWrappedKey, place: ObjectVersion): Promise<Buffer> {
    // All that the wrapping is bound to names the entry, so that a swapped record misses it and fails as it must.
    const name = `${wrapped.keyVersionId}/${place.bucket}/${place.key}/${asBuffer(place.versionNonce).toString('latin1')}/${wrapped.wrappedDataKey.toString('latin1')}`;
    const kept = this.#cache.get(name);
    if (kept !== undefined) return kept;
    const key = await this.#unwrapUnderMaster('SSE-S3', wrapped, place);
    this.#cache.keep(name, key);
    return key;
  }

  /** Wipes the keys that are kept for a second use. */
  close(): void {
    this.#cache.clear();
    this.#bucketKeys.clear();
  }

  async #unwrapUnderMaster(scheme: 'SSE-S3' | 'DSSE-KMS', wrapped: MasterWrappedKey, place: ObjectVersion): Promise<Buffer> {
    const masterKey = await this.#master.byId(wrapped.keyVersionId);
    return open(masterKey, dataKeyContext({ scheme, keyVersionId: wrapped.keyVersionId, ...place }), wrapped.wrappedDataKey);
  }
}

/** The key service is asked in the requester's own name, by S3. */
function throughS3(requester: Caller): Caller {
  return { ...requester, facts: { ...requester.facts, viaService: 's3' } };
}

/** The context of a key that serves one object. Source: contract s3-encryption.md 7.1. */
export function objectContext(clientPairs: Readonly<Record<string, string>>, place: ObjectVersion): Record<string, string> {
  return { ...clientPairs, 'aws:s3:arn': objectArn(place.bucket, place.key) };
}

/** The context of a bucket key. */
export function bucketContext(clientPairs: Readonly<Record<string, string>>, place: { bucket: string }): Record<string, string> {
  return { ...clientPairs, 'aws:s3:arn': bucketArn(place.bucket) };
}

function bucketKeyPlace(blob: Buffer, place: ObjectVersion): Buffer {
  const keyVersionId = kmsBlobMaterialId(blob);
  assert(keyVersionId !== undefined, 'a bucket key lies in a blob of our key service');
  return dataKeyContext({ scheme: 'SSE-KMS', keyVersionId, ...place });
}

function wrapAndProve(wrappingKey: Buffer, context: Buffer, key: Buffer): Buffer {
  const wrapped = seal(wrappingKey, context, key);
  const proof = open(wrappingKey, context, wrapped);
  assert(equalSecrets(proof, key), 'a wrapped key unwraps to itself');
  wipe(proof);
  return wrapped;
}

/** Overwrites keys that have served. */
export function wipeKeys(keys: PayloadKeys): void {
  if (keys.layers === 1) wipe(keys.key);
  if (keys.layers === 2) wipe(keys.inner, keys.outer);
}
