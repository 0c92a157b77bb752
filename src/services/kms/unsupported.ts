/** The KMS operations that are not built: each answers with its name, none pretends. */
import type { KeyService } from '../../keyring/index.ts';
import { keyErrors } from '../../keyring/index.ts';
import type { Operation } from '../operation.ts';

export const unsupportedOperations = [
  'CreateGrant', 'ListGrants', 'ListRetirableGrants', 'RetireGrant', 'RevokeGrant',
  'Encapsulate', 'Decapsulate',
  'GetParametersForImport', 'ImportKeyMaterial', 'DeleteImportedKeyMaterial', 'GetKeyLastUsage',
  'ReplicateKey', 'UpdatePrimaryRegion',
  'CreateCustomKeyStore', 'ConnectCustomKeyStore', 'DescribeCustomKeyStores', 'DisconnectCustomKeyStore', 'UpdateCustomKeyStore',
  'DeleteCustomKeyStore',
] as const;

export function unsupportedOperation(keys: KeyService, name: string): Operation<unknown, never> {
  return {
    name,
    demands: () => [],
    act: async ({ caller }) => {
      const refusal = keyErrors.unsupported(`The operation ${name} is not supported.`);
      keys.recordRefusal(caller, name, refusal);
      throw refusal;
    },
  };
}
