/**
 * Distributed key generation, for every type of key: the one of FROST (Komlo, Goldberg 2020, figure 1: Feldman's and Pedersen's, with
 * proofs of possession), with three additions: an echo broadcast of the first round, shares sealed to their receivers, and a joint
 * chain code by commit and reveal.
 *
 *   dkg/package  to all: C_0 … C_t, proof of possession of a_0, commitment to the chain code contribution; signed
 *   dkg/share    to all: echo of the packages, chain code contribution; signed. To each: f_i(j), sealed
 *   dkg/confirm  to all: hash of the key, signed. Nobody keeps a share of a key that another does not have
 *
 * Secure with abort against t corrupt participants. A corrupt participant may choose among public keys by aborting, as in every
 * Pedersen-style generation (Gennaro, Jarecki, Krawczyk, Rabin 2007); FROST is proven with that, and so are the other uses here.
 * @module
 */

import { randomBytes } from 'node:crypto';
import { concat, equal, lengthPrefixed, u32, utf8 } from '../base/bytes.ts';
import { Abort, assert } from '../base/errors.ts';
import { type KeyType, keyTypes } from '../base/keyTypes.ts';
import type { Group, Point } from '../crypto/groups/group.ts';
import { groupOf } from '../crypto/groups/index.ts';
import { createKeyShare, encodePublic, type KeyShare } from './keyShare.ts';
import { compareEcho, cut, cutEvenly, digestBytes, echoBytes, echoOf, exchangeSigned, reading, type Signed, sha256 } from './messages.ts';
import type { Party } from './party.ts';
import { proofBytes, provePossession, verifyPossession } from './possession.ts';
import { quorumOf } from './protocols.ts';
import { assertParticipants, evaluate, powers, randomPolynomial } from './shamir.ts';

const chainCodeBytes = 32;

/**
 * @returns this participant's share; every other participant has confirmed to hold its own
 * @throws {Abort} naming who sent a bad package, share, proof or reveal, or different packages to different participants
 */
