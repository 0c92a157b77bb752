/**
 * The KMS API as the official client meets it, and S3 under its keys.
 * Source: contract kms-iam-audit.md 7: W05 to W07, K01, K05 to K15, K17, K19 to K23, K27, K28, R03, R05, R07, S01, S06.
 */
import assert from 'node:assert/strict';
import { createPublicKey, randomUUID, verify } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import {
  CancelKeyDeletionCommand, CreateAliasCommand, CreateKeyCommand, DecryptCommand, DescribeKeyCommand, DisableKeyCommand, EnableKeyCommand,
  EnableKeyRotationCommand, EncryptCommand, GenerateDataKeyCommand, GenerateDataKeyWithoutPlaintextCommand, GenerateRandomCommand, GetKeyPolicyCommand,
  GetKeyRotationStatusCommand, GetPublicKeyCommand, KMSServiceException, ListAliasesCommand, ListKeyRotationsCommand, ListResourceTagsCommand,
  paginateListAliases, paginateListKeys, PutKeyPolicyCommand, ReEncryptCommand, RotateKeyOnDemandCommand, ScheduleKeyDeletionCommand, SignCommand,
  TagResourceCommand, VerifyCommand, type KeyMetadata, type KMSClient,
} from '@aws-sdk/client-kms';
import { CreateBucketCommand, GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3ServiceException, type S3Client } from '@aws-sdk/client-s3';
import { startServer, testAccount, testRegion, type TestServer } from '../kit/server.ts';

const text = Buffer.from('text');
const dayMs = 24 * 60 * 60_000;
const bucket = 'kms-acceptance';
let server: TestServer;
let kms: KMSClient;
let s3: S3Client;

before(async () => {
  server = await startServer();
  kms = server.kms();
  s3 = server.s3();
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
});
after(() => server.stop());

async function newKey(input: ConstructorParameters<typeof CreateKeyCommand>[0] = {}): Promise<KeyMetadata & { KeyId: string; Arn: string }> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand(input));
  return KeyMetadata as KeyMetadata & { KeyId: string; Arn: string };
}

/** Name, message and status of what the client throws. Errors without message show as `UnknownError` there. */
async function refusal(sent: Promise<unknown>): Promise<[name: string, message: string, status: number | undefined]> {
  const error: unknown = await sent.then(() => undefined, (reason: unknown) => reason);
  assert.ok(error instanceof KMSServiceException || error instanceof S3ServiceException, `a refusal, not ${String(error)}`);
  return [error.name, error.message, error.$metadata.httpStatusCode];
}

