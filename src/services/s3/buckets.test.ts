import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { anonymousCaller, openTestS3 } from '../../../test/kit/s3-fixture.ts';
import { account, refusalOf } from '../../../test/kit/keys.ts';
import { Denied } from '../../audit/index.ts';
import { createBucket } from '../../objects/index.ts';
import type { S3OperationName } from '../../wire/shapes.ts';
import { isBucketName } from './names.ts';
import { canonicalId } from './owner.ts';

const Bucket = 'pail';

describe('bucket names', () => {
  const good = ['abc', 'a-b.c', '0ab', 'a'.repeat(63), '1.2.3.4.5', '1.2.3', 'xn-a'];
  const bad = [
    '', 'ab', 'a'.repeat(64), 'Abc', 'a_b', '_ab', '-ab', 'ab-', '.ab', 'ab.', 'a..b', '192.168.5.4', 'xn--ab', 'sthree-ab', 'amzn-s3-demo-ab', 'ab-s3alias',
    'ab--ol-s3', 'ab.mrap', 'ab--x-s3', 'ab--table-s3', 'ab-an', 'v20180820', 'ä-b', 'ab\n', 'a/b',
  ];
  for (const name of good) test(`${name.slice(0, 20)} can be`, () => assert.equal(isBucketName(name), true));
  for (const name of bad) test(`${JSON.stringify(name.slice(0, 20))} cannot be`, () => assert.equal(isBucketName(name), false));
});

describe('CreateBucket', () => {
  test('names the bucket and where it lies', async () => {
    const s3 = await openTestS3();
    assert.deepEqual(await s3.call('CreateBucket', { Bucket }), { Location: `/${Bucket}`, BucketArn: `arn:aws:s3:::${Bucket}` });
    const { BucketRegion, BucketArn } = await s3.call('HeadBucket', { Bucket });
    assert.deepEqual({ BucketRegion, BucketArn }, { BucketRegion: 'us-east-1', BucketArn: `arn:aws:s3:::${Bucket}` });
    assert.match(await refusalOf(s3.call('CreateBucket', { Bucket: 'a_b' })), /^InvalidBucketName: The specified bucket is not valid\.$/);
  });

  test('again: a success in us-east-1 unless it carries tags, a conflict elsewhere', async () => {
    const Tags = [{ Key: 'k', Value: 'v' }];
    const here = await openTestS3();
    await here.call('CreateBucket', { Bucket, CreateBucketConfiguration: { Tags } });
    await here.call('CreateBucket', { Bucket });
    assert.deepEqual((await here.call('GetBucketTagging', { Bucket })).TagSet, Tags);
    assert.match(await refusalOf(here.call('CreateBucket', { Bucket, CreateBucketConfiguration: { Tags } })), /^BucketAlreadyOwnedByYou: /);
    const elsewhere = await openTestS3({ region: 'eu-west-1' });
    await elsewhere.call('CreateBucket', { Bucket });
    assert.match(await refusalOf(elsewhere.call('CreateBucket', { Bucket })), /^BucketAlreadyOwnedByYou: /);
  });

  test('again: nothing of the first bucket changes', async () => {
    const s3 = await openTestS3();
    await s3.call('CreateBucket', { Bucket });
    await s3.call('PutBucketVersioning', { Bucket, VersioningConfiguration: { Status: 'Enabled' } });
    await s3.call('CreateBucket', { Bucket });
    assert.deepEqual(await s3.call('GetBucketVersioning', { Bucket }), { Status: 'Enabled' });
  });

  test('location constraints', async () => {
    const s3 = await openTestS3({ region: 'eu-west-1' });
    const create = (LocationConstraint: string) => s3.call('CreateBucket', { Bucket, CreateBucketConfiguration: { LocationConstraint: LocationConstraint as 'EU' } });
    assert.match(await refusalOf(create('us-west-2')), /^IllegalLocationConstraintException: The us-west-2 location constraint is incompatible/);
    assert.match(await refusalOf(create('nowhere')), /^InvalidLocationConstraint: The specified location-constraint is not valid$/);
    await create('EU');
    assert.deepEqual(await s3.call('GetBucketLocation', { Bucket }), { LocationConstraint: 'eu-west-1' });
    const here = await openTestS3();
    await here.call('CreateBucket', { Bucket, CreateBucketConfiguration: {} });
    assert.deepEqual(await here.call('GetBucketLocation', { Bucket }), {});
  });

  test('what is not built is refused, and makes no bucket', async () => {
    const s3 = await openTestS3();
    const refusals: [object, RegExp][] = [
      [{ ObjectLockEnabledForBucket: true }, /^NotImplemented: /],
      [{ ObjectOwnership: 'ObjectWriter' }, /^NotImplemented: /],
      [{ ObjectOwnership: 'Nobody' }, /^InvalidArgument: /],
      [{ ACL: 'public-read' }, /^InvalidBucketAclWithObjectOwnership: /],
      [{ GrantRead: 'id=x' }, /^InvalidBucketAclWithObjectOwnership: /],
      [{ BucketNamespace: 'account-regional' }, /^NotImplemented: /],
      [{ CreateBucketConfiguration: { Bucket: { Type: 'Directory' } } }, /^NotImplemented: /],
      [{ CreateBucketConfiguration: { Tags: [{ Key: 'aws:x', Value: '' }] } }, /^InvalidTag: /],
    ];
    for (const [input, refusal] of refusals) assert.match(await refusalOf(s3.call('CreateBucket', { Bucket, ...input })), refusal, JSON.stringify(input));
    assert.match(await refusalOf(s3.call('HeadBucket', { Bucket })), /^NoSuchBucket: /);
    await s3.call('CreateBucket', { Bucket, ACL: 'private', ObjectOwnership: 'BucketOwnerEnforced', ObjectLockEnabledForBucket: false, BucketNamespace: 'global' });
  });

  test('only for who is allowed', async () => {
    const s3 = await openTestS3();
    await assert.rejects(s3.call('CreateBucket', { Bucket }, { caller: anonymousCaller }), Denied);
    await assert.rejects(s3.call('ListBuckets', {}, { caller: anonymousCaller }), Denied);
  });
});

