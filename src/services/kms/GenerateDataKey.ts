/** GenerateDataKey, GenerateDataKeyWithoutPlaintext. Source: contract kms-iam-audit.md 2.9. */
import {
  DataKeySpec as dataKeySpecs,
  type GenerateDataKeyRequest, type GenerateDataKeyResponse, type GenerateDataKeyWithoutPlaintextRequest, type GenerateDataKeyWithoutPlaintextResponse,
} from '@aws-sdk/client-kms';
import { keyErrors } from '../../keyring/index.ts';
import type { InputCheck } from './input-check.ts';
import { constrainCryptography, constrainKeyId } from './constraints.ts';
import type { KmsOperation } from './kms-operation.ts';

export const GenerateDataKey: KmsOperation<GenerateDataKeyRequest, GenerateDataKeyResponse> = {
  name: 'GenerateDataKey',
  constrain: constrainDataKey,
  handle: async (keys, input, caller) => {
    const { plaintext, blob, keyArn, materialId } = await keys.generateDataKey(caller, input.KeyId!, optionsOf(input));
    return { CiphertextBlob: blob, Plaintext: plaintext, KeyId: keyArn, KeyMaterialId: materialId };
  },
};

export const GenerateDataKeyWithoutPlaintext: KmsOperation<GenerateDataKeyWithoutPlaintextRequest, GenerateDataKeyWithoutPlaintextResponse> = {
  name: 'GenerateDataKeyWithoutPlaintext',
  constrain: constrainDataKey,
  handle: async (keys, input, caller) => {
    const { blob, keyArn, materialId } = await keys.generateDataKey(caller, input.KeyId!, { ...optionsOf(input), withPlaintext: false });
    return { CiphertextBlob: blob, KeyId: keyArn, KeyMaterialId: materialId };
  },
};

function constrainDataKey(input: GenerateDataKeyRequest | GenerateDataKeyWithoutPlaintextRequest, check: InputCheck): void {
  constrainKeyId(check, input.KeyId);
  check.number('numberOfBytes', input.NumberOfBytes, { min: 1, max: 1024 });
  check.oneOf('keySpec', input.KeySpec, Object.values(dataKeySpecs));
  constrainCryptography(check, input);
  check.done();
  if ((input.KeySpec === undefined) === (input.NumberOfBytes === undefined)) {
    throw keyErrors.validation('Please specify either number of bytes or key spec.');
  }
}

function optionsOf(input: GenerateDataKeyWithoutPlaintextRequest) {
  const sizeBytes = input.NumberOfBytes ?? (input.KeySpec === 'AES_128' ? 16 : 32);
  return { sizeBytes, encryptionContext: input.EncryptionContext, dryRun: input.DryRun };
}
