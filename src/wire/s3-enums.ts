/**
 * Which string members of S3's XML documents are enumerations. Client schemas do not say; the values themselves come
 * from the enumerations that the client exports. A value outside is a document that fails the published schema.
 * Left out, because S3 answers them with codes of their own (the handlers' matter): LocationConstraint, events and
 * filter names of notifications, CORS methods, website protocols.
 * Source: type declarations of @aws-sdk/client-s3; contract s3-surface section 3, s3-encryption 6.1.
 */

const ENUMERATIONS: Readonly<Record<string, string>> = {
  'AbacStatus.Status': 'BucketAbacStatus',
  'AccelerateConfiguration.Status': 'BucketAccelerateStatus',
  'AccessControlTranslation.Owner': 'OwnerOverride',
  'BlockedEncryptionTypes.EncryptionType': 'EncryptionType',
  'DefaultRetention.Mode': 'ObjectLockRetentionMode',
  'DeleteMarkerReplication.Status': 'DeleteMarkerReplicationStatus',
  'Destination.StorageClass': 'StorageClass',
  'ExistingObjectReplication.Status': 'ExistingObjectReplicationStatus',
  'Grant.Permission': 'Permission',
  'Grantee.Type': 'Type',
  'InventoryConfiguration.IncludedObjectVersions': 'InventoryIncludedObjectVersions',
  'InventoryConfiguration.OptionalFields': 'InventoryOptionalField',
  'InventoryS3BucketDestination.Format': 'InventoryFormat',
  'InventorySchedule.Frequency': 'InventoryFrequency',
  'LifecycleRule.Status': 'ExpirationStatus',
  'Metrics.Status': 'MetricsStatus',
  'NoncurrentVersionTransition.StorageClass': 'TransitionStorageClass',
  'ObjectLockConfiguration.ObjectLockEnabled': 'ObjectLockEnabled',
  'ObjectLockLegalHold.Status': 'ObjectLockLegalHoldStatus',
  'ObjectLockRetention.EventHold': 'ObjectLockEventHold',
  'ObjectLockRetention.Mode': 'ObjectLockRetentionMode',
  'OwnershipControlsRule.ObjectOwnership': 'ObjectOwnership',
  'PartitionedPrefix.PartitionDateSource': 'PartitionDateSource',
  'ReplicaModifications.Status': 'ReplicaModificationsStatus',
  'ReplicationRule.Status': 'ReplicationRuleStatus',
  'ReplicationTime.Status': 'ReplicationTimeStatus',
  'RequestPaymentConfiguration.Payer': 'Payer',
  'ServerSideEncryptionByDefault.SSEAlgorithm': 'ServerSideEncryption',
  'SseKmsEncryptedObjects.Status': 'SseKmsEncryptedObjectsStatus',
  'TargetGrant.Permission': 'BucketLogsPermission',
  'Transition.StorageClass': 'TransitionStorageClass',
  'VersioningConfiguration.MFADelete': 'MFADelete',
  'VersioningConfiguration.Status': 'BucketVersioningStatus',
};

export type AllowedValues = (structure: string, member: string) => ReadonlySet<string> | undefined;

/** Looks the values up in the client module's exports. Throws when the module no longer has an enumeration. */
export function s3AllowedValues(module: Readonly<Record<string, unknown>>): AllowedValues {
  const sets = new Map<string, ReadonlySet<string>>();
  for (const [member, name] of Object.entries(ENUMERATIONS)) {
    const values = module[name];
    if (typeof values !== 'object' || values === null) throw new Error(`the S3 client exports no enumeration ${name}`);
    sets.set(member, new Set(Object.values(values as Record<string, string>)));
  }
  return (structure, member) => sets.get(`${structure}.${member}`);
}