describe('a name that no bucket can have', () => {
  test('finds none', async () => {
    const s3 = await openTestS3();
    await s3.call('CreateBucket', { Bucket });
    // U+0170 and U+0161 end in the bytes of `p` and `a`.
    for (const alias of ['\u0170ail', 'p\u0161il', 'pail\0', 'pail/', 'PAIL', '', 'a'.repeat(5_000)]) {
      assert.match(await refusalOf(s3.call('HeadBucket', { Bucket: alias })), /^NoSuchBucket: /, JSON.stringify(alias));
    }
    assert.deepEqual((await s3.call('ListBuckets', { Prefix: '\u0170' })).Buckets, []);
    assert.deepEqual((await s3.call('ListBuckets', { Prefix: 'p'.repeat(5_000) })).Buckets, []);
  });
});

describe('DeleteBucket', () => {
  test('refuses objects and markers, not open uploads', async () => {
    const s3 = await openTestS3();
    await s3.call('CreateBucket', { Bucket });
    await s3.put(Bucket, 'k');
    assert.equal(await refusalOf(s3.call('DeleteBucket', { Bucket })), 'BucketNotEmpty: The bucket you tried to delete is not empty');
    await s3.call('PutBucketVersioning', { Bucket, VersioningConfiguration: { Status: 'Enabled' } });
    const { VersionId } = await s3.call('DeleteObject', { Bucket, Key: 'k' });
    await s3.call('DeleteObject', { Bucket, Key: 'k', VersionId: 'null' });
    assert.equal(await refusalOf(s3.call('DeleteBucket', { Bucket })), 'BucketNotEmpty: The bucket you tried to delete is not empty. You must delete all versions in the bucket.');
    await s3.call('DeleteObject', { Bucket, Key: 'k', VersionId });
    await s3.call('CreateMultipartUpload', { Bucket, Key: 'k' });
    await s3.call('DeleteBucket', { Bucket });
    assert.match(await refusalOf(s3.call('DeleteBucket', { Bucket })), /^NoSuchBucket: /);
    await s3.call('CreateBucket', { Bucket });
    assert.deepEqual(await s3.call('GetBucketVersioning', { Bucket }), {});
    assert.equal((await s3.call('ListMultipartUploads', { Bucket })).Uploads, undefined);
  });
});

