/** GenerateMac, VerifyMac. Source: contract kms-iam-audit.md 2.15. */
import {
  MacAlgorithmSpec as macAlgorithms,
  type GenerateMacRequest, type GenerateMacResponse, type VerifyMacRequest, type VerifyMacResponse,
} from '@aws-sdk/client-kms';
import { generateMac, verifyMac } from '../../keyring/index.ts';
import { constrainGrantTokens, constrainKeyId, constrainPlaintext } from './constraints.ts';
import type { InputCheck } from './input-check.ts';
import type { KmsOperation } from './kms-operation.ts';

export const GenerateMac: KmsOperation<GenerateMacRequest, GenerateMacResponse> = {
  name: 'GenerateMac',
  constrain: constrainMac,
  handle: async (keys, input, caller) => {
    const { mac, keyArn } = await generateMac(keys, caller, input.KeyId!, input.Message!, input.MacAlgorithm!, { dryRun: input.DryRun });
    return { Mac: mac, MacAlgorithm: input.MacAlgorithm, KeyId: keyArn };
  },
};

export const VerifyMac: KmsOperation<VerifyMacRequest, VerifyMacResponse> = {
  name: 'VerifyMac',
  constrain: (input, check) => {
    check.required('mac', input.Mac);
    check.size('mac', input.Mac, { min: 1, max: 6144 });
    constrainMac(input, check);
  },
  handle: async (keys, input, caller) => {
    const { keyArn } = await verifyMac(keys, caller, input.KeyId!, input.Message!, input.MacAlgorithm!, input.Mac!, { dryRun: input.DryRun });
    return { KeyId: keyArn, MacValid: true, MacAlgorithm: input.MacAlgorithm };
  },
};

function constrainMac(input: GenerateMacRequest | VerifyMacRequest, check: InputCheck): void {
  constrainKeyId(check, input.KeyId);
  constrainPlaintext(check, input.Message, 'message');
  check.required('macAlgorithm', input.MacAlgorithm);
  check.oneOf('macAlgorithm', input.MacAlgorithm, Object.values(macAlgorithms));
  constrainGrantTokens(check, input.GrantTokens);
}