describe('keys', () => {
  test('are made, described, disabled and enabled', async () => {
    const { KeyId, Arn, CurrentKeyMaterialId, CreationDate } = await newKey({ Description: 'mine', Tags: [{ TagKey: 'a', TagValue: 'b' }] });
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: Arn }));
    assert.deepEqual(KeyMetadata, {
      AWSAccountId: testAccount, KeyId, Arn, CreationDate, Enabled: true, Description: 'mine', KeyUsage: 'ENCRYPT_DECRYPT', KeyState: 'Enabled', Origin: 'AWS_KMS',
      KeyManager: 'CUSTOMER', CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT', KeySpec: 'SYMMETRIC_DEFAULT', EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'], MultiRegion: false, CurrentKeyMaterialId,
    });
    const disabled = await kms.send(new DisableKeyCommand({ KeyId }));
    assert.deepEqual(Object.keys(disabled), ['$metadata']);
    assert.match(disabled.$metadata.requestId!, /^[0-9a-f-]{36}$/);
    for (const use of [new EncryptCommand({ KeyId, Plaintext: text }), new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' })]) {
      assert.deepEqual(await refusal(kms.send(use as EncryptCommand)), ['DisabledException', `${Arn} is disabled.`, 400]);
    }
    await kms.send(new EnableKeyCommand({ KeyId }));
    await kms.send(new EncryptCommand({ KeyId, Plaintext: text }));
    const { Policy } = await kms.send(new GetKeyPolicyCommand({ KeyId }));
    await kms.send(new PutKeyPolicyCommand({ KeyId, Policy }));
    assert.equal((await kms.send(new GetKeyPolicyCommand({ KeyId }))).Policy, Policy);
    await kms.send(new TagResourceCommand({ KeyId, Tags: [{ TagKey: 'c', TagValue: '' }] }));
    assert.deepEqual((await kms.send(new ListResourceTagsCommand({ KeyId }))).Tags, [{ TagKey: 'a', TagValue: 'b' }, { TagKey: 'c', TagValue: '' }]);
  });

  test('that do not exist are refused in AWS\'s words', async () => {
    const id = randomUUID();
    const arn = `arn:aws:kms:${testRegion}:${testAccount}:key/${id}`;
    assert.deepEqual(await refusal(kms.send(new DescribeKeyCommand({ KeyId: id }))), ['NotFoundException', `Key '${arn}' does not exist`, 400]);
    assert.deepEqual(await refusal(kms.send(new DescribeKeyCommand({ KeyId: arn }))), ['NotFoundException', `Key '${arn}' does not exist`, 400]);
    assert.deepEqual(await refusal(kms.send(new DescribeKeyCommand({ KeyId: 'alias/none' }))), ['NotFoundException', `Alias arn:aws:kms:${testRegion}:${testAccount}:alias/none is not found.`, 400]);
    assert.deepEqual(await refusal(kms.send(new DisableKeyCommand({ KeyId: 'alias/none' }))), ['InvalidArnException', 'Key Aliases are not supported for this operation.', 400]);
  });

  test('and aliases are paged by the client', async () => {
    const { KeyId } = await newKey();
    for (let index = 0; index < 12; index++) await kms.send(new CreateAliasCommand({ AliasName: `alias/page/${index}`, TargetKeyId: KeyId }));
    const names: (string | undefined)[] = [];
    for await (const page of paginateListAliases({ client: kms, pageSize: 5 }, { KeyId })) names.push(...(page.Aliases ?? []).map(({ AliasName }) => AliasName));
    assert.equal(new Set(names).size, 12);
    const ids: (string | undefined)[] = [];
    for await (const page of paginateListKeys({ client: kms, pageSize: 2 }, {})) ids.push(...(page.Keys ?? []).map(({ KeyId: id }) => id));
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(ids.includes(KeyId));
    assert.deepEqual(await refusal(kms.send(new ListAliasesCommand({ Marker: 'garbage' }))), ['InvalidMarkerException', 'UnknownError', 400]);
  });

  test('that wait to die take their objects with them until they come back', async () => {
    const { KeyId, Arn } = await newKey();
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/dying', TargetKeyId: KeyId }));
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'dying', Body: 'x', ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'alias/dying' }));
    const scheduled = await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    assert.deepEqual([scheduled.KeyId, scheduled.KeyState, scheduled.PendingWindowInDays], [Arn, 'PendingDeletion', 7]);
    assert.ok(Math.abs(scheduled.DeletionDate!.getTime() - server.clock.nowMs() - 7 * dayMs) < 60_000);
    const get = () => s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'dying' }));
    assert.deepEqual(await refusal(get()), ['KMS.KMSInvalidStateException', `${Arn} is pending deletion.`, 400]);
    assert.deepEqual(await kms.send(new CancelKeyDeletionCommand({ KeyId })).then(({ KeyId: id }) => id), Arn);
    assert.deepEqual(await refusal(get()), ['KMS.DisabledException', `${Arn} is disabled.`, 400]);
    await kms.send(new EnableKeyCommand({ KeyId }));
    assert.equal(await (await get()).Body!.transformToString(), 'x');
  });
});

