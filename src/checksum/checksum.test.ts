/**
 * Every algorithm against published values, against a slow reference, and against itself in pieces.
 * Sources: check values of the reveng CRC catalogue, RFC 1321, FIPS 180-4, xxHash's own sanity values (XXH3 of
 * the digits: agreed by xxHash's C code in hash-wasm and the independent Rust one in @node-rs/xxhash);
 * S3 answers recorded with their bodies (S3 contract, section 23).
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { xxh3, xxh64 } from '@node-rs/xxhash';
import fc from 'fast-check';
import {
  checksumAlgorithms, checksumSizeBytes, combineCrc, compositeChecksum, createChecksum,
  type ChecksumAlgorithm, type CrcAlgorithm,
} from './index.ts';
import { crc64NvmePolynomial, sparseMultiple } from './crc64-nvme.ts';

function digestOf(algorithm: ChecksumAlgorithm, ...pieces: (Uint8Array | string)[]): Buffer {
  const checksum = createChecksum(algorithm);
  for (const piece of pieces) checksum.update(typeof piece === 'string' ? Buffer.from(piece) : piece);
  return checksum.digest();
}

/** Different in every byte, the same in every run. */
function patternBytes(size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  let state = 0x9e3779b9;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

describe('known values', () => {
  const checkValues: Record<ChecksumAlgorithm, [ofDigits: string, ofNothing: string]> = {
    CRC32: ['cbf43926', '00000000'],
    CRC32C: ['e3069283', '00000000'],
    CRC64NVME: ['ae8b14860a799888', '0000000000000000'],
    SHA1: ['f7c3bc1d808e04732adf679965ccc34ca7ae3441', 'da39a3ee5e6b4b0d3255bfef95601890afd80709'],
    SHA256: [
      '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225',
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    ],
    SHA512: [
      'd9e6762dd1c8eaf6d61b3c6192fc408d4d6d5f1176d0c29169bc24e71c3f274ad27fcd5811b313d681f7e55ec02d73d499c95455b6b5bb503acf574fba8ffe85',
      'cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
    ],
    MD5: ['25f9e794323b453885f5181f1b624d0b', 'd41d8cd98f00b204e9800998ecf8427e'],
    XXHASH64: ['8cb841db40e6ae83', 'ef46db3751d8e999'],
    XXHASH3: ['72dcb18b67a17dff', '2d06800538d394c2'],
    XXHASH128: ['33119477ede5dcd5e9716427681d5860', '99aa06d3014798d86001c324468d497f'],
  };
  for (const algorithm of checksumAlgorithms) {
    test(`${algorithm} of "123456789" and of nothing`, () => {
      const [ofDigits, ofNothing] = checkValues[algorithm];
      assert.equal(digestOf(algorithm, '123456789').toString('hex'), ofDigits);
      assert.equal(digestOf(algorithm).toString('hex'), ofNothing);
      assert.equal(digestOf(algorithm).byteLength, checksumSizeBytes[algorithm]);
    });
  }

  // Recorded from S3.
  const recorded: [ChecksumAlgorithm, body: string, base64: string][] = [
    ['CRC32', 'test-sse', 'KHcEKQ=='],
    ['CRC64NVME', 'test-sse', 'Kr7StX/uFlQ='],
    ['CRC32', 'test_data', 'qIrZrA=='],
    ['CRC64NVME', 'test_data', 'b26bJhxOfQc='],
    ['CRC32', 'test data..', 'cZWHwQ=='],
    ['CRC64NVME', 'test data..', 'qUVrWYOrIAM='],
    ['SHA256', 'test data..', '2l26x0trnT0r2AvakoFk2MB7eKVKzYESLMxSAKAzoik='],
  ];
  for (const [algorithm, body, base64] of recorded) {
    test(`${algorithm} of "${body}" is what S3 answered`, () => {
      assert.equal(digestOf(algorithm, body).toString('base64'), base64);
    });
  }
  test('MD5 of the recorded bodies', () => {
    assert.equal(digestOf('MD5', 'test-sse').toString('hex'), '42832cdec7083e70a9cd6f2d5852e004');
    assert.equal(digestOf('MD5', 'test_data').toString('hex'), '6af8307c2460f2d208ad254f04be4b0d');
  });
});

/** Bit by bit, as the definition says. */
function slowCrc(width: number, polynomial: bigint, bytes: Uint8Array): string {
  const ones = (1n << BigInt(width)) - 1n;
  let crc = ones;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
  }
  return (crc ^ ones).toString(16).padStart(width / 4, '0');
}

const references: Record<ChecksumAlgorithm, (bytes: Uint8Array) => string> = {
  CRC32: (bytes) => slowCrc(32, 0xedb88320n, bytes),
  CRC32C: (bytes) => slowCrc(32, 0x82f63b78n, bytes),
  CRC64NVME: (bytes) => slowCrc(64, 0x9a6c9329ac4bc9b5n, bytes),
  SHA1: (bytes) => createHash('sha1').update(bytes).digest('hex'),
  SHA256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
  SHA512: (bytes) => createHash('sha512').update(bytes).digest('hex'),
  MD5: (bytes) => createHash('md5').update(bytes).digest('hex'),
  XXHASH64: (bytes) => xxh64(bytes).toString(16).padStart(16, '0'),
  XXHASH3: (bytes) => xxh3.xxh64(bytes).toString(16).padStart(16, '0'),
  XXHASH128: (bytes) => xxh3.xxh128(bytes).toString(16).padStart(32, '0'),
};

