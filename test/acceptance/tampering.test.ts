/**
 * What lies on the disk is changed behind the server's back: no read may deliver a wrong byte, whatever was changed.
 * Cases R06 and D04 of contract s3-encryption.md section 24, and section 13: before headers 500 InternalError,
 * afterwards the connection ends without the final bytes.
 */
import assert from 'node:assert/strict';
import { readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { after, before, describe, test } from 'node:test';
import { completion, openLab, type Lab } from '../kit/encryption-lab.ts';
import { schemeCases, type SchemeCase } from '../kit/encryption-schemes.ts';
import { sign } from '../kit/sign.ts';
import { StoredObjects, withStoredObjects, type StoredRecord } from '../kit/stored-objects.ts';

const bucket = 'lab-1';
const sealedChunkSizeBytes = 16_400;
/** Many chunks, and more than the server reads at once. */
const largeSizeBytes = 2 * 1024 * 1024 + 7;
const smallSizeBytes = 3_000;

/** Bytes that tell where they belong: of object `name`, and at which place. */
function bytesOf(name: string, sizeBytes: number): Buffer {
  const line = `${name} `.padEnd(24, '.');
  const bytes = Buffer.alloc(sizeBytes);
  for (let at = 0; at < sizeBytes; at += 32) bytes.write(`${line}${String(at).padStart(8, '0')}`, at, 'latin1');
  return bytes;
}

interface Read {
  status: number;
  /** Everything that arrived, whole or not. */
  received: Buffer;
  isWhole: boolean;
}

/** A GET whose connection may break. */
async function read({ server }: Lab, target: string, headers: Record<string, string>): Promise<Read> {
  const bare = { host: `127.0.0.1:${server.httpsPort}`, ...headers };
  const signed = await sign({ method: 'GET', target, headers: bare }, server.credentials);
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: server.httpsPort, servername: 'localhost', ca: server.ca, path: target, headers: signed, agent: false }, (response) => {
      const pieces: Buffer[] = [];
      const end = (): void => resolve({ status: response.statusCode ?? 0, received: Buffer.concat(pieces), isWhole: response.complete });
      response.on('data', (piece: Buffer) => void pieces.push(piece)).on('error', () => undefined).on('close', end);
    });
    sent.on('error', reject).end();
  });
}

/** Refused with 500 and nothing else, or broken off after nothing but right bytes. */
async function assertNoWrongByte(lab: Lab, target: string, headers: Record<string, string>, expected: Buffer, what: string): Promise<'refused' | 'broken'> {
  const { status, received, isWhole } = await read(lab, target, headers);
  if (status >= 500) {
    assert.match(received.toString(), /<Code>InternalError<\/Code><Message>We encountered an internal error\. Please try again\.<\/Message>/, what);
    assert.ok(lab.server.requests.at(-1)?.cause !== undefined, `${what}: the log is told why`);
    return 'refused';
  }
  assert.ok(status === 200 || status === 206, `${what}: ${status} ${received.toString('utf8', 0, 300)}`);
  assert.ok(!isWhole && received.length < expected.length, `${what}: delivered as if it were whole`);
  assert.ok(received.equals(expected.subarray(0, received.length)), `${what}: wrong bytes were delivered`);
  return 'broken';
}

async function blobOf({ server }: Lab, key: string): Promise<string> {
  const [path] = await new StoredObjects(server.running.rooms.store.catalog, server.dataDir, bucket).blobPaths(key);
  assert.ok(path !== undefined, 'a large object is a blob');
  return path;
}

async function swap(a: string, b: string): Promise<void> {
  await rename(a, `${a}.aside`);
  await rename(b, a);
  await rename(`${a}.aside`, b);
}

