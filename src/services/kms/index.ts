/**
 * The KMS API: what each operation takes, checks and answers. The keys themselves are `keyring`.
 * Files carry the name of their operation, or of the first of a small family.
 */
import type { KeyService } from '../../keyring/index.ts';
import type { Operation, OperationTable } from '../operation.ts';
import { CreateAlias, DeleteAlias, ListAliases, UpdateAlias } from './CreateAlias.ts';
import { CreateKey } from './CreateKey.ts';
import { DescribeKey, ListKeys, UpdateKeyDescription } from './DescribeKey.ts';
import { DisableKey, EnableKey } from './EnableKey.ts';
import { DisableKeyRotation, EnableKeyRotation, GetKeyRotationStatus, ListKeyRotations, RotateKeyOnDemand } from './EnableKeyRotation.ts';
import { Decrypt, Encrypt, ReEncrypt } from './Encrypt.ts';
import { GenerateDataKey, GenerateDataKeyWithoutPlaintext } from './GenerateDataKey.ts';
import { GenerateDataKeyPair, GenerateDataKeyPairWithoutPlaintext } from './GenerateDataKeyPair.ts';
import { GenerateMac, VerifyMac } from './GenerateMac.ts';
import { GenerateRandom } from './GenerateRandom.ts';
import { DeriveSharedSecret, GetPublicKey } from './GetPublicKey.ts';
import { kmsOperation, type KmsOperation } from './kms-operation.ts';
import { GetKeyPolicy, ListKeyPolicies, PutKeyPolicy } from './PutKeyPolicy.ts';
import { CancelKeyDeletion, ScheduleKeyDeletion } from './ScheduleKeyDeletion.ts';
import { Sign, Verify } from './Sign.ts';
import { ListResourceTags, TagResource, UntagResource } from './TagResource.ts';
import { unsupportedOperation, unsupportedOperations } from './unsupported.ts';

/** All operations of KMS over one key service, those that are not built included. */
export function kmsOperations(keys: KeyService): OperationTable {
  const table = new Map<string, Operation<never, unknown>>();
  const add = <Input, Output>(operation: KmsOperation<Input, Output>): void => void table.set(operation.name, kmsOperation(keys, operation));
  add(CreateKey);
  add(DescribeKey);
  add(ListKeys);
  add(UpdateKeyDescription);
  add(EnableKey);
  add(DisableKey);
  add(ScheduleKeyDeletion);
  add(CancelKeyDeletion);
  add(CreateAlias);
  add(UpdateAlias);
  add(DeleteAlias);
  add(ListAliases);
  add(TagResource);
  add(UntagResource);
  add(ListResourceTags);
  add(GetKeyPolicy);
  add(PutKeyPolicy);
  add(ListKeyPolicies);
  add(EnableKeyRotation);
  add(DisableKeyRotation);
  add(GetKeyRotationStatus);
  add(ListKeyRotations);
  add(RotateKeyOnDemand);
  add(Encrypt);
  add(Decrypt);
  add(ReEncrypt);
  add(GenerateDataKey);
  add(GenerateDataKeyWithoutPlaintext);
  add(GenerateRandom);
  add(GetPublicKey);
  add(DeriveSharedSecret);
  add(Sign);
  add(Verify);
  add(GenerateMac);
  add(VerifyMac);
  add(GenerateDataKeyPair);
  add(GenerateDataKeyPairWithoutPlaintext);
  for (const name of unsupportedOperations) table.set(name, unsupportedOperation(keys, name));
  return table;
}
