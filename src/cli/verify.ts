/** `coffer verify`: opens every chunk of every object, and says which do not open. */
import { CustomerKeyError, wipeKeys } from '../keyring/index.ts';
import { asSource, getBucket, listBuckets, placeOf, readVersion, walkVersions, type WalkedVersion } from '../objects/index.ts';
import { decodeEnvelope } from '../seal/index.ts';
import { openOffline, type OfflineRooms } from '../server/offline.ts';
import type { Command } from './command.ts';
import { readCustomerKeyFile } from './customer-key.ts';
import { formatBytes, startProgress, type Progress } from './progress.ts';
import { readToolArguments, whereHelp } from './tool-arguments.ts';

const usage = `Usage: coffer verify [BUCKET[/PREFIX]] [options]

Opens every chunk of every version of every object: what is damaged, forged or no longer has its key is named.
Objects under a customer's key (SSE-C) are opened when that key is given, else counted as not opened.

  --customer-key-file f  a key to try on SSE-C objects: 32 raw bytes, base64 or hex
${whereHelp}

Exit code: 0 all that could be opened did open, 1 something did not.
`;

export const command: Command = async (args) => {
  const { config, values, positionals } = readToolArguments(args, { 'customer-key-file': { type: 'string' }, help: { type: 'boolean' } });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  if (positionals.length > 1) {
    process.stderr.write(usage);
    return 2;
  }
  const customerKey = values['customer-key-file'] === undefined ? undefined : readCustomerKeyFile(values['customer-key-file']);
  const rooms = await openOffline(config);
  try {
    const scopes = await scopesOf(rooms, positionals[0]);
    const totalBytes = await sizeOf(rooms, scopes);
    const progress = startProgress({ title: 'verifying', total: totalBytes, unit: 'bytes' });
    const tally: Tally = { opened: 0, openedBytes: 0, notOpened: 0, plain: 0, failures: [] };
    for (const { bucket, prefix } of scopes) {
      for await (const version of walkVersions(rooms.store, bucket, prefix)) await verify(rooms, version, customerKey, tally, progress);
    }
    progress.done();
    report(tally);
    return tally.failures.length === 0 ? 0 : 1;
  } finally {
    await rooms.close();
  }
};

interface Scope {
  bucket: string;
  prefix: string;
}

interface Tally {
  opened: number;
  openedBytes: number;
  /** SSE-C without the right key. */
  notOpened: number;
  plain: number;
  failures: string[];
}

async function scopesOf(rooms: OfflineRooms, path: string | undefined): Promise<Scope[]> {
  if (path !== undefined) {
    const [bucket = '', ...rest] = path.replace(/^s3:\/\//, '').split('/');
    await getBucket(rooms.store, bucket);
    return [{ bucket, prefix: rest.join('/') }];
  }
  const scopes: Scope[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await listBuckets(rooms.store, { prefix: '', after, limit: 1_000 });
    scopes.push(...page.buckets.map(({ name }) => ({ bucket: name, prefix: '' })));
    after = page.buckets.at(-1)?.name;
    if (!page.isTruncated) return scopes;
  }
}

async function sizeOf(rooms: OfflineRooms, scopes: readonly Scope[]): Promise<number> {
  let sizeBytes = 0;
  for (const { bucket, prefix } of scopes) {
    for await (const { record } of walkVersions(rooms.store, bucket, prefix)) sizeBytes += record.size;
  }
  return sizeBytes;
}

async function verify(rooms: OfflineRooms, version: WalkedVersion, customerKey: Buffer | undefined, tally: Tally, progress: Progress): Promise<void> {
  const { bucket, key, record } = version;
  if (record.kind === 'delete-marker') return;
  let seenBytes = 0;
  try {
    const envelope = decodeEnvelope(record.envelope);
    const place = placeOf(bucket, key, record);
    const keys = await rooms.store.dataKeys.unwrap(envelope, place, rooms.operator, envelope.scheme === 'SSE-C' ? customerKey : undefined);
    for await (const bytes of asSource(await readVersion(rooms.store, place, record, keys, 0, record.size))) {
      seenBytes += bytes.byteLength;
      progress.add(bytes.byteLength);
    }
    wipeKeys(keys);
    if (seenBytes !== record.size) throw new Error(`${seenBytes} bytes came out, ${record.size} were stored`);
    tally.opened += 1;
    tally.openedBytes += seenBytes;
    if (envelope.scheme === 'NONE') tally.plain += 1;
  } catch (error) {
    progress.add(record.size - seenBytes);
    if (error instanceof CustomerKeyError) tally.notOpened += 1;
    else tally.failures.push(`${bucket}/${key} (version ${record.isNull ? 'null' : record.nonce}): ${error instanceof Error ? error.message : String(error)}`);
  }
}

function report(tally: Tally): void {
  for (const failure of tally.failures) process.stdout.write(`FAILED ${failure}\n`);
  process.stdout.write(`${tally.opened} versions opened, ${formatBytes(tally.openedBytes)}; ${tally.failures.length} failed\n`);
  if (tally.plain > 0) process.stdout.write(`${tally.plain} of them are plain: they were stored without encryption\n`);
  if (tally.notOpened > 0) process.stdout.write(`${tally.notOpened} versions under a customer's key that was not given were not opened\n`);
}
