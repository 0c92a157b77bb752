/**
 * Which root of trust the data belongs to: never a second root over existing data.
 */
import { assert, equalSecrets } from '../base/index.ts';
import type { Catalog } from '../catalog/index.ts';
import { KeyringError } from './keyring-error.ts';
import { catalogKeys, decodeRecord, encodeRecord, recordVersion, type RootRecord } from './records.ts';
import type { RootOfTrust } from './root-of-trust.ts';

const proofContext = Buffer.from('coffer root of trust: proof');
const proofText = Buffer.from('this data belongs to this root of trust');

/**
 * Ties an empty catalog to `root`, or makes sure that the catalog is tied to it already.
 * To be called once at start, before anything is wrapped or unwrapped; safe in several processes at once.
 * Throws KeyringError `foreign-root` (its message names both fingerprints), `newer-format`, `damaged`.
 */
export async function claimRoot(catalog: Catalog, root: RootOfTrust): Promise<void> {
  let value = await catalog.get(catalogKeys.root);
  if (value === undefined) {
    const proof = await root.wrap(proofContext, proofText);
    const record: RootRecord = { version: recordVersion, fingerprint: root.fingerprint, proof: proof.toString('base64') };
    const claimed = await catalog.commit({
      checks: [{ kind: 'value', key: catalogKeys.root, value: undefined }],
      puts: [{ key: catalogKeys.root, value: encodeRecord(record) }],
    });
    // Read back in either case: another process may have been first, and what was written must open.
    value = await catalog.get(catalogKeys.root);
    assert(value !== undefined, claimed ? 'a committed record is there' : 'the record that failed the check is there');
  }
  const record = decodeRecord<RootRecord>(value, 'the mark of the root of trust');
  if (record.fingerprint !== root.fingerprint) {
    throw new KeyringError(
      'foreign-root',
      `this data belongs to the root of trust ${record.fingerprint}, but the configured one is ${root.fingerprint}; nothing was changed`,
    );
  }
  const proven = await root.unwrap(proofContext, Buffer.from(record.proof, 'base64')).catch(() => undefined);
  if (proven === undefined || !equalSecrets(proven, proofText)) {
    throw new KeyringError(
      'foreign-root',
      `the configured root of trust ${root.fingerprint} does not open this data, although the data names ${record.fingerprint}; nothing was changed`,
    );
  }
}