export async function keygen(party: Party, { keyType, threshold }: { keyType: KeyType; threshold: number }): Promise<KeyShare> {
  const { index, participants, sessionId } = party;
  assertParticipants(participants, threshold);
  assert(quorumOf(keyType, threshold) <= participants.length, 'there are enough participants to use the key');
  const group = groupOf(keyTypes[keyType].curve);

  // Round 1: commitments to the polynomial, and the proof.
  const f = randomPolynomial({ group, degree: threshold });
  const C = f.map((coefficient) => group.encodePoint(group.multiplyBase(coefficient)));
  const claim = (i: number, commitment: Uint8Array) => ({ group, keyType, i, context: sessionId, commitment });
  const proof = provePossession(claim(index, C[0] ?? new Uint8Array(0)), f[0] ?? 0n);
  const contribution = new Uint8Array(randomBytes(chainCodeBytes));
  const round1 = await exchangeSigned(party, 'dkg/package', concat(...C, proof, chainCodeCommitment(party, index, contribution)));
  const packages = new Map([...round1].map(([from, signed]) => [from, readPackage(from, signed)]));

  // Round 2: shares, and the echo of round 1.
  const echo = echoOf(round1);
  const others = participants.filter((participant) => participant !== index);
  const boxes = others.map((to): [number, Uint8Array] => {
    const share = group.encodeScalar(evaluate(f, to, group.order));
    try {
      return [to, party.sealTo(to, 'dkg/share', share)];
    } finally {
      share.fill(0);
    }
  });
  const round2 = await exchangeSigned(party, 'dkg/share', concat(echo, contribution), new Map(boxes));
  const chainCode = jointChainCode(round2);

  let secret = evaluate(f, index, group.order);
  for (const from of others) secret = (secret + receivedShare(from)) % group.order;

  // The sum of all polynomials, in the exponent.
  const sum = f.map((_, k) => group.add(...participants.map((i) => packages.get(i)?.commitments[k] ?? group.identity)));
  const publicPoint = sum[0] ?? group.identity;
  if (group.isIdentity(publicPoint) || secret === 0n) throw new Abort([], 'dkg: the key came out as zero');
  const share = createKeyShare({
    keyType,
    index,
    threshold,
    participants,
    secret: group.encodeScalar(secret),
    publicKey: group.encodePoint(publicPoint),
    verificationShares: new Map(participants.map((i) => [i, group.encodePoint(evaluateInExponent(group, sum, i))])),
    chainCode,
  });

  // Round 3: everybody has the same key.
  const confirmation = sha256(lengthPrefixed(utf8('countersign/dkg/confirm/v1'), sessionId, encodePublic(share)));
  const round3 = await exchangeSigned(party, 'dkg/confirm', confirmation);
  for (const [from, { message }] of round3) {
    if (!equal(message, confirmation)) throw new Abort([from], `dkg/confirm: participant ${from} confirms another key`);
  }
  return share;

  function readPackage(from: number, { message }: Signed): Package {
    return reading(from, 'dkg/package', () => {
      const parts = cut(message, [(threshold + 1) * group.pointBytes, proofBytes(group), digestBytes]);
      const [points, possession, chainCodeHash] = parts;
      assert(points && possession && chainCodeHash, 'a package has three parts');
      const encoded = cutEvenly(points, group.pointBytes, threshold + 1);
      const commitments = encoded.map((point) => group.decodePoint(point));
      if (from !== index) verifyPossession(claim(from, encoded[0] ?? new Uint8Array(0)), commitments[0] ?? group.identity, possession);
      return { commitments, chainCodeHash };
    });
  }

  /** The echoes first: where two views differ, whatever else goes wrong is that sender's fault, not the one's who computed with its view. */
  function jointChainCode(messages: ReadonlyMap<number, Signed>): Uint8Array {
    const reveals = [...messages].map(([from, { message }]) => {
      const [theirEcho, reveal] = reading(from, 'dkg/share', () => cut(message, [echoBytes(party), chainCodeBytes]));
      assert(theirEcho && reveal, 'the message has two parts');
      if (from !== index) compareEcho(party, 'dkg/package', echo, from, theirEcho);
      return { from, reveal };
    });
    for (const { from, reveal } of reveals) {
      if (!equal(chainCodeCommitment(party, from, reveal), packages.get(from)?.chainCodeHash ?? new Uint8Array(0))) {
        throw new Abort([from], `dkg/share: participant ${from} reveals another chain code contribution than it committed to`);
      }
    }
    return sha256(lengthPrefixed(utf8('countersign/dkg/chain-code/v1'), sessionId, ...reveals.map(({ reveal }) => reveal)));
  }

  /** f_from(index), once it is checked against the commitments of `from` (Feldman). */
  function receivedShare(from: number): bigint {
    const opened = party.openFrom(from, 'dkg/share', round2.get(from)?.toMe ?? new Uint8Array(0));
    try {
      return reading(from, 'dkg/share', () => {
        const share = group.decodeScalar(opened);
        const expected = evaluateInExponent(group, packages.get(from)?.commitments ?? [], index);
        if (!group.equals(group.multiplyBase(share), expected)) throw new Error('a share that does not lie on its polynomial');
        return share;
      });
    } finally {
      opened.fill(0);
    }
  }
}

interface Package {
  readonly commitments: readonly Point[];
  readonly chainCodeHash: Uint8Array;
}

/** f(x)·G = Σ x^k · C_k. */
function evaluateInExponent(group: Group, commitments: readonly Point[], x: number): Point {
  return group.linearCombination(powers(x, commitments.length, group.order), commitments);
}

function chainCodeCommitment({ sessionId }: Party, from: number, contribution: Uint8Array): Uint8Array {
  return sha256(lengthPrefixed(utf8('countersign/dkg/chain-code-commitment/v1'), sessionId, u32(from), contribution));
}
