/** Time, handed in so that tests can move it. */

export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. */
  nowMs(): number;
}

export const systemClock: Clock = { nowMs: () => Date.now() };

/** A clock that stands at a given time until it is moved. */
export class MovableClock implements Clock {
  #offsetMs = 0;

  nowMs(): number {
    return Date.now() + this.#offsetMs;
  }

  advanceMs(stepMs: number): void {
    this.#offsetMs += stepMs;
  }
}
