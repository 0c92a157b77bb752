/**
 * Every operation of the six services, both ways: what the real SDK client serialises decodes to the input it was
 * given, and what we encode is read back by it as the output we had.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { addressRequest, openService, type ServiceName } from '../../src/wire/index.ts';
import { s3AllowedValues } from '../../src/wire/s3-enums.ts';
import type { Shape } from '../../src/wire/schema.ts';
import { bytesOf, clientOf, plain, sample, type Captured, type Extent } from './wire-kit.ts';

const KEY = './a//b \u00fc+%\u{1f44d}/';

/** Values that the client itself computes with, checks or forbids; null leaves a member out. */
const S3_VALUES: Readonly<Record<string, unknown>> = {
  Bucket: 'bucket',
  Key: KEY,
  CopySource: 'bucket/key%20x?versionId=3',
  ContentLength: 13,
  ChecksumAlgorithm: 'CRC32',
  ETag: '"etag"',
  // The client derives the MD5 itself and wants a real key.
  SSECustomerKey: null,
  SSECustomerKeyMD5: null,
  CopySourceSSECustomerKey: null,
  CopySourceSSECustomerKeyMD5: null,
  ObjectAttributes: ['ETag', 'ObjectSize'],
  OptionalObjectAttributes: ['RestoreStatus'],
  ExpiresString: null,
  Metadata: { alpha: 'one', 'beta-2': 'two \u00fc words' },
};

/** Operations whose sample needs one member more than the required ones. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  // The client adds length, type or hash to a body; a copy's answer without its result is an error to it.
  PutObject: ['Body', 'ContentLength', 'ContentType'],
  UploadPart: ['Body', 'ContentLength'],
  CopyObject: ['CopyObjectResult'],
  UploadPartCopy: ['CopyPartResult'],
  UploadArchive: ['body', 'checksum'],
  UploadMultipartPart: ['body', 'checksum'],
  // Otherwise the client makes a token of its own.
  RenameObject: ['ClientToken'],
};

const enumerations = s3AllowedValues(await import('@aws-sdk/client-s3'));

function kindOf(value: unknown): Shape['kind'] {
  return Array.isArray(value) ? 'list' : typeof value === 'object' ? 'map' : (typeof value as 'string' | 'number');
}

function sampleOf(service: ServiceName, operation: string, shape: Shape, extent: Extent): Record<string, unknown> {
  const headerTexts = new Set(shape.members.filter((member) => member.own.httpHeader !== undefined && member.shape.kind === 'string').map((member) => member.name));
  const override = (member: string, target: Shape, structure: string): unknown => {
    const [enumerated] = service === 's3' && target.kind === 'string' ? (enumerations(structure, member) ?? []) : [];
    if (enumerated !== undefined) return enumerated;
    if (service === 's3' && Object.hasOwn(S3_VALUES, member)) {
      const value = S3_VALUES[member];
      if (value === null || kindOf(value) === target.kind) return value;
    }
    if (service === 'glacier' && member === 'accountId') return '-';
    if (service === 'glacier' && target.kind === 'string') return `${member}-x`;
    return target.kind === 'string' && headerTexts.has(member) ? `${member} x` : undefined;
  };
  const value = sample(shape, extent, override) as Record<string, unknown>;
  for (const name of NEEDED[operation] ?? []) {
    const member = shape.members.find((candidate) => candidate.name === name);
    if (member && value[name] === undefined) value[name] = sample(member.shape, 'all', override, name);
  }
  return value;
}

/** What our side has where the client's type differs: see s3-exceptions.ts. */
function asHandlersSeeIt(value: Record<string, unknown>): Record<string, unknown> {
  const seen = { ...value };
  for (const name of ['Expires', 'ResponseExpires']) if (seen[name] instanceof Date) seen[name] = seen[name].toUTCString();
  return seen;
}

async function decodeCaptured(service: ServiceName, { request, body }: Captured): Promise<{ operation: string; input: Record<string, unknown> }> {
  const wire = await openService(service);
  const address = addressRequest(request, { baseDomains: [], scopeService: /\/([a-z0-9]+)\/aws4_request/.exec(request.headers['authorization'] ?? '')?.[1] });
  assert.equal(address.service, service);
  const operation = wire.route(request, address, wire.routesByBody ? body : undefined);
  const codec = wire.codec(operation)!;
  const input = codec.decodeHead(request, address);
  if (codec.bodyKind === 'stream') input[codec.payloadMember!] = body;
  else if (codec.bodyKind !== 'none') codec.decodeBody(body, input);
  return { operation, input };
}

