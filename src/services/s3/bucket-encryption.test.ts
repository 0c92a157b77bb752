import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { anonymousCaller, openTestS3, type TestS3 } from '../../../test/kit/s3-fixture.ts';
import { refusalOf } from '../../../test/kit/keys.ts';
import { Denied } from '../../audit/index.ts';
import type { S3Inputs } from '../../wire/shapes.ts';
import type { S3Settings } from './s3.ts';

type Rules = S3Inputs['PutBucketEncryption']['ServerSideEncryptionConfiguration']['Rules'];
type Rule = NonNullable<Rules>[number];

const Bucket = 'vault';
// Source: contract s3-encryption.md section 23, vectors.
const customerKey = {
  SSECustomerAlgorithm: 'AES256', SSECustomerKey: 'MTIzNDU2Nzg5MGFiY2RlZjEyMzQ1Njc4OTBhYmNkZWY=', SSECustomerKeyMD5: 'JMwgiexXqwuPqIPjYFmIZQ==',
};
const malformed = /^MalformedXML: The XML you provided was not well-formed or did not validate against our published schema$/;
const blocked = /^AccessDenied: .*blocked upload requests/;

async function openVault(settings: Partial<S3Settings> = {}): Promise<TestS3> {
  const opened = await openTestS3(settings);
  await opened.call('CreateBucket', { Bucket });
  return opened;
}

const putRules = (s3: TestS3, ...Rules: unknown[]) =>
  s3.call('PutBucketEncryption', { Bucket, ServerSideEncryptionConfiguration: { Rules: Rules as NonNullable<Rules> } });

async function ruleOf(s3: TestS3): Promise<Rule> {
  const { ServerSideEncryptionConfiguration } = await s3.call('GetBucketEncryption', { Bucket });
  const rules = ServerSideEncryptionConfiguration?.Rules ?? [];
  assert.equal(rules.length, 1);
  return rules[0] as Rule;
}

const byDefault = (SSEAlgorithm: string, KMSMasterKeyID?: string) => ({ ApplyServerSideEncryptionByDefault: { SSEAlgorithm, ...(KMSMasterKeyID ? { KMSMasterKeyID } : {}) } });
const blocks = (...EncryptionType: string[]) => ({ BlockedEncryptionTypes: { EncryptionType } });
const put = (s3: TestS3, more: Partial<S3Inputs['PutObject']> = {}) => s3.call('PutObject', { Bucket, Key: 'k', Body: 'x' as never, ...more });

async function newKmsKey(s3: TestS3): Promise<{ KeyId: string; Arn: string }> {
  return (await s3.kms<{ KeyMetadata: { KeyId: string; Arn: string } }>('CreateKey', {})).KeyMetadata;
}

