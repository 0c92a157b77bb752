/** The customer's key of SSE-C objects, from a file: a command line shows in the list of processes. */
import { readFileSync } from 'node:fs';
import { decodeBase64 } from '../base/index.ts';

/** 32 raw bytes, or their base64 or hex as text. Throws with a message for the operator. */
export function readCustomerKeyFile(path: string): Buffer {
  const bytes = readFileSync(path);
  if (bytes.byteLength === 32) return bytes;
  const text = bytes.toString('latin1').trim();
  const key = /^[0-9a-fA-F]{64}$/.test(text) ? Buffer.from(text, 'hex') : decodeBase64(text);
  if (key?.byteLength !== 32) throw new Error(`${path} holds no 256-bit key: expected 32 raw bytes, or their base64 or hex`);
  return key;
}
