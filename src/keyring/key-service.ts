/**
 * The key service: data keys and small ciphertexts under KMS keys, in the name of a caller.
 * The KMS API and S3 both come here; neither can pass the gate, the state check or the record.
 * Administration of keys is key-administration.ts; the key pair and MAC operations are asymmetric-use.ts.
 *
 * Source: contract kms-iam-audit.md 1.3, 2.7 to 2.9, 2.17, 2.18.
 */
import { randomBytes } from 'node:crypto';
import type { Authorized, Caller, Gate } from '../audit/index.ts';
import { assert, equalSecrets, wipe, type Bytes, type Clock } from '../base/index.ts';
import type { Catalog } from '../catalog/index.ts';
import { encodeKmsBlob, kmsBlobMaterialId, openKmsBlob, SealError } from '../seal/index.ts';
import { KeyAccess, type EncryptionContext, type KeyRegion, type UseFacts } from './key-access.ts';
import { keyErrors } from './key-errors.ts';
import { checkEncryption, requireDataKeyUsage, requireUsage, type EncryptionOptions } from './key-usage.ts';
import { stateRefusal } from './key-states.ts';
import { runDueKeyWork, type DueKeyWork } from './key-work.ts';
import { KeyStore, type StoredKey } from './key-store.ts';
import { defaultLimits, type KeyLimits } from './limits.ts';
import { makeManagedKey } from './managed-keys.ts';
import { MaterialVault } from './material-vault.ts';
import type { RootOfTrust } from './root-of-trust.ts';
import { rsaDecrypt, rsaEncrypt } from './rsa-encryption.ts';

export interface KeyServiceOptions {
  catalog: Catalog;
  root: RootOfTrust;
  gate: Gate;
  clock: Clock;
  region: string;
  /** 12 digits. */
  account: string;
  /** For tests that need known bytes. */
  randomBytes?: (sizeBytes: number) => Buffer;
  limits?: Partial<KeyLimits>;
}

export interface DataKey {
  /** Owned by the caller, who wipes it. */
  plaintext: Buffer;
  blob: Buffer;
  keyArn: string;
  materialId: string;
}

export interface Opened {
  /** Owned by the caller, who wipes it. */
  plaintext: Buffer;
  keyArn: string;
  /** Absent for RSA keys. */
  materialId?: string;
}

export interface ReEncrypted {
  blob: Buffer;
  /** Of the destination. */
  keyArn: string;
  sourceKeyArn: string;
  /** Of the symmetric sides only. */
  sourceMaterialId?: string | undefined;
  destinationMaterialId?: string | undefined;
}

/** What the caller of `checkUse` saves itself by a cache of its own. */
export type KeyUseAction = 'kms:Encrypt' | 'kms:Decrypt' | 'kms:GenerateDataKey';

const noContext: EncryptionContext = {};
const symmetricAlgorithm = 'SYMMETRIC_DEFAULT';

export class KeyService {
  readonly store: KeyStore;
  readonly vault: MaterialVault;
  readonly access: KeyAccess;
  readonly home: KeyRegion;
  readonly limits: KeyLimits;
  readonly clock: Clock;
  readonly draw: (sizeBytes: number) => Buffer;

  /** The catalog must have been claimed for the root (`claimRoot`) before. */
  constructor(options: KeyServiceOptions) {
    this.limits = { ...defaultLimits, ...options.limits };
    this.clock = options.clock;
    this.home = { region: options.region, account: options.account };
    this.draw = options.randomBytes ?? randomBytes;
    this.store = new KeyStore(options.catalog);
    this.vault = new MaterialVault(options.catalog, options.root, options.clock, this.limits);
    this.access = new KeyAccess({
      store: this.store, gate: options.gate, clock: options.clock, home: this.home, makeManagedKey: (service) => this.managedKey(service),
    });
  }

