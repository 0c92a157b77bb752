/**
 * Data keys that were unwrapped a moment ago, for objects that are read again and again. Only for schemes where nobody
 * has to be asked before each use: SSE-S3. Bounded in number and time; what leaves is wiped.
 */
import { wipe, type Clock } from '../base/index.ts';

interface Kept {
  key: Buffer;
  expiresAtMs: number;
}

const lifetimeMs = 60_000;
const countMax = 4_096;

export class DataKeyCache {
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A copy, which the receiver owns and wipes. */
  get(name: string): Buffer | undefined {
    const kept = this.#kept.get(name);
    if (kept === undefined) return undefined;
    if (kept.expiresAtMs > this.#clock.nowMs()) return Buffer.from(kept.key);
    wipe(kept.key);
    this.#kept.delete(name);
    return undefined;
  }

  /** Keeps a copy of its own. */
  keep(name: string, key: Buffer): void {
    if (this.#kept.size >= countMax) {
      for (const [oldest, kept] of this.#kept) {
        wipe(kept.key);
        this.#kept.delete(oldest);
        break;
      }
    }
    this.#kept.set(name, { key: Buffer.from(key), expiresAtMs: this.#clock.nowMs() + lifetimeMs });
  }

  clear(): void {
    for (const { key } of this.#kept.values()) wipe(key);
    this.#kept.clear();
  }
}
