/**
 * Bucket keys: short-lived keys of one bucket, caller and KMS key, which save calls of the key service.
 * They live in memory only. The cache saves the unwrapping; authorization and key state are checked every time,
 * so a disabled key stops at once.
 *
 * Source: contract s3-encryption.md 7.2; lifetime 5 minutes [ours].
 */
import { createHash } from 'node:crypto';
import { callerArn, type Caller } from '../audit/index.ts';
import { lengthPrefixed, wipe, type Clock } from '../base/index.ts';
import type { KeyService } from './key-service.ts';

export interface BucketKey {
  /** Owned by the cache: not to be kept or wiped by the receiver. */
  key: Buffer;
  blob: Buffer;
  keyArn: string;
}

interface CachedBucketKey extends BucketKey {
  expiresAtMs: number;
}

const lifetimeMs = 5 * 60_000;
const countMax = 1_000;

export class BucketKeys {
  readonly #service: KeyService;
  readonly #clock: Clock;
  readonly #onHit: () => void;
  readonly #cache = new Map<string, CachedBucketKey>();
  readonly #underWay = new Map<string, Promise<CachedBucketKey>>();

  constructor(options: { keyService: KeyService; clock: Clock; onHit?: () => void }) {
    this.#service = options.keyService;
    this.#clock = options.clock;
    this.#onHit = options.onHit ?? (() => undefined);
  }

  /** The bucket key that new objects are wrapped under; asks the key service when there is none. */
  async forWriting(caller: Caller, keyRef: string, encryptionContext: Record<string, string>): Promise<BucketKey> {
    const name = cacheName('write', caller, keyRef, encryptionContext);
    const cached = this.#fresh(name);
    if (cached) {
      // Writers need both: the key service generates the bucket key and proves it by unwrapping.
      await this.#service.checkUse(caller, keyRef, 'kms:GenerateDataKey', encryptionContext);
      const keyArn = await this.#service.checkUse(caller, keyRef, 'kms:Decrypt', encryptionContext);
      // An alias may point to another key by now.
      if (keyArn === cached.keyArn) {
        this.#onHit();
        return cached;
      }
    }
    return this.#once(name, async () => {
      await this.#service.checkUse(caller, keyRef, 'kms:Decrypt', encryptionContext);
      const { plaintext, blob, keyArn } = await this.#service.generateDataKey(caller, keyRef, { encryptionContext, sizeBytes: 32 });
      return { key: plaintext, blob, keyArn };
    });
  }

  /** The bucket key of an object's envelope, unwrapped in the caller's name. */
  async forReading(caller: Caller, keyArn: string, blob: Buffer, encryptionContext: Record<string, string>): Promise<Buffer> {
    const blobName = createHash('sha256').update(blob).digest('base64');
    const name = cacheName(`read ${blobName}`, caller, keyArn, encryptionContext);
    const cached = this.#fresh(name);
    if (cached) {
      await this.#service.checkUse(caller, keyArn, 'kms:Decrypt', encryptionContext);
      this.#onHit();
      return cached.key;
    }
    const opened = await this.#once(name, async () => {
      const { plaintext } = await this.#service.decrypt(caller, blob, { encryptionContext, keyRef: keyArn });
      return { key: plaintext, blob, keyArn };
    });
    return opened.key;
  }

  /** Forgets and wipes everything, such as at shutdown. */
  clear(): void {
    for (const { key } of this.#cache.values()) wipe(key);
    this.#cache.clear();
  }

  #fresh(name: string): CachedBucketKey | undefined {
    const cached = this.#cache.get(name);
    if (cached === undefined || cached.expiresAtMs > this.#clock.nowMs()) return cached;
    // Not wiped: a request that began a moment ago may still be using it.
    this.#cache.delete(name);
    return undefined;
  }

  /** One call of the key service for all who ask at the same moment. */
  #once(name: string, ask: () => Promise<BucketKey>): Promise<CachedBucketKey> {
    const running = this.#underWay.get(name);
    if (running) return running;
    const asked = ask()
      .then((bucketKey) => {
        const cached = { ...bucketKey, expiresAtMs: this.#clock.nowMs() + lifetimeMs };
        this.#keep(name, cached);
        return cached;
      })
      .finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, asked);
    return asked;
  }

  #keep(name: string, cached: CachedBucketKey): void {
    if (this.#cache.size >= countMax) {
      const oldest = this.#cache.keys().next().value;
      if (oldest !== undefined) this.#cache.delete(oldest);
    }
    this.#cache.set(name, cached);
  }
}

/** One entry for each requester: identity and credential, so that no session lives on another's. */
function cacheName(use: string, caller: Caller, keyRef: string, encryptionContext: Record<string, string>): string {
  const { principal } = caller;
  const credential = principal.kind === 'root' ? principal.accessKeyId : '';
  const pairs = Object.entries(encryptionContext).sort(([a], [b]) => (a < b ? -1 : 1)).flat();
  return lengthPrefixed(use, callerArn(caller), credential, keyRef, ...pairs).toString('latin1');
}
