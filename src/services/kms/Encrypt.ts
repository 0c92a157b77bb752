/** Encrypt, Decrypt, ReEncrypt. Source: contract kms-iam-audit.md 2.7 to 2.9, 2.17. */
import {
  EncryptionAlgorithmSpec as encryptionAlgorithms,
  type DecryptRequest, type DecryptResponse, type EncryptRequest, type EncryptResponse, type ReEncryptRequest, type ReEncryptResponse,
} from '@aws-sdk/client-kms';
import { keyErrors } from '../../keyring/index.ts';
import type { InputCheck } from './input-check.ts';
import {
  checkEncryptionContext, constrainCiphertext, constrainCryptography, constrainGrantTokens, constrainKeyId, constrainOptionalKeyId, constrainPlaintext,
} from './constraints.ts';
import type { KmsOperation } from './kms-operation.ts';

const symmetricAlgorithm = 'SYMMETRIC_DEFAULT';

export const Encrypt: KmsOperation<EncryptRequest, EncryptResponse> = {
  name: 'Encrypt',
  constrain: (input, check) => {
    constrainKeyId(check, input.KeyId);
    constrainPlaintext(check, input.Plaintext);
    constrainAlgorithm(check, 'encryptionAlgorithm', input.EncryptionAlgorithm);
    constrainCryptography(check, input);
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
  constrain: (input, check) => {
    constrainOptionalKeyId(check, input.KeyId);
    if (ignoresCiphertext(input)) check.required('keyId', input.KeyId);
    else constrainCiphertext(check, input.CiphertextBlob);
    constrainAlgorithm(check, 'encryptionAlgorithm', input.EncryptionAlgorithm);
    check.size('dryRunModifiers', input.DryRunModifiers, { min: 1, max: 1 });
    input.DryRunModifiers?.forEach((modifier, index) => check.oneOf(`dryRunModifiers.${index + 1}.member`, modifier, ['IGNORE_CIPHERTEXT']));
    constrainCryptography(check, input);
    check.done();
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
  constrain: (input, check) => {
    constrainCiphertext(check, input.CiphertextBlob);
    constrainOptionalKeyId(check, input.SourceKeyId, 'sourceKeyId');
    constrainKeyId(check, input.DestinationKeyId, 'destinationKeyId');
    constrainAlgorithm(check, 'sourceEncryptionAlgorithm', input.SourceEncryptionAlgorithm);
    constrainAlgorithm(check, 'destinationEncryptionAlgorithm', input.DestinationEncryptionAlgorithm);
    checkEncryptionContext(input.SourceEncryptionContext);
    checkEncryptionContext(input.DestinationEncryptionContext);
    constrainGrantTokens(check, input.GrantTokens);
    check.size('dryRunModifiers', input.DryRunModifiers, { min: 1, max: 1 });
    check.done();
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

function constrainAlgorithm(check: InputCheck, path: string, algorithm: string | undefined): void {
  check.oneOf(path, algorithm, Object.values(encryptionAlgorithms));
}

function ignoresCiphertext({ DryRun, DryRunModifiers }: DecryptRequest): boolean {
  return DryRun === true && DryRunModifiers?.includes('IGNORE_CIPHERTEXT') === true;
}
