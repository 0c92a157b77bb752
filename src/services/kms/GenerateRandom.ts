/** GenerateRandom. Source: contract kms-iam-audit.md 2.9. */
import type { GenerateRandomRequest, GenerateRandomResponse } from '@aws-sdk/client-kms';
import { keyErrors } from '../../keyring/index.ts';
import type { KmsOperation } from './kms-operation.ts';

export const GenerateRandom: KmsOperation<GenerateRandomRequest, GenerateRandomResponse> = {
  name: 'GenerateRandom',
  constrain: (input, check) => {
    if (input.NumberOfBytes === undefined) throw keyErrors.validation('NumberOfBytes is required.');
    check.number('numberOfBytes', input.NumberOfBytes, { min: 1, max: 1024 });
    if (input.CustomKeyStoreId !== undefined) throw keyErrors.unsupported('Custom key stores are not supported.');
    if (input.Recipient !== undefined) throw keyErrors.unsupported('Recipient is not supported: there are no Nitro enclaves here.');
  },
  handle: async (keys, input, caller) => ({ Plaintext: await keys.generateRandom(caller, input.NumberOfBytes!) }),
};
