/**
 * XXH3 with 128 bits, incremental. The native package hashes 128 bits in one call only, so this is
 * the WebAssembly of hash-wasm: one instance for all checksums of the process, whose state moves out
 * and in when another checksum takes its turn.
 */
import { createXXHash128 } from 'hash-wasm';

const hasher = await createXXHash128();
hasher.init();
const initialState = hasher.save();
let owner: Xxh128 | undefined;

export class Xxh128 {
  #state = initialState;

  update(bytes: Uint8Array): void {
    Xxh128.#take(this);
    hasher.update(bytes);
  }

  digest(): Buffer {
    Xxh128.#take(this);
    owner = undefined;
    return Buffer.from(hasher.digest('binary'));
  }

  static #take(next: Xxh128): void {
    if (owner === next) return;
    if (owner !== undefined) owner.#state = hasher.save();
    hasher.load(next.#state);
    owner = next;
  }
}
