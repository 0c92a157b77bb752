/**
 * Keys and aliases in the catalog: read, changed and deleted, each change one commit with the indexes that follow it.
 * Knows no caller and no cryptography; who may do what is key-access.ts, what the material is material-vault.ts.
 */
import { kmsKeyArn } from '../base/index.ts';
import type { Catalog, CatalogEntry, Commit } from '../catalog/index.ts';
import { KeyringError } from './keyring-error.ts';
import {
  afterPrefix, catalogKeys, decodeRecord, encodeRecord, recordVersion,
  type AliasRecord, type CountRecord, type KeyPlace, type KeyRecord, type MaterialRecord, type TombstoneRecord,
} from './records.ts';

/** A record as it lies in the cache: shared, never to be changed. */
export type StoredKey = Readonly<KeyRecord>;

/** What goes into the same commit as a changed key. */
export type Companions = Pick<Commit, 'checks' | 'puts' | 'deletes'>;

/** Under contention every commit lets one writer through, so this many rivals at once are served. */
const commitAttemptsMax = 100;
const parsedRecordsMax = 10_000;

export class KeyStore {
  readonly #catalog: Catalog;
  /** Parsed records by catalog key, valid while the catalog still has the very bytes. */
  readonly #parsed = new Map<string, { value: Buffer; record: StoredKey }>();

  /** Settles when the last creation in this process is done. */
  #creating: Promise<unknown> = Promise.resolve();

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** The key as it is now, in every process; the catalog is asked each time. */
  async read(place: KeyPlace): Promise<StoredKey | undefined> {
    return (await this.#readWithValue(place))?.record;
  }

  /**
   * Puts a new key, its materials, and whatever comes with it. A customer key counts towards `keysMax`.
   * `exists`: a check of `companions` failed; `full`: the account has `keysMax` keys.
   */
  async create(
    record: KeyRecord, materials: ReadonlyMap<string, MaterialRecord>, keysMax: number, companions: Companions = {},
  ): Promise<'created' | 'exists' | 'full'> {
    const key = catalogKeys.key(record);
    const puts = [{ key, value: encodeRecord(record) }, ...(companions.puts ?? []), ...dueEntry(record)];
    for (const [id, material] of materials) puts.push({ key: catalogKeys.material(id), value: encodeRecord(material) });
    const checks = [{ kind: 'value', key, value: undefined } as const, ...(companions.checks ?? [])];
    if (record.manager === 'AWS') return (await this.#catalog.commit({ checks, puts })) ? 'created' : 'exists';
    return this.#oneAtATime(() => this.#createCounted(record, { checks, puts }, keysMax));
  }

  async #createCounted(record: StoredKey, { checks, puts }: Required<Pick<Commit, 'checks' | 'puts'>>, keysMax: number): Promise<'created' | 'exists' | 'full'> {
    const countKey = catalogKeys.count(record.region, record.account);
    for (let attempt = 0; attempt < commitAttemptsMax; attempt++) {
      const before = await this.#catalog.get(countKey);
      const keys = countOf(before);
      if (keys >= keysMax) return 'full';
      const count: CountRecord = { version: recordVersion, keys: keys + 1 };
      const created = await this.#catalog.commit({
        checks: [...checks, { kind: 'value', key: countKey, value: before }],
        puts: [...puts, { key: countKey, value: encodeRecord(count) }],
      });
      if (created) return 'created';
      if ((await this.#catalog.get(catalogKeys.key(record))) !== undefined) return 'exists';
    }
    throw contended('the number of keys');
  }

  /** All creations change the one count: in this process they queue, so that only other processes are rivals. */
  #oneAtATime<T>(create: () => Promise<T>): Promise<T> {
    const created = this.#creating.then(create, create);
    this.#creating = created;
    return created;
  }

