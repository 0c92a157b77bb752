/**
 * Certificates for buckets in host names that no wildcard covers: clients take `*.localhost` for nobody, since a
 * wildcard directly below a top-level name could be anybody's, and no wildcard covers a bucket name with dots.
 * Made when a client first asks for the name, under the local authority; with the operator's own certificate there
 * is none, and the operator's names count.
 * Source: RFC 6125, section 7.2; the checks of OpenSSL and Node.js.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Clock } from '../base/index.ts';
import type { TlsFiles } from './tls.ts';
import { certificatePem, createServerCertificate, keyPem, type Issuer } from './x509.ts';

/** As `SNICallback` of node:tls; no context means the default one. */
export type NameCallback = (serverName: string, done: (error: Error | null, context?: SecureContext) => void) => void;

interface Kept {
  context: SecureContext;
  renewAtMs: number;
}

const dayMs = 86_400_000;
const validityMs = 30 * dayMs;
const backdatingMs = 3_600_000;
/** Whoever asks for many names makes the server sign, not remember. */
const keptMax = 1_000;

/** Undefined where no certificate can be made: the operator's own is in use, or the authority's key was taken away. */
export async function bucketCertificates(tls: TlsFiles, domains: readonly string[], clock: Clock): Promise<NameCallback | undefined> {
  if (tls.caPath === undefined) return undefined;
  const [authorityText, keyText] = await Promise.all([readFile(tls.caPath), readFile(join(dirname(tls.caPath), 'ca.key')).catch(() => undefined)]);
  if (keyText === undefined) return undefined;
  const authority = new X509Certificate(authorityText);
  const issuer: Issuer = { commonName: /^CN=(.*)$/m.exec(authority.subject)?.[1] ?? '', key: createPrivateKey(keyText) };
  const kept = new Map<string, Kept>();

  return (serverName, done) => {
    const name = serverName.toLowerCase();
    if (!needsOwn(name, domains)) return done(null);
    const nowMs = clock.nowMs();
    let entry = kept.get(name);
    if (entry === undefined || nowMs >= entry.renewAtMs) {
      const notAfterMs = Math.min(nowMs + validityMs, authority.validToDate.getTime());
      const { key, certificate } = createServerCertificate(issuer, 'Coffer', [name], { notBeforeMs: nowMs - backdatingMs, notAfterMs });
      entry = { context: createSecureContext({ key: keyPem(key), cert: certificatePem(certificate), minVersion: 'TLSv1.2' }), renewAtMs: nowMs + validityMs / 2 };
      const oldest = kept.keys().next();
      if (kept.size >= keptMax && oldest.done === false) kept.delete(oldest.value);
      kept.set(name, entry);
    }
    done(null, entry.context);
  };
}

/** The longest domain counts, as it does for the address of a request. */
function needsOwn(name: string, domains: readonly string[]): boolean {
  const domain = domains.filter((candidate) => name.endsWith(`.${candidate}`)).sort((a, b) => b.length - a.length)[0];
  if (domain === undefined) return false;
  const bucket = name.slice(0, -domain.length - 1);
  return /^[a-z0-9][a-z0-9.-]{0,62}$/.test(bucket) && name.length <= 253 && (bucket.includes('.') || !domain.includes('.'));
}
