/** `coffer keys`: the keys of Coffer itself, and rotating the SSE-S3 master key at once. */
import { openOffline } from '../server/offline.ts';
import type { Command } from './command.ts';
import { readToolArguments, whereHelp } from './tool-arguments.ts';

const usage = `Usage: coffer keys <list | rotate> [options]

  list      the root of trust and the versions of the SSE-S3 master key and the metadata key
  rotate    makes a new version of the SSE-S3 master key current at once; old versions keep opening.
            A running server writes under the new version within seconds.

${whereHelp}

KMS keys are rotated through the KMS API: aws kms rotate-key-on-demand --key-id …
`;

export const command: Command = async (args) => {
  const { config, values, positionals } = readToolArguments(args, { help: { type: 'boolean' } });
  const [action] = positionals;
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  if (positionals.length !== 1 || (action !== 'list' && action !== 'rotate')) {
    process.stderr.write(usage);
    return 2;
  }
  const rooms = await openOffline(config);
  try {
    if (action === 'rotate') {
      const keyVersionId = await rooms.master.rotate();
      process.stdout.write(`The SSE-S3 master key has a new current version: ${keyVersionId}\n`);
      return 0;
    }
    process.stdout.write(`Root of trust        key file ${config.rootKeyPath}, fingerprint ${rooms.root.fingerprint}\n`);
    for (const [title, key] of [['SSE-S3 master key', rooms.master], ['metadata key', rooms.metadataKey]] as const) {
      for (const version of await key.versions()) {
        process.stdout.write(`${title.padEnd(20)} ${version.keyVersionId}  made ${new Date(version.createdAtMs).toISOString()}${version.isCurrent ? '  current' : ''}\n`);
      }
    }
    return 0;
  } finally {
    await rooms.close();
  }
};