  /**
   * Changes a key: `change` edits a draft, throws to refuse, and may name what belongs into the same commit.
   * It is called again with a fresh draft when somebody else changed the key meanwhile, so it must have no effects
   * of its own. Undefined when there is no such key. A draft left as it was costs no commit.
   */
  async update(place: KeyPlace, change: (draft: KeyRecord) => Companions | void): Promise<StoredKey | undefined> {
    for (let attempt = 0; attempt < commitAttemptsMax; attempt++) {
      const stored = await this.#readWithValue(place);
      if (stored === undefined) return undefined;
      const draft = structuredClone(stored.record) as KeyRecord;
      const companions = change(draft) ?? {};
      const value = encodeRecord(draft);
      if (value.equals(stored.value) && isEmpty(companions)) return stored.record;
      const [dueBefore, dueAfter] = [dueEntry(stored.record), dueEntry(draft)];
      const committed = await this.#catalog.commit({
        checks: [{ kind: 'value', key: catalogKeys.key(place), value: stored.value }, ...(companions.checks ?? [])],
        deletes: [...dueBefore.map(({ key }) => key), ...(companions.deletes ?? [])],
        puts: [{ key: catalogKeys.key(place), value }, ...dueAfter, ...(companions.puts ?? [])],
      });
      if (committed) return draft;
    }
    throw contended(kmsKeyArn(place.region, place.account, place.keyId));
  }

  /**
   * Destroys a key that `mayGo` agrees to: record, materials and aliases vanish, a tombstone stays.
   * False when the key is gone already or `mayGo` says no.
   */
  async remove(place: KeyPlace, deletedAtMs: number, mayGo: (record: StoredKey) => boolean): Promise<boolean> {
    for (let attempt = 0; attempt < commitAttemptsMax; attempt++) {
      const stored = await this.#readWithValue(place);
      if (stored === undefined || !mayGo(stored.record)) return false;
      const { record } = stored;
      const materialIds = record.materials.map(({ id }) => id);
      const aliases = await this.aliasesOf(place.keyId);
      const countKey = catalogKeys.count(place.region, place.account);
      const countBefore = await this.#catalog.get(countKey);
      const count: CountRecord = { version: recordVersion, keys: Math.max(0, countOf(countBefore) - 1) };
      const tombstone: TombstoneRecord = { version: recordVersion, arn: record.arn, createdAtMs: record.createdAtMs, deletedAtMs, materialIds };
      const removed = await this.#catalog.commit({
        checks: [
          { kind: 'value', key: catalogKeys.key(place), value: stored.value },
          { kind: 'value', key: countKey, value: countBefore },
          ...aliases.map(({ key, value }) => ({ kind: 'value', key, value }) as const),
        ],
        deletes: [
          catalogKeys.key(place),
          ...materialIds.map(catalogKeys.material),
          ...dueEntry(record).map(({ key }) => key),
          ...aliases.flatMap(({ alias }) => [catalogKeys.alias(place.region, place.account, alias.name), catalogKeys.target(place.keyId, alias.name)]),
        ],
        puts: [
          { key: catalogKeys.gone(place), value: encodeRecord(tombstone) },
          ...(record.manager === 'CUSTOMER' ? [{ key: countKey, value: encodeRecord(count) }] : []),
        ],
      });
      if (removed) return true;
    }
    throw contended(kmsKeyArn(place.region, place.account, place.keyId));
  }

  /** Keys in order of their ids, those behind `afterKeyId`. */
  async list(region: string, account: string, afterKeyId: string, limit: number): Promise<StoredKey[]> {
    const prefix = catalogKeys.key({ region, account, keyId: '' });
    const entries = await this.#catalog.range({ start: behind(prefix, afterKeyId), end: afterPrefix(prefix), limit });
    return entries.map(({ value }) => decodeRecord<KeyRecord>(value, 'a key record'));
  }

  /** Keys whose time has come, earliest first, those behind the entry `after`. */
  async due(nowMs: number, after: Buffer | undefined, limit: number): Promise<{ entry: Buffer; place: KeyPlace }[]> {
    const start = after === undefined ? catalogKeys.dueEdge(0) : Buffer.concat([after, Buffer.of(0)]);
    const entries = await this.#catalog.range({ start, end: catalogKeys.dueEdge(nowMs + 1), limit });
    return entries.map(({ key }) => {
      const [, , , region, account, keyId] = key.toString().split('/') as [string, string, string, string, string, string];
      return { entry: key, place: { region, account, keyId } };
    });
  }

  async alias(region: string, account: string, name: string): Promise<AliasRecord | undefined> {
    const value = await this.#catalog.get(catalogKeys.alias(region, account, name));
    return value && decodeRecord<AliasRecord>(value, 'an alias record');
  }

  /** Aliases in order of their names, those behind `afterName`. */
  async listAliases(region: string, account: string, afterName: string, limit: number): Promise<AliasRecord[]> {
    const prefix = catalogKeys.alias(region, account, '');
    return (await this.#catalog.range({ start: behind(prefix, afterName), end: afterPrefix(prefix), limit })).map(aliasIn);
  }

  /** The aliases of one key, in order of their names. */
  async listAliasesOf(keyId: string, afterName: string, limit: number): Promise<AliasRecord[]> {
    const prefix = catalogKeys.target(keyId, '');
    return (await this.#catalog.range({ start: behind(prefix, afterName), end: afterPrefix(prefix), limit })).map(aliasIn);
  }

  async aliasesOf(keyId: string): Promise<(CatalogEntry & { alias: AliasRecord })[]> {
    const prefix = catalogKeys.target(keyId, '');
    const entries = await this.#catalog.range({ start: prefix, end: afterPrefix(prefix) });
    return entries.map((entry) => ({ ...entry, alias: aliasIn(entry) }));
  }

  /**
   * Points an alias at a key, or takes it away (`after` undefined), provided that it is still as in `before`
   * and the new target is still the record that was looked at. False when somebody else was faster.
   */
  async commitAlias(region: string, account: string, before: AliasRecord | undefined, after: AliasRecord | undefined, target?: StoredKey): Promise<boolean> {
    const name = (after ?? before)!.name;
    const key = catalogKeys.alias(region, account, name);
    const checks: Commit['checks'] = [
      { kind: 'value', key, value: before && encodeRecord(before) },
      ...(target ? [{ kind: 'value', key: catalogKeys.key(target), value: encodeRecord(target) } as const] : []),
    ];
    const value = after && encodeRecord(after);
    return this.#catalog.commit({
      checks,
      deletes: before ? [key, catalogKeys.target(before.keyId, name)] : [],
      puts: after && value ? [{ key, value }, { key: catalogKeys.target(after.keyId, name), value }] : [],
    });
  }

  async #readWithValue(place: KeyPlace): Promise<{ value: Buffer; record: StoredKey } | undefined> {
    const key = catalogKeys.key(place);
    const value = await this.#catalog.get(key);
    const name = `${place.region}/${place.account}/${place.keyId}`;
    if (value === undefined) {
      this.#parsed.delete(name);
      return undefined;
    }
    const known = this.#parsed.get(name);
    if (known?.value.equals(value)) return known;
    const fresh = { value, record: decodeRecord<KeyRecord>(value, 'a key record') };
    if (known === undefined && this.#parsed.size >= parsedRecordsMax) {
      this.#parsed.delete(this.#parsed.keys().next().value!);
    }
    this.#parsed.set(name, fresh);
    return fresh;
  }
}

/** The entry that says when background work has to look at the key next, if ever. */
function dueEntry(record: StoredKey): { key: Buffer; value: Buffer }[] {
  const atMs = record.state === 'PendingDeletion' ? record.deletionAtMs : record.state === 'Enabled' ? record.rotation?.nextAtMs : undefined;
  return atMs === undefined ? [] : [{ key: catalogKeys.due(atMs, record), value: Buffer.alloc(0) }];
}

function countOf(value: Buffer | undefined): number {
  return value === undefined ? 0 : decodeRecord<CountRecord>(value, 'the number of keys').keys;
}

function aliasIn({ value }: CatalogEntry): AliasRecord {
  return decodeRecord<AliasRecord>(value, 'an alias record');
}

/** The first catalog key behind the entry of `name`; with an empty name, the beginning of the table. */
function behind(prefix: Buffer, name: string): Buffer {
  return name === '' ? prefix : Buffer.concat([prefix, Buffer.from(name), Buffer.of(0)]);
}

function isEmpty({ checks, puts, deletes }: Companions): boolean {
  return !checks?.length && !puts?.length && !deletes?.length;
}

function contended(what: string): KeyringError {
  return new KeyringError('contended', `${what} was changed by others ${commitAttemptsMax} times in a row`);
}
