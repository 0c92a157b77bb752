/** Collects the constraints of one input, so that one answer names every violation. Words: services/validation.ts. */
import { validate, type Constraint } from '../validation.ts';

export interface SizeBounds {
  min?: number;
  max?: number;
}

/** Of an absent member nothing is asked, except by `required`. Paths are written as AWS does: `tags.1.member.tagKey`. */
export class InputCheck {
  readonly #constraints: Constraint[] = [];

  required(field: string, value: Constraint['value']): void {
    this.#constraints.push({ field, value, required: true });
  }

  /** Length in characters. `pattern` must match the whole value. */
  text(field: string, value: string | undefined, { min, max, pattern }: SizeBounds & { pattern?: string }): void {
    this.#constraints.push({ field, value, ...(min === undefined ? {} : { lengthMin: min }), ...(max === undefined ? {} : { lengthMax: max }), ...(pattern === undefined ? {} : { pattern }) });
  }

  /** Length in bytes, or number of elements. */
  size(field: string, value: Uint8Array | readonly unknown[] | undefined, { min = 0, max = Infinity }: SizeBounds): void {
    this.#constraints.push({ field, value, lengthMin: min, lengthMax: max });
  }

  number(field: string, value: number | undefined, { min, max }: Required<SizeBounds>): void {
    this.#constraints.push({ field, value, valueMin: min, valueMax: max });
  }

  oneOf(field: string, value: string | undefined, allowed: readonly string[]): void {
    this.#constraints.push({ field, value, oneOf: allowed });
  }

  /** Throws ServiceError ValidationException when anything so far is out of bounds. */
  done(): void {
    validate(this.#constraints);
  }
}
