/**
 * Aliases: names that point at keys and can be pointed elsewhere. Input has been checked for its form.
 * Source: contract kms-iam-audit.md 2.4, 2.10.
 */
import type { Caller } from '../audit/index.ts';
import type { KeyRegion, UseFacts } from './key-access.ts';
import { keyErrors } from './key-errors.ts';
import type { KeyService } from './key-service.ts';
import { specTraits } from './key-specs.ts';
import { stateRefusal } from './key-states.ts';
import type { StoredKey } from './key-store.ts';
import { KeyringError } from './keyring-error.ts';
import { recordVersion, type AliasRecord } from './records.ts';

export interface AliasView {
  name: string;
  arn: string;
  keyId: string;
  createdAt: Date;
  updatedAt: Date;
}

/** Each failed attempt means that another writer succeeded. */
const attemptsMax = 100;
const managedPrefix = 'alias/aws/';

export async function createAlias(keys: KeyService, caller: Caller, name: string, targetRef: string): Promise<void> {
  const { region, account } = keys.home;
  const facts: UseFacts = {};
  await keys.access.recorded(caller, 'CreateAlias', facts, async () => {
    refuseManagedName(name);
    await untilCommitted(name, async () => {
      const target = await openTarget(keys, caller, name, targetRef, 'CreateAlias', facts);
      if ((await keys.store.alias(region, account, name)) !== undefined) {
        throw keyErrors.alreadyExists(`An alias with the name ${keys.access.aliasArn(name)} already exists`);
      }
      await requireRoom(keys, target);
      const nowMs = keys.clock.nowMs();
      const alias: AliasRecord = { version: recordVersion, name, keyId: target.keyId, createdAtMs: nowMs, updatedAtMs: nowMs };
      return keys.store.commitAlias(region, account, undefined, alias, target);
    });
  });
}

/** Points an alias at another key of the same type and usage. */
export async function updateAlias(keys: KeyService, caller: Caller, name: string, targetRef: string): Promise<void> {
  const { region, account } = keys.home;
  const facts: UseFacts = {};
  await keys.access.recorded(caller, 'UpdateAlias', facts, async () => {
    refuseManagedName(name);
    await untilCommitted(name, async () => {
      const { alias, key: oldTarget } = await aliasAndKey(keys, name);
      facts.keyArn = oldTarget.arn;
      keys.access.authorize(caller, oldTarget, 'kms:UpdateAlias');
      const target = await openTarget(keys, caller, name, targetRef, 'UpdateAlias', facts);
      requireSameKind(name, oldTarget, target);
      if (target.keyId !== oldTarget.keyId) await requireRoom(keys, target);
      const moved: AliasRecord = { ...alias, keyId: target.keyId, updatedAtMs: keys.clock.nowMs() };
      return keys.store.commitAlias(region, account, alias, moved, target);
    });
  });
}

/** The key stays. */
export async function deleteAlias(keys: KeyService, caller: Caller, name: string): Promise<void> {
  const { region, account } = keys.home;
  const facts: UseFacts = {};
  await keys.access.recorded(caller, 'DeleteAlias', facts, async () => {
    refuseManagedName(name);
    await untilCommitted(name, async () => {
      const { alias, key } = await aliasAndKey(keys, name);
      facts.keyArn = key.arn;
      keys.access.authorizeAlias(caller, { name }, 'kms:DeleteAlias');
      keys.access.authorize(caller, key, 'kms:DeleteAlias');
      return keys.store.commitAlias(region, account, alias, undefined);
    });
  });
}

/** Aliases behind `afterName` in the order of their names, of one key when `keyRef` is there. */
export async function listAliases(
  keys: KeyService, caller: Caller, keyRef: string | undefined, afterName: string, limit: number,
): Promise<AliasView[]> {
  const facts: UseFacts = {};
  return keys.access.recorded(caller, 'ListAliases', facts, async () => {
    keys.access.authorizeAccount(caller, 'kms:ListAliases');
    const found = keyRef === undefined
      ? await keys.store.listAliases(keys.home.region, keys.home.account, afterName, limit)
      : await listAliasesOf(keys, caller, keyRef, afterName, limit, facts);
    return found.map((alias) => viewOf(alias, keys));
  });
}

