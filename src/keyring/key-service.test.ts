/**
 * Data keys and ciphertexts: what opens what, for whom, and what is recorded of it.
 * Source: contract kms-iam-audit.md cases K05, K07 to K13, K15, K25, K27, K28, S06.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Denied } from '../audit/index.ts';
import { encodeKmsBlob, kmsBlobMaterialId } from '../seal/index.ts';
import { openTestKeys, refusalOf, rootCaller, type TestKeys } from '../../test/kit/keys.ts';
import { createKey, scheduleKeyDeletion, setKeyEnabled } from './key-administration.ts';
import { catalogKeys, type KeyRecord } from './records.ts';
import { rotateKeyOnDemand } from './rotation-administration.ts';

const encryptionContext = { a: '1', b: '2' };

async function newKeyArn({ keys, caller }: TestKeys, spec: 'SYMMETRIC_DEFAULT' | 'RSA_2048' | 'HMAC_256' = 'SYMMETRIC_DEFAULT'): Promise<string> {
  const usage = spec === 'HMAC_256' ? 'GENERATE_VERIFY_MAC' : 'ENCRYPT_DECRYPT';
  return (await createKey(keys, caller, { spec, usage, description: '', tags: [], policy: undefined })).Arn!;
}

async function withKey(): Promise<TestKeys & { arn: string; id: string }> {
  const opened = await openTestKeys();
  const arn = await newKeyArn(opened);
  return { ...opened, arn, id: arn.split('/')[1]! };
}

describe('data keys', () => {
  test('come with a blob that gives them back, whatever their size', async () => {
    const { keys, caller, arn } = await withKey();
    for (const sizeBytes of [1, 16, 32, 64, 1024]) {
      const made = await keys.generateDataKey(caller, arn, { encryptionContext, sizeBytes });
      assert.equal(made.plaintext.byteLength, sizeBytes);
      assert.equal(made.keyArn, arn);
      const opened = await keys.decrypt(caller, made.blob, { encryptionContext });
      assert.deepEqual(opened, { plaintext: made.plaintext, keyArn: arn, materialId: made.materialId });
      assert.equal(kmsBlobMaterialId(made.blob), made.materialId);
    }
  });

  test('are never the same twice', async () => {
    const { keys, caller, arn } = await withKey();
    const made = await Promise.all(Array.from({ length: 20 }, () => keys.generateDataKey(caller, arn, { encryptionContext, sizeBytes: 32 })));
    assert.equal(new Set(made.flatMap(({ plaintext, blob }) => [plaintext.toString('hex'), blob.toString('hex')])).size, 40);
  });

  test('without plaintext show none, and their blob opens', async () => {
    const { keys, caller, arn } = await withKey();
    const { plaintext, blob } = await keys.generateDataKey(caller, arn, { encryptionContext, sizeBytes: 32, withPlaintext: false });
    assert.equal(plaintext.byteLength, 0);
    assert.equal((await keys.decrypt(caller, blob, { encryptionContext })).plaintext.byteLength, 32);
  });

  test('cannot be made under a key of another kind', async () => {
    const opened = await openTestKeys();
    const { keys, caller } = opened;
    const [rsa, hmac] = [await newKeyArn(opened, 'RSA_2048'), await newKeyArn(opened, 'HMAC_256')];
    const ask = (arn: string) => refusalOf(keys.generateDataKey(caller, arn, { sizeBytes: 32 }));
    assert.equal(await ask(rsa), 'InvalidKeyUsageException: You cannot generate a data key with an asymmetric CMK');
    assert.equal(await ask(hmac), `InvalidKeyUsageException: ${hmac} key usage is GENERATE_VERIFY_MAC which is not valid for GenerateDataKey.`);
    assert.equal(await refusalOf(keys.checkUse(caller, hmac, 'kms:GenerateDataKey', {})), await ask(hmac));
  });
});

describe('a blob', () => {
  test('opens only under the same encryption context, in any order', async () => {
    const { keys, caller, arn } = await withKey();
    const { blob } = await keys.encrypt(caller, arn, Buffer.from('text'), { encryptionContext });
    assert.equal((await keys.decrypt(caller, blob, { encryptionContext: { b: '2', a: '1' } })).plaintext.toString(), 'text');
    const others: (Record<string, string> | undefined)[] = [{ a: '1' }, { A: '1', b: '2' }, { a: '1', b: '2', c: '' }, { a: '2', b: '1' }, {}, undefined];
    for (const other of others) {
      assert.equal(await refusalOf(keys.decrypt(caller, blob, { encryptionContext: other })), 'InvalidCiphertextException');
    }
    const bare = (await keys.encrypt(caller, arn, Buffer.from('text'))).blob;
    assert.equal((await keys.decrypt(caller, bare, { encryptionContext: {} })).plaintext.toString(), 'text', 'an empty context is no context');
  });

  test('with any bit flipped, cut or grown, is refused without a word', async () => {
    const { keys, caller, arn } = await withKey();
    const { blob } = await keys.generateDataKey(caller, arn, { sizeBytes: 32 });
    for (let bit = 0; bit < blob.byteLength * 8; bit++) {
      const changed = Buffer.from(blob);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      assert.equal(await refusalOf(keys.decrypt(caller, changed)), 'InvalidCiphertextException', `bit ${bit}`);
    }
    const others = [blob.subarray(0, -1), Buffer.concat([blob, Buffer.of(0)]), Buffer.alloc(0), Buffer.alloc(6144), blob.subarray(0, 33)];
    for (const other of others) {
      assert.equal(await refusalOf(keys.decrypt(caller, other)), 'InvalidCiphertextException');
      assert.equal(await refusalOf(keys.decrypt(caller, other, { keyRef: arn })), 'InvalidCiphertextException');
    }
    assert.equal((await keys.decrypt(caller, blob)).plaintext.byteLength, 32);
  });

  test('does not open under another key, not even when its record is put in the place of the right one', async () => {
    const opened = await withKey();
    const { keys, caller, arn } = opened;
    const { blob } = await keys.encrypt(caller, arn, Buffer.from('text'));
    for (const other of [await newKeyArn(opened), await newKeyArn(opened, 'HMAC_256'), await newKeyArn(opened, 'RSA_2048')]) {
      assert.equal(
        await refusalOf(keys.decrypt(caller, blob, { keyRef: other })),
        'IncorrectKeyException: The key ID in the request does not identify a CMK that can perform this operation.',
      );
    }
    // Whoever can write the catalog, and not the root of trust, still cannot pass one key's material off as another's.
    const { catalog } = opened;
    const thief = await newKeyArn(opened);
    const place = { region: 'us-east-1', account: '111122223333', keyId: thief.split('/')[1]! };
    const materialId = kmsBlobMaterialId(blob)!;
    const material = JSON.parse((await catalog.get(catalogKeys.material(materialId)))!.toString()) as Record<string, unknown>;
    const record = JSON.parse((await catalog.get(catalogKeys.key(place)))!.toString()) as { materials: { id: string }[] };
    record.materials[0]!.id = materialId;
    await catalog.commit({
      puts: [
        { key: catalogKeys.material(materialId), value: Buffer.from(JSON.stringify({ ...material, keyId: place.keyId })) },
        { key: catalogKeys.key(place), value: Buffer.from(JSON.stringify(record)) },
      ],
    });
    const fresh = await openTestKeys({ catalog });
    await assert.rejects(fresh.keys.decrypt(caller, blob), { name: 'KeyringError', code: 'damaged' });
    assert.equal(fresh.events.at(-1)?.errorCode, 'KMSInternalException');
  });

  test('that names the material of a MAC key is refused, though it were sealed with it', async () => {
    const opened = await openTestKeys();
    const { keys, caller, catalog, events } = opened;
    const arn = await newKeyArn(opened, 'HMAC_256');
    const place = { region: 'us-east-1', account: '111122223333', keyId: arn.split('/')[1]! };
    const record = JSON.parse((await catalog.get(catalogKeys.key(place)))!.toString()) as KeyRecord;
    const materialId = record.materials[0]!.id;
    const proof = opened.gate.authorize(caller, [], record);
    const blob = await keys.vault.use(proof, materialId, (secret) => encodeKmsBlob(materialId, secret, { keyArn: arn, encryptionContext: {} }, Buffer.from('x')));
    assert.equal(await refusalOf(keys.decrypt(caller, blob!)), 'InvalidCiphertextException');
    assert.match(await refusalOf(keys.decrypt(caller, blob!, { keyRef: arn })), /^InvalidKeyUsageException/);
    assert.equal(events.at(-1)?.errorCode, 'InvalidKeyUsageException');
  });

  test('keeps opening when its key has rotated, and names the old material', async () => {
    const { keys, caller, arn, id } = await withKey();
    const before = await keys.generateDataKey(caller, arn, { sizeBytes: 32 });
    await rotateKeyOnDemand(keys, caller, id);
    const later = await keys.generateDataKey(caller, arn, { sizeBytes: 32 });
    assert.notEqual(before.materialId, later.materialId);
    for (const { blob, plaintext, materialId } of [before, later]) {
      assert.deepEqual(await keys.decrypt(caller, blob), { plaintext, keyArn: arn, materialId });
    }
  });

  test('can be sealed anew under another key or the same one, never showing the plaintext', async () => {
    const opened = await withKey();
    const { keys, caller, arn, events } = opened;
    const other = await newKeyArn(opened);
    const { blob } = await keys.encrypt(caller, arn, Buffer.from('text'), { encryptionContext: { old: 'x' } });
    events.length = 0;
    const again = await keys.reEncrypt(caller, blob, { encryptionContext: { old: 'x' } }, { keyRef: other, encryptionContext: { new: 'y' } });
    assert.deepEqual([again.sourceKeyArn, again.keyArn], [arn, other]);
    assert.deepEqual(events.map(({ eventName, keyArn, encryptionContext }) => [eventName, keyArn, encryptionContext]), [
      ['ReEncrypt', arn, { old: 'x' }], ['ReEncrypt', other, { new: 'y' }],
    ]);
    assert.equal((await keys.decrypt(caller, again.blob, { encryptionContext: { new: 'y' } })).keyArn, other);
    assert.equal(await refusalOf(keys.decrypt(caller, again.blob, { encryptionContext: { old: 'x' } })), 'InvalidCiphertextException');

    await setKeyEnabled(keys, caller, other, false);
    events.length = 0;
    const source = { encryptionContext: { old: 'x' } };
    assert.equal(await refusalOf(keys.reEncrypt(caller, blob, source, { keyRef: other })), `DisabledException: ${other} is disabled.`);
    assert.deepEqual(events.map(({ errorCode }) => errorCode), ['DisabledException', 'DisabledException']);
  });
});

describe('a reference', () => {
  test('by id, ARN, alias and alias ARN means the same key', async () => {
    const { keys, caller, arn, id, kms } = await withKey();
    await kms('CreateAlias', { AliasName: 'alias/some/name', TargetKeyId: id });
    for (const keyRef of [id, arn, 'alias/some/name', 'arn:aws:kms:us-east-1:111122223333:alias/some/name']) {
      const { blob, keyArn } = await keys.encrypt(caller, keyRef, Buffer.from('text'));
      assert.equal(keyArn, arn);
      assert.equal(await keys.resolve(keyRef), arn);
      assert.equal((await keys.decrypt(caller, blob, { keyRef })).keyArn, arn);
    }
  });

  const here = 'arn:aws:kms:us-east-1:111122223333:';
  const unknown = '12345678-1234-1234-1234-123456789012';
  const refusals: [string, string][] = [
    [unknown, `NotFoundException: Key '${here}key/${unknown}' does not exist`],
    [`${here}key/${unknown}`, `NotFoundException: Key '${here}key/${unknown}' does not exist`],
    [`mrk-${'0'.repeat(32)}`, `NotFoundException: Key '${here}key/mrk-${'0'.repeat(32)}' does not exist`],
    ['fake-key-id', "NotFoundException: Invalid keyId 'fake-key-id'"],
    [unknown.replaceAll('-', ''), `NotFoundException: Invalid keyId '${unknown.replaceAll('-', '')}'`],
    [unknown.toUpperCase().replace('1', 'A'), `NotFoundException: Invalid keyId '${unknown.replace('1', 'A')}'`],
    ['mrk-bad', "NotFoundException: Invalid keyId 'mrk-bad'"],
    ['', "NotFoundException: Invalid keyId ''"],
    [`${here}key/../alias/x`, "NotFoundException: Invalid keyId '../alias/x'"],
    ['arn:aws:kms:eu-west-1:111122223333:key/x', 'NotFoundException: Invalid arn eu-west-1'],
    ['arn:aws:s3:::bucket', "NotFoundException: Invalid keyId 'arn:aws:s3:::bucket'"],
    ['alias/none', `NotFoundException: Alias ${here}alias/none is not found.`],
    [`${here}alias/none`, `NotFoundException: Alias ${here}alias/none is not found.`],
    [
      `arn:aws:kms:us-east-1:999999999999:key/${unknown}`,
      'AccessDeniedException: User: arn:aws:iam::111122223333:root is not authorized to perform: kms:Encrypt on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access',
    ],
  ];
  for (const [keyRef, refusal] of refusals) {
    test(`${keyRef || '(empty)'} is refused in AWS's words`, async () => {
      const { keys, caller, events } = await openTestKeys();
      assert.equal(await refusalOf(keys.encrypt(caller, keyRef, Buffer.from('x'))), refusal);
      assert.deepEqual(events.map(({ eventName, errorCode, keyArn }) => [eventName, errorCode, keyArn]), [['Encrypt', refusal.split(':')[0], undefined]]);
    });
  }
});

describe('the key of a service', () => {
  test('is made once, on first need, and serves only through that service', async () => {
    const opened = await openTestKeys();
    const { keys, events } = opened;
    const viaS3 = rootCaller('s3');
    const arns = await Promise.all([keys.managedKey('s3'), keys.managedKey('s3'), keys.resolve('alias/aws/s3'), keys.managedKey('s3')]);
    assert.equal(new Set(arns).size, 1);
    const [arn] = arns;
    const { blob } = await keys.generateDataKey(viaS3, 'alias/aws/s3', { encryptionContext, sizeBytes: 32 });
    assert.equal((await keys.decrypt(viaS3, blob, { encryptionContext, keyRef: arn })).keyArn, arn);
    assert.deepEqual(events.map(({ invokedBy }) => invokedBy), ['s3', 's3']);
    await assert.rejects(keys.decrypt(opened.caller, blob, { encryptionContext }), (error: Denied) => {
      assert.ok(error instanceof Denied);
      assert.equal(
        error.message,
        `User: arn:aws:iam::111122223333:root is not authorized to perform: kms:Decrypt on resource: ${arn} because no resource-based policy allows the kms:Decrypt action`,
      );
      return true;
    });
    assert.equal(events.at(-1)?.errorCode, 'AccessDenied');
    // Not even S3 may do what the managed key's policy does not mention.
    await assert.rejects(setKeyEnabled(keys, viaS3, arn, false), Denied);
    await assert.rejects(scheduleKeyDeletion(keys, viaS3, arn, 7), Denied);
  });

  test('anonymous callers get nothing', async () => {
    const { keys, arn } = await withKey();
    const nobody = { ...rootCaller(), principal: { kind: 'anonymous' } as const, signed: false };
    await assert.rejects(keys.generateDataKey(nobody, arn, { sizeBytes: 32 }), Denied);
    await assert.rejects(keys.checkUse(nobody, arn, 'kms:Decrypt', {}), Denied);
    await assert.rejects(keys.generateRandom(nobody, 8), Denied);
  });
});

describe('a use', () => {
  test('is refused at once when the key is disabled, although its material is cached', async () => {
    const { keys, caller, arn, kms } = await withKey();
    const { blob } = await keys.generateDataKey(caller, arn, { sizeBytes: 32 });
    await kms('DisableKey', { KeyId: arn });
    const refusal = `DisabledException: ${arn} is disabled.`;
    assert.equal(await refusalOf(keys.decrypt(caller, blob)), refusal);
    assert.equal(await refusalOf(keys.generateDataKey(caller, arn, { sizeBytes: 32 })), refusal);
    assert.equal(await refusalOf(keys.checkUse(caller, arn, 'kms:Decrypt', {})), refusal);
    await kms('EnableKey', { KeyId: arn });
    assert.equal((await keys.decrypt(caller, blob)).keyArn, arn);
  });

  test('is recorded with key, material and context, and a dry run as a refusal', async () => {
    const { keys, caller, arn, events } = await withKey();
    events.length = 0;
    const { blob, materialId } = await keys.generateDataKey(caller, arn, { encryptionContext, sizeBytes: 32 });
    assert.deepEqual([...events], [{
      eventName: 'GenerateDataKey', encryptionContext, keyArn: arn, keyMaterialId: materialId, callerArn: 'arn:aws:iam::111122223333:root',
      invokedBy: undefined, requestId: caller.requestId, sourceIp: caller.sourceIp,
    }]);
    const dryRun = 'DryRunOperationException: The request would have succeeded, but the DryRun option is set.';
    assert.equal(await refusalOf(keys.decrypt(caller, blob, { encryptionContext, dryRun: true })), dryRun);
    assert.equal(events.at(-1)?.errorCode, 'DryRunOperationException');
    assert.equal(await refusalOf(keys.decrypt(caller, blob, { dryRun: true })), 'InvalidCiphertextException', 'the cryptography comes first');
    assert.equal(await refusalOf(keys.encrypt(caller, arn, Buffer.from('x'), { dryRun: true })), dryRun);
    assert.equal(await refusalOf(keys.generateDataKey(caller, arn, { sizeBytes: 32, dryRun: true })), dryRun);
    assert.equal(await refusalOf(keys.reEncrypt(caller, blob, { encryptionContext }, { keyRef: arn }, { dryRun: true })), dryRun);
    assert.equal(await refusalOf(keys.decrypt(caller, Buffer.alloc(0), { keyRef: arn, dryRun: true, ignoreCiphertext: true })), dryRun);
  });

  test('that cannot be recorded does not happen', async () => {
    const opened = await withKey();
    opened.events.push = () => {
      throw new Error('the disk of the log is full');
    };
    await assert.rejects(opened.keys.generateDataKey(opened.caller, opened.arn, { sizeBytes: 32 }), /disk of the log/);
  });

  test('goes on when more keys are in use than may be kept unwrapped', async () => {
    const opened = await openTestKeys({ limits: { materialsMax: 2 } });
    const { keys, caller, clock } = opened;
    const arns = await Promise.all(Array.from({ length: 8 }, () => newKeyArn(opened)));
    const made = await Promise.all([...arns, ...arns].map((arn) => keys.generateDataKey(caller, arn, { sizeBytes: 32 })));
    const check = () => Promise.all(made.map(async ({ blob, plaintext, keyArn }) => {
      const opened = await keys.decrypt(caller, blob);
      assert.deepEqual([opened.plaintext, opened.keyArn], [plaintext, keyArn]);
    }));
    await check();
    clock.advanceMs(6 * 60_000);
    await check();
  });

  test('of a key that another process destroyed is refused, although its material is cached here', async () => {
    const { keys, caller, arn, id, catalog, clock } = await withKey();
    const { blob } = await keys.generateDataKey(caller, arn, { sizeBytes: 32 });
    const elsewhere = await openTestKeys({ catalog, clock });
    await scheduleKeyDeletion(elsewhere.keys, caller, id, 7);
    clock.advanceMs(8 * 24 * 60 * 60_000);
    assert.deepEqual(await elsewhere.keys.runDueKeyWork(), { rotated: 0, deleted: 1, failed: [] });
    assert.equal(await refusalOf(keys.decrypt(caller, blob)), 'InvalidCiphertextException');
    assert.equal(await refusalOf(keys.decrypt(caller, blob, { keyRef: arn })), `NotFoundException: Key '${arn}' does not exist`);
    assert.equal(await refusalOf(keys.checkUse(caller, arn, 'kms:Decrypt', {})), `NotFoundException: Key '${arn}' does not exist`);
  });
});
