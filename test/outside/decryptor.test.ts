/**
 * The promise that nobody's data is hostage to this program: tools/decrypt.py, written from the documents alone,
 * opens what src/seal seals, under every scheme. Needs python3-cryptography from Debian.
 * Source: docs/formats/export.md.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bucketArn, objectArn } from '../../src/base/index.ts';
import { Sealer, chunkSizeBytes, seal } from '../../src/seal/cobblestone.ts';
import { dataKeyContext, keyMaterialContext, payloadContext } from '../../src/seal/contexts.ts';
import type { PayloadPlace } from '../../src/seal/contexts.ts';
import { customerKeyCheck, customerWrappingKey, newCustomerKeySalt } from '../../src/seal/customer-key.ts';
import { encodeEnvelope } from '../../src/seal/envelope.ts';
import type { Envelope } from '../../src/seal/envelope.ts';
import { encodeKmsBlob } from '../../src/seal/kms-blob.ts';

const python = '/usr/bin/python3';
const decryptor = fileURLToPath(new URL('../../tools/decrypt.py', import.meta.url));

const rootKey = randomBytes(32);
const master = randomBytes(32);
const masterVersionId = randomBytes(16).toString('hex');
const kmsMaterial = randomBytes(32);
const kmsMaterialId = randomBytes(32).toString('hex');
const customerKey = randomBytes(32);
const keyArn = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const object = { bucket: 'media', key: 'ünïcödé/猫 😀+%20.jpg', versionNonce: randomBytes(16) };
const clientPairs = { team: 'cats', 'é': 'ü', Z: '', '\u{10000}': 'a', '￮': 'b' };

const material = (kind: string, id: string, version: string, bytes: Buffer): object =>
  ({ kind, id, version, wrapped: seal(rootKey, keyMaterialContext({ kind, id, version }), bytes).toString('base64') });
const keyMaterials = [
  material('service', 'sse-s3', 'an older version', randomBytes(32)),
  material('service', 'sse-s3', masterVersionId, master),
  material('kms', `us-east-1/111122223333/${keyArn.slice(-36)}`, kmsMaterialId, kmsMaterial),
];

interface Layer {
  dataKey: Buffer;
  layer: PayloadPlace['layer'];
}

/** Every scheme once: the envelope, and the data keys in the order of sealing. */
function schemes(): Record<string, { envelope: Envelope; layers: Layer[] }> {
  const dataKey = randomBytes(32);
  const outerKey = randomBytes(32);
  const bucketKey = randomBytes(32);
  const salt = newCustomerKeySalt();
  const only: Layer[] = [{ dataKey, layer: 'only' }];
  const kmsBlob = (arn: string, plaintext: Buffer): Buffer =>
    encodeKmsBlob(kmsMaterialId, kmsMaterial, { keyArn, encryptionContext: { ...clientPairs, 'aws:s3:arn': arn } }, plaintext);
  const underMaster = (scheme: 'SSE-S3' | 'DSSE-KMS', key: Buffer): { keyVersionId: string; wrappedDataKey: Buffer } =>
    ({ keyVersionId: masterVersionId, wrappedDataKey: seal(master, dataKeyContext({ ...object, scheme, keyVersionId: masterVersionId }), key) });
  const kms = { keyArn, encryptionContext: clientPairs };
  const whole = objectArn(object.bucket, object.key);
  return {
    'NONE': { envelope: { scheme: 'NONE' }, layers: [] },
    'SSE-S3': { envelope: { scheme: 'SSE-S3', ...underMaster('SSE-S3', dataKey) }, layers: only },
    'SSE-KMS': { envelope: { scheme: 'SSE-KMS', ...kms, wrappedDataKey: kmsBlob(whole, dataKey) }, layers: only },
    'SSE-KMS with a bucket key': {
      envelope: {
        scheme: 'SSE-KMS', ...kms,
        wrappedDataKey: seal(bucketKey, dataKeyContext({ ...object, scheme: 'SSE-KMS', keyVersionId: kmsMaterialId }), dataKey),
        bucketKey: { blob: kmsBlob(bucketArn(object.bucket), bucketKey) },
      },
      layers: only,
    },
    'DSSE-KMS': {
      envelope: { scheme: 'DSSE-KMS', ...kms, wrappedDataKey: kmsBlob(whole, dataKey), outer: underMaster('DSSE-KMS', outerKey) },
      layers: [{ dataKey, layer: 'inner' }, { dataKey: outerKey, layer: 'outer' }],
    },
    'SSE-C': {
      envelope: {
        scheme: 'SSE-C', salt, check: customerKeyCheck(customerKey, salt),
        wrappedDataKey: seal(customerWrappingKey(customerKey, salt), dataKeyContext({ ...object, scheme: 'SSE-C', keyVersionId: '' }), dataKey),
      },
      layers: only,
    },
  };
}

interface ExportPart {
  partNumber: number;
  sealedSizeBytes: number;
  plaintextSizeBytes: number;
  blob?: string;
  sealed?: string;
}

interface Export {
  format: string;
  version: number;
  object: { bucket: string; key: string; versionNonce: string };
  envelope: object;
  parts: ExportPart[];
  keyMaterials: object[];
}

let directory: string;

