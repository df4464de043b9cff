/**
 * The native libraries, where this machine has a prebuilt one: libsecp256k1 and libsodium. Elsewhere undefined, and noble does the work.
 *
 * A native call reads and writes memory outside JavaScript's heap: a small array of the heap is moved there first, for longer than many of
 * the calls take. So their users keep memory of their own for what goes in and comes out, allocated once, secrets in it overwritten.
 * @module
 */

import { createRequire } from 'node:module';
import { dirname } from 'node:path';

/**
 * The addon of npm `secp256k1`, below the package's own JavaScript, which costs as much as the cheaper functions do. What may be asked
 * for is memory; what is answered is 0, or a number that says what was not as it should be.
 *
 * The addon takes what it is given for what it should be, in length too: points of 33 or 65 bytes, signatures of 64, all else of 32.
 */
export interface Libsecp256k1 {
  contextRandomize(seed: Uint8Array): number;
  /** secret · base. 1: not in [1, order). */
  publicKeyCreate(output: Uint8Array, secret: Uint8Array): number;
  /** From one form to the other, as the lengths say. 1: not a point. */
  publicKeyConvert(output: Uint8Array, point: Uint8Array): number;
  publicKeyNegate(output: Uint8Array, point: Uint8Array): number;
  /** 2: the sum is the identity. */
  publicKeyCombine(output: Uint8Array, points: readonly Uint8Array[]): number;
  /** point + tweak · base, in variable time. 2: the sum is the identity. */
  publicKeyTweakAdd(output: Uint8Array, point: Uint8Array, tweak: Uint8Array): number;
  /** tweak · point, in variable time. 1: not a point. 2: the tweak is zero. */
  publicKeyTweakMul(output: Uint8Array, point: Uint8Array, tweak: Uint8Array): number;
  /** 3: the signature is not good, or its s is high. */
  ecdsaVerify(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): number;
  ecdsaRecover(output: Uint8Array, signature: Uint8Array, recoveryId: number, digest: Uint8Array): number;
  /** secret · point goes through `hash`, which writes `output` and returns it. */
  ecdh(
    output: Uint8Array,
    point: Uint8Array,
    secret: Uint8Array,
    data: undefined,
    hash: (x: Uint8Array, y: Uint8Array) => Uint8Array,
    x: Uint8Array,
    y: Uint8Array,
  ): number;
}

const require = createRequire(import.meta.url);

export const libsecp256k1 = found(loadSecp256k1);

export const libsodium = found(() => require('sodium-native') as typeof import('sodium-native'));

/** As the package's `bindings.js` does it. @throws {Error} where there is none */
function loadSecp256k1(): Libsecp256k1 {
  const bindings = require.resolve('secp256k1/bindings.js');
  const { Secp256k1 } = createRequire(bindings)('node-gyp-build')(dirname(bindings)) as { Secp256k1: new () => Libsecp256k1 };
  const library = new Secp256k1();
  const isBlinded = library.contextRandomize(crypto.getRandomValues(Buffer.alloc(32))) === 0;
  if (!isBlinded) throw new Error('libsecp256k1 does not blind the multiplications of the base point');
  return library;
}

function found<Library>(load: () => Library): Library | undefined {
  try {
    return load();
  } catch {
    return undefined; // no prebuilt library for this machine
  }
}