describe('blobs changed under a running server', () => {
  let lab: Lab;
  let schemes: SchemeCase[];
  before(async () => {
    lab = await openLab();
    schemes = schemeCases(await lab.newKey());
    await lab.newBucket();
  });
  after(() => lab.stop());

  async function put(key: string, { write }: SchemeCase, sizeBytes = largeSizeBytes): Promise<Buffer> {
    const bytes = bytesOf(key, sizeBytes);
    const { status, text } = await lab.send('PUT', `/${bucket}/${key}`, write, bytes);
    assert.equal(status, 200, text);
    return bytes;
  }

  test('every byte that can be flipped is noticed by those reads that need it, and by no other', async () => {
    const outcomes = new Set<string>();
    for (const [index, scheme] of schemes.entries()) {
      const key = `flip-${index}`;
      const bytes = await put(key, scheme);
      const path = await blobOf(lab, key);
      const sealed = await readFile(path);
      const at = (chunk: number, offset: number): number => 56 + chunk * sealedChunkSizeBytes + offset;
      const flips: [name: string, offset: number, firstChunk: boolean][] = [
        ['salt', 0, true], ['commitment', 40, true], ['first byte', at(0, 0), true], ['first tag', at(0, 16_390), true],
        ['a byte in the middle', at(64, 5_000), false], ['a late tag', at(120, 16_399), false], ['the last byte', sealed.length - 1, false],
      ];
      for (const [name, offset, firstChunk] of flips) {
        const changed = Buffer.from(sealed);
        changed[offset] = (changed[offset] as number) ^ 0x10;
        await writeFile(path, changed);
        const what = `${scheme.name}: ${name}`;
        const outcome = await assertNoWrongByte(lab, `/${bucket}/${key}`, scheme.read, bytes, what);
        if (firstChunk) assert.equal(outcome, 'refused', what);
        outcomes.add(outcome);
        if (firstChunk) {
          await assertNoWrongByte(lab, `/${bucket}/${key}`, { ...scheme.read, range: 'bytes=0-9' }, bytes.subarray(0, 10), what);
        } else {
          const elsewhere = await read(lab, `/${bucket}/${key}`, { ...scheme.read, range: 'bytes=100000-199999' });
          assert.deepEqual([elsewhere.status, elsewhere.isWhole, elsewhere.received.equals(bytes.subarray(100_000, 200_000))], [206, true, true], what);
        }
        assert.equal((await lab.send('HEAD', `/${bucket}/${key}`, scheme.read)).status, 200);
      }
      await writeFile(path, sealed);
      assert.ok((await read(lab, `/${bucket}/${key}`, scheme.read)).received.equals(bytes));
    }
    assert.deepEqual([...outcomes].sort(), ['broken', 'refused']);
  });

  test('cut, lengthened, emptied and removed blobs', async () => {
    for (const [index, scheme] of schemes.entries()) {
      const key = `cut-${index}`;
      const bytes = await put(key, scheme);
      const path = await blobOf(lab, key);
      const sealed = await readFile(path);
      const changes: [string, () => Promise<void>][] = [
        ['one byte short', () => truncate(path, sealed.length - 1)],
        ['one chunk short', () => truncate(path, sealed.length - sealedChunkSizeBytes)],
        ['at the end of a chunk', () => truncate(path, 56 + 5 * sealedChunkSizeBytes)],
        ['only its header', () => truncate(path, 56)],
        ['empty', () => truncate(path, 0)],
        ['one byte long', () => writeFile(path, Buffer.concat([sealed, Buffer.alloc(1)]))],
        ['one chunk twice', () => writeFile(path, Buffer.concat([sealed, sealed.subarray(-sealedChunkSizeBytes)]))],
        ['two chunks exchanged', () => writeFile(path, Buffer.concat([
          sealed.subarray(0, 56), sealed.subarray(56 + sealedChunkSizeBytes, 56 + 2 * sealedChunkSizeBytes), sealed.subarray(56, 56 + sealedChunkSizeBytes), sealed.subarray(56 + 2 * sealedChunkSizeBytes),
        ]))],
        ['gone', () => rm(path)],
      ];
      for (const [name, change] of changes) {
        await change();
        for (const [range, expected] of [[{}, bytes], [{ range: 'bytes=0-99' }, bytes.subarray(0, 100)], [{ range: 'bytes=-100' }, bytes.subarray(-100)]] as [Record<string, string>, Buffer][]) {
          // Whole as far as this range goes.
          if (name === 'two chunks exchanged' && range['range'] === 'bytes=-100') continue;
          const what = `${scheme.name}: ${name}`;
          assert.equal(await assertNoWrongByte(lab, `/${bucket}/${key}`, { ...scheme.read, ...range }, expected, what), 'refused', what);
        }
        await writeFile(path, sealed);
      }
    }
  });

  test('blobs of two objects exchanged, and the blob of an older version put back', async () => {
    for (const [index, scheme] of schemes.entries()) {
      const [a, b] = [`swap-${index}-a`, `swap-${index}-b`];
      const expected = [await put(a, scheme), await put(b, scheme)];
      await swap(await blobOf(lab, a), await blobOf(lab, b));
      for (const [at, key] of [a, b].entries()) assert.equal(await assertNoWrongByte(lab, `/${bucket}/${key}`, scheme.read, expected[at] as Buffer, scheme.name), 'refused');
      await swap(await blobOf(lab, a), await blobOf(lab, b));
      assert.ok((await read(lab, `/${bucket}/${a}`, scheme.read)).received.equals(expected[0] as Buffer));

      // What was there before under the same name does not come back.
      const old = await readFile(await blobOf(lab, a));
      const newer = await put(a, scheme);
      await writeFile(await blobOf(lab, a), old);
      assert.equal(await assertNoWrongByte(lab, `/${bucket}/${a}`, scheme.read, newer, `${scheme.name}: an older version`), 'refused');
    }
  });

  test('parts exchanged and changed', async () => {
    const partSizeBytes = 5 * 1024 * 1024;
    for (const scheme of schemes) {
      const key = `parts-${schemes.indexOf(scheme)}`;
      const bytes = bytesOf(key, 2 * partSizeBytes);
      const id = await lab.startUpload(bucket, key, scheme.write);
      const etags = [];
      for (const number of [1, 2]) {
        const part = await lab.send('PUT', `/${bucket}/${key}?partNumber=${number}&uploadId=${id}`, scheme.read, bytes.subarray((number - 1) * partSizeBytes, number * partSizeBytes));
        etags.push({ number, etag: String(part.headers['etag']) });
      }
      assert.equal((await lab.send('POST', `/${bucket}/${key}?uploadId=${id}`, {}, completion(etags))).status, 200);
      const [first, second] = (await new StoredObjects(lab.server.running.rooms.store.catalog, lab.server.dataDir, bucket).blobPaths(key)) as [string, string];
      const target = `/${bucket}/${key}`;

      await swap(first, second);
      assert.equal(await assertNoWrongByte(lab, target, scheme.read, bytes, scheme.name), 'refused');
      await assertNoWrongByte(lab, `${target}?partNumber=2`, scheme.read, bytes.subarray(partSizeBytes), scheme.name);
      await swap(first, second);

      const changes: [name: string, change: () => Promise<void>][] = [
        ['flipped', async () => {
          const sealed = await readFile(second);
          sealed[1_000_000] = (sealed[1_000_000] as number) ^ 1;
          await writeFile(second, sealed);
        }],
        ['short', () => truncate(second, 1_000_000)],
        ['gone', () => rm(second)],
      ];
      for (const [name, change] of changes) {
        await change();
        const what = `${scheme.name}: the second part ${name}`;
        assert.equal(await assertNoWrongByte(lab, target, scheme.read, bytes, what), 'broken');
        await assertNoWrongByte(lab, `${target}?partNumber=2`, scheme.read, bytes.subarray(partSizeBytes), what);
        const whole = await read(lab, `${target}?partNumber=1`, scheme.read);
        assert.deepEqual([whole.status, whole.received.equals(bytes.subarray(0, partSizeBytes))], [206, true]);
      }
    }
  });

  test('a copy of what is damaged makes no object', async () => {
    for (const [index, scheme] of schemes.entries()) {
      const key = `copied-${index}`;
      await put(key, scheme);
      const path = await blobOf(lab, key);
      const sealed = await readFile(path);
      for (const offset of [60, sealed.length - 1]) {
        const changed = Buffer.from(sealed);
        changed[offset] = (changed[offset] as number) ^ 1;
        await writeFile(path, changed);
        const refused = await lab.send('PUT', `/${bucket}/copy`, { ...scheme.source, 'x-amz-copy-source': `${bucket}/${key}` });
        assert.deepEqual([refused.status, refused.code], [500, 'InternalError']);
      }
      await rm(path);
      const refused = await lab.send('PUT', `/${bucket}/copy`, { ...scheme.source, 'x-amz-copy-source': `${bucket}/${key}` });
      assert.deepEqual([refused.status, refused.code], [500, 'InternalError']);
      assert.equal((await lab.send('HEAD', `/${bucket}/copy`)).status, 404);
    }
  });
});

