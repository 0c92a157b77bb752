import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ConfigError, describeSettings, readConfig, type Config, type ConfigErrorCode } from './config.ts';

interface Given {
  argv?: string[];
  env?: Record<string, string>;
  files?: Record<string, string>;
}

function read({ argv = [], env = {}, files = {} }: Given): Config {
  return readConfig({
    argv,
    env,
    workingDirectory: '/srv',
    processors: 6,
    readFile: (path) => {
      const text = files[path];
      if (text === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`);
      return text;
    },
  });
}

function refusal(given: Given): ConfigError {
  try {
    read(given);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error;
  }
  throw new Error('was accepted');
}

describe('settings', () => {
  test('without any word', () => {
    assert.deepEqual(read({}), {
      data: '/srv/coffer-data',
      http: { host: '127.0.0.1', port: 9000 },
      https: { host: '127.0.0.1', port: 9443 },
      tlsCert: undefined,
      tlsKey: undefined,
      domains: ['localhost'],
      trustedProxies: [],
      region: 'us-east-1',
      acceptsAnyRegion: true,
      account: '000000000000',
      workers: 6,
      rootKeyPath: '/srv/coffer-data/root.key',
      defaultEncryption: 'AES256',
      newBucketsBlock: 'SSE-C',
      keysOverHttp: 'refuse',
      logLevel: 'info',
      rootCredentials: undefined,
    });
  });

  test('a flag wins over a variable, a variable over the file, the file over the default', () => {
    const files = { '/srv/c.json': '{"region": "eu-west-1"}' };
    const argv = ['--config', 'c.json'];
    assert.equal(read({ argv, files }).region, 'eu-west-1');
    assert.equal(read({ argv, files, env: { COFFER_REGION: 'eu-west-2' } }).region, 'eu-west-2');
    assert.equal(read({ argv: [...argv, '--region=eu-west-3'], files, env: { COFFER_REGION: 'eu-west-2' } }).region, 'eu-west-3');
    assert.equal(read({ files, env: { COFFER_CONFIG: '/srv/c.json' } }).region, 'eu-west-1');
    assert.equal(read({ env: { COFFER_REGION: '' } }).region, 'us-east-1');
  });

  test('everything by file, with paths relative to it', () => {
    const file = {
      data: 'store', http: 'off', https: '*:443', 'tls-cert': 'tls/a.crt', 'tls-key': '/keys/a.key', 'base-domains': ['S3.Example.com'],
      'trusted-proxies': ['10.0.0.0/8', 'fd00::1'], region: 'eu-central-1', account: '123456789012', workers: 3, catalog: 'lmdb:', blobs: 'file:',
      'root-of-trust': 'file:/keys/root.key', 'default-encryption': 'none', 'new-buckets-block': 'NONE', 'keys-over-http': 'loopback', 'log-level': 'warn',
    };
    assert.deepEqual(read({ argv: ['--config=/etc/coffer/c.json'], files: { '/etc/coffer/c.json': JSON.stringify(file) } }), {
      data: '/etc/coffer/store',
      http: undefined,
      https: { host: '::', port: 443 },
      tlsCert: '/etc/coffer/tls/a.crt',
      tlsKey: '/keys/a.key',
      domains: ['s3.example.com'],
      trustedProxies: ['10.0.0.0/8', 'fd00::1'],
      region: 'eu-central-1',
      acceptsAnyRegion: false,
      account: '123456789012',
      workers: 3,
      rootKeyPath: '/keys/root.key',
      defaultEncryption: 'none',
      newBucketsBlock: 'NONE',
      keysOverHttp: 'loopback',
      logLevel: 'warn',
      rootCredentials: undefined,
    });
  });

  test('a switch in the file is overridden by its own default given as a flag', () => {
    const files = { '/srv/c.json': '{"http": "off"}' };
    assert.deepEqual(read({ argv: ['--config', 'c.json', '--http', '127.0.0.1:9000'], files }).http, { host: '127.0.0.1', port: 9000 });
  });

  for (const [text, endpoint] of [
    ['0.0.0.0:80', { host: '0.0.0.0', port: 80 }],
    ['[::1]:8080', { host: '::1', port: 8080 }],
    ['8080', { host: '127.0.0.1', port: 8080 }],
    ['s3.internal:0', { host: 's3.internal', port: 0 }],
    ['off', undefined],
  ] as const) {
    test(`--http ${text}`, () => assert.deepEqual(read({ argv: ['--http', text] }).http, endpoint));
  }

  test('root credentials', () => {
    const env = { COFFER_ROOT_ACCESS_KEY_ID: 'AKIDEXAMPLE', COFFER_ROOT_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
    assert.deepEqual(read({ env }).rootCredentials, { accessKeyId: env.COFFER_ROOT_ACCESS_KEY_ID, secretAccessKey: env.COFFER_ROOT_SECRET_ACCESS_KEY });
  });

  test("somebody else's variables do not matter", () => {
    assert.equal(read({ env: { COFFER_PORT: 'tcp://10.0.0.1:9000', COFFER_SERVICE_HOST: '10.0.0.1' } }).region, 'us-east-1');
  });

  test('the help names every setting', () => {
    const help = describeSettings();
    for (const name of ['data', 'http', 'https', 'tls-cert', 'trusted-proxies', 'root-of-trust', 'keys-over-http', 'log-level', 'config']) {
      assert.match(help, new RegExp(`^ {2}--${name} `, 'm'));
    }
    assert.ok(help.split('\n').every((line) => line.length <= 120));
  });
});

describe('refused, with what would be right', () => {
  const cases: [title: string, given: Given, code: ConfigErrorCode, message: RegExp][] = [
    ['unknown flag', { argv: ['--dta', 'x'] }, 'unknown', /^--dta is no setting; did you mean --data\?$/],
    ['flag like nothing', { argv: ['--quux-frobnicate'] }, 'unknown', /--help/],
    ['short flag', { argv: ['-d', 'x'] }, 'unknown', /^-d is no setting/],
    ['stray word', { argv: ['serve'] }, 'unknown', /"serve" is no setting/],
    ['flag in snake case', { argv: ['--log_level', 'info'] }, 'unknown', /did you mean --log-level\?/],
    ['flag without value', { argv: ['--data'] }, 'invalid', /^--data needs a value, such as coffer-data\.$/],
    ['flag followed by a flag', { argv: ['--data', '--http', 'off'] }, 'invalid', /^--data needs a value/],
    ['flag given twice', { argv: ['--region', 'a', '--region', 'b'] }, 'conflict', /^--region is given twice; give it once\.$/],
    ['list given twice', { argv: ['--trusted-proxies', '::1', '--trusted-proxies', '::2'] }, 'conflict', /separated by commas/],
    ['mistyped variable', { env: { COFFER_DEFAULT_ENCRYPTON: 'none' } }, 'unknown', /did you mean COFFER_DEFAULT_ENCRYPTION\?/],
    ['mistyped key', { argv: ['--config', 'c'], files: { '/srv/c': '{"work-ers": 2}' } }, 'unknown', /^"work-ers" in \/srv\/c is no setting; did you mean "workers"\?$/],
    ['missing file', { argv: ['--config', 'c'] }, 'unreadable', /^--config: \/srv\/c cannot be read: ENOENT/],
    ['file that is no JSON', { argv: ['--config', 'c'], files: { '/srv/c': 'http = off' } }, 'unreadable', /is no JSON/],
    ['file that is no object', { env: { COFFER_CONFIG: 'c' }, files: { '/srv/c': '[]' } }, 'unreadable', /^COFFER_CONFIG: \/srv\/c holds no JSON object\.$/],
    ['key of the wrong type', { argv: ['--config', 'c'], files: { '/srv/c': '{"http": false}' } }, 'invalid', /write a string, such as 127\.0\.0\.1:9000/],
    ['list of the wrong type', { argv: ['--config', 'c'], files: { '/srv/c': '{"trusted-proxies": [1]}' } }, 'invalid', /write a list of strings, such as 10\.0\.0\.0\/8/],
    ['no address', { argv: ['--http', 'example'] }, 'invalid', /^--http: "example" is no address: write host:port/],
    ['port beyond all ports', { env: { COFFER_HTTPS: '127.0.0.1:70000' } }, 'invalid', /^COFFER_HTTPS: "127\.0\.0\.1:70000" is no address/],
    ['half an IP address', { argv: ['--http', '127.0.0:1'] }, 'invalid', /"127\.0\.0" is no host name/],
    ['no host', { argv: ['--http', ':9000'] }, 'invalid', /\*:9000 for every address/],
    ['URL', { argv: ['--http', 'http://localhost:9000'] }, 'invalid', /is no address/],
    ['bad IPv6', { argv: ['--http', '[::g]:1'] }, 'invalid', /is no address/],
    ['no region', { argv: ['--region', 'US East'] }, 'invalid', /such as us-east-1/],
    ['no account', { argv: ['--account', '123'] }, 'invalid', /12 digits/],
    ['no workers', { argv: ['--workers', '0'] }, 'invalid', /1 to 256/],
    ['domain with a scheme', { argv: ['--base-domains', 'https://s3.example.com'] }, 'invalid', /without scheme, port and asterisk/],
    ['domain that is an address', { argv: ['--base-domains', '10.0.0.1'] }, 'invalid', /is no domain/],
    ['no network', { argv: ['--trusted-proxies', '10.0.0.0/33'] }, 'invalid', /10\.0\.0\.0\/8/],
    ['choice in the wrong case', { argv: ['--default-encryption', 'aes256'] }, 'invalid', /"aes256" is none of AES256, none; did you mean AES256\?/],
    ['PostgreSQL', { argv: ['--catalog', 'postgres://u:sesame@db/coffer'] }, 'not-built', /^--catalog: postgres: is planned and not built yet; lmdb: is what there is\.$/],
    ['S3 blobs', { argv: ['--blobs', 's3://bucket'] }, 'not-built', /not built yet/],
    ['unknown engine', { argv: ['--catalog', 'mysql://u:sesame@db'] }, 'invalid', /not understood; lmdb: is what there is/],
    ['passphrase', { argv: ['--root-of-trust', 'passphrase'] }, 'not-built', /not built yet/],
    ['HSM', { argv: ['--root-of-trust', 'pkcs11:token=x;pin-value=sesame'] }, 'not-built', /pkcs11 is planned/],
    ['relative key file', { argv: ['--root-of-trust', 'file:root.key'] }, 'invalid', /absolute/],
    ['nothing to serve', { argv: ['--http', 'off', '--https', 'off'] }, 'conflict', /both off/],
    ['one port for both', { argv: ['--http', '127.0.0.1:9443'] }, 'conflict', /both want port 9443/],
    ['one port for all and one', { argv: ['--http', '*:9443'] }, 'conflict', /both want port 9443/],
    ['certificate without key', { argv: ['--tls-cert', 'a.crt'] }, 'conflict', /go together/],
    ['certificate without HTTPS', { argv: ['--tls-cert', 'a.crt', '--tls-key', 'a.key', '--https', 'off'] }, 'conflict', /https is off/],
    ['half of the root credentials', { env: { COFFER_ROOT_ACCESS_KEY_ID: 'AKID' } }, 'conflict', /set both or none/],
    ['a short secret', { env: { COFFER_ROOT_ACCESS_KEY_ID: 'AKID', COFFER_ROOT_SECRET_ACCESS_KEY: 'sesame' } }, 'invalid', /8 to 128/],
    ['root secret in the file', { argv: ['--config', 'c'], files: { '/srv/c': '{"root-secret-access-key": "sesame"}' } }, 'unknown', /COFFER_ROOT_SECRET_ACCESS_KEY/],
  ];
  for (const [title, given, code, message] of cases) {
    test(title, () => {
      const error = refusal(given);
      assert.equal(error.code, code);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /sesame/, 'a secret was repeated');
    });
  }

  test('a text without end is not repeated whole', () => {
    assert.ok(refusal({ argv: ['--region', 'X'.repeat(10_000)] }).message.length < 300);
  });
});
