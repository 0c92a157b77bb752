/** Browser forms and their policies. Source: contract kms-iam-audit 5.4, V09; s3-encryption 14.2, E61, E62; s3-surface section 6. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import { S3Client } from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { checkPostContentLength, checkPostPolicy, verifyPostForm } from './index.ts';
import type { PostPolicy } from './index.ts';
import { parsePostPolicy } from './post-policy.ts';
import { deriveSigningKey, sign } from './signing-key.ts';
import { EXAMPLE_KEY_ID, EXAMPLE_SECRET, lookupExample } from './testing.ts';

const nowMs = Date.UTC(2026, 10, 23, 12, 0, 0);
const options = { regions: ['us-east-1'], clock: { nowMs: () => nowMs }, lookup: lookupExample };

const CREDENTIAL = `${EXAMPLE_KEY_ID}/20261123/us-east-1/s3/aws4_request`;
const key = deriveSigningKey(EXAMPLE_SECRET, '20261123', 'us-east-1', 's3');

function form(policy: unknown, change: Record<string, string | undefined> = {}): Map<string, string> {
  const text = typeof policy === 'string' ? policy : JSON.stringify(policy);
  const base64 = Buffer.from(text).toString('base64');
  const fields = {
    policy: base64,
    'x-amz-algorithm': 'AWS4-HMAC-SHA256',
    'x-amz-credential': CREDENTIAL,
    'x-amz-date': '20261123T000000Z',
    'x-amz-signature': sign(key, base64),
    ...change,
  };
  return new Map(Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

const EXPIRATION = '2026-11-23T13:00:00.000Z';
const GOOD = { expiration: EXPIRATION, conditions: [{ bucket: 'b' }, ['starts-with', '$key', 'user/']] };

describe('who signed the form', () => {
  test('one made by the AWS SDK', async () => {
    const client = new S3Client({
      region: 'us-east-1',
      credentials: { accessKeyId: EXAMPLE_KEY_ID, secretAccessKey: EXAMPLE_SECRET, sessionToken: 'token' },
    });
    const { fields } = await createPresignedPost(client, {
      Bucket: 'b',
      Key: 'user/${filename}',
      Conditions: [['content-length-range', 1, 10], ['starts-with', '$Content-Type', 'image/'], { acl: 'private' }],
      Fields: { acl: 'private' },
    });
    const sent = new Map(Object.entries({ ...fields, 'Content-Type': 'image/png', bucket: 'b' }).map(([name, value]) => [name.toLowerCase(), value]));
    const known = { secretAccessKey: EXAMPLE_SECRET, sessionToken: 'token', identity: 'me' };
    const today = { ...options, clock: { nowMs: () => Date.now() } };
    const verified = await verifyPostForm(sent, { ...today, lookup: async () => known });
    assert.ok(verified.kind === 'post');
    assert.deepEqual([verified.identity, verified.accessKeyId, verified.region], ['me', EXAMPLE_KEY_ID, 'us-east-1']);
    sent.set('key', 'user/photo.png');
    checkPostPolicy(verified.policy, sent, 10);
    assert.throws(() => checkPostPolicy(verified.policy, new Map(sent).set('acl', 'public-read'), 10), { code: 'AccessDenied' });
    await assert.rejects(verifyPostForm(sent, { ...today, lookup: async () => ({ ...known, sessionToken: 'other' }) }), { code: 'InvalidToken' });
    await assert.rejects(verifyPostForm(sent, today), { code: 'InvalidToken', status: 400 });
    const expired = { ...known, expiresAtMs: nowMs - 1 };
    await assert.rejects(verifyPostForm(sent, { ...today, lookup: async () => expired, clock: { nowMs: () => nowMs } }), (error: { code: string }) => error.code === 'ExpiredToken');
    client.destroy();
  });

  test('nobody', async () => {
    assert.deepEqual(await verifyPostForm(new Map([['key', 'a'], ['acl', 'private']]), options), { kind: 'anonymous' });
  });

  test('good, then wrong in one thing each', async () => {
    assert.equal((await verifyPostForm(form(GOOD), options)).kind, 'post');
    for (const [change, expected] of [
      [{ 'x-amz-signature': '0'.repeat(64) }, { code: 'SignatureDoesNotMatch', status: 403 }],
      [{ policy: Buffer.from(JSON.stringify({ ...GOOD, conditions: [] })).toString('base64') }, { code: 'SignatureDoesNotMatch', status: 403 }],
      [{ 'x-amz-credential': CREDENTIAL.replace(EXAMPLE_KEY_ID, 'AKIANOBODY') }, { code: 'InvalidAccessKeyId', status: 403 }],
      [{ 'x-amz-credential': CREDENTIAL.replace('us-east-1', 'eu-west-1') }, { code: 'AuthorizationQueryParametersError', status: 400, details: { Region: 'us-east-1' } }],
      [{ 'x-amz-credential': CREDENTIAL.replace('/s3/', '/kms/') }, { code: 'AuthorizationQueryParametersError', status: 400 }],
      [{ 'x-amz-credential': 'nonsense' }, { code: 'AuthorizationQueryParametersError', status: 400 }],
      [{ 'x-amz-date': '20261122T000000Z' }, { code: 'AuthorizationQueryParametersError', status: 400 }],
      [{ 'x-amz-date': 'yesterday' }, { code: 'AuthorizationQueryParametersError', status: 400 }],
      [{ 'x-amz-algorithm': 'AWS4-ECDSA-P256-SHA256' }, { code: 'NotImplemented', status: 501 }],
      [{ 'x-amz-algorithm': 'HMAC' }, { code: 'AuthorizationQueryParametersError', status: 400 }],
      [{ 'x-amz-security-token': 'token' }, { code: 'InvalidToken', status: 400 }],
      [{ awsaccesskeyid: EXAMPLE_KEY_ID, signature: 'x' }, { code: 'SignatureDoesNotMatch', status: 403 }],
      [{ awsaccesskeyid: 'AKIANOBODY', signature: 'x' }, { code: 'InvalidAccessKeyId', status: 403 }],
    ] as const) {
      await assert.rejects(verifyPostForm(form(GOOD, change), options), expected, JSON.stringify(change));
    }
  });

  test('one of old, its policy signed by HMAC-SHA-1', async () => {
    const policy = Buffer.from(JSON.stringify(GOOD)).toString('base64');
    const signature = createHmac('sha1', EXAMPLE_SECRET).update(policy).digest('base64');
    const fields = new Map([['policy', policy], ['awsaccesskeyid', EXAMPLE_KEY_ID], ['signature', signature], ['key', 'user/x'], ['bucket', 'b']]);
    const verified = await verifyPostForm(fields, options);
    assert.ok(verified.kind === 'post');
    assert.deepEqual([verified.version, verified.accessKeyId], [2, EXAMPLE_KEY_ID]);
    checkPostPolicy(verified.policy, fields, 1);
    await assert.rejects(verifyPostForm(new Map(fields).set('policy', `${policy}x`), options), { code: 'SignatureDoesNotMatch' });
    const late = { ...options, clock: { nowMs: () => Date.parse(EXPIRATION) } };
    await assert.rejects(verifyPostForm(fields, late), { code: 'AccessDenied', status: 403 });
  });

  test('the refusal of a signature shows the policy, not a canonical request', async () => {
    const fields = form(GOOD, { 'x-amz-signature': 'ab' });
    await assert.rejects(verifyPostForm(fields, options), (error: { details: Record<string, string> }) => {
      assert.deepEqual(Object.keys(error.details), ['AWSAccessKeyId', 'StringToSign', 'SignatureProvided', 'StringToSignBytes']);
      assert.equal(error.details['StringToSign'], fields.get('policy'));
      return true;
    });
  });

  test('a field that is missing is named', async () => {
    for (const name of ['policy', 'x-amz-algorithm', 'x-amz-credential', 'x-amz-date', 'x-amz-signature']) {
      for (const value of [undefined, '']) {
        await assert.rejects(verifyPostForm(form(GOOD, { [name]: value }), options), {
          code: 'InvalidArgument',
          status: 400,
          publicMessage: `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
        });
      }
    }
  });

  test('expired', async () => {
    const fields = form(GOOD);
    const at = (timeMs: number) => verifyPostForm(fields, { ...options, clock: { nowMs: () => timeMs } });
    assert.equal((await at(Date.parse(EXPIRATION) - 1)).kind, 'post');
    await assert.rejects(at(Date.parse(EXPIRATION)), {
      code: 'AccessDenied',
      status: 403,
      publicMessage: 'Invalid according to Policy: Policy expired.',
    });
  });
});

describe('policy documents', () => {
  const parse = (document: unknown): PostPolicy =>
    parsePostPolicy(Buffer.from(typeof document === 'string' ? document : JSON.stringify(document)).toString('base64'));

  test('what they may say', () => {
    const policy = parse({
      expiration: '2026-11-23T13:00:00Z',
      conditions: [{ Bucket: 'b' }, ['EQ', '$Key', 'a'], ['StArTs-WiTh', '$x-amz-meta-A', ''], ['content-length-range', '1', 9], ['content-length-range', 0, 5]],
    });
    assert.deepEqual(policy, {
      expiresAtMs: Date.UTC(2026, 10, 23, 13),
      conditions: [
        { operator: 'eq', field: 'bucket', spelling: 'Bucket', value: 'b' },
        { operator: 'eq', field: 'key', spelling: 'Key', value: 'a' },
        { operator: 'starts-with', field: 'x-amz-meta-a', spelling: 'x-amz-meta-A', value: '' },
      ],
      contentLengthRange: { min: 1, max: 5 },
    });
    const escaped = parse(String.raw`{"expiration":"2026-11-23T13:00:00Z","conditions":[["eq","\$key","a\\\$b\\"]]}`);
    assert.deepEqual(escaped.conditions[0], { operator: 'eq', field: 'key', spelling: 'key', value: String.raw`a\$b` + '\\' });
  });

  const bad: [string, unknown, RegExp?][] = [
    ['no JSON', '{'],
    ['a list', []],
    ['null', 'null'],
    ['no expiration', { conditions: [] }],
    ['a number as expiration', { expiration: 1, conditions: [] }],
    ['an expiration in another format', { expiration: '2026-11-23 13:00', conditions: [] }],
    ['an expiration that is no date', { expiration: '2026-13-45T13:00:00Z', conditions: [] }],
    ['no conditions', { expiration: EXPIRATION }],
    ['conditions in another case', { expiration: EXPIRATION, CONDITIONS: [] }],
    ['conditions as object', { expiration: EXPIRATION, conditions: {} }],
    ['an empty condition', { expiration: EXPIRATION, conditions: [{}] }, /^Invalid Policy: Invalid Simple-Condition: /],
    ['two fields in one condition', { expiration: EXPIRATION, conditions: [{ a: 'b', c: 'd' }] }, /^Invalid Policy: Invalid Simple-Condition: /],
    ['a number as value', { expiration: EXPIRATION, conditions: [{ a: 1 }] }, /^Invalid Policy: Invalid Simple-Condition: /],
    ['a text as condition', { expiration: EXPIRATION, conditions: ['a'] }],
    ['null as condition', { expiration: EXPIRATION, conditions: [null] }],
    ['too few arguments', { expiration: EXPIRATION, conditions: [['eq', '$key']] }],
    ['too many arguments', { expiration: EXPIRATION, conditions: [['eq', '$key', 'a', 'b']] }],
    ['no dollar sign', { expiration: EXPIRATION, conditions: [['eq', 'key', 'a']] }],
    ['no name', { expiration: EXPIRATION, conditions: [['eq', '$', 'a']] }],
    ['a number to compare with', { expiration: EXPIRATION, conditions: [['starts-with', '$key', 1]] }],
    ['another operator', { expiration: EXPIRATION, conditions: [['ends-with', '$key', 'a']] }],
    ['a range with one bound', { expiration: EXPIRATION, conditions: [['content-length-range', 0]] }],
    ['a negative bound', { expiration: EXPIRATION, conditions: [['content-length-range', -1, 0]] }],
    ['a fraction as bound', { expiration: EXPIRATION, conditions: [['content-length-range', 0, 1.5]] }],
    ['a word as bound', { expiration: EXPIRATION, conditions: [['content-length-range', 0, 'x']] }],
  ];
  for (const [name, document, message = /^Invalid Policy: /] of bad) {
    test(`refused: ${name}`, () => {
      assert.throws(() => parse(document), { code: 'InvalidPolicyDocument', status: 400, publicMessage: message });
    });
  }

  test('refused: not base64, too long', () => {
    for (const text of ['', '!', 'e30=e30=', 'e'.repeat(70_000)]) {
      assert.throws(() => parsePostPolicy(text), { code: 'InvalidPolicyDocument', status: 400 });
    }
  });
});

describe('whether the form keeps to its policy', () => {
  const policy: PostPolicy = {
    expiresAtMs: 0,
    conditions: [
      { operator: 'eq', field: 'bucket', spelling: 'bucket', value: 'b' },
      { operator: 'starts-with', field: 'key', spelling: 'Key', value: 'user/' },
      { operator: 'starts-with', field: 'content-type', spelling: 'Content-Type', value: 'image/' },
    ],
    contentLengthRange: { min: 10, max: 20 },
  };
  const good = new Map([['bucket', 'b'], ['key', 'user/a'], ['content-type', 'image/png']]);
  const withField = (name: string, value: string) => new Map(good).set(name, value);

  test('it does', () => {
    for (const size of [undefined, 10, 20]) checkPostPolicy(policy, good, size);
    checkPostPolicy(policy, withField('content-type', 'image/png, image/gif'));
    for (const free of ['policy', 'x-amz-signature', 'file', 'x-ignore-', 'x-ignore-me']) checkPostPolicy(policy, withField(free, 'x'));
  });

  test('a condition fails', () => {
    for (const [name, value, shown] of [
      ['bucket', 'B', '["eq", "$bucket", "b"]'],
      ['key', 'users/a', '["starts-with", "$Key", "user/"]'],
      ['key', '', '["starts-with", "$Key", "user/"]'],
      ['content-type', 'image/png,text/html', '["starts-with", "$Content-Type", "image/"]'],
    ] as const) {
      assert.throws(() => checkPostPolicy(policy, withField(name, value)), {
        code: 'AccessDenied',
        status: 403,
        publicMessage: `Invalid according to Policy: Policy Condition failed: ${shown}`,
      });
    }
    const absent = new Map(good);
    absent.delete('bucket');
    assert.throws(() => checkPostPolicy(policy, absent), { code: 'AccessDenied' });
  });

  test('fields that no condition covers', () => {
    const fields = withField('acl', 'private').set('x-amz-server-side-encryption', 'AES256').set('x-amz-algorithm', 'AWS4-HMAC-SHA256');
    assert.throws(() => checkPostPolicy(policy, fields), {
      code: 'AccessDenied',
      status: 403,
      publicMessage: 'Invalid according to Policy: Extra input fields: acl, x-amz-server-side-encryption, x-amz-algorithm',
    });
  });

  test('size of the file', () => {
    for (const check of [(size: number) => checkPostPolicy(policy, good, size), (size: number) => checkPostContentLength(policy, size)]) {
      assert.throws(() => check(21), { code: 'EntityTooLarge', status: 400, details: { ProposedSize: '21', MaxSizeAllowed: '20' } });
      assert.throws(() => check(9), { code: 'EntityTooSmall', status: 400, details: { ProposedSize: '9', MinSizeAllowed: '10' } });
    }
    checkPostContentLength({ ...policy, contentLengthRange: undefined }, 1e12);
  });
});
