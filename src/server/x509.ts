/**
 * X.509 certificates written: a certificate authority of this server's own, and server certificates under it.
 * ECDSA P-256 with SHA-256 only. Reading and checking certificates is node:crypto's X509Certificate's job.
 *
 * Source: RFC 5280 (certificate and extensions), RFC 5480 and 5758 (ECDSA identifiers), RFC 7093 (key
 * identifiers by SHA-256), X.690 (DER: tag, length, content; see `der`).
 */
import { createHash, createPublicKey, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';

export interface KeyAndCertificate {
  key: KeyObject;
  /** DER. */
  certificate: Buffer;
}

export interface Validity {
  notBeforeMs: number;
  notAfterMs: number;
}

/** Who signs. */
export interface Issuer {
  commonName: string;
  key: KeyObject;
}

/** A self-signed authority that may sign server certificates and no further authorities. */
export function createAuthority(commonName: string, validity: Validity): KeyAndCertificate {
  const key = newKey();
  const certificate = issue({ commonName, key }, commonName, key, validity, [
    extension(oids.basicConstraints, true, sequence(der(tags.boolean, Buffer.from([0xff])), integer(Buffer.from([0])))),
    extension(oids.keyUsage, true, keyUsage(usages.keyCertSign | usages.cRLSign)),
    extension(oids.subjectKeyIdentifier, false, der(tags.octetString, keyIdentifier(key))),
  ]);
  return { key, certificate };
}

/** A server certificate for DNS names (with wildcards) and IP addresses. */
export function createServerCertificate(issuer: Issuer, commonName: string, names: readonly string[], validity: Validity): KeyAndCertificate {
  const key = newKey();
  const certificate = issue(issuer, commonName, key, validity, [
    extension(oids.basicConstraints, true, sequence()),
    extension(oids.keyUsage, true, keyUsage(usages.digitalSignature)),
    extension(oids.extendedKeyUsage, false, sequence(oid(oids.serverAuth))),
    extension(oids.subjectAltName, false, sequence(...names.map(generalName))),
    extension(oids.subjectKeyIdentifier, false, der(tags.octetString, keyIdentifier(key))),
    extension(oids.authorityKeyIdentifier, false, sequence(der(0x80, keyIdentifier(issuer.key)))),
  ]);
  return { key, certificate };
}

export function certificatePem(certificate: Buffer): string {
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

export function keyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' });
}

const tags = { boolean: 0x01, integer: 0x02, bitString: 0x03, octetString: 0x04, oid: 0x06, utf8: 0x0c, utcTime: 0x17, generalizedTime: 0x18, sequence: 0x30, set: 0x31 };

const oids = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
};

/** Bits of the first octet, from the left. */
const usages = { digitalSignature: 0x80, keyCertSign: 0x04, cRLSign: 0x02 };

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

function issue(issuer: Issuer, subject: string, key: KeyObject, validity: Validity, extensions: readonly Buffer[]): Buffer {
  const algorithm = sequence(oid(oids.ecdsaWithSha256));
  const version3 = der(0xa0, integer(Buffer.from([2])));
  const toBeSigned = sequence(
    version3,
    integer(serialNumber()),
    algorithm,
    nameOf(issuer.commonName),
    sequence(time(validity.notBeforeMs), time(validity.notAfterMs)),
    nameOf(subject),
    publicKeyInfo(key),
    der(0xa3, sequence(...extensions)),
  );
  return sequence(toBeSigned, algorithm, bitString(sign('sha256', toBeSigned, issuer.key)));
}

/** 127 random bits, positive and not zero. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x40;
  return bytes;
}

function publicKeyInfo(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

/** Method 1 of RFC 7093 over the uncompressed point, which ends a P-256 key info: 65 bytes. */
function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha256').update(publicKeyInfo(key).subarray(-65)).digest().subarray(0, 20);
}

function nameOf(commonName: string): Buffer {
  return sequence(der(tags.set, sequence(oid(oids.commonName), der(tags.utf8, Buffer.from(commonName, 'utf8')))));
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [der(tags.boolean, Buffer.from([0xff]))] : []), der(tags.octetString, value));
}

/** A bit string without its trailing zero bits, as DER wants named bits. */
function keyUsage(bits: number): Buffer {
  const unusedBits = 31 - Math.clz32(bits & -bits);
  return der(tags.bitString, Buffer.from([unusedBits, bits]));
}

function generalName(name: string): Buffer {
  return isIP(name) === 0 ? der(0x82, Buffer.from(name, 'latin1')) : der(0x87, addressBytes(name));
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const bytes = Buffer.alloc(16);
  ipv6Groups(address).forEach((group, index) => bytes.writeUInt16BE(group, index * 2));
  return bytes;
}

/** The eight 16-bit groups of an IPv6 address in any notation. */
export function ipv6Groups(address: string): number[] {
  // URLs have one notation: compressed, without dotted quads.
  const [head = '', tail = ''] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const [left, right] = [groups(head), groups(tail)];
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}

/** UTCTime up to 2049, GeneralizedTime after, as RFC 5280 section 4.1.2.5 has it. */
function time(atMs: number): Buffer {
  const digits = new Date(atMs).toISOString().replace(/\.\d+|[-:T]/g, '');
  return digits < '2050' ? der(tags.utcTime, Buffer.from(digits.slice(2))) : der(tags.generalizedTime, Buffer.from(digits));
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...others] = text.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of others) {
    const groups = [arc & 0x7f];
    for (let rest = arc >>> 7; rest > 0; rest >>>= 7) groups.unshift((rest & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(tags.oid, Buffer.from(bytes));
}

/** From big-endian bytes of a number that is not negative. */
function integer(bytes: Buffer): Buffer {
  return der(tags.integer, (bytes[0] as number) >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

function bitString(bytes: Buffer): Buffer {
  return der(tags.bitString, Buffer.from([0]), bytes);
}

function sequence(...items: readonly Buffer[]): Buffer {
  return der(tags.sequence, ...items);
}

/** Tag, length in the shortest form, content. */
function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const length = body.length < 0x100 ? [0x81, body.length] : [0x82, body.length >>> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}
