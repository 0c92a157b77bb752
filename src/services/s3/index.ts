/** The S3 operations by name. */
import type { Operation, OperationTable } from '../operation.ts';
import { bucketOperations } from './bucket-operations.ts';
import { CompleteMultipartUpload } from './CompleteMultipartUpload.ts';
import { CopyObject } from './CopyObject.ts';
import { AbortMultipartUpload, CreateMultipartUpload } from './CreateMultipartUpload.ts';
import { DeleteObject, DeleteObjects } from './DeleteObject.ts';
import { GetObject, HeadObject } from './GetObject.ts';
import { GetObjectAttributes } from './GetObjectAttributes.ts';
import { PostObject } from './PostObject.ts';
import { PutObject } from './PutObject.ts';
import type { S3 } from './s3.ts';
import { UploadPart, UploadPartCopy } from './UploadPart.ts';

export type { S3, S3Settings } from './s3.ts';

export function createS3Operations(s3: S3): OperationTable {
  const objectOperations = [
    AbortMultipartUpload(s3), CompleteMultipartUpload(s3), CopyObject(s3), CreateMultipartUpload(s3), DeleteObject(s3), DeleteObjects(s3), GetObject(s3),
    GetObjectAttributes(s3), HeadObject(s3), PostObject(s3), PutObject(s3), UploadPart(s3), UploadPartCopy(s3),
  ] as Operation<never, unknown>[];
  return new Map([...bucketOperations(s3), ...objectOperations].map((operation) => [operation.name, operation]));
}