describe('cryptography', () => {
  test('by id, ARN, alias and alias ARN, with its context in any order', async () => {
    const { KeyId, Arn, CurrentKeyMaterialId } = await newKey();
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/k05', TargetKeyId: KeyId }));
    for (const name of [KeyId, Arn, 'alias/k05', `arn:aws:kms:${testRegion}:${testAccount}:alias/k05`]) {
      const { CiphertextBlob, ...encrypted } = await kms.send(new EncryptCommand({ KeyId: name, Plaintext: text, EncryptionContext: { a: '1', b: '2' } }));
      assert.equal(encrypted.KeyId, Arn);
      const opened = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: { b: '2', a: '1' } }));
      assert.deepEqual([Buffer.from(opened.Plaintext!), opened.KeyId, opened.KeyMaterialId], [text, Arn, CurrentKeyMaterialId]);
      assert.deepEqual(await refusal(kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: { a: '1' } }))), ['InvalidCiphertextException', 'UnknownError', 400]);
      const broken = Buffer.from(CiphertextBlob!);
      broken[40]! ^= 1;
      assert.deepEqual(await refusal(kms.send(new DecryptCommand({ CiphertextBlob: broken, EncryptionContext: { a: '1', b: '2' } }))), ['InvalidCiphertextException', 'UnknownError', 400]);
    }
  });

  test('has bounds, and a context of strings', async () => {
    const { KeyId } = await newKey();
    const violation = (bound: string) => ['ValidationException', `1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length ${bound}`, 400];
    assert.deepEqual(await refusal(kms.send(new EncryptCommand({ KeyId, Plaintext: new Uint8Array(4097) }))), violation('less than or equal to 4096'));
    assert.deepEqual(await refusal(kms.send(new EncryptCommand({ KeyId, Plaintext: new Uint8Array(0) }))), violation('greater than or equal to 1'));
    await kms.send(new EncryptCommand({ KeyId, Plaintext: new Uint8Array(4096) }));
    const body = JSON.stringify({ KeyId, Plaintext: 'eA==', EncryptionContext: { a: 1 } });
    const answer = await server.rawRequest('POST', '/', { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'TrentService.Encrypt' }, body, { service: 'kms' });
    assert.equal(answer.status, 400);
    assert.equal((JSON.parse(answer.body.toString()) as Record<string, string>)["__type"], 'SerializationException');
  });

  test('makes data keys and random bytes', async () => {
    const { KeyId } = await newKey();
    for (const [size, bytes] of [[{ KeySpec: 'AES_256' }, 32], [{ KeySpec: 'AES_128' }, 16], [{ NumberOfBytes: 64 }, 64]] as const) {
      const made = await kms.send(new GenerateDataKeyCommand({ KeyId, ...size }));
      assert.equal(made.Plaintext!.byteLength, bytes);
      assert.deepEqual((await kms.send(new DecryptCommand({ CiphertextBlob: made.CiphertextBlob }))).Plaintext, made.Plaintext);
      const without = await kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, ...size }));
      assert.equal((await kms.send(new DecryptCommand({ CiphertextBlob: without.CiphertextBlob }))).Plaintext!.byteLength, bytes);
    }
    assert.deepEqual(await refusal(kms.send(new GenerateDataKeyCommand({ KeyId }))), ['ValidationException', 'Please specify either number of bytes or key spec.', 400]);
    assert.equal((await kms.send(new GenerateRandomCommand({ NumberOfBytes: 1024 }))).Plaintext!.byteLength, 1024);
    assert.deepEqual(await refusal(kms.send(new GenerateRandomCommand({}))), ['ValidationException', 'NumberOfBytes is required.', 400]);
    assert.deepEqual(await refusal(kms.send(new EncryptCommand({ KeyId, Plaintext: text, DryRun: true }))), ['DryRunOperationException', 'The request would have succeeded, but the DryRun option is set.', 400]);
  });

  test('moves from key to key, symmetric or not', async () => {
    const [from, to] = [await newKey(), await newKey({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })];
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: from.KeyId, Plaintext: text }));
    const moved = await kms.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: to.KeyId, DestinationEncryptionAlgorithm: 'RSAES_OAEP_SHA_256' }));
    assert.deepEqual([moved.SourceKeyId, moved.KeyId, moved.SourceKeyMaterialId, moved.DestinationKeyMaterialId], [from.Arn, to.Arn, from.CurrentKeyMaterialId, undefined]);
    const opened = await kms.send(new DecryptCommand({ CiphertextBlob: moved.CiphertextBlob, KeyId: to.KeyId, EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' }));
    assert.deepEqual(Buffer.from(opened.Plaintext!), text);
    assert.deepEqual(
      await refusal(kms.send(new DecryptCommand({ CiphertextBlob, KeyId: to.KeyId }))),
      ['IncorrectKeyException', 'The key ID in the request does not identify a CMK that can perform this operation.', 400],
    );
  });

  test('signs what others verify', async () => {
    const { KeyId } = await newKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
    const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId }));
    const { Signature } = await kms.send(new SignCommand({ KeyId, Message: text, SigningAlgorithm: 'ECDSA_SHA_256' }));
    assert.ok(verify('sha256', text, createPublicKey({ key: Buffer.from(PublicKey!), format: 'der', type: 'spki' }), Signature!));
    const other = new VerifyCommand({ KeyId, Message: Buffer.from('other'), Signature, SigningAlgorithm: 'ECDSA_SHA_256' });
    assert.deepEqual(await refusal(kms.send(other)), ['KMSInvalidSignatureException', 'UnknownError', 400]);
  });
});

describe('rotation', () => {
  test('on demand changes the material, and old blobs and objects still open', async () => {
    const { KeyId, Arn, CurrentKeyMaterialId } = await newKey();
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext: text }));
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'rotated', Body: 'x', ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KeyId }));
    assert.equal((await kms.send(new RotateKeyOnDemandCommand({ KeyId }))).KeyId, Arn);
    const later = await kms.send(new EncryptCommand({ KeyId, Plaintext: text }));
    const [old, fresh] = await Promise.all([CiphertextBlob, later.CiphertextBlob].map((blob) => kms.send(new DecryptCommand({ CiphertextBlob: blob }))));
    assert.equal(old!.KeyMaterialId, CurrentKeyMaterialId);
    assert.notEqual(fresh!.KeyMaterialId, CurrentKeyMaterialId);
    assert.equal(await (await s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'rotated' }))).Body!.transformToString(), 'x');
    const { Rotations } = await kms.send(new ListKeyRotationsCommand({ KeyId }));
    assert.deepEqual(Rotations?.map(({ KeyMaterialId, RotationType }) => [KeyMaterialId, RotationType]), [[fresh!.KeyMaterialId, 'ON_DEMAND']]);
  });

  test('by itself has a date', async () => {
    const { KeyId, Arn } = await newKey();
    await kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 }));
    const { KeyRotationEnabled, RotationPeriodInDays, NextRotationDate, KeyId: shown } = await kms.send(new GetKeyRotationStatusCommand({ KeyId }));
    assert.deepEqual([KeyRotationEnabled, RotationPeriodInDays, shown], [true, 90, Arn]);
    assert.ok(Math.abs(NextRotationDate!.getTime() - server.clock.nowMs() - 90 * dayMs) < 60_000);
  });
});

