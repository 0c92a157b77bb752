/** PutObject. Source: contract s3-encryption.md sections 2, 4.1, 5, 9, 10; s3-surface.md section 6. */
import type { S3Inputs, S3Outputs } from '../../wire/shapes.ts';
import { checksumOutput, expectChecksum, readContentMd5, verifyChecksum, verifyContentMd5 } from './checksums.ts';
import { requireKnownWriteConditions } from './conditions.ts';
import { chooseEncryption, encryptionOutput } from './encryption.ts';
import { bucketOf, bucketOperation } from './guard.ts';
import { readStorageClass, readSystemMetadata, refuseUnbuilt, requireLength, requireMetadataSize } from './object-headers.ts';
import { writeObject } from './object-write.ts';
import type { S3 } from './s3.ts';
import { parseTagHeader } from './tags.ts';

export function PutObject(s3: S3) {
  return putObject(s3, 'PutObject');
}

/** A form's file has no length of its own; a PUT without any is refused. */
export function putObject(s3: S3, name: 'PutObject' | 'PostObject') {
  return bucketOperation<S3Inputs['PutObject'], S3Outputs['PutObject']>(s3, {
    name,
    action: 's3:PutObject',
    async act(input, call) {
      if (name === 'PutObject') requireLength(call);
      refuseUnbuilt(call, input.ACL);
      const encryption = chooseEncryption(s3, call, input, { bucket: bucketOf(call), key: input.Key, action: 's3:PutObject' });
      requireKnownWriteConditions(input);
      const userMetadata = input.Metadata ?? {};
      requireMetadataSize(userMetadata);
      const contentMd5 = readContentMd5(input.ContentMD5);
      const expected = expectChecksum(call, input);
      const written = await writeObject(s3, call, {
        bucket: input.Bucket, key: input.Key, encryption, body: call.payload.body, announcedSizeBytes: call.payload.decodedLength,
        wantsMd5: contentMd5 !== undefined, checksumAlgorithm: expected.algorithm,
        verify: ({ md5, checksums }) => {
          verifyContentMd5(contentMd5, md5);
          verifyChecksum(call, expected, checksums.get(expected.algorithm) as Buffer);
        },
        conditions: input, system: readSystemMetadata(input), userMetadata,
        tags: input.Tagging === undefined ? undefined : parseTagHeader(input.Tagging),
        storageClass: readStorageClass(input.StorageClass),
      });
      return {
        ETag: written.record.etag,
        VersionId: written.versionId,
        ...checksumOutput(written.checksum),
        ...encryptionOutput(written.envelope, input.SSECustomerKeyMD5),
        ...(input.SSEKMSEncryptionContext === undefined ? {} : { SSEKMSEncryptionContext: input.SSEKMSEncryptionContext }),
      };
    },
  });
}
