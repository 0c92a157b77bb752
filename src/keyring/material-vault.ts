/**
 * Key material: wrapped under the root of trust when it is made, unwrapped for use, kept unwrapped for minutes.
 * Only the gate's proof opens it. Which material a key has is in its record.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { assert, wipe, type Clock } from '../base/index.ts';
import type { Authorized } from '../audit/index.ts';
import type { Catalog } from '../catalog/index.ts';
import { keyMaterialContext, SealError } from '../seal/index.ts';
import { keyErrors } from './key-errors.ts';
import type { StoredKey } from './key-store.ts';
import { KeyringError } from './keyring-error.ts';
import { catalogKeys, decodeRecord, encodeRecord, recordVersion, type KeyPlace, type MaterialRecord, type WrappedRecord } from './records.ts';
import type { RootOfTrust } from './root-of-trust.ts';

export interface VaultLimits {
  /** Unwrapped materials kept at once. */
  materialsMax: number;
  /** How long one is kept since its unwrap. */
  materialAgeMsMax: number;
}

interface Kept {
  place: KeyPlace;
  secret: Buffer;
  unwrappedAtMs: number;
}

/** How soon copies of destroyed material leave this process, although nobody asks for them. */
const sweepIntervalMs = 15_000;
const unwrapAttemptsMax = 8;

export class MaterialVault {
  readonly #catalog: Catalog;
  readonly #root: RootOfTrust;
  readonly #clock: Clock;
  readonly #limits: VaultLimits;
  /** By material id; least recently used first. */
  readonly #kept = new Map<string, Kept>();
  readonly #unwrapping = new Map<string, Promise<Kept | undefined>>();
  #idSecret: Promise<Buffer> | undefined;
  #sweeper: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(catalog: Catalog, root: RootOfTrust, clock: Clock, limits: VaultLimits) {
    this.#catalog = catalog;
    this.#root = root;
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Wraps new material of a key; the record is the caller's to commit. The caller keeps and wipes `secret`. */
  async wrap(place: KeyPlace, secret: Buffer): Promise<{ id: string; record: MaterialRecord }> {
    const id = await this.#idOf(place, secret);
    const context = contextOf(place, id);
    const wrapped = await this.#root.wrap(context, secret);
    // A key that would not open again must never be given out.
    const opened = await this.#root.unwrap(context, wrapped);
    const same = opened.equals(secret);
    wipe(opened);
    assert(same, 'wrapped key material opens to what was wrapped');
    const { region, account, keyId } = place;
    return { id, record: { version: recordVersion, region, account, keyId, wrapped: wrapped.toString('base64') } };
  }

  /** Whose material it is; undefined when there is none of that id. */
  async placeOf(materialId: string): Promise<KeyPlace | undefined> {
    const kept = this.#kept.get(materialId);
    if (kept) return kept.place;
    const value = await this.#catalog.get(catalogKeys.material(materialId));
    return value && decodeRecord<MaterialRecord>(value, 'a key material');
  }

