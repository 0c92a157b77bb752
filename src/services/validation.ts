/**
 * Constraint violations in AWS's words. Length, range, pattern and enumeration are in no client schema: each service
 * names them where it uses them, this file checks and words them. Missing members are wire's matter.
 * Source: contract kms-iam-audit 1.1 (KMS, CloudTrail: ValidationException), 3.4 and 4 (IAM, STS: ValidationError).
 */
import { ServiceError } from '../base/errors.ts';

export interface Constraint {
  /** As messages write it: lower camel case, with the path of a nested one, such as `tags.1.member.tagKey`. */
  readonly field: string;
  /** Undefined satisfies everything but `required`. */
  readonly value: string | number | Uint8Array | readonly unknown[] | Readonly<Record<string, unknown>> | undefined;
  readonly required?: boolean;
  /** Characters of a string, bytes of a blob, entries of a list or map. */
  readonly lengthMin?: number;
  readonly lengthMax?: number;
  readonly valueMin?: number;
  readonly valueMax?: number;
  /** AWS's text of the pattern; the whole value must match. */
  readonly pattern?: string;
  readonly oneOf?: readonly string[];
  /** The value is left out of the message, as AWS does for blobs (always here) and secrets. */
  readonly hidden?: boolean;
}

/** Throws one ServiceError (400) that names every violation, or returns. */
export function validate(constraints: readonly Constraint[], code: 'ValidationException' | 'ValidationError' = 'ValidationException'): void {
  const clauses = constraints.flatMap(violationsOf);
  if (clauses.length > 0) throw new ServiceError(code, 400, violationMessage(clauses));
}

/** `2 validation errors detected: ...; ...`. */
export function violationMessage(clauses: readonly string[]): string {
  return `${clauses.length} validation error${clauses.length === 1 ? '' : 's'} detected: ${clauses.join('; ')}`;
}

/** One clause for each violated constraint of the field. */
export function violationsOf(constraint: Constraint): string[] {
  const { field, value } = constraint;
  const clauses: string[] = [];
  const refuse = (demand: string): void => {
    clauses.push(`Value ${shown(constraint)}at '${field}' failed to satisfy constraint: Member must ${demand}`);
  };
  if (value === undefined) {
    if (constraint.required) refuse('not be null');
    return clauses;
  }
  const length = lengthOf(value);
  if (length !== undefined) {
    if (constraint.lengthMin !== undefined && length < constraint.lengthMin) refuse(`have length greater than or equal to ${constraint.lengthMin}`);
    if (constraint.lengthMax !== undefined && length > constraint.lengthMax) refuse(`have length less than or equal to ${constraint.lengthMax}`);
  }
  if (typeof value === 'number') {
    if (constraint.valueMin !== undefined && value < constraint.valueMin) refuse(`have value greater than or equal to ${constraint.valueMin}`);
    if (constraint.valueMax !== undefined && value > constraint.valueMax) refuse(`have value less than or equal to ${constraint.valueMax}`);
  }
  if (typeof value === 'string') {
    if (constraint.pattern !== undefined && !wholeMatch(constraint.pattern).test(value)) refuse(`satisfy regular expression pattern: ${constraint.pattern}`);
    if (constraint.oneOf !== undefined && !constraint.oneOf.includes(value)) refuse(`satisfy enum value set: [${constraint.oneOf.join(', ')}]`);
  }
  return clauses;
}

const VALUE_SHOWN_CHARS_MAX = 8192;

function shown({ value, hidden }: Constraint): string {
  if (value === undefined) return 'null ';
  if (hidden || value instanceof Uint8Array) return '';
  const text = Array.isArray(value) ? `[${value.map(String).join(', ')}]` : typeof value === 'object' ? `{${Object.entries(value).map(([key, item]) => `${key}=${String(item)}`).join(', ')}}` : String(value);
  return `'${text.slice(0, VALUE_SHOWN_CHARS_MAX)}' `;
}

function lengthOf(value: Exclude<Constraint['value'], undefined>): number | undefined {
  if (typeof value === 'string' || Array.isArray(value)) return value.length;
  if (value instanceof Uint8Array) return value.byteLength;
  return typeof value === 'object' ? Object.keys(value).length : undefined;
}

const patterns = new Map<string, RegExp>();

function wholeMatch(pattern: string): RegExp {
  let compiled = patterns.get(pattern);
  if (!compiled) patterns.set(pattern, (compiled = new RegExp(`^(?:${pattern})$`, 'su')));
  return compiled;
}
