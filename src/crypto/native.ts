/**
 * The native libraries, where this machine has a prebuilt one: libsecp256k1 and libsodium. Elsewhere undefined, and noble does the work.
 * @module
 */

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** `bindings.js` is the native part alone: the package's own entry would fall back to another JavaScript implementation in silence. */
export const libsecp256k1 = load<typeof import('secp256k1')>('secp256k1/bindings.js');
libsecp256k1?.contextRandomize(crypto.getRandomValues(new Uint8Array(32))); // blinds the multiplications of the base point

export const libsodium = load<typeof import('sodium-native')>('sodium-native');

function load<Library>(name: string): Library | undefined {
  try {
    return require(name) as Library;
  } catch {
    return undefined; // no prebuilt library for this machine
  }
}
