/** CreateMultipartUpload and AbortMultipartUpload. Source: contract s3-encryption.md sections 10.3 and 11. */
import { randomBytes } from 'node:crypto';
import { callerArn } from '../../audit/index.ts';
import { wipeKeys } from '../../keyring/index.ts';
import { abortUpload, createUpload, findVersion, getUpload, placeOf, sealMetadata, type UploadRecord } from '../../objects/index.ts';
import { encodeEnvelope } from '../../seal/index.ts';
import type { S3Inputs, S3Outputs } from '../../wire/shapes.ts';
import { chooseEncryption, encryptionOutput, inKmsWords, noteEncryption } from './encryption.ts';
import { s3Errors } from './errors.ts';
import { bucketOf, bucketOperation } from './guard.ts';
import { declareChecksum } from './multipart-checksums.ts';
import { readStorageClass, readSystemMetadata, refuseUnbuilt, requireMetadataSize } from './object-headers.ts';
import type { S3 } from './s3.ts';
import { parseTagHeader } from './tags.ts';

export function CreateMultipartUpload(s3: S3) {
  return bucketOperation<S3Inputs['CreateMultipartUpload'], S3Outputs['CreateMultipartUpload']>(s3, {
    name: 'CreateMultipartUpload',
    action: 's3:PutObject',
    async act(input, call) {
      refuseUnbuilt(call, input.ACL);
      const { Bucket: bucket, Key: key } = input;
      const encryption = chooseEncryption(s3, call, input, { bucket: bucketOf(call), key, action: 's3:PutObject' });
      const declared = declareChecksum(input.ChecksumAlgorithm, input.ChecksumType);
      const userMetadata = input.Metadata ?? {};
      requireMetadataSize(userMetadata);
      const system = readSystemMetadata(input);
      const storageClass = readStorageClass(input.StorageClass);
      const tags = input.Tagging === undefined ? undefined : parseTagHeader(input.Tagging);

      const nonce = randomBytes(16).toString('base64url');
      const place = placeOf(bucket, key, { nonce });
      const { keys, envelope } = await inKmsWords(() => s3.store.dataKeys.create(encryption, place, call.caller));
      wipeKeys(keys);
      noteEncryption(call, envelope);
      const sealedMetadata = await sealMetadata(s3.store, place, userMetadata);
      const current = await findVersion(s3.store, bucket, key);
      const upload: UploadRecord = {
        v: 1, key, nonce, startedMs: s3.store.clock.nowMs(), envelope: encodeEnvelope(envelope), initiator: callerArn(call.caller),
        ...(current?.record.kind === 'object' ? { baseNonce: current.record.nonce } : {}),
        ...(Object.keys(system).length > 0 ? { system } : {}),
        ...(sealedMetadata === undefined ? {} : { userMetadata: sealedMetadata }),
        ...(tags?.length ? { tags } : {}),
        ...(storageClass === undefined ? {} : { storageClass }),
        ...(declared === undefined ? {} : { checksumAlgorithm: declared.algorithm, checksumType: declared.type }),
      };
      return {
        Bucket: bucket,
        Key: key,
        UploadId: await createUpload(s3.store, bucket, upload),
        ...(declared === undefined ? {} : { ChecksumAlgorithm: declared.algorithm, ChecksumType: declared.type }),
        ...encryptionOutput(envelope, input.SSECustomerKeyMD5),
        ...(input.SSEKMSEncryptionContext === undefined ? {} : { SSEKMSEncryptionContext: input.SSEKMSEncryptionContext }),
      };
    },
  });
}

export function AbortMultipartUpload(s3: S3) {
  return bucketOperation<S3Inputs['AbortMultipartUpload'], S3Outputs['AbortMultipartUpload']>(s3, {
    name: 'AbortMultipartUpload',
    action: 's3:AbortMultipartUpload',
    async act(input, call) {
      if (call.headers['x-amz-if-match-initiated-time'] !== undefined) throw s3Errors.notImplemented('x-amz-if-match-initiated-time');
      await abortUpload(s3.store, await getUpload(s3.store, input.Bucket, input.Key, input.UploadId));
      return {};
    },
  });
}
