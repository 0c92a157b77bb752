/**
 * Signatures over digests, against OpenSSL, which signs and verifies the messages that the digests are of.
 * Source: FIPS 186-5, RFC 8017.
 */
import assert from 'node:assert/strict';
import { constants, createHash, createPublicKey, generateKeyPairSync, privateEncrypt, publicDecrypt, sign, verify } from 'node:crypto';
import { describe, test } from 'node:test';
import { ecdsaSignDigest, ecdsaVerifyDigest, type CurveName } from './ecdsa-digest.ts';
import { rsaSignDigest, rsaVerifyDigest, type HashName } from './rsa-signature.ts';

const curves: [CurveName, HashName, string][] = [
  ['prime256v1', 'sha256', 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'],
  ['secp384r1', 'sha384', 'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973'],
  ['secp521r1', 'sha512', '01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409'],
  ['secp256k1', 'sha256', 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141'],
];

const digestOf = (hash: HashName, message: Buffer): Buffer => createHash(hash).update(message).digest();

/** DER of two integers given as minimal or other bytes. */
function der(r: Buffer, s: Buffer): Buffer {
  const body = Buffer.concat([Buffer.of(2, r.length), r, Buffer.of(2, s.length), s]);
  return Buffer.concat([body.length < 128 ? Buffer.of(0x30, body.length) : Buffer.of(0x30, 0x81, body.length), body]);
}

for (const [curve, hash, order] of curves) {
  describe(`ECDSA ${curve}`, () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: curve });

    test('signs what OpenSSL verifies, and verifies what OpenSSL signs', () => {
      for (let round = 0; round < 5; round++) {
        const message = Buffer.from(`message ${round}`);
        const digest = digestOf(hash, message);
        const ours = ecdsaSignDigest(curve, privateKey, digest);
        assert.ok(verify(hash, message, publicKey, ours));
        assert.ok(ecdsaVerifyDigest(curve, publicKey, digest, ours));
        assert.ok(ecdsaVerifyDigest(curve, publicKey, digest, sign(hash, message, privateKey)));
      }
    });

    test('never signs twice with one nonce', () => {
      const digest = digestOf(hash, Buffer.from('same'));
      const firstHalves = Array.from({ length: 10 }, () => ecdsaSignDigest(curve, privateKey, digest).subarray(4, 24).toString('hex'));
      assert.equal(new Set(firstHalves).size, 10);
    });

    test('agrees with OpenSSL about everything that is no signature', () => {
      const message = Buffer.from('message');
      const digest = digestOf(hash, message);
      const good = ecdsaSignDigest(curve, privateKey, digest);
      for (let bit = 0; bit < good.length * 8; bit += 37) {
        const changed = Buffer.from(good);
        changed[bit >> 3]! ^= 1 << (bit & 7);
        assert.equal(ecdsaVerifyDigest(curve, publicKey, digest, changed), false, `bit ${bit}`);
      }
      const other = generateKeyPairSync('ec', { namedCurve: curve });
      assert.equal(ecdsaVerifyDigest(curve, other.publicKey, digest, good), false);
      assert.equal(ecdsaVerifyDigest(curve, publicKey, digestOf(hash, Buffer.from('other')), good), false);
      const n = Buffer.from(order, 'hex');
      const padded = n[0]! >= 0x80 ? Buffer.concat([Buffer.of(0), n]) : n;
      const [zero, one] = [Buffer.of(0), Buffer.of(1)];
      const bad = [
        der(zero, zero), der(zero, one), der(one, zero), der(padded, one), der(one, padded), der(one, one), Buffer.alloc(0), Buffer.of(0x30, 0),
        good.subarray(0, -1), Buffer.concat([good, zero]), der(Buffer.of(0xff), one), Buffer.of(0x30, 6, 2, 1, 1, 2, 1), Buffer.of(0x30, 0x80, 2, 1, 1, 2, 1, 1, 0, 0),
      ];
      for (const signature of bad) {
        assert.equal(ecdsaVerifyDigest(curve, publicKey, digest, signature), false, signature.toString('hex'));
        assert.equal(verify(hash, message, publicKey, signature), false);
      }
    });

    test('refuses the negated key, whose points share every x coordinate', () => {
      const jwk = publicKey.export({ format: 'jwk' });
      const primes: Record<CurveName, bigint> = {
        prime256v1: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n, secp384r1: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
        secp521r1: 2n ** 521n - 1n, secp256k1: 2n ** 256n - 2n ** 32n - 977n,
      };
      const y = Buffer.from(jwk.y!, 'base64url');
      const negated = (primes[curve] - BigInt(`0x${y.toString('hex')}`)).toString(16).padStart(y.length * 2, '0');
      const other = createPublicKey({ key: { ...jwk, y: Buffer.from(negated, 'hex').toString('base64url') }, format: 'jwk' });
      const digest = digestOf(hash, Buffer.from('message'));
      assert.equal(ecdsaVerifyDigest(curve, other, digest, ecdsaSignDigest(curve, privateKey, digest)), false);
    });
  });
}

