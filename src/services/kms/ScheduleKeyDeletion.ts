/** ScheduleKeyDeletion and CancelKeyDeletion. Source: contract kms-iam-audit.md 2.14. */
import type {
  CancelKeyDeletionRequest, CancelKeyDeletionResponse, ScheduleKeyDeletionRequest, ScheduleKeyDeletionResponse,
} from '@aws-sdk/client-kms';
import { cancelKeyDeletion, scheduleKeyDeletion } from '../../keyring/index.ts';
import { constrainKeyId } from './constraints.ts';
import type { KmsOperation } from './kms-operation.ts';

const windowDaysMin = 7;
const windowDaysMax = 30;

export const ScheduleKeyDeletion: KmsOperation<ScheduleKeyDeletionRequest, ScheduleKeyDeletionResponse> = {
  name: 'ScheduleKeyDeletion',
  constrain: (input, check) => {
    constrainKeyId(check, input.KeyId);
    check.number('pendingWindowInDays', input.PendingWindowInDays, { min: windowDaysMin, max: windowDaysMax });
  },
  handle: async (keys, input, caller) => {
    const PendingWindowInDays = input.PendingWindowInDays ?? windowDaysMax;
    const { keyArn, deletionDate } = await scheduleKeyDeletion(keys, caller, input.KeyId!, PendingWindowInDays);
    return { KeyId: keyArn, DeletionDate: deletionDate, KeyState: 'PendingDeletion', PendingWindowInDays };
  },
};

export const CancelKeyDeletion: KmsOperation<CancelKeyDeletionRequest, CancelKeyDeletionResponse> = {
  name: 'CancelKeyDeletion',
  constrain: (input, check) => constrainKeyId(check, input.KeyId),
  handle: async (keys, input, caller) => ({ KeyId: await cancelKeyDeletion(keys, caller, input.KeyId!) }),
};
