/** Unwrapped key material: who gets it, how long it stays, and that it is wiped. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Gate, noAuditLog, type Authorized } from '../audit/index.ts';
import { MovableClock } from '../base/index.ts';
import { openMemoryCatalog, type Catalog } from '../catalog/index.ts';
import { rootCaller } from '../../test/kit/keys.ts';
import { KeyStore, type StoredKey } from './key-store.ts';
import { defaultLimits } from './limits.ts';
import { MaterialVault } from './material-vault.ts';
import { newKey } from './new-key.ts';
import { catalogKeys, type KeyRecord } from './records.ts';
import { rootOfTrustFromKey, type RootOfTrust } from './root-of-trust.ts';

const home = { region: 'us-east-1', account: '111122223333' };
const minuteMs = 60_000;

/** A root whose unwraps are counted, and which can be out of reach. */
class CountedRoot implements RootOfTrust {
  readonly #root = rootOfTrustFromKey(Buffer.alloc(32, 9));
  readonly fingerprint = this.#root.fingerprint;
  unwraps = 0;
  reachable = true;

  wrap(context: Uint8Array, plaintext: Uint8Array): Promise<Buffer> {
    return this.#root.wrap(context, plaintext);
  }

  unwrap(context: Uint8Array, wrapped: Uint8Array): Promise<Buffer> {
    this.unwraps++;
    return this.reachable ? this.#root.unwrap(context, wrapped) : Promise.reject(new Error('connection refused'));
  }
}

interface Setup { catalog: Catalog; root: CountedRoot; clock: MovableClock; vault: MaterialVault; newProof(): Promise<{ proof: Authorized<StoredKey>; materialId: string }> }

function setUp(materialsMax = 10): Setup {
  const [catalog, root, clock] = [openMemoryCatalog(), new CountedRoot(), new MovableClock()];
  const vault = new MaterialVault(catalog, root, clock, { ...defaultLimits, materialsMax });
  const store = new KeyStore(catalog);
  const gate = new Gate(noAuditLog);
  return {
    catalog, root, clock, vault,
    newProof: async () => {
      const { record, materials } = await newKey({ home, vault, clock, draw: (size) => Buffer.from(crypto.getRandomValues(new Uint8Array(size))) }, {
        spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT', description: '', tags: [], manager: 'CUSTOMER',
      });
      await store.create(record, materials, 100);
      root.unwraps = 0;
      return { proof: gate.authorize(rootCaller(), [], record), materialId: record.materials[0]!.id };
    },
  };
}