describe('bucket encryption', () => {
  test('B01 a new bucket has AES256 and blocks SSE-C', async () => {
    const s3 = await openVault();
    assert.deepEqual(await ruleOf(s3), { ...byDefault('AES256'), BucketKeyEnabled: false, ...blocks('SSE-C') });
    const open = await openVault({ newBucketsBlock: 'NONE' });
    assert.deepEqual(await ruleOf(open), { ...byDefault('AES256'), BucketKeyEnabled: false, ...blocks('NONE') });
  });

  test('B02, B03 the key comes back exactly as it was put', async () => {
    const s3 = await openVault();
    const { KeyId } = await newKmsKey(s3);
    await putRules(s3, { ...byDefault('aws:kms', KeyId), BucketKeyEnabled: true });
    assert.deepEqual(await ruleOf(s3), { ...byDefault('aws:kms', KeyId), BucketKeyEnabled: true, ...blocks('SSE-C') });
    await putRules(s3, byDefault('aws:kms'));
    assert.deepEqual(await ruleOf(s3), { ...byDefault('aws:kms'), BucketKeyEnabled: false, ...blocks('SSE-C') });
    await putRules(s3, { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms:dsse', KMSMasterKeyID: '' } });
    assert.deepEqual(await ruleOf(s3), { ...byDefault('aws:kms:dsse'), BucketKeyEnabled: false, ...blocks('SSE-C') });
  });

  test('B04 malformed configurations change nothing', async () => {
    const s3 = await openVault();
    await putRules(s3, byDefault('aws:kms', 'K1'));
    const before = await ruleOf(s3);
    const aes = byDefault('AES256');
    const bad: unknown[][] = [
      [], [aes, aes], [byDefault('rot13')], [byDefault('aws:fsx')], [{ ApplyServerSideEncryptionByDefault: {} }], [{}], [{ BucketKeyEnabled: true }],
      [blocks('X')], [{ ...aes, ...blocks('NONE', 'SSE-C') }], [blocks()], [{ ...aes, BlockedEncryptionTypes: {} }],
    ];
    for (const rules of bad) assert.match(await refusalOf(putRules(s3, ...rules)), malformed, JSON.stringify(rules));
    assert.deepEqual(await ruleOf(s3), before);
  });

  test('B05 AES256 takes no key', async () => {
    const s3 = await openVault();
    assert.equal(
      await refusalOf(putRules(s3, byDefault('AES256', 'K1'))),
      'InvalidArgument: a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse',
    );
  });

  test('B06 a bucket that is not there is told before a bad document', async () => {
    const s3 = await openTestS3();
    for (const refused of [s3.call('GetBucketEncryption', { Bucket }), putRules(s3), s3.call('DeleteBucketEncryption', { Bucket })]) {
      assert.match(await refusalOf(refused), /^NoSuchBucket: /);
    }
  });

  test('B07 the key is not looked at before the next write', async () => {
    const s3 = await openVault();
    const missing = '00000000-1111-4222-8333-444444444444';
    await putRules(s3, byDefault('aws:kms', missing));
    assert.match(await refusalOf(put(s3)), new RegExp(`^KMS.NotFoundException: Key 'arn:aws:kms:us-east-1:111122223333:key/${missing}' does not exist$`));
    await putRules(s3, byDefault('aws:kms', 'no-key'));
    assert.equal(await refusalOf(put(s3)), "KMS.NotFoundException: Invalid keyId 'no-key'");
  });

  test('B08 a bucket key flag beside AES256 is kept and has no effect', async () => {
    const s3 = await openVault();
    await putRules(s3, { ...byDefault('AES256'), BucketKeyEnabled: true });
    const written = await put(s3);
    assert.equal(written.ServerSideEncryption, 'AES256');
    assert.equal(written.BucketKeyEnabled, undefined);
    assert.equal((await ruleOf(s3)).BucketKeyEnabled, true);
  });

  test('B09 deleting goes back to the state of a new bucket, twice too', async () => {
    const s3 = await openVault();
    const { KeyId } = await newKmsKey(s3);
    await putRules(s3, { ...byDefault('aws:kms', KeyId), BucketKeyEnabled: true, ...blocks('NONE') });
    for (let time = 0; time < 2; time++) {
      await s3.call('DeleteBucketEncryption', { Bucket });
      assert.deepEqual(await ruleOf(s3), { ...byDefault('AES256'), BucketKeyEnabled: false, ...blocks('SSE-C') });
    }
    assert.equal((await put(s3)).ServerSideEncryption, 'AES256');
  });

  test('B10, B11 SSE-C is blocked until the bucket is opened for it', async () => {
    const s3 = await openVault();
    assert.match(await refusalOf(put(s3, customerKey)), blocked);
    await putRules(s3, blocks('NONE'));
    assert.equal((await put(s3, customerKey)).SSECustomerAlgorithm, 'AES256');
    assert.deepEqual(await ruleOf(s3), { ...byDefault('AES256'), BucketKeyEnabled: false, ...blocks('NONE') });
  });

  test('B12 what lies there under SSE-C is still read when writes are blocked', async () => {
    const s3 = await openVault({ newBucketsBlock: 'NONE' });
    await put(s3, customerKey);
    await putRules(s3, blocks('SSE-C'));
    assert.equal((await s3.call('HeadObject', { Bucket, Key: 'k', ...customerKey })).ContentLength, 1);
    assert.match(await refusalOf(put(s3, customerKey)), blocked);
    assert.match(await refusalOf(s3.call('CopyObject', { Bucket, Key: 'k2', CopySource: `${Bucket}/k`, ...customerKey, CopySourceSSECustomerAlgorithm: 'AES256', CopySourceSSECustomerKey: customerKey.SSECustomerKey, CopySourceSSECustomerKeyMD5: customerKey.SSECustomerKeyMD5 })), blocked);
    assert.match(await refusalOf(s3.call('CreateMultipartUpload', { Bucket, Key: 'k', ...customerKey })), blocked);
    assert.equal((await put(s3)).ServerSideEncryption, 'AES256');
  });

  test('B13 a block reaches an upload that is open, but not its end', async () => {
    const s3 = await openVault({ newBucketsBlock: 'NONE' });
    const { UploadId = '' } = await s3.call('CreateMultipartUpload', { Bucket, Key: 'k', ...customerKey });
    await putRules(s3, blocks('SSE-C'));
    assert.match(await refusalOf(s3.call('UploadPart', { Bucket, Key: 'k', UploadId, PartNumber: 1, Body: 'x' as never, ...customerKey })), blocked);
    assert.match(await refusalOf(s3.call('CompleteMultipartUpload', { Bucket, Key: 'k', UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag: 'x' }] } })), blocked);
    await s3.call('AbortMultipartUpload', { Bucket, Key: 'k', UploadId });
  });

  test('B14, B15 default and block are set apart from each other', async () => {
    const s3 = await openVault();
    const { KeyId } = await newKmsKey(s3);
    await putRules(s3, { ...byDefault('aws:kms', KeyId), BucketKeyEnabled: true });
    assert.deepEqual((await ruleOf(s3)).BlockedEncryptionTypes, { EncryptionType: ['SSE-C'] });
    await putRules(s3, blocks('NONE'));
    assert.deepEqual(await ruleOf(s3), { ...byDefault('aws:kms', KeyId), BucketKeyEnabled: true, ...blocks('NONE') });
  });

  test('B17 who is not allowed learns nothing', async () => {
    const s3 = await openVault();
    await assert.rejects(s3.call('GetBucketEncryption', { Bucket }, { caller: anonymousCaller }), Denied);
    await assert.rejects(s3.call('DeleteBucketEncryption', { Bucket }, { caller: anonymousCaller }), Denied);
  });

  test('a bucket that stores plain does not claim AES256', async () => {
    const s3 = await openVault({ defaultEncryption: 'none' });
    assert.match(await refusalOf(s3.call('GetBucketEncryption', { Bucket })), /^ServerSideEncryptionConfigurationNotFoundError: /);
    assert.equal((await put(s3)).ServerSideEncryption, undefined);
    await putRules(s3, byDefault('AES256'));
    assert.deepEqual((await ruleOf(s3)).ApplyServerSideEncryptionByDefault, { SSEAlgorithm: 'AES256' });
    assert.equal((await put(s3)).ServerSideEncryption, 'AES256');
  });
});
