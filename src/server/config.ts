/**
 * The settings of a server: read from flags, environment variables and one JSON file, checked, and typed.
 *
 * Every setting has one name, such as `trusted-proxies`: the flag is `--trusted-proxies`, the variable
 * COFFER_TRUSTED_PROXIES, the key of the file `"trusted-proxies"`. A flag wins over a variable, a variable over
 * the file, the file over the default. Paths in the file are relative to the file. Secrets come from the
 * environment only: flags show in the list of processes, and files are copied about.
 */
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigError, nearest } from './config-error.ts';
import * as values from './config-values.ts';
import type { Surroundings } from './config-values.ts';
import { logLevels, type LogLevel } from './log.ts';
import type { RootCredentials } from './root-credentials.ts';
import type { Settings } from './settings.ts';

export { ConfigError, type ConfigErrorCode } from './config-error.ts';

export interface Config extends Settings {
  /** Serving processes. */
  workers: number;
  /** The operator's own certificate chain and key, absolute paths; both or none. */
  tlsCert?: string | undefined;
  tlsKey?: string | undefined;
  /** Absolute path of the root key file. */
  rootKeyPath: string;
  logLevel: LogLevel;
}

export interface ConfigSource {
  /** What follows the command's name. */
  argv: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  /** The text of a file; throws as `readFileSync` does. */
  readFile(path: string): string;
  /** What relative paths start from; absent: the process's own. */
  workingDirectory?: string;
  /** For `--workers auto`. */
  processors?: number;
}

interface Setting<Value> {
  /** How the value looks in the help. */
  form: string;
  default: string;
  help: string;
  read(text: string, surroundings: Surroundings): Value;
}

const settings = {
  data: { form: 'directory', default: 'coffer-data', help: 'where everything is kept', read: values.path },
  http: { form: 'host:port | off', default: '127.0.0.1:9000', help: 'where to serve HTTP', read: values.endpoint },
  https: { form: 'host:port | off', default: '127.0.0.1:9443', help: 'where to serve HTTPS', read: values.endpoint },
  'tls-cert': { form: 'file', default: '', help: 'certificate chain (PEM); without it, one of a local CA under <data>/tls', read: values.path },
  'tls-key': { form: 'file', default: '', help: 'its private key (PEM)', read: values.path },
  'base-domains': { form: 'name,...', default: 'localhost', help: 'host names whose sub-domains are buckets', read: values.domains },
  'trusted-proxies': { form: 'address,...', default: '', help: 'addresses and networks whose X-Forwarded-For and X-Forwarded-Proto count', read: values.networks },
  region: { form: 'name', default: 'us-east-1', help: 'the region; when set, callers may sign for no other', read: values.region },
  account: { form: '12 digits', default: '000000000000', help: 'the account that owns everything', read: values.account },
  workers: { form: 'number | auto', default: 'auto', help: 'serving processes; auto is one for each processor', read: values.workers },
  catalog: { form: 'lmdb:', default: 'lmdb:', help: 'where records are kept', read: values.engine('lmdb:', ['postgres:', 'postgresql:']) },
  blobs: { form: 'file:', default: 'file:', help: 'where sealed bytes are kept', read: values.engine('file:', ['s3:']) },
  'root-of-trust': { form: 'file:[path]', default: 'file:', help: 'the key file that protects all keys, if not <data>/root.key', read: values.rootOfTrust },
  'default-encryption': { form: 'AES256 | none', default: 'AES256', help: 'of objects written without a word about it', read: values.oneOf('AES256', 'none') },
  'new-buckets-block': { form: 'SSE-C | NONE', default: 'SSE-C', help: 'encryption types that new buckets refuse', read: values.oneOf('SSE-C', 'NONE') },
  'keys-over-http': { form: 'refuse | loopback', default: 'refuse', help: 'SSE-C, SSE-KMS over HTTP: never, or from this machine', read: values.oneOf('refuse', 'loopback') },
  'log-level': { form: 'level', default: 'info', help: `the least grave that is logged: ${logLevels.join(', ')}`, read: values.oneOf(...logLevels) },
} satisfies Record<string, Setting<unknown>>;

type SettingName = keyof typeof settings;
type SettingValue<Name extends SettingName> = ReturnType<(typeof settings)[Name]['read']>;

const settingNames = Object.keys(settings) as SettingName[];
const variableOf = (name: string): string => `COFFER_${name.toUpperCase().replaceAll('-', '_')}`;
const accessKeyIdVariable = 'COFFER_ROOT_ACCESS_KEY_ID';
const secretAccessKeyVariable = 'COFFER_ROOT_SECRET_ACCESS_KEY';
const variables = [...settingNames.map(variableOf), 'COFFER_CONFIG', accessKeyIdVariable, secretAccessKeyVariable];

