/** Encrypt, Decrypt, ReEncrypt. Source: contract kms-iam-audit.md 2.7 to 2.9, 2.17. */
import {
  EncryptionAlgorithmSpec as encryptionAlgorithms,
  type DecryptRequest, type DecryptResponse, type EncryptRequest, type EncryptResponse, type ReEncryptRequest, type ReEncryptResponse,
} from '@aws-sdk/client-kms';
import { keyErrors } from '../../keyring/index.ts';
import type { Constraints } from '../validation.ts';
import {
  checkEncryptionContext, constrainCiphertext, constrainCryptography, constrainGrantTokens, constrainKeyId, constrainOptionalKeyId, constrainPlaintext,
} from './constraints.ts';
import type { KmsOperation } from './kms-operation.ts';

const symmetricAlgorithm = 'SYMMETRIC_DEFAULT';

export const Encrypt: KmsOperation<EncryptRequest, EncryptResponse> = {
  name: 'Encrypt',
  constrain: (input, constraints) => {
    constrainKeyId(constraints, input.KeyId);
    constrainPlaintext(constraints, input.Plaintext);
    constrainAlgorithm(constraints, 'encryptionAlgorithm', input.EncryptionAlgorithm);
    constrainCryptography(constraints, input);
  },
  handle: async (keys, input, caller) => {
    const algorithm = input.EncryptionAlgorithm ?? symmetricAlgorithm;
    const { blob, keyArn } = await keys.encrypt(caller, input.KeyId!, input.Plaintext!, {
      encryptionContext: input.EncryptionContext, algorithm, dryRun: input.DryRun,
    });
    return { CiphertextBlob: blob, KeyId: keyArn, EncryptionAlgorithm: algorithm };
  },
};

export const Decrypt: KmsOperation<DecryptRequest, DecryptResponse> = {
  name: 'Decrypt',
  constrain: (input, constraints) => {
    constrainOptionalKeyId(constraints, input.KeyId);
    if (ignoresCiphertext(input)) constraints.required('keyId', input.KeyId);
    else constrainCiphertext(constraints, input.CiphertextBlob);
    constrainAlgorithm(constraints, 'encryptionAlgorithm', input.EncryptionAlgorithm);
    constraints.list('dryRunModifiers', input.DryRunModifiers, { min: 1, max: 1 });
    input.DryRunModifiers?.forEach((modifier, index) => constraints.oneOf(`dryRunModifiers.${index + 1}.member`, modifier, ['IGNORE_CIPHERTEXT']));
    constrainCryptography(constraints, input);
    constraints.check();
    if (input.DryRunModifiers !== undefined && input.DryRun !== true) throw keyErrors.validation('DryRunModifiers can only be used with DryRun.');
  },
  handle: async (keys, input, caller) => {
    const algorithm = input.EncryptionAlgorithm ?? symmetricAlgorithm;
    const { plaintext, keyArn, materialId } = await keys.decrypt(caller, input.CiphertextBlob ?? Buffer.alloc(0), {
      encryptionContext: input.EncryptionContext, algorithm, keyRef: input.KeyId, dryRun: input.DryRun, ignoreCiphertext: ignoresCiphertext(input),
    });
    return { Plaintext: plaintext, KeyId: keyArn, EncryptionAlgorithm: algorithm, ...(materialId ? { KeyMaterialId: materialId } : {}) };
  },
};

export const ReEncrypt: KmsOperation<ReEncryptRequest, ReEncryptResponse> = {
  name: 'ReEncrypt',
  constrain: (input, constraints) => {
    constrainCiphertext(constraints, input.CiphertextBlob);
    constrainOptionalKeyId(constraints, input.SourceKeyId, 'sourceKeyId');
    constrainKeyId(constraints, input.DestinationKeyId, 'destinationKeyId');
    constrainAlgorithm(constraints, 'sourceEncryptionAlgorithm', input.SourceEncryptionAlgorithm);
    constrainAlgorithm(constraints, 'destinationEncryptionAlgorithm', input.DestinationEncryptionAlgorithm);
    checkEncryptionContext(input.SourceEncryptionContext);
    checkEncryptionContext(input.DestinationEncryptionContext);
    constrainGrantTokens(constraints, input.GrantTokens);
    constraints.list('dryRunModifiers', input.DryRunModifiers, { min: 1, max: 1 });
    constraints.check();
    if (input.DryRunModifiers !== undefined) throw keyErrors.unsupported('DryRunModifiers are supported for Decrypt only.');
  },
  handle: async (keys, input, caller) => {
    const sourceAlgorithm = input.SourceEncryptionAlgorithm ?? symmetricAlgorithm;
    const destinationAlgorithm = input.DestinationEncryptionAlgorithm ?? symmetricAlgorithm;
    const done = await keys.reEncrypt(
      caller, input.CiphertextBlob!,
      { keyRef: input.SourceKeyId, encryptionContext: input.SourceEncryptionContext, algorithm: sourceAlgorithm },
      { keyRef: input.DestinationKeyId!, encryptionContext: input.DestinationEncryptionContext, algorithm: destinationAlgorithm },
      { dryRun: input.DryRun },
    );
    return {
      CiphertextBlob: done.blob, SourceKeyId: done.sourceKeyArn, KeyId: done.keyArn,
      SourceEncryptionAlgorithm: sourceAlgorithm, DestinationEncryptionAlgorithm: destinationAlgorithm,
      ...(done.sourceMaterialId ? { SourceKeyMaterialId: done.sourceMaterialId } : {}),
      ...(done.destinationMaterialId ? { DestinationKeyMaterialId: done.destinationMaterialId } : {}),
    };
  },
};

function constrainAlgorithm(constraints: Constraints, path: string, algorithm: string | undefined): void {
  constraints.oneOf(path, algorithm, Object.values(encryptionAlgorithms));
}

function ignoresCiphertext({ DryRun, DryRunModifiers }: DecryptRequest): boolean {
  return DryRun === true && DryRunModifiers?.includes('IGNORE_CIPHERTEXT') === true;
}
