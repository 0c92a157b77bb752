import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, createServer, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { MovableClock } from '../base/index.ts';
import { prepareTls, type TlsFiles } from './tls.ts';
import { certificatePem, createAuthority, createServerCertificate, ipv6Groups, keyPem } from './x509.ts';

const dayMs = 86_400_000;
const domains = ['localhost', 's3.example.test'];

let data: string;
let clock: MovableClock;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'coffer-tls-'));
  clock = new MovableClock();
});
afterEach(() => rm(data, { recursive: true }));

const prepare = (more: Partial<Parameters<typeof prepareTls>[0]> = {}): Promise<TlsFiles> => prepareTls({ data, domains, ...more }, clock, 'Storage-1.internal');
const certificateIn = async (path: string): Promise<X509Certificate> => new X509Certificate(await readFile(path));
const inTls = (name: string): string => join(data, 'tls', name);

describe('local authority', () => {
  test('a first start makes both pairs, keys for the owner alone', async () => {
    const { certPath, keyPath, caPath } = await prepare();
    assert.deepEqual([certPath, keyPath, caPath], [inTls('server.crt'), inTls('server.key'), inTls('ca.crt')]);
    assert.deepEqual((await readdir(join(data, 'tls'))).sort(), ['ca.crt', 'ca.key', 'server.crt', 'server.key']);
    for (const name of ['ca.key', 'server.key']) assert.equal((await stat(inTls(name))).mode & 0o777, 0o600);
    const [server, authority] = await Promise.all([certificateIn(certPath), certificateIn(caPath as string)]);
    assert.ok(authority.ca);
    assert.ok(!server.ca);
    assert.ok(server.checkIssued(authority) && server.verify(authority.publicKey));
    assert.ok(server.checkPrivateKey(createPrivateKey(await readFile(keyPath))));
    const days = (certificate: X509Certificate): number => (certificate.validToDate.getTime() - certificate.validFromDate.getTime()) / dayMs;
    assert.equal(days(server), 397);
    assert.equal(days(authority), 3650);
    assert.deepEqual((server.subjectAltName ?? '').split(', ').sort(), [
      'DNS:*.localhost', 'DNS:*.s3.example.test', 'DNS:localhost', 'DNS:s3.example.test', 'DNS:storage-1.internal', 'IP Address:0:0:0:0:0:0:0:1', 'IP Address:127.0.0.1',
    ]);
  });

  test('the next start uses what is there', async () => {
    const files = await prepare();
    const before = await Promise.all(Object.values(files).map((path) => readFile(path, 'utf8')));
    await prepare();
    clock.advanceMs(366 * dayMs);
    await prepare();
    assert.deepEqual(await Promise.all(Object.values(files).map((path) => readFile(path, 'utf8'))), before);
  });

  const renewals: [title: string, change: (files: TlsFiles) => Promise<Partial<Parameters<typeof prepareTls>[0]> | void>][] = [
    ['close to its end', async () => clock.advanceMs(368 * dayMs)],
    ['long past its end', async () => clock.advanceMs(800 * dayMs)],
    ['for other names', async () => ({ domains: ['localhost', 'objects.example.test'] })],
    ['for another address', async () => ({ https: { host: '192.0.2.4' } })],
    ['for another IPv6 address', async () => ({ https: { host: '2001:db8::4' } })],
    ['cut short', async ({ certPath }) => writeFile(certPath, (await readFile(certPath)).subarray(0, 100))],
    ['missing', async ({ certPath }) => rm(certPath)],
    ['without its key', async ({ keyPath }) => rm(keyPath)],
    ['beside the key of another', async ({ keyPath }) => writeFile(keyPath, keyPem(createAuthority('x', { notBeforeMs: 0, notAfterMs: 1 }).key))],
  ];
  for (const [title, change] of renewals) {
    test(`a server certificate ${title} is renewed under the same authority`, async () => {
      const files = await prepare();
      const [oldServer, oldAuthority] = await Promise.all([readFile(files.certPath, 'utf8'), readFile(files.caPath as string, 'utf8')]);
      const options = (await change(files)) ?? {};
      await prepare(options);
      const server = await certificateIn(files.certPath);
      assert.notEqual(server.toString(), new X509Certificate(oldServer).toString());
      assert.equal(await readFile(files.caPath as string, 'utf8'), oldAuthority);
      assert.ok(server.verify(new X509Certificate(oldAuthority).publicKey));
      assert.ok(server.checkPrivateKey(createPrivateKey(await readFile(files.keyPath))));
      assert.ok(server.validToDate.getTime() > clock.nowMs() + 390 * dayMs);
      const renewed = await readFile(files.certPath, 'utf8');
      await prepare(options);
      assert.equal(await readFile(files.certPath, 'utf8'), renewed, 'renewed once, not at every start');
    });
  }

  test('an authority at its end is replaced, and no server certificate outlives its authority', async () => {
    const files = await prepare();
    const first = await readFile(files.caPath as string, 'utf8');
    clock.advanceMs(3_600 * dayMs);
    await prepare();
    assert.equal(await readFile(files.caPath as string, 'utf8'), first);
    const [server, authority] = await Promise.all([certificateIn(files.certPath), certificateIn(files.caPath as string)]);
    assert.equal(server.validTo, authority.validTo);
    clock.advanceMs(30 * dayMs);
    await prepare();
    assert.notEqual(await readFile(files.caPath as string, 'utf8'), first);
    assert.ok((await certificateIn(files.certPath)).verify((await certificateIn(files.caPath as string)).publicKey));
  });

  test("without the authority's key all goes on until a renewal is due", async () => {
    const files = await prepare();
    await rename(inTls('ca.key'), join(data, 'elsewhere.key'));
    assert.deepEqual(await prepare(), files);
    clock.advanceMs(368 * dayMs);
    await assert.rejects(prepare(), /put ca\.key back beside/);
  });

  test('a first start that broke off is begun anew', async () => {
    await prepare();
    await Promise.all(['ca.crt', 'server.crt'].map((name) => rm(inTls(name))));
    const { caPath, certPath } = await prepare();
    assert.ok((await certificateIn(certPath)).verify((await certificateIn(caPath as string)).publicKey));
  });

  test('keys that others may read, or that are of another pair, are refused by name', async () => {
    await prepare();
    for (const name of ['ca.key', 'server.key']) {
      await chmod(inTls(name), 0o640);
      await assert.rejects(prepare(), new RegExp(`${name} is a private key and has mode 0640: others may read it; make it 0600`));
      await chmod(inTls(name), 0o600);
    }
    await writeFile(inTls('ca.key'), await readFile(inTls('server.key')));
    await assert.rejects(prepare(), /ca\.key is not the key of .*ca\.crt/);
    await rm(inTls('ca.crt'));
    await assert.rejects(prepare(), /put the certificate back/);
  });
});

