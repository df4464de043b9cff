/**
 * Which arithmetic a curve has: native where the prebuilt library loads, else noble's.
 * @module
 */

import type { Curve } from '../../base/keyTypes.ts';
import { ed25519Native } from './ed25519Native.ts';
import type { Group } from './group.ts';
import { nobleGroups } from './noble.ts';
import { secp256k1Native } from './secp256k1Native.ts';

const preferred: Readonly<Record<Curve, Group>> = {
  secp256k1: secp256k1Native ?? nobleGroups.secp256k1,
  ed25519: ed25519Native ?? nobleGroups.ed25519,
  stark: nobleGroups.stark,
};

/** The same group at every call: points of two implementations never mix. */
export function groupOf(curve: Curve): Group {
  return preferred[curve];
}

/** All that this machine has. They agree in every result, which the tests hold them to. */
export function implementationsOf(curve: Curve): readonly Group[] {
  return [...new Set([preferred[curve], nobleGroups[curve]])];
}
