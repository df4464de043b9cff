/**
 * Whole protocols in a line or two, for tests: a cluster with seeds and a key, and signatures by any set of its signers.
 * @module
 */

import { type KeyType, keyTypes } from '../../src/base/keyTypes.ts';
import { deriveChild } from '../../src/crypto/hd.ts';
import type { Payload, Signature } from '../../src/crypto/schemes/scheme.ts';
import { childShare } from '../../src/mpc/childShare.ts';
import { keygen } from '../../src/mpc/dkg.ts';
import { combine } from '../../src/mpc/ecdsa/combine.ts';
import { type Presignature, presign } from '../../src/mpc/ecdsa/presign.ts';
import { signShare as signEcdsaShare } from '../../src/mpc/ecdsa/sign.ts';
import { aggregate } from '../../src/mpc/frost/aggregate.ts';
import type { Ciphersuite } from '../../src/mpc/frost/ciphersuite.ts';
import { type Commitment, commit, type Nonces } from '../../src/mpc/frost/commit.ts';
import { signShare as signFrostShare } from '../../src/mpc/frost/sign.ts';
import type { KeyShare } from '../../src/mpc/keyShare.ts';
import type { EcdsaCurve } from '../../src/mpc/protocols.ts';
import { type Seeds, setUpSeeds } from '../../src/mpc/prss.ts';
import { type Cluster, clusterOf, of } from './memoryParty.ts';

export interface Keyed {
  readonly cluster: Cluster;
  readonly threshold: number;
  readonly keys: ReadonlyMap<number, KeyShare>;
  readonly publicKey: Uint8Array;
}

export async function keyedCluster(keyType: KeyType, size: number, threshold: number): Promise<Keyed> {
  const cluster = clusterOf(size);
  const keys = await cluster.run((party) => keygen(party, { keyType, threshold }));
  return { cluster, threshold, keys, publicKey: of(keys, 1).publicKey };
}

/** A child, as its signers hold it: their own shares, moved. */
export function childOf<K extends Keyed>(master: K, path: readonly number[]): K {
  const { keyType } = of(master.keys, 1);
  const { curve } = keyTypes[keyType];
  const keys = new Map([...master.keys].map(([i, share]) => [i, childShare(share, deriveChild(curve, share, path))]));
  return { ...master, keys, publicKey: of(keys, 1).publicKey };
}

export interface Seeded extends Keyed {
  readonly curve: EcdsaCurve;
  readonly seeds: ReadonlyMap<number, Seeds>;
}

export async function seededCluster(curve: EcdsaCurve, size: number, threshold: number): Promise<Seeded> {
  const keyed = await keyedCluster(`ECDSA/${curve}`, size, threshold);
  const seeds = await keyed.cluster.run((party) => setUpSeeds(party, { threshold }));
  return { ...keyed, curve, seeds };
}

/** One batch by `set`: by participant, its presignatures. */
export function presignBatch({ cluster, curve, threshold, seeds }: Seeded, set: readonly number[], count = 1) {
  return cluster.run((party) => presign(party, { curve, threshold, seeds: of(seeds, party.index), count }), { participants: set });
}

export interface EcdsaRequest {
  readonly digest: Uint8Array;
}

export function ecdsaShare({ curve, seeds, keys }: Seeded, i: number, presignature: Presignature, { digest }: EcdsaRequest): Uint8Array {
  const { secret, publicKey } = of(keys, i);
  return signEcdsaShare({ curve, seeds: of(seeds, i), presignature, secret, publicKey, digest }).share;
}

export function combineEcdsa(
  { curve, threshold, publicKey }: Seeded,
  presignature: Presignature,
  shares: ReadonlyMap<number, Uint8Array>,
  { digest }: EcdsaRequest,
): Signature {
  const { batch, number, participants, R } = presignature;
  return combine({ curve, threshold, publicKey, digest, batch, number, participants, R, shares });
}

/** From presigning to the signature, by the signers of `set`. */
export async function signEcdsa(seeded: Seeded, set: readonly number[], request: EcdsaRequest): Promise<Signature> {
  const batch = await presignBatch(seeded, set);
  const first = (i: number) => of(new Map(of(batch, i).entries()), 0);
  const shares = new Map(set.map((i) => [i, ecdsaShare(seeded, i, first(i), request)]));
  return combineEcdsa(seeded, first(set[0] ?? 0), shares, request);
}

export interface FrostSession {
  readonly nonces: ReadonlyMap<number, Nonces>;
  readonly commitments: ReadonlyMap<number, Commitment>;
}

export function commitAll(suite: Ciphersuite, { keys }: Keyed, set: readonly number[]): FrostSession {
  const made = new Map(set.map((i) => [i, commit({ suite, secret: of(keys, i).secret })]));
  return {
    nonces: new Map([...made].map(([i, { nonces }]) => [i, nonces])),
    commitments: new Map([...made].map(([i, { commitment }]) => [i, commitment])),
  };
}

export function frostShare(
  suite: Ciphersuite,
  { keys, threshold }: Keyed,
  i: number,
  { nonces, commitments }: FrostSession,
  payload: Payload,
): Uint8Array {
  const { secret, publicKey } = of(keys, i);
  return signFrostShare({ suite, index: i, threshold, secret, publicKey, nonces: of(nonces, i), commitments, payload }).z;
}

export function aggregateFrost(
  suite: Ciphersuite,
  { keys, publicKey }: Keyed,
  commitments: ReadonlyMap<number, Commitment>,
  shares: ReadonlyMap<number, Uint8Array>,
  payload: Payload,
): Signature {
  return aggregate({ suite, publicKey, verificationShares: of(keys, 1).verificationShares, commitments, shares, payload });
}

/** Both rounds, by the signers of `set`. */
export function signFrost(suite: Ciphersuite, keyed: Keyed, set: readonly number[], payload: Payload): Signature {
  const session = commitAll(suite, keyed, set);
  const shares = new Map(set.map((i) => [i, frostShare(suite, keyed, i, session, payload)]));
  return aggregateFrost(suite, keyed, session.commitments, shares, payload);
}