describe('the catalog changed while the server was stopped', () => {
  interface Damage {
    name: string;
    scheme: SchemeCase['name'];
    key: string;
    sizeBytes: number;
    /** `other` is an object of the same scheme and size. */
    change(objects: StoredObjects, key: string, other: string): Promise<void>;
  }

  const flip = (base64: string): string => {
    const bytes = Buffer.from(base64, 'base64');
    bytes[bytes.length - 5] = (bytes.at(-5) as number) ^ 1;
    return bytes.toString('base64');
  };
  type Envelope = StoredRecord['envelope'];
  type Wrapped = { wrappedDataKey: string; outer: { wrappedDataKey: string } };
  /** Of any scheme that wraps a key. */
  const wrapped = (envelope: Envelope): Wrapped => envelope as unknown as Wrapped;
  const ofAll: Record<string, Damage['change']> = {
    'a flipped wrapped key': (objects, key) => objects.rewrite(key, (record) => ({
      ...record, envelope: { ...record.envelope, wrappedDataKey: flip(wrapped(record.envelope).wrappedDataKey) },
    })),
    'the other\'s envelope': async (objects, key, other) => {
      const { envelope } = await objects.record(other);
      await objects.rewrite(key, (record) => ({ ...record, envelope }));
    },
    'the other\'s record': async (objects, key, other) => {
      const stolen = await objects.record(other);
      await objects.rewrite(key, () => stolen);
    },
    'another nonce': (objects, key) => objects.rewrite(key, (record) => ({ ...record, nonce: Buffer.alloc(16, 1).toString('base64url') })),
    'a byte less': (objects, key) => objects.rewrite(key, (record) => ({ ...record, size: record.size - 1 })),
    'a byte more': (objects, key) => objects.rewrite(key, (record) => ({ ...record, size: record.size + 1 })),
    'the scheme of plain objects': (objects, key) => objects.rewrite(key, (record) => ({ ...record, envelope: { version: 1, scheme: 'NONE' } })),
    'no envelope': (objects, key) => objects.rewrite(key, ({ envelope: _gone, ...record }) => record),
  };
  const ofSmall: Record<string, Damage['change']> = {
    'flipped bytes': (objects, key) => objects.rewriteInline(key, (sealed) => {
      sealed[100] = (sealed[100] as number) ^ 1;
      return sealed;
    }),
    'cut bytes': (objects, key) => objects.rewriteInline(key, (sealed) => sealed.subarray(0, -1)),
    'no bytes': (objects, key) => objects.rewriteInline(key, () => Buffer.alloc(0)),
    'the other\'s bytes': async (objects, key, other) => {
      const bytes = await objects.inline(other);
      await objects.rewriteInline(key, () => bytes);
    },
    'a lost row': (objects, key) => objects.rewriteInline(key, () => undefined),
  };
  type Dsse = Extract<Envelope, { scheme: 'DSSE-KMS' }>;
  const layers: Record<string, (envelope: Dsse, other: Dsse) => object> = {
    'D04: no inner key': ({ wrappedDataKey: _gone, ...envelope }) => envelope,
    'D04: no outer key': ({ outer: _gone, ...envelope }) => envelope,
    'D04: an empty inner key': (envelope) => ({ ...envelope, wrappedDataKey: '' }),
    'D04: the inner key of another': (envelope, other) => ({ ...envelope, wrappedDataKey: other.wrappedDataKey }),
    'D04: the outer key of another': (envelope, other) => ({ ...envelope, outer: other.outer }),
    'D04: a flipped outer key': (envelope) => ({ ...envelope, outer: { ...envelope.outer, wrappedDataKey: flip(envelope.outer.wrappedDataKey) } }),
    'D04: the inner key in both places': (envelope) => ({ ...envelope, outer: { ...envelope.outer, wrappedDataKey: envelope.wrappedDataKey } }),
    'D04: only the inner key, as SSE-KMS': ({ keyArn, wrappedDataKey, encryptionContext }) => ({ version: 1, scheme: 'SSE-KMS', keyArn, wrappedDataKey, encryptionContext }),
    'D04: only the outer key, as SSE-S3': ({ outer }) => ({ version: 1, scheme: 'SSE-S3', ...outer }),
  };

  let lab: Lab;
  const damages: Damage[] = [];
  before(async () => {
    lab = await openLab();
    const key = await lab.newKey();
    await lab.newBucket();
    const schemes = schemeCases(key);
    for (const [index, { name: scheme }] of schemes.entries()) {
      for (const [size, sizeBytes] of Object.entries({ small: smallSizeBytes, large: 40_000 })) {
        for (const [name, change] of Object.entries({ ...ofAll, ...(size === 'small' ? ofSmall : {}) })) {
          damages.push({ name: `${scheme}, ${size}: ${name}`, scheme, key: `${size}-${index}-${name.replaceAll(/\W/g, '-')}`, sizeBytes, change });
        }
        if (scheme !== 'DSSE-KMS') continue;
        for (const [name, ofEnvelope] of Object.entries(layers)) {
          const change: Damage['change'] = async (objects, at, otherKey) => {
            const { envelope: other } = await objects.record(otherKey);
            await objects.rewrite(at, (record) => ({ ...record, envelope: ofEnvelope(record.envelope as Dsse, other as Dsse) }));
          };
          damages.push({ name: `${size}: ${name}`, scheme, key: `${size}-${index}-${name.replaceAll(/\W/g, '-')}`, sizeBytes, change });
        }
      }
    }
    for (const { key: name, scheme, sizeBytes } of damages) {
      const { write } = schemes.find((known) => known.name === scheme)!;
      for (const object of [name, `${name}-other`]) assert.equal((await lab.send('PUT', `/${bucket}/${object}`, write, bytesOf(object, sizeBytes))).status, 200);
    }
    await lab.server.stop({ keepData: true });
    await withStoredObjects(lab.server.dataDir, bucket, async (objects) => {
      for (const { change, key: name } of damages) await change(objects, name, `${name}-other`);
    });
    const { dataDir, clock } = lab.server;
    lab = await openLab({ dataDir, clock });
  });
  after(() => lab.stop());

  test('no read of what was changed delivers a wrong byte, and its neighbour stays whole', async () => {
    const schemes = schemeCases({ id: '', arn: '' });
    for (const { name, scheme, key, sizeBytes } of damages) {
      const { read: headers, source } = schemes.find((known) => known.name === scheme)!;
      const expected = bytesOf(key, sizeBytes);
      for (const range of [{}, { range: 'bytes=0-99' }] as Record<string, string>[]) {
        const answer = await read(lab, `/${bucket}/${key}`, { ...headers, ...range });
        const isCustomer = scheme === 'SSE-C' && answer.status >= 400 && answer.status < 500;
        if (!isCustomer) assert.equal(await assertNoWrongByte(lab, `/${bucket}/${key}`, { ...headers, ...range }, expected, name), 'refused', name);
        // What the record says of the customer's key is not that key's any more: that too is no data.
        else assert.match(answer.received.toString(), /<Code>(AccessDenied|InvalidRequest)<\/Code>/, name);
      }
      const copied = await lab.send('PUT', `/${bucket}/copy`, { ...source, 'x-amz-copy-source': `${bucket}/${key}` });
      assert.ok(copied.status >= 400, `${name}: copied`);
      const neighbour = await read(lab, `/${bucket}/${key}-other`, headers);
      assert.deepEqual([neighbour.status, neighbour.received.equals(bytesOf(`${key}-other`, sizeBytes))], [200, true], name);
    }
    assert.equal((await lab.send('HEAD', `/${bucket}/copy`)).status, 404);
  });
});
