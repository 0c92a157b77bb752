/**
 * A key service in a process of its own over an LMDB catalog, driven by messages: the other worker in tests of
 * what several processes see of each other. Started with the catalog's path; answers every message in order.
 */
import { openLmdbCatalog } from '../../src/catalog/index.ts';
import { openTestKeys } from './keys.ts';

export interface KeyProcessRequest {
  operation: string;
  input: Record<string, unknown>;
}

export type KeyProcessAnswer = { output: unknown } | { refusal: string };

const path = process.argv[2];
if (path === undefined) throw new Error('the path of the catalog is missing');
const catalog = await openLmdbCatalog({ path });
const opened = await openTestKeys({ catalog });
const { kms } = opened;

async function answer({ operation, input }: KeyProcessRequest): Promise<KeyProcessAnswer> {
  try {
    if (operation === 'managedKey') return { output: await opened.keys.managedKey('s3') };
    if (operation === 'runDueKeyWork') {
      opened.clock.advanceMs(input.advanceMs as number);
      return { output: await opened.keys.runDueKeyWork() };
    }
    return { output: await kms(operation, input) };
  } catch (error) {
    return { refusal: error instanceof Error && 'code' in error ? String(error.code) : String(error) };
  }
}

process.on('message', (request: KeyProcessRequest) => void answer(request).then((reply) => process.send!(reply)));
process.on('disconnect', () => void catalog.close().then(() => process.exit(0)));
process.send!('ready');