describe('unwrapped material', () => {
  test('is unwrapped once for all who ask, and again after five minutes', async () => {
    const { root, clock, vault, newProof } = setUp();
    const { proof, materialId } = await newProof();
    const use = () => vault.use(proof, materialId, (secret) => secret.toString('hex'));
    const all = await Promise.all(Array.from({ length: 10 }, use));
    assert.deepEqual([new Set(all).size, root.unwraps], [1, 1]);
    clock.advanceMs(4 * minuteMs);
    await use();
    assert.equal(root.unwraps, 1);
    clock.advanceMs(minuteMs);
    assert.equal(await use(), all[0]);
    assert.equal(root.unwraps, 2);
    clock.advanceMs(-minuteMs);
    await use();
    assert.equal(root.unwraps, 3, 'a clock that was set back does not make it live longer');
  });

  test('is wiped when it leaves: by age, for want of room, at the end', async () => {
    const { clock, vault, newProof } = setUp(1);
    const { proof, materialId } = await newProof();
    const lend = async () => (await vault.use(proof, materialId, (secret) => secret))!;
    const isWiped = (secret: Buffer): boolean => secret.every((byte) => byte === 0);
    const byAge = await lend();
    assert.equal(isWiped(byAge), false);
    clock.advanceMs(6 * minuteMs);
    await vault.sweep();
    assert.equal(isWiped(byAge), true);
    const byRoom = await lend();
    const other = await newProof();
    await vault.use(other.proof, other.materialId, () => undefined);
    assert.equal(isWiped(byRoom), true);
    const atTheEnd = await lend();
    vault.close();
    assert.equal(isWiped(atTheEnd), true);
    await assert.rejects(lend());
  });

  test('is wiped soon after another process destroyed the key, though nobody uses it', async () => {
    const { catalog, vault, newProof } = setUp();
    const { proof, materialId } = await newProof();
    const secret = (await vault.use(proof, materialId, (lent) => lent))!;
    await vault.sweep();
    assert.ok(secret.some((byte) => byte !== 0));
    await catalog.commit({ deletes: [catalogKeys.material(materialId)] });
    await vault.sweep();
    assert.ok(secret.every((byte) => byte === 0));
    assert.equal(await vault.use(proof, materialId, () => 1), undefined);
  });

  test('is lent only to who has the proof for its very key', async () => {
    const { vault, newProof } = setUp();
    const [mine, theirs] = [await newProof(), await newProof()];
    assert.equal(await vault.use(mine.proof, theirs.materialId, () => 1), undefined);
    await vault.use(theirs.proof, theirs.materialId, () => 1);
    assert.equal(await vault.use(mine.proof, theirs.materialId, () => 1), undefined, 'nor when it is unwrapped already');
    // A record that was made to list another key's material does not help.
    const forged: KeyRecord = { ...mine.proof.input, materials: theirs.proof.input.materials };
    const proof = new Gate(noAuditLog).authorize(rootCaller(), [], forged);
    await assert.rejects(vault.use(proof, theirs.materialId, () => 1), /broken invariant/);
  });

  test('comes back when the root of trust does, and damage is told apart from absence', async () => {
    const { catalog, root, vault, newProof } = setUp();
    const { proof, materialId } = await newProof();
    root.reachable = false;
    await assert.rejects(vault.use(proof, materialId, () => 1), { name: 'ServiceError', code: 'KeyUnavailableException', status: 500 });
    root.reachable = true;
    assert.equal(await vault.use(proof, materialId, () => 1), 1);
    vault.forget(materialId);
    const key = catalogKeys.material(materialId);
    const record = JSON.parse((await catalog.get(key))!.toString()) as { wrapped: string };
    const wrapped = Buffer.from(record.wrapped, 'base64');
    wrapped[60]! ^= 1;
    await catalog.commit({ puts: [{ key, value: Buffer.from(JSON.stringify({ ...record, wrapped: wrapped.toString('base64') })) }] });
    await assert.rejects(vault.use(proof, materialId, () => 1), { name: 'KeyringError', code: 'damaged' });
  });

  test('has an id that is the same for the same bytes in one key, and says nothing of them elsewhere', async () => {
    const [here, elsewhere] = [setUp(), setUp()];
    const secret = Buffer.alloc(32, 1);
    const place = { ...home, keyId: '12345678-1234-4234-8234-123456789012' };
    const { id } = await here.vault.wrap(place, secret);
    assert.match(id, /^[0-9a-f]{64}$/);
    assert.equal((await here.vault.wrap(place, secret)).id, id);
    assert.equal((await new MaterialVault(here.catalog, here.root, here.clock, defaultLimits).wrap(place, secret)).id, id);
    assert.notEqual((await here.vault.wrap({ ...place, keyId: place.keyId.replace('1', '2') }, secret)).id, id);
    assert.notEqual((await here.vault.wrap(place, Buffer.alloc(32, 2))).id, id);
    // Two processes make the secret behind the ids at the same time: both end up with one.
    const { catalog, root, clock } = setUp();
    const firstDone = Promise.withResolvers<void>();
    const slowRoot: RootOfTrust = { fingerprint: root.fingerprint, wrap: (context: Uint8Array, plaintext: Uint8Array) => firstDone.promise.then(() => root.wrap(context, plaintext)), unwrap: root.unwrap.bind(root) };
    const late = new MaterialVault(catalog, slowRoot, clock, defaultLimits).wrap(place, secret);
    const early = await new MaterialVault(catalog, root, clock, defaultLimits).wrap(place, secret);
    firstDone.resolve();
    assert.equal((await late).id, early.id);
    assert.notEqual((await elsewhere.vault.wrap(place, secret)).id, id);
  });
});
