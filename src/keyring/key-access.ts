/**
 * How a caller comes to a key: the reference is resolved, the gate asked, the state checked, the outcome recorded.
 * Source: contract kms-iam-audit.md 1.3 (order of checks), 2.2 (naming a key), 2.4 (managed keys).
 */
import { randomUUID } from 'node:crypto';
import { callerArn, Denied, type Authorized, type Caller, type Gate, type KeyUseEvent } from '../audit/index.ts';
import { kmsAliasArn, kmsKeyArn, parseArn, ServiceError, type Clock } from '../base/index.ts';
import type { Demand } from '../policy/index.ts';
import { keyErrors } from './key-errors.ts';
import { stateRefusal, type KeyOperation } from './key-states.ts';
import type { KeyStore, StoredKey } from './key-store.ts';
import type { AliasRecord, KeyPlace } from './records.ts';

export interface KeyRegion {
  region: string;
  /** 12 digits. */
  account: string;
}

/** Pairs of an encryption context; bound to the ciphertext, shown in audit records, not secret. */
export type EncryptionContext = Readonly<Record<string, string>>;

/** What the record of one use says beside the caller; filled in as it becomes known. */
export type UseFacts = Pick<KeyUseEvent, 'keyArn' | 'keyMaterialId' | 'encryptionContext'>;

/** Makes a managed key on first need, such as `s3`. */
export type ManagedKeyMaker = (service: string) => Promise<string>;

const keyIdPattern = /^(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32})$/;

/** Services that have a managed key, by its alias. */
export const managedAliases: ReadonlyMap<string, string> = new Map([['alias/aws/s3', 's3']]);

/** What a managed key's policy allows through its service, and what it allows everybody in the account. Contract 2.4. */
const managedThroughService = /^kms:(?:Encrypt|Decrypt|ReEncrypt.*|GenerateDataKey.*|DescribeKey)$/;
const managedForAll = /^kms:(?:Describe|Get|List)/;
/** No caller acts through a service of this name: what a managed key's policy does not mention, nobody may do. */
const noService = '-';

export class KeyAccess {
  readonly #store: KeyStore;
  readonly #gate: Gate;
  readonly #clock: Clock;
  readonly #makeManagedKey: ManagedKeyMaker;
  readonly #arnPrefix: string;
  readonly home: KeyRegion;

  constructor(options: { store: KeyStore; gate: Gate; clock: Clock; home: KeyRegion; makeManagedKey: ManagedKeyMaker }) {
    this.#store = options.store;
    this.#gate = options.gate;
    this.#clock = options.clock;
    this.#makeManagedKey = options.makeManagedKey;
    this.home = options.home;
    this.#arnPrefix = kmsKeyArn(this.home.region, this.home.account, '');
  }

  /**
   * The key that an id, key ARN, alias name or alias ARN means. `asking` words the refusal of a foreign key.
   * Throws ServiceError: NotFoundException, AccessDeniedException, InvalidArnException (an alias where none may stand).
   */
  async resolve(keyRef: string, asking: { caller?: Caller; action: string; aliases?: boolean }): Promise<StoredKey> {
    const name = this.#nameIn(keyRef, asking);
    if (name.startsWith('alias/')) {
      if (asking.aliases === false) throw keyErrors.aliasesNotSupported();
      return this.#behindAlias(name);
    }
    if (!keyIdPattern.test(name)) throw keyErrors.invalidKeyId(name);
    const key = await this.#store.read({ ...this.home, keyId: name });
    if (key === undefined) throw keyErrors.keyNotFound(`${this.#arnPrefix}${name}`);
    return key;
  }

  /** What `caller` must be allowed to do `action` on the key. */
  demand(key: StoredKey, action: string): Demand {
    const demand: Demand = { action, resource: key.arn, resourceAccount: key.account };
    if (key.managedFor !== undefined && !managedForAll.test(action)) {
      demand.onlyViaService = managedThroughService.test(action) ? key.managedFor : noService;
    }
    return demand;
  }

  /** Throws Denied. */
  authorize(caller: Caller, key: StoredKey, action: string): Authorized<StoredKey> {
    return this.#gate.authorize(caller, [this.demand(key, action)], key);
  }

  /** For actions that no key policy speaks of, such as kms:CreateKey. Throws Denied. */
  authorizeAccount(caller: Caller, action: string): Authorized<KeyRegion> {
    return this.#gate.authorize(caller, [{ action, resource: '*', resourceAccount: this.home.account }], this.home);
  }

