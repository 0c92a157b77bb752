/** EnableKey and DisableKey; both are idempotent. Source: contract kms-iam-audit.md 2.10. */
import type { DisableKeyRequest, EnableKeyRequest } from '@aws-sdk/client-kms';
import { setKeyEnabled } from '../../keyring/index.ts';
import { constrainKeyId } from './constraints.ts';
import type { KmsOperation } from './kms-operation.ts';

export const EnableKey: KmsOperation<EnableKeyRequest, void> = {
  name: 'EnableKey',
  constrain: (input, check) => constrainKeyId(check, input.KeyId),
  handle: (keys, input, caller) => setKeyEnabled(keys, caller, input.KeyId!, true),
};

export const DisableKey: KmsOperation<DisableKeyRequest, void> = {
  name: 'DisableKey',
  constrain: (input, check) => constrainKeyId(check, input.KeyId),
  handle: (keys, input, caller) => setKeyEnabled(keys, caller, input.KeyId!, false),
};
