/**
 * Every protocol once, with throw-away keys among parties in memory: proof at each start that arithmetic, libraries and protocols do on
 * this machine what the tests saw them do elsewhere. The combining functions verify what they make with the schemes' own verifiers.
 * @module
 */

import { randomBytes } from 'node:crypto';
import { equal } from '../base/bytes.ts';
import { assert, messageOf } from '../base/errors.ts';
import type { KeyType } from '../base/keyTypes.ts';
import { combine as combineDh } from './dh/combine.ts';
import { evaluate } from './dh/evaluate.ts';
import { keygen } from './dkg.ts';
import { combine as combineEcdsa } from './ecdsa/combine.ts';
import { presign } from './ecdsa/presign.ts';
import { signShare as signShareEcdsa } from './ecdsa/sign.ts';
import { aggregate } from './frost/aggregate.ts';
import { commit } from './frost/commit.ts';
import { signShare as signShareFrost } from './frost/sign.ts';
import type { KeyShare } from './keyShare.ts';
import { type MemoryCluster, memoryCluster } from './memory.ts';
import { type Protocol, protocols } from './protocols.ts';
import { setUpSeeds } from './prss.ts';

const size = 3;
const threshold = 1;

/** @throws {Error} naming the key type whose protocol fails */
export async function selfTest(keyTypes: readonly KeyType[] = Object.keys(protocols) as KeyType[]): Promise<void> {
  const cluster = memoryCluster(size);
  for (const keyType of keyTypes) {
    try {
      const shares = await cluster.run((party) => keygen(party, { keyType, threshold }));
      await use(protocols[keyType], cluster, shares);
    } catch (cause) {
      throw new Error(`the self-test of ${keyType} failed: ${messageOf(cause)}`, { cause });
    }
  }
}

function use(protocol: Protocol, cluster: MemoryCluster, shares: ReadonlyMap<number, KeyShare>): void | Promise<void> {
  switch (protocol.family) {
    case 'ecdsa':
      return signEcdsa(protocol.curve, cluster, shares);
    case 'frost':
      return signFrost(protocol.suite, shares);
    case 'dh':
      return derive(shares);
  }
}

async function signEcdsa(curve: 'secp256k1' | 'stark', cluster: MemoryCluster, shares: ReadonlyMap<number, KeyShare>): Promise<void> {
  const digest = new Uint8Array(randomBytes(32));
  digest[0] = 0; // below 2^251, as stark wants it
  const seeds = await cluster.run((party) => setUpSeeds(party, { threshold }));
  const presigned = await cluster.run((party) => presign(party, { curve, threshold, seeds: of(seeds, party.index), count: 1 }));
  const partials = new Map(
    [...shares].map(([index, { secret, publicKey }]) => {
      const [presignature] = of(presigned, index);
      assert(presignature, 'a batch of one holds one');
      return [index, signShareEcdsa({ curve, seeds: of(seeds, index), presignature, secret, publicKey, digest })];
    }),
  );
  const [first] = of(presigned, 1);
  assert(first, 'a batch of one holds one');
  const { batch, number, participants, R } = first;
  combineEcdsa({ curve, threshold, publicKey: of(shares, 1).publicKey, digest, batch, number, participants, R, shares: partials });
}

function signFrost(suite: Extract<Protocol, { family: 'frost' }>['suite'], shares: ReadonlyMap<number, KeyShare>): void {
  const payload = { bytes: new Uint8Array(randomBytes(32)), taprootMerkleRoot: new Uint8Array() };
  const signing = [...shares].slice(0, threshold + 1);
  const made = new Map(signing.map(([index, { secret }]) => [index, commit({ suite, secret })]));
  const commitments = new Map([...made].map(([index, { commitment }]) => [index, commitment]));
  const partials = new Map(
    signing.map(([index, { secret, publicKey }]) => {
      const { nonces } = of(made, index);
      return [index, signShareFrost({ suite, index, threshold, secret, publicKey, nonces, commitments, payload })];
    }),
  );
  const { publicKey, verificationShares } = of(shares, 1);
  aggregate({ suite, publicKey, verificationShares, commitments, shares: partials, payload });
}

function derive(shares: ReadonlyMap<number, KeyShare>): void {
  const input = { domain: new Uint8Array(randomBytes(16)), seed: new Uint8Array(randomBytes(16)) };
  const outputs = [
    [1, 2],
    [2, 3],
  ].map((indices) => {
    const partials = new Map(
      indices.map((index) => {
        const { secret, verificationShares } = of(shares, index);
        return [index, evaluate({ secret, verificationShare: of(verificationShares, index), ...input })];
      }),
    );
    const { publicKey, verificationShares } = of(shares, 1);
    return combineDh({ threshold, publicKey, verificationShares, ...input, partials });
  });
  assert(equal(outputs[0] ?? new Uint8Array(), outputs[1] ?? new Uint8Array(1)), 'any set of signers derives the same');
}

function of<V>(map: ReadonlyMap<number, V>, index: number): V {
  const value = map.get(index);
  assert(value !== undefined, `participant ${index} has its part`);
  return value;
}
