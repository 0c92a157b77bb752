/** CreateAlias, UpdateAlias, DeleteAlias, ListAliases. Source: contract kms-iam-audit.md 2.10. */
import type {
  CreateAliasRequest, DeleteAliasRequest, ListAliasesRequest, ListAliasesResponse, UpdateAliasRequest,
} from '@aws-sdk/client-kms';
import { createAlias, deleteAlias, keyErrors, listAliases, updateAlias } from '../../keyring/index.ts';
import { constrainAliasName, constrainKeyId, constrainOptionalKeyId, constrainPage, pageOf, pageStart } from './constraints.ts';
import type { KmsOperation } from './kms-operation.ts';

const listAliasesLimitMax = 100;
const listAliasesLimitDefault = 50;

export const CreateAlias: KmsOperation<CreateAliasRequest, void> = {
  name: 'CreateAlias',
  constrain: (input, check) => {
    constrainAliasName(check, input.AliasName);
    constrainKeyId(check, input.TargetKeyId, 'targetKeyId');
    check.done();
    checkAliasName(input.AliasName!);
  },
  handle: (keys, input, caller) => createAlias(keys, caller, input.AliasName!, input.TargetKeyId!),
};

export const UpdateAlias: KmsOperation<UpdateAliasRequest, void> = {
  name: 'UpdateAlias',
  constrain: (input, check) => {
    constrainAliasName(check, input.AliasName);
    constrainKeyId(check, input.TargetKeyId, 'targetKeyId');
    check.done();
    checkAliasName(input.AliasName!);
  },
  handle: (keys, input, caller) => updateAlias(keys, caller, input.AliasName!, input.TargetKeyId!),
};

export const DeleteAlias: KmsOperation<DeleteAliasRequest, void> = {
  name: 'DeleteAlias',
  constrain: (input, check) => {
    constrainAliasName(check, input.AliasName);
    check.done();
    checkAliasName(input.AliasName!);
  },
  handle: (keys, input, caller) => deleteAlias(keys, caller, input.AliasName!),
};

export const ListAliases: KmsOperation<ListAliasesRequest, ListAliasesResponse> = {
  name: 'ListAliases',
  constrain: (input, check) => {
    constrainOptionalKeyId(check, input.KeyId);
    constrainPage(check, input, listAliasesLimitMax, listOf(input));
  },
  handle: async (keys, input, caller) => {
    const limit = input.Limit ?? listAliasesLimitDefault;
    const list = listOf(input);
    const found = await listAliases(keys, caller, input.KeyId, pageStart(list, input), limit + 1);
    const { page, rest } = pageOf(list, found, limit, ({ name }) => name);
    const Aliases = page.map(({ name, arn, keyId, createdAt, updatedAt }) => ({
      AliasName: name, AliasArn: arn, TargetKeyId: keyId, CreationDate: createdAt, LastUpdatedDate: updatedAt,
    }));
    return { Aliases, ...rest };
  },
};

function listOf({ KeyId }: ListAliasesRequest): string {
  return `aliases ${KeyId ?? ''}`;
}

function checkAliasName(name: string): void {
  if (!name.startsWith('alias/')) {
    throw keyErrors.validation(
      'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
    );
  }
  if (name.includes(':') || name === 'alias/') throw keyErrors.validation(`${name} contains invalid characters for an alias`);
}
