/** DescribeKey, ListKeys, UpdateKeyDescription. Source: contract kms-iam-audit.md 2.10. */
import type {
  DescribeKeyRequest, DescribeKeyResponse, ListKeysRequest, ListKeysResponse, UpdateKeyDescriptionRequest,
} from '@aws-sdk/client-kms';
import { describeKey, listKeys, updateKeyDescription } from '../../keyring/index.ts';
import { constrainGrantTokens, constrainKeyId, constrainPage, pageOf, pageStart } from './constraints.ts';
import type { KmsOperation } from './kms-operation.ts';

const listKeysLimitMax = 1000;
const listKeysLimitDefault = 100;

export const DescribeKey: KmsOperation<DescribeKeyRequest, DescribeKeyResponse> = {
  name: 'DescribeKey',
  constrain: (input, check) => {
    constrainKeyId(check, input.KeyId);
    constrainGrantTokens(check, input.GrantTokens);
  },
  handle: async (keys, input, caller) => ({ KeyMetadata: await describeKey(keys, caller, input.KeyId!) }),
};

export const ListKeys: KmsOperation<ListKeysRequest, ListKeysResponse> = {
  name: 'ListKeys',
  constrain: (input, check) => constrainPage(check, input, listKeysLimitMax, 'keys'),
  handle: async (keys, input, caller) => {
    const limit = input.Limit ?? listKeysLimitDefault;
    const found = await listKeys(keys, caller, pageStart('keys', input), limit + 1);
    const { page, rest } = pageOf('keys', found, limit, ({ keyId }) => keyId);
    return { Keys: page.map(({ keyId, arn }) => ({ KeyId: keyId, KeyArn: arn })), ...rest };
  },
};

export const UpdateKeyDescription: KmsOperation<UpdateKeyDescriptionRequest, void> = {
  name: 'UpdateKeyDescription',
  constrain: (input, check) => {
    constrainKeyId(check, input.KeyId);
    check.required('description', input.Description);
    check.text('description', input.Description, { min: 0, max: 8192 });
  },
  handle: (keys, input, caller) => updateKeyDescription(keys, caller, input.KeyId!, input.Description!),
};
