import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ServiceError } from '../base/errors.ts';
import { requestOf } from '../../test/properties/wire-kit.ts';
import { addressRequest } from './address.ts';
import { openService } from './services.ts';

// Source: contract kms-iam-audit 1.1.

const kms = await openService('kms');

function decode(operation: string, body: string): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  kms.codec(operation)!.decodeBody(Buffer.from(body), input);
  return input;
}

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

test('the operation is what follows the last dot', async () => {
  const route = (service: 'kms' | 'cloudtrail', target?: string, method = 'POST'): Promise<string> =>
    openService(service).then((wire) => {
      const request = requestOf(method, '/', target === undefined ? {} : { 'x-amz-target': target });
      return wire.route(request, addressRequest(request, { baseDomains: [], scopeService: service }));
    });
  assert.equal(await route('kms', 'TrentService.Encrypt'), 'Encrypt');
  assert.equal(await route('cloudtrail', 'CloudTrail_20131101.LookupEvents'), 'LookupEvents');
  assert.equal(await route('cloudtrail', 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents'), 'LookupEvents');
  for (const target of [undefined, 'TrentService.', 'TrentService.Nothing', 'TrentService.__proto__', 'Encrypt2']) {
    await assert.rejects(route('kms', target), { code: 'UnknownOperationException', status: 400 });
  }
  await assert.rejects(route('kms', 'TrentService.Encrypt', 'GET'), { code: 'UnknownOperationException' });
});

describe('JSON in', () => {
  test('types as the schema has them', () => {
    assert.deepEqual(decode('Encrypt', '{"KeyId":"k","Plaintext":"AAEC","Unknown":[{}],"GrantTokens":["t"],"DryRun":null}'), { KeyId: 'k', Plaintext: Buffer.from([0, 1, 2]), GrantTokens: ['t'] });
    assert.deepEqual(decode('ImportKeyMaterial', '{"KeyId":"k","ImportToken":"","EncryptedKeyMaterial":"","ValidTo":1798859045.678}')['ValidTo'], new Date(1798859045678));
    assert.deepEqual(decode('ListKeys', ''), {});
  });

  test('names from Object.prototype are names like any other', () => {
    const { EncryptionContext } = decode('Encrypt', '{"KeyId":"k","Plaintext":"","EncryptionContext":{"__proto__":"a","constructor":"b"},"__proto__":{"DryRun":true},"constructor":1}') as { EncryptionContext: object };
    assert.deepEqual(Object.entries(EncryptionContext), [['__proto__', 'a'], ['constructor', 'b']]);
    assert.equal(errorOf(() => decode('Encrypt', '{"__proto__":{"KeyId":"k","Plaintext":""}}')).split(':')[0], 'ValidationException');
  });

  const wrong: readonly (readonly [operation: string, body: string, message: string])[] = [
    ['Encrypt', '{"KeyId":1,"Plaintext":""}', 'NUMBER_VALUE cannot be converted to String'],
    ['Encrypt', '{"KeyId":"k","Plaintext":"","EncryptionContext":{"a":1}}', 'NUMBER_VALUE cannot be converted to String'],
    ['Encrypt', '{"KeyId":"k","Plaintext":"","EncryptionContext":{"a":null}}', 'NULL_VALUE cannot be converted to String'],
    ['Encrypt', '{"KeyId":"k","Plaintext":"","EncryptionContext":{"a":["b"]}}', 'Start of list found where not expected.'],
    ['Encrypt', '{"KeyId":"k","Plaintext":"","EncryptionContext":"a"}', 'STRING_VALUE cannot be converted to Map'],
    ['Encrypt', '{"KeyId":"k","Plaintext":"","EncryptionContext":[]}', 'Start of list found where not expected.'],
    ['Encrypt', '{"KeyId":"k","Plaintext":"","GrantTokens":{}}', 'Start of structure or map found where not expected.'],
    ['Encrypt', '{"KeyId":"k","Plaintext":"","GrantTokens":[null]}', 'NULL_VALUE cannot be converted to String'],
    ['Encrypt', '{"KeyId":"k","Plaintext":"","DryRun":"true"}', 'STRING_VALUE cannot be converted to Boolean'],
    ['Encrypt', '{"KeyId":"k","Plaintext":"no base64"}', 'STRING_VALUE cannot be converted to Blob'],
    ['GenerateRandom', '{"NumberOfBytes":"1"}', 'STRING_VALUE cannot be converted to Integer'],
    ['GenerateRandom', '{"NumberOfBytes":1.5}', 'NUMBER_VALUE cannot be converted to Integer'],
    ['GenerateRandom', '{"NumberOfBytes":1e99}', 'NUMBER_VALUE cannot be converted to Integer'],
    ['ImportKeyMaterial', '{"KeyId":"k","ValidTo":"2026-11-23T10:00:00Z"}', 'STRING_VALUE cannot be converted to Timestamp'],
    ['ListKeys', '[]', 'Start of structure expected.'],
    ['ListKeys', 'null', 'Start of structure expected.'],
    ['ListKeys', '{', 'Request body is not valid JSON.'],
    ['ListKeys', '{"a":1}x', 'Request body is not valid JSON.'],
    ['ListKeys', `{"a":${'['.repeat(100)}${']'.repeat(100)}}`, 'Request body is nested too deeply.'],
    ['ListKeys', `{"a":"${'x'.repeat(2 * 1024 * 1024)}"}`, 'Request body is too large.'],
  ];
  for (const [operation, body, message] of wrong) {
    test(`${operation} ${body.slice(0, 60)}`, () => assert.equal(errorOf(() => decode(operation, body)), `SerializationException: ${message}`));
  }

  test('missing members are named all at once, with their path', () => {
    assert.equal(
      errorOf(() => decode('Encrypt', '{}')),
      "ValidationException: 2 validation errors detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null; Value null at 'plaintext' failed to satisfy constraint: Member must not be null",
    );
    assert.equal(
      errorOf(() => decode('TagResource', '{"KeyId":"k","Tags":[{"TagKey":"a","TagValue":"b"},{"TagValue":"b"}]}')),
      "ValidationException: 1 validation error detected: Value null at 'tags.2.member.tagKey' failed to satisfy constraint: Member must not be null",
    );
  });
});

test('answers', () => {
  const encode = (operation: string, output: Record<string, unknown>): unknown[] => {
    const { status, headers, body } = kms.codec(operation)!.encode(output);
    return [status, headers['content-type'], body];
  };
  assert.deepEqual(encode('Encrypt', { KeyId: 'k', CiphertextBlob: Buffer.from([0, 255]), EncryptionAlgorithm: undefined }), [200, 'application/x-amz-json-1.1', '{"CiphertextBlob":"AP8=","KeyId":"k"}']);
  assert.deepEqual(encode('EnableKey', {}), [200, 'application/x-amz-json-1.1', '']);
  const described = encode('DescribeKey', { KeyMetadata: { KeyId: 'k', CreationDate: new Date(1798859045678), Enabled: false } })[2];
  assert.deepEqual(JSON.parse(String(described)), { KeyMetadata: { KeyId: 'k', CreationDate: 1798859045.678, Enabled: false } });
});
