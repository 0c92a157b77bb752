/**
 * `npm test`: every test of the project, to the end, with Node's own summary; fails when one test fails.
 * `npm test -- src/seal` runs what lies under a path; other options go to `node --test` as they are.
 * test/outside needs programs from Debian and runs only when it is named (.ci/run does).
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { installMissing } from './install-missing.mjs';
import { projectRoot, runPinned } from './pinned-node.mjs';

await installMissing({ withDevelopment: true });

const outside = join(projectRoot, 'test', 'outside', '/');
const given = process.argv.slice(2);
const paths = given.filter((argument) => existsSync(argument));
const options = given.filter((argument) => !existsSync(argument));
const everything = () => ['src', 'test'].flatMap((folder) => testFilesUnder(join(projectRoot, folder))).filter((file) => !file.startsWith(outside));
const files = (paths.length > 0 ? paths.flatMap(testFilesUnder) : everything()).sort();
if (files.length === 0) {
  console.error('No test file (*.test.ts) there.');
  process.exit(1);
}

process.exitCode = await runPinned(
  [
    '--test',
    // A test that hangs fails, and the others go on.
    '--test-timeout=300000',
    `--test-concurrency=${Math.max(2, availableParallelism())}`,
    ...options,
    ...files.map((file) => relative(projectRoot, file)),
  ],
  { cwd: projectRoot },
);

function testFilesUnder(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(path, name));
}
