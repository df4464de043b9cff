/** Keys that come from elsewhere, in memory: what their owner does at home, and the import by all participants. */

import { type KeyType, keyTypes } from '../../src/base/keyTypes.ts';
import { groupOf } from '../../src/crypto/groups/index.ts';
import { type HandedIn, importShare } from '../../src/mpc/importShare.ts';
import { evaluate, randomPolynomial } from '../../src/mpc/shamir.ts';
import { type Cluster, clusterOf, of, type RunOptions } from './memoryParty.ts';

export interface Dealt {
  readonly secret: bigint;
  /** By number, from 1. */
  readonly shares: readonly bigint[];
  readonly publicShares: readonly Uint8Array[];
}

/** What the owner of a key does at home. */
export function dealt(keyType: KeyType, { size, minSigners }: { size: number; minSigners: number }): Dealt {
  const group = groupOf(keyTypes[keyType].curve);
  const f = randomPolynomial({ group, degree: minSigners - 1 });
  const shares = Array.from({ length: size }, (_, at) => evaluate(f, at + 1, group.order));
  const publicShares = shares.map((share) => group.encodePoint(group.multiplyBase(share)));
  return { secret: evaluate(f, 0, group.order), shares, publicShares };
}

/** Participants are numbered the other way round by the owner. */
const reversed = (size: number) => new Map(Array.from({ length: size }, (_, at) => [at + 1, size - at] as const));

export function handedTo(keyType: KeyType, { shares, publicShares }: Dealt, number: number): HandedIn {
  const group = groupOf(keyTypes[keyType].curve);
  return { secret: group.encodeScalar(shares[number - 1] ?? 0n), publicShares };
}

export interface Importing {
  readonly keyType: KeyType;
  readonly size: number;
  readonly threshold: number;
  readonly minSigners: number;
  readonly owner: Dealt;
  readonly handIn?: (number: number) => HandedIn;
  /** A new one by default. */
  readonly cluster?: Cluster;
}

export function importing(
  { keyType, size, threshold, minSigners, owner, handIn, cluster = clusterOf(size) }: Importing,
  options: RunOptions = {},
) {
  const numbers = reversed(size);
  const settled = cluster.settle((party) => {
    const number = of(numbers, party.index);
    return importShare(party, {
      keyType,
      threshold,
      minSigners,
      numbers,
      handedIn: (handIn ?? ((i) => handedTo(keyType, owner, i)))(number),
    });
  }, options);
  return { cluster, settled };
}
