/**
 * Hostile input: whatever arrives, the wire answers with a ServiceError or a typed input, never with another error,
 * and never with a prototype that someone changed. fast-check prints the seed of a failure.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ServiceError } from '../../src/base/index.ts';
import { addressRequest, encodeError, openService, urlEncodeKey, type ServiceName } from '../../src/wire/index.ts';
import { decodeMetadataValue, encodeMetadataValue, safeHeaderText } from '../../src/wire/header-text.ts';
import { percentDecode } from '../../src/wire/percent.ts';
import { readXml, XmlError } from '../../src/wire/xml-reader.ts';
import { escapeXml } from '../../src/wire/xml-encode.ts';
import { requestOf } from './wire-kit.ts';

const SERVICES = ['s3', 'kms', 'iam', 'sts', 'glacier', 'cloudtrail'] as const;
const wires = new Map(await Promise.all(SERVICES.map(async (service) => [service, await openService(service)] as const)));

/** Decodes as the pipeline would; any error but a ServiceError fails the property. */
function decodeWhole(service: ServiceName, method: string, target: string, headers: Record<string, string>, body: Buffer): void {
  try {
    const request = requestOf(method, target, headers);
    const address = addressRequest(request, { baseDomains: ['example.com'], scopeService: service });
    const wire = wires.get(address.service)!;
    const codec = wire.codec(wire.route(request, address, body));
    if (!codec) return;
    const input = codec.decodeHead(request, address);
    if (codec.bodyKind === 'structured' || codec.bodyKind === 'raw-string') codec.decodeBody(body, input);
  } catch (error) {
    assert.ok(error instanceof ServiceError, String(error instanceof Error ? error.stack : error));
    assert.ok(error.status >= 400 && error.status < 500);
    encodeError(service, error, { requestId: 'r' });
  }
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
}

/** Chars as node hands them out: one a byte. */
const latin1 = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 60 });
const method = fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'PATCH', 'QUERY');
const subresource = fc.constantFrom('acl', 'tagging', 'uploads', 'uploadId', 'partNumber', 'versions', 'list-type', 'delete', 'policy', 'encryption', 'restore', 'inventory', 'id', 'annotation', 'select', 'max-keys', 'x-id', '__proto__');
const target = fc
  .tuple(fc.array(fc.oneof(latin1, fc.constantFrom('b', 'k', '..', '', '%', '%00', '%ff', '%2F', '-', 'vaults', 'jobs')), { maxLength: 4 }), fc.array(fc.tuple(fc.oneof(subresource, latin1), fc.option(latin1)), { maxLength: 4 }))
  .map(([segments, pairs]) => `/${segments.join('/').replaceAll('?', '')}?${pairs.map(([name, value]) => (value === null ? name : `${name}=${value}`)).join('&')}`);
const headerName = fc.constantFrom('host', 'content-type', 'content-length', 'x-amz-target', 'x-amz-copy-source', 'x-amz-meta-a', 'x-amz-meta-__proto__', 'range', 'expires', 'if-modified-since', 'x-amz-glacier-version', 'x-amz-object-attributes', 'x-amz-server-side-encryption-bucket-key-enabled', 'x-amz-object-lock-retain-until-date');
const headers = fc.dictionary(headerName, latin1, { maxKeys: 6 });
const RUNS = { numRuns: 1500 };

describe('hostile requests', () => {
  test('any target, headers and bytes', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SERVICES), method, target, headers, fc.uint8Array({ maxLength: 200 }), (service, verb, where, fields, body) =>
        decodeWhole(service, verb, where, fields, Buffer.from(body)),
      ),
      RUNS,
    );
  });

  const S3_BODIES: readonly (readonly [method: string, target: string])[] = [
    ['PUT', '/b?acl'],
    ['PUT', '/b?lifecycle'],
    ['PUT', '/b?replication'],
    ['PUT', '/b?notification'],
    ['PUT', '/b?encryption'],
    ['PUT', '/b/k?encryption'],
    ['POST', '/b?delete'],
    ['POST', '/b/k?uploadId=u'],
    ['PUT', '/b?inventory&id=i'],
  ];
  const ELEMENTS = ['Delete', 'Object', 'Key', 'LifecycleConfiguration', 'Rule', 'Filter', 'And', 'Status', 'Tag', 'AccessControlPolicy', 'Grant', 'Grantee', 'Owner', 'ID', 'CompleteMultipartUpload', 'Part', 'PartNumber', 'ETag', 'ObjectEncryption', 'SSE-KMS', 'Days', 'Date', 'Quiet', '__proto__', 'constructor'];
  const { tree } = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 8 },
      fc.oneof(latin1, fc.constantFrom('1', 'true', 'Enabled', '&amp;', '&#0;', '&e;', '<![CDATA[x]]>', '<!-- -->', '<?pi?>', ' ')),
      fc.tuple(fc.constantFrom(...ELEMENTS), fc.constantFrom('', ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"', ' xsi:type="Group"', ' a="1" a="2"', ' x:y="&lt;"'), fc.array(tie('tree'), { maxLength: 4 })).map(
        ([name, attributes, children]) => `<${name}${attributes}>${children.join('')}</${name}>`,
      ),
    ),
  }));

  test('XML of the right words in the wrong places', () => {
    fc.assert(
      fc.property(fc.constantFrom(...S3_BODIES), tree, fc.constantFrom('utf8', 'latin1'), ([verb, where], text, encoding) =>
        decodeWhole('s3', verb, where, {}, Buffer.from(text, encoding as BufferEncoding)),
      ),
      RUNS,
    );
  });

  const KMS_OPERATIONS = [...wires.get('kms')!.operations.keys()];
  const json = fc.oneof(
    fc.json({ maxDepth: 6 }),
    fc.dictionary(
      fc.constantFrom('KeyId', 'Plaintext', 'CiphertextBlob', 'EncryptionContext', 'GrantTokens', 'Tags', 'NumberOfBytes', 'ValidTo', 'Constraints', 'DryRun', '__proto__', 'constructor'),
      fc.jsonValue({ maxDepth: 4 }),
    ).map((value) => JSON.stringify(value)),
  );

  test('JSON of any type', () => {
    fc.assert(
      fc.property(fc.constantFrom(...KMS_OPERATIONS), json, (operation, text) => decodeWhole('kms', 'POST', '/', { 'x-amz-target': `TrentService.${operation}` }, Buffer.from(text))),
      RUNS,
    );
  });

  test('forms with any names', () => {
    const name = fc.array(fc.constantFrom('Tags', 'member', '1', '2', '0', '-1', '007', '999', 'Key', 'Value', 'RoleName', 'MaxSessionDuration', 'entry', '__proto__', 'constructor', ''), { minLength: 1, maxLength: 6 }).map((parts) => parts.join('.'));
    fc.assert(
      fc.property(fc.array(fc.tuple(name, latin1), { maxLength: 12 }), (pairs) =>
        decodeWhole('iam', 'POST', '/', {}, Buffer.from(`Action=CreateRole&Version=2010-05-08&${pairs.map(([key, value]) => `${key}=${value}`).join('&')}`, 'latin1')),
      ),
      RUNS,
    );
  });
});

