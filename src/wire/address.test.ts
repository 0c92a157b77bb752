import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ServiceError } from '../base/errors.ts';
import { requestOf } from '../../test/properties/wire-kit.ts';
import { addressRequest, type S3Address } from './address.ts';
import { urlEncodeKey } from './percent.ts';

// Source: contract s3-surface section 1 and 4, S01, S02.

const BASE_DOMAINS = ['s3.example.com', 'example.com'];

function s3(target: string, host = '127.0.0.1:9000'): S3Address {
  const address = addressRequest(requestOf('GET', target, { host }), { baseDomains: BASE_DOMAINS });
  assert.equal(address.service, 's3');
  return address;
}

function refused(target: string): ServiceError {
  try {
    s3(target);
  } catch (error) {
    assert.ok(error instanceof ServiceError);
    return error;
  }
  return assert.fail(`${target} was taken`);
}

describe('keys from raw paths', () => {
  const cases: readonly (readonly [path: string, key: string | undefined])[] = [
    ['/b', undefined],
    ['/b/', undefined],
    ['/b/k', 'k'],
    ['/b//', '/'],
    ['/b//a/../%2F+%20x/', '/a/..//+ x/'],
    ['/b/./x', './x'],
    ['/b/..', '..'],
    ['/b/a%2fb', 'a/b'],
    ['/b/%C3%BC%2B%25', '\u00fc+%'],
    ['/b/\u00c3\u00bc', '\u00fc'],
    ['/b/%F0%9F%91%8D', '\u{1f44d}'],
    ['/b/%EF%BB%BFx', '\ufeffx'],
    [`/b/${'x'.repeat(1024)}`, 'x'.repeat(1024)],
    [`/b/${'%E2%82%AC'.repeat(341)}`, '\u20ac'.repeat(341)],
  ];
  for (const [path, key] of cases) {
    test(`${path.slice(0, 40)} in path style`, () => assert.deepEqual([s3(path).bucket, s3(path).key], ['b', key]));
    test(`${path.slice(0, 40)} in virtual-host style`, () => {
      const address = s3(path.slice(2) || '/', 'b.s3.example.com');
      assert.deepEqual([address.bucket, address.key], ['b', key]);
    });
  }

  test('what does not decode is InvalidURI', () => {
    for (const path of ['/b/%', '/b/%4', '/b/%zz', '/b/%00', '/b/%ff', '/b/%ED%A0%80', '/b/%C3', '/%ff/k', '/b?prefix=%ff', '/b?%zz', 'b/k']) {
      const error = refused(path);
      assert.deepEqual([error.code, error.status, error.publicMessage], ['InvalidURI', 400, "Couldn't parse the specified URI."], path);
    }
  });

  test('1,025 bytes are too many, counted in bytes', () => {
    for (const path of [`/b/${'x'.repeat(1025)}`, `/b/${'%E2%82%AC'.repeat(342)}`]) {
      const error = refused(path);
      assert.equal(error.code, 'KeyTooLongError');
      assert.deepEqual(error.details, { Size: String(path.includes('%') ? 1026 : 1025), MaxSizeAllowed: '1024' });
    }
  });

  test('an empty bucket is none', () => assert.equal(refused('//k').code, 'InvalidBucketName'));
});

describe('buckets from hosts', () => {
  const cases: readonly (readonly [host: string, bucket: string | undefined])[] = [
    ['s3.example.com', undefined],
    ['example.com', undefined],
    ['b.s3.example.com', 'b'],
    ['B.S3.Example.COM:9000', 'b'],
    ['my.bucket.s3.example.com', 'my.bucket'],
    ['b.example.com', 'b'],
    ['b.localhost:9000', 'b'],
    ['localhost:9000', undefined],
    ['.localhost', undefined],
    ['127.0.0.1', undefined],
    ['10.0.0.1:80', undefined],
    ['[::1]:9000', undefined],
    ['notexample.com', undefined],
    ['elsewhere.org', undefined],
  ];
  for (const [host, bucket] of cases) {
    test(host, () => {
      const address = s3('/first/rest', host);
      if (bucket === undefined) assert.deepEqual([address.bucket, address.key, address.virtualHost], ['first', 'rest', false]);
      else assert.deepEqual([address.bucket, address.key, address.virtualHost], [bucket, 'first/rest', true]);
    });
  }
});

describe('services', () => {
  const of = (method: string, target: string, headers: Record<string, string> = {}, scopeService?: string): string =>
    addressRequest(requestOf(method, target, headers), { baseDomains: BASE_DOMAINS, scopeService }).service;

  test('the credential scope decides', () => {
    for (const service of ['s3', 'kms', 'iam', 'sts', 'glacier', 'cloudtrail']) assert.equal(of('POST', '/', {}, service), service);
    assert.equal(of('GET', '/-/vaults', {}, 's3'), 's3');
    assert.equal(of('POST', '/', { 'x-amz-target': 'TrentService.Encrypt' }, 's3'), 's3');
  });

  test('without a scope the request tells', () => {
    assert.equal(of('POST', '/', { 'x-amz-target': 'TrentService.Encrypt' }), 'kms');
    assert.equal(of('POST', '/', { 'x-amz-target': 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents' }), 'cloudtrail');
    assert.equal(of('GET', '/-/vaults'), 'glacier');
    assert.equal(of('GET', '/123456789012/vaults', { 'x-amz-glacier-version': '2012-06-01' }), 'glacier');
    assert.equal(of('POST', '/', { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }), 'sts');
    assert.equal(of('GET', '/?Action=GetCallerIdentity&Version=2011-06-15'), 'sts');
    assert.equal(of('GET', '/?Action=ListUsers&Version=2010-05-08'), 'iam');
    assert.equal(of('GET', '/'), 's3');
  });

  test('a form for a bucket stays with S3', () => {
    assert.equal(of('POST', '/', { host: 'b.localhost', 'content-type': 'application/x-www-form-urlencoded' }), 's3');
    assert.equal(of('POST', '/b', { 'content-type': 'application/x-www-form-urlencoded' }), 's3');
  });
});

test('url encoding of listed keys', () => {
  assert.equal(urlEncodeKey('a b/\u00fc+=&\u{1f44d}~!*\'()'), 'a+b/%C3%BC%2B%3D%26%F0%9F%91%8D%7E%21*%27%28%29');
  assert.equal(urlEncodeKey('a\r\n'), 'a%0D%0A');
});

test('an IPv4 address has no sub-domains, whatever is configured', () => {
  const address = addressRequest(requestOf('GET', '/b/k', { host: '10.0.0.1' }), { baseDomains: ['0.0.1'] }) as S3Address;
  assert.equal(address.bucket, 'b');
});

test('query names and values', () => {
  const { query } = s3('/b?prefix=a+b%2B&delimiter&acl=&prefix=second&&x=%C3%BC');
  assert.deepEqual([...query], [['prefix', 'a b+'], ['delimiter', ''], ['acl', ''], ['x', '\u00fc']]);
});
