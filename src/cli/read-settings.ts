/** The settings of the commands that prepare or run a server, from this process's surroundings. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { ConfigError, readConfig, type Config } from '../server/config.ts';

/** Undefined, and the operator told why, when they cannot be used. */
export function readSettings(args: readonly string[]): Config | undefined {
  try {
    return readConfig({ argv: args, env: process.env, readFile: (path) => readFileSync(path, 'utf8'), processors: availableParallelism() });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`coffer: ${error.message}\n`);
    return undefined;
  }
}
