/** Keys of Coffer itself: versions, rotation, what other processes see of it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MovableClock } from '../base/index.ts';
import { openMemoryCatalog, type Catalog } from '../catalog/index.ts';
import { catalogKeys } from './records.ts';
import { rootOfTrustFromKey } from './root-of-trust.ts';
import { MetadataKey, ServiceMaster } from './service-master.ts';

const root = rootOfTrustFromKey(Buffer.alloc(32, 3));
const dayMs = 24 * 60 * 60_000;

/** Counts reads: the hot path must do without them. */
function counted(catalog: Catalog): { catalog: Catalog; reads: () => number } {
  let reads = 0;
  const get: Catalog['get'] = (key) => {
    reads++;
    return catalog.get(key);
  };
  return { catalog: { get, range: (options) => catalog.range(options), commit: (commit) => catalog.commit(commit), close: () => catalog.close() }, reads: () => reads };
}

describe('a service key', () => {
  test('is made once by all who open it, and is another one for each name and catalog', async () => {
    const catalog = openMemoryCatalog();
    const clock = new MovableClock();
    const masters = await Promise.all(Array.from({ length: 5 }, () => ServiceMaster.open(catalog, root, clock)));
    const versions = await Promise.all(masters.map((master) => master.current()));
    assert.equal(new Set(versions.map(({ keyVersionId }) => keyVersionId)).size, 1);
    assert.equal(new Set(versions.map(({ key }) => key.toString('hex'))).size, 1);
    assert.equal(versions[0]!.key.byteLength, 32);
    const others = [await MetadataKey.open(catalog, root, clock), await ServiceMaster.open(openMemoryCatalog(), root, clock)];
    for (const other of others) assert.notDeepEqual((await other.current()).key, versions[0]!.key);
  });

  test('costs no catalog read while it is cached', async () => {
    const { catalog, reads } = counted(openMemoryCatalog());
    const clock = new MovableClock();
    const master = await ServiceMaster.open(catalog, root, clock);
    const { keyVersionId } = await master.current();
    const before = reads();
    await Promise.all(Array.from({ length: 10 }, async () => [await master.current(), await master.byId(keyVersionId)]));
    assert.equal(reads(), before);
    clock.advanceMs(11_000);
    await Promise.all(Array.from({ length: 10 }, () => master.current()));
    assert.equal(reads(), before + 1, 'one look at who is current, for all who ask');
  });

  test('rotates, keeps opening with old versions, and other processes follow within seconds', async () => {
    const catalog = openMemoryCatalog();
    const clock = new MovableClock();
    const [here, there] = [await ServiceMaster.open(catalog, root, clock), await ServiceMaster.open(catalog, root, clock)];
    const first = await here.current();
    const second = await here.rotate();
    assert.notEqual(second, first.keyVersionId);
    assert.equal((await here.current()).keyVersionId, second);
    assert.deepEqual(await here.byId(first.keyVersionId), first.key);
    // The other process still seals with the old version for a moment, and opens the new one at once.
    assert.equal((await there.current()).keyVersionId, first.keyVersionId);
    assert.deepEqual(await there.byId(second), (await here.current()).key);
    clock.advanceMs(10_000);
    assert.equal((await there.current()).keyVersionId, second);
    const later = await ServiceMaster.open(catalog, root, clock);
    assert.deepEqual(await later.byId(first.keyVersionId), first.key);
  });

  test('rotates when it is due, once for all', async () => {
    const catalog = openMemoryCatalog();
    const clock = new MovableClock();
    const masters = [await ServiceMaster.open(catalog, root, clock), await ServiceMaster.open(catalog, root, clock)];
    clock.advanceMs(89 * dayMs);
    assert.deepEqual(await Promise.all(masters.map((master) => master.rotateIfDue())), [false, false]);
    clock.advanceMs(2 * dayMs);
    const rotated = await Promise.all(masters.map((master) => master.rotateIfDue()));
    assert.equal(rotated.filter(Boolean).length, 1);
    assert.deepEqual(await Promise.all(masters.map((master) => master.rotateIfDue())), [false, false]);
  });

  test('refuses versions it never had, and versions that were changed, exchanged or wrapped under another root', async () => {
    const catalog = openMemoryCatalog();
    const clock = new MovableClock();
    const master = await ServiceMaster.open(catalog, root, clock);
    const first = (await master.current()).keyVersionId;
    const second = await master.rotate();
    await assert.rejects(master.byId('00'.repeat(16)), { code: 'damaged' });
    const value = (await catalog.get(catalogKeys.serviceVersion('sse-s3', first)))!;
    await catalog.commit({ puts: [{ key: catalogKeys.serviceVersion('sse-s3', second), value }] });
    await assert.rejects(ServiceMaster.open(catalog, root, clock), { code: 'damaged' });
    await catalog.commit({ puts: [{ key: catalogKeys.serviceVersion('metadata', first), value }] });
    await assert.rejects((await MetadataKey.open(catalog, root, clock)).byId(first), { code: 'damaged' });
    const foreign = rootOfTrustFromKey(Buffer.alloc(32, 4));
    await assert.rejects(ServiceMaster.open(catalog, foreign, clock), { code: 'damaged' });
  });
});
