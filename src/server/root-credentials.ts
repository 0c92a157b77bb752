/**
 * The access key of the account's root user: from the settings, or made on first start and kept beside the
 * data in the format of the AWS credentials file, so that `AWS_SHARED_CREDENTIALS_FILE` can point at it.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { constants } from 'node:fs';
import { link, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';

export interface RootCredentials {
  accessKeyId: string;
  secretAccessKey: string;
}

export interface FoundCredentials extends RootCredentials {
  /** Where they lie; absent when they come from the settings. */
  path?: string;
  /** They were made just now. */
  fresh: boolean;
}

const othersMayAccess = 0o077;
const fileSizeBytesMax = 4_096;

/** Throws with a sentence for the operator when the file is unreadable, damaged, or open to others. */
export async function findRootCredentials(dataDirectory: string, configured: RootCredentials | undefined): Promise<FoundCredentials> {
  if (configured) return { ...configured, fresh: false };
  const path = join(dataDirectory, 'credentials');
  const kept = await readCredentials(path);
  if (kept) return { ...kept, path, fresh: false };
  const made = { accessKeyId: newAccessKeyId(), secretAccessKey: randomBytes(30).toString('base64') };
  const wasFirst = await keepCredentials(path, made);
  if (wasFirst) return { ...made, path, fresh: true };
  return { ...((await readCredentials(path)) as RootCredentials), path, fresh: false };
}

/** 20 characters as AWS makes them: AKIA and base32. */
function newAccessKeyId(): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return `AKIA${Array.from({ length: 16 }, () => alphabet[randomInt(alphabet.length)]).join('')}`;
}

async function readCredentials(path: string): Promise<RootCredentials | undefined> {
  const file = await open(path, constants.O_RDONLY).catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new Error(`cannot read the root credentials in ${path}: ${message}`, { cause: error });
  });
  if (!file) return undefined;
  try {
    const { mode, size } = await file.stat();
    if (process.platform !== 'win32' && (mode & othersMayAccess) !== 0) {
      throw new Error(`${path} holds the root credentials and has mode 0${(mode & 0o777).toString(8)}: others may read it; make it 0600`);
    }
    const text = size <= fileSizeBytesMax ? await file.readFile('utf8') : '';
    const accessKeyId = /^aws_access_key_id\s*=\s*(\S+)\s*$/m.exec(text)?.[1];
    const secretAccessKey = /^aws_secret_access_key\s*=\s*(\S+)\s*$/m.exec(text)?.[1];
    if (accessKeyId === undefined || secretAccessKey === undefined) {
      throw new Error(`${path} holds no aws_access_key_id and aws_secret_access_key; put them back, or remove the file to have new ones made`);
    }
    return { accessKeyId, secretAccessKey };
  } finally {
    await file.close();
  }
}

/** Written aside and linked into place, so that the name shows all or nothing; false when another process was first. */
async function keepCredentials(path: string, { accessKeyId, secretAccessKey }: RootCredentials): Promise<boolean> {
  const aside = `${path}.${process.pid}.${randomBytes(6).toString('hex')}.new`;
  const file = await open(aside, 'wx', 0o600);
  try {
    await file.writeFile(`[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`);
    await file.sync();
    await link(aside, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await file.close();
    await unlink(aside).catch(() => undefined);
  }
}