/** A text that was found, and where: `--http`, `COFFER_HTTP` or `"http" in coffer.json`. */
interface Found {
  text: string;
  place: string;
  directory: string;
}

/** Throws ConfigError; its message is meant for the operator and repeats no secret. */
export function readConfig(source: ConfigSource): Config {
  const { env, workingDirectory = process.cwd(), processors = 1 } = source;
  const flags = readFlags(source.argv, workingDirectory);
  refuseMistypedVariables(env);
  const configPath = flags.get('config') ?? variable(env, 'config', workingDirectory);
  const keys = configPath === undefined ? new Map<string, Found>() : readKeys(configPath, workingDirectory, source.readFile);

  const find = (name: SettingName): Found | undefined => flags.get(name) ?? variable(env, name, workingDirectory) ?? keys.get(name);
  const given = <Name extends SettingName>(name: Name): SettingValue<Name> | undefined => {
    const found = find(name);
    return found && (readValue(name, found, processors) as SettingValue<Name>);
  };
  const value = <Name extends SettingName>(name: Name): SettingValue<Name> =>
    given(name) ?? (settings[name].read(settings[name].default, { directory: workingDirectory, processors }) as SettingValue<Name>);

  const data = value('data');
  value('catalog');
  value('blobs');
  const config: Config = {
    data,
    http: find('http') ? given('http') : value('http'),
    https: find('https') ? given('https') : value('https'),
    tlsCert: given('tls-cert'),
    tlsKey: given('tls-key'),
    domains: value('base-domains'),
    trustedProxies: value('trusted-proxies'),
    region: value('region'),
    acceptsAnyRegion: find('region') === undefined,
    account: value('account'),
    workers: value('workers'),
    rootKeyPath: value('root-of-trust') ?? join(data, 'root.key'),
    defaultEncryption: value('default-encryption'),
    newBucketsBlock: value('new-buckets-block'),
    keysOverHttp: value('keys-over-http'),
    logLevel: value('log-level'),
    rootCredentials: readRootCredentials(env),
  };
  refuseConflicts(config);
  return config;
}

/** The settings for `--help`: two columns, and the rules of precedence. */
export function describeSettings(): string {
  const rows = settingNames.map((name): [string, string] => {
    const setting: Setting<unknown> = settings[name];
    return [`  --${name} ${setting.form}`, `${setting.help}${setting.default === '' ? '' : ` (default ${setting.default})`}`];
  });
  rows.push(['  --config file', 'JSON object with these settings as keys']);
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    ...rows.map(([left, right]) => `${left.padEnd(width)}  ${right}`),
    '',
    'Each is also an environment variable (--log-level: COFFER_LOG_LEVEL) and a key of the configuration file',
    '("log-level"). A flag wins over a variable, a variable over the file. The access key of the root user is made on',
    `first start unless ${accessKeyIdVariable} and ${secretAccessKeyVariable} are set.`,
    '',
  ].join('\n');
}

function readValue(name: SettingName, { text, place, directory }: Found, processors: number): unknown {
  try {
    return settings[name].read(text, { directory, processors });
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(error.code, `${place}: ${error.message}.`);
    throw error;
  }
}

function readFlags(argv: readonly string[], directory: string): Map<string, Found> {
  const names = [...settingNames, 'config'];
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const, multiple: true }]));
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true });
  const flags = new Map<string, Found>();
  for (const token of tokens) {
    if (token.kind === 'positional') throw new ConfigError('unknown', `${JSON.stringify(token.value)} is no setting: settings are flags, such as --data ./coffer-data.`);
    if (token.kind !== 'option') continue;
    if (!names.includes(token.name)) throw new ConfigError('unknown', `${token.rawName} is no setting${didYouMean(token.name, names, (name) => `--${name}`)}`);
    const missing = token.value === undefined || token.value === '' || (!token.inlineValue && token.value.startsWith('--'));
    if (missing) throw new ConfigError('invalid', `${token.rawName} needs a value, such as ${exampleOf(token.name)}.`);
    if (flags.has(token.name)) throw new ConfigError('conflict', `${token.rawName} is given twice; give it once${isList(token.name) ? ', with its items separated by commas' : ''}.`);
    flags.set(token.name, { text: token.value, place: token.rawName, directory });
  }
  return flags;
}

/** An empty variable counts as unset: that is how shells and container files leave one out. */
function variable(env: ConfigSource['env'], name: string, directory: string): Found | undefined {
  const place = variableOf(name);
  const text = env[place];
  return text === undefined || text === '' ? undefined : { text, place, directory };
}

