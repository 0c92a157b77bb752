/** Randomness for keys and names, drawn in bulk: one draw costs the same for 32 bytes as for thousands. */
import { randomFillSync } from 'node:crypto';

const pool = Buffer.allocUnsafeSlow(4_096);
let usedBytes = pool.byteLength;

/** So many fresh random bytes, fit for keys. The receiver owns them; no copy stays behind. At most 1,024. */
export function freshRandom(sizeBytes: number): Buffer {
  if (sizeBytes > 1_024) throw new RangeError('a draw from the pool has at most 1,024 bytes');
  if (usedBytes + sizeBytes > pool.byteLength) {
    randomFillSync(pool);
    usedBytes = 0;
  }
  const drawn = pool.subarray(usedBytes, usedBytes + sizeBytes);
  usedBytes += sizeBytes;
  const bytes = Buffer.from(drawn);
  drawn.fill(0);
  return bytes;
}
