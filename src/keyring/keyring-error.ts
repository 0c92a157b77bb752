/** The one error of this room that is not an answer to a caller: it stops a start or a background job. */

export type KeyringErrorCode =
  /** The key file is absent and may not be created, readable by others, or not a key. */
  | 'key-file'
  /** The data was written under another root of trust. */
  | 'foreign-root'
  /** The data was written by a newer version of the program. */
  | 'newer-format'
  /** A record or a wrapped key in the catalog is not what it was when it was written. */
  | 'damaged'
  /** Other writers changed the same record again and again. */
  | 'contended';

export class KeyringError extends Error {
  readonly code: KeyringErrorCode;

  constructor(code: KeyringErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'KeyringError';
    this.code = code;
  }
}
