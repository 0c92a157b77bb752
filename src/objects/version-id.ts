/**
 * Version ids: 24 bytes in base64url, sequence (8) XOR the nonce's first half, then nonce (16).
 * The sequence finds the record, the nonce proves that it is the version meant; the XOR only makes the
 * two look like one opaque string.
 */
export interface VersionId {
  sequence: number;
  /** base64url, as in the record. */
  nonce: string;
}

export function encodeVersionId(version: { sequence: number; nonce: string; isNull: boolean }): string {
  if (version.isNull) return 'null';
  const nonce = Buffer.from(version.nonce, 'base64url');
  const head = Buffer.allocUnsafe(8);
  head.writeBigUInt64BE(BigInt(version.sequence) ^ nonce.readBigUInt64BE(0));
  return Buffer.concat([head, nonce]).toString('base64url');
}

/** Undefined when the text is no version id at all. `null` is not decoded here. */
export function decodeVersionId(text: string): VersionId | undefined {
  if (!/^[A-Za-z0-9_-]{32}$/.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  const sequence = bytes.readBigUInt64BE(0) ^ bytes.readBigUInt64BE(8);
  if (sequence > BigInt(Number.MAX_SAFE_INTEGER) || sequence === 0n) return undefined;
  return { sequence: Number(sequence), nonce: bytes.subarray(8).toString('base64url') };
}
