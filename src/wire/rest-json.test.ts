import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ServiceError } from '../base/errors.ts';
import { requestOf } from '../../test/properties/wire-kit.ts';
import { addressRequest } from './address.ts';
import { openService } from './services.ts';

// Source: contract glacier sections 2, 3, 8.

const glacier = await openService('glacier');
const VERSION = { 'x-amz-glacier-version': '2012-06-01' };

function decode(method: string, target: string, body = '', headers: Record<string, string> = VERSION): { operation: string; input: Record<string, unknown> } {
  const request = requestOf(method, target, headers);
  const address = addressRequest(request, { baseDomains: [], scopeService: 'glacier' });
  const operation = glacier.route(request, address);
  const codec = glacier.codec(operation)!;
  const input = codec.decodeHead(request, address);
  if (codec.bodyKind === 'structured') codec.decodeBody(Buffer.from(body), input);
  return { operation, input };
}

function errorOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof ServiceError, String(error));
    return `${error.status} ${error.code}: ${error.publicMessage}`;
  }
  return assert.fail('was taken');
}

describe('requests', () => {
  test('paths, with and without an account', () => {
    assert.deepEqual(decode('PUT', '/-/vaults/v'), { operation: 'CreateVault', input: { accountId: '-', vaultName: 'v' } });
    assert.deepEqual(decode('GET', '/123456789012/vaults?limit=5&marker=arn%3Aaws%3Aglacier'), { operation: 'ListVaults', input: { accountId: '123456789012', limit: 5, marker: 'arn:aws:glacier' } });
    assert.equal(decode('POST', '/-/vaults/v/tags?operation=add', '{"Tags":{"a":"b"}}').operation, 'AddTagsToVault');
    assert.equal(decode('POST', '/-/vaults/v/tags?operation=remove', '{"TagKeys":["a"]}').operation, 'RemoveTagsFromVault');
    assert.equal(decode('POST', '/-/vaults/v/lock-policy').operation, 'InitiateVaultLock');
    assert.equal(decode('POST', '/-/vaults/v/lock-policy/id').operation, 'CompleteVaultLock');
  });

  test('the version header', () => {
    assert.equal(errorOf(() => decode('GET', '/-/vaults', '', {})), '400 MissingParameterValueException: Required parameter missing: API version');
    assert.match(errorOf(() => decode('GET', '/-/vaults', '', { 'x-amz-glacier-version': '1' })), /^400 InvalidParameterValueException/);
  });

  test('what is no operation', () => {
    for (const target of ['/', '/-', '/-/vaults/', '/-/nothing', '/-/vaults/v/x/y/z/w', '/-/vaults/v/tags?operation=other']) {
      assert.match(errorOf(() => decode('POST', target)), /^(404 UnknownOperationException|405 MethodNotAllowedException)/, target);
    }
  });

  test('a job flat or wrapped, or none', () => {
    const job = { Type: 'inventory-retrieval', Tier: 'Bulk' };
    for (const body of [job, { jobParameters: job }]) {
      assert.deepEqual(decode('POST', '/-/vaults/v/jobs', JSON.stringify(body)).input['jobParameters'], job);
    }
    for (const body of ['', '{}']) assert.equal(decode('POST', '/-/vaults/v/jobs', body).input['jobParameters'], undefined);
  });

  test('bad values', () => {
    assert.match(errorOf(() => decode('GET', '/-/vaults?limit=x')), /^400 InvalidParameterValueException: Invalid limit: x/);
    assert.match(errorOf(() => decode('GET', '/-/vaults/%ff')), /^400 InvalidParameterValueException/);
    assert.match(errorOf(() => decode('POST', '/-/vaults/v/jobs', '{')), /^400 SerializationException/);
    assert.match(errorOf(() => decode('POST', '/-/vaults/v/jobs', '{"Type":1}')), /^400 SerializationException/);
  });

  test('uploads stream', () => {
    const codec = glacier.codec('UploadArchive')!;
    assert.deepEqual([codec.bodyKind, codec.payloadMember], ['stream', 'body']);
    assert.equal(decode('POST', '/-/vaults/v/archives', '', { ...VERSION, 'x-amz-sha256-tree-hash': 'h', 'x-amz-archive-description': 'd' }).input['checksum'], 'h');
  });
});

describe('answers', () => {
  test('every absent member is null, in alphabetical order', () => {
    const { status, headers, body } = glacier.codec('DescribeVault')!.encode({ VaultName: 'v', NumberOfArchives: 0, VaultARN: 'a', CreationDate: '2012-03-20T17:03:43.221Z', SizeInBytes: 0 });
    assert.deepEqual([status, headers], [200, { 'content-type': 'application/json' }]);
    assert.equal(body, '{"CreationDate":"2012-03-20T17:03:43.221Z","LastInventoryDate":null,"NumberOfArchives":0,"SizeInBytes":0,"VaultARN":"a","VaultName":"v"}');
    const list = JSON.parse(String(glacier.codec('ListJobs')!.encode({ JobList: [{ JobId: 'j' }] }).body)) as { JobList: Record<string, unknown>[]; Marker: unknown };
    assert.equal(list.Marker, null);
    assert.equal(list.JobList[0]!['CompletionDate'], null);
    assert.deepEqual(Object.keys(list.JobList[0]!), Object.keys(list.JobList[0]!).toSorted());
  });

  test('ids and places travel in headers, success codes as modelled', () => {
    const { status, headers, body } = glacier.codec('UploadArchive')!.encode({ archiveId: 'i', checksum: 'h', location: '/1/vaults/v/archives/i' });
    assert.deepEqual([status, headers, body], [201, { 'x-amz-archive-id': 'i', 'x-amz-sha256-tree-hash': 'h', location: '/1/vaults/v/archives/i' }, undefined]);
    assert.equal(glacier.codec('DeleteVault')!.encode({}).status, 204);
    assert.equal(glacier.codec('InitiateJob')!.encode({ jobId: 'j' }).status, 202);
    assert.equal(glacier.codec('GetJobOutput')!.encode({ status: 206, contentRange: 'bytes 0-1/2' }).status, 206);
  });
});
