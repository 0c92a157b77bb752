/**
 * Takes in one payload: digests it, seals it, and stores the sealed bytes, in memory for small ones (they ride in
 * the catalog commit) and as a blob otherwise. Nothing is visible until a record names it.
 */
import { createHash, randomBytes, type Hash } from 'node:crypto';
import type { BlobStore, BlobWriter } from '../blobs/index.ts';
import type { ByteSource } from '../base/index.ts';
import { createChecksum, type Checksum, type ChecksumAlgorithm } from '../checksum/index.ts';
import type { PayloadKeys } from '../keyring/data-keys.ts';
import type { ObjectVersion } from '../seal/index.ts';
import { payloadSealer } from './payload-seal.ts';

/** Payloads up to this size lie in the catalog: one durable write instead of two. */
export const inlineSizeMaxBytes = 16 * 1024;

export interface PayloadWrite {
  keys: PayloadKeys;
  place: ObjectVersion;
  /** 0 when not a part. */
  partNumber: number;
  body: ByteSource;
  /** Small payloads stay in memory, for the catalog. Parts always become blobs. */
  mayBeInline: boolean;
  wantsMd5: boolean;
  checksumAlgorithms: readonly ChecksumAlgorithm[];
  sizeMaxBytes: number;
  /** Called once when the body turns out larger; what it throws fails the write. */
  onTooLarge: (sizeBytes: number) => never;
}

export interface StoredPayload {
  sizeBytes: number;
  md5: Buffer | undefined;
  checksums: ReadonlyMap<ChecksumAlgorithm, Buffer>;
  /** Sealed bytes for the catalog, or the id of a durable blob. */
  stored: { at: 'catalog'; bytes: Buffer } | { at: 'blob'; id: string };
  sealedSizeBytes: number;
}

/** Reads the body to its end. When it throws, nothing is left behind. */
export async function writePayload(blobs: BlobStore, write: PayloadWrite): Promise<StoredPayload> {
  const sealer = payloadSealer(write.keys, write.place, write.partNumber);
  const md5: Hash | undefined = write.wantsMd5 ? createHash('md5') : undefined;
  const checksums = new Map<ChecksumAlgorithm, Checksum>(write.checksumAlgorithms.map((algorithm) => [algorithm, createChecksum(algorithm)]));
  const waiting: Buffer[] = [];
  let blob: { id: string; writer: BlobWriter } | undefined;
  let sizeBytes = 0;
  let sealedSizeBytes = 0;

  const append = async (sealed: readonly Buffer[]): Promise<void> => {
    if (blob === undefined) {
      const id = randomBytes(16).toString('hex');
      blob = { id, writer: await blobs.create(id) };
    }
    for (const bytes of sealed) {
      sealedSizeBytes += bytes.byteLength;
      await blob.writer.append(bytes);
    }
  };

  try {
    for await (const chunk of write.body) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > write.sizeMaxBytes) write.onTooLarge(sizeBytes);
      md5?.update(chunk);
      for (const checksum of checksums.values()) checksum.update(chunk);
      if (write.mayBeInline && sizeBytes <= inlineSizeMaxBytes) {
        waiting.push(chunk);
        continue;
      }
      for (const kept of waiting.splice(0)) await append(sealer.update(kept));
      await append(sealer.update(chunk));
    }
    const digests = new Map([...checksums].map(([algorithm, checksum]) => [algorithm, checksum.digest()] as const));
    if (write.mayBeInline && blob === undefined) {
      const bytes = Buffer.concat([...waiting.flatMap((kept) => sealer.update(kept)), ...sealer.final()]);
      return { sizeBytes, md5: md5?.digest(), checksums: digests, stored: { at: 'catalog', bytes }, sealedSizeBytes: bytes.byteLength };
    }
    await append(sealer.final());
    // `append` made the blob, even of an empty part.
    const { id, writer } = blob as unknown as { id: string; writer: BlobWriter };
    await writer.finish();
    return { sizeBytes, md5: md5?.digest(), checksums: digests, stored: { at: 'blob', id }, sealedSizeBytes };
  } catch (error) {
    await blob?.writer.abort();
    throw error;
  }
}
