/** `coffer init`: makes what the first start would make, and starts nothing, so that keys can be put away first. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describeSettings } from '../server/config.ts';
import { prepare } from '../server/prepare.ts';
import type { Command } from './command.ts';
import { describeCredentials } from './describe-start.ts';
import { readSettings } from './read-settings.ts';

const usage = `Usage: coffer init [options]

Makes data directory, root key, root credentials and certificate, prints the root key's fingerprint, and stops.
Refuses when they are there already.

${describeSettings()}`;

export const command: Command = async (args) => {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(usage);
    return 0;
  }
  const settings = readSettings(args);
  if (!settings) return 2;
  const existing = [settings.rootKeyPath, join(settings.data, 'credentials'), join(settings.data, 'catalog')].find((path) => existsSync(path));
  if (existing !== undefined) {
    process.stderr.write(`coffer: ${existing} is there already; nothing was changed. coffer serve works with what is there.\n`);
    return 1;
  }
  const { prepared, lock } = await prepare(settings);
  lock.release();
  const lines = [
    `Data         ${settings.data}`,
    `Root key     ${settings.rootKeyPath}`,
    `Fingerprint  ${prepared.rootFingerprint}`,
    '',
    'Without the root key nothing that will be stored can ever be read. Keep a copy of it apart from the data.',
    '',
    ...describeCredentials(prepared),
    ...(prepared.tls?.caPath === undefined ? [] : [`export AWS_CA_BUNDLE=${prepared.tls.caPath}`]),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return 0;
};
