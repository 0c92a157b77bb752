/**
 * Bounds of KMS input members. Source: contract kms-iam-audit.md 2.6, KMS API Reference.
 */
import type { RecipientInfo, Tag } from '@aws-sdk/client-kms';
import { ServiceError } from '../../base/index.ts';
import { keyErrors } from '../../keyring/index.ts';
import { decodeMarker, encodeMarker } from '../marker.ts';
import type { InputCheck } from './input-check.ts';

/** JSON of a whole encryption context. */
const encryptionContextSizeMax = 8192;
const plaintextSizeBytesMax = 4096;
const ciphertextSizeBytesMax = 6144;
const aliasPattern = '^[a-zA-Z0-9:/_-]+$';

export function constrainKeyId(check: InputCheck, keyId: string | undefined, path = 'keyId'): void {
  check.required(path, keyId);
  constrainOptionalKeyId(check, keyId, path);
}

export function constrainOptionalKeyId(check: InputCheck, keyId: string | undefined, path = 'keyId'): void {
  check.text(path, keyId, { min: 1, max: 2048 });
}

export function constrainPlaintext(check: InputCheck, plaintext: Uint8Array | undefined, path = 'plaintext'): void {
  check.required(path, plaintext);
  check.size(path, plaintext, { min: 1, max: plaintextSizeBytesMax });
}

export function constrainCiphertext(check: InputCheck, blob: Uint8Array | undefined): void {
  check.required('ciphertextBlob', blob);
  check.size('ciphertextBlob', blob, { min: 1, max: ciphertextSizeBytesMax });
}

export function constrainAliasName(check: InputCheck, name: string | undefined): void {
  check.required('aliasName', name);
  check.text('aliasName', name, { min: 1, max: 256, pattern: aliasPattern });
}

export function constrainTags(check: InputCheck, tags: readonly Tag[] | undefined): void {
  tags?.forEach(({ TagKey, TagValue }, index) => {
    check.required(`tags.${index + 1}.member.tagKey`, TagKey);
    check.text(`tags.${index + 1}.member.tagKey`, TagKey, { min: 1, max: 128 });
    check.required(`tags.${index + 1}.member.tagValue`, TagValue);
    check.text(`tags.${index + 1}.member.tagValue`, TagValue, { min: 0, max: 256 });
  });
}

/** The members that all cryptographic operations share. */
interface CryptographicInput {
  EncryptionContext?: Record<string, string> | undefined;
  GrantTokens?: string[] | undefined;
  Recipient?: RecipientInfo | undefined;
}

export function constrainCryptography(check: InputCheck, input: CryptographicInput): void {
  checkEncryptionContext(input.EncryptionContext);
  constrainGrantTokens(check, input.GrantTokens);
  if (input.Recipient !== undefined) throw keyErrors.unsupported('Recipient is not supported: there are no Nitro enclaves here.');
}

/** Throws ServiceError ValidationException. Text that is not well-formed could not be bound to a ciphertext unambiguously. */
export function checkEncryptionContext(context: Record<string, string> | undefined): void {
  if (context === undefined) return;
  for (const [name, value] of Object.entries(context)) {
    if (!name.isWellFormed() || !value.isWellFormed()) throw keyErrors.validation('EncryptionContext holds text that is not well-formed.');
  }
  if (JSON.stringify(context).length > encryptionContextSizeMax) {
    throw keyErrors.validation(`EncryptionContext may have at most ${encryptionContextSizeMax} characters.`);
  }
}

/** There are no grants, hence no valid token; to ignore one would be to promise what it grants. */
export function constrainGrantTokens(check: InputCheck, tokens: readonly string[] | undefined): void {
  check.size('grantTokens', tokens, { max: 10 });
  tokens?.forEach((token, index) => check.text(`grantTokens.${index + 1}.member`, token, { min: 1, max: 8192 }));
  if (tokens !== undefined && tokens.length > 0) {
    check.done();
    throw new ServiceError('InvalidGrantTokenException', 400, undefined);
  }
}

interface PagedInput {
  Limit?: number | undefined;
  Marker?: string | undefined;
}

/** `list` as in `pageStart`. Throws ServiceError InvalidMarkerException. */
export function constrainPage(check: InputCheck, input: PagedInput, limitMax: number, list: string): void {
  check.number('limit', input.Limit, { min: 1, max: limitMax });
  check.text('marker', input.Marker, { min: 1, max: 1024 });
  check.done();
  pageStart(list, input);
}

/**
 * The entry behind which the page begins, empty for the first. `list` names the list and its filters: a marker
 * of another list does not fit. Throws ServiceError InvalidMarkerException.
 */
export function pageStart(list: string, { Marker }: PagedInput): string {
  if (Marker === undefined) return '';
  const after = decodeMarker(list, Marker);
  if (after === undefined) throw keyErrors.invalidMarker();
  return after;
}

/** One page out of `found`, which holds one entry more than `limit` when there is more. */
export function pageOf<T>(list: string, found: readonly T[], limit: number, nameOf: (entry: T) => string): { page: T[]; rest: { Truncated: boolean; NextMarker?: string } } {
  const page = found.slice(0, limit);
  if (found.length <= limit) return { page, rest: { Truncated: false } };
  return { page, rest: { Truncated: true, NextMarker: encodeMarker(list, nameOf(page.at(-1)!)) } };
}
