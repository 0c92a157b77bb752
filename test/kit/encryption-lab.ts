/**
 * What the encryption cases of the contract share: raw signed requests whose refusals are read as code, message and
 * arguments, two KMS keys, two customer keys.
 */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import * as kms from '@aws-sdk/client-kms';
import { startServer, type RawRequestOptions, type StartOptions, type TestServer } from './server.ts';

export interface LabAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  body: Buffer;
  /** Of an XML error; empty when there is none. */
  code: string;
  message: string;
  argumentName: string;
  argumentValue: string;
}

export interface CustomerKey {
  key: Buffer;
  /** The three headers. */
  headers: Record<string, string>;
  /** The three headers of a copy source. */
  sourceHeaders: Record<string, string>;
}

export function customerKey(key: Buffer | string): CustomerKey {
  const bytes = Buffer.from(key);
  const values = { algorithm: 'AES256', key: bytes.toString('base64'), 'key-MD5': createHash('md5').update(bytes).digest('base64') };
  const named = (prefix: string) => Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}-customer-${name.toLowerCase()}`, value]));
  return { key: bytes, headers: named('x-amz-server-side-encryption'), sourceHeaders: named('x-amz-copy-source-server-side-encryption') };
}

/** The vectors of contract s3-encryption.md section 23. */
export const keyA = customerKey('1234567890abcdef1234567890abcdef');
export const keyB = customerKey('abcdef1234567890abcdef1234567890');

export const sse = 'x-amz-server-side-encryption';
export const kid = 'x-amz-server-side-encryption-aws-kms-key-id';
export const ctx = 'x-amz-server-side-encryption-context';
export const bk = 'x-amz-server-side-encryption-bucket-key-enabled';
export const opaque = /^"[0-9a-f]{32}(-\d+)?"$/;

export function md5(text: string | Buffer): string {
  return createHash('md5').update(text).digest('hex');
}

export interface Lab {
  server: TestServer;
  /** Over HTTPS unless said otherwise. */
  send(method: string, target: string, headers?: Record<string, string>, body?: string | Buffer, options?: RawRequestOptions): Promise<LabAnswer>;
  newBucket(): Promise<string>;
  newKey(input?: kms.CreateKeyCommandInput): Promise<{ id: string; arn: string }>;
  disableKey(id: string): Promise<void>;
  /** Sets the default encryption; `rule` is the XML inside Rule. */
  setDefault(bucket: string, rule: string): Promise<LabAnswer>;
  /** Begins an upload and returns its id. */
  startUpload(bucket: string, key: string, headers?: Record<string, string>): Promise<string>;
  stop(): Promise<void>;
}

export async function openLab(options: StartOptions = {}): Promise<Lab> {
  const server = await startServer({ ...options, settings: { newBucketsBlock: 'NONE', keysOverHttp: 'refuse', ...options.settings } });
  const client = server.kms();
  let bucketCount = 0;
  const send: Lab['send'] = async (method, target, headers = {}, body, requestOptions = {}) => {
    const answer = await server.rawRequest(method, target, headers, body, { scheme: 'https', ...requestOptions });
    const text = answer.body.toString('utf8');
    const element = (name: string): string => unescape(new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? '');
    const isError = text.includes('<Error>');
    return {
      ...answer, text, code: isError ? element('Code') : '', message: isError ? element('Message') : '',
      argumentName: element('ArgumentName'), argumentValue: element('ArgumentValue'),
    };
  };
  return {
    server,
    send,
    async newBucket() {
      const bucket = `lab-${(bucketCount += 1)}`;
      await send('PUT', `/${bucket}`);
      return bucket;
    },
    async newKey(input = {}) {
      const { KeyMetadata } = await client.send(new kms.CreateKeyCommand(input));
      return { id: KeyMetadata?.KeyId ?? '', arn: KeyMetadata?.Arn ?? '' };
    },
    async disableKey(id) {
      await client.send(new kms.DisableKeyCommand({ KeyId: id }));
    },
    setDefault: (bucket, rule) => send('PUT', `/${bucket}?encryption`, {}, `<ServerSideEncryptionConfiguration><Rule>${rule}</Rule></ServerSideEncryptionConfiguration>`),
    async startUpload(bucket, key, headers = {}) {
      const { text, status } = await send('POST', `/${bucket}/${key}?uploads=`, headers);
      if (status !== 200) throw new Error(`no upload: ${text}`);
      return /<UploadId>([^<]+)</.exec(text)?.[1] ?? '';
    },
    stop: () => server.stop(),
  };
}

export function completion(parts: readonly { number: number; etag: string; extra?: string }[]): string {
  return `<CompleteMultipartUpload>${parts.map(({ number, etag, extra = '' }) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag>${extra}</Part>`).join('')}</CompleteMultipartUpload>`;
}

export function defaultRule(algorithm: string, key?: string, bucketKey?: boolean): string {
  return `<ApplyServerSideEncryptionByDefault><SSEAlgorithm>${algorithm}</SSEAlgorithm>${key === undefined ? '' : `<KMSMasterKeyID>${key}</KMSMasterKeyID>`}</ApplyServerSideEncryptionByDefault>`
    + (bucketKey === undefined ? '' : `<BucketKeyEnabled>${bucketKey}</BucketKeyEnabled>`);
}

export function blockedTypes(type: string): string {
  return `<BlockedEncryptionTypes><EncryptionType>${type}</EncryptionType></BlockedEncryptionTypes>`;
}

function unescape(text: string): string {
  return text.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&apos;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
