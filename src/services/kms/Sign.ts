/** Sign, Verify. Source: contract kms-iam-audit.md 2.15. */
import {
  MessageType as messageTypes, SigningAlgorithmSpec as signingAlgorithms,
  type SignRequest, type SignResponse, type VerifyRequest, type VerifyResponse,
} from '@aws-sdk/client-kms';
import { sign, verify, type MessageToSign } from '../../keyring/index.ts';
import { constrainGrantTokens, constrainKeyId, constrainPlaintext } from './constraints.ts';
import type { InputCheck } from './input-check.ts';
import type { KmsOperation } from './kms-operation.ts';

export const Sign: KmsOperation<SignRequest, SignResponse> = {
  name: 'Sign',
  constrain: constrainMessage,
  handle: async (keys, input, caller) => {
    const { signature, keyArn } = await sign(keys, caller, input.KeyId!, messageOf(input));
    return { KeyId: keyArn, Signature: signature, SigningAlgorithm: input.SigningAlgorithm };
  },
};

export const Verify: KmsOperation<VerifyRequest, VerifyResponse> = {
  name: 'Verify',
  constrain: (input, check) => {
    check.required('signature', input.Signature);
    check.size('signature', input.Signature, { min: 1, max: 6144 });
    constrainMessage(input, check);
  },
  handle: async (keys, input, caller) => {
    const { keyArn } = await verify(keys, caller, input.KeyId!, messageOf(input), input.Signature!);
    return { KeyId: keyArn, SignatureValid: true, SigningAlgorithm: input.SigningAlgorithm };
  },
};

function constrainMessage(input: SignRequest | VerifyRequest, check: InputCheck): void {
  constrainKeyId(check, input.KeyId);
  constrainPlaintext(check, input.Message, 'message');
  check.oneOf('messageType', input.MessageType, Object.values(messageTypes));
  check.required('signingAlgorithm', input.SigningAlgorithm);
  check.oneOf('signingAlgorithm', input.SigningAlgorithm, Object.values(signingAlgorithms));
  constrainGrantTokens(check, input.GrantTokens);
}

function messageOf({ Message, MessageType, SigningAlgorithm, DryRun }: SignRequest | VerifyRequest): MessageToSign {
  return { message: Message!, type: MessageType ?? 'RAW', algorithm: SigningAlgorithm!, dryRun: DryRun };
}
