/**
 * Sealing under a salt of the caller's choosing. ONLY tests import this: to seal two messages under one key,
 * salt and context is to give both away.
 */
import type { Bytes } from '../base/index.ts';
import { Message, sealMessage } from './message.ts';

/** As `seal`, with these 24 bytes for salt. */
export function sealWithSalt(inputKey: Bytes, salt: Bytes, context: Bytes, plaintext: Bytes): Buffer {
  return sealMessage(new Message(inputKey, salt, context), plaintext);
}
