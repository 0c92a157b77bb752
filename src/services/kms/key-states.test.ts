/**
 * Every operation in every key state, against the table of the contract written out by hand.
 * Source: contract kms-iam-audit.md 2.5, cases K15, K18, K19; AWS "Key states of AWS KMS keys".
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { account, openTestKeys, refusalOf, region, type TestKeys } from '../../../test/kit/keys.ts';

type State = 'Enabled' | 'Disabled' | 'PendingDeletion' | 'PendingImport' | 'Unavailable';
const states: State[] = ['Enabled', 'Disabled', 'PendingDeletion', 'PendingImport', 'Unavailable'];

/** One letter for each state, in the order above: `.` goes through, else the refusals of 2.5. */
const expected: Record<string, string> = {
  Encrypt: '.DPIU',
  Decrypt: '.DPIU',
  'ReEncrypt from': '.DPIU',
  'ReEncrypt to': '.DPIU',
  GenerateDataKey: '.DPIU',
  GenerateDataKeyWithoutPlaintext: '.DPIU',
  Sign: '.DPIU',
  Verify: '.DPIU',
  GenerateMac: '.DPIU',
  VerifyMac: '.DPIU',
  DeriveSharedSecret: '.DPIU',
  GenerateDataKeyPair: '.DPIU',
  GenerateDataKeyPairWithoutPlaintext: '.DPIU',
  GetPublicKey: '..PIU',
  DescribeKey: '.....',
  GetKeyPolicy: '.....',
  PutKeyPolicy: '.....',
  ListKeyPolicies: '.....',
  ListResourceTags: '.....',
  ListAliases: '.....',
  DeleteAlias: '.....',
  EnableKey: '..PI.',
  DisableKey: '..PI.',
  UpdateKeyDescription: '..P..',
  TagResource: '..P..',
  UntagResource: '..P..',
  CreateAlias: '..P..',
  'UpdateAlias to': '..P..',
  'UpdateAlias away': '.....',
  ScheduleKeyDeletion: '..P..',
  CancelKeyDeletion: 'NN.NN',
  EnableKeyRotation: '.DPEE',
  DisableKeyRotation: '.DPEE',
  RotateKeyOnDemand: '.DPIE',
  GetKeyRotationStatus: '.....',
  ListKeyRotations: '.....',
};