describe('nothing grows without bound', () => {
  test('deep, wide and repetitive documents are refused or read in time', () => {
    const bodies = [
      '<a>'.repeat(500_000),
      `<Delete>${'<Object>'.repeat(200_000)}`,
      `<Delete>${'<x/>'.repeat(400_000)}</Delete>`,
      `<Delete ${'a="b" '.repeat(300_000)}/>`,
      `<Delete>${'&amp;'.repeat(400_000)}</Delete>`,
      `<Delete>${'<![CDATA[x]]>'.repeat(150_000)}</Delete>`,
      `<Delete>${'<!--x-->'.repeat(250_000)}</Delete>`,
    ];
    for (const body of bodies) decodeWhole('s3', 'POST', '/b?delete', {}, Buffer.from(body));
    decodeWhole('kms', 'POST', '/', { 'x-amz-target': 'TrentService.Encrypt' }, Buffer.from('['.repeat(2_000_000)));
    decodeWhole('kms', 'POST', '/', { 'x-amz-target': 'TrentService.Encrypt' }, Buffer.from('{"a":'.repeat(400_000)));
    decodeWhole('iam', 'POST', '/', {}, Buffer.from(`Action=CreateRole&${'a.'.repeat(1_000_000)}=1`));
    decodeWhole('iam', 'POST', '/', {}, Buffer.from(`Action=CreateRole&${'Tags.member.1.Key=x&'.repeat(100_000)}`));
    decodeWhole('glacier', 'GET', `/${'/'.repeat(8000)}`, { 'x-amz-glacier-version': '2012-06-01' }, Buffer.alloc(0));
    decodeWhole('s3', 'PUT', '/b/k', { 'x-amz-meta-a': `=?UTF-8?Q?${'=?'.repeat(4000)}`, 'x-amz-meta-b': `${'?= '.repeat(5000)}=?` }, Buffer.alloc(0));
  });
});

describe('encodings go both ways', () => {
  /** Any text without NUL, with astral characters. */
  const text = fc.string({ unit: 'binary', maxLength: 40 }).map((value) => value.replaceAll('\u0000', '0'));

  test('keys through paths', () => {
    fc.assert(fc.property(text, (key) => assert.equal(percentDecode(encodeURIComponent(key), false), key)));
    fc.assert(fc.property(text, (key) => assert.equal(percentDecode(Buffer.from(key, 'utf8').toString('latin1').replaceAll('%', '%25'), false), key)));
  });

  test('keys through encoding-type=url', () => {
    fc.assert(fc.property(text, (key) => assert.equal(decodeURIComponent(urlEncodeKey(key).replaceAll('+', ' ')), key)));
  });

  test('metadata through headers', () => {
    fc.assert(
      fc.property(text.filter((value) => !value.includes('=?')), (value) => {
        const header = encodeMetadataValue(value);
        assert.match(header, /^[\x20-\x7e]*$/);
        assert.equal(decodeMetadataValue(header), value);
      }),
    );
  });

  test('texts through XML', () => {
    // What XML 1.0 forbids cannot come back; everything else does.
    const visible = text.map((value) => value.replaceAll(/[\u0001-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '_'));
    fc.assert(fc.property(visible, (value) => assert.equal(readXml(Buffer.from(`<a>${escapeXml(value)}</a>`)).text, value)));
  });

  test('any bytes as XML: an element or an XmlError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        try {
          readXml(bytes);
        } catch (error) {
          assert.ok(error instanceof XmlError);
        }
      }),
    );
  });

  test('no header text can end its line', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (value) => assert.match(safeHeaderText(value), /^[\t\x20-\x7e\x80-\xff]*$/)));
  });
});
