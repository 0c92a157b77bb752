/**
 * The root of trust: the one key above all keys, and the key file that holds it by default.
 * Which root belongs to which data is the matter of root-claim.ts.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, open as openFile, unlink, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { wipe, type Bytes } from '../base/index.ts';
import { open, seal } from '../seal/index.ts';
import { KeyringError } from './keyring-error.ts';

/** Asynchronous because the key may lie in another machine: an HSM, a vault, AWS KMS. */
export interface RootOfTrust {
  /** 16 hex digits that tell roots apart and say nothing of the key. */
  readonly fingerprint: string;
  /** The result opens only under the same context. The caller keeps `plaintext`. */
  wrap(context: Bytes, plaintext: Bytes): Promise<Buffer>;
  /** Rejects when root, context or bytes are not those of the wrap. The caller owns and wipes the result. */
  unwrap(context: Bytes, wrapped: Bytes): Promise<Buffer>;
}

export const rootKeySizeBytes = 32;
const othersMayAccess = 0o077;
/** 64 digits and a line end; a longer file is not read further. */
const keyFileSizeBytesMax = 66;

/** A root whose key is at hand in this process. Takes ownership of `key`, 32 bytes. */
export function rootOfTrustFromKey(key: Buffer): RootOfTrust {
  if (key.byteLength !== rootKeySizeBytes) throw new KeyringError('key-file', `a root key has ${rootKeySizeBytes} bytes, not ${key.byteLength}`);
  return {
    fingerprint: createHmac('sha256', key).update('coffer root of trust: fingerprint').digest('hex').slice(0, 16),
    wrap: async (context, plaintext) => seal(key, context, plaintext),
    unwrap: async (context, wrapped) => open(key, context, wrapped),
  };
}

/**
 * The root of trust in a text file: 64 hex digits and a line end, readable by its owner alone.
 * With `create`, a file that is not there is made of fresh random bytes; of several processes that
 * try at once, one makes it and all read the same. Throws KeyringError `key-file`.
 */
export async function openKeyFile(path: string, { create }: { create: boolean }): Promise<RootOfTrust> {
  let key = await readKeyFile(path);
  if (key === undefined && create) {
    await createKeyFile(path);
    key = await readKeyFile(path);
  }
  if (key === undefined) {
    throw new KeyringError('key-file', `there is no key file ${path}; without it nothing that is stored can be read`);
  }
  return rootOfTrustFromKey(key);
}

async function readKeyFile(path: string): Promise<Buffer | undefined> {
  let file: FileHandle;
  try {
    file = await openFile(path, constants.O_RDONLY);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new KeyringError('key-file', `cannot open the key file ${path}`, { cause: error });
  }
  const bytes = Buffer.alloc(keyFileSizeBytesMax + 1);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new KeyringError('key-file', `${path} is not a file`);
    if (process.platform !== 'win32' && (stats.mode & othersMayAccess) !== 0) {
      const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
      throw new KeyringError('key-file', `the key file ${path} has mode ${mode}: others may access it; make it 0600`);
    }
    const { bytesRead } = await file.read(bytes, 0, bytes.byteLength, 0);
    const text = bytes.toString('latin1', 0, bytesRead);
    if (!/^[0-9a-fA-F]{64}\r?\n?$/.test(text)) {
      throw new KeyringError('key-file', `the key file ${path} does not hold 64 hex digits`);
    }
    return Buffer.from(text.slice(0, 64), 'hex');
  } finally {
    wipe(bytes);
    await file.close();
  }
}

/** Written aside, synced, then linked into place: the name shows a whole key or nothing, also after a crash. */
async function createKeyFile(path: string): Promise<void> {
  const aside = `${path}.${process.pid}.${randomBytes(6).toString('hex')}.new`;
  const key = randomBytes(rootKeySizeBytes);
  const text = Buffer.from(`${key.toString('hex')}\n`, 'latin1');
  try {
    const file = await openFile(aside, 'wx', 0o600);
    try {
      // The umask can only take away; a file system that adds bits is found by the reader.
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    try {
      await link(aside, path);
    } catch (error) {
      // Another process was first; its key is the root.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  } catch (error) {
    throw new KeyringError('key-file', `cannot create the key file ${path}`, { cause: error });
  } finally {
    wipe(key, text);
    await unlink(aside).catch(() => undefined);
  }
  await syncDirectory(dirname(path));
}

/** The new name itself must survive a power cut: data sealed under a root that is lost is lost. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const directory = await openFile(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
