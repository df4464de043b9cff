/**
 * A secret that serves once: nonces and presignatures, of which a second use gives away the key.
 * @module
 */

import { concat } from '../base/bytes.ts';
import { Abort } from '../base/errors.ts';

export class OneUse {
  readonly #name: string;
  #secret: Uint8Array | undefined;

  /** @param secret is kept, not copied: the caller must not hold on to it */
  constructor(name: string, secret: Uint8Array) {
    this.#name = name;
    this.#secret = secret;
  }

  /**
   * Uses the secret up: it is gone when `use` begins, and overwritten when `use` ends, however it ends.
   * @throws {Abort} without culprit if it was used or wiped before
   */
  spend<T>(use: (secret: Uint8Array) => T): T {
    const secret = this.#secret;
    this.#secret = undefined;
    if (secret === undefined) throw new Abort([], `${this.#name}: used before`);
    try {
      return use(secret);
    } finally {
      secret.fill(0);
    }
  }

  /** Overwrites an unused secret. */
  wipe(): void {
    this.#secret?.fill(0);
    this.#secret = undefined;
  }
}

/** Two secrets as one; the two are overwritten. */
export function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = concat(a, b);
  a.fill(0);
  b.fill(0);
  return out;
}
