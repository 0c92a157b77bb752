/** GetObjectAttributes. Source: contract s3-surface.md section 5; s3-encryption.md sections 10.3 and 13. */
import type { ObjectAttributes } from '@aws-sdk/client-s3';
import { wipeKeys, type PayloadKeys } from '../../keyring/index.ts';
import { openChecksum, partsOf } from '../../objects/index.ts';
import type { S3Inputs, S3Outputs } from '../../wire/shapes.ts';
import { checksumOutput } from './checksums.ts';
import { s3Errors } from './errors.ts';
import { bucketOf, bucketOperation } from './guard.ts';
import { findObject, proveReadKey, readChecksum, unwrapForRead, type FoundObject } from './object-read.ts';
import type { S3 } from './s3.ts';

type Input = S3Inputs['GetObjectAttributes'];
type Output = S3Outputs['GetObjectAttributes'];

const known: ReadonlySet<string> = new Set(['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'] satisfies ObjectAttributes[]);
const partsMax = 1_000;

export function GetObjectAttributes(s3: S3) {
  return bucketOperation<Input, Output>(s3, {
    name: 'GetObjectAttributes',
    action: ({ VersionId }) => (VersionId === undefined ? 's3:GetObjectAttributes' : 's3:GetObjectVersionAttributes'),
    async act(input, call) {
      const wanted = new Set<string>(input.ObjectAttributes);
      for (const attribute of wanted) {
        if (!known.has(attribute)) throw s3Errors.invalidArgument('Invalid attribute name specified.', 'x-amz-object-attributes', attribute);
      }
      const object = await findObject(s3, bucketOf(call), input, 'GET');
      const { customerKey } = proveReadKey(s3, call, input, object.envelope);
      const { record } = object;
      const needsKeys = (wanted.has('Checksum') || wanted.has('ObjectParts')) && record.checksum !== undefined && 'sealed' in record.checksum;
      const keys: PayloadKeys = needsKeys ? await unwrapForRead(s3, call, object, customerKey) : { layers: 0 };
      try {
        const checksum = wanted.has('Checksum') ? readChecksum(object, keys) : undefined;
        return {
          LastModified: new Date(record.modifiedMs),
          ...(object.versionId === undefined ? {} : { VersionId: object.versionId }),
          ...(wanted.has('ETag') ? { ETag: record.etag } : {}),
          // Here a composite value has no `-N`.
          ...(checksum === undefined ? {} : { Checksum: checksumOutput(checksum) }),
          ...(wanted.has('ObjectParts') && record.payload.at === 'parts' ? { ObjectParts: await describeParts(s3, input, object, keys) } : {}),
          ...(wanted.has('StorageClass') ? { StorageClass: (record.storageClass ?? 'STANDARD') as 'STANDARD' } : {}),
          ...(wanted.has('ObjectSize') ? { ObjectSize: record.size } : {}),
        };
      } finally {
        wipeKeys(keys);
      }
    },
  });
}

/** Parts are listed only for composite checksums, otherwise just counted. */
async function describeParts(s3: S3, input: Input, object: FoundObject, keys: PayloadKeys): Promise<NonNullable<Output['ObjectParts']>> {
  const { record, place } = object;
  const partCount = record.payload.at === 'parts' ? record.payload.partCount : 0;
  if (record.checksum?.type !== 'COMPOSITE') return { TotalPartsCount: partCount };
  const limit = Math.min(input.MaxParts ?? partsMax, partsMax);
  const after = Number(input.PartNumberMarker ?? 0);
  const parts: NonNullable<NonNullable<Output['ObjectParts']>['Parts']> = [];
  let isTruncated = false;
  for await (const part of partsOf(s3.store, record)) {
    if (part.number <= after) continue;
    if (parts.length === limit) {
      isTruncated = true;
      break;
    }
    const { ChecksumType: _whole, ...checksum } = part.checksum === undefined ? {} as ReturnType<typeof checksumOutput> : checksumOutput(openChecksum(part.checksum, keys, place));
    parts.push({ PartNumber: part.number, Size: part.size, ...checksum });
  }
  return {
    TotalPartsCount: partCount, PartNumberMarker: String(after), NextPartNumberMarker: String(parts.at(-1)?.PartNumber ?? after),
    MaxParts: limit, IsTruncated: isTruncated, Parts: parts,
  };
}
