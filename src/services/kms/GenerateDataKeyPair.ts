/** GenerateDataKeyPair, GenerateDataKeyPairWithoutPlaintext. Source: contract kms-iam-audit.md 2.15. */
import {
  DataKeyPairSpec as pairSpecs,
  type GenerateDataKeyPairRequest, type GenerateDataKeyPairResponse,
  type GenerateDataKeyPairWithoutPlaintextRequest, type GenerateDataKeyPairWithoutPlaintextResponse,
} from '@aws-sdk/client-kms';
import { generateDataKeyPair, keyErrors, specTraits } from '../../keyring/index.ts';
import { constrainCryptography, constrainKeyId } from './constraints.ts';
import type { InputCheck } from './input-check.ts';
import type { KmsOperation } from './kms-operation.ts';

export const GenerateDataKeyPair: KmsOperation<GenerateDataKeyPairRequest, GenerateDataKeyPairResponse> = {
  name: 'GenerateDataKeyPair',
  constrain: constrainPair,
  handle: async (keys, input, caller) => {
    const pair = await generateDataKeyPair(keys, caller, input.KeyId!, { ...optionsOf(input), withPlaintext: true });
    return {
      PrivateKeyCiphertextBlob: pair.privateKeyBlob, PrivateKeyPlaintext: pair.privateKey, PublicKey: pair.publicKey,
      KeyId: pair.keyArn, KeyPairSpec: input.KeyPairSpec, KeyMaterialId: pair.materialId,
    };
  },
};

export const GenerateDataKeyPairWithoutPlaintext: KmsOperation<GenerateDataKeyPairWithoutPlaintextRequest, GenerateDataKeyPairWithoutPlaintextResponse> = {
  name: 'GenerateDataKeyPairWithoutPlaintext',
  constrain: constrainPair,
  handle: async (keys, input, caller) => {
    const pair = await generateDataKeyPair(keys, caller, input.KeyId!, { ...optionsOf(input), withPlaintext: false });
    return {
      PrivateKeyCiphertextBlob: pair.privateKeyBlob, PublicKey: pair.publicKey,
      KeyId: pair.keyArn, KeyPairSpec: input.KeyPairSpec, KeyMaterialId: pair.materialId,
    };
  },
};

function constrainPair(input: GenerateDataKeyPairRequest | GenerateDataKeyPairWithoutPlaintextRequest, check: InputCheck): void {
  constrainKeyId(check, input.KeyId);
  check.required('keyPairSpec', input.KeyPairSpec);
  check.oneOf('keyPairSpec', input.KeyPairSpec, Object.values(pairSpecs));
  constrainCryptography(check, input);
  check.done();
  if (specTraits(input.KeyPairSpec!) === undefined) throw keyErrors.unsupported(`Key pairs of spec ${input.KeyPairSpec} are not supported.`);
}

function optionsOf(input: GenerateDataKeyPairWithoutPlaintextRequest) {
  return { spec: input.KeyPairSpec!, encryptionContext: input.EncryptionContext, dryRun: input.DryRun };
}
