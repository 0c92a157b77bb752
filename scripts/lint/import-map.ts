/**
 * Which room of src/ may know which: the map of docs/ARCHITECTURE.md as data, and one function that judges
 * an import by it. The lint rule `coffer/import-map` (plugin.mjs) asks it about every import.
 *
 *   doors      cli
 *   assembly   server
 *   services   services/s3  services/glacier  services/kms  services/iam
 *   objects    objects      -> keyring, seal, checksum, blobs, catalog
 *   keys       keyring      -> audit, policy, catalog, seal
 *   gate       audit        -> policy, catalog
 *   stores     catalog      blobs
 *   pure       wire         signature         policy        seal        checksum
 *   floor      base
 */
import { dirname, normalize } from 'node:path/posix';

const pure = ['wire', 'signature', 'policy', 'seal', 'checksum'];
const stores = ['catalog', 'blobs'];
const belowServices = ['base', 'policy', 'seal', 'checksum', ...stores, 'audit', 'keyring', 'objects'];
const belowServer = [...belowServices, 'wire', 'signature', 'services', 'services/s3', 'services/glacier', 'services/kms', 'services/iam'];
const service: Neighbours = { rooms: [...belowServices, 'services'], roomsForTypes: ['wire', 'signature'] };

interface Neighbours {
  readonly rooms: readonly string[];
  readonly roomsForTypes?: readonly string[];
}

/** `rooms` for values and types, `roomsForTypes` for types alone. Every room may import itself. */
const roomMap: Readonly<Record<string, Neighbours>> = {
  base: { rooms: [] },
  ...Object.fromEntries(pure.map((room) => [room, { rooms: ['base'] }])),
  ...Object.fromEntries(stores.map((room) => [room, { rooms: ['base'] }])),
  audit: { rooms: ['base', 'policy', 'catalog'] },
  keyring: { rooms: ['base', 'audit', 'policy', 'catalog', 'seal'] },
  objects: { rooms: ['base', 'audit', 'keyring', 'seal', 'checksum', 'blobs', 'catalog'] },
  // What all services share (services/*.ts) knows none of them.
  services: { rooms: belowServices, roomsForTypes: ['wire', 'signature'] },
  'services/s3': service,
  'services/glacier': service,
  'services/kms': service,
  'services/iam': service,
  server: { rooms: belowServer },
  cli: { rooms: [...belowServer, 'server'] },
  console: { rooms: [] },
};

const awsCallers = ['src/blobs/s3/', 'src/keyring/roots/', 'src/cli/'];

/** Packages and Node modules that only these places may run. Their types are free for all. */
const packageMap: readonly [pattern: RegExp, places: readonly string[]][] = [
  [/^(lmdb|msgpackr)$/, ['src/catalog/lmdb/']],
  [/^(pg|postgres)$/, ['src/catalog/postgres/']],
  [/^@aws-sdk\/(?!client-)|^@smithy\//, ['src/wire/', ...awsCallers]],
  [/^saxes$/, ['src/wire/']],
  [/^(pino|prom-client)$/, ['src/server/']],
  [/^@fastify\/busboy$/, ['src/server/', 'src/wire/']],
  [/^(@node-rs\/|hash-wasm)/, ['src/checksum/']],
  [/^node:(http|https|http2|net|tls|cluster)$/, ['src/server/', 'src/cli/', 'src/keyring/roots/', 'src/blobs/s3/']],
];

/** Others take the shapes and value lists of these packages, and never speak to AWS. */
const awsClient = { package: /^@aws-sdk\/client-/, names: /Client$|Command$|^paginate|^waitUntil|^(S3|KMS|IAM|STS|Glacier|CloudTrail)$/ };

/** Rooms that know bytes and nothing of files, sockets or processes. */
const pureModules = /^node:(crypto|buffer|util|zlib|events|stream|querystring|url|assert|string_decoder)(\/|$)/;

export interface Import {
  /** The importing file, relative to the project. */
  from: string;
  /** As written: a relative path, a package, `node:...`. */
  specifier: string;
  /** The imported names that are values. */
  names: readonly string[];
  typeOnly: boolean;
}

/** Judges one import: the sentence that refuses it, or undefined. */
export function refuseImport({ from, specifier, names, typeOnly }: Import): string | undefined {
  const isTest = /(\.test|\/testing)\.ts$/.test(from) || from.startsWith('test/');
  const isLocal = specifier.startsWith('.');
  if (!isLocal) return isTest || typeOnly ? undefined : refusePackage(from, specifier, names);

  const to = normalize(`${dirname(from)}/${specifier}`);
  if (from.startsWith('test/acceptance/')) {
    return to.startsWith('src/') ? 'acceptance tests speak to any S3 server, so they import nothing from src' : undefined;
  }
  if (!from.startsWith('src/')) return undefined;
  if (to.startsWith('test/') || to.endsWith('/testing.ts')) return isTest ? undefined : 'only tests import what is made for tests';

  const [here, there] = [roomOf(from), roomOf(to)];
  const map = roomMap[here];
  if (map === undefined) return `src/${here} is no room of the import map (scripts/lint/import-map.ts)`;
  if (here !== there) {
    const known = map.rooms.includes(there) || (typeOnly && map.roomsForTypes?.includes(there));
    if (!known) {
      const onlyTypes = map.roomsForTypes?.includes(there) ? ' more than types' : '';
      return `${here} must not import${onlyTypes} from ${there}: imports point down (scripts/lint/import-map.ts)`;
    }
  }
  if (here !== there && !isTest && !['server', 'cli'].includes(here)) {
    const opener = names.find((name) => /^(open|create)\w*(Catalog|BlobStore)$/.test(name));
    if (opener !== undefined) return `only server constructs: hand in what ${opener} opens`;
  }
  return undefined;
}

function refusePackage(from: string, specifier: string, names: readonly string[]): string | undefined {
  if (!from.startsWith('src/')) return undefined;
  for (const [pattern, places] of packageMap) {
    if (pattern.test(specifier) && !places.some((place) => from.startsWith(place))) return `only ${places.join(', ')} may run ${specifier}`;
  }
  if (awsClient.package.test(specifier) && !awsCallers.some((place) => from.startsWith(place))) {
    const caller = names.find((name) => awsClient.names.test(name));
    if (caller !== undefined) return `only ${awsCallers.join(', ')} may call AWS: ${caller}`;
  }
  const room = roomOf(from);
  if (pure.includes(room) && specifier.startsWith('node:') && !pureModules.test(specifier)) return `${room} is pure: no ${specifier}`;
  if (room === 'seal' && !specifier.startsWith('node:')) return 'seal builds on node:crypto alone';
  return undefined;
}

/** `src/services/s3/PutObject.ts` lies in `services/s3`, `src/services/operation.ts` in `services`. */
function roomOf(path: string): string {
  const [, room = '', inner, file] = path.split('/');
  return room === 'services' && file !== undefined ? `services/${inner}` : room;
}
