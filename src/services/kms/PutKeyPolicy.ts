/** GetKeyPolicy, PutKeyPolicy, ListKeyPolicies. Source: contract kms-iam-audit.md 2.11. */
import type {
  GetKeyPolicyRequest, GetKeyPolicyResponse, ListKeyPoliciesRequest, ListKeyPoliciesResponse, PutKeyPolicyRequest,
} from '@aws-sdk/client-kms';
import { ServiceError } from '../../base/index.ts';
import { getKeyPolicy, putKeyPolicy, viewKey } from '../../keyring/index.ts';
import type { Constraints } from '../validation.ts';
import { constrainKeyId, constrainPage } from './constraints.ts';
import type { KmsOperation } from './kms-operation.ts';

const policyName = 'default';
const listPoliciesLimitMax = 1000;

export const GetKeyPolicy: KmsOperation<GetKeyPolicyRequest, GetKeyPolicyResponse> = {
  name: 'GetKeyPolicy',
  constrain: (input, constraints) => {
    constrainKeyId(constraints, input.KeyId);
    constrainPolicyName(constraints, input.PolicyName);
    constraints.check();
    requirePolicyName(input.PolicyName);
  },
  handle: async (keys, input, caller) => ({ Policy: await getKeyPolicy(keys, caller, input.KeyId!), PolicyName: policyName }),
};

/** Nobody can be locked out yet: only the default policy is accepted, so there is nothing to bypass. */
export const PutKeyPolicy: KmsOperation<PutKeyPolicyRequest, void> = {
  name: 'PutKeyPolicy',
  constrain: (input, constraints) => {
    constrainKeyId(constraints, input.KeyId);
    constrainPolicyName(constraints, input.PolicyName);
    constraints.required('policy', input.Policy);
    constraints.text('policy', input.Policy, { min: 1, max: 131_072 });
    constraints.check();
    requirePolicyName(input.PolicyName);
  },
  handle: (keys, input, caller) => putKeyPolicy(keys, caller, input.KeyId!, input.Policy!),
};

export const ListKeyPolicies: KmsOperation<ListKeyPoliciesRequest, ListKeyPoliciesResponse> = {
  name: 'ListKeyPolicies',
  constrain: (input, constraints) => {
    constrainKeyId(constraints, input.KeyId);
    constrainPage(constraints, input, listPoliciesLimitMax, `policies ${input.KeyId}`);
  },
  handle: (keys, input, caller) =>
    viewKey(keys, caller, input.KeyId!, 'ListKeyPolicies', () => ({ PolicyNames: [policyName], Truncated: false })),
};

function constrainPolicyName(constraints: Constraints, name: string | undefined): void {
  constraints.text('policyName', name, { min: 1, max: 128, pattern: /[\w]+/ });
}

function requirePolicyName(name: string | undefined): void {
  if (name !== undefined && name !== policyName) throw new ServiceError('NotFoundException', 400, 'No such policy exists');
}
