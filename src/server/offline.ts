/**
 * The rooms over a data directory without a server: for tools that inspect, verify, rotate and decrypt.
 * Safe beside a running server: LMDB is shared between processes, and blobs are immutable.
 */
import { existsSync } from 'node:fs';
import { Gate, noAuditLog, type Caller } from '../audit/index.ts';
import { accountRootArn, systemClock } from '../base/index.ts';
import { ConfigError, type Config } from './config.ts';
import { noMeter } from '../objects/index.ts';
import { catalogPath, openRooms, type Rooms } from './rooms.ts';

export interface OfflineRooms extends Rooms {
  /** Whoever holds the root of trust may do everything. */
  readonly operator: Caller;
}

/** Throws ConfigError when there is no data, KeyringError when root and data do not belong together. */
export async function openOffline(config: Config): Promise<OfflineRooms> {
  const { account } = config;
  if (!existsSync(catalogPath(config))) throw new ConfigError('unreadable', `There is no data in ${config.data}. Name the data directory with --data.`);
  const rooms = await openRooms(config, { gate: new Gate(noAuditLog), clock: systemClock, meter: noMeter });
  return {
    ...rooms,
    operator: {
      principal: { kind: 'root', account, arn: accountRootArn(account), accessKeyId: 'offline' },
      requestId: 'offline', sourceIp: 'offline', secure: true, signed: true, facts: {},
    },
  };
}
