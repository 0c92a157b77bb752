/**
 * What becomes of keys with time: automatic rotation, and the end of the deletion window.
 * Run again and again by a background job under a lease; safe when two run at once.
 * Source: contract kms-iam-audit.md 2.13, 2.14.
 */
import type { KeyService } from './key-service.ts';
import { rotateKey } from './rotation.ts';
import type { KeyPlace } from './records.ts';
import type { StoredKey } from './key-store.ts';

export interface DueKeyWork {
  rotated: number;
  deleted: number;
  /** Keys whose turn failed; they are due again next time. */
  failed: { keyId: string; error: unknown }[];
}

const pageSize = 100;

/** Does all that is due now. Rejects only when the catalog cannot be read. */
export async function runDueKeyWork(keys: KeyService): Promise<DueKeyWork> {
  const nowMs = keys.clock.nowMs();
  const done: DueKeyWork = { rotated: 0, deleted: 0, failed: [] };
  for (let after: Buffer | undefined; ;) {
    const due = await keys.store.due(nowMs, after, pageSize);
    for (const { place } of due) {
      try {
        if (await finishDeletion(keys, place, nowMs)) done.deleted++;
        else if (await rotateIfDue(keys, place, nowMs)) done.rotated++;
      } catch (error) {
        done.failed.push({ keyId: place.keyId, error });
      }
    }
    after = due.at(-1)?.entry;
    if (due.length < pageSize) return done;
  }
}

async function finishDeletion(keys: KeyService, place: KeyPlace, nowMs: number): Promise<boolean> {
  let destroyed: StoredKey | undefined;
  const removed = await keys.store.remove(place, nowMs, (key) => {
    destroyed = key;
    return key.state === 'PendingDeletion' && key.deletionAtMs! <= nowMs;
  });
  if (!removed || destroyed === undefined) return false;
  for (const { id } of destroyed.materials) keys.vault.forget(id);
  keys.access.recordServiceEvent('DeleteKey', { keyArn: destroyed.arn });
  return true;
}

async function rotateIfDue(keys: KeyService, place: KeyPlace, nowMs: number): Promise<boolean> {
  const isDue = (key: StoredKey): boolean => key.state === 'Enabled' && key.rotation !== undefined && key.rotation.nextAtMs <= nowMs;
  const key = await keys.store.read(place);
  return key !== undefined && isDue(key) && rotateKey(keys, place, 'AUTOMATIC', isDue);
}
