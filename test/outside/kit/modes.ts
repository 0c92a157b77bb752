/**
 * The four ways in which a client asks for encryption, and how to see on the server that it got what it asked for,
 * for every object.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Coffer } from './coffer.ts';
import { headsOf, type SdkClients } from './clients.ts';

export type ModeName = 'SSE-S3' | 'SSE-KMS' | 'DSSE-KMS' | 'SSE-C';

export interface Secrets {
  keyArn: string;
  customerKey: Buffer;
}

/** Keys may not go over plain HTTP; everything else may, and clients sign differently there. */
export function endpointFor(mode: ModeName, { httpUrl, httpsUrl }: Coffer): string {
  return mode === 'SSE-S3' ? httpUrl : httpsUrl;
}

/** Holds every object of the bucket against the mode; there must be `count` of them. */
export async function assertAllIn(mode: ModeName, clients: SdkClients, bucket: string, count: number, { keyArn, customerKey }: Secrets): Promise<void> {
  const heads = await headsOf(clients, bucket, mode === 'SSE-C' ? customerKey : undefined);
  assert.equal(heads.size, count, 'objects in the bucket');
  const keyMd5 = createHash('md5').update(customerKey).digest('base64');
  const expected = {
    'SSE-S3': { ServerSideEncryption: 'AES256', SSEKMSKeyId: undefined, SSECustomerKeyMD5: undefined },
    'SSE-KMS': { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: keyArn, SSECustomerKeyMD5: undefined },
    'DSSE-KMS': { ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId: keyArn, SSECustomerKeyMD5: undefined },
    'SSE-C': { ServerSideEncryption: undefined, SSEKMSKeyId: undefined, SSECustomerKeyMD5: keyMd5 },
  }[mode];
  for (const [key, { ServerSideEncryption, SSEKMSKeyId, SSECustomerKeyMD5 }] of heads) {
    assert.deepEqual({ ServerSideEncryption, SSEKMSKeyId, SSECustomerKeyMD5 }, expected, key);
  }
}
