/**
 * ECDSA over a digest that the caller made. (node:crypto itself signs messages only, and hashes them.)
 *
 * Signing lets OpenSSL multiply the secret nonce with the base point; what is left are a few steps modulo the order of
 * the curve, done on values that a fresh random factor hides, since BigInt takes longer for some numbers than for others.
 * Verifying computes with public numbers only.
 *
 * Source: FIPS 186-5 section 6.4, SEC 1 section 4.1, SEC 2 (curve parameters); contract kms-iam-audit.md 2.15.
 */
import { createECDH, type KeyObject } from 'node:crypto';
import { assert } from '../base/index.ts';

export type CurveName = 'prime256v1' | 'secp384r1' | 'secp521r1' | 'secp256k1';

interface Curve {
  name: CurveName;
  /** Of coordinates and scalars. */
  sizeBytes: number;
  orderBits: number;
  /** y^2 = x^3 + a x + b over the field of p elements. */
  p: bigint;
  a: bigint;
  b: bigint;
  order: bigint;
  base: Point;
}

interface Point {
  x: bigint;
  y: bigint;
}

/** The point (x / z^2, y / z^3); z is 0 for the point at infinity. */
interface ProjectivePoint extends Point {
  z: bigint;
}

const infinity: ProjectivePoint = { x: 1n, y: 1n, z: 0n };

export function ecdsaSignDigest(curveName: CurveName, privateKey: KeyObject, digest: Buffer): Buffer {
  const curve = curves[curveName];
  const { order } = curve;
  const secret = BigInt(`0x${Buffer.from(privateKey.export({ format: 'jwk' }).d!, 'base64url').toString('hex')}`);
  const z = digestNumber(curve, digest);
  for (;;) {
    const nonce = freshScalar(curveName);
    const r = nonce.publicX % order;
    const blind = freshScalar(curveName).scalar;
    const inverse = invert((nonce.scalar * blind) % order, order);
    const sum = (blind * z + ((blind * r) % order) * secret) % order;
    const s = (inverse * sum) % order;
    if (r !== 0n && s !== 0n) return encodeSignature(r, s);
  }
}

/** `signature`: DER of r and s. */
export function ecdsaVerifyDigest(curveName: CurveName, publicKey: KeyObject, digest: Buffer, signature: Buffer): boolean {
  const curve = curves[curveName];
  const { order } = curve;
  const decoded = decodeSignature(signature);
  if (decoded === undefined) return false;
  const { r, s } = decoded;
  if (r === 0n || s === 0n || r >= order || s >= order) return false;
  const { x, y } = publicKey.export({ format: 'jwk' });
  const key = { x: numberOf(Buffer.from(x!, 'base64url')), y: numberOf(Buffer.from(y!, 'base64url')) };
  assert(isOnCurve(curve, key), 'OpenSSL imports no point beside its curve');
  const inverse = invert(s, order);
  const sum = sumOfProducts(curve, curve.base, (digestNumber(curve, digest) * inverse) % order, key, (r * inverse) % order);
  if (sum.z === 0n) return false;
  const zInverse = invert(sum.z, curve.p);
  return modulo(sum.x * zInverse * zInverse, curve.p) % order === r;
}

/** A scalar from 1 to order - 1, and the x coordinate of its product with the base point. */
function freshScalar(curveName: CurveName): { scalar: bigint; publicX: bigint } {
  const pair = createECDH(curveName);
  const point = pair.generateKeys();
  const privateKey = pair.getPrivateKey();
  const scalar = numberOf(privateKey);
  privateKey.fill(0);
  return { scalar, publicX: numberOf(point.subarray(1, 1 + curves[curveName].sizeBytes)) };
}

/** The leftmost bits of the digest, as many as the order has. */
function digestNumber({ orderBits }: Curve, digest: Buffer): bigint {
  const excessBits = digest.byteLength * 8 - orderBits;
  return excessBits > 0 ? numberOf(digest) >> BigInt(excessBits) : numberOf(digest);
}

/** leftScalar * left + rightScalar * right, both in one pass. */
function sumOfProducts(curve: Curve, left: Point, leftScalar: bigint, right: Point, rightScalar: bigint): ProjectivePoint {
  const leftPoint = { ...left, z: 1n };
  const rightPoint = { ...right, z: 1n };
  const both = add(curve, leftPoint, rightPoint);
  const [leftBits, rightBits] = [leftScalar, rightScalar].map((scalar) => scalar.toString(2).padStart(curve.orderBits, '0')) as [string, string];
  let sum = infinity;
  for (let index = 0; index < curve.orderBits; index++) {
    sum = double(curve, sum);
    const [inLeft, inRight] = [leftBits[index] === '1', rightBits[index] === '1'];
    if (inLeft || inRight) sum = add(curve, sum, inLeft && inRight ? both : inLeft ? leftPoint : rightPoint);
  }
  return sum;
}

function double({ p, a }: Curve, { x, y, z }: ProjectivePoint): ProjectivePoint {
  if (z === 0n || y === 0n) return infinity;
  const ySquared = (y * y) % p;
  const s = (4n * x * ySquared) % p;
  const zSquared = (z * z) % p;
  const m = (3n * x * x + a * ((zSquared * zSquared) % p)) % p;
  const doubledX = modulo(m * m - 2n * s, p);
  return { x: doubledX, y: modulo(m * (s - doubledX) - 8n * ySquared * ySquared, p), z: (2n * y * z) % p };
}

