/** How the processes of the tests talk to their parent: at once, and not ahead of what they did. */
import { readSync, writeSync } from 'node:fs';

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Writes the line before it returns, even when the parent is slow to read. */
export function say(line: string): void {
  let rest = Buffer.from(`${line}\n`);
  while (rest.byteLength > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(sleeper, 0, 0, 1);
    }
  }
}

/** Blocks until the parent has written a byte. */
export function waitForParent(): void {
  readSync(0, Buffer.alloc(1));
}
