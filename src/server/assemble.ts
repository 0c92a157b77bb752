/**
 * The only construction site: from what was prepared to a pipeline that answers requests. Read it to see what a
 * running Coffer consists of, and who is handed what.
 */
import { Gate, noAuditLog } from '../audit/index.ts';
import { accountRootArn, type Clock } from '../base/index.ts';
import { openFileBlobStore } from '../blobs/index.ts';
import { openLmdbCatalog, type Catalog } from '../catalog/index.ts';
import { BucketKeys, claimRoot, DataKeys, KeyService, MetadataKey, openKeyFile, ServiceMaster } from '../keyring/index.ts';
import { reapTrash, removeOrphans, type StoreContext } from '../objects/index.ts';
import type { Principal } from '../policy/index.ts';
import { kmsOperations } from '../services/kms/index.ts';
import { createS3Operations } from '../services/s3/index.ts';
import type { CredentialLookup } from '../signature/index.ts';
import { openService } from '../wire/index.ts';
import type { Job } from './background.ts';
import type { Observer } from './observer.ts';
import { Pipeline } from './pipeline.ts';
import { blobsPath, catalogPath, type Prepared } from './prepare.ts';

export interface Rooms {
  readonly pipeline: Pipeline;
  readonly catalog: Catalog;
  readonly store: StoreContext;
  readonly keyService: KeyService;
  readonly jobs: readonly Job[];
  close(): Promise<void>;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

export async function assemble(prepared: Prepared, clock: Clock, observer: Observer): Promise<Rooms> {
  const { settings } = prepared;
  const { region, account } = settings;
  const [root, catalog, blobs] = await Promise.all([
    openKeyFile(settings.rootKeyPath, { create: false }),
    openLmdbCatalog({ path: catalogPath(settings) }),
    openFileBlobStore({ path: blobsPath(settings) }),
    // Loading a service's schemas takes a while: these two are ready before the first request, others when it comes.
    openService('s3'),
    openService('kms'),
  ]);
  await claimRoot(catalog, root);

  const gate = new Gate(noAuditLog);
  const keyService = new KeyService({ catalog, root, gate, clock, region, account });
  const [master, metadataKey] = await Promise.all([ServiceMaster.open(catalog, root, clock), MetadataKey.open(catalog, root, clock)]);
  const dataKeys = new DataKeys({ keyService, master, bucketKeys: new BucketKeys({ keyService, clock }) });
  const store: StoreContext = { catalog, blobs, clock, dataKeys, metadataKey };

  const pipeline = new Pipeline({
    gate, clock,
    regions: [region],
    baseDomains: settings.domains,
    lookup: lookupRoot(prepared),
    payloadLimits: {},
    operations: {
      s3: createS3Operations({ store, gate, keyService, settings }),
      kms: kmsOperations(keyService),
    },
    observe: (record) => observer.request(record),
  });

  const jobs: Job[] = [
    { name: 'reap trash', everyMs: minuteMs, run: (signal) => reapTrash(store, signal) },
    { name: 'remove orphans', everyMs: 24 * hourMs, run: (signal) => removeOrphans(store, undefined, signal) },
    { name: 'rotate and delete keys', everyMs: minuteMs, run: () => runKeyWork(keyService) },
    { name: 'rotate service keys', everyMs: hourMs, run: () => Promise.all([master.rotateIfDue(), metadataKey.rotateIfDue()]) },
  ];
  return {
    pipeline, catalog, store, keyService, jobs,
    close: async () => {
      keyService.vault.close();
      await catalog.close();
    },
  };
}

async function runKeyWork(keyService: KeyService): Promise<void> {
  const { failed } = await keyService.runDueKeyWork();
  if (failed.length > 0) throw new AggregateError(failed.map(({ error }) => error), `for keys ${failed.map(({ keyId }) => keyId).join(', ')}`);
}

/** The account's root user is the only one who has an access key so far. */
function lookupRoot({ credentials, settings: { account } }: Prepared): CredentialLookup<Principal> {
  const { accessKeyId, secretAccessKey } = credentials;
  const identity: Principal = { kind: 'root', account, arn: accountRootArn(account), accessKeyId };
  const known = Promise.resolve({ secretAccessKey, identity });
  const unknown = Promise.resolve(undefined);
  return (sent) => (sent === accessKeyId ? known : unknown);
}
