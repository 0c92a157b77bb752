/**
 * The text of a setting turned into its value. Each function returns the value, or throws ConfigError with
 * the rest of a sentence that begins with where the setting came from.
 */
import { isIP } from 'node:net';
import { isAbsolute, resolve } from 'node:path';
import { ConfigError, nearest } from './config-error.ts';
import type { Endpoint } from './settings.ts';

/** What the meaning of a text depends on. */
export interface Surroundings {
  /** What relative paths are relative to: the configuration file's directory or the working directory. */
  directory: string;
  processors: number;
}

export function invalid(right: string): ConfigError {
  return new ConfigError('invalid', right);
}

export function path(text: string, { directory }: Surroundings): string {
  if (text.includes('\0')) throw invalid('a path has no zero character');
  return resolve(directory, text);
}

/** `host:port`, `[::1]:port`, `*:port` for all addresses, a bare port for 127.0.0.1, or `off`. */
export function endpoint(text: string): Endpoint | undefined {
  if (text === 'off') return undefined;
  const match = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65535) throw invalid(`${quote(text)} is no address: write host:port such as 127.0.0.1:9000 or [::1]:9000, *:9000 for every address, or off`);
  const [, version6, name] = match;
  if (version6 !== undefined) {
    if (isIP(version6) !== 6) throw invalid(`${quote(version6)} is no IPv6 address`);
    return { host: version6, port };
  }
  if (name === undefined) return { host: '127.0.0.1', port };
  if (name === '*') return { host: '::', port };
  if (isIP(name) !== 4 && (!isHostName(name) || /^[\d.]+$/.test(name))) throw invalid(`${quote(name)} is no host name: write host:port such as 127.0.0.1:9000, *:9000 for every address, or off`);
  return { host: name, port };
}

export function oneOf<const Value extends string>(...values: readonly Value[]): (text: string) => Value {
  return (text) => {
    const value = values.find((candidate) => candidate === text);
    if (value !== undefined) return value;
    const meant = nearest(text.toLowerCase(), values.map((candidate) => candidate.toLowerCase()));
    const exact = values.find((candidate) => candidate.toLowerCase() === meant);
    throw invalid(`${quote(text)} is none of ${values.join(', ')}${exact === undefined ? '' : `; did you mean ${exact}?`}`);
  };
}

export function region(text: string): string {
  if (!/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(text)) throw invalid(`${quote(text)} is no region: lower-case letters, digits and hyphens, such as us-east-1`);
  return text;
}

export function account(text: string): string {
  if (!/^\d{12}$/.test(text)) throw invalid(`${quote(text)} is no account: 12 digits, such as 123456789012`);
  return text;
}

/** A count of processes, or `auto`: one for each processor. */
export function workers(text: string, { processors }: Surroundings): number {
  if (text === 'auto') return processors;
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > 256) throw invalid(`${quote(text)} is no number of processes: 1 to 256, or auto for one for each processor`);
  return count;
}

export function networks(text: string): string[] {
  return list(text).map((item) => {
    const [address, prefix, ...more] = item.split('/');
    const bits = isIP(address ?? '') === 6 ? 128 : 32;
    const fits = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
    if (isIP(address ?? '') === 0 || !fits || more.length > 0) throw invalid(`${quote(item)} is no address or network: write 10.0.0.1, 10.0.0.0/8 or fd00::/8`);
    return item;
  });
}

export function domains(text: string): string[] {
  return list(text).map((item) => {
    const name = item.toLowerCase();
    if (!isHostName(name) || /^[\d.]+$/.test(name)) throw invalid(`${quote(item)} is no domain: write it without scheme, port and asterisk, such as s3.example.com`);
    return name;
  });
}

/** The embedded engine and nothing else, so far. Other values may hold passwords and are not repeated. */
export function engine(own: string, planned: readonly string[]): (text: string) => string {
  return (text) => {
    if (text === own) return own.slice(0, -1);
    const scheme = /^[a-z0-9+.-]+:/.exec(text)?.[0];
    if (scheme !== undefined && planned.includes(scheme)) throw new ConfigError('not-built', `${scheme} is planned and not built yet; ${own} is what there is`);
    throw invalid(`the value is not understood; ${own} is what there is`);
  };
}

/** `file:` for the key file in the data directory (undefined), or `file:/path/to/root.key`. */
export function rootOfTrust(text: string, surroundings: Surroundings): string | undefined {
  if (text === 'file:') return undefined;
  if (text.startsWith('file:')) {
    const keyPath = text.slice('file:'.length).replace(/^\/\/(?=\/)/, '');
    if (!isAbsolute(keyPath)) throw invalid(`${quote(text)} names no absolute path: write file:/path/to/root.key`);
    return path(keyPath, surroundings);
  }
  const planned = ['passphrase', 'pkcs11', 'vault', 'transit', 'openbao', 'awskms', 'arn'];
  const scheme = /^[a-z0-9+.-]+/.exec(text)?.[0];
  if (scheme !== undefined && planned.includes(scheme)) throw new ConfigError('not-built', `${scheme} is planned and not built yet; file: is what there is`);
  throw invalid('the value is not understood; write file: or file:/path/to/root.key');
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function isHostName(text: string): boolean {
  return text.length <= 253 && text.split('.').every((label) => /^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/.test(label));
}

/** Bounded, and without control characters: the text may come from anywhere. */
function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}
