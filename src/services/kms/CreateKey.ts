/** CreateKey. Source: contract kms-iam-audit.md 2.3. */
import {
  KeySpec as keySpecs, KeyUsageType as keyUsages, OriginType as origins,
  type CreateKeyRequest, type CreateKeyResponse, type KeySpec, type KeyUsageType,
} from '@aws-sdk/client-kms';
import { algorithmsOf, createKey, keyErrors, specTraits } from '../../keyring/index.ts';
import { constrainTags } from './constraints.ts';
import type { KmsOperation } from './kms-operation.ts';

export const CreateKey: KmsOperation<CreateKeyRequest, CreateKeyResponse> = {
  name: 'CreateKey',
  constrain: (input, check) => {
    check.text('policy', input.Policy, { min: 1, max: 131_072 });
    check.text('description', input.Description, { min: 0, max: 8192 });
    check.oneOf('keyUsage', input.KeyUsage, Object.values(keyUsages));
    check.oneOf('keySpec', input.KeySpec, Object.values(keySpecs));
    check.oneOf('customerMasterKeySpec', input.CustomerMasterKeySpec, Object.values(keySpecs));
    check.oneOf('origin', input.Origin, Object.values(origins));
    constrainTags(check, input.Tags);
    check.done();
    refuseUnsupported(input);
    wantedKind(input);
  },
  handle: async (keys, input, caller) => {
    const { spec, usage } = wantedKind(input);
    const KeyMetadata = await createKey(keys, caller, {
      spec, usage, description: input.Description ?? '', policy: input.Policy,
      tags: (input.Tags ?? []).map(({ TagKey, TagValue }) => ({ TagKey: TagKey!, TagValue: TagValue! })),
    });
    return { KeyMetadata };
  },
};

/** Members that ask for what this service cannot do are refused, never ignored. */
function refuseUnsupported({ Origin, MultiRegion, CustomKeyStoreId, XksKeyId }: CreateKeyRequest): void {
  if (Origin !== undefined && Origin !== 'AWS_KMS') throw keyErrors.unsupported(`Keys of origin ${Origin} are not supported.`);
  if (MultiRegion === true) throw keyErrors.unsupported('Multi-Region keys are not supported.');
  if (CustomKeyStoreId !== undefined) throw keyErrors.unsupported('Custom key stores are not supported.');
  if (XksKeyId !== undefined) throw keyErrors.unsupported('External key stores are not supported.');
}

function wantedKind(input: CreateKeyRequest): { spec: KeySpec; usage: KeyUsageType } {
  if (input.KeySpec !== undefined && input.CustomerMasterKeySpec !== undefined) {
    throw keyErrors.validation('You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.');
  }
  const spec = input.KeySpec ?? input.CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT';
  if (specTraits(spec) === undefined) throw keyErrors.unsupported(`Keys of spec ${spec} are not supported.`);
  if (input.KeyUsage === undefined && spec !== 'SYMMETRIC_DEFAULT') {
    throw keyErrors.validation('You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.');
  }
  const usage = input.KeyUsage ?? 'ENCRYPT_DECRYPT';
  if (algorithmsOf(spec, usage) === undefined) throw keyErrors.validation(`KeyUsage ${usage} is not compatible with KeySpec ${spec}`);
  return { spec, usage };
}
