/** A key service over memory or any other catalog, with a clock to move, a record to look at, and callers. */
import { Gate, type Caller, type KeyUseEvent } from '../../src/audit/index.ts';
import { accountRootArn, MovableClock, ServiceError } from '../../src/base/index.ts';
import { openMemoryCatalog, type Catalog } from '../../src/catalog/index.ts';
import { claimRoot, KeyService, rootOfTrustFromKey, type KeyLimits } from '../../src/keyring/index.ts';
import { kmsOperations } from '../../src/services/kms/index.ts';

export const account = '111122223333';
export const region = 'us-east-1';

export interface TestKeys {
  catalog: Catalog;
  keys: KeyService;
  clock: MovableClock;
  gate: Gate;
  events: KeyUseEvent[];
  caller: Caller;
  /** Runs a KMS operation as `caller`, from the official input to the official output. */
  kms<Output = Record<string, never>>(operation: string, input: object, caller?: Caller): Promise<Output>;
}

/** The account's root user, as it comes through `viaService` when named. */
export function rootCaller(viaService?: string): Caller {
  return {
    principal: { kind: 'root', account, arn: accountRootArn(account), accessKeyId: 'AKIATEST' },
    requestId: '00000000-0000-4000-8000-000000000000', sourceIp: '192.0.2.1', secure: true, signed: true,
    facts: viaService === undefined ? {} : { viaService },
  };
}

export const testRootKey = (): Buffer => Buffer.alloc(32, 0x5a);

export async function openTestKeys(options: { catalog?: Catalog; limits?: Partial<KeyLimits>; clock?: MovableClock } = {}): Promise<TestKeys> {
  const catalog = options.catalog ?? openMemoryCatalog();
  const root = rootOfTrustFromKey(testRootKey());
  await claimRoot(catalog, root);
  const events: KeyUseEvent[] = [];
  const gate = new Gate({ recordKeyUse: (event) => void events.push(event) });
  const clock = options.clock ?? new MovableClock();
  const keys = new KeyService({ catalog, root, gate, clock, region, account, limits: options.limits ?? {} });
  const operations = kmsOperations(keys);
  const caller = rootCaller();
  return {
    catalog, keys, clock, gate, events, caller,
    kms: async <Output>(name: string, input: object, as: Caller = caller): Promise<Output> => {
      const operation = operations.get(name);
      if (operation === undefined) throw new Error(`no operation ${name}`);
      return (await operation.act(gate.authorize(as, [], input) as never, { notes: {} } as never)) as Output;
    },
  };
}

/** The refusal that a promise rejects with, as it goes over the wire: `Code` or `Code: message`. */
export async function refusalOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return error.publicMessage === undefined ? error.code : `${error.code}: ${error.publicMessage}`;
  }
  return 'no refusal';
}

/** The refusal of one member out of bounds; without `value` for members that are not echoed. */
export function violation(path: string, constraint: string, value?: string): string {
  const shown = value === undefined ? 'Value' : `Value '${value}'`;
  return `ValidationException: 1 validation error detected: ${shown} at '${path}' failed to satisfy constraint: Member must ${constraint}`;
}
