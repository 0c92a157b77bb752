/** `coffer inspect`: an object's envelope, the chain of keys above it, and its first sealed bytes as they lie on disk. */
import { decodeEnvelope } from '../seal/index.ts';
import { encodeVersionId, exportVersion, findVersion, type Export, type VersionRecord } from '../objects/index.ts';
import { openOffline, type OfflineRooms } from '../server/offline.ts';
import type { Command } from './command.ts';
import { formatBytes } from './progress.ts';
import { readObjectName, readToolArguments, whereHelp } from './tool-arguments.ts';

const usage = `Usage: coffer inspect BUCKET/KEY [options]

Shows how an object is encrypted: scheme, envelope, the chain of keys above it, where its sealed bytes lie and
how they begin. No customer key is needed, nothing is decrypted.

  --version-id id        another version than the current one
  --export               JSON with all that opens the object save root key and customer key (docs/formats/export.md)
  --json                 the same as shown, as JSON
${whereHelp}
`;

const shownSizeBytes = 64;

export const command: Command = async (args) => {
  const { config, values, positionals } = readToolArguments(args, {
    'version-id': { type: 'string' }, export: { type: 'boolean' }, json: { type: 'boolean' }, help: { type: 'boolean' },
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
  const rooms = await openOffline(config);
  try {
    const found = await findVersion(rooms.store, name.bucket, name.key, values['version-id']);
    if (found === undefined) throw new Error(`there is no object ${name.bucket}/${name.key}${values['version-id'] ? ` of version ${values['version-id']}` : ''}`);
    const { record } = found;
    if (record.kind === 'delete-marker') throw new Error(`${name.bucket}/${name.key} is a delete marker: it has no bytes and no keys`);
    const exported = await exportVersion(rooms.store, name.bucket, name.key, record);
    if (values.export) {
      process.stdout.write(`${JSON.stringify(exported, undefined, 2)}\n`);
      return 0;
    }
    const report = await inspect(rooms, name, record, exported);
    process.stdout.write(values.json ? `${JSON.stringify(report, undefined, 2)}\n` : render(report));
    return 0;
  } finally {
    await rooms.close();
  }
};

interface Report {
  object: { bucket: string; key: string; versionId: string; sizeBytes: number; modified: string; etag: string };
  scheme: string;
  envelope: Export['envelope'];
  chain: string[];
  parts: Export['parts'];
  firstSealedBytes: string;
}

async function inspect(rooms: OfflineRooms, name: { bucket: string; key: string }, record: VersionRecord, exported: Export): Promise<Report> {
  const parts = exported.parts.map(({ sealed: _bytes, ...part }) => part);
  return {
    object: {
      ...name, versionId: encodeVersionId(record), sizeBytes: record.size, modified: new Date(record.modifiedMs).toISOString(), etag: record.etag,
    },
    scheme: record.envelope.scheme,
    envelope: record.envelope,
    chain: chainOf(rooms, exported),
    parts,
    firstSealedBytes: (await firstSealedBytes(rooms, exported)).toString('hex'),
  };
}

/** From the bytes up to the root, each line what wraps the line before. */
function chainOf(rooms: OfflineRooms, exported: Export): string[] {
  const envelope = decodeEnvelope(exported.envelope);
  const root = `root of trust, key file, fingerprint ${rooms.root.fingerprint}`;
  const material = (kind: 'kms' | 'service'): string => {
    const found = exported.keyMaterials.find((candidate) => candidate.kind === kind);
    if (found === undefined) return 'KEY MATERIAL THAT IS NOT THERE ANY MORE: this object cannot be opened';
    return kind === 'kms' ? `KMS key ${found.id}, material ${found.version}` : `SSE-S3 master key, version ${found.version}`;
  };
  switch (envelope.scheme) {
    case 'NONE': return ['plain bytes, no key'];
    case 'SSE-S3': return ['data key (AES-256, this object only)', material('service'), root];
    case 'SSE-C': return ['data key (AES-256, this object only)', "the customer's key, which is not here (salted HMAC only)"];
    case 'SSE-KMS': {
      const above = [`${envelope.keyArn}: ${material('kms')}`, root];
      return ['data key (AES-256, this object only)', ...(envelope.bucketKey ? ['bucket key'] : []), ...above];
    }
    case 'DSSE-KMS':
      return [
        'inner layer: data key (AES-256, this object only)', `${envelope.keyArn}: ${material('kms')}`, root,
        'outer layer: data key (AES-256, this object only)', material('service'), root,
      ];
  }
}

async function firstSealedBytes(rooms: OfflineRooms, exported: Export): Promise<Buffer> {
  const [first] = exported.parts;
  if (first?.sealed !== undefined) return Buffer.from(first.sealed, 'base64').subarray(0, shownSizeBytes);
  if (first?.blob === undefined) return Buffer.alloc(0);
  const reader = await rooms.store.blobs.open(first.blob);
  try {
    return await reader.read(0, Math.min(shownSizeBytes, reader.sizeBytes));
  } finally {
    await reader.close();
  }
}

function render(report: Report): string {
  const { object } = report;
  const lines = [
    `Object      ${object.bucket}/${object.key}`,
    `Version     ${object.versionId}`,
    `Size        ${object.sizeBytes} bytes (${formatBytes(object.sizeBytes)}), ETag ${object.etag}, ${object.modified}`,
    `Scheme      ${report.scheme}`,
    'Keys        ' + report.chain.join('\n            <- '),
    'Envelope    ' + JSON.stringify(report.envelope, undefined, 2).replaceAll('\n', '\n            '),
    `Stored as   ${report.parts.length} ${report.parts.length === 1 ? 'piece' : 'parts'}`,
  ];
  for (const part of report.parts.slice(0, 10)) {
    const place = part.blob === undefined ? 'in the catalog' : `blob ${part.blob}`;
    lines.push(`            ${part.partNumber === 0 ? '' : `part ${part.partNumber}: `}${place}, ${part.sealedSizeBytes} bytes sealed, ${part.plaintextSizeBytes} plain`);
  }
  if (report.parts.length > 10) lines.push(`            and ${report.parts.length - 10} more`);
  lines.push('First bytes as they lie on disk');
  const bytes = Buffer.from(report.firstSealedBytes, 'hex');
  for (let offset = 0; offset < bytes.length; offset += 16) {
    const row = bytes.subarray(offset, offset + 16);
    const text = row.toString('latin1').replaceAll(/[^\u0020-\u007e]/g, '.');
    lines.push(`  ${offset.toString(16).padStart(4, '0')}  ${row.toString('hex').replaceAll(/(..)/g, '$1 ').padEnd(48)} ${text}`);
  }
  return `${lines.join('\n')}\n`;
}
