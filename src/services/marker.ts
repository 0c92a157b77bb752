/**
 * Continuation markers of lists: opaque text that says behind which entry the next page begins.
 * A marker of another list, a cut or an invented one is told from a real one by its check sum; it is no secret,
 * and a forged one shows nothing that the list itself would not show.
 */
import { createHash } from 'node:crypto';

const checkSizeBytes = 6;

/** `list` names the list and whatever filters it, so that a marker fits only where it came from. */
export function encodeMarker(list: string, after: string): string {
  return Buffer.concat([checkOf(list, after), Buffer.from(after)]).toString('base64url');
}

/** The entry behind which to go on; undefined when the marker is not one of this list. */
export function decodeMarker(list: string, marker: string): string | undefined {
  const bytes = Buffer.from(marker, 'base64url');
  if (bytes.byteLength <= checkSizeBytes || bytes.toString('base64url') !== marker) return undefined;
  const after = bytes.toString('utf8', checkSizeBytes);
  return checkOf(list, after).equals(bytes.subarray(0, checkSizeBytes)) ? after : undefined;
}

function checkOf(list: string, after: string): Buffer {
  return createHash('sha256').update(`${list}\0${after}`).digest().subarray(0, checkSizeBytes);
}