/** Requests that the client cannot send here. */
const REQUEST_LEFT_OUT: ReadonlySet<string> = new Set([
  // Puts RequestRoute before the host name, and 127.0.0.1 has no sub-domains.
  's3.WriteGetObjectResponse.all',
  's3.WriteGetObjectResponse.required',
  // A required structure without required members cannot be told from an absent one in a form.
  'iam.CreateDelegationRequest.required',
  'sts.AssumeRoot.required',
]);

/** Answers that we cannot write: event streams, which nothing here implements. */
const ANSWER_LEFT_OUT: ReadonlySet<string> = new Set(['s3.SelectObjectContent', 's3.WriteGetObjectResponse']);

for (const service of ['s3', 'kms', 'iam', 'sts', 'glacier', 'cloudtrail'] as const) {
  const wire = await openService(service);
  for (const extent of ['all', 'required'] as const) {
    describe(`${service}: input with ${extent} members`, () => {
      for (const [name, operation] of wire.operations) {
        if (!REQUEST_LEFT_OUT.has(`${service}.${name}.${extent}`)) test(name, () => requestRoundTrip(service, name, operation.input, extent));
      }
    });
    describe(`${service}: output with ${extent} members`, () => {
      for (const [name, operation] of wire.operations) {
        if (!ANSWER_LEFT_OUT.has(`${service}.${name}`)) test(name, () => answerRoundTrip(service, name, operation.input, operation.output, extent));
      }
    });
  }
}

async function requestRoundTrip(service: ServiceName, name: string, shape: Shape, extent: Extent): Promise<void> {
  const input = sampleOf(service, name, shape, extent);
  let captured: Captured | undefined;
  const { client, module } = await clientOf(service, (what) => {
    captured = what;
    return { status: 500, headers: {} };
  });
  const Command = module[`${name}Command`] as new (input: object) => unknown;
  await client.send(new Command(input)).catch((error: unknown) => {
    if (!captured) throw error;
  });
  const decoded = await decodeCaptured(service, captured!);
  assert.equal(decoded.operation, name);
  assert.deepEqual(plain(decoded.input), plain(asHandlersSeeIt(input)));
}

async function answerRoundTrip(service: ServiceName, name: string, inputShape: Shape, shape: Shape, extent: Extent): Promise<void> {
  const wire = await openService(service);
  const output = sampleOf(service, name, shape, extent);
  if (name === 'GetObjectAttributes' && output['ETag']) output['ETag'] = 'etag';
  const codec = wire.codec(name)!;
  const { client, module } = await clientOf(service, () => codec.encode(ourOutput(name, asHandlersSeeIt(output)), 'request-1'));
  const Command = module[`${name}Command`] as new (input: object) => unknown;
  const read = await client.send(new Command(sampleOf(service, name, inputShape, 'required')));
  delete read['$metadata'];
  // The client parses the text once more.
  if (read['ExpiresString'] !== undefined) {
    assert.equal(read['ExpiresString'], asHandlersSeeIt(output)['Expires']);
    delete read['ExpiresString'];
  }
  if (codec.outputStreamMember && read[codec.outputStreamMember]) {
    const bytes = await bytesOf(read[codec.outputStreamMember]);
    if (bytes.length > 0) read[codec.outputStreamMember] = bytes;
    else delete read[codec.outputStreamMember];
  }
  for (const absent of ['Metadata', 'status', 'policy', 'vaultNotificationConfig']) if (output[absent] === undefined) delete read[absent];
  if (read['Metadata']) read['Metadata'] = decodeWords(read['Metadata'] as Record<string, string>);
  assert.deepEqual(plain(read), plain(output));
}

/** Clients hand RFC 2047 words through. */
function decodeWords(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => [name, value.replace(/^=\?UTF-8\?B\?(.*)\?=$/, (_, base64: string) => Buffer.from(base64, 'base64').toString('utf8'))]),
  );
}

/** Our side carries versions and markers in one list. */
function ourOutput(name: string, output: Record<string, unknown>): Record<string, unknown> {
  if (name !== 'ListObjectVersions') return output;
  const { Versions = [], DeleteMarkers = [], ...rest } = output as { Versions?: object[]; DeleteMarkers?: object[] };
  const [first, second] = Versions;
  const [marker, ...markers] = DeleteMarkers;
  const entries = [first && { kind: 'Version', ...first }, marker && { kind: 'DeleteMarker', ...marker }, second && { kind: 'Version', ...second }];
  return { ...rest, Entries: [...entries.filter((entry) => entry), ...markers.map((entry) => ({ kind: 'DeleteMarker', ...entry }))] };
}
