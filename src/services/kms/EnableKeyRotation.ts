/**
 * EnableKeyRotation, DisableKeyRotation, GetKeyRotationStatus, ListKeyRotations, RotateKeyOnDemand.
 * Source: contract kms-iam-audit.md 2.13.
 */
import {
  IncludeKeyMaterial as includeKeyMaterials,
  type DisableKeyRotationRequest, type EnableKeyRotationRequest, type GetKeyRotationStatusRequest, type GetKeyRotationStatusResponse,
  type ListKeyRotationsRequest, type ListKeyRotationsResponse, type RotateKeyOnDemandRequest, type RotateKeyOnDemandResponse,
} from '@aws-sdk/client-kms';
import { disableKeyRotation, enableKeyRotation, keyRotations, keyRotationStatus, rotateKeyOnDemand } from '../../keyring/index.ts';
import { constrainKeyId, constrainPage, pageOf, pageStart } from './constraints.ts';
import type { KmsOperation } from './kms-operation.ts';

const periodDaysMin = 90;
const periodDaysMax = 2560;
const listRotationsLimitMax = 1000;
const listRotationsLimitDefault = 100;

export const EnableKeyRotation: KmsOperation<EnableKeyRotationRequest, void> = {
  name: 'EnableKeyRotation',
  constrain: (input, check) => {
    constrainKeyId(check, input.KeyId);
    check.number('rotationPeriodInDays', input.RotationPeriodInDays, { min: periodDaysMin, max: periodDaysMax });
  },
  handle: (keys, input, caller) => enableKeyRotation(keys, caller, input.KeyId!, input.RotationPeriodInDays),
};

export const DisableKeyRotation: KmsOperation<DisableKeyRotationRequest, void> = {
  name: 'DisableKeyRotation',
  constrain: (input, check) => constrainKeyId(check, input.KeyId),
  handle: (keys, input, caller) => disableKeyRotation(keys, caller, input.KeyId!),
};

export const GetKeyRotationStatus: KmsOperation<GetKeyRotationStatusRequest, GetKeyRotationStatusResponse> = {
  name: 'GetKeyRotationStatus',
  constrain: (input, check) => constrainKeyId(check, input.KeyId),
  handle: async (keys, input, caller) => {
    const { keyArn, rotation } = await keyRotationStatus(keys, caller, input.KeyId!);
    return {
      KeyId: keyArn, KeyRotationEnabled: rotation !== undefined,
      ...(rotation ? { RotationPeriodInDays: rotation.periodDays, NextRotationDate: rotation.nextDate } : {}),
    };
  },
};

export const RotateKeyOnDemand: KmsOperation<RotateKeyOnDemandRequest, RotateKeyOnDemandResponse> = {
  name: 'RotateKeyOnDemand',
  constrain: (input, check) => constrainKeyId(check, input.KeyId),
  handle: async (keys, input, caller) => ({ KeyId: await rotateKeyOnDemand(keys, caller, input.KeyId!) }),
};

export const ListKeyRotations: KmsOperation<ListKeyRotationsRequest, ListKeyRotationsResponse> = {
  name: 'ListKeyRotations',
  constrain: (input, check) => {
    constrainKeyId(check, input.KeyId);
    check.oneOf('includeKeyMaterial', input.IncludeKeyMaterial, Object.values(includeKeyMaterials));
    constrainPage(check, input, listRotationsLimitMax, listOf(input));
  },
  handle: async (keys, input, caller) => {
    const list = listOf(input);
    const after = pageStart(list, input);
    const { keyArn, rotations } = await keyRotations(keys, caller, input.KeyId!, input.IncludeKeyMaterial);
    const found = rotations.slice(after === '' ? 0 : rotations.findIndex(({ id }) => id === after) + 1);
    const { page, rest } = pageOf(list, found, input.Limit ?? listRotationsLimitDefault, ({ id }) => id);
    const Rotations = page.map(({ id, createdAtMs, rotationType, current }) => ({
      KeyId: keyArn, KeyMaterialId: id, KeyMaterialState: current ? 'CURRENT' : 'NON_CURRENT',
      ...(rotationType ? { RotationDate: new Date(createdAtMs), RotationType: rotationType } : {}),
    } as const));
    return { Rotations, ...rest };
  },
};

function listOf({ KeyId, IncludeKeyMaterial }: ListKeyRotationsRequest): string {
  return `rotations ${KeyId} ${IncludeKeyMaterial ?? ''}`;
}