describe('S67 ListBuckets', () => {
  test('pages, prefix, region', async () => {
    const s3 = await openTestS3();
    for (const name of ['bbb', 'aab', 'aaa']) await s3.call('CreateBucket', { Bucket: name });
    const names: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    let pageCount = 0;
    do {
      const page = await s3.call('ListBuckets', { MaxBuckets: 1, ContinuationToken });
      names.push(...(page.Buckets ?? []).map(({ Name }) => Name));
      ({ ContinuationToken } = page);
      pageCount += 1;
    } while (ContinuationToken !== undefined);
    assert.deepEqual([names, pageCount], [['aaa', 'aab', 'bbb'], 3]);
    const prefixed = await s3.call('ListBuckets', { Prefix: 'aa', BucketRegion: 'us-east-1' });
    assert.deepEqual([prefixed.Buckets?.map(({ Name, BucketRegion, BucketArn }) => [Name, BucketRegion, BucketArn]), prefixed.Prefix, prefixed.Owner?.ID], [
      [['aaa', 'us-east-1', 'arn:aws:s3:::aaa'], ['aab', 'us-east-1', 'arn:aws:s3:::aab']], 'aa', canonicalId(account),
    ]);
    assert.deepEqual((await s3.call('ListBuckets', { BucketRegion: 'eu-west-1' })).Buckets, []);
    assert.equal(await refusalOf(s3.call('ListBuckets', { BucketRegion: 'nowhere' })), 'InvalidArgument: Argument value nowhere is not a valid AWS Region');
    assert.match(await refusalOf(s3.call('ListBuckets', { ContinuationToken: 'x' })), /^InvalidArgument: The continuation token provided is incorrect$/);
    for (const MaxBuckets of [0, -1, 10_001]) assert.match(await refusalOf(s3.call('ListBuckets', { MaxBuckets })), /^InvalidArgument: /);
  });

  test('a region is looked for behind buckets of others', async () => {
    const s3 = await openTestS3();
    for (const [name, region] of [['aaa', 'eu-west-1'], ['bbb', 'eu-west-1'], ['ccc', 'us-east-1'], ['ddd', 'eu-west-1'], ['eee', 'us-east-1']] as const) {
      await createBucket(s3.s3.store, { v: 1, name, owner: account, region, createdMs: 0, encryption: { bucketKeyEnabled: false, blocked: [] } });
    }
    const first = await s3.call('ListBuckets', { BucketRegion: 'us-east-1', MaxBuckets: 1 });
    assert.deepEqual(first.Buckets?.map(({ Name }) => Name), ['ccc']);
    const second = await s3.call('ListBuckets', { BucketRegion: 'us-east-1', MaxBuckets: 1, ContinuationToken: first.ContinuationToken });
    assert.deepEqual([second.Buckets?.map(({ Name }) => Name), second.ContinuationToken], [['eee'], undefined]);
  });

  test('a canonical id has 64 hex digits and is its account\'s alone', () => {
    assert.match(canonicalId(account), /^[0-9a-f]{64}$/);
    assert.equal(canonicalId(account), canonicalId(account));
    assert.notEqual(canonicalId(account), canonicalId('000000000000'));
  });
});

describe('versioning of a bucket', () => {
  test('never set, set, suspended', async () => {
    const s3 = await openTestS3();
    await s3.call('CreateBucket', { Bucket });
    const put = (VersioningConfiguration: object, more: object = {}) => s3.call('PutBucketVersioning', { Bucket, VersioningConfiguration, ...more });
    assert.deepEqual(await s3.call('GetBucketVersioning', { Bucket }), {});
    for (const Status of ['Enabled', 'Suspended'] as const) {
      await put({ Status, MFADelete: 'Disabled' });
      assert.deepEqual(await s3.call('GetBucketVersioning', { Bucket }), { Status });
    }
    assert.equal(await refusalOf(put({})), 'IllegalVersioningConfigurationException: The Versioning element must be specified');
    for (const bad of [{ Status: 'enabled' }, { Status: '' }, { Status: 'Enabled', MFADelete: 'x' }]) assert.match(await refusalOf(put(bad)), /^MalformedXML: /);
    assert.match(await refusalOf(put({ Status: 'Enabled', MFADelete: 'Enabled' })), /^NotImplemented: /);
    assert.match(await refusalOf(put({ Status: 'Enabled' }, { MFA: 'serial 123456' })), /^NotImplemented: /);
    assert.deepEqual(await s3.call('GetBucketVersioning', { Bucket }), { Status: 'Suspended' });
  });
});

