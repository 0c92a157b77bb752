/** Why Coffer does not start with the settings it was given: what is wrong, and what would be right. */

export type ConfigErrorCode =
  /** No such flag, key or variable. */
  | 'unknown'
  /** The value cannot be understood or is out of range. */
  | 'invalid'
  /** Understood, and not built yet. */
  | 'not-built'
  /** Two settings that do not go together, or one that lacks its other half. */
  | 'conflict'
  /** The configuration file cannot be read or is no JSON object. */
  | 'unreadable';

export class ConfigError extends Error {
  readonly code: ConfigErrorCode;

  constructor(code: ConfigErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ConfigError';
    this.code = code;
  }
}

/** The known word that a mistyped one most likely means, or undefined when none is near. */
export function nearest(word: string, known: Iterable<string>, distanceMax = Math.max(2, Math.floor(word.length / 3))): string | undefined {
  let best: string | undefined;
  let bestDistance = distanceMax + 1;
  for (const candidate of known) {
    const distance = editDistance(word, candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Insertions, deletions and replacements of single characters (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
