/**
 * Ends transfers whose other side has gone quiet. One timer for all of them, so that watching costs
 * nothing per byte: a transfer says how much it has moved and whether it waits, and is looked at now and then.
 */

export interface Transfer {
  /** Bytes moved so far. */
  readonly movedBytes: number;
  /** The other side is the one that everybody waits for. */
  readonly waiting: boolean;
  stalled(): void;
}

export interface StallLimits {
  /** A wait of this long in which fewer than `progressBytesMin` bytes moved is a stall. */
  windowMs: number;
  progressBytesMin: number;
}

interface Watched {
  bytesAtWindowStart: number;
  ticksWaited: number;
}

const ticksPerWindow = 8;

export class StallWatch {
  readonly #limits: StallLimits;
  readonly #transfers = new Map<Transfer, Watched>();
  readonly #timer: NodeJS.Timeout;

  constructor(limits: StallLimits) {
    this.#limits = limits;
    this.#timer = setInterval(() => this.#look(), Math.ceil(limits.windowMs / ticksPerWindow));
    this.#timer.unref();
  }

  add(transfer: Transfer): void {
    this.#transfers.set(transfer, { bytesAtWindowStart: transfer.movedBytes, ticksWaited: 0 });
  }

  delete(transfer: Transfer): void {
    this.#transfers.delete(transfer);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#transfers.clear();
  }

  #look(): void {
    for (const [transfer, watched] of this.#transfers) {
      if (transfer.movedBytes - watched.bytesAtWindowStart >= this.#limits.progressBytesMin) {
        watched.bytesAtWindowStart = transfer.movedBytes;
        watched.ticksWaited = 0;
      } else if (transfer.waiting && ++watched.ticksWaited >= ticksPerWindow) {
        this.#transfers.delete(transfer);
        transfer.stalled();
      }
    }
  }
}
