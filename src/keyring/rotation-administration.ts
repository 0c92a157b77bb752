/**
 * Rotation as callers see and set it. Source: contract kms-iam-audit.md 2.13.
 */
import type { IncludeKeyMaterial } from '@aws-sdk/client-kms';
import type { Caller } from '../audit/index.ts';
import type { UseFacts } from './key-access.ts';
import { changeKey, viewKey } from './key-administration.ts';
import { keyErrors } from './key-errors.ts';
import type { KeyService } from './key-service.ts';
import { stateRefusal } from './key-states.ts';
import type { StoredKey } from './key-store.ts';
import { rotateKey, rotationFrom } from './rotation.ts';
import type { MaterialEntry } from './records.ts';

const defaultRotationPeriodDays = 365;

export interface RotationStatus {
  keyArn: string;
  /** Absent while the key does not rotate by itself. */
  rotation: { periodDays: number; nextDate: Date } | undefined;
}

/** A dying key does not rotate, yet keeps its settings. */
export function keyRotationStatus(keys: KeyService, caller: Caller, keyRef: string): Promise<RotationStatus> {
  return viewKey(keys, caller, keyRef, 'GetKeyRotationStatus', (key) => {
    const rotation = key.state === 'PendingDeletion' ? undefined : key.rotation;
    return { keyArn: key.arn, rotation: rotation && { periodDays: rotation.periodDays, nextDate: new Date(rotation.nextAtMs) } };
  });
}

export interface RotationEntry extends MaterialEntry {
  current: boolean;
}

/** The materials that rotations made, oldest first; with ALL_KEY_MATERIAL also the one the key was made with. */
export function keyRotations(keys: KeyService, caller: Caller, keyRef: string, include: IncludeKeyMaterial | undefined): Promise<{ keyArn: string; rotations: RotationEntry[] }> {
  return viewKey(keys, caller, keyRef, 'ListKeyRotations', (key) => {
    if (key.spec !== 'SYMMETRIC_DEFAULT') {
      if (include !== undefined) throw keyErrors.validation('Input parameter includeKeyMaterial can only be used with symmetric keys.');
      return { keyArn: key.arn, rotations: [] };
    }
    const rotations = key.materials.map((material, index) => ({ ...material, current: index === key.materials.length - 1 }));
    return { keyArn: key.arn, rotations: include === 'ALL_KEY_MATERIAL' ? rotations : rotations.slice(1) };
  });
}

/** Without a period, one that runs already goes on as it is. Another period restarts the clock, the same one does not. */
export async function enableKeyRotation(keys: KeyService, caller: Caller, keyRef: string, periodDays: number | undefined): Promise<void> {
  await changeKey(keys, caller, keyRef, 'EnableKeyRotation', (draft) => {
    requireRotatable(draft);
    const wanted = periodDays ?? draft.rotation?.periodDays ?? defaultRotationPeriodDays;
    if (draft.rotation?.periodDays !== wanted) draft.rotation = rotationFrom(keys.clock.nowMs(), wanted);
  });
}

export async function disableKeyRotation(keys: KeyService, caller: Caller, keyRef: string): Promise<void> {
  await changeKey(keys, caller, keyRef, 'DisableKeyRotation', (draft) => {
    delete draft.rotation;
  });
}

/** Rotates at once, whatever the automatic rotation does; returns the key's ARN. */
export async function rotateKeyOnDemand(keys: KeyService, caller: Caller, keyRef: string): Promise<string> {
  const operation = 'RotateKeyOnDemand';
  const facts: UseFacts = {};
  return keys.access.recorded(caller, operation, facts, async () => {
    const { input: key } = await keys.access.open(caller, keyRef, operation, facts, { aliases: false });
    const { onDemandRotationsMax } = keys.limits;
    requireOnDemandLeft(key, onDemandRotationsMax);
    await rotateKey(keys, key, 'ON_DEMAND', (draft) => {
      keys.access.authorize(caller, draft, `kms:${operation}`);
      const refusal = stateRefusal(operation, draft);
      if (refusal) throw refusal;
      requireOnDemandLeft(draft, onDemandRotationsMax);
      return true;
    });
    return key.arn;
  });
}

function requireRotatable(key: StoredKey): void {
  if (key.spec !== 'SYMMETRIC_DEFAULT') throw keyErrors.unsupported();
}

function requireOnDemandLeft(key: StoredKey, rotationsMax: number): void {
  requireRotatable(key);
  if (key.materials.filter(({ rotationType }) => rotationType === 'ON_DEMAND').length >= rotationsMax) {
    throw keyErrors.limitExceeded(
      'The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ' + key.arn,
    );
  }
}
