/**
 * PostObject: a browser's form upload, a PutObject whose members came as fields.
 * Source: contract s3-encryption.md section 14.2; s3-surface.md section 6.
 */
import type { S3Inputs, S3Outputs } from '../../wire/shapes.ts';
import type { Operation } from '../operation.ts';
import { putObject } from './PutObject.ts';
import type { S3 } from './s3.ts';

/** Made of the form's fields by `server`, as if they were a PutObject's headers. */
export type PostObjectInput = S3Inputs['PutObject'];

export function PostObject(s3: S3): Operation<PostObjectInput, S3Outputs['PutObject']> {
  return putObject(s3, 'PostObject');
}
