/** The ways in which the object store says no. Services give them their AWS names. */

export type ObjectStoreErrorCode =
  | 'no-such-bucket'
  | 'bucket-exists'
  | 'bucket-not-empty'
  | 'no-such-key'
  /** No object can have this key: empty, longer than 1,024 bytes, or with a 00 byte. */
  | 'invalid-key'
  | 'no-such-version'
  | 'no-such-upload'
  | 'precondition-failed'
  | 'conflict'
  | 'invalid-part'
  | 'part-order'
  | 'part-too-small'
  /** A record was written by a newer program. */
  | 'newer-format'
  /** The bytes are not where the record says: replaced since the record was read, or, when it stays so, lost. Alarms. */
  | 'bytes-missing'
  /** A record or blob is not what it must be; bytes did not authenticate. Alarms. */
  | 'damaged';

export class ObjectStoreError extends Error {
  readonly code: ObjectStoreErrorCode;
  /** Facts for the answer, such as the part number. */
  readonly facts: Readonly<Record<string, string>>;

  constructor(code: ObjectStoreErrorCode, message: string, facts: Readonly<Record<string, string>> = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ObjectStoreError';
    this.code = code;
    this.facts = facts;
  }
}
