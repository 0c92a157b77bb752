/**
 * The KMS operations from input to output: keys, cryptography, rotation, the managed key.
 * Source: contract kms-iam-audit.md cases W05, W06, K01 to K07, K12 to K14, K17, K25, K26, K28, R01 to R06, R08.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { KeyMetadata } from '@aws-sdk/client-kms';
import { account, openTestKeys, refusalOf, region, rootCaller, violation, type TestKeys } from '../../../test/kit/keys.ts';
import { unsupportedOperations } from './unsupported.ts';

const text = Buffer.from('text');
let opened: TestKeys;
let kms: TestKeys['kms'];
before(async () => {
  opened = await openTestKeys();
  kms = opened.kms;
});

async function newKey(input: object = {}): Promise<KeyMetadata & { KeyId: string; Arn: string }> {
  return (await kms<{ KeyMetadata: KeyMetadata & { KeyId: string; Arn: string } }>('CreateKey', input)).KeyMetadata;
}

/** What the operation refuses with. */
function refused(operation: string, input: object): Promise<string> {
  return refusalOf(kms(operation, input));
}

describe('CreateKey', () => {
  test('without arguments makes a symmetric key with the default policy', async () => {
    const { KeyId, CreationDate, CurrentKeyMaterialId, ...rest } = await newKey();
    assert.match(KeyId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.ok(Math.abs(CreationDate!.getTime() - Date.now()) < 60_000);
    assert.match(CurrentKeyMaterialId!, /^[0-9a-f]{64}$/);
    assert.deepEqual(rest, {
      AWSAccountId: account, Arn: `arn:aws:kms:${region}:${account}:key/${KeyId}`, Enabled: true, Description: '', KeyUsage: 'ENCRYPT_DECRYPT',
      KeyState: 'Enabled', Origin: 'AWS_KMS', KeyManager: 'CUSTOMER', CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT', KeySpec: 'SYMMETRIC_DEFAULT',
      EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'], MultiRegion: false,
    });
    const { Policy } = await kms<{ Policy: string }>('GetKeyPolicy', { KeyId });
    assert.equal(Policy, `{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::${account}:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`);
  });

  const rsaSigning = ['RSASSA_PKCS1_V1_5_SHA_256', 'RSASSA_PKCS1_V1_5_SHA_384', 'RSASSA_PKCS1_V1_5_SHA_512', 'RSASSA_PSS_SHA_256', 'RSASSA_PSS_SHA_384', 'RSASSA_PSS_SHA_512'];
  const kinds: [string, string, string, string[]][] = [
    ['RSA_2048', 'ENCRYPT_DECRYPT', 'EncryptionAlgorithms', ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256']],
    ['RSA_2048', 'SIGN_VERIFY', 'SigningAlgorithms', rsaSigning],
    ['RSA_3072', 'SIGN_VERIFY', 'SigningAlgorithms', rsaSigning],
    ['ECC_NIST_P256', 'SIGN_VERIFY', 'SigningAlgorithms', ['ECDSA_SHA_256']],
    ['ECC_NIST_P384', 'SIGN_VERIFY', 'SigningAlgorithms', ['ECDSA_SHA_384']],
    ['ECC_NIST_P521', 'KEY_AGREEMENT', 'KeyAgreementAlgorithms', ['ECDH']],
    ['ECC_SECG_P256K1', 'SIGN_VERIFY', 'SigningAlgorithms', ['ECDSA_SHA_256']],
    ['ECC_NIST_EDWARDS25519', 'SIGN_VERIFY', 'SigningAlgorithms', ['ED25519_PH_SHA_512', 'ED25519_SHA_512']],
    ['HMAC_224', 'GENERATE_VERIFY_MAC', 'MacAlgorithms', ['HMAC_SHA_224']],
    ['HMAC_512', 'GENERATE_VERIFY_MAC', 'MacAlgorithms', ['HMAC_SHA_512']],
  ];
  for (const [KeySpec, KeyUsage, member, algorithms] of kinds) {
    test(`${KeySpec} for ${KeyUsage} lists its algorithms as AWS does`, async () => {
      const made: KeyMetadata & Record<string, unknown> = { ...(await newKey({ KeySpec, KeyUsage })) };
      assert.deepEqual([made.KeySpec, made.CustomerMasterKeySpec, made.KeyUsage, made.CurrentKeyMaterialId], [KeySpec, KeySpec, KeyUsage, undefined]);
      assert.deepEqual(Object.entries(made).filter(([name]) => name.endsWith('Algorithms')), [[member, algorithms]]);
    });
  }

  test('refuses what it cannot do or what contradicts itself, and creates nothing', async () => {
    const count = async () => (await kms<{ Keys: unknown[] }>('ListKeys', { Limit: 1000 })).Keys.length;
    const before = await count();
    const unsupported = [{ Origin: 'EXTERNAL' }, { Origin: 'EXTERNAL_KEY_STORE' }, { Origin: 'AWS_CLOUDHSM' }, { MultiRegion: true }, { KeySpec: 'SM2', KeyUsage: 'SIGN_VERIFY' }, { CustomKeyStoreId: 'x' }, { XksKeyId: 'x' }];
    for (const input of unsupported) assert.match(await refused('CreateKey', input), /^UnsupportedOperationException/);
    const validation: [object, string][] = [
      [{ KeySpec: 'RSA_2048' }, 'ValidationException: You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.'],
      [{ KeySpec: 'RSA_2048', KeyUsage: 'KEY_AGREEMENT' }, 'ValidationException: KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048'],
      [{ KeySpec: 'RSA_2048', CustomerMasterKeySpec: 'RSA_2048' }, 'ValidationException: You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.'],
      [{ Policy: '{"Version":"2012-10-17","Statement":[]}' }, 'UnsupportedOperationException'],
      [{ Policy: '{' }, 'MalformedPolicyDocumentException'],
      [{ Tags: [{ TagKey: 'a', TagValue: '1' }, { TagKey: 'a', TagValue: '2' }] }, 'TagException: Duplicate tag keys'],
      [{ Tags: [{ TagKey: 'Aws:a', TagValue: '1' }] }, 'TagException: Tags beginning with aws: are reserved'],
      [{ Tags: [{ TagKey: '', TagValue: '1' }] }, violation('tags.1.member.tagKey', 'have length greater than or equal to 1', '')],
    ];
    for (const [input, refusal] of validation) {
      const answer = await refused('CreateKey', input);
      assert.equal(refusal.includes(':') ? answer : answer.split(':')[0], refusal);
    }
    assert.ok((await refused('CreateKey', { Description: 'd'.repeat(8193) })).endsWith("at 'description' failed to satisfy constraint: Member must have length less than or equal to 8192"));
    assert.match(await refused('CreateKey', { KeySpec: 'AES_256' }), /Member must satisfy enum value set: \[.*SYMMETRIC_DEFAULT.*\]$/);
    assert.equal(await count(), before);
  });
});

describe('keys', () => {
  test('are listed in pages that neither lose nor repeat one', async () => {
    for (let index = 0; index < 7; index++) await newKey();
    const seen: string[] = [];
    for (let Marker: string | undefined; ;) {
      const page = await kms<{ Keys: { KeyId: string; KeyArn: string }[]; Truncated: boolean; NextMarker?: string }>('ListKeys', { Limit: 3, Marker });
      seen.push(...page.Keys.map(({ KeyId }) => KeyId));
      assert.equal(page.Truncated, page.NextMarker !== undefined);
      assert.ok(page.Keys.every(({ KeyId, KeyArn }) => KeyArn.endsWith(`:key/${KeyId}`)));
      if ((Marker = page.NextMarker) === undefined) break;
    }
    const all = await kms<{ Keys: { KeyId: string }[]; Truncated: boolean }>('ListKeys', { Limit: 1000 });
    assert.deepEqual(seen, all.Keys.map(({ KeyId }) => KeyId));
    assert.equal(all.Truncated, false);
  });

  test('take no alias where AWS takes none', async () => {
    const { KeyId, Arn } = await newKey();
    await kms('CreateAlias', { AliasName: 'alias/k06', TargetKeyId: KeyId });
    const operations: [string, object][] = [
      ['DisableKey', {}], ['EnableKey', {}], ['ScheduleKeyDeletion', {}], ['CancelKeyDeletion', {}], ['GetKeyPolicy', {}], ['PutKeyPolicy', { Policy: '{}' }],
      ['ListKeyPolicies', {}], ['UpdateKeyDescription', { Description: '' }], ['TagResource', { Tags: [] }], ['UntagResource', { TagKeys: [] }],
      ['ListResourceTags', {}], ['EnableKeyRotation', {}], ['DisableKeyRotation', {}], ['GetKeyRotationStatus', {}], ['ListKeyRotations', {}],
      ['RotateKeyOnDemand', {}], ['ListAliases', {}],
    ];
    for (const [operation, input] of operations) {
      for (const alias of ['alias/k06', Arn.replace(`key/${KeyId}`, 'alias/k06'), 'alias/never-made']) {
        assert.equal(await refused(operation, { KeyId: alias, ...input }), 'InvalidArnException: Key Aliases are not supported for this operation.', operation);
      }
    }
    assert.equal((await kms<{ KeyMetadata: KeyMetadata }>('DescribeKey', { KeyId: 'alias/k06' })).KeyMetadata.KeyState, 'Enabled');
  });

  test('have a description that is replaced', async () => {
    const { KeyId } = await newKey({ Description: 'old' });
    await kms('UpdateKeyDescription', { KeyId, Description: 'new' });
    assert.equal((await kms<{ KeyMetadata: KeyMetadata }>('DescribeKey', { KeyId })).KeyMetadata.Description, 'new');
  });

  test('are deleted within 7 to 30 days, 30 when nothing is said', async () => {
    const { KeyId, Arn } = await newKey();
    for (const [days, bound] of [[6, 'greater than or equal to 7'], [31, 'less than or equal to 30']] as const) {
      assert.equal(await refused('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: days }), violation('pendingWindowInDays', `have value ${bound}`, String(days)));
    }
    for (const days of [7, 30, undefined]) {
      const { DeletionDate, ...rest } = await kms<{ DeletionDate: Date }>('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: days });
      assert.deepEqual(rest, { KeyId: Arn, KeyState: 'PendingDeletion', PendingWindowInDays: days ?? 30 });
      assert.ok(Math.abs(DeletionDate.getTime() - opened.clock.nowMs() - (days ?? 30) * 86_400_000) < 60_000);
      assert.equal(await refused('ScheduleKeyDeletion', { KeyId }), `KMSInvalidStateException: ${Arn} is pending deletion.`);
      assert.deepEqual(await kms('CancelKeyDeletion', { KeyId }), { KeyId: Arn });
      assert.equal(await refused('CancelKeyDeletion', { KeyId }), `KMSInvalidStateException: ${Arn} is not pending deletion.`);
    }
  });
});

describe('cryptography', () => {
  test('takes 1 to 4096 bytes and does not echo them', async () => {
    const { KeyId } = await newKey();
    assert.equal(await refused('Encrypt', { KeyId, Plaintext: Buffer.alloc(0) }), violation('plaintext', 'have length greater than or equal to 1'));
    assert.equal(await refused('Encrypt', { KeyId, Plaintext: Buffer.alloc(4097) }), violation('plaintext', 'have length less than or equal to 4096'));
    const { CiphertextBlob } = await kms<{ CiphertextBlob: Buffer }>('Encrypt', { KeyId, Plaintext: Buffer.alloc(4096, 1) });
    assert.ok(CiphertextBlob.byteLength <= 6144);
    assert.deepEqual((await kms<{ Plaintext: Buffer }>('Decrypt', { CiphertextBlob })).Plaintext, Buffer.alloc(4096, 1));
    assert.equal(await refused('Decrypt', { CiphertextBlob: Buffer.alloc(6145) }), violation('ciphertextBlob', 'have length less than or equal to 6144'));
    assert.equal(
      await refused('Encrypt', {}),
      "ValidationException: 2 validation errors detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null; Value null at 'plaintext' failed to satisfy constraint: Member must not be null",
    );
  });

  test('answers with ARN, algorithm and material as AWS does', async () => {
    const { KeyId, Arn, CurrentKeyMaterialId } = await newKey();
    const { CiphertextBlob, ...encrypted } = await kms<{ CiphertextBlob: Buffer }>('Encrypt', { KeyId, Plaintext: text });
    assert.deepEqual(encrypted, { KeyId: Arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' });
    assert.deepEqual(await kms('Decrypt', { CiphertextBlob }), { Plaintext: text, KeyId: Arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT', KeyMaterialId: CurrentKeyMaterialId });
    const { CiphertextBlob: again, ...reEncrypted } = await kms<{ CiphertextBlob: Buffer }>('ReEncrypt', { CiphertextBlob, DestinationKeyId: KeyId });
    assert.deepEqual(reEncrypted, {
      SourceKeyId: Arn, KeyId: Arn, SourceEncryptionAlgorithm: 'SYMMETRIC_DEFAULT', DestinationEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      SourceKeyMaterialId: CurrentKeyMaterialId, DestinationKeyMaterialId: CurrentKeyMaterialId,
    });
    assert.deepEqual((await kms<{ Plaintext: Buffer }>('Decrypt', { CiphertextBlob: again })).Plaintext, text);
  });

  test('makes data keys of one size or another, never of two', async () => {
    const { KeyId, Arn, CurrentKeyMaterialId } = await newKey();
    for (const [size, bytes] of [[{ KeySpec: 'AES_256' }, 32], [{ KeySpec: 'AES_128' }, 16], [{ NumberOfBytes: 64 }, 64]] as const) {
      const { CiphertextBlob, Plaintext, ...rest } = await kms<{ CiphertextBlob: Buffer; Plaintext: Buffer }>('GenerateDataKey', { KeyId, ...size });
      assert.equal(Plaintext.byteLength, bytes);
      assert.deepEqual(rest, { KeyId: Arn, KeyMaterialId: CurrentKeyMaterialId });
      assert.deepEqual((await kms<{ Plaintext: Buffer }>('Decrypt', { CiphertextBlob })).Plaintext, Plaintext);
      const without = await kms<{ CiphertextBlob: Buffer }>('GenerateDataKeyWithoutPlaintext', { KeyId, ...size });
      assert.deepEqual(Object.keys(without).toSorted(), ['CiphertextBlob', 'KeyId', 'KeyMaterialId']);
      assert.equal((await kms<{ Plaintext: Buffer }>('Decrypt', { CiphertextBlob: without.CiphertextBlob })).Plaintext.byteLength, bytes);
    }
    for (const size of [{}, { KeySpec: 'AES_256', NumberOfBytes: 32 }]) {
      assert.equal(await refused('GenerateDataKey', { KeyId, ...size }), 'ValidationException: Please specify either number of bytes or key spec.');
    }
    assert.equal(await refused('GenerateDataKey', { KeyId, NumberOfBytes: 1025 }), violation('numberOfBytes', 'have value less than or equal to 1024', '1025'));
    assert.equal(await refused('GenerateDataKey', { KeyId, NumberOfBytes: 0 }), violation('numberOfBytes', 'have value greater than or equal to 1', '0'));
  });

  test('draws random bytes', async () => {
    for (const NumberOfBytes of [1, 1024]) {
      assert.equal((await kms<{ Plaintext: Buffer }>('GenerateRandom', { NumberOfBytes })).Plaintext.byteLength, NumberOfBytes);
    }
    const [a, b] = await Promise.all([1, 2].map(() => kms<{ Plaintext: Buffer }>('GenerateRandom', { NumberOfBytes: 32 })));
    assert.notDeepEqual(a, b);
    assert.equal(await refused('GenerateRandom', { NumberOfBytes: 0 }), violation('numberOfBytes', 'have value greater than or equal to 1', '0'));
    assert.equal(await refused('GenerateRandom', { NumberOfBytes: 1025 }), violation('numberOfBytes', 'have value less than or equal to 1024', '1025'));
    assert.equal(await refused('GenerateRandom', {}), 'ValidationException: NumberOfBytes is required.');
  });

  test('dry runs check everything, and a blob is optional where AWS says so', async () => {
    const { KeyId } = await newKey();
    const dryRun = 'DryRunOperationException: The request would have succeeded, but the DryRun option is set.';
    assert.equal(await refused('Encrypt', { KeyId, Plaintext: text, DryRun: true }), dryRun);
    assert.equal(await refused('Decrypt', { KeyId, DryRun: true, DryRunModifiers: ['IGNORE_CIPHERTEXT'] }), dryRun);
    assert.match(await refused('Decrypt', { DryRun: true, DryRunModifiers: ['IGNORE_CIPHERTEXT'] }), /Value null at 'keyId'/);
    assert.match(await refused('Decrypt', { KeyId, DryRunModifiers: ['IGNORE_CIPHERTEXT'] }), /^ValidationException/);
    assert.match(await refused('Decrypt', { KeyId, DryRun: true }), /Value null at 'ciphertextBlob'/);
    assert.equal(await refused('Decrypt', { CiphertextBlob: Buffer.from('broken'), DryRun: true }), 'InvalidCiphertextException');
  });

  test('refuses contexts that are too long or not text, grant tokens that nobody gave, and enclaves', async () => {
    const { KeyId } = await newKey();
    const ask = (input: object) => refused('Encrypt', { KeyId, Plaintext: text, ...input });
    assert.match(await ask({ EncryptionContext: { a: 'x'.repeat(8192) } }), /^ValidationException/);
    assert.match(await ask({ EncryptionContext: { a: '\ud800' } }), /^ValidationException/);
    assert.equal(await ask({ GrantTokens: ['x'] }), 'InvalidGrantTokenException');
    assert.equal(await ask({ GrantTokens: [] }), 'no refusal');
    assert.match(await refused('Decrypt', { CiphertextBlob: Buffer.alloc(8), Recipient: {} }), /^UnsupportedOperationException/);
  });

  test('under RSA keys is the OAEP of everybody else', async () => {
    const { KeyId, Arn } = await newKey({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' });
    for (const [EncryptionAlgorithm, sizeMax] of [['RSAES_OAEP_SHA_1', 214], ['RSAES_OAEP_SHA_256', 190]] as const) {
      const { CiphertextBlob, ...rest } = await kms<{ CiphertextBlob: Buffer }>('Encrypt', { KeyId, Plaintext: Buffer.alloc(sizeMax, 7), EncryptionAlgorithm });
      assert.deepEqual(rest, { KeyId: Arn, EncryptionAlgorithm });
      assert.equal(CiphertextBlob.byteLength, 256);
      assert.deepEqual(await kms('Decrypt', { KeyId, CiphertextBlob, EncryptionAlgorithm }), { Plaintext: Buffer.alloc(sizeMax, 7), KeyId: Arn, EncryptionAlgorithm });
      assert.equal(
        await refused('Encrypt', { KeyId, Plaintext: Buffer.alloc(sizeMax + 1), EncryptionAlgorithm }),
        `ValidationException: Algorithm ${EncryptionAlgorithm} and key spec RSA_2048 cannot encrypt data larger than ${sizeMax} bytes.`,
      );
      assert.equal(await refused('Decrypt', { CiphertextBlob, EncryptionAlgorithm }), 'ValidationException: KeyId must not be null');
      assert.equal(await refused('Decrypt', { KeyId, CiphertextBlob }), 'InvalidCiphertextException');
      assert.equal(await refused('Decrypt', { KeyId, CiphertextBlob: CiphertextBlob.fill(0, 9, 10), EncryptionAlgorithm }), 'InvalidCiphertextException');
      assert.equal(
        await refused('Encrypt', { KeyId, Plaintext: text, EncryptionAlgorithm, EncryptionContext: { a: 'b' } }),
        'ValidationException: EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs.',
      );
    }
    const symmetric = await newKey();
    const { CiphertextBlob } = await kms<{ CiphertextBlob: Buffer }>('Encrypt', { KeyId: symmetric.KeyId, Plaintext: text });
    const there = await kms<{ CiphertextBlob: Buffer }>('ReEncrypt', { CiphertextBlob, DestinationKeyId: KeyId, DestinationEncryptionAlgorithm: 'RSAES_OAEP_SHA_256' });
    assert.deepEqual([Object.hasOwn(there, 'SourceKeyMaterialId'), Object.hasOwn(there, 'DestinationKeyMaterialId')], [true, false]);
    const back = await kms<{ CiphertextBlob: Buffer }>('ReEncrypt', {
      CiphertextBlob: there.CiphertextBlob, SourceKeyId: KeyId, SourceEncryptionAlgorithm: 'RSAES_OAEP_SHA_256', DestinationKeyId: symmetric.KeyId,
    });
    assert.deepEqual([Object.hasOwn(back, 'SourceKeyMaterialId'), Object.hasOwn(back, 'DestinationKeyMaterialId')], [false, true]);
    assert.deepEqual((await kms<{ Plaintext: Buffer }>('Decrypt', { CiphertextBlob: back.CiphertextBlob })).Plaintext, text);
    const signing = await newKey({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' });
    assert.equal(await refused('Encrypt', { KeyId: signing.KeyId, Plaintext: text }), `InvalidKeyUsageException: ${signing.Arn} key usage is SIGN_VERIFY which is not valid for Encrypt.`);
  });
});

describe('rotation', () => {
  interface Status { KeyId: string; KeyRotationEnabled: boolean; RotationPeriodInDays?: number; NextRotationDate?: Date }
  const status = (KeyId: string) => kms<Status>('GetKeyRotationStatus', { KeyId });

  test('has a period of 90 to 2560 days, kept until it is switched off', async () => {
    const { KeyId, Arn } = await newKey();
    assert.deepEqual(await status(KeyId), { KeyId: Arn, KeyRotationEnabled: false });
    const enable = (RotationPeriodInDays?: number) => refused('EnableKeyRotation', { KeyId, RotationPeriodInDays });
    assert.equal(await enable(89), violation('rotationPeriodInDays', 'have value greater than or equal to 90', '89'));
    assert.equal(await enable(2561), violation('rotationPeriodInDays', 'have value less than or equal to 2560', '2561'));
    assert.deepEqual([await enable(90), await enable(2560), await enable()], ['no refusal', 'no refusal', 'no refusal']);
    const running = await status(KeyId);
    assert.equal(running.RotationPeriodInDays, 2560);
    opened.clock.advanceMs(60_000);
    await enable(2560);
    assert.deepEqual(await status(KeyId), running, 'the same period does not restart the clock');
    await enable(100);
    const restarted = await status(KeyId);
    assert.ok(Math.abs(restarted.NextRotationDate!.getTime() - opened.clock.nowMs() - 100 * 86_400_000) < 60_000);
    await kms('DisableKeyRotation', { KeyId });
    await enable();
    assert.equal((await status(KeyId)).RotationPeriodInDays, 365);
  });

  test('on demand changes the material, keeps the rhythm, and is listed oldest first', async () => {
    const { KeyId, Arn, CurrentKeyMaterialId } = await newKey();
    await kms('EnableKeyRotation', { KeyId });
    const before = await status(KeyId);
    assert.deepEqual(await kms('RotateKeyOnDemand', { KeyId }), { KeyId: Arn });
    assert.deepEqual(await kms('RotateKeyOnDemand', { KeyId: Arn }), { KeyId: Arn });
    assert.deepEqual(await status(KeyId), before);
    interface Rotation { KeyId: string; KeyMaterialId: string; KeyMaterialState: string; RotationDate?: Date; RotationType?: string }
    const list = (input: object) => kms<{ Rotations: Rotation[]; Truncated: boolean; NextMarker?: string }>('ListKeyRotations', { KeyId, ...input });
    const all = await list({ IncludeKeyMaterial: 'ALL_KEY_MATERIAL' });
    assert.deepEqual(all.Rotations[0], { KeyId: Arn, KeyMaterialId: CurrentKeyMaterialId, KeyMaterialState: 'NON_CURRENT' });
    assert.deepEqual(all.Rotations.map(({ KeyMaterialState, RotationType }) => [KeyMaterialState, RotationType]), [
      ['NON_CURRENT', undefined], ['NON_CURRENT', 'ON_DEMAND'], ['CURRENT', 'ON_DEMAND'],
    ]);
    assert.deepEqual((await list({})).Rotations, all.Rotations.slice(1));
    assert.deepEqual((await list({ IncludeKeyMaterial: 'ROTATIONS_ONLY' })).Rotations, all.Rotations.slice(1));
    const paged: Rotation[] = [];
    for (let Marker: string | undefined; ;) {
      const page = await list({ IncludeKeyMaterial: 'ALL_KEY_MATERIAL', Limit: 1, Marker });
      paged.push(...page.Rotations);
      if ((Marker = page.NextMarker) === undefined) break;
    }
    assert.deepEqual(paged, all.Rotations);
    assert.equal((await kms<{ KeyMetadata: KeyMetadata }>('DescribeKey', { KeyId })).KeyMetadata.CurrentKeyMaterialId, all.Rotations[2]!.KeyMaterialId);
  });

  test('on demand is possible 25 times', async () => {
    const { KeyId, Arn } = await newKey();
    for (let count = 0; count < 25; count++) await kms('RotateKeyOnDemand', { KeyId });
    assert.equal(
      await refused('RotateKeyOnDemand', { KeyId }),
      `LimitExceededException: The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ${Arn}`,
    );
  });

  test('is not for keys of other kinds', async () => {
    const { KeyId, Arn } = await newKey({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
    assert.equal(await refused('EnableKeyRotation', { KeyId }), 'UnsupportedOperationException');
    assert.equal(await refused('DisableKeyRotation', { KeyId }), 'no refusal');
    assert.deepEqual(await status(KeyId), { KeyId: Arn, KeyRotationEnabled: false });
    assert.equal(await refused('RotateKeyOnDemand', { KeyId }), 'UnsupportedOperationException');
    assert.deepEqual(await kms('ListKeyRotations', { KeyId }), { Rotations: [], Truncated: false });
    assert.equal(
      await refused('ListKeyRotations', { KeyId, IncludeKeyMaterial: 'ROTATIONS_ONLY' }),
      'ValidationException: Input parameter includeKeyMaterial can only be used with symmetric keys.',
    );
    await kms('DisableKey', { KeyId });
    assert.equal(await refused('RotateKeyOnDemand', { KeyId }), `DisabledException: ${Arn} is disabled.`, 'the state comes first');
  });
});

describe('the managed key', () => {
  test('shows itself and refuses every administration, even to the root user', async () => {
    const { KeyMetadata } = await kms<{ KeyMetadata: KeyMetadata & { KeyId: string; Arn: string } }>('DescribeKey', { KeyId: 'alias/aws/s3' });
    const { KeyId, Arn } = KeyMetadata;
    assert.deepEqual([KeyMetadata.KeyManager, KeyMetadata.Description], ['AWS', 'Default key that protects my S3 objects when no other key is defined']);
    assert.equal((await kms<{ KeyRotationEnabled: boolean }>('GetKeyRotationStatus', { KeyId })).KeyRotationEnabled, true);
    assert.deepEqual((await kms<{ Aliases: { AliasName: string }[] }>('ListAliases', { KeyId })).Aliases.map(({ AliasName }) => AliasName), ['alias/aws/s3']);
    const policy = JSON.parse((await kms<{ Policy: string }>('GetKeyPolicy', { KeyId })).Policy) as { Id: string; Statement: { Sid: string }[] };
    assert.equal(policy.Id, 'auto-s3-2');
    assert.equal(policy.Statement[0]!.Sid, 'Allow access through S3 for all principals in the account that are authorized to use S3');
    const operations: [string, object][] = [
      ['DisableKey', {}], ['EnableKey', {}], ['ScheduleKeyDeletion', {}], ['PutKeyPolicy', { Policy: '{}' }], ['TagResource', { Tags: [] }], ['UntagResource', { TagKeys: [] }],
      ['UpdateKeyDescription', { Description: '' }], ['EnableKeyRotation', {}], ['DisableKeyRotation', {}], ['RotateKeyOnDemand', {}],
      ['Encrypt', { Plaintext: text }], ['GenerateDataKey', { KeySpec: 'AES_256' }], ['GenerateDataKeyWithoutPlaintext', { KeySpec: 'AES_256' }],
    ];
    for (const [operation, input] of operations) {
      assert.equal(
        await refused(operation, { KeyId, ...input }),
        `AccessDeniedException: User: arn:aws:iam::${account}:root is not authorized to perform: kms:${operation} on resource: ${Arn} because no resource-based policy allows the kms:${operation} action`,
      );
    }
    assert.match(await refused('CreateAlias', { AliasName: 'alias/mine', TargetKeyId: KeyId }), /^AccessDeniedException/);
    assert.equal((await kms<{ KeyMetadata: KeyMetadata }>('DescribeKey', { KeyId })).KeyMetadata.KeyState, 'Enabled');
  });
});

describe('every call', () => {
  test('to an operation that is not built says so by its name', async () => {
    for (const operation of unsupportedOperations) {
      assert.equal(await refused(operation, {}), `UnsupportedOperationException: The operation ${operation} is not supported.`);
    }
  });

  test('is recorded once, refused or not', async () => {
    const fresh = await openTestKeys();
    const { KeyId, Arn } = (await fresh.kms<{ KeyMetadata: { KeyId: string; Arn: string } }>('CreateKey', {})).KeyMetadata;
    const calls: [string, object, string | undefined, string | undefined][] = [
      ['DescribeKey', { KeyId }, undefined, Arn], ['DescribeKey', {}, 'ValidationException', undefined], ['DescribeKey', { KeyId: 'alias/none' }, 'NotFoundException', undefined],
      ['ListKeys', {}, undefined, undefined], ['ListKeys', { Marker: 'x' }, 'InvalidMarkerException', undefined], ['CreateKey', { MultiRegion: true }, 'UnsupportedOperationException', undefined],
      ['DisableKey', { KeyId }, undefined, Arn], ['Encrypt', { KeyId, Plaintext: text }, 'DisabledException', Arn], ['CreateGrant', {}, 'UnsupportedOperationException', undefined],
      ['CreateAlias', { AliasName: 'alias/x', TargetKeyId: KeyId }, undefined, Arn], ['DeleteAlias', { AliasName: 'alias/x' }, undefined, Arn], ['GenerateRandom', { NumberOfBytes: 1 }, undefined, undefined],
    ];
    for (const [operation, input, errorCode, keyArn] of calls) {
      fresh.events.length = 0;
      await refusalOf(fresh.kms(operation, input));
      assert.deepEqual(fresh.events.map((event) => [event.eventName, event.errorCode, event.keyArn]), [[operation, errorCode, keyArn]]);
    }
  });

  test('of an anonymous caller is refused', async () => {
    const { KeyId } = await newKey();
    const nobody = { ...rootCaller(), principal: { kind: 'anonymous' } as const };
    for (const [operation, input] of [['DescribeKey', { KeyId }], ['ListKeys', {}], ['CreateKey', {}], ['GenerateRandom', { NumberOfBytes: 1 }], ['ListAliases', {}]] as const) {
      assert.match(await refusalOf(kms(operation, input, nobody)), /^AccessDeniedException/);
    }
  });
});
