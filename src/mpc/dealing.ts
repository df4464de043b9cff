/**
 * Dealing a polynomial verifiably (Feldman 1987): each receiver gets f(i), sealed, and checks it against the commitments to the
 * coefficients, which everybody has.
 * @module
 */

import type { Group, Point } from '../crypto/groups/group.ts';
import { reading } from './messages.ts';
import type { Party } from './party.ts';
import { evaluate, type Polynomial, powers } from './shamir.ts';

interface Setting {
  readonly party: Party;
  readonly group: Group;
}

/** f(i) for each of the others among the receivers, sealed for `round`. */
export function dealtShares(
  { party, group }: Setting,
  round: string,
  f: Polynomial,
  receivers: readonly number[],
): ReadonlyMap<number, Uint8Array> {
  const others = receivers.filter((receiver) => receiver !== party.index);
  return new Map(
    others.map((to) => {
      const share = group.encodeScalar(evaluate(f, to, group.order));
      try {
        return [to, party.sealTo(to, round, share)];
      } finally {
        share.fill(0);
      }
    }),
  );
}

/** f_from(index), checked against the commitments of `from`. @throws {Abort} naming it */
export function receivedShare(
  { party, group }: Setting,
  round: string,
  from: number,
  { box, commitments }: { box: Uint8Array; commitments: readonly Point[] },
): bigint {
  const opened = party.openFrom(from, round, box);
  try {
    return reading(from, round, () => {
      const share = group.decodeScalar(opened);
      if (!group.equals(group.multiplyBase(share), evaluateInExponent(group, commitments, party.index))) {
        throw new Error('the share does not lie on its polynomial');
      }
      return share;
    });
  } finally {
    opened.fill(0);
  }
}

/** f(x)·G = Σ x^k · C_k. */
export function evaluateInExponent(group: Group, commitments: readonly Point[], x: number): Point {
  return group.linearCombination(powers(x, commitments.length, group.order), commitments);
}
