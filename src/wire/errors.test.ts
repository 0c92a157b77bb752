import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ServiceError } from '../base/errors.ts';
import { clientOf } from '../../test/properties/wire-kit.ts';
import type { ServiceName } from './address.ts';
import { encodeError, internalError, notImplemented } from './errors.ts';

// Source: contract s3-surface section 3, kms-iam-audit 1.1 and 1.2, glacier section 2.

const CONTEXT = { requestId: 'R', hostId: 'H' };

test('S3: details in their order, then both ids, no namespace', () => {
  const error = new ServiceError('NoSuchKey', 404, 'It\u2019s <gone>', { details: { Key: 'a&b', VersionId: 'v' }, headers: { 'x-amz-delete-marker': 'true' } });
  assert.deepEqual(encodeError('s3', error, CONTEXT), {
    status: 404,
    headers: { 'x-amz-delete-marker': 'true', 'content-type': 'application/xml' },
    body: '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><Message>It\u2019s &lt;gone&gt;</Message><Key>a&amp;b</Key><VersionId>v</VersionId><RequestId>R</RequestId><HostId>H</HostId></Error>',
  });
});

test('S3: HEAD and 304 have no body', () => {
  const headers = { etag: '"e"' };
  assert.deepEqual(encodeError('s3', new ServiceError('NoSuchKey', 404, 'x'), { ...CONTEXT, method: 'HEAD' }), { status: 404, headers: {} });
  assert.deepEqual(encodeError('s3', new ServiceError('NotModified', 304, 'x', { headers }), CONTEXT), { status: 304, headers });
});

test('S3 Control: wrapped', () => {
  const { body } = encodeError('s3', new ServiceError('MethodNotAllowed', 405, 'm'), { ...CONTEXT, resource: '/v20180820/tags/x' });
  assert.match(String(body), /<ErrorResponse><Error><Code>MethodNotAllowed<\/Code>.*<\/Error><RequestId>R<\/RequestId><\/ErrorResponse>$/);
});

test('a message that is undefined has no member', () => {
  const error = new ServiceError('InvalidCiphertextException', 400, undefined);
  assert.equal(encodeError('kms', error, CONTEXT).body, '{"__type":"InvalidCiphertextException"}');
  assert.ok(!String(encodeError('s3', error, CONTEXT).body).includes('Message'));
  assert.ok(!String(encodeError('iam', error, CONTEXT).body).includes('Message'));
});

test('Query: sender or receiver', () => {
  assert.equal(
    encodeError('iam', new ServiceError('NoSuchEntity', 404, 'gone'), CONTEXT).body,
    '<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>gone</Message></Error><RequestId>R</RequestId></ErrorResponse>',
  );
  assert.match(String(encodeError('sts', internalError('sts', new Error('secret')), CONTEXT).body), /<Type>Receiver<\/Type>/);
});

test('Glacier: code, message, type', () => {
  assert.equal(encodeError('glacier', new ServiceError('ResourceNotFoundException', 404, 'gone'), CONTEXT).body, '{"code":"ResourceNotFoundException","message":"gone","type":"Client"}');
});

test('what went wrong inside stays inside', () => {
  for (const service of ['s3', 'kms', 'iam', 'sts', 'glacier', 'cloudtrail'] as const) {
    const error = internalError(service, new Error('secret'));
    assert.ok(error.status >= 500);
    assert.ok(!String(encodeError(service, error, CONTEXT).body).includes('secret'));
  }
});

describe('the SDK reads code, status and message back', () => {
  const calls: Readonly<Record<ServiceName, readonly [command: string, input: object, code: string, name: string]>> = {
    s3: ['GetObjectCommand', { Bucket: 'b', Key: 'k' }, 'NoSuchKey', 'NoSuchKey'],
    kms: ['DescribeKeyCommand', { KeyId: 'k' }, 'NotFoundException', 'NotFoundException'],
    iam: ['GetUserCommand', {}, 'NoSuchEntity', 'NoSuchEntityException'],
    sts: ['GetCallerIdentityCommand', {}, 'AccessDenied', 'AccessDenied'],
    glacier: ['DescribeVaultCommand', { vaultName: 'v' }, 'ResourceNotFoundException', 'ResourceNotFoundException'],
    cloudtrail: ['GetTrailCommand', { Name: 't' }, 'TrailNotFoundException', 'TrailNotFoundException'],
  };
  for (const [service, [command, input, code, name]] of Object.entries(calls) as [ServiceName, (typeof calls)[ServiceName]][]) {
    test(service, async () => {
      const { client, module } = await clientOf(service, () => encodeError(service, new ServiceError(code, 404, 'a <message>'), CONTEXT));
      const Command = module[command] as new (input: object) => unknown;
      await assert.rejects(client.send(new Command(input)), (error: Error & { $metadata: { httpStatusCode: number } }) => {
        assert.deepEqual([error.name, error.message, error.$metadata.httpStatusCode], [name, 'a <message>', 404]);
        return true;
      });
    });
    test(`${service}: not implemented`, async () => {
      const { client, module } = await clientOf(service, () => encodeError(service, notImplemented(service, 'SomeOperation'), CONTEXT));
      const Command = module[command] as new (input: object) => unknown;
      await assert.rejects(client.send(new Command(input)), /SomeOperation/);
    });
  }
});
