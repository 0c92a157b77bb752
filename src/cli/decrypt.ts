/** `coffer decrypt`: break glass. Data directory and root of trust give the object back, without a server. */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { wipeKeys } from '../keyring/index.ts';
import { asSource, findVersion, placeOf, readVersion } from '../objects/index.ts';
import { decodeEnvelope } from '../seal/index.ts';
import { openOffline } from '../server/offline.ts';
import type { Command } from './command.ts';
import { readCustomerKeyFile } from './customer-key.ts';
import { startProgress } from './progress.ts';
import { readObjectName, readToolArguments, whereHelp } from './tool-arguments.ts';

const usage = `Usage: coffer decrypt BUCKET/KEY [options]

Break glass: decrypts an object from the data directory alone, without a server and without asking key policies.
Whoever holds the root of trust can do this; nobody else can.

  --output file          where to write (default: standard output)
  --version-id id        another version than the current one
  --customer-key-file f  the key of an SSE-C object: 32 raw bytes, base64 or hex
${whereHelp}
`;

export const command: Command = async (args) => {
  const { config, values, positionals } = readToolArguments(args, {
    output: { type: 'string', short: 'o' }, 'version-id': { type: 'string' }, 'customer-key-file': { type: 'string' }, help: { type: 'boolean' },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const name = readObjectName(positionals);
  if (name === undefined) {
    process.stderr.write(usage);
    return 2;
  }
  const customerKey = values['customer-key-file'] === undefined ? undefined : readCustomerKeyFile(values['customer-key-file']);
  const rooms = await openOffline(config);
  try {
    const found = await findVersion(rooms.store, name.bucket, name.key, values['version-id']);
    if (found === undefined || found.record.kind === 'delete-marker') throw new Error(`there is no object ${name.bucket}/${name.key}`);
    const { record } = found;
    const place = placeOf(name.bucket, name.key, record);
    const keys = await rooms.store.dataKeys.unwrap(decodeEnvelope(record.envelope), place, rooms.operator, customerKey);
    const output = values.output === undefined ? process.stdout : createWriteStream(values.output, { flags: 'wx', mode: 0o600 });
    const progress = values.output === undefined ? undefined : startProgress({ title: 'decrypting', total: record.size, unit: 'bytes' });
    for await (const bytes of asSource(await readVersion(rooms.store, place, record, keys, 0, record.size))) {
      if (!output.write(bytes)) await once(output, 'drain');
      progress?.add(bytes.byteLength);
    }
    wipeKeys(keys);
    if (values.output !== undefined) {
      output.end();
      await finished(output);
    }
    progress?.done();
    return 0;
  } finally {
    await rooms.close();
  }
};
