/** A key's public parts, as signers say them when they have made it, and whenever they are asked. @module */

import { equal } from '../base/bytes.ts';
import type { Result } from '../signer/contract.ts';
import type { NewKey } from './coordinator.ts';

/** Verification shares by participant number, in text. */
export type SaidKey = Omit<Result<'describeKey'>, 'keyType'>;

export function newKeyOf({ epoch, threshold, publicKey, verificationShares, chainCode }: SaidKey): NewKey {
  const shares = Object.entries(verificationShares).map(([index, share]) => [Number(index), share] as const);
  return { epoch, threshold, publicKey, chainCode, verificationShares: new Map(shares) };
}

export function sameKey(a: SaidKey, b: SaidKey): boolean {
  const indices = Object.keys(a.verificationShares);
  return (
    a.epoch === b.epoch &&
    a.threshold === b.threshold &&
    equal(a.publicKey, b.publicKey) &&
    equal(a.chainCode, b.chainCode) &&
    indices.length === Object.keys(b.verificationShares).length &&
    indices.every((i) => equal(a.verificationShares[i] ?? new Uint8Array(), b.verificationShares[i] ?? new Uint8Array()))
  );
}
