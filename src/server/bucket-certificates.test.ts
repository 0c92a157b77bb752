import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect, createServer, type PeerCertificate } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { MovableClock } from '../base/index.ts';
import { bucketCertificates } from './bucket-certificates.ts';
import { prepareTls, type TlsFiles } from './tls.ts';

const domains = ['localhost', 's3.example.com'];

describe('certificates for buckets in host names', () => {
  let data: string;
  let tls: TlsFiles;
  const clock = new MovableClock();
  before(async () => {
    data = await mkdtemp(join(tmpdir(), 'coffer-names-'));
    tls = await prepareTls({ data, domains });
  });
  after(() => rm(data, { recursive: true }));

  /** The certificate that a client gets who asks for `servername` and verifies it as clients do. */
  async function certificateFor(servername: string): Promise<PeerCertificate> {
    const [key, cert, ca] = await Promise.all([tls.keyPath, tls.certPath, tls.caPath as string].map((path) => readFile(path)));
    const SNICallback = await bucketCertificates(tls, domains, clock);
    assert.ok(SNICallback);
    const server = createServer({ key, cert, SNICallback }, (socket) => socket.end());
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    try {
      return await new Promise((resolve, reject) => {
        const { port } = server.address() as AddressInfo;
        const client = connect({ host: '127.0.0.1', port, servername, ca }, () => {
          resolve(client.getPeerCertificate());
          client.destroy();
        });
        client.on('error', reject);
      });
    } finally {
      server.close();
    }
  }

  for (const name of ['bucket.localhost', 'with.dots.localhost', 'with.dots.s3.example.com', 'Upper.localhost']) {
    test(`${name} has one of its own`, async () => {
      assert.equal((await certificateFor(name)).subjectaltname, `DNS:${name.toLowerCase()}`);
    });
  }

  for (const name of ['localhost', 'bucket.s3.example.com']) {
    test(`${name} has the server's`, async () => {
      assert.match((await certificateFor(name)).subjectaltname ?? '', /DNS:localhost, DNS:\*\.localhost/);
    });
  }

  for (const name of ['evil.example', 'notlocalhost', `${'x'.repeat(64)}.localhost`, '-x.localhost']) {
    test(`${name} has none that a client takes`, async () => {
      await assert.rejects(certificateFor(name), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    });
  }

  test('are made once, and anew before they end', async () => {
    const pick = await bucketCertificates(tls, domains, clock);
    const contextOf = (name: string): unknown => {
      let picked: unknown;
      pick?.(name, (_, context) => {
        picked = context;
      });
      return picked;
    };
    const first = contextOf('b.localhost');
    assert.ok(first);
    assert.equal(contextOf('b.localhost'), first);
    clock.advanceMs(16 * 86_400_000);
    assert.notEqual(contextOf('b.localhost'), first);
  });

  test('are not made without the key of the authority, or with the certificate of the operator', async () => {
    assert.equal(await bucketCertificates({ certPath: tls.certPath, keyPath: tls.keyPath }, domains, clock), undefined);
    await unlink(join(data, 'tls', 'ca.key'));
    assert.equal(await bucketCertificates(tls, domains, clock), undefined);
  });
});
