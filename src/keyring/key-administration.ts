/**
 * Keys made, shown, switched, described, tagged and deleted, in the name of a caller.
 * Input has been checked for its form before it comes here; aliases and rotation have files of their own.
 *
 * Source: contract kms-iam-audit.md 2.3, 2.5, 2.10, 2.11, 2.14.
 */
import type { KeyMetadata, KeySpec, KeyUsageType } from '@aws-sdk/client-kms';
import type { Caller } from '../audit/index.ts';
import { assert } from '../base/index.ts';
import type { UseFacts } from './key-access.ts';
import { keyErrors } from './key-errors.ts';
import { keyMetadata } from './key-metadata.ts';
import { checkPolicy, policyText } from './key-policy.ts';
import type { KeyService } from './key-service.ts';
import { stateRefusal, type KeyOperation } from './key-states.ts';
import type { Companions, StoredKey } from './key-store.ts';
import { newKey } from './new-key.ts';
import type { KeyRecord } from './records.ts';
import { dayMs } from './rotation.ts';

export interface WantedKey {
  spec: KeySpec;
  /** Must fit the spec. */
  usage: KeyUsageType;
  description: string;
  tags: Tag[];
  policy: string | undefined;
}

export interface Tag {
  TagKey: string;
  TagValue: string;
}

/** Looks at a key without changing it. `aliases` says whether an alias may name it. */
export async function viewKey<T>(
  keys: KeyService, caller: Caller, keyRef: string, operation: KeyOperation, view: (key: StoredKey) => T, options: { aliases?: boolean } = {},
): Promise<T> {
  const facts: UseFacts = {};
  return keys.access.recorded(caller, operation, facts, async () => {
    const proof = await keys.access.open(caller, keyRef, operation, facts, { aliases: options.aliases ?? false });
    return view(proof.input);
  });
}

/**
 * Changes a key's record. `change` edits the draft or throws; authorization and state are checked against the
 * very record that it changes.
 */
export async function changeKey(
  keys: KeyService, caller: Caller, keyRef: string, operation: KeyOperation, change: (draft: KeyRecord) => Companions | void,
): Promise<StoredKey> {
  const facts: UseFacts = {};
  return keys.access.recorded(caller, operation, facts, async () => {
    const proof = await keys.access.open(caller, keyRef, operation, facts, { aliases: false });
    const changed = await keys.store.update(proof.input, (draft) => {
      keys.access.authorize(caller, draft, `kms:${operation}`);
      const refusal = stateRefusal(operation, draft);
      if (refusal) throw refusal;
      return change(draft);
    });
    if (changed === undefined) throw keyErrors.keyNotFound(proof.input.arn);
    return changed;
  });
}

export async function createKey(keys: KeyService, caller: Caller, wanted: WantedKey): Promise<KeyMetadata> {
  const facts: UseFacts = {};
  return keys.access.recorded(caller, 'CreateKey', facts, async () => {
    keys.access.authorizeAccount(caller, 'kms:CreateKey');
    if (wanted.tags.length > 0) keys.access.authorizeAccount(caller, 'kms:TagResource');
    if (wanted.policy !== undefined) checkPolicy(wanted.policy, keys.home.account, keys.limits.policySizeBytesMax);
    checkTags(wanted.tags, keys.limits.tagsPerKeyMax);
    const { spec, usage, description, tags } = wanted;
    const { record, materials } = await newKey(keys, { spec, usage, description, tags, manager: 'CUSTOMER' });
    if (wanted.policy !== undefined) record.policy = wanted.policy;
    const outcome = await keys.store.create(record, materials, keys.limits.keysMax);
    if (outcome === 'full') throw keyErrors.limitExceeded(`The account has ${keys.limits.keysMax} keys, as many as it may have.`);
    assert(outcome === 'created', 'a fresh random key id is not taken');
    facts.keyArn = record.arn;
    return keyMetadata(record);
  });
}

export function describeKey(keys: KeyService, caller: Caller, keyRef: string): Promise<KeyMetadata> {
  return viewKey(keys, caller, keyRef, 'DescribeKey', keyMetadata, { aliases: true });
}