describe('S3 under KMS keys', () => {
  const put = (SSEKMSKeyId: string | undefined, Key = 'object') =>
    s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'body', ServerSideEncryption: 'aws:kms', SSEKMSKeyId }));

  test('makes its own key once, which nobody else may use', async () => {
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map((Key) => put(undefined, Key)));
    const arns = new Set(answers.map(({ SSEKMSKeyId }) => SSEKMSKeyId));
    assert.equal(arns.size, 1);
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: 'alias/aws/s3' }));
    assert.ok(arns.has(KeyMetadata?.Arn));
    assert.deepEqual([KeyMetadata?.KeyManager, KeyMetadata?.Description], ['AWS', 'Default key that protects my S3 objects when no other key is defined']);
    const uses: [string, Promise<unknown>][] = [
      ['kms:Encrypt', kms.send(new EncryptCommand({ KeyId: 'alias/aws/s3', Plaintext: text }))],
      ['kms:DisableKey', kms.send(new DisableKeyCommand({ KeyId: KeyMetadata!.KeyId }))],
      ['kms:RotateKeyOnDemand', kms.send(new RotateKeyOnDemandCommand({ KeyId: KeyMetadata!.KeyId }))],
    ];
    for (const [action, sent] of uses) {
      const because = `because no resource-based policy allows the ${action} action`;
      assert.deepEqual(await refusal(sent), ['AccessDeniedException', `User: arn:aws:iam::${testAccount}:root is not authorized to perform: ${action} on resource: ${KeyMetadata?.Arn} ${because}`, 400]);
    }
  });

  test('shows the key\'s ARN, however it was named', async () => {
    const { KeyId, Arn } = await newKey();
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/named', TargetKeyId: KeyId }));
    for (const name of [KeyId, Arn, 'alias/named']) {
      assert.equal((await put(name)).SSEKMSKeyId, Arn);
      assert.equal((await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: 'object' }))).SSEKMSKeyId, Arn);
    }
  });

  test('refuses in the words of KMS, and stops reading at once', async () => {
    const id = randomUUID();
    const arn = `arn:aws:kms:${testRegion}:${testAccount}:key/${id}`;
    const rsa = await newKey({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' });
    const mac = await newKey({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
    const refusals: [string, string, string][] = [
      ['fake-key-id', 'KMS.NotFoundException', "Invalid keyId 'fake-key-id'"],
      [id, 'KMS.NotFoundException', `Key '${arn}' does not exist`],
      [arn, 'KMS.NotFoundException', `Key '${arn}' does not exist`],
      [arn.replace(testRegion, 'eu-west-1'), 'KMS.NotFoundException', 'Invalid arn eu-west-1'],
      ['alias/none', 'KMS.NotFoundException', `Alias arn:aws:kms:${testRegion}:${testAccount}:alias/none is not found.`],
      [rsa.KeyId, 'KMS.InvalidKeyUsageException', 'You cannot generate a data key with an asymmetric CMK'],
      [mac.KeyId, 'KMS.InvalidKeyUsageException', `${mac.Arn} key usage is GENERATE_VERIFY_MAC which is not valid for GenerateDataKey.`],
    ];
    for (const [keyRef, code, message] of refusals) assert.deepEqual(await refusal(put(keyRef)), [code, message, 400]);

    const { KeyId, Arn } = await newKey();
    await put(KeyId, 'stopped');
    const get = () => s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'stopped' }));
    assert.equal(await (await get()).Body!.transformToString(), 'body');
    await kms.send(new DisableKeyCommand({ KeyId }));
    assert.deepEqual(await refusal(get()), ['KMS.DisabledException', `${Arn} is disabled.`, 400]);
    assert.deepEqual(await refusal(put(KeyId)), ['KMS.DisabledException', `${Arn} is disabled.`, 400]);
    assert.equal((await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: 'stopped' }))).SSEKMSKeyId, Arn, 'HEAD needs no key');
    await kms.send(new EnableKeyCommand({ KeyId }));
    assert.equal(await (await get()).Body!.transformToString(), 'body');
  });
});
