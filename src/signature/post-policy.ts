/**
 * The policy of a browser's POST form: what the form's author allowed the holder to upload.
 * Source: contract kms-iam-audit 5.4; s3-encryption 14.2, E61, E62.
 */
import { ServiceError } from '../base/index.ts';
import { payloadTooLarge, payloadTooSmall } from './payload-errors.ts';

export interface PostPolicy {
  readonly expiresAtMs: number;
  readonly conditions: readonly PostCondition[];
  /** Allowed size of the file in bytes, the narrowest of all ranges; undefined when the policy names none. */
  readonly contentLengthRange: { readonly min: number; readonly max: number } | undefined;
}

export interface PostCondition {
  readonly operator: 'eq' | 'starts-with';
  /** Lower-case field name, without `$`. */
  readonly field: string;
  /** As the policy spells it, for messages. */
  readonly spelling: string;
  readonly value: string;
}

const POLICY_SIZE_CHARS_MAX = 64 * 1024;

/** Fields that no condition need cover. */
const UNCOVERED = new Set(['policy', 'x-amz-signature', 'signature', 'awsaccesskeyid', 'file']);

/** Reads the base64 JSON of a `policy` field. Errors: 400 InvalidPolicyDocument. */
export function parsePostPolicy(base64: string): PostPolicy {
  const document = readJson(base64);
  if (typeof document !== 'object' || document === null || Array.isArray(document)) throw invalidPolicy('Invalid JSON.');
  const { expiration, conditions } = document as { expiration?: unknown; conditions?: unknown };
  for (const name of Object.keys(document)) {
    if (name !== 'expiration' && name !== 'conditions') throw invalidPolicy(`Unexpected: '${name}'.`);
  }
  if (expiration === undefined) throw invalidPolicy('Policy missing expiration.');
  const expiresAtMs = typeof expiration === 'string' ? parseExpiration(expiration) : undefined;
  if (expiresAtMs === undefined) throw invalidPolicy(`Invalid 'expiration' value: '${String(expiration)}'.`);
  if (!Array.isArray(conditions)) throw invalidPolicy('Policy missing conditions.');

  const parsed: PostCondition[] = [];
  let contentLengthRange: PostPolicy['contentLengthRange'];
  for (const condition of conditions as unknown[]) {
    if (Array.isArray(condition)) {
      const [operator, second, third] = condition as unknown[];
      if (typeof operator !== 'string' || condition.length !== 3) throw invalidCondition('wrong number of arguments.');
      switch (operator.toLowerCase()) {
        case 'eq':
          parsed.push(fieldCondition('eq', second, third));
          break;
        case 'starts-with':
          parsed.push(fieldCondition('starts-with', second, third));
          break;
        case 'content-length-range': {
          const min = sizeOf(second);
          const max = sizeOf(third);
          contentLengthRange = {
            min: Math.max(min, contentLengthRange?.min ?? 0),
            max: Math.min(max, contentLengthRange?.max ?? max),
          };
          break;
        }
        default:
          throw invalidCondition(`unknown operation '${operator}'.`);
      }
    } else if (typeof condition === 'object' && condition !== null) {
      const entries = Object.entries(condition);
      if (entries.length !== 1) throw invalidSimpleCondition('Simple-Conditions must have exactly one property specified.');
      const [name, value] = entries[0] as [string, unknown];
      if (typeof value !== 'string') throw invalidSimpleCondition('value must be a string.');
      parsed.push({ operator: 'eq', field: name.toLowerCase(), spelling: name, value });
    } else {
      throw invalidCondition('a condition must be an object or a list.');
    }
  }
  return { expiresAtMs, conditions: parsed, contentLengthRange };
}

/**
 * Whether the form keeps to its policy. `fields` are all form fields but the file, by lower-case name, together with
 * `bucket` (the addressed one) and with `${filename}` in `key` replaced.
 * `contentLength` is the size of the file; leave it out to check it later with `checkPostContentLength`.
 * Errors: 403 AccessDenied (E61, E62), 400 EntityTooLarge, EntityTooSmall.
 */
