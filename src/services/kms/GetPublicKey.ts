/** GetPublicKey, DeriveSharedSecret. Source: contract kms-iam-audit.md 2.15. */
import {
  KeyAgreementAlgorithmSpec as agreementAlgorithms,
  type DeriveSharedSecretRequest, type DeriveSharedSecretResponse, type GetPublicKeyRequest, type GetPublicKeyResponse,
} from '@aws-sdk/client-kms';
import { deriveSharedSecret, getPublicKey } from '../../keyring/index.ts';
import { constrainCryptography, constrainGrantTokens, constrainKeyId } from './constraints.ts';
import type { KmsOperation } from './kms-operation.ts';

export const GetPublicKey: KmsOperation<GetPublicKeyRequest, GetPublicKeyResponse> = {
  name: 'GetPublicKey',
  constrain: (input, check) => {
    constrainKeyId(check, input.KeyId);
    constrainGrantTokens(check, input.GrantTokens);
  },
  handle: async (keys, input, caller) => {
    const { publicKey, metadata } = await getPublicKey(keys, caller, input.KeyId!);
    const { Arn, CustomerMasterKeySpec, KeySpec, KeyUsage, EncryptionAlgorithms, SigningAlgorithms, KeyAgreementAlgorithms } = metadata;
    return { KeyId: Arn, PublicKey: publicKey, CustomerMasterKeySpec, KeySpec, KeyUsage, EncryptionAlgorithms, SigningAlgorithms, KeyAgreementAlgorithms };
  },
};

export const DeriveSharedSecret: KmsOperation<DeriveSharedSecretRequest, DeriveSharedSecretResponse> = {
  name: 'DeriveSharedSecret',
  constrain: (input, check) => {
    constrainKeyId(check, input.KeyId);
    check.required('keyAgreementAlgorithm', input.KeyAgreementAlgorithm);
    check.oneOf('keyAgreementAlgorithm', input.KeyAgreementAlgorithm, Object.values(agreementAlgorithms));
    check.required('publicKey', input.PublicKey);
    check.size('publicKey', input.PublicKey, { min: 1, max: 8192 });
    constrainCryptography(check, input);
  },
  handle: async (keys, input, caller) => {
    const { secret, keyArn } = await deriveSharedSecret(keys, caller, input.KeyId!, input.PublicKey!, { dryRun: input.DryRun });
    return { KeyId: keyArn, SharedSecret: secret, KeyAgreementAlgorithm: 'ECDH', KeyOrigin: 'AWS_KMS' };
  },
};