describe('RSA', () => {
  for (const modulusLength of [2048, 3072]) {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength });
    for (const scheme of ['pkcs1', 'pss'] as const) {
      for (const hash of ['sha256', 'sha384', 'sha512'] as const) {
        test(`${modulusLength} ${scheme} ${hash} agrees with OpenSSL`, () => {
          const message = Buffer.from('message');
          const digest = digestOf(hash, message);
          const options = scheme === 'pss'
            ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: digest.length }
            : { padding: constants.RSA_PKCS1_PADDING };
          const ours = rsaSignDigest(privateKey, scheme, hash, digest);
          assert.ok(verify(hash, message, { key: publicKey, ...options }, ours));
          assert.ok(rsaVerifyDigest(publicKey, scheme, hash, digest, ours));
          const theirs = sign(hash, message, { key: privateKey, ...options });
          assert.ok(rsaVerifyDigest(publicKey, scheme, hash, digest, theirs));
          for (let bit = 0; bit < theirs.length * 8; bit += 137) {
            const changed = Buffer.from(theirs);
            changed[bit >> 3]! ^= 1 << (bit & 7);
            assert.equal(rsaVerifyDigest(publicKey, scheme, hash, digest, changed), false);
          }
          for (const bad of [Buffer.alloc(0), theirs.subarray(1), Buffer.concat([theirs, Buffer.of(0)]), Buffer.alloc(theirs.length), Buffer.alloc(theirs.length, 0xff)]) {
            assert.equal(rsaVerifyDigest(publicKey, scheme, hash, digest, bad), false);
          }
          assert.equal(rsaVerifyDigest(publicKey, scheme, hash, digestOf(hash, Buffer.from('other')), theirs), false);
        });
      }
    }
    test(`${modulusLength}: a PSS encoding with anything in its padding is refused`, () => {
      const message = Buffer.from('message');
      const digest = digestOf('sha256', message);
      const good = rsaSignDigest(privateKey, 'pss', 'sha256', digest);
      const separatorAt = good.length - 1 - 32 - 32 - 1;
      for (const index of [1, 40, separatorAt - 1, separatorAt]) {
        const encoded = publicDecrypt({ key: publicKey, padding: constants.RSA_NO_PADDING }, good);
        encoded[index]! ^= 2;
        const signature = privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, encoded);
        assert.equal(rsaVerifyDigest(publicKey, 'pss', 'sha256', digest, signature), false, `byte ${index}`);
        assert.equal(verify('sha256', message, { key: publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }, signature), false);
      }
    });

    test(`${modulusLength}: a PSS salt of another length is refused, as AWS fixes it`, () => {
      const message = Buffer.from('message');
      const signature = sign('sha256', message, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 20 });
      assert.equal(rsaVerifyDigest(publicKey, 'pss', 'sha256', digestOf('sha256', message), signature), false);
    });
  }
});