  /** Throws Denied. */
  authorizeAlias(caller: Caller, alias: Pick<AliasRecord, 'name'>, action: string): void {
    this.#gate.authorize(caller, [{ action, resource: this.aliasArn(alias.name), resourceAccount: this.home.account }], alias);
  }

  /**
   * Resolve, authorize, state check, in this order: a denied caller learns nothing of the state.
   * Throws as `resolve`, Denied, and the refusals of the state table.
   */
  async open(caller: Caller, keyRef: string, operation: KeyOperation, facts: UseFacts, options: { action?: string; aliases?: boolean } = {}): Promise<Authorized<StoredKey>> {
    const action = options.action ?? `kms:${operation}`;
    const key = await this.resolve(keyRef, { caller, action, aliases: options.aliases ?? true });
    facts.keyArn = key.arn;
    const proof = this.authorize(caller, key, action);
    const refusal = stateRefusal(operation, key);
    if (refusal) throw refusal;
    return proof;
  }

  /** Runs one operation and records its outcome, success or refusal, before anybody learns of it. */
  recorded<T>(caller: Caller, eventName: string, facts: UseFacts, work: () => Promise<T>): Promise<T> {
    return this.recordedOnEach(caller, eventName, [facts], work);
  }

  /** The same for an operation on several keys: one record for each; a refusal names the keys it came to. */
  async recordedOnEach<T>(caller: Caller, eventName: string, uses: readonly UseFacts[], work: () => Promise<T>): Promise<T> {
    let result: T;
    try {
      result = await work();
    } catch (error) {
      const reached = uses.filter(({ keyArn }) => keyArn !== undefined);
      for (const facts of reached.length > 0 ? reached : uses.slice(0, 1)) this.recordRefusal(caller, eventName, facts, error);
      throw error;
    }
    for (const facts of uses) this.#gate.log.recordKeyUse(this.#event(caller, eventName, facts));
    return result;
  }

  recordRefusal(caller: Caller, eventName: string, facts: UseFacts, error: unknown): void {
    const errorCode = error instanceof Denied ? 'AccessDenied' : error instanceof ServiceError ? error.code : 'KMSInternalException';
    this.#gate.log.recordKeyUse({ ...this.#event(caller, eventName, facts), errorCode });
  }

  /** What the key service does of itself: RotateKey, DeleteKey. */
  recordServiceEvent(eventName: string, facts: UseFacts): void {
    this.#gate.log.recordKeyUse({
      eventName, ...facts, callerArn: '', invokedBy: 'AWS Internal', requestId: randomUUID(), sourceIp: 'AWS Internal',
    });
  }

  aliasArn(name: string): string {
    return kmsAliasArn(this.home.region, this.home.account, name);
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  #event(caller: Caller, eventName: string, facts: UseFacts): KeyUseEvent {
    return {
      eventName, ...facts, callerArn: callerArn(caller), invokedBy: caller.facts.viaService,
      requestId: caller.requestId, sourceIp: caller.sourceIp,
    };
  }

  /** The bare key id or alias name in a reference. */
  #nameIn(keyRef: string, { caller, action }: { caller?: Caller; action: string }): string {
    if (keyRef.startsWith(this.#arnPrefix)) return keyRef.slice(this.#arnPrefix.length);
    if (!keyRef.startsWith('arn:')) return keyRef;
    const arn = parseArn(keyRef);
    if (arn === undefined || arn.partition !== 'aws' || arn.service !== 'kms') throw keyErrors.invalidKeyId(keyRef);
    if (arn.region !== this.home.region) throw keyErrors.otherRegion(arn.region);
    if (arn.account !== this.home.account) throw keyErrors.foreignKey((caller && callerArn(caller)) || 'anonymous', action);
    if (arn.resource.startsWith('alias/')) return arn.resource;
    if (arn.resource.startsWith('key/')) return arn.resource.slice('key/'.length);
    throw keyErrors.invalidKeyId(keyRef);
  }

  async #behindAlias(name: string): Promise<StoredKey> {
    const managed = managedAliases.get(name);
    // Twice: an alias may move, or its key be deleted, between the two reads.
    for (let attempt = 0; attempt < 2; attempt++) {
      let alias = await this.#store.alias(this.home.region, this.home.account, name);
      if (alias === undefined && managed !== undefined) {
        await this.#makeManagedKey(managed);
        alias = await this.#store.alias(this.home.region, this.home.account, name);
      }
      if (alias === undefined) break;
      const key = await this.#store.read(this.placeOf(alias.keyId));
      if (key !== undefined) return key;
    }
    throw keyErrors.aliasNotFound(this.aliasArn(name));
  }

  placeOf(keyId: string): KeyPlace {
    return { ...this.home, keyId };
  }
}
