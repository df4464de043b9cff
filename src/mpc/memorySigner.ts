/**
 * Uses keys of a cluster in memory: every party's steps and the combining, one after another in one process. What it makes is verified by
 * the combining functions themselves, under the schemes' own verifiers.
 * @module
 */

import { randomBytes } from 'node:crypto';
import { assert } from '../base/errors.ts';
import type { KeyType } from '../base/keyTypes.ts';
import { combine as combineDh } from './dh/combine.ts';
import { evaluate } from './dh/evaluate.ts';
import { combine as combineEcdsa } from './ecdsa/combine.ts';
import { presign } from './ecdsa/presign.ts';
import { signShare as signShareEcdsa } from './ecdsa/sign.ts';
import { aggregate } from './frost/aggregate.ts';
import { commit } from './frost/commit.ts';
import { signShare as signShareFrost } from './frost/sign.ts';
import type { KeyShare } from './keyShare.ts';
import type { MemoryCluster } from './memory.ts';
import { type EcdsaCurve, type Protocol, protocols } from './protocols.ts';
import { setUpSeeds } from './prss.ts';

export interface MemoryKey {
  readonly keyType: KeyType;
  readonly threshold: number;
  readonly cluster: MemoryCluster;
  readonly shares: ReadonlyMap<number, KeyShare>;
}

/**
 * @returns what uses the key that many times, on random digests: signs, or for a DH key derives
 * @throws {Abort} from that function when what comes out is not good
 */
export async function memorySigner(key: MemoryKey): Promise<(count: number) => Promise<void>> {
  const protocol = protocols[key.keyType];
  switch (protocol.family) {
    case 'ecdsa':
      return signEcdsa(key, protocol.curve);
    case 'frost':
      return async (count) => repeat(count, () => signFrost(key, protocol.suite));
    case 'dh':
      return async (count) => repeat(count, () => derive(key));
  }
}

/** Presigns all at once, then signs one by one, as signers do. */
async function signEcdsa({ cluster, threshold, shares }: MemoryKey, curve: EcdsaCurve): Promise<(count: number) => Promise<void>> {
  const seeds = await cluster.run((party) => setUpSeeds(party, { threshold }));
  const { publicKey } = of(shares, 1);
  return async (count) => {
    const presigned = await cluster.run((party) => presign(party, { curve, threshold, seeds: of(seeds, party.index), count }));
    for (const [at, { batch, number, participants, R }] of of(presigned, 1).entries()) {
      const digest = randomDigest();
      const partials = mapShares(shares, participants, ({ index, secret }) => {
        const presignature = of(presigned, index)[at];
        assert(presignature, 'all parties have the whole batch');
        return signShareEcdsa({ curve, seeds: of(seeds, index), presignature, secret, publicKey, digest });
      });
      const made = { batch, number, participants, R, rerandomised: of(partials, participants[0] ?? 0).R };
      combineEcdsa({
        curve,
        threshold,
        publicKey,
        digest,
        ...made,
        shares: new Map([...partials].map(([index, { share }]) => [index, share])),
      });
    }
  };
}

function signFrost({ threshold, shares }: MemoryKey, suite: Extract<Protocol, { family: 'frost' }>['suite']): void {
  const payload = { bytes: randomDigest(), taprootMerkleRoot: new Uint8Array() };
  const signing = [...shares.keys()].slice(0, threshold + 1);
  const made = mapShares(shares, signing, ({ secret }) => commit({ suite, secret }));
  const commitments = new Map([...made].map(([index, { commitment }]) => [index, commitment]));
  const { publicKey, verificationShares } = of(shares, 1);
  const partials = mapShares(shares, signing, ({ index, secret }) =>
    signShareFrost({ suite, index, threshold, secret, publicKey, nonces: of(made, index).nonces, commitments, payload }),
  );
  const zs = new Map([...partials].map(([index, { z }]) => [index, z]));
  aggregate({ suite, publicKey, verificationShares, commitments, shares: zs, payload, R: of(partials, signing[0] ?? 0).R });
}

/** By the first of the signers and by the last: both must derive the same, and prove it. */
function derive({ threshold, shares }: MemoryKey): void {
  const input = { domain: new Uint8Array(randomBytes(16)), seed: new Uint8Array(randomBytes(16)) };
  const { publicKey, verificationShares } = of(shares, 1);
  const outputs = [[...shares.keys()].slice(0, threshold + 1), [...shares.keys()].slice(-threshold - 1)].map((indices) => {
    const partials = mapShares(shares, indices, ({ index, secret }) =>
      evaluate({ secret, verificationShare: of(verificationShares, index), ...input }),
    );
    return combineDh({ threshold, publicKey, verificationShares, ...input, partials });
  });
  assert(new Set(outputs.map(String)).size === 1, 'any set of signers derives the same');
}

/** Below 2²⁵¹, so that a stark key signs it too. */
function randomDigest(): Uint8Array {
  const digest = new Uint8Array(randomBytes(32));
  digest[0] = 0;
  return digest;
}

function repeat(count: number, work: () => void): void {
  for (let i = 0; i < count; i++) work();
}

function mapShares<T>(shares: ReadonlyMap<number, KeyShare>, indices: readonly number[], make: (share: KeyShare) => T): Map<number, T> {
  return new Map(indices.map((index) => [index, make(of(shares, index))]));
}

function of<V>(map: ReadonlyMap<number, V>, index: number): V {
  const value = map.get(index);
  assert(value !== undefined, `participant ${index} has its part`);
  return value;
}
