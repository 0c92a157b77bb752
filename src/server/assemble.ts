/**
 * The only construction site: from what was prepared to a pipeline that answers requests. Read it to see what a
 * running Coffer consists of, and who is handed what.
 */
import { Gate } from '../audit/index.ts';
import { accountRootArn, type Clock } from '../base/index.ts';
import type { KeyService } from '../keyring/index.ts';
import { reapTrash, removeOrphans, sweepLeftParts } from '../objects/index.ts';
import type { Principal } from '../policy/index.ts';
import { kmsOperations } from '../services/kms/index.ts';
import { createS3Operations } from '../services/s3/index.ts';
import type { CredentialLookup } from '../signature/index.ts';
import { openService } from '../wire/index.ts';
import type { Job } from './background.ts';
import type { Observer } from './observer.ts';
import { Pipeline } from './pipeline.ts';
import type { Prepared } from './prepare.ts';
import { openRooms, type Rooms } from './rooms.ts';

export interface Assembly {
  readonly rooms: Rooms;
  readonly pipeline: Pipeline;
  readonly jobs: readonly Job[];
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

export async function assemble(prepared: Prepared, clock: Clock, observer: Observer): Promise<Assembly> {
  const { settings } = prepared;
  const gate = new Gate({ recordKeyUse: (event) => observer.keyUse(event) });
  // Loading a service's schemas takes a while: these two are ready before the first request, others when it comes.
  const [rooms] = await Promise.all([openRooms(settings, { gate, clock, meter: observer.meter, onKeyCacheHit: () => observer.keyCacheHit() }), openService('s3'), openService('kms')]);
  const { store, keyService, master, metadataKey } = rooms;

  const pipeline = new Pipeline({
    gate, clock,
    regions: settings.acceptsAnyRegion ? 'any' : [settings.region],
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
    { name: 'sweep left parts', everyMs: 24 * hourMs, run: (signal) => sweepLeftParts(store, undefined, signal) },
    { name: 'rotate and delete keys', everyMs: minuteMs, run: () => runKeyWork(keyService) },
    { name: 'rotate service keys', everyMs: hourMs, run: () => Promise.all([master.rotateIfDue(), metadataKey.rotateIfDue()]) },
  ];
  return { rooms, pipeline, jobs };
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