  /**
   * A fresh data key and the blob that gives it back. The blob is opened once more and compared before it leaves.
   * `keyRef`: id, key ARN, alias name or alias ARN. Throws ServiceError with KMS codes, Denied.
   */
  async generateDataKey(
    caller: Caller, keyRef: string,
    options: { encryptionContext?: EncryptionContext | undefined; sizeBytes: number; withPlaintext?: boolean; dryRun?: boolean | undefined },
  ): Promise<DataKey> {
    const operation = options.withPlaintext === false ? 'GenerateDataKeyWithoutPlaintext' : 'GenerateDataKey';
    const { encryptionContext = noContext } = options;
    const facts: UseFacts = { encryptionContext: options.encryptionContext };
    return this.access.recorded(caller, operation, facts, async () => {
      const proof = await this.access.open(caller, keyRef, operation, facts);
      requireDataKeyUsage(proof.input, operation);
      if (options.dryRun) throw keyErrors.dryRun();
      const plaintext = this.draw(options.sizeBytes);
      const { blob, materialId } = await this.seal(proof, encryptionContext, plaintext, facts);
      if (options.withPlaintext === false) {
        wipe(plaintext);
        return { plaintext: Buffer.alloc(0), blob, keyArn: proof.input.arn, materialId };
      }
      return { plaintext, blob, keyArn: proof.input.arn, materialId };
    });
  }

  /** A blob of the caller's plaintext, or the raw OAEP ciphertext under an RSA key. Throws as `generateDataKey`. */
  async encrypt(
    caller: Caller, keyRef: string, plaintext: Bytes, options: EncryptionOptions & { dryRun?: boolean | undefined } = {},
  ): Promise<{ blob: Buffer; keyArn: string }> {
    const facts: UseFacts = { encryptionContext: options.encryptionContext };
    return this.access.recorded(caller, 'Encrypt', facts, async () => {
      const proof = await this.access.open(caller, keyRef, 'Encrypt', facts);
      checkEncryption(proof.input, 'Encrypt', options);
      const { blob } = await this.#sealAs(proof, options, plaintext, facts);
      if (options.dryRun) throw keyErrors.dryRun();
      return { blob, keyArn: proof.input.arn };
    });
  }

  /**
   * The plaintext of a blob. With `keyRef` it must be a blob of that very key; RSA ciphertexts need it.
   * `ignoreCiphertext`: a dry run without blob, which stops where the cryptography would begin.
   * Throws ServiceError: InvalidCiphertextException (no message) for whatever does not open, IncorrectKeyException,
   * and as `generateDataKey`.
   */
  async decrypt(
    caller: Caller, blob: Bytes,
    options: EncryptionOptions & { keyRef?: string | undefined; dryRun?: boolean | undefined; ignoreCiphertext?: boolean } = {},
  ): Promise<Opened> {
    const facts: UseFacts = { encryptionContext: options.encryptionContext };
    return this.access.recorded(caller, 'Decrypt', facts, async () => {
      if (options.ignoreCiphertext && options.keyRef !== undefined) {
        const { input: key } = await this.access.open(caller, options.keyRef, 'Decrypt', facts);
        checkEncryption(key, 'Decrypt', options);
        throw keyErrors.dryRun();
      }
      const proof = await this.#openSource(caller, blob, options, 'Decrypt', 'kms:Decrypt', facts);
      const opened = await this.#unsealAs(proof, options, blob, facts);
      if (options.dryRun) {
        wipe(opened.plaintext);
        throw keyErrors.dryRun();
      }
      return opened;
    });
  }

