/** The one error of this room. */

export type SealErrorCode =
  /** The sealed bytes end too early, or have a length that no message has. */
  | 'truncated'
  /** A chunk does not authenticate at its place: changed, moved, or cut off. */
  | 'chunk-forged'
  /** The header does not belong to this key and this context. */
  | 'commitment-mismatch'
  /** The key has not the size of a key. */
  | 'bad-key'
  /** More chunks than one message may have. */
  | 'too-large'
  /** An envelope or a blob of a version or scheme that this program does not know. */
  | 'unknown-format';

/**
 * Sealed bytes that do not open. The message is the same for every code, so that it may be shown to
 * anybody; the code is for the audit record.
 */
export class SealError extends Error {
  readonly code: SealErrorCode;

  constructor(code: SealErrorCode, options?: ErrorOptions) {
    super('The sealed data cannot be opened.', options);
    this.name = 'SealError';
    this.code = code;
  }
}
