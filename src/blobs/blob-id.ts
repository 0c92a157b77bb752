/** What every blob engine checks before an id becomes a name. */
import { assert } from '../base/index.ts';
import type { BlobId } from './blob-store.ts';

const idPattern = /^[0-9a-f]{32}$/;

export function isBlobId(text: string): text is BlobId {
  return idPattern.test(text);
}

/** INVARIANT: an id never carries anything that a path or an address could give another meaning. */
export function checkBlobId(id: BlobId): void {
  assert(isBlobId(id), 'a blob id is 32 lower-case hex digits');
}
