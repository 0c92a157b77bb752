/**
 * Keys of Coffer itself, in versions: each version lies wrapped under the root, the newest seals, all open.
 * Cached on the way of every request; the catalog is asked at most every ten seconds which version is current.
 */
import { randomBytes } from 'node:crypto';
import { assert, wipe, type Clock } from '../base/index.ts';
import type { Catalog } from '../catalog/index.ts';
import { keyMaterialContext } from '../seal/index.ts';
import { KeyringError } from './keyring-error.ts';
import { unwrapBy } from './material-vault.ts';
import { catalogKeys, decodeRecord, encodeRecord, recordVersion, type ServiceKeyPointer, type WrappedRecord } from './records.ts';
import type { RootOfTrust } from './root-of-trust.ts';

export interface ServiceKeyOptions {
  /** Age at which `rotateIfDue` rotates; 90 days when absent. */
  rotationPeriodMs?: number;
  /** How long a rotation in another process may stay unseen by writers; 10 seconds when absent. */
  currentAgeMsMax?: number;
}

export interface ServiceKeyVersion {
  keyVersionId: string;
  /** 32 bytes. Owned by the service key: not to be changed or wiped. */
  key: Buffer;
}

const keySizeBytes = 32;
const versionsKeptMax = 256;
const defaultRotationPeriodMs = 90 * 24 * 60 * 60_000;
const defaultCurrentAgeMsMax = 10_000;

export class ServiceKey {
  readonly #name: string;
  readonly #catalog: Catalog;
  readonly #root: RootOfTrust;
  readonly #clock: Clock;
  readonly #rotationPeriodMs: number;
  readonly #currentAgeMsMax: number;
  readonly #versions = new Map<string, Buffer>();
  #current: (ServiceKeyVersion & { lookedUpAtMs: number }) | undefined;
  #lookingUp: Promise<ServiceKeyVersion> | undefined;

  private constructor(name: string, catalog: Catalog, root: RootOfTrust, clock: Clock, options: ServiceKeyOptions) {
    this.#name = name;
    this.#catalog = catalog;
    this.#root = root;
    this.#clock = clock;
    this.#rotationPeriodMs = options.rotationPeriodMs ?? defaultRotationPeriodMs;
    this.#currentAgeMsMax = options.currentAgeMsMax ?? defaultCurrentAgeMsMax;
  }

  /**
   * Opens the service key of that name, and makes its first version when there is none; several processes may.
   * The catalog must have been claimed for the root before.
   */
  static async openNamed(name: string, catalog: Catalog, root: RootOfTrust, clock: Clock, options: ServiceKeyOptions = {}): Promise<ServiceKey> {
    const key = new ServiceKey(name, catalog, root, clock, options);
    await key.#openFirst();
    return key;
  }

