import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ServiceError } from '../base/errors.ts';
import { requestOf } from '../../test/properties/wire-kit.ts';
import { addressRequest } from './address.ts';
import { openService } from './services.ts';

// Source: contract kms-iam-audit 1.2.

const services = { iam: await openService('iam'), sts: await openService('sts') };

function decode(service: 'iam' | 'sts', form: string, target = '/', method = 'POST'): { operation: string; input: Record<string, unknown> } {
  const request = requestOf(method, target);
  const address = addressRequest(request, { baseDomains: [], scopeService: service });
  const body = Buffer.from(form);
  const wire = services[service];
  const operation = wire.route(request, address, body);
  const codec = wire.codec(operation)!;
  const input = codec.decodeHead(request, address);
  codec.decodeBody(body, input);
  return { operation, input };
}

const sts = (form: string): Record<string, unknown> => decode('sts', `Action=AssumeRole&Version=2011-06-15&RoleArn=r&RoleSessionName=s&${form}`).input;
const iam = (form: string): Record<string, unknown> => decode('iam', `Action=CreateRole&Version=2010-05-08&RoleName=r&AssumeRolePolicyDocument=d&${form}`).input;

function errorOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof ServiceError, String(error));
    assert.equal(error.status, 400);
    return `${error.code}: ${error.publicMessage}`;
  }
  return assert.fail('was taken');
}

describe('forms in', () => {
  test('by body, by query string, by both', () => {
    assert.deepEqual(decode('sts', 'Action=GetSessionToken&Version=2011-06-15&DurationSeconds=900'), { operation: 'GetSessionToken', input: { DurationSeconds: 900 } });
    assert.deepEqual(decode('sts', '', '/?Action=GetSessionToken&Version=2011-06-15&DurationSeconds=900&X-Amz-Date=d', 'GET'), { operation: 'GetSessionToken', input: { DurationSeconds: 900 } });
    assert.deepEqual(decode('sts', 'DurationSeconds=901', '/?Action=GetSessionToken&Version=2011-06-15&DurationSeconds=900&TokenCode=1'), { operation: 'GetSessionToken', input: { DurationSeconds: 901, TokenCode: '1' } });
  });

  test('unknown actions and versions', () => {
    assert.equal(errorOf(() => decode('sts', 'Version=2011-06-15')).split(':')[0], 'MissingAction');
    assert.equal(errorOf(() => decode('sts', 'Action=Nothing&Version=2011-06-15')), 'InvalidAction: Could not find operation Nothing for version 2011-06-15');
    assert.equal(errorOf(() => decode('sts', 'Action=GetCallerIdentity&Version=2010-05-08')).split(':')[0], 'InvalidAction');
    assert.equal(errorOf(() => decode('sts', 'Action=%ff')).split(':')[0], 'MalformedInput');
  });

  test('unknown parameters are ignored, blanks and plus signs decoded', () => {
    assert.deepEqual(decode('iam', 'Action=GetUser&Version=2010-05-08&Path=x&UserName=a+b%2Bc').input, { UserName: 'a b+c' });
  });

  test('integers', () => {
    for (const text of ['900', '0900', '%2B900']) assert.equal(sts(`DurationSeconds=${text}`)['DurationSeconds'], 900, text);
    assert.equal(sts('DurationSeconds=2147483647')['DurationSeconds'], 2147483647);
    for (const text of ['+900', '900+', '900.0', '9e2', '2147483648', '', 'x', '99999999999999999999']) {
      assert.equal(errorOf(() => sts(`DurationSeconds=${text}`)).split(':')[0], 'MalformedInput', text);
    }
  });

  test('booleans', () => {
    const of = (text: string): unknown => decode('iam', `Action=CreatePolicyVersion&Version=2010-05-08&PolicyArn=a&PolicyDocument=d&SetAsDefault=${text}`).input['SetAsDefault'];
    assert.deepEqual(['true', 'false', '1', '0'].map(of), [true, false, true, false]);
    for (const text of ['True', '', 'yes', 'TRUE']) assert.equal(errorOf(() => of(text)).split(':')[0], 'MalformedInput', text);
  });

  test('lists', () => {
    const tag = (index: string, key: string): string => `Tags.member.${index}.Key=${key}&Tags.member.${index}.Value=v`;
    const keys = (form: string): string[] => (iam(form)['Tags'] as { Key: string }[]).map(({ Key }) => Key);
    assert.deepEqual(keys(`${tag('2', 'b')}&${tag('1', 'a')}`), ['a', 'b']);
    assert.deepEqual(keys(`${tag('02', 'b')}&${tag('01', 'a')}`), ['a', 'b']);
    assert.deepEqual(keys(`${tag('1', 'a')}&${tag('12', 'b')}`), ['a', 'b']);
    assert.deepEqual(iam('Tags='), { RoleName: 'r', AssumeRolePolicyDocument: 'd', Tags: [] });
    assert.equal(errorOf(() => iam(tag('0', 'a'))), 'MalformedInput: 0 is not a valid index');
    assert.equal(errorOf(() => iam(tag('-1', 'a'))), "MalformedInput: Key -1 may not have a leading '-'");
    assert.equal(errorOf(() => iam(tag('12', 'a'))), 'MalformedInput: Excessively sparse input would skip 11 list elements');
    assert.equal(errorOf(() => iam(tag('999999999', 'a'))), 'MalformedInput: Excessively sparse input would skip 999999998 list elements');
    assert.equal(errorOf(() => iam(tag('x', 'a'))).split(':')[0], 'MalformedInput');
  });

  test('missing members', () => {
    assert.equal(errorOf(() => decode('iam', 'Action=CreateUser&Version=2010-05-08')), "ValidationError: 1 validation error detected: Value null at 'userName' failed to satisfy constraint: Member must not be null");
    assert.equal(errorOf(() => iam('Tags.member.1.Key=a')), "ValidationError: 1 validation error detected: Value null at 'tags.1.member.value' failed to satisfy constraint: Member must not be null");
  });
});

test('answers', () => {
  const { status, headers, body } = services.iam.codec('ListUsers')!.encode(
    { Users: [{ Path: '/', UserName: 'a&b', UserId: 'i', Arn: 'a', CreateDate: new Date('2026-11-23T10:00:00.999Z') }], IsTruncated: false },
    'request-1',
  );
  assert.deepEqual([status, headers['content-type']], [200, 'text/xml']);
  assert.equal(
    body,
    '<ListUsersResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ListUsersResult><Users><member><Path>/</Path><UserName>a&amp;b</UserName><UserId>i</UserId><Arn>a</Arn>' +
      '<CreateDate>2026-11-23T10:00:00Z</CreateDate></member></Users><IsTruncated>false</IsTruncated></ListUsersResult><ResponseMetadata><RequestId>request-1</RequestId></ResponseMetadata></ListUsersResponse>',
  );
  assert.equal(
    services.iam.codec('DeleteUser')!.encode({}, 'r').body,
    '<DeleteUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></DeleteUserResponse>',
  );
});
