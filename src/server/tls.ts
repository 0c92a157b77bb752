/**
 * The certificate that HTTPS shows: the operator's own, or one under a local authority that is made on first
 * start. Clients that trust `<data>/tls/ca.crt` trust this server, and nothing else comes of it: the authority's
 * key never leaves the data directory.
 *
 *     tls/ca.crt      the authority's certificate, 10 years, for clients to trust
 *     tls/ca.key      its key, mode 0600; may be taken away, then the server certificate can no longer be renewed here
 *     tls/server.crt  the server's certificate, 397 days (the longest that Apple's clients accept)
 *     tls/server.key  its key, mode 0600
 *
 * Done by the one process that owns the data, before it listens.
 */
import { createPrivateKey, randomBytes, X509Certificate, type KeyObject } from 'node:crypto';
import { mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { systemClock, type Clock } from '../base/index.ts';
import { certificatePem, createAuthority, createServerCertificate, ipv6Groups, keyPem } from './x509.ts';

export interface TlsFiles {
  readonly certPath: string;
  readonly keyPath: string;
  /** The local authority, for clients to trust; absent with the operator's own certificate. */
  readonly caPath?: string;
}

export interface TlsOptions {
  /** The data directory. */
  data: string;
  /** Host names whose sub-domains are buckets. */
  domains: readonly string[];
  /** Where HTTPS listens: a name or address of its own belongs into the certificate. */
  https?: { host: string } | undefined;
  /** The operator's own chain and key: both or none. */
  tlsCert?: string | undefined;
  tlsKey?: string | undefined;
}

const dayMs = 86_400_000;
const authorityValidityMs = 3_650 * dayMs;
const serverValidityMs = 397 * dayMs;
const renewalMs = 30 * dayMs;
/** Clients whose clocks are behind see a fresh certificate, too. */
const backdatingMs = 3_600_000;

/** Throws errors whose message tells the operator what to mend. */
export async function prepareTls(options: TlsOptions, clock: Clock = systemClock, host = hostname()): Promise<TlsFiles> {
  const { tlsCert, tlsKey } = options;
  if (tlsCert !== undefined && tlsKey !== undefined) {
    await checkOwn(tlsCert, tlsKey, clock.nowMs());
    return { certPath: tlsCert, keyPath: tlsKey };
  }
  const directory = join(options.data, 'tls');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const files = { certPath: join(directory, 'server.crt'), keyPath: join(directory, 'server.key'), caPath: join(directory, 'ca.crt') };
  const names = namesFor(options, host);
  const nowMs = clock.nowMs();
  const authority = await findAuthority(files.caPath, join(directory, 'ca.key'), nowMs, host);
  if (!(await isCurrent(files, authority.certificate, names, nowMs))) await renew(files, authority, names, nowMs);
  return files;
}

interface Authority {
  certificate: X509Certificate;
  /** Absent when the operator took it away. */
  key: KeyObject | undefined;
}

/** What clients on this machine and elsewhere may call it. */
function namesFor({ domains, https }: TlsOptions, host: string): string[] {
  const bound = https === undefined || ['0.0.0.0', '::'].includes(https.host) ? [] : [https.host];
  const dnsNames = ['localhost', ...domains].flatMap((name) => [name, `*.${name}`]);
  const candidates = [...dnsNames, '127.0.0.1', '::1', host.toLowerCase(), ...bound.map((name) => name.toLowerCase())];
  return [...new Set(candidates)].filter((name) => isIP(name) !== 0 || /^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(name));
}

async function findAuthority(certPath: string, keyPath: string, nowMs: number, host: string): Promise<Authority> {
  const serverCertificateThere = (await readIfThere(join(certPath, '..', 'server.crt'))) !== undefined;
  const [certificateText, keyText] = await Promise.all([readIfThere(certPath), readIfThere(keyPath)]);
  // Without a server certificate, the first start broke off before it had made one.
  if (certificateText === undefined && keyText !== undefined && serverCertificateThere) {
    throw new Error(`${keyPath} is there and ${certPath} is not: put the certificate back, or remove the key to have a new authority made`);
  }
  if (certificateText !== undefined) {
    const certificate = parseCertificate(certificateText, certPath);
    const key = keyText === undefined ? undefined : parseKey(keyText, keyPath);
    if (key) {
      await refuseOpenKey(keyPath);
      if (!certificate.checkPrivateKey(key)) throw new Error(`${keyPath} is not the key of ${certPath}: put the right one back, or remove both to have a new authority made`);
    }
    if (certificate.validToDate.getTime() - nowMs > renewalMs) return { certificate, key };
  }
  const made = createAuthority(`Coffer local CA ${host.slice(0, 32)} ${randomBytes(4).toString('hex')}`, validity(nowMs, authorityValidityMs));
  await writeWhole(keyPath, keyPem(made.key), 0o600);
  await writeWhole(certPath, certificatePem(made.certificate), 0o644);
  return { certificate: new X509Certificate(made.certificate), key: made.key };
}

/** Whether the server certificate is there, whole, of this authority, for these names, and good for a while. */
async function isCurrent({ certPath, keyPath }: TlsFiles, authority: X509Certificate, names: readonly string[], nowMs: number): Promise<boolean> {
  const [certificateText, keyText] = await Promise.all([readIfThere(certPath), readIfThere(keyPath)]);
  if (certificateText === undefined || keyText === undefined) return false;
  await refuseOpenKey(keyPath);
  try {
    const certificate = new X509Certificate(certificateText);
    return (
      certificate.checkIssued(authority) &&
      certificate.verify(authority.publicKey) &&
      certificate.checkPrivateKey(createPrivateKey(keyText)) &&
      certificate.validToDate.getTime() - nowMs > renewalMs &&
      certificate.validFromDate.getTime() <= nowMs &&
      sameNames(certificate, names)
    );
  } catch {
    // Cut short or overwritten: a new one mends it.
    return false;
  }
}

function sameNames(certificate: X509Certificate, names: readonly string[]): boolean {
  const shown = (certificate.subjectAltName ?? '').split(', ').sort();
  const wanted = names.map((name) => (isIP(name) === 0 ? `DNS:${name}` : `IP Address:${shownAddress(name)}`)).sort();
  return shown.length === wanted.length && shown.every((name, index) => name === wanted[index]);
}

/** As OpenSSL prints IPv6: eight groups in capitals, nothing left out. */
function shownAddress(address: string): string {
  if (isIP(address) === 4) return address;
  return ipv6Groups(address)
    .map((group) => group.toString(16).toUpperCase())
    .join(':');
}

async function renew({ certPath, keyPath, caPath }: TlsFiles, { certificate, key }: Authority, names: readonly string[], nowMs: number): Promise<void> {
  if (!key) {
    throw new Error(`the server certificate ${certPath} is missing, about to expire, or for other names, and the authority's key is not there to make a new one: put ca.key back beside ${caPath}, or remove ${caPath} to have a new authority made`);
  }
  const commonName = /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? '';
  const { notBeforeMs, notAfterMs } = validity(nowMs, serverValidityMs);
  const made = createServerCertificate({ commonName, key }, 'Coffer', names, { notBeforeMs, notAfterMs: Math.min(notAfterMs, certificate.validToDate.getTime()) });
  // A crash between the two leaves a pair that does not match, which the next start sees and replaces.
  await writeWhole(keyPath, keyPem(made.key), 0o600);
  await writeWhole(certPath, certificatePem(made.certificate), 0o644);
}

async function checkOwn(certPath: string, keyPath: string, nowMs: number): Promise<void> {
  const [certificateText, keyText] = await Promise.all([
    readFile(certPath).catch((error: unknown) => refuse(`cannot read the certificate chain ${certPath}`, error)),
    readFile(keyPath).catch((error: unknown) => refuse(`cannot read the private key ${keyPath}`, error)),
  ]);
  const certificate = parseCertificate(certificateText, certPath);
  if (!certificate.checkPrivateKey(parseKey(keyText, keyPath))) throw new Error(`${keyPath} is not the private key of the first certificate in ${certPath}; the server's own certificate comes first in a chain`);
  if (certificate.validToDate.getTime() <= nowMs) throw new Error(`the certificate ${certPath} expired on ${certificate.validTo}`);
}

function parseCertificate(text: Buffer, path: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (error) {
    return refuse(`${path} holds no certificate in PEM form`, error);
  }
}

function parseKey(text: Buffer, path: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (error) {
    return refuse(`${path} holds no private key in PEM form without a passphrase`, error);
  }
}

function refuse(what: string, cause: unknown): never {
  throw new Error(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}

async function refuseOpenKey(path: string): Promise<void> {
  const { mode } = await stat(path);
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) throw new Error(`${path} is a private key and has mode 0${(mode & 0o777).toString(8)}: others may read it; make it 0600`);
}

function validity(nowMs: number, lengthMs: number): { notBeforeMs: number; notAfterMs: number } {
  return { notBeforeMs: nowMs - backdatingMs, notAfterMs: nowMs - backdatingMs + lengthMs };
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch((error: unknown) => ((error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : refuse(`cannot read ${path}`, error)));
}

/** The name shows the old content or the new, never a part; durable when resolved. */
async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    const file = await open(aside, 'wx', mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
  } catch (error) {
    await unlink(aside).catch(() => undefined);
    throw error;
  }
  const directory = await open(join(path, '..'), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