  /**
   * From under one key to under another, or the same one's current material, without showing the plaintext.
   * Needs kms:ReEncryptFrom and kms:ReEncryptTo. Recorded once for each key. Throws as `encrypt` and `decrypt`.
   */
  async reEncrypt(
    caller: Caller, blob: Bytes, source: EncryptionOptions & { keyRef?: string | undefined },
    destination: EncryptionOptions & { keyRef: string }, options: { dryRun?: boolean | undefined } = {},
  ): Promise<ReEncrypted> {
    const from: UseFacts = { encryptionContext: source.encryptionContext };
    const to: UseFacts = { encryptionContext: destination.encryptionContext };
    return this.access.recordedOnEach(caller, 'ReEncrypt', [from, to], async () => {
      const sourceProof = await this.#openSource(caller, blob, source, 'ReEncrypt', 'kms:ReEncryptFrom', from);
      const destinationProof = await this.access.open(caller, destination.keyRef, 'ReEncrypt', to, { action: 'kms:ReEncryptTo' });
      checkEncryption(destinationProof.input, 'ReEncrypt', destination);
      const opened = await this.#unsealAs(sourceProof, source, blob, from);
      try {
        const sealed = await this.#sealAs(destinationProof, destination, opened.plaintext, to);
        if (options.dryRun) throw keyErrors.dryRun();
        return {
          blob: sealed.blob, keyArn: destinationProof.input.arn, sourceKeyArn: opened.keyArn,
          sourceMaterialId: opened.materialId, destinationMaterialId: sealed.materialId,
        };
      } finally {
        wipe(opened.plaintext);
      }
    });
  }

  /** Authorization and state without cryptography, for callers whose own cache saves the unwrapping. Returns the key's ARN. */
  async checkUse(caller: Caller, keyRef: string, action: KeyUseAction, encryptionContext: EncryptionContext): Promise<string> {
    const operation = action.slice('kms:'.length) as 'Encrypt' | 'Decrypt' | 'GenerateDataKey';
    const facts: UseFacts = { encryptionContext };
    try {
      const proof = await this.access.open(caller, keyRef, operation, facts);
      if (operation === 'GenerateDataKey') requireDataKeyUsage(proof.input, operation);
      else checkEncryption(proof.input, operation, {});
      return proof.input.arn;
    } catch (error) {
      this.access.recordRefusal(caller, operation, facts, error);
      throw error;
    }
  }

  /** Random bytes, owned by the caller. Throws Denied. */
  generateRandom(caller: Caller, sizeBytes: number): Promise<Buffer> {
    return this.access.recorded(caller, 'GenerateRandom', {}, async () => {
      this.access.authorizeAccount(caller, 'kms:GenerateRandom');
      return this.draw(sizeBytes);
    });
  }

  /** For refusals that the key service itself has no part in, such as input out of bounds. */
  recordRefusal(caller: Caller, eventName: string, error: unknown): void {
    this.access.recordRefusal(caller, eventName, {}, error);
  }

  /** Rotations and deletions whose time has come. Idempotent; for one job of all processes at a time. */
  runDueKeyWork(): Promise<DueKeyWork> {
    return runDueKeyWork(this);
  }

  /** The ARN of the key that a reference means, whoever may use it. Throws ServiceError NotFoundException, AccessDeniedException. */
  async resolve(keyRef: string): Promise<string> {
    return (await this.access.resolve(keyRef, { action: 'kms:DescribeKey' })).arn;
  }

  /** The ARN of a service's managed key, which is made on first need, once for all processes. */
  async managedKey(service: string): Promise<string> {
    return makeManagedKey(this, service);
  }

  /** Wipes what is unwrapped. */
  close(): void {
    this.vault.close();
  }

