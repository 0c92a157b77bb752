/**
 * What must be there before any process serves: data directory, lock, root key, root credentials, certificate.
 * Done once, by the process that owns the data; workers get the result.
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openKeyFile } from '../keyring/index.ts';
import { lockData, type DataLock } from './data-lock.ts';
import { findRootCredentials, type FoundCredentials } from './root-credentials.ts';
import type { Settings } from './settings.ts';
import type { TlsFiles } from './tls.ts';

/** Plain data: it travels to the workers. */
export interface Prepared {
  readonly settings: Settings;
  readonly credentials: FoundCredentials;
  readonly rootKeyPath: string;
  /** 16 hex digits that tell roots of trust apart. */
  readonly rootFingerprint: string;
  /** Absent when HTTPS is off. */
  readonly tls: TlsFiles | undefined;
}

export interface Preparation {
  prepared: Prepared;
  lock: DataLock;
}

/** Throws errors whose message tells the operator what to mend. */
export async function prepare(settings: Settings): Promise<Preparation> {
  const { data } = settings;
  await mkdir(data, { recursive: true, mode: 0o700 });
  const lock = lockData(data);
  try {
    const rootKeyPath = join(data, 'root.key');
    // Only over empty data may a root be made: data whose root key is gone must not get a second one.
    const root = await openKeyFile(rootKeyPath, { create: !existsSync(catalogPath(settings)) });
    const credentials = await findRootCredentials(data, settings.rootCredentials);
    const tls = settings.https ? await (await import('./tls.ts')).prepareTls(settings) : undefined;
    return { prepared: { settings, credentials, rootKeyPath, rootFingerprint: root.fingerprint, tls }, lock };
  } catch (error) {
    lock.release();
    throw error;
  }
}

export function catalogPath(settings: Settings): string {
  return join(settings.data, 'catalog');
}

export function blobsPath(settings: Settings): string {
  return join(settings.data, 'blobs');
}
