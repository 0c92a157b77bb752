/** Key material as it lies in the catalog, still wrapped under the root: for exports and inspection. */
import type { Catalog } from '../catalog/index.ts';
import { catalogKeys, decodeRecord, type MaterialRecord, type WrappedRecord } from './records.ts';

/** By the names of docs/formats/export.md. */
export interface WrappedMaterial {
  kind: string;
  id: string;
  version: string;
  /** Base64. */
  wrapped: string;
}

/** Undefined when there is no such material. */
export async function readWrappedMaterial(catalog: Catalog, materialId: string): Promise<WrappedMaterial | undefined> {
  const value = await catalog.get(catalogKeys.material(materialId));
  if (value === undefined) return undefined;
  const { region, account, keyId, wrapped } = decodeRecord<MaterialRecord>(value, 'a key material');
  return { kind: 'kms', id: `${region}/${account}/${keyId}`, version: materialId, wrapped };
}

/** Undefined when there is no such version. */
export async function readWrappedServiceKey(catalog: Catalog, name: string, keyVersionId: string): Promise<WrappedMaterial | undefined> {
  const value = await catalog.get(catalogKeys.serviceVersion(name, keyVersionId));
  if (value === undefined) return undefined;
  return { kind: 'service', id: name, version: keyVersionId, wrapped: decodeRecord<WrappedRecord>(value, 'a service key').wrapped };
}
