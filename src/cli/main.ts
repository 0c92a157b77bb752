/**
 * The command line: finds the command and runs it. Each command's module is loaded only when it is called, so that
 * `coffer --help` does not wait for a server's worth of code.
 */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { nearest } from '../server/config-error.ts';
import type { Command } from './command.ts';

interface Entry {
  summary: string;
  load(): Promise<{ command: Command }>;
}

const commands: Readonly<Record<string, Entry>> = {
  serve: { summary: 'start the server', load: () => import('./serve.ts') },
  init: { summary: 'make data directory, root key, credentials and certificate, and stop', load: () => import('./init.ts') },
  keys: { summary: 'list the keys of Coffer itself, rotate the SSE-S3 master key', load: () => import('./keys.ts') },
  inspect: { summary: "show an object's envelope, its chain of keys and its sealed bytes", load: () => import('./inspect.ts') },
  verify: { summary: 'open every chunk of every object', load: () => import('./verify.ts') },
  decrypt: { summary: 'break glass: decrypt an object without a server', load: () => import('./decrypt.ts') },
  bench: { summary: 'measure an S3 endpoint', load: () => import('./bench.ts') },
};

const usage = `coffer: an S3-compatible object store with real server-side encryption

Usage: coffer <command> [options]

${Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`).join('\n')}

coffer <command> --help tells the options of a command.
`;

/** The process's exit code: 0 done, 1 failed, 2 called wrongly. */
export async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined) {
    process.stderr.write(usage);
    return 2;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(usage);
    return 0;
  }
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!entry) {
    const meant = nearest(name, Object.keys(commands));
    process.stderr.write(`coffer: there is no command ${JSON.stringify(name)}.${meant === undefined ? '' : ` Did you mean ${meant}?`} coffer --help lists them.\n`);
    return 2;
  }
  const { command } = await entry.load();
  return command(rest);
}

if (import.meta.main) {
  // Beside the code it was made from, never in a shared temporary folder where others could plant theirs.
  enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/compile', import.meta.url)));
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`coffer: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
