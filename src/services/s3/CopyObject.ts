/** CopyObject. Source: contract s3-encryption.md sections 5, 10.2 and 12; s3-surface.md section 6. */
import { wipeKeys } from '../../keyring/index.ts';
import { asSource, openMetadata, readVersion, type SystemMetadata, type Tag, type UserMetadata } from '../../objects/index.ts';
import type { ChecksumAlgorithm } from '../../checksum/index.ts';
import type { EncryptionChoice } from '../../keyring/index.ts';
import type { S3Inputs, S3Outputs } from '../../wire/shapes.ts';
import type { Call } from '../operation.ts';
import { checksumOutput, isChecksumAlgorithm } from './checksums.ts';
import { requireKnownWriteConditions } from './conditions.ts';
import { copySourceDemands, openCopySource, type OpenedSource } from './copy-source.ts';
import { chooseEncryption, encryptionOutput } from './encryption.ts';
import { s3Errors } from './errors.ts';
import { bucketOf, bucketOperation } from './guard.ts';
import { readStorageClass, readSystemMetadata, refuseUnbuilt, requireMetadataSize } from './object-headers.ts';
import { readAgainWhenReplaced } from './object-read.ts';
import { objectSizeMaxBytes, writeObject } from './object-write.ts';
import type { S3 } from './s3.ts';
import { parseTagHeader } from './tags.ts';

type Input = S3Inputs['CopyObject'];

export function CopyObject(s3: S3) {
  return bucketOperation<Input, S3Outputs['CopyObject']>(s3, {
    name: 'CopyObject',
    action: 's3:PutObject',
    alsoDemands: (input) => copySourceDemands(s3, input),
    async act(input, call) {
      refuseUnbuilt(call, input.ACL);
      requireDirective('x-amz-metadata-directive', input.MetadataDirective);
      requireDirective('x-amz-tagging-directive', input.TaggingDirective);
      requireKnownWriteConditions(input);
      return readAgainWhenReplaced(() => copyObject(s3, input, call));
    },
  });
}

async function copyObject(s3: S3, input: Input, call: Call): Promise<S3Outputs['CopyObject']> {
  const opened = await openCopySource(s3, call, input);
  try {
    const encryption = chooseEncryption(s3, call, input, { bucket: bucketOf(call), key: input.Key, action: 's3:CopyObject' });
    requireChange(input, call, opened, encryption);
    return await copy(s3, call, input, opened, encryption);
  } finally {
    wipeKeys(opened.keys);
  }
}

async function copy(s3: S3, call: Call, input: Input, { object, keys }: OpenedSource, encryption: EncryptionChoice): Promise<S3Outputs['CopyObject']> {
  const { record } = object;
  if (record.size > objectSizeMaxBytes) {
    throw s3Errors.invalidRequest(`The specified copy source is larger than the maximum allowable size for a copy source: ${objectSizeMaxBytes}`);
  }
  const { system, userMetadata } = await metadataOf(s3, input, object);
  const written = await writeObject(s3, call, {
    bucket: input.Bucket, key: input.Key, encryption,
    body: asSource(await readVersion(s3.store, object.place, record, keys, 0, record.size)),
    wantsMd5: false, checksumAlgorithm: checksumAlgorithmOf(input, object), verify: () => undefined,
    conditions: input, system, userMetadata, tags: tagsOf(input, record.tags), storageClass: readStorageClass(input.StorageClass),
  });
  return {
    CopyObjectResult: { ETag: written.record.etag, LastModified: new Date(written.record.modifiedMs), ...checksumOutput(written.checksum) },
    CopySourceVersionId: object.versionId,
    VersionId: written.versionId,
    ...encryptionOutput(written.envelope, input.SSECustomerKeyMD5),
    ...(input.SSEKMSEncryptionContext === undefined ? {} : { SSEKMSEncryptionContext: input.SSEKMSEncryptionContext }),
  };
}

async function metadataOf(s3: S3, input: Input, { record, place }: OpenedSource['object']): Promise<{ system: SystemMetadata; userMetadata: UserMetadata }> {
  if (input.MetadataDirective === 'REPLACE') {
    const userMetadata = input.Metadata ?? {};
    requireMetadataSize(userMetadata);
    return { system: readSystemMetadata(input), userMetadata };
  }
  // A redirect is never copied, but may be set.
  const { WebsiteRedirectLocation: _redirect, ...system } = record.system ?? {};
  const redirect = readSystemMetadata({ WebsiteRedirectLocation: input.WebsiteRedirectLocation });
  return { system: { ...system, ...redirect }, userMetadata: await openMetadata(s3.store, place, record.userMetadata) };
}

function tagsOf(input: Input, sourceTags: Tag[] | undefined): Tag[] | undefined {
  if (input.TaggingDirective !== 'REPLACE') return sourceTags;
  return input.Tagging === undefined ? undefined : parseTagHeader(input.Tagging);
}

/** The source's algorithm stays unless the request names one; the value is always that of the whole. */
function checksumAlgorithmOf(input: Input, { record }: OpenedSource['object']): ChecksumAlgorithm {
  const algorithm = input.ChecksumAlgorithm ?? record.checksum?.algorithm ?? 'CRC64NVME';
  if (!isChecksumAlgorithm(algorithm)) throw s3Errors.invalidRequest('Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256, SHA512, MD5, XXHASH64, XXHASH3, XXHASH128]');
  return algorithm;
}

/** E50: a copy onto itself must change something. */
function requireChange(input: Input, call: Call, { source, object }: OpenedSource, encryption: EncryptionChoice): void {
  if (source.bucket !== input.Bucket || source.key !== input.Key || source.versionId !== undefined) return;
  const encryptionMembers = [
    input.ServerSideEncryption, input.SSEKMSKeyId, input.BucketKeyEnabled, input.SSECustomerAlgorithm, input.SSECustomerKey, input.SSECustomerKeyMD5,
  ];
  const changes = input.MetadataDirective === 'REPLACE' || input.StorageClass !== undefined || input.WebsiteRedirectLocation !== undefined
    || encryptionMembers.some((member) => member !== undefined)
    || bucketOf(call).encryption.algorithm !== undefined
    || (object.envelope.scheme !== 'SSE-S3' && encryption.scheme === 'SSE-S3');
  if (!changes) throw s3Errors.illegalSelfCopy();
}

function requireDirective(header: string, directive: string | undefined): void {
  if (directive !== undefined && directive !== 'COPY' && directive !== 'REPLACE') {
    throw s3Errors.invalidArgument(`Unknown ${header === 'x-amz-metadata-directive' ? 'metadata' : 'tagging'} directive.`, header, directive);
  }
}