describe('access lists', () => {
  const ID = canonicalId(account);
  const ownersGrants = [{ Grantee: { ID, Type: 'CanonicalUser' as const }, Permission: 'FULL_CONTROL' as const }];

  test('S74 the owner has full control, and nothing else can be asked for', async () => {
    const s3 = await openTestS3();
    await s3.call('CreateBucket', { Bucket });
    await s3.put(Bucket, 'k');
    const expected = { Owner: { ID }, Grants: ownersGrants };
    assert.deepEqual(await s3.call('GetBucketAcl', { Bucket }), expected);
    assert.deepEqual(await s3.call('GetObjectAcl', { Bucket, Key: 'k' }), expected);
    assert.match(await refusalOf(s3.call('GetObjectAcl', { Bucket, Key: 'absent' })), /^NoSuchKey: /);
    assert.match(await refusalOf(s3.call('PutObjectAcl', { Bucket, Key: 'absent', ACL: 'private' })), /^NoSuchKey: /);
    for (const operation of ['PutBucketAcl', 'PutObjectAcl'] as const) {
      const put = (input: object) => s3.call(operation, { Bucket, ...(operation === 'PutObjectAcl' ? { Key: 'k' } : {}), ...input });
      for (const accepted of [{ ACL: 'private' }, { ACL: 'bucket-owner-full-control' }, { AccessControlPolicy: expected }]) await put(accepted);
      const refusals: [object, RegExp][] = [
        [{ ACL: 'public-read' }, /^AccessControlListNotSupported: The bucket does not allow ACLs$/],
        [{ ACL: 'nonsense' }, /^AccessControlListNotSupported: /],
        [{ GrantRead: 'id=x' }, /^AccessControlListNotSupported: /],
        [{ AccessControlPolicy: { Owner: { ID }, Grants: [{ Grantee: { ID: 'x', Type: 'CanonicalUser' }, Permission: 'READ' }] } }, /^AccessControlListNotSupported: /],
        [{ AccessControlPolicy: { Owner: { ID }, Grants: [...ownersGrants, ...ownersGrants] } }, /^AccessControlListNotSupported: /],
        [{ AccessControlPolicy: { Owner: { ID }, Grants: [] } }, /^AccessControlListNotSupported: /],
        [{ AccessControlPolicy: { Owner: { ID }, Grants: [{ ...ownersGrants[0], Permission: 'READ' }] } }, /^AccessControlListNotSupported: /],
        [{ AccessControlPolicy: { Owner: { ID: 'x' }, Grants: ownersGrants } }, /^AccessControlListNotSupported: /],
        [{ AccessControlPolicy: {} }, /^MalformedACLError: /],
        [{}, /^MissingSecurityHeader: /],
        [{ ACL: 'private', AccessControlPolicy: expected }, /^UnexpectedContent: /],
        [{ ACL: 'private', GrantRead: 'id=x' }, /^InvalidRequest: /],
      ];
      for (const [input, refusal] of refusals) assert.match(await refusalOf(put(input)), refusal, JSON.stringify(input));
    }
  });
});

describe('ownership and public access', () => {
  test('ownership controls: the default, put, deleted', async () => {
    const s3 = await openTestS3();
    await s3.call('CreateBucket', { Bucket });
    const put = (...ownership: string[]) =>
      s3.call('PutBucketOwnershipControls', { Bucket, OwnershipControls: { Rules: ownership.map((ObjectOwnership) => ({ ObjectOwnership: ObjectOwnership as 'ObjectWriter' })) } });
    const enforced = { OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] } };
    assert.deepEqual(await s3.call('GetBucketOwnershipControls', { Bucket }), enforced);
    await s3.call('DeleteBucketOwnershipControls', { Bucket });
    assert.match(await refusalOf(s3.call('GetBucketOwnershipControls', { Bucket })), /^OwnershipControlsNotFoundError: /);
    await put('BucketOwnerEnforced');
    assert.deepEqual(await s3.call('GetBucketOwnershipControls', { Bucket }), enforced);
    assert.match(await refusalOf(put('ObjectWriter')), /^NotImplemented: /);
    for (const bad of [[], ['x'], ['BucketOwnerEnforced', 'BucketOwnerEnforced']]) assert.match(await refusalOf(put(...bad)), /^MalformedXML: /);
  });

  test('public access block: the default, put, deleted', async () => {
    const s3 = await openTestS3();
    await s3.call('CreateBucket', { Bucket });
    const all = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true };
    const put = (PublicAccessBlockConfiguration: object) => s3.call('PutPublicAccessBlock', { Bucket, PublicAccessBlockConfiguration });
    assert.deepEqual(await s3.call('GetPublicAccessBlock', { Bucket }), { PublicAccessBlockConfiguration: all });
    await s3.call('DeletePublicAccessBlock', { Bucket });
    assert.match(await refusalOf(s3.call('GetPublicAccessBlock', { Bucket })), /^NoSuchPublicAccessBlockConfiguration: /);
    for (const name of Object.keys(all)) assert.match(await refusalOf(put({ ...all, [name]: false })), /^NotImplemented: /, name);
    assert.match(await refusalOf(put({ BlockPublicAcls: true })), /^NotImplemented: /);
    assert.match(await refusalOf(s3.call('GetPublicAccessBlock', { Bucket })), /^NoSuchPublicAccessBlockConfiguration: /);
    await put(all);
    assert.deepEqual(await s3.call('GetPublicAccessBlock', { Bucket }), { PublicAccessBlockConfiguration: all });
  });
});

