/**
 * What belongs to keys: aliases, tags, policies.
 * Source: contract kms-iam-audit.md 2.10, 2.11, cases K21 to K24, K30.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { KeyMetadata } from '@aws-sdk/client-kms';
import { account, openTestKeys, refusalOf, region, violation, type TestKeys } from '../../../test/kit/keys.ts';

const text = Buffer.from('text');
let kms: TestKeys['kms'];
before(async () => void ({ kms } = await openTestKeys()));

async function newKey(input: object = {}): Promise<KeyMetadata & { KeyId: string; Arn: string }> {
  return (await kms<{ KeyMetadata: KeyMetadata & { KeyId: string; Arn: string } }>('CreateKey', input)).KeyMetadata;
}

function refused(operation: string, input: object): Promise<string> {
  return refusalOf(kms(operation, input));
}

describe('aliases', () => {
  test('are refused in AWS\'s words', async () => {
    const { KeyId } = await newKey();
    const arnOf = (name: string) => `arn:aws:kms:${region}:${account}:${name}`;
    const make = (AliasName: string, TargetKeyId = KeyId) => refused('CreateAlias', { AliasName, TargetKeyId });
    const prefix = 'ValidationException: Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html';
    assert.equal(await make('foo'), prefix);
    assert.equal(await make('alias/my:alias'), 'ValidationException: alias/my:alias contains invalid characters for an alias');
    assert.equal(await make('alias/my alias'), violation('aliasName', 'satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$', 'alias/my alias'));
    assert.match(await make(`alias/${'a'.repeat(251)}`), /have length less than or equal to 256/);
    assert.equal(await make('alias/aws/x'), 'NotAuthorizedException');
    assert.equal(await make('alias/k21'), 'no refusal');
    assert.equal(await make('alias/k21'), `AlreadyExistsException: An alias with the name ${arnOf('alias/k21')} already exists`);
    assert.equal(await make('alias/other', 'alias/k21'), 'ValidationException: Aliases must refer to keys. Not aliases');
    assert.equal(await make('alias/other', arnOf('alias/k21')), 'ValidationException: Aliases must refer to keys. Not aliases');
    assert.equal(await refused('DeleteAlias', { AliasName: 'alias/never' }), `NotFoundException: Alias ${arnOf('alias/never')} is not found.`);
    assert.equal(await refused('DeleteAlias', { AliasName: 'alias/aws/s3' }), 'NotAuthorizedException');
    assert.equal(await refused('UpdateAlias', { AliasName: 'alias/aws/s3', TargetKeyId: KeyId }), 'NotAuthorizedException');
  });

  test('move to a key of the same kind, and old blobs still open', async () => {
    const [a, b] = [await newKey(), await newKey()];
    await kms('CreateAlias', { AliasName: 'alias/moving', TargetKeyId: a.KeyId });
    const { CiphertextBlob } = await kms<{ CiphertextBlob: Buffer }>('Encrypt', { KeyId: 'alias/moving', Plaintext: text });
    const mac = await newKey({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
    assert.equal(
      await refused('UpdateAlias', { AliasName: 'alias/moving', TargetKeyId: mac.KeyId }),
      'ValidationException: Alias alias/moving cannot be changed from a CMK with key usage ENCRYPT_DECRYPT to a CMK with key usage GENERATE_VERIFY_MAC. The key usage of the current CMK and the new CMK must be the same.',
    );
    const rsa = await newKey({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' });
    assert.match(await refused('UpdateAlias', { AliasName: 'alias/moving', TargetKeyId: rsa.KeyId }), /^ValidationException/);
    await kms('UpdateAlias', { AliasName: 'alias/moving', TargetKeyId: b.KeyId });
    assert.equal((await kms<{ KeyMetadata: KeyMetadata }>('DescribeKey', { KeyId: 'alias/moving' })).KeyMetadata.Arn, b.Arn);
    assert.deepEqual((await kms<{ Aliases: unknown[] }>('ListAliases', { KeyId: a.KeyId })).Aliases, []);
    assert.equal((await kms<{ KeyId: string }>('Decrypt', { CiphertextBlob })).KeyId, a.Arn);
    assert.equal(await refused('Decrypt', { CiphertextBlob, KeyId: 'alias/moving' }), 'IncorrectKeyException: The key ID in the request does not identify a CMK that can perform this operation.');
  });

  test('are listed in pages, of all keys or of one', async () => {
    const fresh = await openTestKeys();
    const ids = await Promise.all([1, 2, 3].map(async () => (await fresh.kms<{ KeyMetadata: { KeyId: string } }>('CreateKey', {})).KeyMetadata.KeyId));
    for (let index = 0; index < 120; index++) await fresh.kms('CreateAlias', { AliasName: `alias/${index}`, TargetKeyId: ids[index % 3] });
    interface Page { Aliases: { AliasName: string; TargetKeyId: string }[]; Truncated: boolean; NextMarker?: string }
    const seen: string[] = [];
    const sizes: number[] = [];
    for (let Marker: string | undefined; ;) {
      const page = await fresh.kms<Page>('ListAliases', { Marker });
      sizes.push(page.Aliases.length);
      seen.push(...page.Aliases.map(({ AliasName }) => AliasName));
      if ((Marker = page.NextMarker) === undefined) break;
    }
    assert.deepEqual(sizes, [50, 50, 20]);
    assert.equal(new Set(seen).size, 120);
    const first = await fresh.kms<Page>('ListAliases', { KeyId: ids[0], Limit: 39 });
    assert.deepEqual([first.Aliases.length, first.Truncated, first.Aliases.every(({ TargetKeyId }) => TargetKeyId === ids[0])], [39, true, true]);
    assert.equal((await fresh.kms<Page>('ListAliases', { KeyId: ids[0], Marker: first.NextMarker })).Aliases.length, 1);
    for (const Marker of ['garbage', first.NextMarker, `${first.NextMarker}A`, 'AAAAAAAA']) {
      assert.equal(await refusalOf(fresh.kms('ListAliases', { Marker })), 'InvalidMarkerException');
    }
    assert.equal(await refusalOf(fresh.kms('ListAliases', { Limit: 101 })), violation('limit', 'have value less than or equal to 100', '101'));
  });

  test('are at most fifty on one key', async () => {
    const { KeyId } = await newKey();
    for (let index = 0; index < 50; index++) await kms('CreateAlias', { AliasName: `alias/full/${index}`, TargetKeyId: KeyId });
    assert.match(await refused('CreateAlias', { AliasName: 'alias/full/50', TargetKeyId: KeyId }), /^LimitExceededException/);
  });
});

describe('tags', () => {
  test('are merged, removed and listed', async () => {
    const { KeyId } = await newKey({ Tags: [{ TagKey: 'a', TagValue: '1' }] });
    await kms('TagResource', { KeyId, Tags: [{ TagKey: 'b', TagValue: '' }, { TagKey: 'a', TagValue: '2' }] });
    assert.deepEqual(await kms('ListResourceTags', { KeyId }), { Tags: [{ TagKey: 'a', TagValue: '2' }, { TagKey: 'b', TagValue: '' }], Truncated: false });
    const page = await kms<{ NextMarker: string }>('ListResourceTags', { KeyId, Limit: 1 });
    assert.deepEqual(await kms('ListResourceTags', { KeyId, Marker: page.NextMarker }), { Tags: [{ TagKey: 'b', TagValue: '' }], Truncated: false });
    await kms('UntagResource', { KeyId, TagKeys: ['a', 'never'] });
    assert.deepEqual(await kms('ListResourceTags', { KeyId }), { Tags: [{ TagKey: 'b', TagValue: '' }], Truncated: false });
  });

  test('are refused in AWS\'s words', async () => {
    const { KeyId } = await newKey({ Tags: Array.from({ length: 50 }, (_, index) => ({ TagKey: `${index}`, TagValue: '' })) });
    const tag = (...keys: string[]) => refused('TagResource', { KeyId, Tags: keys.map((TagKey) => ({ TagKey, TagValue: '' })) });
    assert.equal(await tag('x', 'x'), 'TagException: Duplicate tag keys');
    assert.equal(await tag('51st'), 'TagException: Too many tags');
    assert.equal(await tag('0'), 'no refusal');
    await kms('UntagResource', { KeyId, TagKeys: ['0'] });
    assert.equal(await tag('AWS:x'), 'TagException: Tags beginning with aws: are reserved');
    assert.equal(await tag('k'.repeat(129)), violation('tags.1.member.tagKey', 'have length less than or equal to 128', 'k'.repeat(129)));
  });
});

describe('key policies', () => {
  const equivalents = [
    { Version: '2012-10-17', Statement: { Effect: 'Allow', Principal: { AWS: account }, Action: 'kms:*', Resource: '*' } },
    { Id: 'mine', Statement: [{ Sid: 'x', Effect: 'Allow', Principal: { AWS: [`arn:aws:iam::${account}:root`] }, Action: ['KMS:*'], Resource: ['*'] }] },
  ];
  for (const policy of equivalents) {
    test(`that mean the default are kept byte for byte: ${JSON.stringify(policy).slice(0, 40)}`, async () => {
      const Policy = JSON.stringify(policy, undefined, 3);
      const { KeyId } = await newKey();
      await kms('PutKeyPolicy', { KeyId, Policy, PolicyName: 'default' });
      assert.deepEqual(await kms('GetKeyPolicy', { KeyId }), { Policy, PolicyName: 'default' });
      const made = await newKey({ Policy });
      assert.equal((await kms<{ Policy: string }>('GetKeyPolicy', { KeyId: made.KeyId })).Policy, Policy);
    });
  }

  test('that mean anything else are refused rather than kept without effect', async () => {
    const { KeyId } = await newKey();
    const before = await kms('GetKeyPolicy', { KeyId });
    const statement = { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'kms:*', Resource: '*' };
    const others = [
      { Statement: [] }, {}, { Statement: [statement, statement] }, { Statement: { ...statement, Effect: 'Deny' } }, { Statement: { ...statement, Action: 'kms:Encrypt' } },
      { Statement: { ...statement, Principal: '*' } }, { Statement: { ...statement, Principal: { AWS: '*' } } }, { Statement: { ...statement, Condition: {} } },
      { Statement: { ...statement, Principal: { AWS: 'arn:aws:iam::999999999999:root' } } }, { Statement: { ...statement, NotAction: 'x' } }, { Version: '2020-01-01', Statement: statement },
      { Statement: { ...statement, Principal: { AWS: account, Service: 's3.amazonaws.com' } } }, { Statement: statement, Extra: 1 }, { Statement: { ...statement, Resource: 'arn:x' } },
    ];
    for (const policy of others) assert.match(await refused('PutKeyPolicy', { KeyId, Policy: JSON.stringify(policy) }), /^UnsupportedOperationException/, JSON.stringify(policy));
    for (const Policy of ['{', '[]', '"x"', 'null']) assert.match(await refused('PutKeyPolicy', { KeyId, Policy }), /^MalformedPolicyDocumentException/);
    assert.match(await refused('PutKeyPolicy', { KeyId, Policy: ' '.repeat(32_769) }), /^LimitExceededException/);
    assert.equal(await refused('GetKeyPolicy', { KeyId, PolicyName: 'other' }), 'NotFoundException: No such policy exists');
    assert.deepEqual(await kms('GetKeyPolicy', { KeyId }), before);
    assert.deepEqual(await kms('ListKeyPolicies', { KeyId }), { PolicyNames: ['default'], Truncated: false });
  });
});
