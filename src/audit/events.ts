/**
 * What is recorded of the use of keys. Never holds plain text, ciphertext, key material or tokens.
 */

export interface KeyUseEvent {
  /** KMS operation, such as `Decrypt`. */
  eventName: string;
  /** Absent when the request failed before its key was known. */
  keyArn?: string | undefined;
  keyMaterialId?: string | undefined;
  encryptionContext?: Readonly<Record<string, string>> | undefined;
  /** Empty for anonymous callers. */
  callerArn: string;
  /** The service that acts in the caller's name, such as `s3`. */
  invokedBy?: string | undefined;
  /** Of the request that the caller made, be it to KMS or to S3. */
  requestId: string;
  sourceIp: string;
  /** Wire code of the refusal; absent on success. */
  errorCode?: string | undefined;
}

/** Where events go. The write is accepted before the answer that it tells of leaves. */
export interface AuditLog {
  recordKeyUse(event: KeyUseEvent): void;
}

/** Keeps nothing: for tools that work without a server. */
export const noAuditLog: AuditLog = { recordKeyUse: () => undefined };
