/**
 * Which operation is possible in which key state, as data.
 * Source: contract kms-iam-audit.md 2.5 (AWS: "Key states of KMS keys").
 */
import type { ServiceError } from '../base/index.ts';
import { keyErrors } from './key-errors.ts';
import type { KeyRecord, KeyState } from './records.ts';

/**
 * Why not: D disabled, P pending deletion, I pending import, U unavailable, N not pending deletion,
 * E not with a key of this origin.
 */
export type StateRefusal = 'D' | 'P' | 'I' | 'U' | 'N' | 'E';

type Row = Partial<Record<KeyState, StateRefusal>>;

const cryptography: Row = { Disabled: 'D', PendingDeletion: 'P', PendingImport: 'I', Unavailable: 'U' };
const always: Row = {};
const notWhileDying: Row = { PendingDeletion: 'P' };
const enabling: Row = { PendingDeletion: 'P', PendingImport: 'I' };
const rotationSetting: Row = { Disabled: 'D', PendingDeletion: 'P', PendingImport: 'E', Unavailable: 'E' };

/** ReEncrypt is asked for the source and for the destination. */
export const stateTable = {
  Encrypt: cryptography,
  Decrypt: cryptography,
  ReEncrypt: cryptography,
  GenerateDataKey: cryptography,
  GenerateDataKeyWithoutPlaintext: cryptography,
  GenerateDataKeyPair: cryptography,
  GenerateDataKeyPairWithoutPlaintext: cryptography,
  Sign: cryptography,
  Verify: cryptography,
  GenerateMac: cryptography,
  VerifyMac: cryptography,
  DeriveSharedSecret: cryptography,
  GetPublicKey: { PendingDeletion: 'P', PendingImport: 'I', Unavailable: 'U' },
  CreateGrant: { Disabled: 'D', PendingDeletion: 'P', PendingImport: 'I' },
  ListGrants: always,
  RetireGrant: always,
  RevokeGrant: always,
  DescribeKey: always,
  GetKeyPolicy: always,
  PutKeyPolicy: always,
  ListKeyPolicies: always,
  ListResourceTags: always,
  ListAliases: always,
  DeleteAlias: always,
  EnableKey: enabling,
  DisableKey: enabling,
  UpdateKeyDescription: notWhileDying,
  TagResource: notWhileDying,
  UntagResource: notWhileDying,
  CreateAlias: notWhileDying,
  /** Of the new target; the old one may be in any state. */
  UpdateAlias: notWhileDying,
  ScheduleKeyDeletion: notWhileDying,
  CancelKeyDeletion: { Enabled: 'N', Disabled: 'N', PendingImport: 'N', Unavailable: 'N' },
  EnableKeyRotation: rotationSetting,
  DisableKeyRotation: rotationSetting,
  RotateKeyOnDemand: { Disabled: 'D', PendingDeletion: 'P', PendingImport: 'I', Unavailable: 'E' },
  GetKeyRotationStatus: always,
  ListKeyRotations: always,
} as const satisfies Record<string, Row>;

/** Operations that ask for the state of a key. */
export type KeyOperation = keyof typeof stateTable;

/** The refusal of `operation` in the key's present state, or undefined. */
export function stateRefusal(operation: KeyOperation, key: Pick<KeyRecord, 'arn' | 'state' | 'origin'>): ServiceError | undefined {
  const row: Row = stateTable[operation];
  switch (row[key.state]) {
    case undefined: return undefined;
    case 'D': return keyErrors.disabled(key.arn);
    case 'P': return keyErrors.pendingDeletion(key.arn);
    case 'I': return keyErrors.pendingImport(key.arn);
    case 'U': return keyErrors.unavailable(key.arn);
    case 'N': return keyErrors.notPendingDeletion(key.arn);
    case 'E': return keyErrors.originNotValid(key.arn, key.origin);
  }
}
