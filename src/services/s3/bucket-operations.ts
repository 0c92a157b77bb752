/** All operations on buckets, their configurations and their listings, for the table of S3. */
import type { Operation } from '../operation.ts';
import { absentConfigurations } from './absent-configurations.ts';
import { GetBucketAcl, GetObjectAcl, PutBucketAcl, PutObjectAcl } from './access-lists.ts';
import { DeleteBucketEncryption, GetBucketEncryption, PutBucketEncryption } from './bucket-encryption.ts';
import { DeleteBucketTagging, GetBucketTagging, PutBucketTagging } from './bucket-tagging.ts';
import { GetBucketVersioning, PutBucketVersioning } from './bucket-versioning.ts';
import { CreateBucket } from './CreateBucket.ts';
import { DeleteBucket } from './DeleteBucket.ts';
import { GetBucketLocation, HeadBucket } from './HeadBucket.ts';
import { ListBuckets } from './ListBuckets.ts';
import { ListMultipartUploads } from './ListMultipartUploads.ts';
import { ListObjects, ListObjectsV2 } from './ListObjects.ts';
import { ListObjectVersions } from './ListObjectVersions.ts';
import { ListParts } from './ListParts.ts';
import { DeleteObjectTagging, GetObjectTagging, PutObjectTagging } from './object-tagging.ts';
import {
  DeleteBucketOwnershipControls, DeletePublicAccessBlock, GetBucketOwnershipControls, GetPublicAccessBlock, PutBucketOwnershipControls, PutPublicAccessBlock,
} from './ownership-controls.ts';
import type { S3 } from './s3.ts';

const makers = [
  CreateBucket, DeleteBucket, HeadBucket, GetBucketLocation, ListBuckets,
  ListObjects, ListObjectsV2, ListObjectVersions, ListMultipartUploads, ListParts,
  GetBucketVersioning, PutBucketVersioning,
  GetBucketEncryption, PutBucketEncryption, DeleteBucketEncryption,
  GetBucketTagging, PutBucketTagging, DeleteBucketTagging,
  GetObjectTagging, PutObjectTagging, DeleteObjectTagging,
  GetBucketAcl, PutBucketAcl, GetObjectAcl, PutObjectAcl,
  GetBucketOwnershipControls, PutBucketOwnershipControls, DeleteBucketOwnershipControls,
  GetPublicAccessBlock, PutPublicAccessBlock, DeletePublicAccessBlock,
] as const;

export function bucketOperations(s3: S3): Operation<never, unknown>[] {
  return [...makers.map((make) => make(s3)), ...absentConfigurations(s3)];
}