  /** The version that seals. */
  async current(): Promise<ServiceKeyVersion> {
    const current = this.#current;
    if (current !== undefined && this.#isRecent(current.lookedUpAtMs)) return current;
    this.#lookingUp ??= this.#lookUp().finally(() => (this.#lookingUp = undefined));
    return this.#lookingUp;
  }

  /** Any version that ever was. Throws KeyringError `damaged` when there is none of that id. */
  async byId(keyVersionId: string): Promise<Buffer> {
    const known = this.#versions.get(keyVersionId);
    if (known !== undefined) return known;
    const what = `version ${keyVersionId} of the service key ${this.#name}`;
    const value = await this.#catalog.get(catalogKeys.serviceVersion(this.#name, keyVersionId));
    if (value === undefined) throw new KeyringError('damaged', `there is no ${what}`);
    const { wrapped } = decodeRecord<WrappedRecord>(value, what);
    const key = await unwrapBy(this.#root, this.#contextOf(keyVersionId), wrapped, what);
    this.#keep(keyVersionId, key);
    return key;
  }

  /** All versions, oldest first. */
  async versions(): Promise<{ keyVersionId: string; createdAtMs: number; isCurrent: boolean }[]> {
    const { keyVersionId: currentId } = await this.current();
    const start = catalogKeys.serviceVersion(this.#name, '');
    const entries = await this.#catalog.range({ start, end: Buffer.concat([start, Buffer.of(0xff)]) });
    const versions = entries.map(({ key, value }) => {
      const keyVersionId = key.toString('latin1', start.byteLength);
      return { keyVersionId, createdAtMs: decodeRecord<WrappedRecord>(value, 'a service key').createdAtMs, isCurrent: keyVersionId === currentId };
    });
    return versions.sort((a, b) => a.createdAtMs - b.createdAtMs);
  }

  /** Makes a new version current and returns its id. Of several processes that rotate at once, one does. */
  async rotate(): Promise<string> {
    const before = await this.#catalog.get(catalogKeys.servicePointer(this.#name));
    await this.#commitVersion(before);
    this.#current = undefined;
    return (await this.current()).keyVersionId;
  }

  /** Rotates when the current version is as old as it may become. True when this call rotated. */
  async rotateIfDue(): Promise<boolean> {
    const before = await this.#catalog.get(catalogKeys.servicePointer(this.#name));
    assert(before !== undefined, 'an opened service key has a current version');
    const { createdAtMs } = decodeRecord<ServiceKeyPointer>(before, `the service key ${this.#name}`);
    if (this.#clock.nowMs() - createdAtMs < this.#rotationPeriodMs) return false;
    const rotated = await this.#commitVersion(before);
    this.#current = undefined;
    return rotated;
  }

  /** Wipes all versions; nothing may be sealed or opened any more. */
  close(): void {
    wipe(...this.#versions.values());
    this.#versions.clear();
    this.#current = undefined;
  }

  async #openFirst(): Promise<void> {
    if ((await this.#catalog.get(catalogKeys.servicePointer(this.#name))) === undefined) await this.#commitVersion(undefined);
    await this.current();
  }

  async #lookUp(): Promise<ServiceKeyVersion> {
    const lookedUpAtMs = this.#clock.nowMs();
    const value = await this.#catalog.get(catalogKeys.servicePointer(this.#name));
    assert(value !== undefined, 'an opened service key has a current version');
    const { keyVersionId } = decodeRecord<ServiceKeyPointer>(value, `the service key ${this.#name}`);
    const key = await this.byId(keyVersionId);
    this.#current = { keyVersionId, key, lookedUpAtMs };
    return this.#current;
  }

  /** True when the new version became current, false when another process changed the pointer since `before`. */
  async #commitVersion(before: Buffer | undefined): Promise<boolean> {
    const keyVersionId = randomBytes(16).toString('hex');
    const key = randomBytes(keySizeBytes);
    const context = this.#contextOf(keyVersionId);
    const wrapped = await this.#root.wrap(context, key);
    const opened = await this.#root.unwrap(context, wrapped);
    const same = opened.equals(key);
    wipe(key, opened);
    assert(same, 'a wrapped service key opens to what was wrapped');
    const createdAtMs = this.#clock.nowMs();
    const version: WrappedRecord = { version: recordVersion, createdAtMs, wrapped: wrapped.toString('base64') };
    const pointer: ServiceKeyPointer = { version: recordVersion, keyVersionId, createdAtMs };
    const pointerKey = catalogKeys.servicePointer(this.#name);
    return this.#catalog.commit({
      checks: [{ kind: 'value', key: pointerKey, value: before }],
      puts: [
        { key: pointerKey, value: encodeRecord(pointer) },
        { key: catalogKeys.serviceVersion(this.#name, keyVersionId), value: encodeRecord(version) },
      ],
    });
  }

  #isRecent(lookedUpAtMs: number): boolean {
    const ageMs = this.#clock.nowMs() - lookedUpAtMs;
    return ageMs >= 0 && ageMs < this.#currentAgeMsMax;
  }

  /** Old versions are let go, not wiped: a request may hold one. */
  #keep(keyVersionId: string, key: Buffer): void {
    if (this.#versions.size >= versionsKeptMax) this.#versions.delete(this.#versions.keys().next().value!);
    this.#versions.set(keyVersionId, key);
  }

  #contextOf(keyVersionId: string): Buffer {
    return keyMaterialContext({ kind: 'service', id: this.#name, version: keyVersionId });
  }
}
