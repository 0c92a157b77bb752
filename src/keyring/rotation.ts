/**
 * Rotation: new material takes over, old material keeps opening what it sealed.
 * What callers may ask of it is rotation-administration.ts; when it happens by itself, key-work.ts.
 * Source: contract kms-iam-audit.md 2.13.
 */
import { kmsKeyArn, wipe } from '../base/index.ts';
import type { KeyAccess } from './key-access.ts';
import { keyErrors } from './key-errors.ts';
import { generateMaterial } from './key-specs.ts';
import type { KeyStore, StoredKey } from './key-store.ts';
import type { KeyMaking } from './new-key.ts';
import { catalogKeys, encodeRecord, type KeyPlace, type KeyRecord } from './records.ts';

export const dayMs = 24 * 60 * 60_000;

export type RotationType = 'AUTOMATIC' | 'ON_DEMAND';

/** Automatic rotation that starts to count at `startMs`. */
export function rotationFrom(startMs: number, periodDays: number): NonNullable<KeyRecord['rotation']> {
  return { periodDays, nextAtMs: startMs + periodDays * dayMs };
}

/**
 * Gives the key new current material. `mayRotate` sees the record that is about to change and throws, or says no.
 * True when the key was rotated.
 */
export async function rotateKey(
  service: KeyMaking & { store: KeyStore; access: KeyAccess }, place: KeyPlace, rotationType: RotationType, mayRotate: (key: StoredKey) => boolean,
): Promise<boolean> {
  const { secret } = await generateMaterial('SYMMETRIC_DEFAULT', service.draw);
  try {
    const { id, record: material } = await service.vault.wrap(place, secret);
    let rotated = false;
    const key = await service.store.update(place, (draft) => {
      rotated = mayRotate(draft);
      if (!rotated) return undefined;
      const nowMs = service.clock.nowMs();
      draft.materials.push({ id, createdAtMs: nowMs, rotationType });
      if (rotationType === 'AUTOMATIC' && draft.rotation) draft.rotation = nextRotation(draft.rotation, nowMs);
      return { puts: [{ key: catalogKeys.material(id), value: encodeRecord(material) }] };
    });
    if (key === undefined) throw keyErrors.keyNotFound(kmsKeyArn(place.region, place.account, place.keyId));
    if (rotated) service.access.recordServiceEvent('RotateKey', { keyArn: key.arn, keyMaterialId: id });
    return rotated;
  } finally {
    wipe(secret);
  }
}

/** Missed dates (the server was off, the key disabled) are made up for by one rotation, and the rhythm goes on from today. */
function nextRotation({ periodDays, nextAtMs }: NonNullable<KeyRecord['rotation']>, nowMs: number) {
  const next = nextAtMs + periodDays * dayMs;
  return next > nowMs ? { periodDays, nextAtMs: next } : rotationFrom(nowMs, periodDays);
}