/** Keys behind `afterKeyId` in the order of their ids, managed ones included. */
export async function listKeys(keys: KeyService, caller: Caller, afterKeyId: string, limit: number): Promise<{ keyId: string; arn: string }[]> {
  return keys.access.recorded(caller, 'ListKeys', {}, async () => {
    keys.access.authorizeAccount(caller, 'kms:ListKeys');
    const found = await keys.store.list(keys.home.region, keys.home.account, afterKeyId, limit);
    return found.map(({ keyId, arn }) => ({ keyId, arn }));
  });
}

export async function setKeyEnabled(keys: KeyService, caller: Caller, keyRef: string, enabled: boolean): Promise<void> {
  await changeKey(keys, caller, keyRef, enabled ? 'EnableKey' : 'DisableKey', (draft) => {
    draft.state = enabled ? 'Enabled' : 'Disabled';
  });
}

export async function updateKeyDescription(keys: KeyService, caller: Caller, keyRef: string, description: string): Promise<void> {
  await changeKey(keys, caller, keyRef, 'UpdateKeyDescription', (draft) => {
    draft.description = description;
  });
}

export async function tagKey(keys: KeyService, caller: Caller, keyRef: string, tags: readonly Tag[]): Promise<void> {
  await changeKey(keys, caller, keyRef, 'TagResource', (draft) => {
    checkTags(tags, Infinity);
    const merged = new Map([...draft.tags, ...tags].map((tag) => [tag.TagKey, tag]));
    draft.tags = [...merged.values()];
    checkTags(draft.tags, keys.limits.tagsPerKeyMax);
  });
}

export async function untagKey(keys: KeyService, caller: Caller, keyRef: string, tagKeys: readonly string[]): Promise<void> {
  await changeKey(keys, caller, keyRef, 'UntagResource', (draft) => {
    draft.tags = draft.tags.filter(({ TagKey }) => !tagKeys.includes(TagKey));
  });
}

export function keyTags(keys: KeyService, caller: Caller, keyRef: string): Promise<Tag[]> {
  return viewKey(keys, caller, keyRef, 'ListResourceTags', ({ tags }) => tags);
}

export function getKeyPolicy(keys: KeyService, caller: Caller, keyRef: string): Promise<string> {
  return viewKey(keys, caller, keyRef, 'GetKeyPolicy', policyText);
}

/** Only a policy that means the same as the default one, as long as no other has an effect. */
export async function putKeyPolicy(keys: KeyService, caller: Caller, keyRef: string, policy: string): Promise<void> {
  await changeKey(keys, caller, keyRef, 'PutKeyPolicy', (draft) => {
    checkPolicy(policy, keys.home.account, keys.limits.policySizeBytesMax);
    draft.policy = policy;
  });
}

/** From now on nobody can use the key; `runDueKeyWork` destroys it when the window has passed. */
export async function scheduleKeyDeletion(keys: KeyService, caller: Caller, keyRef: string, windowDays: number): Promise<{ keyArn: string; deletionDate: Date }> {
  const key = await changeKey(keys, caller, keyRef, 'ScheduleKeyDeletion', (draft) => {
    draft.state = 'PendingDeletion';
    draft.deletionAtMs = keys.clock.nowMs() + windowDays * dayMs;
  });
  return { keyArn: key.arn, deletionDate: new Date(key.deletionAtMs!) };
}

/** The key comes back disabled: whoever wants it must say so. */
export async function cancelKeyDeletion(keys: KeyService, caller: Caller, keyRef: string): Promise<string> {
  const key = await changeKey(keys, caller, keyRef, 'CancelKeyDeletion', (draft) => {
    draft.state = 'Disabled';
    delete draft.deletionAtMs;
  });
  return key.arn;
}

/** Throws ServiceError TagException. */
function checkTags(tags: readonly Tag[], tagsMax: number): void {
  if (new Set(tags.map(({ TagKey }) => TagKey)).size !== tags.length) throw keyErrors.tag('Duplicate tag keys');
  if (tags.length > tagsMax) throw keyErrors.tag('Too many tags');
  if (tags.some(({ TagKey }) => /^aws:/i.test(TagKey))) throw keyErrors.tag('Tags beginning with aws: are reserved');
}