describe("the operator's own certificate", () => {
  async function own(notAfterMs: number): Promise<{ tlsCert: string; tlsKey: string }> {
    const validity = { notBeforeMs: 0, notAfterMs };
    const authority = createAuthority('Company', validity);
    const server = createServerCertificate({ commonName: 'Company', key: authority.key }, 's3', ['s3.example.test'], validity);
    const [tlsCert, tlsKey] = [join(data, 'own.crt'), join(data, 'own.key')];
    await writeFile(tlsCert, certificatePem(server.certificate) + certificatePem(authority.certificate));
    await writeFile(tlsKey, keyPem(server.key));
    return { tlsCert, tlsKey };
  }

  test('is used as it is', async () => {
    const { tlsCert, tlsKey } = await own(clock.nowMs() + dayMs);
    assert.deepEqual(await prepare({ tlsCert, tlsKey }), { certPath: tlsCert, keyPath: tlsKey });
    assert.deepEqual((await readdir(data)).sort(), ['own.crt', 'own.key'], 'no authority was made');
  });

  test('is refused when it cannot serve', async () => {
    const { tlsCert, tlsKey } = await own(clock.nowMs() + dayMs);
    await assert.rejects(prepare({ tlsCert: join(data, 'absent.crt'), tlsKey }), /cannot read the certificate chain .*absent\.crt: ENOENT/);
    await assert.rejects(prepare({ tlsCert: tlsKey, tlsKey }), /own\.key holds no certificate in PEM form/);
    await assert.rejects(prepare({ tlsCert, tlsKey: tlsCert }), /own\.crt holds no private key in PEM form without a passphrase/);
    await prepare();
    await assert.rejects(prepare({ tlsCert, tlsKey: inTls('server.key') }), /is not the private key of the first certificate/);
    clock.advanceMs(2 * dayMs);
    await assert.rejects(prepare({ tlsCert, tlsKey }), /expired on/);
  });
});

