/** GetObject and HeadObject. Source: contract s3-surface.md section 5; s3-encryption.md sections 10.2 and 13. */
import type { ByteSource } from '../../base/index.ts';
import { wipeKeys, type PayloadKeys } from '../../keyring/index.ts';
import { openChecksum, partsOf, readVersion, type PlacedPart, type StoredChecksum } from '../../objects/index.ts';
import type { S3Inputs, S3Outputs } from '../../wire/shapes.ts';
import type { Call } from '../operation.ts';
import { checksumOutput } from './checksums.ts';
import { checkReadConditions } from './conditions.ts';
import { s3Errors } from './errors.ts';
import { bucketOf, bucketOperation } from './guard.ts';
import { describeObject, findObject, proveReadKey, readAgainWhenReplaced, readChecksum, unwrapForRead, type FoundObject } from './object-read.ts';
import { contentRange, readRange, type ByteRange } from './ranges.ts';
import type { S3 } from './s3.ts';

type ReadInput = S3Inputs['GetObject'] | S3Inputs['HeadObject'];

export function GetObject(s3: S3) {
  return bucketOperation<S3Inputs['GetObject'], S3Outputs['GetObject']>(s3, {
    name: 'GetObject',
    action: ({ VersionId }) => (VersionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion'),
    act: (input, call) => readAgainWhenReplaced(() => getObject(s3, input, call)),
  });
}

export function HeadObject(s3: S3) {
  return bucketOperation<S3Inputs['HeadObject'], S3Outputs['HeadObject']>(s3, {
    name: 'HeadObject',
    action: ({ VersionId }) => (VersionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion'),
    act: (input, call) => readAgainWhenReplaced(() => headObject(s3, input, call)),
  });
}

async function getObject(s3: S3, input: S3Inputs['GetObject'], call: Call): Promise<S3Outputs['GetObject']> {
  const object = await findObject(s3, bucketOf(call), input, 'GET');
  const { customerKey, keyMd5 } = proveReadKey(s3, call, input, object.envelope);
  const keys = await unwrapForRead(s3, call, object, customerKey);
  try {
    const description = await describeObject(s3, object, keyMd5);
    checkConditions(s3, input, object, description.VersionId);
    const extent = await findExtent(s3, input, object);
    const range = extent.range ?? { start: 0, end: object.record.size };
    const body = await readVersion(s3.store, object.place, object.record, keys, range.start, range.end);
    const checksum = input.ChecksumMode === 'ENABLED' ? extentChecksum(object, extent, keys) : undefined;
    if (Buffer.isBuffer(body)) wipeKeys(keys);
    return {
      ...description,
      ...extentOutput(object, extent),
      ...checksumOutput(checksum, extent.part === undefined ? partCountOf(object) : undefined),
      ...responseOverrides(input, call),
      // A small object comes whole, and its keys have served.
      Body: Buffer.isBuffer(body) ? body : wipedAfter(body, keys),
    } as unknown as S3Outputs['GetObject'];
  } catch (error) {
    wipeKeys(keys);
    throw error;
  }
}

async function headObject(s3: S3, input: S3Inputs['HeadObject'], call: Call): Promise<S3Outputs['HeadObject']> {
  const object = await findObject(s3, bucketOf(call), input, 'HEAD');
  const { customerKey, keyMd5 } = proveReadKey(s3, call, input, object.envelope);
  // Only a sealed checksum needs the object's key: plain HEAD works with a disabled or deleted KMS key.
  const wantsChecksum = input.ChecksumMode === 'ENABLED';
  const needsKeys = wantsChecksum && object.record.checksum !== undefined && 'sealed' in object.record.checksum;
  const keys: PayloadKeys = needsKeys ? await unwrapForRead(s3, call, object, customerKey) : { layers: 0 };
  try {
    const description = await describeObject(s3, object, keyMd5);
    checkConditions(s3, input, object, description.VersionId);
    const extent = await findExtent(s3, input, object);
    const checksum = wantsChecksum ? extentChecksum(object, extent, keys) : undefined;
    return {
      ...description,
      ...extentOutput(object, extent),
      ...checksumOutput(checksum, extent.part === undefined ? partCountOf(object) : undefined),
      ...responseOverrides(input, call),
    };
  } finally {
    wipeKeys(keys);
  }
}

/** Which bytes a request means. */
interface Extent {
  /** Absent: the whole object, answered with 200. */
  range?: ByteRange;
  /** The part that was asked for by number. */
  part?: PlacedPart;
  partsCount?: number;
}

async function findExtent(s3: S3, input: ReadInput, object: FoundObject): Promise<Extent> {
  const { record } = object;
  const { PartNumber: partNumber } = input;
  if (partNumber === undefined) {
    const range = readRange(input.Range, record.size);
    return range === undefined ? {} : { range };
  }
  if (input.Range !== undefined) throw s3Errors.invalidRequest('Cannot specify both Range header and partNumber query parameter');
  if (partNumber < 1 || partNumber > 10_000) throw s3Errors.invalidArgument('Part number must be an integer between 1 and 10000, inclusive', 'partNumber', String(partNumber));
  const partCount = partCountOf(object) ?? 1;
  const notSatisfiable = (): Error => s3Errors.invalidPartNumber({ PartNumberRequested: String(partNumber), ActualPartCount: String(partCount) });
  if (record.payload.at !== 'parts') {
    if (partNumber !== 1) throw notSatisfiable();
    return record.size === 0 ? {} : { range: { start: 0, end: record.size } };
  }
  for await (const part of partsOf(s3.store, record)) {
    if (part.number === partNumber) return { range: { start: part.start, end: part.start + part.size }, part, partsCount: partCount };
  }
  throw notSatisfiable();
}

function partCountOf({ record }: FoundObject): number | undefined {
  return record.payload.at === 'parts' ? record.payload.partCount : undefined;
}

function extentOutput(object: FoundObject, { range, partsCount }: Extent) {
  const { size } = object.record;
  return {
    ContentLength: range === undefined ? size : range.end - range.start,
    ...(range === undefined || size === 0 ? {} : { ContentRange: contentRange(range, size) }),
    ...(partsCount === undefined ? {} : { PartsCount: partsCount }),
  };
}

/** For the whole object or an exact part; never for an arbitrary range. */
function extentChecksum(object: FoundObject, { range, part }: Extent, keys: PayloadKeys): StoredChecksum | undefined {
  if (part !== undefined) {
    // Parts have values of their own only where the object's checksum is made of them.
    if (part.checksum === undefined || object.record.checksum?.type !== 'COMPOSITE') return undefined;
    return { ...openChecksum(part.checksum, keys, object.place), type: object.record.checksum.type };
  }
  const coversAll = range === undefined || (range.start === 0 && range.end === object.record.size && object.record.payload.at !== 'parts');
  return coversAll ? readChecksum(object, keys) : undefined;
}

function checkConditions(s3: S3, input: ReadInput, { record }: FoundObject, versionId: string | undefined): void {
  checkReadConditions(input, record, s3.store.clock.nowMs(), {
    etag: `"${record.etag}"`, 'last-modified': new Date(record.modifiedMs).toUTCString(), ...(versionId === undefined ? {} : { 'x-amz-version-id': versionId }),
  });
}

function responseOverrides(input: ReadInput, call: Call) {
  const overrides = {
    ...(input.ResponseCacheControl === undefined ? {} : { CacheControl: input.ResponseCacheControl }),
    ...(input.ResponseContentDisposition === undefined ? {} : { ContentDisposition: input.ResponseContentDisposition }),
    ...(input.ResponseContentEncoding === undefined ? {} : { ContentEncoding: input.ResponseContentEncoding }),
    ...(input.ResponseContentLanguage === undefined ? {} : { ContentLanguage: input.ResponseContentLanguage }),
    ...(input.ResponseContentType === undefined ? {} : { ContentType: input.ResponseContentType }),
    ...(call.query.get('response-expires') === undefined ? {} : { Expires: call.query.get('response-expires') }),
  };
  const values = Object.values(overrides);
  if (values.length === 0) return overrides;
  if (!call.caller.signed) throw s3Errors.invalidRequest('Request specific response headers cannot be used for anonymous GET requests.');
  // oxlint-disable-next-line no-control-regex -- header text must not carry control characters
  if (values.some((value) => /[^\u0020-\u007e\u00a0-\u00ff]/.test(value ?? ''))) throw s3Errors.invalidArgument('Header value cannot be represented using ISO-8859-1.');
  return overrides;
}

async function* wipedAfter(body: ByteSource, keys: PayloadKeys): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* body;
  } finally {
    wipeKeys(keys);
  }
}
