/**
 * Access lists. Every bucket is BucketOwnerEnforced: the owner has full control, and a list that says anything else
 * is refused, so that nobody believes it to be in force.
 * Source: contract s3-surface.md section 9.
 */
import type { S3Inputs, S3Outputs } from '../../wire/shapes.ts';
import type { Call, Operation } from '../operation.ts';
import { s3Errors } from './errors.ts';
import { bucketOf, bucketOperation } from './guard.ts';
import { requireOwnerOnlyAcl } from './object-headers.ts';
import { findObject } from './object-read.ts';
import { canonicalId, ownerOf } from './owner.ts';
import type { S3 } from './s3.ts';

interface AclInput {
  ACL?: string | undefined;
  AccessControlPolicy?: S3Inputs['PutBucketAcl']['AccessControlPolicy'];
  GrantFullControl?: string | undefined;
  GrantRead?: string | undefined;
  GrantReadACP?: string | undefined;
  GrantWrite?: string | undefined;
  GrantWriteACP?: string | undefined;
}

export function GetBucketAcl(s3: S3): Operation<S3Inputs['GetBucketAcl'], S3Outputs['GetBucketAcl']> {
  return bucketOperation(s3, { name: 'GetBucketAcl', action: 's3:GetBucketAcl', act: async (_, call) => ownersList(call) });
}

export function GetObjectAcl(s3: S3): Operation<S3Inputs['GetObjectAcl'], S3Outputs['GetObjectAcl']> {
  return bucketOperation<S3Inputs['GetObjectAcl'], S3Outputs['GetObjectAcl']>(s3, {
    name: 'GetObjectAcl',
    action: ({ VersionId }) => (VersionId === undefined ? 's3:GetObjectAcl' : 's3:GetObjectVersionAcl'),
    async act(input, call) {
      await findObject(s3, bucketOf(call), input, 'GET');
      return ownersList(call);
    },
  });
}

export function PutBucketAcl(s3: S3): Operation<S3Inputs['PutBucketAcl'], S3Outputs['PutBucketAcl']> {
  return bucketOperation(s3, {
    name: 'PutBucketAcl',
    action: 's3:PutBucketAcl',
    async act(input, call) {
      requireOwnersList(input, call);
      return {};
    },
  });
}

export function PutObjectAcl(s3: S3): Operation<S3Inputs['PutObjectAcl'], S3Outputs['PutObjectAcl']> {
  return bucketOperation<S3Inputs['PutObjectAcl'], S3Outputs['PutObjectAcl']>(s3, {
    name: 'PutObjectAcl',
    action: ({ VersionId }) => (VersionId === undefined ? 's3:PutObjectAcl' : 's3:PutObjectVersionAcl'),
    async act(input, call) {
      await findObject(s3, bucketOf(call), input, 'PUT');
      requireOwnersList(input, call);
      return {};
    },
  });
}

function ownersList(call: Call) {
  const owner = ownerOf(bucketOf(call));
  return { Owner: owner, Grants: [{ Grantee: { ...owner, Type: 'CanonicalUser' as const }, Permission: 'FULL_CONTROL' as const }] };
}

/** Throws unless the request asks for what is the case anyway. */
function requireOwnersList(input: AclInput, call: Call): void {
  const { ACL, AccessControlPolicy: policy } = input;
  const hasGrants = [input.GrantFullControl, input.GrantRead, input.GrantReadACP, input.GrantWrite, input.GrantWriteACP].some((grant) => grant !== undefined);
  if (ACL === undefined && !hasGrants && policy === undefined) throw s3Errors.missingSecurityHeader('x-amz-acl');
  if (policy !== undefined && (ACL !== undefined || hasGrants)) throw s3Errors.unexpectedContent();
  if (ACL !== undefined && hasGrants) throw s3Errors.invalidRequest('Specifying both Canned ACLs and Header Grants is not allowed');
  requireOwnerOnlyAcl(ACL, hasGrants);
  if (policy === undefined) return;
  const { Owner, Grants = [] } = policy;
  if (Owner?.ID === undefined) throw s3Errors.malformedAcl();
  const owner = canonicalId(bucketOf(call).owner);
  const [grant] = Grants;
  const isOwnersOwn = Owner.ID === owner && Grants.length === 1 && grant?.Grantee?.ID === owner && grant.Permission === 'FULL_CONTROL';
  if (!isOwnersOwn) throw s3Errors.aclsNotSupported();
}
