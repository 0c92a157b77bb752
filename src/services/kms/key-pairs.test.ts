/**
 * What asymmetric and HMAC keys do, checked with node:crypto from the outside.
 * Source: contract kms-iam-audit.md 2.15, cases K31, K32, K34 to K37.
 */
import assert from 'node:assert/strict';
import {
  constants, createHash, createHmac, createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync, publicEncrypt, verify, type KeyObject,
} from 'node:crypto';
import { before, describe, test } from 'node:test';
import { openTestKeys, refusalOf, type TestKeys } from '../../../test/kit/keys.ts';

const message = Buffer.from('a message');
const dryRun = 'DryRunOperationException: The request would have succeeded, but the DryRun option is set.';
let kms: TestKeys['kms'];
before(async () => void ({ kms } = await openTestKeys()));

async function newKey(KeySpec: string, KeyUsage: string): Promise<{ KeyId: string; Arn: string }> {
  return (await kms<{ KeyMetadata: { KeyId: string; Arn: string } }>('CreateKey', { KeySpec, KeyUsage })).KeyMetadata;
}

async function publicKeyOf(KeyId: string): Promise<KeyObject> {
  const { PublicKey } = await kms<{ PublicKey: Buffer }>('GetPublicKey', { KeyId });
  return createPublicKey({ key: PublicKey, format: 'der', type: 'spki' });
}

function refused(operation: string, input: object): Promise<string> {
  return refusalOf(kms(operation, input));
}

describe('signatures', () => {
  const specs: [string, string[]][] = [
    ['RSA_2048', ['RSASSA_PKCS1_V1_5_SHA_256', 'RSASSA_PKCS1_V1_5_SHA_384', 'RSASSA_PKCS1_V1_5_SHA_512', 'RSASSA_PSS_SHA_256', 'RSASSA_PSS_SHA_384', 'RSASSA_PSS_SHA_512']],
    ['ECC_NIST_P256', ['ECDSA_SHA_256']], ['ECC_NIST_P384', ['ECDSA_SHA_384']], ['ECC_NIST_P521', ['ECDSA_SHA_512']], ['ECC_SECG_P256K1', ['ECDSA_SHA_256']],
  ];
  for (const [spec, algorithms] of specs) {
    test(`of ${spec} verify here and with the public key, raw and as digest`, async () => {
      const { KeyId, Arn } = await newKey(spec, 'SIGN_VERIFY');
      const publicKey = await publicKeyOf(KeyId);
      for (const SigningAlgorithm of algorithms) {
        const hash = `sha${SigningAlgorithm.slice(-3)}`;
        const digest = createHash(hash).update(message).digest();
        const padding = SigningAlgorithm.includes('PSS') ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: digest.length } : {};
        for (const [MessageType, Message] of [['RAW', message], [undefined, message], ['DIGEST', digest]] as const) {
          const { Signature, ...rest } = await kms<{ Signature: Buffer }>('Sign', { KeyId, Message, MessageType, SigningAlgorithm });
          assert.deepEqual(rest, { KeyId: Arn, SigningAlgorithm });
          assert.ok(verify(hash, message, { key: publicKey, ...padding }, Signature));
          for (const [type, text] of [['RAW', message], ['DIGEST', digest]] as const) {
            const input = { KeyId, Message: text, MessageType: type, SigningAlgorithm, Signature };
            assert.deepEqual(await kms('Verify', input), { KeyId: Arn, SignatureValid: true, SigningAlgorithm });
            assert.equal(await refused('Verify', { ...input, DryRun: true }), dryRun);
            const broken = Buffer.from(Signature);
            broken[broken.length - 1]! ^= 1;
            assert.equal(await refused('Verify', { ...input, Signature: broken }), 'KMSInvalidSignatureException');
            assert.equal(await refused('Verify', { ...input, Signature: broken, DryRun: true }), 'KMSInvalidSignatureException');
          }
        }
        assert.equal(await refused('Sign', { KeyId, Message: digest.subarray(1), MessageType: 'DIGEST', SigningAlgorithm }), `ValidationException: Digest is invalid length for algorithm ${SigningAlgorithm}.`);
        assert.equal(await refused('Sign', { KeyId, Message: message, SigningAlgorithm, DryRun: true }), dryRun);
      }
      assert.equal(await refused('Sign', { KeyId, Message: message, SigningAlgorithm: 'ED25519_SHA_512' }), `InvalidKeyUsageException: Algorithm ED25519_SHA_512 is incompatible with key spec ${spec}.`);
      assert.equal(
        await refused('Sign', { KeyId, Message: message, MessageType: 'EXTERNAL_MU', SigningAlgorithm: algorithms[0] }),
        `ValidationException: Message type EXTERNAL_MU is incompatible with key spec ${spec}.`,
      );
    });
  }

  test('of Ed25519 keys are of raw messages', async () => {
    const { KeyId } = await newKey('ECC_NIST_EDWARDS25519', 'SIGN_VERIFY');
    const input = { KeyId, Message: message, SigningAlgorithm: 'ED25519_SHA_512' };
    const { Signature } = await kms<{ Signature: Buffer }>('Sign', input);
    assert.ok(verify(null, message, await publicKeyOf(KeyId), Signature));
    assert.equal((await kms<{ SignatureValid: boolean }>('Verify', { ...input, Signature })).SignatureValid, true);
    assert.equal(await refused('Verify', { ...input, Message: Buffer.from('other'), Signature }), 'KMSInvalidSignatureException');
    assert.match(await refused('Sign', { ...input, MessageType: 'DIGEST' }), /^ValidationException/);
    assert.match(await refused('Sign', { ...input, SigningAlgorithm: 'ED25519_PH_SHA_512', MessageType: 'DIGEST' }), /^UnsupportedOperationException/);
  });

  test('are for signing keys only', async () => {
    const { KeyId, Arn } = await newKey('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT');
    assert.equal(await refused('Sign', { KeyId, Message: message, SigningAlgorithm: 'ECDSA_SHA_256' }), `InvalidKeyUsageException: ${Arn} key usage is ENCRYPT_DECRYPT which is not valid for Sign.`);
    assert.equal(await refused('GetPublicKey', { KeyId }), 'UnsupportedOperationException');
    assert.equal(await refused('GetPublicKey', { KeyId: (await newKey('HMAC_256', 'GENERATE_VERIFY_MAC')).KeyId }), 'UnsupportedOperationException');
  });
});