/** An export whose parts lie inline or as blobs, one directory down as a store may have them. */
function makeExport(name: string, parts: [partNumber: number, plaintext: Buffer][], place: 'inline' | 'blobs'): Export {
  const { envelope, layers } = schemes()[name]!;
  return {
    format: 'coffer-export',
    version: 1,
    object: { ...object, versionNonce: object.versionNonce.toString('base64') },
    envelope: encodeEnvelope(envelope),
    parts: parts.map(([partNumber, plaintext]) => {
      let stored = plaintext;
      for (const { dataKey, layer } of layers) {
        const sealer = new Sealer(dataKey, payloadContext({ ...object, partNumber, layer }));
        stored = Buffer.concat([...sealer.update(stored), ...sealer.final()]);
      }
      const part = { partNumber, sealedSizeBytes: stored.length, plaintextSizeBytes: plaintext.length };
      if (place === 'inline') return { ...part, sealed: stored.toString('base64') };
      const blob = randomBytes(16).toString('hex');
      const file = join(directory, 'blobs', blob.slice(0, 2), blob);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, stored);
      return { ...part, blob };
    }),
    keyMaterials: name === 'NONE' || name === 'SSE-C' ? [] : keyMaterials,
  };
}

function decrypt(exported: unknown, options: { root?: Buffer; customer?: Buffer } = {}): { status: number | null; plaintext: Buffer; said: string } {
  const file = join(directory, 'export.json');
  const rootFile = join(directory, 'root.key');
  writeFileSync(file, JSON.stringify(exported));
  writeFileSync(rootFile, `${(options.root ?? rootKey).toString('hex')}\n`);
  const customer = (options.customer ?? customerKey).toString('base64');
  const args = [decryptor, '--root', rootFile, '--customer-key', customer, '--blobs', join(directory, 'blobs'), file];
  const { status, stdout, stderr, error } = spawnSync(python, args, { maxBuffer: 64 << 20 });
  assert.ifError(error);
  return { status, plaintext: stdout, said: stderr.toString() };
}

describe('the decryptor without Coffer', () => {
  before(() => {
    const { status } = spawnSync(python, ['-c', 'import cryptography']);
    assert.equal(status, 0, `tools/decrypt.py needs ${python} and the Debian package python3-cryptography: apt-get install python3-cryptography`);
    directory = mkdtempSync(join(tmpdir(), 'coffer-decryptor-'));
  });
  after(() => {
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  });

  for (const name of Object.keys(schemes())) {
    test(`${name}: whole, in parts, an empty part`, () => {
      const whole = randomBytes(3 * chunkSizeBytes);
      const opened = decrypt(makeExport(name, [[0, whole]], 'inline'));
      assert.equal(opened.status, 0, opened.said);
      assert.ok(opened.plaintext.equals(whole));

      const parts: [number, Buffer][] = [[1, randomBytes(70 * chunkSizeBytes + 1)], [2, randomBytes(chunkSizeBytes - 1)], [7, Buffer.alloc(0)]];
      const joined = decrypt(makeExport(name, parts, 'blobs'));
      assert.equal(joined.status, 0, joined.said);
      assert.ok(joined.plaintext.equals(Buffer.concat(parts.map(([, plaintext]) => plaintext))));
    });
  }

  test('the committed exports open', () => {
    const file = new URL('../vectors/seal/exports.json', import.meta.url);
    const vectors = JSON.parse(readFileSync(file, 'utf8')) as {
      rootKey: string; customerKey: string; exports: { name: string; plaintext: string; export: Export }[];
    };
    for (const { name, plaintext, export: exported } of vectors.exports) {
      const opened = decrypt(exported, { root: Buffer.from(vectors.rootKey, 'hex'), customer: Buffer.from(vectors.customerKey, 'base64') });
      assert.equal(opened.status, 0, `${name}: ${opened.said}`);
      assert.equal(opened.plaintext.toString('base64'), plaintext, name);
    }
  });

  test('another key, place or payload does not open', () => {
    const plaintext = randomBytes(100);
    const damage: Record<string, (exported: Export) => void> = {
      'another bucket': (exported) => { exported.object.bucket = 'other'; },
      'another key': (exported) => { exported.object.key = 'other'; },
      'another part number': (exported) => { exported.parts[0]!.partNumber = 1; },
      'another version': (exported) => { exported.object.versionNonce = randomBytes(16).toString('base64'); },
      'a changed payload': (exported) => {
        const sealed = Buffer.from(exported.parts[0]!.sealed!, 'base64');
        sealed[60]! ^= 1;
        exported.parts[0]!.sealed = sealed.toString('base64');
      },
      'missing material': (exported) => { exported.keyMaterials = []; },
      'an unknown export': (exported) => { exported.version = 2; },
      'an unknown envelope': (exported) => { exported.envelope = { ...exported.envelope, version: 2 }; },
    };
    for (const [what, change] of Object.entries(damage)) {
      const exported = makeExport('DSSE-KMS', [[0, plaintext]], 'inline');
      change(exported);
      const { status, plaintext: written, said } = decrypt(exported);
      assert.equal(status, 1, what);
      assert.equal(written.length, 0, what);
      assert.match(said, /^decrypt\.py: \S+/, what);
      assert.doesNotMatch(said, /Traceback/, what);
    }
    assert.equal(decrypt(makeExport('SSE-S3', [[0, plaintext]], 'inline'), { root: randomBytes(32) }).status, 1);
    const other = decrypt(makeExport('SSE-C', [[0, plaintext]], 'inline'), { customer: randomBytes(32) });
    assert.equal(other.status, 1);
    assert.match(other.said, /customer's key/);
  });

  test('a blob name cannot leave the directory of blobs', () => {
    const exported = makeExport('NONE', [[0, rootKey]], 'inline');
    exported.parts = [{ partNumber: 0, sealedSizeBytes: 65, plaintextSizeBytes: 65, blob: '../root.key' }];
    const { status, plaintext } = decrypt(exported);
    assert.equal(status, 1);
    assert.equal(plaintext.length, 0);
  });
});