  /**
   * Lends the material to `act`, which must be done with it when it returns: copies of it are wiped later on,
   * at any time. Undefined when the key has no such material.
   * Throws ServiceError KeyUnavailableException when the root of trust does not answer, KeyringError `damaged`.
   */
  async use<T>(proof: Authorized<StoredKey>, materialId: string, act: (secret: Buffer) => T): Promise<T | undefined> {
    const key = proof.input;
    if (!key.materials.some(({ id }) => id === materialId)) return undefined;
    let kept = this.#fresh(materialId);
    // A second turn is needed only when a flood of other keys evicted the material as soon as it came.
    for (let attempt = 0; kept === undefined; attempt++) {
      if (attempt === unwrapAttemptsMax) throw new KeyringError('contended', 'too many keys are in use at once');
      if ((await this.#unwrapOnce(materialId)) === undefined) return undefined;
      kept = this.#fresh(materialId);
    }
    assert(kept.place.keyId === key.keyId, 'a material belongs to the key that lists it');
    return act(kept.secret);
  }

  /** Wipes the unwrapped copy in this process. */
  forget(materialId: string): void {
    wipe(this.#kept.get(materialId)?.secret);
    this.#kept.delete(materialId);
  }

  /** Wipes all that is unwrapped. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#sweeper);
    for (const materialId of this.#kept.keys()) this.forget(materialId);
    void this.#idSecret?.then(wipe, () => undefined);
  }

  #fresh(materialId: string): Kept | undefined {
    const kept = this.#kept.get(materialId);
    if (kept === undefined) return undefined;
    if (this.#isOld(kept)) {
      this.forget(materialId);
      return undefined;
    }
    this.#kept.delete(materialId);
    this.#kept.set(materialId, kept);
    return kept;
  }

  #isOld(kept: Kept): boolean {
    const ageMs = this.#clock.nowMs() - kept.unwrappedAtMs;
    return ageMs >= this.#limits.materialAgeMsMax || ageMs < 0;
  }

  /** One unwrap for all who ask at the same moment. */
  #unwrapOnce(materialId: string): Promise<Kept | undefined> {
    const underWay = this.#unwrapping.get(materialId);
    if (underWay) return underWay;
    const unwrapping = this.#unwrap(materialId).finally(() => this.#unwrapping.delete(materialId));
    this.#unwrapping.set(materialId, unwrapping);
    return unwrapping;
  }

  async #unwrap(materialId: string): Promise<Kept | undefined> {
    const value = await this.#catalog.get(catalogKeys.material(materialId));
    if (value === undefined) return undefined;
    const { region, account, keyId, wrapped } = decodeRecord<MaterialRecord>(value, 'a key material');
    const place = { region, account, keyId };
    const secret = await unwrapBy(this.#root, contextOf(place, materialId), wrapped, `key material ${materialId}`);
    const kept = { place, secret, unwrappedAtMs: this.#clock.nowMs() };
    assert(!this.#closed, 'a closed vault unwraps nothing');
    this.forget(materialId);
    while (this.#kept.size >= this.#limits.materialsMax) this.forget(this.#kept.keys().next().value!);
    this.#kept.set(materialId, kept);
    this.#sweeper ??= setInterval(() => void this.sweep(), sweepIntervalMs).unref();
    return kept;
  }

  /** Drops what is old, and what another process has destroyed. Runs by itself every few seconds. */
  async sweep(): Promise<void> {
    for (const [materialId, kept] of this.#kept) {
      if (this.#isOld(kept)) this.forget(materialId);
      else if ((await this.#catalog.get(catalogKeys.material(materialId)).catch(() => undefined)) === undefined) this.forget(materialId);
    }
  }

  /** Tells nothing of the bytes to who has not the secret, even of bytes that were imported and can be guessed. */
  async #idOf(place: KeyPlace, secret: Buffer): Promise<string> {
    this.#idSecret ??= internalSecret(this.#catalog, this.#root, 'material-id', this.#clock);
    let idSecret: Buffer;
    try {
      idSecret = await this.#idSecret;
    } catch (error) {
      this.#idSecret = undefined;
      throw error;
    }
    return createHmac('sha256', idSecret).update(contextOf(place, '')).update(secret).digest('hex');
  }
}

/**
 * 32 random bytes that all processes over this catalog share, made on first need and wrapped under the root.
 * The caller owns the copy.
 */
export async function internalSecret(catalog: Catalog, root: RootOfTrust, name: string, clock: Clock): Promise<Buffer> {
  const key = catalogKeys.secret(name);
  const context = keyMaterialContext({ kind: 'internal', id: name, version: '1' });
  let value = await catalog.get(key);
  if (value === undefined) {
    const secret = randomBytes(32);
    const wrapped = (await root.wrap(context, secret)).toString('base64');
    wipe(secret);
    const record: WrappedRecord = { version: recordVersion, createdAtMs: clock.nowMs(), wrapped };
    await catalog.commit({ checks: [{ kind: 'value', key, value: undefined }], puts: [{ key, value: encodeRecord(record) }] });
    value = await catalog.get(key);
    assert(value !== undefined, 'an internal secret, once made, is there');
  }
  return unwrapBy(root, context, decodeRecord<WrappedRecord>(value, `the internal secret ${name}`).wrapped, `the internal secret ${name}`);
}

/** Tells a root that does not answer (try again) from bytes that are not what was wrapped (they never will be). */
export async function unwrapBy(root: RootOfTrust, context: Buffer, wrappedBase64: string, what: string): Promise<Buffer> {
  try {
    return await root.unwrap(context, Buffer.from(wrappedBase64, 'base64'));
  } catch (error) {
    if (error instanceof SealError) throw new KeyringError('damaged', `${what} does not open under the root of trust ${root.fingerprint}`, { cause: error });
    throw keyErrors.keyUnavailable(error);
  }
}

function contextOf({ region, account, keyId }: KeyPlace, materialId: string): Buffer {
  return keyMaterialContext({ kind: 'kms', id: `${region}/${account}/${keyId}`, version: materialId });
}