async function listAliasesOf(keys: KeyService, caller: Caller, keyRef: string, afterName: string, limit: number, facts: UseFacts): Promise<AliasRecord[]> {
  const key = await keys.access.resolve(keyRef, { caller, action: 'kms:ListAliases', aliases: false });
  facts.keyArn = key.arn;
  return keys.store.listAliasesOf(key.keyId, afterName, limit);
}

function viewOf(alias: AliasRecord, keys: { access: { aliasArn(name: string): string }; home: KeyRegion }): AliasView {
  return {
    name: alias.name, arn: keys.access.aliasArn(alias.name), keyId: alias.keyId,
    createdAt: new Date(alias.createdAtMs), updatedAt: new Date(alias.updatedAtMs),
  };
}

/** The new target: resolved, allowed on both alias and key, and in a state to get an alias. */
async function openTarget(
  keys: KeyService, caller: Caller, name: string, targetRef: string, operation: 'CreateAlias' | 'UpdateAlias', facts: UseFacts,
): Promise<StoredKey> {
  if (/^(?:alias\/|arn:[^/]*:alias\/)/.test(targetRef)) throw keyErrors.validation('Aliases must refer to keys. Not aliases');
  const target = await keys.access.resolve(targetRef, { caller, action: `kms:${operation}`, aliases: false });
  facts.keyArn = target.arn;
  keys.access.authorizeAlias(caller, { name }, `kms:${operation}`);
  keys.access.authorize(caller, target, `kms:${operation}`);
  const refusal = stateRefusal(operation, target);
  if (refusal) throw refusal;
  return target;
}

async function aliasAndKey(keys: KeyService, name: string): Promise<{ alias: AliasRecord; key: StoredKey }> {
  const alias = await keys.store.alias(keys.home.region, keys.home.account, name);
  const key = alias && (await keys.store.read(keys.access.placeOf(alias.keyId)));
  if (alias === undefined || key === undefined) throw keyErrors.aliasNotFound(keys.access.aliasArn(name));
  return { alias, key };
}

function refuseManagedName(name: string): void {
  if (name.startsWith(managedPrefix)) throw keyErrors.notAuthorized();
}

/** Two aliases made in the same instant may both be the last one that fits: the quota is no matter of security. */
async function requireRoom(keys: KeyService, target: StoredKey): Promise<void> {
  const { aliasesPerKeyMax } = keys.limits;
  if ((await keys.store.listAliasesOf(target.keyId, '', aliasesPerKeyMax)).length >= aliasesPerKeyMax) {
    throw keyErrors.limitExceeded(`The key ${target.arn} has ${aliasesPerKeyMax} aliases, as many as it may have.`);
  }
}

function requireSameKind(name: string, from: StoredKey, to: StoredKey): void {
  if (from.usage !== to.usage) {
    throw keyErrors.validation(
      `Alias ${name} cannot be changed from a CMK with key usage ${from.usage} to a CMK with key usage ${to.usage}. ` +
        'The key usage of the current CMK and the new CMK must be the same.',
    );
  }
  if (typeOf(from) !== typeOf(to)) {
    throw keyErrors.validation(
      `Alias ${name} cannot be changed from a CMK with key spec ${from.spec} to a CMK with key spec ${to.spec}. ` +
        'The key type of the current CMK and the new CMK must be the same.',
    );
  }
}

function typeOf(key: StoredKey): string {
  if (key.publicKey !== undefined) return 'asymmetric';
  return specTraits(key.spec)?.family === 'hmac' ? 'hmac' : 'symmetric';
}

async function untilCommitted(name: string, attempt: () => Promise<boolean>): Promise<void> {
  for (let attempts = 0; attempts < attemptsMax; attempts++) {
    if (await attempt()) return;
  }
  throw new KeyringError('contended', `the alias ${name} was changed by others ${attemptsMax} times in a row`);
}
