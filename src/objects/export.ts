/**
 * One object version with everything that opens it, save the root key and the customer's key.
 * Source: docs/formats/export.md.
 */
import { decodeEnvelope, kmsBlobMaterialId, type Envelope, type EnvelopeJson } from '../seal/index.ts';
import { readWrappedMaterial, readWrappedServiceKey, type WrappedMaterial } from '../keyring/index.ts';
import { ObjectStoreError } from './errors.ts';
import { inlineKey } from './keys.ts';
import { storedSize } from './payload-seal.ts';
import { partsOf } from './reading.ts';
import type { VersionRecord } from './records.ts';
import type { StoreContext } from './store-context.ts';
import { nonceBytes } from './versions.ts';

export interface ExportedPart {
  partNumber: number;
  sealedSizeBytes: number;
  plaintextSizeBytes: number;
  blob?: string;
  /** Base64. */
  sealed?: string;
}

export interface Export {
  format: 'coffer-export';
  version: 1;
  object: { bucket: string; key: string; versionNonce: string };
  envelope: EnvelopeJson;
  parts: ExportedPart[];
  keyMaterials: WrappedMaterial[];
}

export async function exportVersion(store: StoreContext, bucket: string, key: string, record: VersionRecord): Promise<Export> {
  const nonce = nonceBytes(record);
  const envelope = decodeEnvelope(record.envelope);
  return {
    format: 'coffer-export',
    version: 1,
    object: { bucket, key, versionNonce: nonce.toString('base64') },
    envelope: record.envelope,
    parts: await exportParts(store, record, layersOf(envelope)),
    keyMaterials: await keyMaterialsOf(store, envelope),
  };
}

async function exportParts(store: StoreContext, record: VersionRecord, layers: 0 | 1 | 2): Promise<ExportedPart[]> {
  const sizes = (plaintextSizeBytes: number) => ({ sealedSizeBytes: storedSize({ layers }, plaintextSizeBytes), plaintextSizeBytes });
  switch (record.payload.at) {
    case 'catalog': {
      const sealed = await store.catalog.get(inlineKey(nonceBytes(record)));
      if (sealed === undefined) throw new ObjectStoreError('damaged', 'the sealed bytes are missing from the catalog');
      return [{ partNumber: 0, ...sizes(record.size), sealed: sealed.toString('base64') }];
    }
    case 'blob':
      return [{ partNumber: 0, ...sizes(record.size), blob: record.payload.id }];
    case 'parts': {
      const parts: ExportedPart[] = [];
      for await (const part of partsOf(store, record)) parts.push({ partNumber: part.number, ...sizes(part.size), blob: part.blob });
      return parts;
    }
  }
}

/** How many layers of sealing a scheme has. */
export function layersOf(envelope: Envelope): 0 | 1 | 2 {
  if (envelope.scheme === 'NONE') return 0;
  return envelope.scheme === 'DSSE-KMS' ? 2 : 1;
}

async function keyMaterialsOf(store: StoreContext, envelope: Envelope): Promise<WrappedMaterial[]> {
  const ofBlob = async (blob: Buffer): Promise<WrappedMaterial[]> => {
    const materialId = kmsBlobMaterialId(blob);
    const material = materialId && (await readWrappedMaterial(store.catalog, materialId));
    return material ? [material] : [];
  };
  const ofMaster = async (keyVersionId: string): Promise<WrappedMaterial[]> => {
    const version = await readWrappedServiceKey(store.catalog, 'sse-s3', keyVersionId);
    return version ? [version] : [];
  };
  switch (envelope.scheme) {
    case 'NONE':
    case 'SSE-C':
      return [];
    case 'SSE-S3':
      return ofMaster(envelope.keyVersionId);
    case 'SSE-KMS':
      return ofBlob(envelope.bucketKey?.blob ?? envelope.wrappedDataKey);
    case 'DSSE-KMS':
      return [...(await ofBlob(envelope.wrappedDataKey)), ...(await ofMaster(envelope.outer.keyVersionId))];
  }
}
