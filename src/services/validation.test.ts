import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServiceError } from '../base/errors.ts';
import { validate, violationsOf } from './validation.ts';

// Source of the wordings: contract kms-iam-audit 1.1 and 4.

function messageOf(act: () => void): string | undefined {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof ServiceError);
    assert.equal(error.status, 400);
    return `${error.code}: ${error.publicMessage}`;
  }
  return undefined;
}

test('each demand in AWS words', () => {
  const text = (constraint: Parameters<typeof violationsOf>[0]): string[] => violationsOf(constraint);
  const head = (shown: string): string => `Value ${shown} failed to satisfy constraint: Member must `;
  assert.deepEqual(text({ field: 'keyId', value: undefined, required: true }), [`${head("null at 'keyId'")}not be null`]);
  assert.deepEqual(text({ field: 'keyId', value: '', lengthMin: 1 }), [`${head("'' at 'keyId'")}have length greater than or equal to 1`]);
  assert.deepEqual(text({ field: 'description', value: 'abc', lengthMax: 2 }), [`${head("'abc' at 'description'")}have length less than or equal to 2`]);
  assert.deepEqual(text({ field: 'numberOfBytes', value: 1025, valueMax: 1024 }), [`${head("'1025' at 'numberOfBytes'")}have value less than or equal to 1024`]);
  assert.deepEqual(text({ field: 'limit', value: 0, valueMin: 1 }), [`${head("'0' at 'limit'")}have value greater than or equal to 1`]);
  assert.deepEqual(text({ field: 'keySpec', value: 'X', oneOf: ['A', 'B'] }), [`${head("'X' at 'keySpec'")}satisfy enum value set: [A, B]`]);
  assert.deepEqual(text({ field: 'roleSessionName', value: 'a b', pattern: '[\\w+=,.@-]*' }), [`${head("'a b' at 'roleSessionName'")}satisfy regular expression pattern: [\\w+=,.@-]*`]);
  assert.deepEqual(text({ field: 'grantTokens', value: ['a', 'b'], lengthMax: 1 }), [`${head("'[a, b]' at 'grantTokens'")}have length less than or equal to 1`]);
});

test('blobs and secrets are not echoed', () => {
  assert.deepEqual(violationsOf({ field: 'plaintext', value: new Uint8Array(3), lengthMax: 2 }), [
    "Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 2",
  ]);
  assert.deepEqual(violationsOf({ field: 'token', value: 'secret', lengthMax: 2, hidden: true }), [
    "Value at 'token' failed to satisfy constraint: Member must have length less than or equal to 2",
  ]);
});

test('several violations are counted and joined; none returns', () => {
  assert.equal(
    messageOf(() => validate([{ field: 'a', value: '', lengthMin: 1 }, { field: 'b', value: 5, valueMax: 4 }], 'ValidationError')),
    "ValidationError: 2 validation errors detected: Value '' at 'a' failed to satisfy constraint: Member must have length greater than or equal to 1; " +
      "Value '5' at 'b' failed to satisfy constraint: Member must have value less than or equal to 4",
  );
  assert.equal(messageOf(() => validate([{ field: 'a', value: undefined, lengthMin: 1 }, { field: 'b', value: 'x', lengthMin: 1, lengthMax: 1, pattern: 'x', oneOf: ['x'] }])), undefined);
});
