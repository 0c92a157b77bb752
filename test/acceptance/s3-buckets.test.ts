/**
 * Buckets, their configurations and tags through the real SDK client, and raw where only the bytes tell.
 * Named after the cases of contract s3-surface.md section 12 and s3-encryption.md section 24.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as sdk from '@aws-sdk/client-s3';
import { startServer, type TestServer } from '../kit/server.ts';

/** The client's `send` has one overload for each kind of command; lists of commands need one for all. */
type Send = (command: object) => Promise<Record<string, unknown>>;

/** Code, status and extra elements of a refusal. */
async function refusal(promise: Promise<unknown>): Promise<{ code: string; status: number | undefined; error: Record<string, unknown> }> {
  try {
    await promise;
  } catch (error) {
    if (!(error instanceof sdk.S3ServiceException)) throw error;
    return { code: error.name, status: error.$metadata.httpStatusCode, error: error as unknown as Record<string, unknown> };
  }
  throw new Error('was not refused');
}

describe('buckets', () => {
  let server: TestServer;
  let s3: sdk.S3Client;
  let send: Send;
  let count = 0;
  before(async () => {
    server = await startServer({ settings: { newBucketsBlock: 'SSE-C' } });
    s3 = server.s3();
    send = (command) => s3.send(command as never) as unknown as ReturnType<Send>;
  });
  after(() => server.stop());

  async function newBucket(): Promise<string> {
    const Bucket = `bucket-${(count += 1)}`;
    await s3.send(new sdk.CreateBucketCommand({ Bucket }));
    return Bucket;
  }

  test('come into being, are found, and go', async () => {
    const Bucket = await newBucket();
    const head = await s3.send(new sdk.HeadBucketCommand({ Bucket }));
    assert.deepEqual([head.BucketRegion, head.BucketArn], ['us-east-1', `arn:aws:s3:::${Bucket}`]);
    const refused = await server.rawRequest('HEAD', `/${Bucket}`, {}, undefined, { sign: false });
    assert.deepEqual([refused.status, refused.headers['x-amz-bucket-region'], refused.body.byteLength], [403, 'us-east-1', 0]);
    const again = await s3.send(new sdk.CreateBucketCommand({ Bucket }));
    assert.deepEqual([again.Location, again.$metadata.httpStatusCode], [`/${Bucket}`, 200]);
    const tagged = await refusal(s3.send(new sdk.CreateBucketCommand({ Bucket, CreateBucketConfiguration: { Tags: [{ Key: 'k', Value: 'v' }] } })));
    assert.deepEqual([tagged.code, tagged.status, tagged.error['BucketName']], ['BucketAlreadyOwnedByYou', 409, Bucket]);
    await s3.send(new sdk.PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }));
    const full = await refusal(s3.send(new sdk.DeleteBucketCommand({ Bucket })));
    assert.deepEqual([full.code, full.status, full.error['BucketName']], ['BucketNotEmpty', 409, Bucket]);
    await s3.send(new sdk.DeleteObjectCommand({ Bucket, Key: 'k' }));
    assert.equal((await s3.send(new sdk.DeleteBucketCommand({ Bucket }))).$metadata.httpStatusCode, 204);
    assert.deepEqual([(await refusal(s3.send(new sdk.HeadBucketCommand({ Bucket })))).status], [404]);
    const gone = await refusal(s3.send(new sdk.GetBucketVersioningCommand({ Bucket })));
    assert.deepEqual([gone.code, gone.status, gone.error['BucketName']], ['NoSuchBucket', 404, Bucket]);
  });

  test('names and places that cannot be', async () => {
    const bad = await refusal(s3.send(new sdk.CreateBucketCommand({ Bucket: 'no_good' })));
    assert.deepEqual([bad.code, bad.status, bad.error['BucketName']], ['InvalidBucketName', 400, 'no_good']);
    for (const [LocationConstraint, code] of [['eu-west-1', 'IllegalLocationConstraintException'], ['nowhere', 'InvalidLocationConstraint']] as const) {
      const refused = await refusal(s3.send(new sdk.CreateBucketCommand({ Bucket: 'elsewhere', CreateBucketConfiguration: { LocationConstraint: LocationConstraint as 'eu-west-1' } })));
      assert.deepEqual([refused.code, refused.status], [code, 400]);
    }
    const locked = await refusal(s3.send(new sdk.CreateBucketCommand({ Bucket: 'locked', ObjectLockEnabledForBucket: true })));
    assert.deepEqual([locked.code, locked.status, locked.error['Header']], ['NotImplemented', 501, 'x-amz-bucket-object-lock-enabled']);
  });

  test('GetBucketLocation is an empty element in us-east-1', async () => {
    const Bucket = await newBucket();
    assert.equal((await s3.send(new sdk.GetBucketLocationCommand({ Bucket }))).LocationConstraint, undefined);
    const raw = await server.rawRequest('GET', `/${Bucket}?location`);
    assert.equal(raw.body.toString(), '<?xml version="1.0" encoding="UTF-8"?>\n<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>');
  });

  test('S67 ListBuckets by pages, prefix and region', async () => {
    for (const Bucket of ['s67-b', 's67-a', 's67-c']) await s3.send(new sdk.CreateBucketCommand({ Bucket }));
    const names: (string | undefined)[] = [];
    for await (const page of sdk.paginateListBuckets({ client: s3, pageSize: 1 }, { Prefix: 's67-' })) {
      assert.ok((page.Buckets?.length ?? 0) <= 1);
      for (const bucket of page.Buckets ?? []) {
        names.push(bucket.Name);
        assert.ok(bucket.CreationDate instanceof Date);
        assert.deepEqual([bucket.BucketRegion, bucket.BucketArn], ['us-east-1', `arn:aws:s3:::${bucket.Name}`]);
      }
    }
    assert.deepEqual(names, ['s67-a', 's67-b', 's67-c']);
    assert.equal((await refusal(s3.send(new sdk.ListBucketsCommand({ BucketRegion: 'nowhere' })))).code, 'InvalidArgument');
    assert.match((await s3.send(new sdk.ListBucketsCommand({}))).Owner?.ID ?? '', /^[0-9a-f]{64}$/);
  });

  test('S68 configurations that are not there', async () => {
    const Bucket = await newBucket();
    const input = { Bucket };
    const absent: [object, string][] = [
      [new sdk.GetBucketPolicyCommand(input), 'NoSuchBucketPolicy'],
      [new sdk.GetBucketCorsCommand(input), 'NoSuchCORSConfiguration'],
      [new sdk.GetBucketLifecycleConfigurationCommand(input), 'NoSuchLifecycleConfiguration'],
      [new sdk.GetBucketReplicationCommand(input), 'ReplicationConfigurationNotFoundError'],
      [new sdk.GetBucketTaggingCommand(input), 'NoSuchTagSet'],
      [new sdk.GetBucketWebsiteCommand(input), 'NoSuchWebsiteConfiguration'],
      [new sdk.GetObjectLockConfigurationCommand(input), 'ObjectLockConfigurationNotFoundError'],
      [new sdk.GetBucketInventoryConfigurationCommand({ Bucket, Id: 'x' }), 'NoSuchConfiguration'],
    ];
    for (const [command, code] of absent) {
      const refused = await refusal(send(command));
      assert.deepEqual([refused.code, refused.status, refused.error['BucketName']], [code, 404, Bucket]);
    }
    const present: [object, object][] = [
      [new sdk.GetBucketVersioningCommand(input), {}],
      [new sdk.GetBucketAccelerateConfigurationCommand(input), {}],
      [new sdk.GetBucketLoggingCommand(input), {}],
      [new sdk.GetBucketNotificationConfigurationCommand(input), {}],
      [new sdk.GetBucketRequestPaymentCommand(input), { Payer: 'BucketOwner' }],
      [new sdk.GetBucketAbacCommand(input), { AbacStatus: { Status: 'Disabled' } }],
      [new sdk.GetBucketOwnershipControlsCommand(input), { OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] } }],
      [new sdk.GetPublicAccessBlockCommand(input), { PublicAccessBlockConfiguration: { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true } }],
      [new sdk.ListBucketInventoryConfigurationsCommand(input), { IsTruncated: false }],
      [new sdk.DeleteBucketPolicyCommand(input), {}],
      [new sdk.DeleteBucketCorsCommand(input), {}],
      [new sdk.DeleteBucketLifecycleCommand(input), {}],
      [new sdk.DeleteBucketReplicationCommand(input), {}],
      [new sdk.DeleteBucketWebsiteCommand(input), {}],
    ];
    for (const [command, expected] of present) {
      const { $metadata, ...answer } = await send(command);
      assert.deepEqual(answer, expected, command.constructor.name);
      const isDelete = command.constructor.name.startsWith('Delete');
      assert.equal(($metadata as { httpStatusCode: number }).httpStatusCode, isDelete ? 204 : 200);
    }
  });

  test('S74 access lists', async () => {
    const Bucket = await newBucket();
    await s3.send(new sdk.PutObjectCommand({ Bucket, Key: 'k', Body: 'x', ACL: 'bucket-owner-full-control' }));
    const { Owner, Grants } = await s3.send(new sdk.GetBucketAclCommand({ Bucket }));
    assert.deepEqual(Grants, [{ Grantee: { ID: Owner?.ID, Type: 'CanonicalUser' }, Permission: 'FULL_CONTROL' }]);
    assert.deepEqual((await s3.send(new sdk.GetObjectAclCommand({ Bucket, Key: 'k' }))).Grants, Grants);
    await s3.send(new sdk.PutBucketAclCommand({ Bucket, ACL: 'private' }));
    await s3.send(new sdk.PutObjectAclCommand({ Bucket, Key: 'k', AccessControlPolicy: { Owner, Grants } }));
    const refused = [
      s3.send(new sdk.PutBucketAclCommand({ Bucket, ACL: 'public-read' })),
      s3.send(new sdk.PutObjectAclCommand({ Bucket, Key: 'k', ACL: 'authenticated-read' })),
      s3.send(new sdk.PutObjectCommand({ Bucket, Key: 'k', Body: 'x', ACL: 'public-read' })),
    ];
    for (const promise of refused) {
      const { code, status } = await refusal(promise);
      assert.deepEqual([code, status], ['AccessControlListNotSupported', 400]);
    }
    const created = await refusal(s3.send(new sdk.CreateBucketCommand({ Bucket: 'public', ACL: 'public-read' })));
    assert.deepEqual([created.code, created.status], ['InvalidBucketAclWithObjectOwnership', 400]);
  });

  test('tags of buckets and objects', async () => {
    const Bucket = await newBucket();
    const TagSet = [{ Key: 'ü <&', Value: '' }].map(({ Value }) => ({ Key: 'ü +', Value }));
    const put = await s3.send(new sdk.PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }));
    assert.equal(put.$metadata.httpStatusCode, 204);
    assert.deepEqual((await s3.send(new sdk.GetBucketTaggingCommand({ Bucket }))).TagSet, TagSet);
    await s3.send(new sdk.DeleteBucketTaggingCommand({ Bucket }));
    assert.equal((await refusal(s3.send(new sdk.GetBucketTaggingCommand({ Bucket })))).code, 'NoSuchTagSet');

    await s3.send(new sdk.PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    const { VersionId } = await s3.send(new sdk.PutObjectCommand({ Bucket, Key: 'k', Body: 'x', Tagging: 'a=1&b=%C3%BC' }));
    assert.deepEqual((await s3.send(new sdk.GetObjectTaggingCommand({ Bucket, Key: 'k' }))).TagSet, [{ Key: 'a', Value: '1' }, { Key: 'b', Value: 'ü' }]);
    const tagged = await s3.send(new sdk.PutObjectTaggingCommand({ Bucket, Key: 'k', Tagging: { TagSet } }));
    assert.equal(tagged.VersionId, VersionId);
    assert.equal((await s3.send(new sdk.HeadObjectCommand({ Bucket, Key: 'k' }))).TagCount, 1);
    assert.equal((await s3.send(new sdk.DeleteObjectTaggingCommand({ Bucket, Key: 'k', VersionId }))).VersionId, VersionId);
    assert.deepEqual((await s3.send(new sdk.GetObjectTaggingCommand({ Bucket, Key: 'k' }))).TagSet, []);
    const double = await refusal(s3.send(new sdk.PutObjectTaggingCommand({ Bucket, Key: 'k', Tagging: { TagSet: [...TagSet, ...TagSet] } })));
    assert.deepEqual([double.code, double.status, double.error['TagKey']], ['InvalidTag', 400, 'ü +']);
  });

  test('versioning', async () => {
    const Bucket = await newBucket();
    for (const Status of ['Enabled', 'Suspended'] as const) {
      await s3.send(new sdk.PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
      assert.equal((await s3.send(new sdk.GetBucketVersioningCommand({ Bucket }))).Status, Status);
    }
    for (const [VersioningConfiguration, code, status] of [
      [{}, 'IllegalVersioningConfigurationException', 400], [{ Status: 'enabled' as 'Enabled' }, 'MalformedXML', 400], [{ Status: 'Enabled', MFADelete: 'Enabled' }, 'NotImplemented', 501],
    ] as const) {
      const refused = await refusal(s3.send(new sdk.PutBucketVersioningCommand({ Bucket, VersioningConfiguration })));
      assert.deepEqual([refused.code, refused.status], [code, status]);
    }
    const noVersioning = await newBucket();
    const raw = await server.rawRequest('GET', `/${noVersioning}?versioning`);
    assert.equal(raw.body.toString(), '<?xml version="1.0" encoding="UTF-8"?>\n<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>');
  });

  test('B01 to B05, B14, B15 encryption of a bucket', async () => {
    const Bucket = await newBucket();
    const put = (...Rules: object[]) => s3.send(new sdk.PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules } }));
    const rules = async () => (await s3.send(new sdk.GetBucketEncryptionCommand({ Bucket }))).ServerSideEncryptionConfiguration?.Rules;
    const blocked = { BlockedEncryptionTypes: { EncryptionType: ['SSE-C'] } };
    const open = { BlockedEncryptionTypes: { EncryptionType: ['NONE'] } };
    assert.deepEqual(await rules(), [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' }, BucketKeyEnabled: false, ...blocked }]);
    const kms = { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: 'alias/mine' }, BucketKeyEnabled: true };
    await put(kms);
    assert.deepEqual(await rules(), [{ ...kms, ...blocked }]);
    await put(open);
    assert.deepEqual(await rules(), [{ ...kms, ...open }]);
    for (const [bad, code] of [
      [[], 'MalformedXML'], [[kms, kms], 'MalformedXML'], [[{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'rot13' } }], 'MalformedXML'],
      [[{ BlockedEncryptionTypes: { EncryptionType: ['X'] } }], 'MalformedXML'],
      [[{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256', KMSMasterKeyID: 'K1' } }], 'InvalidArgument'],
    ] as const) {
      const refused = await refusal(put(...bad));
      assert.deepEqual([refused.code, refused.status], [code, 400]);
    }
    assert.equal((await refusal(s3.send(new sdk.PutObjectCommand({ Bucket, Key: 'k', Body: 'x' })))).code, 'KMS.NotFoundException');
    for (let time = 0; time < 2; time++) {
      assert.equal((await s3.send(new sdk.DeleteBucketEncryptionCommand({ Bucket }))).$metadata.httpStatusCode, 204);
    }
    assert.deepEqual(await rules(), [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' }, BucketKeyEnabled: false, ...blocked }]);
  });

  test('B06 the bucket is looked for before its document is read', async () => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const { status, body } = await server.rawRequest(method, '/not-there?encryption', {}, method === 'PUT' ? '<no' : undefined);
      assert.equal(status, 404);
      assert.match(body.toString(), /<Code>NoSuchBucket<\/Code>.*<BucketName>not-there<\/BucketName>/);
    }
  });

  test('S82 what is not built says so and changes nothing', async () => {
    const Bucket = await newBucket();
    await s3.send(new sdk.PutObjectCommand({ Bucket, Key: 'k', Body: 'whole' }));
    const input = { Bucket };
    const object = { Bucket, Key: 'k' };
    const commands: object[] = [
      new sdk.CreateBucketMetadataConfigurationCommand({ ...input, MetadataConfiguration: { JournalTableConfiguration: { RecordExpiration: { Expiration: 'DISABLED' } } } }),
      new sdk.CreateBucketMetadataTableConfigurationCommand({ ...input, MetadataTableConfiguration: { S3TablesDestination: { TableBucketArn: 'arn:x', TableName: 'x' } } }),
      new sdk.DeleteBucketAnalyticsConfigurationCommand({ ...input, Id: 'x' }),
      new sdk.DeleteBucketIntelligentTieringConfigurationCommand({ ...input, Id: 'x' }),
      new sdk.DeleteBucketMetricsConfigurationCommand({ ...input, Id: 'x' }),
      new sdk.DeleteBucketMetadataConfigurationCommand(input),
      new sdk.DeleteBucketMetadataTableConfigurationCommand(input),
      new sdk.GetBucketMetadataConfigurationCommand(input),
      new sdk.GetBucketMetadataTableConfigurationCommand(input),
      new sdk.PutBucketAnalyticsConfigurationCommand({ ...input, Id: 'x', AnalyticsConfiguration: { Id: 'x', StorageClassAnalysis: {} } }),
      new sdk.PutBucketIntelligentTieringConfigurationCommand({ ...input, Id: 'x', IntelligentTieringConfiguration: { Id: 'x', Status: 'Enabled', Tierings: [] } }),
      new sdk.PutBucketMetricsConfigurationCommand({ ...input, Id: 'x', MetricsConfiguration: { Id: 'x' } }),
      new sdk.PutBucketAccelerateConfigurationCommand({ ...input, AccelerateConfiguration: { Status: 'Enabled' } }),
      new sdk.PutBucketAbacCommand({ ...input, AbacStatus: { Status: 'Enabled' } }),
      new sdk.GetObjectTorrentCommand(object),
      new sdk.GetObjectAnnotationCommand({ ...object, AnnotationName: 'x' }),
      new sdk.PutObjectAnnotationCommand({ ...object, AnnotationName: 'x', AnnotationPayload: 'x' }),
      new sdk.DeleteObjectAnnotationCommand({ ...object, AnnotationName: 'x' }),
      new sdk.ListObjectAnnotationsCommand(object),
      new sdk.RenameObjectCommand({ ...object, RenameSource: `/${Bucket}/k` }),
      new sdk.SelectObjectContentCommand({ ...object, Expression: 'x', ExpressionType: 'SQL', InputSerialization: { CSV: {} }, OutputSerialization: { CSV: {} } }),
    ];
    for (const command of commands) {
      const { code, status } = await refusal(send(command));
      assert.deepEqual([code, status], ['NotImplemented', 501], command.constructor.name);
    }
    // The SDK signs it for another service, so it is asked for by hand.
    const directories = await server.rawRequest('GET', '/?x-id=ListDirectoryBuckets');
    assert.deepEqual([directories.status, /<Code>(\w+)</.exec(directories.body.toString())?.[1]], [501, 'NotImplemented']);
    const { Contents = [] } = await s3.send(new sdk.ListObjectsV2Command(input));
    assert.deepEqual(Contents.map(({ Key, Size }) => [Key, Size]), [['k', 5]]);
    assert.equal(await (await s3.send(new sdk.GetObjectCommand(object))).Body?.transformToString(), 'whole');
  });

  test('S76: without CORS rules, preflights are refused as AWS refuses them', async () => {
    const Bucket = await newBucket();
    const preflight = (headers: Record<string, string>) => server.rawRequest('OPTIONS', `/${Bucket}/key`, headers, undefined, { sign: false });
    const refused = await preflight({ origin: 'https://app.example.org', 'access-control-request-method': 'PUT' });
    assert.equal(refused.status, 403);
    assert.match(refused.body.toString(), /<Code>AccessForbidden<.*CORSResponse: CORS is not enabled for this bucket\..*<Method>PUT<.*<ResourceType>OBJECT</s);
    const bare = await preflight({});
    assert.equal(bare.status, 400);
    assert.match(bare.body.toString(), /<Code>BadRequest<.*Origin request header needed/s);
  });
});