describe('public keys', () => {
  test('come with what they are for', async () => {
    const { KeyId, Arn } = await newKey('RSA_3072', 'ENCRYPT_DECRYPT');
    const { PublicKey, ...rest } = await kms<{ PublicKey: Buffer }>('GetPublicKey', { KeyId });
    assert.deepEqual(JSON.parse(JSON.stringify(rest)), {
      KeyId: Arn, CustomerMasterKeySpec: 'RSA_3072', KeySpec: 'RSA_3072', KeyUsage: 'ENCRYPT_DECRYPT', EncryptionAlgorithms: ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'],
    });
    const key = createPublicKey({ key: PublicKey, format: 'der', type: 'spki' });
    assert.deepEqual(key.asymmetricKeyDetails, { modulusLength: 3072, publicExponent: 65537n });
    const CiphertextBlob = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, message);
    assert.deepEqual((await kms<{ Plaintext: Buffer }>('Decrypt', { KeyId, CiphertextBlob, EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' })).Plaintext, message);
    assert.equal(await refused('Decrypt', { KeyId, CiphertextBlob, EncryptionAlgorithm: 'RSAES_OAEP_SHA_1' }), 'InvalidCiphertextException');
    await kms('DisableKey', { KeyId });
    assert.deepEqual((await kms<{ PublicKey: Buffer }>('GetPublicKey', { KeyId })).PublicKey, PublicKey, 'a disabled key still shows its public part');
    await kms('ScheduleKeyDeletion', { KeyId });
    assert.equal(await refused('GetPublicKey', { KeyId }), `KMSInvalidStateException: ${Arn} is pending deletion.`);
  });
});

describe('MACs', () => {
  for (const [bits, size] of [[224, 28], [256, 32], [384, 48], [512, 64]] as const) {
    test(`of HMAC_${bits} are deterministic and verify`, async () => {
      const { KeyId, Arn } = await newKey(`HMAC_${bits}`, 'GENERATE_VERIFY_MAC');
      const MacAlgorithm = `HMAC_SHA_${bits}`;
      const input = { KeyId, Message: message, MacAlgorithm };
      const [first, second] = [await kms<{ Mac: Buffer }>('GenerateMac', input), await kms<{ Mac: Buffer }>('GenerateMac', input)];
      assert.deepEqual(first, second);
      assert.deepEqual(first, { Mac: first.Mac, MacAlgorithm, KeyId: Arn });
      assert.equal(first.Mac.byteLength, size);
      assert.notDeepEqual(first.Mac, createHmac(`sha${bits}`, Buffer.alloc(size)).update(message).digest());
      assert.deepEqual(await kms('VerifyMac', { ...input, Mac: first.Mac }), { KeyId: Arn, MacValid: true, MacAlgorithm });
      const flipped = Buffer.from(first.Mac);
      flipped[0]! ^= 1;
      for (const Mac of [flipped, first.Mac.subarray(1), first.Mac.subarray(0, 8), Buffer.concat([first.Mac, Buffer.of(0)])]) {
        assert.equal(await refused('VerifyMac', { ...input, Mac }), 'KMSInvalidMacException');
      }
      assert.equal(await refused('VerifyMac', { ...input, Mac: first.Mac, DryRun: true }), dryRun);
      const other = bits === 512 ? 'HMAC_SHA_256' : 'HMAC_SHA_512';
      assert.equal(await refused('GenerateMac', { ...input, MacAlgorithm: other }), `InvalidKeyUsageException: Algorithm ${other} is incompatible with key spec HMAC_${bits}.`);
      await kms('DisableKey', { KeyId });
      assert.equal(await refused('GenerateMac', { ...input, MacAlgorithm: other }), `DisabledException: ${Arn} is disabled.`, 'the state comes first');
    });
  }
});

describe('shared secrets', () => {
  for (const [spec, namedCurve, size] of [['ECC_NIST_P256', 'prime256v1', 32], ['ECC_NIST_P384', 'secp384r1', 48], ['ECC_NIST_P521', 'secp521r1', 66]] as const) {
    test(`of ${spec} agree with OpenSSL, both ways`, async () => {
      const { KeyId, Arn } = await newKey(spec, 'KEY_AGREEMENT');
      const ours = await publicKeyOf(KeyId);
      const theirs = generateKeyPairSync('ec', { namedCurve });
      const derive = (key: KeyObject) => ({ KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey: key.export({ format: 'der', type: 'spki' }) });
      const answer = await kms<{ SharedSecret: Buffer }>('DeriveSharedSecret', derive(theirs.publicKey));
      assert.deepEqual(answer, { KeyId: Arn, SharedSecret: diffieHellman({ privateKey: theirs.privateKey, publicKey: ours }), KeyAgreementAlgorithm: 'ECDH', KeyOrigin: 'AWS_KMS' });
      assert.equal(answer.SharedSecret.byteLength, size);
      const second = await newKey(spec, 'KEY_AGREEMENT');
      const [a, b] = [await kms<{ SharedSecret: Buffer }>('DeriveSharedSecret', derive(await publicKeyOf(second.KeyId))),
        await kms<{ SharedSecret: Buffer }>('DeriveSharedSecret', { ...derive(ours), KeyId: second.KeyId })];
      assert.deepEqual(a.SharedSecret, b.SharedSecret);
      const others = [generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey, generateKeyPairSync('ed25519').publicKey, generateKeyPairSync('x25519').publicKey];
      for (const key of others) assert.equal(await refused('DeriveSharedSecret', derive(key)), 'ValidationException: ');
      const broken = derive(theirs.publicKey);
      broken.PublicKey[broken.PublicKey.length - 1]! ^= 1;
      for (const PublicKey of [broken.PublicKey, Buffer.from('x')]) assert.equal(await refused('DeriveSharedSecret', { ...broken, PublicKey }), 'ValidationException: ');
      assert.equal(await refused('DeriveSharedSecret', { ...derive(theirs.publicKey), DryRun: true }), dryRun);
    });
  }
});

describe('data key pairs', () => {
  for (const KeyPairSpec of ['RSA_2048', 'ECC_NIST_P256', 'ECC_NIST_EDWARDS25519']) {
    test(`of ${KeyPairSpec} parse, and the blob gives the private key back`, async () => {
      const { KeyId, Arn } = await newKey('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT');
      const input = { KeyId, KeyPairSpec, EncryptionContext: { a: 'b' } };
      const pair = await kms<Record<string, Buffer>>('GenerateDataKeyPair', input);
      const privateKey = createPrivateKey({ key: pair.PrivateKeyPlaintext!, format: 'der', type: 'pkcs8' });
      assert.deepEqual(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }), pair.PublicKey);
      assert.deepEqual([pair.KeyId, pair.KeyPairSpec], [Arn, KeyPairSpec]);
      const opened = await kms<Record<string, Buffer>>('Decrypt', { CiphertextBlob: pair.PrivateKeyCiphertextBlob, EncryptionContext: { a: 'b' } });
      assert.deepEqual([opened.Plaintext, opened.KeyMaterialId], [pair.PrivateKeyPlaintext, pair.KeyMaterialId]);
      const without = await kms<Record<string, Buffer>>('GenerateDataKeyPairWithoutPlaintext', input);
      assert.deepEqual(Object.keys(without).toSorted(), ['KeyId', 'KeyMaterialId', 'KeyPairSpec', 'PrivateKeyCiphertextBlob', 'PublicKey']);
      assert.equal(await refused('Decrypt', { CiphertextBlob: without.PrivateKeyCiphertextBlob }), 'InvalidCiphertextException');
    });
  }

  test('need a symmetric key and a spec that exists here', async () => {
    const rsa = await newKey('RSA_2048', 'ENCRYPT_DECRYPT');
    assert.match(await refused('GenerateDataKeyPair', { KeyId: rsa.KeyId, KeyPairSpec: 'ECC_NIST_P256' }), /^InvalidKeyUsageException/);
    const { KeyId } = await newKey('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT');
    assert.match(await refused('GenerateDataKeyPair', { KeyId, KeyPairSpec: 'SM2' }), /^UnsupportedOperationException/);
    assert.equal(await refused('GenerateDataKeyPair', { KeyId, KeyPairSpec: 'RSA_4096', DryRun: true }), dryRun);
  });
});
