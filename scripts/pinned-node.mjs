/**
 * Where the project lies, the Node.js it is pinned to (the `node` package), and how to run something
 * under it. Itself it runs under any Node from 20 on.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectRoot = dirname(dirname(fileURLToPath(import.meta.url)));

export function pinnedNode(root = projectRoot) {
  return join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
}

/** Runs the pinned Node in the caller's place and resolves with the exit code that the caller owes. */
export function runPinned(parameters, options = {}) {
  const child = spawn(pinnedNode(), parameters, { stdio: 'inherit', ...options });
  // The child decides what a signal means. A terminal sends its SIGINT to both of us, a supervisor only to us.
  const forward = (signal) => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, forward);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      for (const name of signals) process.off(name, forward);
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}
