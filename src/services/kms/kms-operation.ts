/**
 * The frame of every KMS operation: check the input's form, act, and answer refusals in KMS's codes.
 *
 * The pipeline's gate has nothing to decide here (`demands` is empty): which key a reference means is known only to
 * the key service, which resolves it and asks the gate about that very key in one step. Deciding about an alias
 * first and resolving it again later would let it move in between.
 */
import { Denied, type Caller } from '../../audit/index.ts';
import { ServiceError } from '../../base/index.ts';
import { keyErrors, type KeyService } from '../../keyring/index.ts';
import type { Operation } from '../operation.ts';
import { InputCheck } from './input-check.ts';

export interface KmsOperation<Input, Output> {
  name: string;
  /** What of the input is out of bounds, before anything is looked up. May throw for what the validator has no words for. */
  constrain(input: Input, check: InputCheck): void;
  handle(keys: KeyService, input: Input, caller: Caller): Promise<Output>;
}

/** An operation for the pipeline. What has no output answers with the empty one. */
export function kmsOperation<Input, Output>(keys: KeyService, { name, constrain, handle }: KmsOperation<Input, Output>): Operation<Input, object> {
  return {
    name,
    demands: () => [],
    act: async ({ input, caller }, call) => {
      try {
        checkForm(keys, name, input, caller, constrain);
        const output = await handle(keys, input, caller);
        noteKey(call.notes, output);
        return output ?? {};
      } catch (error) {
        throw kmsAnswer(error);
      }
    },
  };
}

/** A refused form is an attempt too, and goes on record like every other refusal. */
function checkForm<Input>(keys: KeyService, name: string, input: Input, caller: Caller, constrain: (input: Input, check: InputCheck) => void): void {
  try {
    const check = new InputCheck();
    constrain(input, check);
    check.done();
  } catch (error) {
    keys.recordRefusal(caller, name, error);
    throw error;
  }
}

/** Whatever went wrong, as KMS would answer it. */
function kmsAnswer(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof Denied) return keyErrors.accessDenied(error.message);
  return new ServiceError('KMSInternalException', 500, 'The request was rejected because an internal exception occurred. The request can be retried.', { cause: error });
}

function noteKey(notes: { keyArn?: string }, output: unknown): void {
  if (typeof output !== 'object' || output === null || !('KeyId' in output)) return;
  if (typeof output.KeyId === 'string' && output.KeyId.startsWith('arn:')) notes.keyArn = output.KeyId;
}