function add(curve: Curve, left: ProjectivePoint, right: ProjectivePoint): ProjectivePoint {
  const { p } = curve;
  if (left.z === 0n) return right;
  if (right.z === 0n) return left;
  const leftZ2 = (left.z * left.z) % p;
  const rightZ2 = (right.z * right.z) % p;
  const u1 = (left.x * rightZ2) % p;
  const u2 = (right.x * leftZ2) % p;
  const s1 = (left.y * rightZ2 * right.z) % p;
  const s2 = (right.y * leftZ2 * left.z) % p;
  if (u1 === u2) return s1 === s2 ? double(curve, left) : infinity;
  const h = modulo(u2 - u1, p);
  const slope = modulo(s2 - s1, p);
  const h2 = (h * h) % p;
  const h3 = (h2 * h) % p;
  const x = modulo(slope * slope - h3 - 2n * u1 * h2, p);
  return { x, y: modulo(slope * (u1 * h2 - x) - s1 * h3, p), z: (h * left.z * right.z) % p };
}

function isOnCurve({ p, a, b }: Curve, { x, y }: Point): boolean {
  return x < p && y < p && modulo(y * y - (x * x * x + a * x + b), p) === 0n;
}

/** The inverse of a number that is not 0 modulo a prime, by Euclid. */
function invert(value: bigint, prime: bigint): bigint {
  let [low, high, lowFactor, highFactor] = [modulo(value, prime), prime, 1n, 0n];
  while (low > 1n) {
    const quotient = high / low;
    [low, high] = [high - quotient * low, low];
    [lowFactor, highFactor] = [highFactor - quotient * lowFactor, lowFactor];
  }
  return modulo(lowFactor, prime);
}

function modulo(value: bigint, modulus: bigint): bigint {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
}

function numberOf(bytes: Buffer): bigint {
  return bytes.byteLength === 0 ? 0n : BigInt(`0x${bytes.toString('hex')}`);
}

/** SEQUENCE { INTEGER r, INTEGER s }; at most 139 bytes, so a length takes one byte or two. */
function encodeSignature(r: bigint, s: bigint): Buffer {
  const body = Buffer.concat([encodeInteger(r), encodeInteger(s)]);
  const length = body.byteLength < 0x80 ? Buffer.of(body.byteLength) : Buffer.of(0x81, body.byteLength);
  return Buffer.concat([Buffer.of(0x30), length, body]);
}

function encodeInteger(value: bigint): Buffer {
  const digits = value.toString(16);
  const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
  const padded = bytes[0]! >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
  return Buffer.concat([Buffer.of(0x02, padded.byteLength), padded]);
}

/** Canonical DER alone: what encodes back to the very same bytes. */
function decodeSignature(der: Buffer): { r: bigint; s: bigint } | undefined {
  if (der.byteLength < 8 || der[0] !== 0x30) return undefined;
  const bodyAt = der[1] === 0x81 ? 3 : 2;
  const rSize = der[bodyAt + 1]!;
  const sAt = bodyAt + 2 + rSize;
  const [rBytes, sBytes] = [der.subarray(bodyAt + 2, sAt), der.subarray(sAt + 2)];
  if (rBytes.byteLength === 0 || sBytes.byteLength === 0) return undefined;
  const [r, s] = [numberOf(rBytes), numberOf(sBytes)];
  return encodeSignature(r, s).equals(der) ? { r, s } : undefined;
}

function curve(name: CurveName, bits: number, hex: { p: string; a: string; b: string; order: string; x: string; y: string }): Curve {
  const number = (digits: string): bigint => BigInt(`0x${digits.replaceAll(' ', '')}`);
  return {
    name, sizeBytes: Math.ceil(bits / 8), orderBits: bits,
    p: number(hex.p), a: number(hex.a), b: number(hex.b), order: number(hex.order), base: { x: number(hex.x), y: number(hex.y) },
  };
}

const curves: Record<CurveName, Curve> = {
  prime256v1: curve('prime256v1', 256, {
    p: 'ffffffff00000001000000000000000000000000ffffffffffffffffffffffff',
    a: 'ffffffff00000001000000000000000000000000fffffffffffffffffffffffc',
    b: '5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b',
    order: 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
    x: '6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296',
    y: '4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5',
  }),
  secp384r1: curve('secp384r1', 384, {
    p: 'fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff',
    a: 'fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000fffffffc',
    b: 'b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef',
    order: 'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
    x: 'aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7',
    y: '3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f',
  }),
  secp521r1: curve('secp521r1', 521, {
    p: `1ff${'ffffffffffffffff'.repeat(8)}`,
    a: `1ff${'ffffffffffffffff'.repeat(7)}fffffffffffffffc`,
    b: '51953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00',
    order: '1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409',
    x: 'c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66',
    y: '11839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650',
  }),
  secp256k1: curve('secp256k1', 256, {
    p: 'fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f',
    a: '0',
    b: '7',
    order: 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141',
    x: '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
    y: '483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8',
  }),
};
