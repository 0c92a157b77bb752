/** Request ids as AWS forms them: 16 upper-case hex digits and an opaque host id on S3, UUIDs elsewhere. */
import { randomBytes, randomFillSync } from 'node:crypto';

const pool = Buffer.alloc(4_096);
let position = pool.length;

/** From a pool, because a system call for each request would show. Ids are unique, not secret. */
export function newS3RequestId(): string {
  if (position === pool.length) {
    randomFillSync(pool);
    position = 0;
  }
  position += 8;
  return pool.toString('hex', position - 8, position).toUpperCase();
}

/** Tells which process answered; the same for all its answers. */
export const hostId = randomBytes(48).toString('base64');
