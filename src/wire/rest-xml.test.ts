import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ServiceError } from '../base/errors.ts';
import { requestOf } from '../../test/properties/wire-kit.ts';
import { addressRequest } from './address.ts';
import { openService } from './services.ts';

// Source: contract s3-surface sections 3, 4, 8; s3-encryption 18.

const wire = await openService('s3');

function decodeBody(operation: string, body: string | Uint8Array): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  wire.codec(operation)!.decodeBody(Buffer.from(body as string), input);
  return input;
}

function decodeHead(method: string, target: string, headers: Record<string, string> = {}): Record<string, unknown> {
  const request = requestOf(method, target, headers);
  const address = addressRequest(request, { baseDomains: [] });
  return wire.codec(wire.route(request, address))!.decodeHead(request, address);
}

function errorOf(act: () => unknown): ServiceError {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof ServiceError, String(error));
    return error;
  }
  return assert.fail('was taken');
}

const DELETE = (inner: string, attributes = ''): string => `<Delete${attributes}>${inner}</Delete>`;

describe('XML in', () => {
  test('with and without namespace, declaration, prefix, byte order mark; children in any order', () => {
    const expected = { Delete: { Quiet: true, Objects: [{ Key: 'a', VersionId: 'v' }] } };
    const inner = '<Object><VersionId>v</VersionId><Key>a</Key></Object><Quiet>true</Quiet>';
    for (const text of [
      DELETE(inner),
      DELETE(inner, ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'),
      `<?xml version="1.0" encoding="UTF-8"?>\n${DELETE(`\n  ${inner}\n`)}\n`,
      `\ufeff${DELETE(inner)}`,
      '<s:Delete xmlns:s="x"><s:Quiet> true </s:Quiet><!-- c --><s:Object><s:Key><![CDATA[a]]></s:Key><s:VersionId>v</s:VersionId></s:Object></s:Delete>',
    ]) {
      assert.deepEqual(decodeBody('DeleteObjects', text), expected, text);
    }
  });

  test('keys keep their spaces, and carriage returns that were written as references', () => {
    const { Delete } = decodeBody('DeleteObjects', DELETE('<Object><Key> a&#x0D;\n&amp;\u{1f44d} </Key></Object><Object><Key></Key></Object>')) as { Delete: { Objects: unknown } };
    assert.deepEqual(Delete.Objects, [{ Key: ' a\r\n&\u{1f44d} ' }, { Key: '' }]);
  });

  const malformed: Readonly<Record<string, readonly [operation: string, text: string]>> = {
    'no XML': ['DeleteObjects', 'junk'],
    'another root': ['DeleteObjects', '<Remove><Object><Key>a</Key></Object></Remove>'],
    'not closed': ['DeleteObjects', '<Delete>'],
    'two roots': ['DeleteObjects', `${DELETE('<Object><Key>a</Key></Object>')}<x/>`],
    'a document type': ['DeleteObjects', `<!DOCTYPE Delete>${DELETE('<Object><Key>a</Key></Object>')}`],
    'an entity of its own': ['DeleteObjects', `<!DOCTYPE Delete [<!ENTITY e "x">]>${DELETE('<Object><Key>&e;</Key></Object>')}`],
    'an unknown entity': ['DeleteObjects', DELETE('<Object><Key>&nbsp;</Key></Object>')],
    'an unknown element': ['DeleteObjects', DELETE('<Object><Key>a</Key><Size2>1</Size2></Object>')],
    'a missing element': ['DeleteObjects', DELETE('<Object><VersionId>a</VersionId></Object>')],
    'a missing list': ['DeleteObjects', DELETE('')],
    'a repeated element': ['DeleteObjects', DELETE('<Object><Key>a</Key><Key>b</Key></Object>')],
    'text between elements': ['DeleteObjects', DELETE('x<Object><Key>a</Key></Object>')],
    'elements in a text': ['DeleteObjects', DELETE('<Object><Key><b/></Key></Object>')],
    'a bad boolean': ['DeleteObjects', DELETE('<Object><Key>a</Key></Object><Quiet>maybe</Quiet>')],
    'a bad integer': ['PutObjectLockConfiguration', '<ObjectLockConfiguration><Rule><DefaultRetention><Days>1.5</Days></DefaultRetention></Rule></ObjectLockConfiguration>'],
    'a bad timestamp': ['PutObjectRetention', '<Retention><RetainUntilDate>soon</RetainUntilDate></Retention>'],
    'a bad enumeration': ['PutBucketVersioning', '<VersioningConfiguration><Status>enabled</Status></VersioningConfiguration>'],
    'a bad enumeration in a flattened list': ['PutBucketEncryption', '<ServerSideEncryptionConfiguration><Rule><BlockedEncryptionTypes><EncryptionType>X</EncryptionType></BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>'],
    'invalid UTF-8': ['DeleteObjects', DELETE('<Object><Key>\xff</Key></Object>')],
    'too large': ['PutBucketTagging', `<Tagging><TagSet/>${' '.repeat(2 * 1024 * 1024)}</Tagging>`],
  };
  for (const [name, [operation, text]] of Object.entries(malformed)) {
    test(`refused: ${name}`, () => {
      const error = errorOf(() => decodeBody(operation, name === 'invalid UTF-8' ? Buffer.from(text, 'latin1') : text));
      assert.deepEqual(
        [error.code, error.status, error.publicMessage],
        ['MalformedXML', 400, 'The XML you provided was not well-formed or did not validate against our published schema'],
      );
    });
  }

  test('a part of a completion may say more than we know', () => {
    const { MultipartUpload } = decodeBody('CompleteMultipartUpload', '<CompleteMultipartUpload><Part><ETag>"e"</ETag><PartNumber>1</PartNumber><Size>5</Size></Part></CompleteMultipartUpload>');
    assert.deepEqual(MultipartUpload, { Parts: [{ ETag: '"e"', PartNumber: 1 }] });
  });

  test('10,000 parts with a checksum fit', () => {
    const part = (index: number): string => `<Part><ChecksumSHA512>${'A'.repeat(88)}</ChecksumSHA512><ETag>&quot;${'e'.repeat(32)}&quot;</ETag><PartNumber>${index + 1}</PartNumber></Part>`;
    const { MultipartUpload } = decodeBody('CompleteMultipartUpload', `<CompleteMultipartUpload>${Array.from({ length: 10_000 }, (_, index) => part(index)).join('')}</CompleteMultipartUpload>`);
    assert.equal((MultipartUpload as { Parts: unknown[] }).Parts.length, 10_000);
  });

  test('grantees say their type as xsi:type, both ways', () => {
    const grantee = '<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>i</ID></Grantee>';
    const policy = { Owner: { ID: 'o' }, Grants: [{ Grantee: { Type: 'CanonicalUser', ID: 'i' }, Permission: 'READ' }] };
    const text = (who: string): string => `<AccessControlPolicy><Owner><ID>o</ID></Owner><AccessControlList><Grant>${who}<Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>`;
    assert.deepEqual(decodeBody('PutBucketAcl', text(grantee)), { AccessControlPolicy: policy });
    const body = String(wire.codec('GetBucketAcl')!.encode(policy).body);
    assert.ok(body.includes(grantee), body);
    for (const broken of [grantee.replace('CanonicalUser', 'Nobody'), grantee.replace(/ xsi:type="[^"]*"/, '')]) {
      assert.equal(errorOf(() => decodeBody('PutObjectAcl', text(broken))).code, 'MalformedACLError');
    }
  });

  test('an empty body: nothing, an empty document, or an error, as the operation has it', () => {
    assert.deepEqual(decodeBody('CreateBucket', ''), {});
    assert.deepEqual(decodeBody('PutBucketLogging', ''), { BucketLoggingStatus: {} });
    assert.equal(errorOf(() => decodeBody('PutBucketVersioning', '')).code, 'MissingRequestBodyError');
  });

  test('UpdateObjectEncryption calls bad values InvalidRequest and bad documents MalformedXML', () => {
    const code = (inner: string): string => errorOf(() => decodeBody('UpdateObjectEncryption', `<ObjectEncryption>${inner}</ObjectEncryption>`)).code;
    const kms = (inner: string): string => `<SSE-KMS>${inner}</SSE-KMS>`;
    assert.deepEqual(decodeBody('UpdateObjectEncryption', `<ObjectEncryption>${kms('<KMSKeyArn>a</KMSKeyArn><BucketKeyEnabled>false</BucketKeyEnabled>')}</ObjectEncryption>`), {
      ObjectEncryption: { SSEKMS: { KMSKeyArn: 'a', BucketKeyEnabled: false } },
    });
    assert.equal(code(''), 'InvalidRequest');
    assert.equal(code(kms('')), 'InvalidRequest');
    assert.equal(code('<SSE-S4/>'), 'InvalidRequest');
    assert.equal(code(kms('<KMSKeyArn>a</KMSKeyArn><BucketKeyEnabled>x</BucketKeyEnabled>')), 'InvalidRequest');
    assert.equal(code(kms('<KMSKeyArn>a</KMSKeyArn>').repeat(2)), 'MalformedXML');
    assert.equal(code('<SSE-KMS>'), 'MalformedXML');
  });

  test('a policy is text, byte for byte', () => {
    assert.equal(wire.codec('PutBucketPolicy')!.bodyKind, 'raw-string');
    assert.deepEqual(decodeBody('PutBucketPolicy', '{ "a":\n"\u00fc" }'), { Policy: '{ "a":\n"\u00fc" }' });
    assert.equal(errorOf(() => decodeBody('PutBucketPolicy', Buffer.from([0x7b, 0xff]))).code, 'MalformedPolicy');
  });
});

describe('head in', () => {
  test('values are checked by type', () => {
    const error = errorOf(() => decodeHead('GET', '/b?list-type=2&max-keys=ten'));
    assert.deepEqual([error.code, error.details], ['InvalidArgument', { ArgumentName: 'max-keys', ArgumentValue: 'ten' }]);
    assert.equal(errorOf(() => decodeHead('PUT', '/b/k', { 'x-amz-server-side-encryption-bucket-key-enabled': 'maybe' })).details['ArgumentName'], 'x-amz-server-side-encryption-bucket-key-enabled');
    assert.equal(errorOf(() => decodeHead('PUT', '/b/k', { 'x-amz-object-lock-retain-until-date': 'soon' })).code, 'InvalidArgument');
    assert.deepEqual(decodeHead('GET', '/b?list-type=2&max-keys=-1&prefix=&fetch-owner=TRUE'), { Bucket: 'b', MaxKeys: -1, Prefix: '', FetchOwner: true });
    assert.deepEqual(decodeHead('GET', '/b?max-keys='), { Bucket: 'b' });
  });

  test('required parameters are named', () => {
    assert.match(errorOf(() => decodeHead('PUT', '/b/k?uploadId=u')).publicMessage!, /partNumber/);
    assert.match(errorOf(() => decodeHead('GET', '/b/k?attributes')).publicMessage!, /x-amz-object-attributes/);
    assert.match(errorOf(() => decodeHead('PUT', '/b?inventory')).publicMessage!, /id/);
  });

  test('conditional dates that do not parse are not there', () => {
    assert.deepEqual(decodeHead('GET', '/b/k', { 'if-modified-since': 'junk', 'if-unmodified-since': 'Mon, 23 Nov 2026 10:00:00 GMT' }), {
      Bucket: 'b',
      Key: 'k',
      IfUnmodifiedSince: new Date('2026-11-23T10:00:00Z'),
    });
  });

  test('metadata: any text, any name, 2 KB', () => {
    const { Metadata } = decodeHead('PUT', '/b/k', { 'x-amz-meta-u': '\u00c3\u00bc', 'x-amz-meta-__proto__': 'p', 'x-amz-meta-': 'empty name' }) as { Metadata: Record<string, string> };
    assert.deepEqual(Object.entries(Metadata), [['u', '\u00fc'], ['__proto__', 'p'], ['', 'empty name']]);
    assert.equal(errorOf(() => decodeHead('PUT', '/b/k', { 'x-amz-meta-a': 'x'.repeat(2048) })).code, 'MetadataTooLarge');
    assert.ok(decodeHead('PUT', '/b/k', { 'x-amz-meta-a': 'x'.repeat(2047) }));
  });

  test('Expires is free text, a copy source UTF-8', () => {
    assert.equal(decodeHead('PUT', '/b/k', { expires: 'never' })['Expires'], 'never');
    assert.equal(decodeHead('GET', '/b/k?response-expires=whenever')['ResponseExpires'], 'whenever');
    assert.equal(decodeHead('PUT', '/b/k', { 'x-amz-copy-source': '/b/\u00c3\u00bc' })['CopySource'], '/b/\u00fc');
  });
});

describe('answers', () => {
  const encode = (operation: string, output: Record<string, unknown>): { status: number; headers: Record<string, string>; body: string } => {
    const { status, headers, body = '' } = wire.codec(operation)!.encode(output);
    return { status, headers, body: String(body) };
  };
  const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
  const NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

  test('success codes where the schema errs', () => {
    const expected = { PutBucketPolicy: 204, PutBucketTagging: 204, PutBucketInventoryConfiguration: 204, PutBucketAnalyticsConfiguration: 204, PutBucketMetricsConfiguration: 204, PutBucketIntelligentTieringConfiguration: 204, PutBucketAcl: 200, DeleteObject: 204, GetObject: 200, HeadBucket: 200 };
    for (const [operation, status] of Object.entries(expected)) assert.equal(encode(operation, {}).status, status, operation);
    assert.equal(encode('GetObject', { ContentRange: 'bytes 0-1/2' }).status, 206);
    assert.equal(encode('HeadObject', { ContentRange: 'bytes 0-1/2' }).status, 206);
    assert.equal(encode('RestoreObject', { $status: 202 }).status, 202);
  });

  test('the location is the root itself', () => {
    assert.equal(encode('GetBucketLocation', { LocationConstraint: 'eu-west-1' }).body, `${DECLARATION}<LocationConstraint ${NAMESPACE}>eu-west-1</LocationConstraint>`);
    assert.equal(encode('GetBucketLocation', {}).body, `${DECLARATION}<LocationConstraint ${NAMESPACE}/>`);
  });

  test('absent configurations are empty roots', () => {
    const roots = { GetBucketVersioning: 'VersioningConfiguration', GetBucketLogging: 'BucketLoggingStatus', GetBucketNotificationConfiguration: 'NotificationConfiguration', GetBucketAccelerateConfiguration: 'AccelerateConfiguration' };
    for (const [operation, root] of Object.entries(roots)) assert.equal(encode(operation, {}).body, `${DECLARATION}<${root} ${NAMESPACE}/>`);
  });

  test('versions and delete markers stay interleaved', () => {
    const { body } = encode('ListObjectVersions', {
      Name: 'b',
      Entries: [{ kind: 'Version', Key: 'a', VersionId: '2' }, { kind: 'DeleteMarker', Key: 'a', VersionId: '1' }, { kind: 'Version', Key: 'b', ETag: 'e' }],
    });
    assert.deepEqual(body.match(/<(Version|DeleteMarker)>/g), ['<Version>', '<DeleteMarker>', '<Version>']);
    assert.ok(body.includes('<ETag>&quot;e&quot;</ETag>'));
    assert.ok(body.startsWith(`${DECLARATION}<ListVersionsResult ${NAMESPACE}><Name>b</Name>`));
  });

  test('ETags are quoted, but for GetObjectAttributes', () => {
    assert.equal(encode('HeadObject', { ETag: 'e' }).headers['etag'], '"e"');
    assert.equal(encode('HeadObject', { ETag: '"e"' }).headers['etag'], '"e"');
    assert.ok(encode('CopyObject', { CopyObjectResult: { ETag: 'e' } }).body.includes('<ETag>&quot;e&quot;</ETag>'));
    assert.ok(encode('GetObjectAttributes', { ETag: '"e"' }).body.includes('<ETag>e</ETag>'));
  });

  test('times, lists, metadata, and headers of no schema', () => {
    const { headers } = encode('HeadObject', { LastModified: new Date('2026-11-23T10:00:00.123Z'), ObjectLockRetainUntilDate: new Date('2027-01-01T00:00:00Z'), Expires: 'never', Metadata: { a: '\u00fc' }, BucketKeyEnabled: true, $headers: { allow: 'GET' } });
    assert.deepEqual(headers, {
      'last-modified': 'Mon, 23 Nov 2026 10:00:00 GMT',
      'x-amz-object-lock-retain-until-date': '2027-01-01T00:00:00.000Z',
      expires: 'never',
      'x-amz-meta-a': '=?UTF-8?B?w7w=?=',
      'x-amz-server-side-encryption-bucket-key-enabled': 'true',
      allow: 'GET',
    });
    assert.ok(encode('ListBuckets', { Buckets: [{ CreationDate: new Date('2026-11-23T10:00:00.120Z') }] }).body.includes('<Buckets><Bucket><CreationDate>2026-11-23T10:00:00.120Z</CreationDate></Bucket></Buckets>'));
    assert.ok(encode('GetObjectTagging', { TagSet: [] }).body.includes('<TagSet/>'));
  });

  test('every character of a key can be written', () => {
    const { body } = encode('ListObjectsV2', { Contents: [{ Key: `a&<>"\r\n\u0001${String.fromCharCode(0xd800)}\u{1f44d}` }] });
    assert.ok(body.includes('<Key>a&amp;&lt;&gt;&quot;&#xd;\n&#x1;\ufffd\u{1f44d}</Key>'), body);
  });

  test('a policy is given as it is', () => {
    assert.deepEqual(encode('GetBucketPolicy', { Policy: '{}' }), { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' });
  });

  test('the document alone, for answers that are already under way', () => {
    const codec = wire.codec('CompleteMultipartUpload')!;
    const output = { Location: 'l', Bucket: 'b', Key: 'k', ETag: 'e-2' };
    assert.equal('encodeXmlDocument' in codec && (codec as { encodeXmlDocument(value: object): string }).encodeXmlDocument(output), codec.encode(output).body);
  });
});