/** Other COFFER_ variables may be anyone's (Kubernetes sets COFFER_PORT for a service of that name); near misses are ours. */
function refuseMistypedVariables(env: ConfigSource['env']): void {
  for (const name of Object.keys(env)) {
    if (!name.startsWith('COFFER_') || variables.includes(name)) continue;
    const meant = nearest(name, variables, 2);
    if (meant !== undefined) throw new ConfigError('unknown', `${name} is no setting; did you mean ${meant}?`);
  }
}

function readKeys(config: Found, workingDirectory: string, readFile: (path: string) => string): Map<string, Found> {
  const path = resolve(workingDirectory, config.text);
  const unreadable = (why: string, cause?: unknown): ConfigError => new ConfigError('unreadable', `${config.place}: ${path} ${why}.`, { cause });
  let content: unknown;
  try {
    content = JSON.parse(readFile(path));
  } catch (error) {
    const why = error instanceof SyntaxError ? `is no JSON: ${error.message}` : `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    throw unreadable(why, error);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) throw unreadable('holds no JSON object');
  const keys = new Map<string, Found>();
  for (const [name, entry] of Object.entries(content)) {
    const place = `"${name}" in ${path}`;
    if (/^root-?(access|secret)/i.test(name)) throw new ConfigError('unknown', `${place}: root credentials are not read from files; set ${accessKeyIdVariable} and ${secretAccessKeyVariable}.`);
    if (!settingNames.includes(name as SettingName)) throw new ConfigError('unknown', `${place} is no setting${didYouMean(name, settingNames, (known) => `"${known}"`)}`);
    keys.set(name, { text: textOf(name, entry, place), place, directory: dirname(path) });
  }
  return keys;
}

function textOf(name: string, entry: unknown, place: string): string {
  if (typeof entry === 'string' && entry !== '') return entry;
  if (typeof entry === 'number') return String(entry);
  if (isList(name) && Array.isArray(entry) && entry.every((item) => typeof item === 'string')) return entry.join(',');
  throw new ConfigError('invalid', `${place}: write ${isList(name) ? 'a list of strings' : 'a string'}, such as ${exampleOf(name)}.`);
}

function isList(name: string): boolean {
  return name === 'base-domains' || name === 'trusted-proxies';
}

function exampleOf(name: string): string {
  const examples: Record<string, string> = { config: 'coffer.json', 'tls-cert': 'server.crt', 'tls-key': 'server.key', 'trusted-proxies': '10.0.0.0/8' };
  return examples[name] ?? settings[name as SettingName].default;
}

function didYouMean(word: string, known: readonly string[], show: (name: string) => string): string {
  const meant = nearest(word.toLowerCase().replaceAll('_', '-'), known);
  return meant === undefined ? '; see --help for all.' : `; did you mean ${show(meant)}?`;
}

function readRootCredentials(env: ConfigSource['env']): RootCredentials | undefined {
  const accessKeyId = env[accessKeyIdVariable] ?? '';
  const secretAccessKey = env[secretAccessKeyVariable] ?? '';
  if (accessKeyId === '' && secretAccessKey === '') return undefined;
  if (accessKeyId === '' || secretAccessKey === '') throw new ConfigError('conflict', `${accessKeyIdVariable} and ${secretAccessKeyVariable} go together; set both or none.`);
  if (!/^\w{4,128}$/.test(accessKeyId)) throw new ConfigError('invalid', `${accessKeyIdVariable}: an access key id is 4 to 128 letters, digits and underscores.`);
  if (!/^[\x21-\x7e]{8,128}$/.test(secretAccessKey)) throw new ConfigError('invalid', `${secretAccessKeyVariable}: a secret access key is 8 to 128 visible ASCII characters.`);
  return { accessKeyId, secretAccessKey };
}

function refuseConflicts({ http, https, tlsCert, tlsKey }: Config): void {
  if (!http && !https) throw new ConfigError('conflict', 'http and https are both off; leave one on, such as --https 127.0.0.1:9443.');
  if ((tlsCert === undefined) !== (tlsKey === undefined)) throw new ConfigError('conflict', 'tls-cert and tls-key go together; give both, or none for a certificate of the local CA.');
  if (tlsCert !== undefined && !https) throw new ConfigError('conflict', 'tls-cert and tls-key are given and https is off; give --https an address, or leave them out.');
  if (http && https && http.port !== 0 && http.port === https.port && (http.host === https.host || [http.host, https.host].includes('::'))) {
    throw new ConfigError('conflict', `http and https both want port ${http.port}; give them different ports.`);
  }
}