describe('any bytes, cut anywhere', () => {
  // Around the edges of kernels and buffers: 8-byte words, 16-byte vectors, blocks, the 64 KiB input window.
  const sizes = [1, 7, 8, 9, 15, 16, 17, 240, 241, 1023, 1024, 1025, 14351, 14352, 14353, 14367, 14368, 16383, 16384, 16385, 65521, 65535, 65536, 65537, 131072, 150001];
  for (const algorithm of checksumAlgorithms) {
    test(`${algorithm} equals the reference at every size`, () => {
      for (const size of sizes) {
        const bytes = patternBytes(size);
        assert.equal(digestOf(algorithm, bytes).toString('hex'), references[algorithm](bytes), `${size} bytes`);
      }
    });

    test(`${algorithm} in pieces, two at a time`, () => {
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 0, max: 70_000 }), { maxLength: 6 }), (pieceSizes) => {
          const first = createChecksum(algorithm);
          const second = createChecksum(algorithm);
          const whole = patternBytes(pieceSizes.reduce((sum, size) => sum + size, 0) + 1);
          let start = 0;
          for (const size of pieceSizes) {
            first.update(whole.subarray(start, start + size));
            second.update(whole.subarray(start + 1, start + size + 1));
            start += size;
          }
          assert.deepEqual(first.digest(), digestOf(algorithm, whole.subarray(0, start)));
          assert.deepEqual(second.digest(), digestOf(algorithm, whole.subarray(1, start + 1)));
        }),
        { numRuns: 20 },
      );
    });
  }

  test('a plain Uint8Array that begins inside its memory', () => {
    const memory = new Uint8Array([9, 9, ...Buffer.from('123456789'), 9]);
    for (const algorithm of checksumAlgorithms) {
      assert.deepEqual(digestOf(algorithm, memory.subarray(2, 11)), digestOf(algorithm, '123456789'));
    }
  });
});

test('the sparse multiple that CRC-64/NVME folds by is one', () => {
  // x^e modulo the polynomial, reflected: the highest bit is x^0.
  let power = 1n << 63n;
  let sum = 0n;
  for (let exponent = 0; exponent <= 299; exponent++) {
    if ((sparseMultiple as readonly number[]).includes(exponent)) sum ^= power;
    power = power & 1n ? (power >> 1n) ^ crc64NvmePolynomial : power >> 1n;
  }
  assert.equal(sum, 0n);
});

describe('a whole out of its parts', () => {
  const crcs: CrcAlgorithm[] = ['CRC32', 'CRC32C', 'CRC64NVME'];
  for (const algorithm of crcs) {
    test(`${algorithm} of two parts combines to that of both`, () => {
      const whole = patternBytes(200_000);
      fc.assert(
        fc.property(fc.nat(100_000), fc.nat(100_000), (a, b) => {
          const [first, second] = [whole.subarray(0, a), whole.subarray(a, a + b)];
          const combined = combineCrc(algorithm, digestOf(algorithm, first), digestOf(algorithm, second), b);
          assert.deepEqual(combined, digestOf(algorithm, first, second));
        }),
        { numRuns: 60 },
      );
    });

    test(`${algorithm} of a part far beyond 4 GiB`, () => {
      // 2^33 + 3 zero bytes behind A, once in one step and once in many.
      const a = digestOf(algorithm, 'abc');
      const zeros = (length: number): Buffer => {
        let digest = digestOf(algorithm, Buffer.alloc(1));
        let size = 1;
        while (size < length) {
          digest = combineCrc(algorithm, digest, digest, size);
          size *= 2;
        }
        return digest;
      };
      const [big, three] = [zeros(2 ** 33), digestOf(algorithm, Buffer.alloc(3))];
      const stepwise = combineCrc(algorithm, combineCrc(algorithm, a, big, 2 ** 33), three, 3);
      const once = combineCrc(algorithm, a, combineCrc(algorithm, big, three, 3), 2 ** 33 + 3);
      assert.deepEqual(once, stepwise);
    });
  }

  test('a digest of the wrong size is a broken belief', () => {
    assert.throws(() => combineCrc('CRC64NVME', Buffer.alloc(4), Buffer.alloc(8), 1), /broken invariant/);
  });

  test('composite: the checksum of the digests, as the ETag of a multipart object has it', () => {
    // Recorded from S3 (contract, section 23).
    const parts = ['cf96b8ba9d9e9e6349399eb3fc08a3f7', 'baa1d9ab47364489d4954efe66a37864', '6e7021813aee13e435eeaff924b9160c'];
    const composite = compositeChecksum('MD5', parts.map((hex) => Buffer.from(hex, 'hex')));
    assert.equal(composite.toString('hex'), '2d296eb6540ecd21430c385336c5dc9c');
  });

  test('composite of a CRC runs over its big-endian digests', () => {
    const [a, b] = [digestOf('CRC32C', 'a'), digestOf('CRC32C', 'b')];
    assert.deepEqual(compositeChecksum('CRC32C', [a, b]), digestOf('CRC32C', Buffer.concat([a, b])));
  });
});
