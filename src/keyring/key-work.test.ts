/** What time does to keys. Source: contract kms-iam-audit.md cases K20, R05, R07, sections 2.13, 2.14. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openTestKeys, refusalOf, type TestKeys } from '../../test/kit/keys.ts';

const dayMs = 24 * 60 * 60_000;
interface Rotations { Rotations: { KeyMaterialId: string; RotationType?: string; RotationDate?: Date }[] }
interface Status { KeyRotationEnabled: boolean; RotationPeriodInDays?: number; NextRotationDate?: Date }

async function newKeyId({ kms }: TestKeys): Promise<string> {
  return (await kms<{ KeyMetadata: { KeyId: string } }>('CreateKey', {})).KeyMetadata.KeyId;
}

describe('automatic rotation', () => {
  test('happens when it is due, once, and the next one a period later', async () => {
    const opened = await openTestKeys();
    const { keys, kms, clock, events } = opened;
    const KeyId = await newKeyId(opened);
    const idle = await newKeyId(opened);
    const { blob } = await keys.generateDataKey(opened.caller, KeyId, { sizeBytes: 32 });
    await kms('EnableKeyRotation', { KeyId, RotationPeriodInDays: 90 });
    const before = await kms<Status>('GetKeyRotationStatus', { KeyId });
    clock.advanceMs(89 * dayMs);
    assert.equal((await keys.runDueKeyWork()).rotated, 0);
    clock.advanceMs(2 * dayMs);
    events.length = 0;
    assert.deepEqual(await keys.runDueKeyWork(), { rotated: 1, deleted: 0, failed: [] });
    assert.deepEqual(await keys.runDueKeyWork(), { rotated: 0, deleted: 0, failed: [] });
    assert.deepEqual(events.map(({ eventName, invokedBy, callerArn }) => [eventName, invokedBy, callerArn]), [['RotateKey', 'AWS Internal', '']]);
    const { Rotations } = await kms<Rotations>('ListKeyRotations', { KeyId });
    assert.deepEqual(Rotations.map(({ RotationType }) => RotationType), ['AUTOMATIC']);
    const after = await kms<Status>('GetKeyRotationStatus', { KeyId });
    assert.equal(after.NextRotationDate!.getTime(), before.NextRotationDate!.getTime() + 90 * dayMs, 'the rhythm is kept');
    assert.deepEqual((await kms<Rotations>('ListKeyRotations', { KeyId: idle })).Rotations, []);
    assert.equal((await keys.decrypt(opened.caller, blob)).plaintext.byteLength, 32);
  });

  test('that was missed many times is made up for by one', async () => {
    const opened = await openTestKeys();
    const { keys, kms, clock } = opened;
    const KeyId = await newKeyId(opened);
    await kms('EnableKeyRotation', { KeyId, RotationPeriodInDays: 90 });
    clock.advanceMs(1000 * dayMs);
    assert.equal((await keys.runDueKeyWork()).rotated, 1);
    assert.equal((await keys.runDueKeyWork()).rotated, 0);
    const { NextRotationDate } = await kms<Status>('GetKeyRotationStatus', { KeyId });
    assert.ok(NextRotationDate!.getTime() > clock.nowMs() + 89 * dayMs);
  });

  test('waits while the key is disabled, and catches up', async () => {
    const opened = await openTestKeys();
    const { keys, kms, clock } = opened;
    const KeyId = await newKeyId(opened);
    await kms('EnableKeyRotation', { KeyId });
    await kms('DisableKey', { KeyId });
    clock.advanceMs(366 * dayMs);
    assert.equal((await keys.runDueKeyWork()).rotated, 0);
    assert.equal((await kms<Status>('GetKeyRotationStatus', { KeyId })).KeyRotationEnabled, true);
    await kms('EnableKey', { KeyId });
    assert.equal((await keys.runDueKeyWork()).rotated, 1);
  });

  test('rotates the managed key every year', async () => {
    const { keys, clock } = await openTestKeys();
    await keys.managedKey('s3');
    clock.advanceMs(366 * dayMs);
    assert.equal((await keys.runDueKeyWork()).rotated, 1);
  });

  test('rests while deletion is pending, and comes back with a cancel', async () => {
    const opened = await openTestKeys();
    const { kms } = opened;
    const KeyId = await newKeyId(opened);
    await kms('EnableKeyRotation', { KeyId, RotationPeriodInDays: 200 });
    const running = await kms<Status>('GetKeyRotationStatus', { KeyId });
    await kms('ScheduleKeyDeletion', { KeyId });
    const dying = await kms<Status>('GetKeyRotationStatus', { KeyId });
    assert.deepEqual([dying.KeyRotationEnabled, dying.RotationPeriodInDays, dying.NextRotationDate], [false, undefined, undefined]);
    await kms('CancelKeyDeletion', { KeyId });
    assert.deepEqual(await kms('GetKeyRotationStatus', { KeyId }), running);
  });
});

describe('deletion', () => {
  test('ends with the window: key, materials, aliases and blobs are gone, a tombstone stays', async () => {
    const opened = await openTestKeys();
    const { keys, kms, clock, catalog, caller, events } = opened;
    const KeyId = await newKeyId(opened);
    const { blob, materialId, keyArn } = await keys.generateDataKey(caller, KeyId, { sizeBytes: 32 });
    await kms('RotateKeyOnDemand', { KeyId });
    await kms('CreateAlias', { AliasName: 'alias/dying', TargetKeyId: KeyId });
    await kms('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
    clock.advanceMs(7 * dayMs - 60_000);
    assert.equal((await keys.runDueKeyWork()).deleted, 0);
    clock.advanceMs(60_000);
    events.length = 0;
    assert.deepEqual(await keys.runDueKeyWork(), { rotated: 0, deleted: 1, failed: [] });
    assert.deepEqual(await keys.runDueKeyWork(), { rotated: 0, deleted: 0, failed: [] });
    assert.deepEqual(events.map(({ eventName, keyArn }) => [eventName, keyArn]), [['DeleteKey', keyArn]]);

    assert.equal(await refusalOf(kms('DescribeKey', { KeyId })), `NotFoundException: Key '${keyArn}' does not exist`);
    assert.equal(await refusalOf(kms('CancelKeyDeletion', { KeyId })), `NotFoundException: Key '${keyArn}' does not exist`);
    assert.equal(await refusalOf(keys.decrypt(caller, blob)), 'InvalidCiphertextException');
    assert.deepEqual((await kms<{ Aliases: unknown[] }>('ListAliases', {})).Aliases, []);
    assert.deepEqual((await kms<{ Keys: unknown[] }>('ListKeys', {})).Keys, []);
    const left = await catalog.range({ start: Buffer.from('k/'), end: Buffer.from('k0') });
    const names = left.map(({ key }) => key.toString()).filter((name) => name.includes(KeyId) || name.startsWith('k/material/') || name.startsWith('k/due/'));
    assert.deepEqual(names, [`k/gone/us-east-1/111122223333/${KeyId}`]);
    const tombstone = JSON.parse(left.find(({ key }) => key.toString() === names[0])!.value.toString()) as { arn: string; materialIds: string[] };
    assert.equal(tombstone.arn, keyArn);
    assert.equal(tombstone.materialIds[0], materialId);
  });

  test('that was cancelled does not happen', async () => {
    const opened = await openTestKeys();
    const { keys, kms, clock } = opened;
    const KeyId = await newKeyId(opened);
    await kms('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
    await kms('CancelKeyDeletion', { KeyId });
    clock.advanceMs(40 * dayMs);
    assert.equal((await keys.runDueKeyWork()).deleted, 0);
    const { KeyMetadata } = await kms<{ KeyMetadata: { KeyState: string; DeletionDate?: Date } }>('DescribeKey', { KeyId });
    assert.deepEqual([KeyMetadata.KeyState, KeyMetadata.DeletionDate], ['Disabled', undefined]);
  });

  test('does not come early, whatever an index says', async () => {
    const opened = await openTestKeys();
    const { keys, kms, catalog } = opened;
    const KeyId = await newKeyId(opened);
    await kms('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 30 });
    await catalog.commit({ puts: [{ key: Buffer.from(`k/due/${'0'.repeat(16)}/us-east-1/111122223333/${KeyId}`), value: Buffer.alloc(0) }] });
    assert.deepEqual(await keys.runDueKeyWork(), { rotated: 0, deleted: 0, failed: [] });
    assert.equal((await kms<{ KeyMetadata: { KeyState: string } }>('DescribeKey', { KeyId })).KeyMetadata.KeyState, 'PendingDeletion');
  });

  test('frees the place of a key in the quota', async () => {
    const opened = await openTestKeys({ limits: { keysMax: 2 } });
    const { keys, kms, clock } = opened;
    await keys.managedKey('s3');
    const KeyId = await newKeyId(opened);
    await newKeyId(opened);
    assert.match(await refusalOf(kms('CreateKey', {})), /^LimitExceededException: /);
    await kms('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
    clock.advanceMs(8 * dayMs);
    await keys.runDueKeyWork();
    await newKeyId(opened);
    assert.match(await refusalOf(kms('CreateKey', {})), /^LimitExceededException: /);
  });

  test('of many keys at once is finished in one run, although one of them cannot be', async () => {
    const opened = await openTestKeys();
    const { keys, kms, clock, catalog } = opened;
    const ids = await Promise.all(Array.from({ length: 150 }, () => newKeyId(opened)));
    for (const KeyId of ids) await kms('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
    const broken = ids[0]!;
    await catalog.commit({ puts: [{ key: Buffer.from(`k/key/us-east-1/111122223333/${broken}`), value: Buffer.from('not a record') }] });
    clock.advanceMs(8 * dayMs);
    const done = await keys.runDueKeyWork();
    assert.equal(done.deleted, 149);
    assert.deepEqual(done.failed.map(({ keyId }) => keyId), [broken]);
  });
});
