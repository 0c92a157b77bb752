/**
 * Installs what is missing, so that `npm start` and `npm test` work on a bare clone and after a pull.
 * Runs before anything is installed, under any Node from 20 on: no dependencies, no TypeScript.
 * The `node` package it installs is the Node that npm then finds first for the script itself.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pinnedNode, projectRoot } from './pinned-node.mjs';

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await installMissing({ withDevelopment: process.env.npm_lifecycle_event !== 'prestart' });
}

/** Compares what is installed with package-lock.json and runs `npm ci` when they differ. Ends the process when that fails. */
export async function installMissing({ withDevelopment }) {
  const reason = whyInstall(withDevelopment);
  if (reason === undefined) return;
  process.stderr.write(`Installing dependencies (${reason}) ... `);
  const beganMs = performance.now();
  const { code, output } = await npmCi();
  if (code !== 0 || !existsSync(pinnedNode())) {
    process.stderr.write(`failed.\n${output}\n`);
    process.stderr.write('"npm ci" did not succeed; run it by hand to see more.\n');
    process.exit(1);
  }
  process.stderr.write(`done in ${((performance.now() - beganMs) / 1000).toFixed(1)} s.\n`);
}

/** What is missing or differs, in words; undefined when all is there. */
export function whyInstall(withDevelopment, root = projectRoot) {
  const wanted = readPackages(join(root, 'package-lock.json'));
  const installed = readPackages(join(root, 'node_modules', '.package-lock.json'));
  if (installed === undefined) return 'first start';
  if (!existsSync(pinnedNode(root))) return 'the pinned Node.js is missing';
  for (const [path, entry] of Object.entries(wanted ?? {})) {
    if (path === '' || entry.link) continue;
    const found = installed[path];
    // Optional packages are those of other platforms.
    if (found === undefined && (entry.optional || (entry.dev && !withDevelopment))) continue;
    if (found === undefined) return `${nameOf(path)} is missing`;
    if (found.version !== entry.version || found.integrity !== entry.integrity) return `${nameOf(path)} has changed`;
  }
  return undefined;
}

function nameOf(path) {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

/** The lock npm keeps of what it installed has the form of package-lock.json. */
function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch (error) {
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function npmCi() {
  const options = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  // npm tells the scripts it runs where it lies; elsewhere it is found by the shell.
  const npm = process.env.npm_execpath;
  const child = npm?.endsWith('.js')
    ? spawn(process.execPath, [npm, ...options], { cwd: projectRoot, stdio: ['ignore', 'pipe', 'pipe'] })
    : spawn(`npm ${options.join(' ')}`, { cwd: projectRoot, stdio: ['ignore', 'pipe', 'pipe'], shell: true });
  const output = [];
  child.stdout.on('data', (chunk) => output.push(chunk));
  child.stderr.on('data', (chunk) => output.push(chunk));
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: 1, output: String(error) }));
    child.on('close', (code) => resolve({ code, output: Buffer.concat(output).toString('utf8').trim() }));
  });
}