describe('clients that trust ca.crt alone', () => {
  /** Serves with these files while `use` runs. */
  async function serving({ certPath, keyPath }: TlsFiles, use: (port: number) => Promise<void>): Promise<void> {
    const server = createServer({ cert: await readFile(certPath), key: await readFile(keyPath) }, (_, response) => {
      response.setHeader('content-type', 'application/xml');
      response.end('<ListAllMyBucketsResult><Buckets><Bucket><Name>trusted</Name></Bucket></Buckets></ListAllMyBucketsResult>');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      await use((server.address() as AddressInfo).port);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  async function status(port: number, host: string, ca: Buffer | undefined): Promise<number | undefined> {
    const request = get({ host: '127.0.0.1', port, servername: host, headers: { host }, ca, agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  }

  test('reach it under its names, and no others do', async () => {
    const files = await prepare();
    const ca = await readFile(files.caPath as string);
    await serving(files, async (port) => {
      for (const host of ['localhost', 's3.example.test', 'bucket.s3.example.test', 'storage-1.internal']) assert.equal(await status(port, host, ca), 200, host);
      await assert.rejects(status(port, 'evil.example.test', ca), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
      await assert.rejects(status(port, 'localhost', undefined), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
    });
  });

  test('among them the AWS SDK', async () => {
    const files = await prepare();
    const ca = await readFile(files.caPath as string);
    await serving(files, async (port) => {
      const client = new S3Client({
        endpoint: `https://localhost:${port}`,
        region: 'us-east-1',
        credentials: { accessKeyId: 'A', secretAccessKey: 'B' },
        requestHandler: { httpsAgent: new Agent({ ca }) },
      });
      const { Buckets } = await client.send(new ListBucketsCommand({}));
      assert.deepEqual(Buckets?.map(({ Name }) => Name), ['trusted']);
      client.destroy();
    });
  });
});

test('IPv6 in every notation', () => {
  assert.deepEqual(ipv6Groups('::'), [0, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(ipv6Groups('::1'), [0, 0, 0, 0, 0, 0, 0, 1]);
  assert.deepEqual(ipv6Groups('fd00::'), [0xfd00, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(ipv6Groups('2001:DB8:0:0:1::2'), [0x2001, 0xdb8, 0, 0, 1, 0, 0, 2]);
  assert.deepEqual(ipv6Groups('::ffff:192.0.2.1'), [0, 0, 0, 0, 0, 0xffff, 0xc000, 0x201]);
  assert.deepEqual(ipv6Groups('1:2:3:4:5:6:7:8'), [1, 2, 3, 4, 5, 6, 7, 8]);
});

test('dates beyond 2049 are written in the other form', () => {
  const { certificate } = createAuthority('late', { notBeforeMs: Date.UTC(2049, 11, 31, 23, 59, 59), notAfterMs: Date.UTC(2050, 0, 1) });
  const parsed = new X509Certificate(certificate);
  assert.equal(parsed.validFromDate.toISOString(), '2049-12-31T23:59:59.000Z');
  assert.equal(parsed.validToDate.toISOString(), '2050-01-01T00:00:00.000Z');
});
