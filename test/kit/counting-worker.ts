/** A cluster worker that counts the bytes it is told to and stays: for tests that add up several processes. */
import { createMetrics } from '../../src/server/metrics.ts';

createMetrics().sealed(Number(process.env['COUNTED_BYTES']));
process.send?.('counted');
