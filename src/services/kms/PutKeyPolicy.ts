/** GetKeyPolicy, PutKeyPolicy, ListKeyPolicies. Source: contract kms-iam-audit.md 2.11. */
import type {
  GetKeyPolicyRequest, GetKeyPolicyResponse, ListKeyPoliciesRequest, ListKeyPoliciesResponse, PutKeyPolicyRequest,
} from '@aws-sdk/client-kms';
import { ServiceError } from '../../base/index.ts';
import { getKeyPolicy, putKeyPolicy, viewKey } from '../../keyring/index.ts';
import type { InputCheck } from './input-check.ts';
import { constrainKeyId, constrainPage } from './constraints.ts';
import type { KmsOperation } from './kms-operation.ts';

const policyName = 'default';
const listPoliciesLimitMax = 1000;

export const GetKeyPolicy: KmsOperation<GetKeyPolicyRequest, GetKeyPolicyResponse> = {
  name: 'GetKeyPolicy',
  constrain: (input, check) => {
    constrainKeyId(check, input.KeyId);
    constrainPolicyName(check, input.PolicyName);
    check.done();
    requirePolicyName(input.PolicyName);
  },
  handle: async (keys, input, caller) => ({ Policy: await getKeyPolicy(keys, caller, input.KeyId!), PolicyName: policyName }),
};

/** Nobody can be locked out yet: only the default policy is accepted, so there is nothing to bypass. */
export const PutKeyPolicy: KmsOperation<PutKeyPolicyRequest, void> = {
  name: 'PutKeyPolicy',
  constrain: (input, check) => {
    constrainKeyId(check, input.KeyId);
    constrainPolicyName(check, input.PolicyName);
    check.required('policy', input.Policy);
    check.text('policy', input.Policy, { min: 1, max: 131_072 });
    check.done();
    requirePolicyName(input.PolicyName);
  },
  handle: (keys, input, caller) => putKeyPolicy(keys, caller, input.KeyId!, input.Policy!),
};

export const ListKeyPolicies: KmsOperation<ListKeyPoliciesRequest, ListKeyPoliciesResponse> = {
  name: 'ListKeyPolicies',
  constrain: (input, check) => {
    constrainKeyId(check, input.KeyId);
    constrainPage(check, input, listPoliciesLimitMax, `policies ${input.KeyId}`);
  },
  handle: (keys, input, caller) =>
    viewKey(keys, caller, input.KeyId!, 'ListKeyPolicies', () => ({ PolicyNames: [policyName], Truncated: false })),
};

function constrainPolicyName(check: InputCheck, name: string | undefined): void {
  check.text('policyName', name, { min: 1, max: 128, pattern: '[\\w]+' });
}

function requirePolicyName(name: string | undefined): void {
  if (name !== undefined && name !== policyName) throw new ServiceError('NotFoundException', 400, 'No such policy exists');
}