export function checkPostPolicy(policy: PostPolicy, fields: ReadonlyMap<string, string>, contentLength?: number): void {
  const covered = new Set<string>();
  for (const condition of policy.conditions) {
    covered.add(condition.field);
    if (!holds(condition, fields.get(condition.field) ?? '')) {
      const { operator, spelling, value } = condition;
      const shown = `["${operator}", ${JSON.stringify(`$${spelling}`)}, ${JSON.stringify(value)}]`;
      throw accessDenied(`Invalid according to Policy: Policy Condition failed: ${shown}`);
    }
  }
  const extra: string[] = [];
  for (const name of fields.keys()) {
    if (!covered.has(name) && !UNCOVERED.has(name) && !name.startsWith('x-ignore-')) extra.push(name);
  }
  if (extra.length > 0) throw accessDenied(`Invalid according to Policy: Extra input fields: ${extra.join(', ')}`);
  if (contentLength !== undefined) checkPostContentLength(policy, contentLength);
}

/** Whether the file's size is within the policy's content-length-range. Errors: 400 EntityTooLarge, EntityTooSmall. */
export function checkPostContentLength({ contentLengthRange }: PostPolicy, contentLength: number): void {
  if (contentLengthRange === undefined) return;
  if (contentLength > contentLengthRange.max) throw payloadTooLarge(contentLength, contentLengthRange.max);
  if (contentLength < contentLengthRange.min) throw payloadTooSmall(contentLength, contentLengthRange.min);
}

export function refuseExpiredPolicy(policy: PostPolicy, nowMs: number): void {
  if (nowMs >= policy.expiresAtMs) throw accessDenied('Invalid according to Policy: Policy expired.');
}

function holds({ operator, field, value }: PostCondition, sent: string): boolean {
  if (operator === 'eq') return sent === value;
  // A form may give several content types in one field; each must match.
  if (field === 'content-type' && sent.includes(',')) return sent.split(',').every((type) => type.trim().startsWith(value));
  return sent.startsWith(value);
}

function fieldCondition(operator: PostCondition['operator'], name: unknown, value: unknown): PostCondition {
  if (typeof name !== 'string' || !name.startsWith('$') || name.length < 2) {
    throw invalidCondition(`the field of '${operator}' must be a name that begins with '$'.`);
  }
  if (typeof value !== 'string') throw invalidCondition(`the value of '${operator}' must be a string.`);
  const spelling = name.slice(1);
  return { operator, field: spelling.toLowerCase(), spelling, value };
}

function sizeOf(value: unknown): number {
  const size = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw invalidCondition("the bounds of 'content-length-range' must be non-negative integers.");
  }
  return size;
}

function readJson(base64: string): unknown {
  if (base64.length > POLICY_SIZE_CHARS_MAX) throw invalidPolicy('The policy is too long.');
  const compact = base64.replace(/[\r\n\t ]+/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) throw invalidPolicy('Invalid base64.');
  const text = Buffer.from(compact, 'base64').toString('utf8');
  try {
    // AWS's guide has authors escape a dollar sign, an escape that JSON does not know.
    return JSON.parse(text.replace(/\\([\\$])/g, (escape, char) => (char === '$' ? '$' : escape)));
  } catch {
    throw invalidPolicy('Invalid JSON.');
  }
}

const EXPIRATION = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z$/;

function parseExpiration(text: string): number | undefined {
  if (!EXPIRATION.test(text)) return undefined;
  const timeMs = Date.parse(text);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}

function accessDenied(message: string): ServiceError {
  return new ServiceError('AccessDenied', 403, message);
}

function invalidPolicy(reason: string): ServiceError {
  return new ServiceError('InvalidPolicyDocument', 400, `Invalid Policy: ${reason}`);
}

function invalidCondition(reason: string): ServiceError {
  return invalidPolicy(`Invalid Condition: ${reason}`);
}

function invalidSimpleCondition(reason: string): ServiceError {
  return invalidPolicy(`Invalid Simple-Condition: ${reason}`);
}
