/**
 * `npm run check`: what must hold before a change is handed in, short of the tests: types, lint, tidiness.
 * Runs all three and fails when one fails.
 */
import { join } from 'node:path';
import { installMissing } from './install-missing.mjs';
import { projectRoot, runPinned } from './pinned-node.mjs';

await installMissing({ withDevelopment: true });

const packageFile = (...path) => join(projectRoot, 'node_modules', ...path);
/** @type {[name: string, parameters: string[]][]} */
const checks = [
  ['types', [packageFile('typescript', 'bin', 'tsc'), '--noEmit', '--project', projectRoot]],
  ['lint', [packageFile('oxlint', 'bin', 'oxlint'), '--deny-warnings']],
  ['tidiness', ['--test', '--test-reporter=dot', 'test/tidy.test.ts']],
];

for (const [name, parameters] of checks) {
  console.log(`${name} ...`);
  const code = await runPinned(parameters, { cwd: projectRoot });
  if (code !== 0) {
    console.error(`${name}: failed`);
    process.exitCode = 1;
  }
}