const signing = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' };
const agreement = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' };
const mac = { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' };
const toSign = { Message: Buffer.from('x'), SigningAlgorithm: 'ECDSA_SHA_256' };
const toMac = { Message: Buffer.from('x'), MacAlgorithm: 'HMAC_SHA_256' };
/** Operations that are for keys of another kind than symmetric ones. */
const kinds: Record<string, object> = { Sign: signing, Verify: signing, GetPublicKey: signing, GenerateMac: mac, VerifyMac: mac, DeriveSharedSecret: agreement };

function refusal(letter: string, arn: string): string {
  switch (letter) {
    case 'D': return `DisabledException: ${arn} is disabled.`;
    case 'P': return `KMSInvalidStateException: ${arn} is pending deletion.`;
    case 'I': return `KMSInvalidStateException: ${arn} is pending import.`;
    case 'U': return `KMSInvalidStateException: ${arn} is unavailable.`;
    case 'N': return `KMSInvalidStateException: ${arn} is not pending deletion.`;
    case 'E': return `UnsupportedOperationException: ${arn} origin is AWS_KMS which is not valid for this operation.`;
    default: return 'no refusal';
  }
}

describe('key states', () => {
  let opened: TestKeys;
  let other: { KeyId: string };
  before(async () => {
    opened = await openTestKeys();
    other = (await opened.kms<{ KeyMetadata: { KeyId: string } }>('CreateKey', {})).KeyMetadata;
  });

  /** States that no operation of ours leads to are written into the record. */
  async function putInto(state: State, keyId: string): Promise<void> {
    const key = Buffer.from(`k/key/${region}/${account}/${keyId}`);
    const record = JSON.parse((await opened.catalog.get(key))!.toString()) as Record<string, unknown>;
    const changed = { ...record, state, ...(state === 'PendingDeletion' ? { deletionAtMs: opened.clock.nowMs() + 1e9 } : {}) };
    await opened.catalog.commit({ puts: [{ key, value: Buffer.from(JSON.stringify(changed)) }] });
  }

  for (const [name, letters] of Object.entries(expected)) {
    for (const [index, state] of states.entries()) {
      test(`${name} in ${state}: ${letters[index]}`, async () => {
        const { kms } = opened;
        const kind = kinds[name] ?? {};
        const { KeyId, Arn } = (await kms<{ KeyMetadata: { KeyId: string; Arn: string } }>('CreateKey', { ...kind, Tags: [{ TagKey: 'a', TagValue: 'b' }] })).KeyMetadata;
        const alias = `alias/${KeyId}`;
        await kms('CreateAlias', { AliasName: alias, TargetKeyId: KeyId });
        await kms('CreateAlias', { AliasName: `alias/other/${KeyId}`, TargetKeyId: other.KeyId });
        const made: Record<string, object> = {};
        if (kind === signing) Object.assign(made, await kms('Sign', { KeyId, ...toSign }), await kms('GetPublicKey', { KeyId }));
        if (kind === agreement) Object.assign(made, await kms('GetPublicKey', { KeyId }));
        if (kind === mac) Object.assign(made, await kms('GenerateMac', { KeyId, ...toMac }));
        const { CiphertextBlob } = await kms<{ CiphertextBlob: Buffer }>('Encrypt', { KeyId: kinds[name] ? other.KeyId : KeyId, Plaintext: Buffer.from('text') });
        const elsewhere = await kms<{ CiphertextBlob: Buffer }>('Encrypt', { KeyId: other.KeyId, Plaintext: Buffer.from('text') });
        const { Policy } = await kms<{ Policy: string }>('GetKeyPolicy', { KeyId });
        await putInto(state, KeyId);

        const inputs: Record<string, object> = {
          Encrypt: { KeyId, Plaintext: Buffer.from('x') },
          Decrypt: { CiphertextBlob },
          'ReEncrypt from': { CiphertextBlob, DestinationKeyId: other.KeyId },
          'ReEncrypt to': { CiphertextBlob: elsewhere.CiphertextBlob, DestinationKeyId: KeyId },
          GenerateDataKey: { KeyId, KeySpec: 'AES_256' },
          GenerateDataKeyWithoutPlaintext: { KeyId, KeySpec: 'AES_256' },
          Sign: { KeyId, ...toSign },
          Verify: { KeyId, ...toSign, Signature: made.Signature },
          GenerateMac: { KeyId, ...toMac },
          VerifyMac: { KeyId, ...toMac, Mac: made.Mac },
          DeriveSharedSecret: { KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey: made.PublicKey },
          GenerateDataKeyPair: { KeyId, KeyPairSpec: 'ECC_NIST_P256' },
          GenerateDataKeyPairWithoutPlaintext: { KeyId, KeyPairSpec: 'ECC_NIST_P256' },
          PutKeyPolicy: { KeyId, Policy },
          DeleteAlias: { AliasName: alias },
          UpdateKeyDescription: { KeyId, Description: 'new' },
          TagResource: { KeyId, Tags: [{ TagKey: 'c', TagValue: 'd' }] },
          UntagResource: { KeyId, TagKeys: ['a'] },
          CreateAlias: { AliasName: `alias/new/${KeyId}`, TargetKeyId: KeyId },
          'UpdateAlias to': { AliasName: `alias/other/${KeyId}`, TargetKeyId: KeyId },
          'UpdateAlias away': { AliasName: alias, TargetKeyId: other.KeyId },
        };
        const answer = await refusalOf(kms(name.split(' ')[0]!, inputs[name] ?? { KeyId }));
        assert.equal(answer, refusal(letters[index]!, Arn));
        // Keep below the quota of aliases for the next one.
        for (const AliasName of [alias, `alias/other/${KeyId}`]) await kms('DeleteAlias', { AliasName }).catch(() => undefined);
      });
    }
  }

  test('lead from one to the next as they should', async () => {
    const { kms } = opened;
    const { KeyId } = (await kms<{ KeyMetadata: { KeyId: string } }>('CreateKey', {})).KeyMetadata;
    const state = async () => {
      const { KeyMetadata } = await kms<{ KeyMetadata: { KeyState: string; Enabled: boolean } }>('DescribeKey', { KeyId });
      assert.equal(KeyMetadata.Enabled, KeyMetadata.KeyState === 'Enabled');
      return KeyMetadata.KeyState;
    };
    await kms('DisableKey', { KeyId });
    await kms('DisableKey', { KeyId });
    assert.equal(await state(), 'Disabled');
    await kms('EnableKey', { KeyId });
    await kms('EnableKey', { KeyId });
    assert.equal(await state(), 'Enabled');
    await kms('ScheduleKeyDeletion', { KeyId });
    assert.equal(await state(), 'PendingDeletion');
    await kms('CancelKeyDeletion', { KeyId });
    assert.equal(await state(), 'Disabled');
  });
});