  /**
   * The key of a ciphertext, opened to `caller`. An unknown blob tells the same as a broken one, once the
   * key that was named, if any, has been found, authorized and found usable.
   */
  async #openSource(
    caller: Caller, blob: Bytes, options: EncryptionOptions & { keyRef?: string | undefined },
    operation: 'Decrypt' | 'ReEncrypt', action: string, facts: UseFacts,
  ): Promise<Authorized<StoredKey>> {
    const { keyRef, algorithm = symmetricAlgorithm } = options;
    if (algorithm !== symmetricAlgorithm) {
      if (keyRef === undefined) throw keyErrors.validation('KeyId must not be null');
      const proof = await this.access.open(caller, keyRef, operation, facts, { action });
      checkEncryption(proof.input, operation, options);
      return proof;
    }
    const materialId = kmsBlobMaterialId(blob);
    const place = materialId === undefined ? undefined : await this.vault.placeOf(materialId);
    if (keyRef !== undefined) {
      const proof = await this.access.open(caller, keyRef, operation, facts, { action });
      if (place !== undefined && place.keyId !== proof.input.keyId) throw keyErrors.incorrectKey();
      requireUsage(proof.input, 'ENCRYPT_DECRYPT', operation);
      if (place === undefined || proof.input.spec !== 'SYMMETRIC_DEFAULT') throw keyErrors.invalidCiphertext();
      return proof;
    }
    const key = place && place.region === this.home.region && place.account === this.home.account ? await this.store.read(place) : undefined;
    // Material of other kinds of keys is not for blobs, whatever somebody writes into the place of the material's id.
    if (key === undefined || key.spec !== 'SYMMETRIC_DEFAULT') throw keyErrors.invalidCiphertext();
    facts.keyArn = key.arn;
    const proof = this.access.authorize(caller, key, action);
    const refusal = stateRefusal(operation, key);
    if (refusal) throw refusal;
    return proof;
  }

  /** By what the key is: a blob of ours, or a raw OAEP ciphertext. `checkEncryption` has passed. */
  async #sealAs(proof: Authorized<StoredKey>, options: EncryptionOptions, plaintext: Bytes, facts: UseFacts): Promise<{ blob: Buffer; materialId?: string }> {
    const { algorithm = symmetricAlgorithm, encryptionContext = noContext } = options;
    if (algorithm === symmetricAlgorithm) return this.seal(proof, encryptionContext, plaintext, facts);
    return { blob: rsaEncrypt(proof.input, algorithm, plaintext) };
  }

  async #unsealAs(proof: Authorized<StoredKey>, options: EncryptionOptions, blob: Bytes, facts: UseFacts): Promise<Opened> {
    const { algorithm = symmetricAlgorithm, encryptionContext = noContext } = options;
    if (algorithm === symmetricAlgorithm) return this.unseal(proof, encryptionContext, blob, facts);
    const plaintext = await this.vault.use(proof, currentMaterialId(proof.input), (privateKey) => rsaDecrypt(privateKey, algorithm, blob));
    if (plaintext === undefined) throw keyErrors.keyNotFound(proof.input.arn);
    return { plaintext, keyArn: proof.input.arn };
  }

  /** Seals under the key's current material, and makes sure that it opens. */
  async seal(proof: Authorized<StoredKey>, encryptionContext: EncryptionContext, plaintext: Bytes, facts: UseFacts): Promise<{ blob: Buffer; materialId: string }> {
    const key = proof.input;
    const materialId = currentMaterialId(key);
    facts.keyMaterialId = materialId;
    const place = { keyArn: key.arn, encryptionContext };
    const blob = await this.vault.use(proof, materialId, (material) => {
      const sealed = encodeKmsBlob(materialId, material, place, plaintext);
      const opened = openKmsBlob(sealed, material, place);
      const same = equalSecrets(opened, plaintext);
      wipe(opened);
      assert(same, 'a blob opens to what was sealed');
      return sealed;
    });
    // The key was deleted since its record was read.
    if (blob === undefined) throw keyErrors.keyNotFound(key.arn);
    return { blob, materialId };
  }

  async unseal(proof: Authorized<StoredKey>, encryptionContext: EncryptionContext, blob: Bytes, facts: UseFacts): Promise<Opened> {
    const key = proof.input;
    const materialId = kmsBlobMaterialId(blob);
    if (materialId === undefined) throw keyErrors.invalidCiphertext();
    facts.keyMaterialId = materialId;
    let plaintext: Buffer | undefined;
    try {
      plaintext = await this.vault.use(proof, materialId, (material) => openKmsBlob(blob, material, { keyArn: key.arn, encryptionContext }));
    } catch (error) {
      if (error instanceof SealError) throw keyErrors.invalidCiphertext();
      throw error;
    }
    if (plaintext === undefined) throw keyErrors.invalidCiphertext();
    return { plaintext, keyArn: key.arn, materialId };
  }
}

export function currentMaterialId(key: StoredKey): string {
  const current = key.materials.at(-1);
  assert(current !== undefined, 'a key has material');
  return current.id;
}
