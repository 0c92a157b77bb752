/** The S3 operations over engines in memory: handlers driven as the pipeline drives them, without HTTP and XML. */
import type { Caller } from '../../src/audit/index.ts';
import { openMemoryBlobStore } from '../../src/blobs/index.ts';
import { BucketKeys, DataKeys, MetadataKey, rootOfTrustFromKey, ServiceMaster } from '../../src/keyring/index.ts';
import { noMeter } from '../../src/objects/index.ts';
import type { Call, Operation } from '../../src/services/operation.ts';
import { createS3Operations, type S3, type S3Settings } from '../../src/services/s3/index.ts';
import type { S3Inputs, S3OperationName, S3Outputs } from '../../src/wire/shapes.ts';
import { account, openTestKeys, region, rootCaller, testRootKey, type TestKeys } from './keys.ts';

export interface CallOptions {
  caller?: Caller;
  headers?: Readonly<Record<string, string>>;
  query?: Readonly<Record<string, string>>;
}

export interface TestS3 extends TestKeys {
  s3: S3;
  /** Runs an operation: `before`, the gate, `act`. Input members that the operation needs and the test does not care for may be left out. */
  call<Name extends S3OperationName>(name: Name, input: Partial<S3Inputs[Name]>, options?: CallOptions): Promise<S3Outputs[Name]>;
  /** An object by PutObject; its version id. */
  put(bucket: string, key: string, body?: string, more?: Partial<S3Inputs['PutObject']>): Promise<string | undefined>;
}

export const anonymousCaller: Caller = { ...rootCaller(), principal: { kind: 'anonymous' }, signed: false };

export async function openTestS3(settings: Partial<S3Settings> = {}): Promise<TestS3> {
  const testKeys = await openTestKeys();
  const { catalog, clock, gate, keys: keyService } = testKeys;
  const root = rootOfTrustFromKey(testRootKey());
  const master = await ServiceMaster.open(catalog, root, clock);
  const dataKeys = new DataKeys({ keyService, master, clock, bucketKeys: new BucketKeys({ keyService, clock }) });
  const store = { catalog, blobs: openMemoryBlobStore(), clock, dataKeys, metadataKey: await MetadataKey.open(catalog, root, clock), meter: noMeter };
  const s3: S3 = {
    store, gate, keyService,
    settings: { region, account, defaultEncryption: 'AES256', newBucketsBlock: 'SSE-C', keysOverHttp: 'refuse', ...settings },
  };
  const operations = createS3Operations(s3);

  const call: TestS3['call'] = async (name, input, options = {}) => {
    const operation: Operation<unknown, unknown> | undefined = operations.get(name);
    if (operation === undefined) throw new Error(`no operation ${name}`);
    const { Body: body } = input as { Body?: string };
    const request = newCall(options, body ?? '');
    await operation.before?.(input, request);
    const proof = gate.authorize(request.caller, await operation.demands(input, request), input);
    return (await operation.act(proof, request)) as never;
  };
  return {
    ...testKeys, s3, call,
    put: async (bucket, key, body = '', more = {}) =>
      (await call('PutObject', { Bucket: bucket, Key: key, Body: body as never, ...more })).VersionId,
  };
}

function newCall({ caller = rootCaller(), headers = {}, query = {} }: CallOptions, body: string): Call {
  const bytes = Buffer.from(body, 'utf8');
  return {
    caller,
    headers: { 'content-length': String(bytes.byteLength), ...headers },
    requestId: caller.requestId,
    query: new Map(Object.entries(query)),
    payload: {
      body: (async function* () {
        if (bytes.byteLength > 0) yield bytes;
      })(),
      decodedLength: bytes.byteLength,
      trailers: () => ({}),
    },
    origin: 'https://localhost:9443',
    notes: {},
  };
}
