/** Arguments of the tools that work on a data directory: their own options, and the settings that say where it is. */
import { readFileSync } from 'node:fs';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { readConfig, type Config } from '../server/config.ts';

/** Settings that matter without a server. */
const passedOn = { data: { type: 'string' }, config: { type: 'string' }, 'root-of-trust': { type: 'string' }, region: { type: 'string' }, account: { type: 'string' } } as const;

export const whereHelp = `  --data directory       where everything is kept (default coffer-data, or COFFER_DATA)
  --root-of-trust file:… the key file, when it does not lie with the data
  --config file          JSON object with settings, as for coffer serve`;

export interface ToolArguments<Values> {
  config: Config;
  values: Values;
  positionals: string[];
}

/** Throws when an option is unknown or a setting is bad; the message is meant for the operator. */
export function readToolArguments<Options extends NonNullable<ParseArgsConfig['options']>>(args: readonly string[], options: Options) {
  const { values, positionals } = parseArgs({ args: [...args], options: { ...passedOn, ...options }, allowPositionals: true, strict: true });
  const given = values as Record<string, unknown>;
  const argv = Object.keys(passedOn).flatMap((name) => (typeof given[name] === 'string' ? [`--${name}`, given[name]] : []));
  const config = readConfig({ argv, env: process.env, readFile: (path) => readFileSync(path, 'utf8') });
  return { config, values, positionals };
}

/** `bucket/key` as one argument, or the two apart. */
export function readObjectName(positionals: readonly string[]): { bucket: string; key: string } | undefined {
  const [first, second] = positionals;
  if (first === undefined || positionals.length > 2) return undefined;
  if (second !== undefined) return { bucket: first, key: second };
  const path = first.replace(/^s3:\/\//, '');
  const slash = path.indexOf('/');
  return slash <= 0 || slash === path.length - 1 ? undefined : { bucket: path.slice(0, slash), key: path.slice(slash + 1) };
}
