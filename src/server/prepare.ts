/**
 * What must be there before any process serves: data directory, lock, root key, root credentials, certificate.
 * Done once, by the process that owns the data; workers get the result.
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { openKeyFile } from '../keyring/index.ts';
import type { Config } from './config.ts';
import { lockData, type DataLock } from './data-lock.ts';
import { catalogPath } from './rooms.ts';
import { findRootCredentials, type FoundCredentials } from './root-credentials.ts';
import type { TlsFiles } from './tls.ts';

/** Plain data: it travels to the workers. */
export interface Prepared {
  readonly settings: Config;
  readonly credentials: FoundCredentials;
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
export async function prepare(settings: Config): Promise<Preparation> {
  const { data } = settings;
  await mkdir(data, { recursive: true, mode: 0o700 });
  const lock = lockData(data);
  try {
    // Only over empty data may a root be made: data whose root key is gone must not get a second one.
    const root = await openKeyFile(settings.rootKeyPath, { create: !existsSync(catalogPath(settings)) });
    const credentials = await findRootCredentials(data, settings.rootCredentials);
    const tls = settings.https ? await (await import('./tls.ts')).prepareTls(settings) : undefined;
    return { prepared: { settings, credentials, rootFingerprint: root.fingerprint, tls }, lock };
  } catch (error) {
    lock.release();
    throw error;
  }
}
