/**
 * Constraints on members of an input, refused in the words of AWS's common validator:
 * `1 validation error detected: Value 'V' at 'lowerCamelField' failed to satisfy constraint: Member must ...`.
 * What KMS, IAM, STS and CloudTrail share; which member has which constraint is the services' matter.
 *
 * Source: contract kms-iam-audit.md 1.1.
 */
import { ServiceError } from '../base/index.ts';

export interface SizeBounds {
  min?: number;
  max?: number;
}

/** Collects what is wrong, so that one answer tells all. Paths are written as AWS does: `tags.1.member.tagKey`. */
export class Constraints {
  readonly #violations: string[] = [];

  required(path: string, value: unknown): void {
    if (value === undefined || value === null) this.#add('Value null', path, 'Member must not be null');
  }

  /** Length in characters; of an absent member nothing is asked. */
  text(path: string, value: string | undefined, { min, max, pattern }: SizeBounds & { pattern?: RegExp }): void {
    if (value === undefined) return;
    const shown = `Value '${value}'`;
    this.#size(shown, path, value.length, 'length', { min, max });
    if (pattern !== undefined && !pattern.test(value)) {
      this.#add(shown, path, `Member must satisfy regular expression pattern: ${pattern.source}`);
    }
  }

  /** Length in bytes. The value is not echoed: it may be a secret. */
  blob(path: string, value: Uint8Array | undefined, bounds: SizeBounds): void {
    if (value !== undefined) this.#size('Value', path, value.byteLength, 'length', bounds);
  }

  number(path: string, value: number | undefined, bounds: SizeBounds): void {
    if (value !== undefined) this.#size(`Value '${value}'`, path, value, 'value', bounds);
  }

  /** How many elements. */
  list(path: string, value: readonly unknown[] | undefined, bounds: SizeBounds): void {
    if (value !== undefined) this.#size(`Value '[${value.map(String).join(', ')}]'`, path, value.length, 'length', bounds);
  }

  oneOf(path: string, value: string | undefined, allowed: readonly string[]): void {
    if (value !== undefined && !allowed.includes(value)) {
      this.#add(`Value '${value}'`, path, `Member must satisfy enum value set: [${allowed.join(', ')}]`);
    }
  }

  /** Throws ServiceError when anything was wrong; `code` as the service spells it. */
  check(code: 'ValidationException' | 'ValidationError' = 'ValidationException'): void {
    const count = this.#violations.length;
    if (count === 0) return;
    throw new ServiceError(code, 400, `${count} validation error${count === 1 ? '' : 's'} detected: ${this.#violations.join('; ')}`);
  }

  #size(shown: string, path: string, size: number, measure: 'length' | 'value', { min, max }: SizeBounds): void {
    if (min !== undefined && !(size >= min)) this.#add(shown, path, `Member must have ${measure} greater than or equal to ${min}`);
    else if (max !== undefined && !(size <= max)) this.#add(shown, path, `Member must have ${measure} less than or equal to ${max}`);
  }

  #add(shown: string, path: string, constraint: string): void {
    this.#violations.push(`${shown} at '${path}' failed to satisfy constraint: ${constraint}`);
  }
}
