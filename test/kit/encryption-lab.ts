/**
 * What the encryption cases of the contract share: raw signed requests whose refusals are read as code, message and
 * arguments, two KMS keys, two customer keys.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import * as kms from '@aws-sdk/client-kms';
import { startServer, testAccount, type RawRequestOptions, type StartOptions, type TestServer } from './server.ts';

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

export const customerAlgorithm = 'x-amz-server-side-encryption-customer-algorithm';
export const customerKeyText = 'x-amz-server-side-encryption-customer-key';
export const customerKeyDigest = 'x-amz-server-side-encryption-customer-key-md5';
export const copySource = 'x-amz-copy-source';

/** The texts of contract s3-encryption.md section 3, by their number there. */
export const texts = {
  E03: 'x-amz-server-side-encryption header is not supported for this operation.',
  E04: 'Server Side Encryption with Customer provided key is incompatible with the encryption method specified',
  E10: 'Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.',
  E11: 'Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.',
  E12: 'The Encryption request you specified is not valid. Supported value: AES256.',
  E13: 'Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.',
  E14: 'Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated MD5 of the secret key.',
  E15: 'The calculated MD5 hash of the key did not match the hash that was provided.',
  E16: 'The secret key was invalid for the specified algorithm.',
  E17: 'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.',
  E18: 'Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.',
  E19: 'The encryption parameters are not applicable to this object.',
  E20: 'The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.',
  E21: 'The provided encryption parameters did not match the ones used originally.',
  E50: "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
} as const;

export type ErrorId = keyof typeof texts;

const forbidden: ReadonlySet<ErrorId> = new Set(['E18']);
const invalidArguments: ReadonlySet<ErrorId> = new Set(['E03', 'E04', 'E10', 'E11', 'E13', 'E14', 'E15', 'E16']);
const withoutArgument: ReadonlySet<ErrorId> = new Set(['E10', 'E17', 'E18', 'E19', 'E20', 'E21', 'E50']);

/** Status, code, message and arguments as the catalogue has them. */
export function assertRefused(answer: LabAnswer, id: ErrorId, argumentValue = ''): void {
  const code = forbidden.has(id) ? 'AccessDenied' : id === 'E12' ? 'InvalidEncryptionAlgorithmError' : invalidArguments.has(id) ? 'InvalidArgument' : 'InvalidRequest';
  assert.deepEqual(
    [answer.status, answer.code, answer.message, answer.argumentName, answer.argumentValue],
    [forbidden.has(id) ? 403 : 400, code, texts[id], withoutArgument.has(id) ? '' : sse, argumentValue],
    id,
  );
}

/** E22, whose text names who asked for what. */
export function assertBlocked(answer: LabAnswer, action: string, resource: string): void {
  assert.deepEqual([answer.status, answer.code], [403, 'AccessDenied'], answer.text);
  const start = `User: arn:aws:iam::${testAccount}:root is not authorized to perform: ${action} on resource: "arn:aws:s3:::${resource}"`;
  assert.equal(answer.message, `${start} because this bucket has blocked upload requests that specify Server Side Encryption with Customer provided keys (SSE-C). Please specify a different server-side encryption type`);
}

/** 200, the echo of a customer key and of nothing else. */
export function assertCustomer(answer: LabAnswer, key: CustomerKey, status = 200): void {
  assert.equal(answer.status, status, answer.text.slice(0, 500));
  assert.deepEqual(
    [answer.headers[customerAlgorithm], answer.headers[customerKeyDigest], answer.headers[customerKeyText], answer.headers[sse]],
    ['AES256', key.headers[customerKeyDigest], undefined, undefined],
  );
}

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

/** The ETag of an XML answer, in its quotes. */
export function etagIn(answer: LabAnswer): string {
  return unescape(/<ETag>([^<]+)</.exec(answer.text)?.[1] ?? '');
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
