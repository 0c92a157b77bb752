/**
 * The only construction site: from what was prepared to a pipeline that answers requests. Read it to see what a
 * running Coffer consists of, and who is handed what.
 */
import { Gate, noAuditLog } from '../audit/index.ts';
import { accountRootArn, type Clock } from '../base/index.ts';
import { openFileBlobStore, type BlobStore } from '../blobs/index.ts';
import { openLmdbCatalog, type Catalog } from '../catalog/index.ts';
import { BucketKeys, claimRoot, DataKeys, KeyService, MetadataKey, openKeyFile, ServiceMaster } from '../keyring/index.ts';
import { reapTrash, removeOrphans, type StoreContext } from '../objects/index.ts';
import type { Principal } from '../policy/index.ts';
import { createS3Operations } from '../services/s3/index.ts';
import { createKmsOperations } from '../services/kms/index.ts';
import type { CredentialLookup } from '../signature/index.ts';
import { openService } from '../wire/index.ts';
import type { Job } from './background.ts';
import { Pipeline, type RequestRecord } from './pipeline.ts';
import { blobsPath, catalogPath, type Prepared } from './prepare.ts';

export interface Rooms {
  readonly pipeline: Pipeline;
  readonly catalog: Catalog;
  readonly jobs: readonly Job[];
  close(): Promise<void>;
}

const minuteMs = 60_000;

export async function assemble(prepared: Prepared, clock: Clock, observe: (record: RequestRecord) => void): Promise<Rooms> {
  const { settings } = prepared;
  const { region, account } = settings;
  const [root, catalog, blobs] = await Promise.all([
    openKeyFile(prepared.rootKeyPath, { create: false }),
    openLmdbCatalog({ path: catalogPath(settings) }),
    openFileBlobStore(blobsPath(settings)),
    openService('s3'),
    openService('kms'),
  ]);
  await claimRoot(catalog, root);

  const gate = new Gate(noAuditLog);
  const keyService = new KeyService({ catalog, root, gate, clock, region, account });
  const master = await ServiceMaster.open(catalog, root, clock);
  const metadataKey = await MetadataKey.open(catalog, root, clock);
  const bucketKeys = new BucketKeys({ keyService, clock });
  const dataKeys = new DataKeys({ keyService, master, bucketKeys });
  const store: StoreContext = { catalog, blobs, clock, dataKeys, metadataKey };

  const pipeline = new Pipeline({
    gate, clock,
    regions: settings.region === undefined ? 'any' : [region],
    baseDomains: settings.domains,
    lookup: lookupRoot(prepared),
    payloadLimits: {},
    operations: {
      s3: createS3Operations({ store, gate, keyService, settings }),
      kms: createKmsOperations({ keyService, gate }),
    },
    observe,
  });

  const jobs: Job[] = [
    { name: 'reap trash', everyMs: minuteMs, run: (signal) => reapTrash(store, signal) },
    { name: 'remove orphans', everyMs: 24 * 60 * minuteMs, run: (signal) => removeOrphans(store, undefined, signal) },
    { name: 'rotate service keys', everyMs: 60 * minuteMs, run: async () => void (await master.rotateIfDue(), await metadataKey.rotateIfDue()) },
  ];
  return {
    pipeline, catalog, jobs,
    close: async () => {
      keyService.vault.close();
      await catalog.close();
    },
  };
}

/** The account's root user is the only one who has an access key so far. */
function lookupRoot({ credentials, settings: { account } }: Prepared): CredentialLookup<Principal> {
  const { accessKeyId, secretAccessKey } = credentials;
  const identity: Principal = { kind: 'root', account, arn: accountRootArn(account), accessKeyId };
  const known = Promise.resolve({ secretAccessKey, identity });
  const unknown = Promise.resolve(undefined);
  return (sent) => (sent === accessKeyId ? known : unknown);
}