describe('S68 what no bucket has yet', () => {
  const errors: [S3OperationName, string][] = [
    ['GetBucketPolicy', 'NoSuchBucketPolicy'], ['GetBucketPolicyStatus', 'NoSuchBucketPolicy'], ['GetBucketCors', 'NoSuchCORSConfiguration'],
    ['GetBucketLifecycleConfiguration', 'NoSuchLifecycleConfiguration'], ['GetBucketReplication', 'ReplicationConfigurationNotFoundError'],
    ['GetBucketTagging', 'NoSuchTagSet'], ['GetBucketWebsite', 'NoSuchWebsiteConfiguration'], ['GetObjectLockConfiguration', 'ObjectLockConfigurationNotFoundError'],
    ['GetBucketInventoryConfiguration', 'NoSuchConfiguration'], ['DeleteBucketInventoryConfiguration', 'NoSuchConfiguration'],
  ];
  const answers: [S3OperationName, object][] = [
    ['GetBucketVersioning', {}], ['GetBucketAccelerateConfiguration', {}], ['GetBucketLogging', {}], ['GetBucketNotificationConfiguration', {}],
    ['GetBucketRequestPayment', { Payer: 'BucketOwner' }], ['GetBucketAbac', { AbacStatus: { Status: 'Disabled' } }],
    ['ListBucketInventoryConfigurations', { IsTruncated: false }], ['DeleteBucketPolicy', {}], ['DeleteBucketCors', {}], ['DeleteBucketLifecycle', {}],
    ['DeleteBucketReplication', {}], ['DeleteBucketWebsite', {}], ['DeleteBucketTagging', {}],
  ];

  test('is answered as S3 answers it', async () => {
    const s3 = await openTestS3();
    for (const [name] of [...errors, ...answers]) assert.match(await refusalOf(s3.call(name, { Bucket })), /^NoSuchBucket: /, name);
    await s3.call('CreateBucket', { Bucket });
    for (const [name, code] of errors) assert.match(await refusalOf(s3.call(name, { Bucket, Id: 'x' })), new RegExp(`^${code}: `), name);
    for (const [name, answer] of answers) assert.deepEqual(await s3.call(name, { Bucket }), answer, name);
    for (const [name] of [...errors, ...answers]) await assert.rejects(s3.call(name, { Bucket }, { caller: anonymousCaller }), Denied, name);
    for (const name of ['GetObjectRetention', 'GetObjectLegalHold'] as const) {
      assert.match(await refusalOf(s3.call(name, { Bucket, Key: 'k' })), /^InvalidRequest: Bucket is missing Object Lock Configuration$/);
    }
  });

  test('a bucket of another owner is not mine', async () => {
    const s3 = await openTestS3();
    await s3.call('CreateBucket', { Bucket });
    assert.match(await refusalOf(s3.call('HeadBucket', { Bucket, ExpectedBucketOwner: '999999999999' })), /^AccessDenied: /);
    assert.match(await refusalOf(s3.call('HeadBucket', { Bucket, ExpectedBucketOwner: 'me' })), /^InvalidBucketOwnerAWSAccountID: /);
  });
});
