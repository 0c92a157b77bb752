import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { catalogSuite } from '../../../test/suites/catalog-suite.ts';
import { openLmdbCatalog } from '../index.ts';

async function emptyPath(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'coffer-catalog-'));
  context.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

catalogSuite('lmdb', async (context) => openLmdbCatalog({ path: await emptyPath(context) }));
