#!/usr/bin/env node
/** The `coffer` command: src/cli/main.ts under the pinned Node.js, whatever Node.js called it. */
import { join } from 'node:path';
import { installMissing } from './install-missing.mjs';
import { projectRoot, runPinned } from './pinned-node.mjs';

await installMissing({ withDevelopment: false });
process.exitCode = await runPinned([join(projectRoot, 'src', 'cli', 'main.ts'), ...process.argv.slice(2)]);
