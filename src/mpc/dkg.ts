/**
 * Distributed key generation, for every type of key: the one of FROST (Komlo, Goldberg 2020, figure 1: Feldman's and Pedersen's, with
 * proofs of possession), with three additions: an echo broadcast of the first round, shares sealed to their receivers, and a joint
 * chain code by commit and reveal.
 *
 *   dkg/package  to all: C_0 … C_t, proof of possession of a_0, commitment to the chain code contribution; signed
 *   dkg/share    to all: echo of the packages, chain code contribution; signed. To each: f_i(j), sealed
 *   dkg/confirm  to all: hash of the key, signed. Nobody keeps a share before everybody has confirmed to hold one
 *
 * Secure with abort against t corrupt participants. A corrupt participant that speaks last can choose among public keys, as in every
 * Pedersen-style generation (Gennaro, Jarecki, Krawczyk, Rabin 2007); it learns nothing of the secret by it.
 * @module
 */

import { concat, equal, lengthPrefixed, utf8 } from '../base/bytes.ts';
import { Abort, assert } from '../base/errors.ts';
import { type KeyType, keyTypes } from '../base/keyTypes.ts';
import type { Group, Point } from '../crypto/groups/group.ts';
import { groupOf } from '../crypto/groups/index.ts';
import { sha256 } from '../crypto/hash.ts';
import { contributionCommitment, jointChainCode, newContribution, revealOf } from './chainCode.ts';
import { dealtShares, evaluateInExponent, receivedShare } from './dealing.ts';
import { createKeyShare, encodePublic, type KeyShare } from './keyShare.ts';
import { cut, cutEvenly, digestBytes, exchangeSigned, reading } from './messages.ts';
import type { Party } from './party.ts';
import { type Claim, proofBytes, provePossession, verifyPossession } from './possession.ts';
import { quorumOf } from './protocols.ts';
import { assertParticipants, evaluate, type Polynomial, randomPolynomial } from './shamir.ts';

/**
 * @returns this participant's share; every other participant has confirmed to hold its own
 * @throws {Abort} naming who sent a bad package, share, proof or reveal, or different packages to different participants
 */
export async function keygen(party: Party, { keyType, threshold }: { keyType: KeyType; threshold: number }): Promise<KeyShare> {
  const { index, participants, sessionId } = party;
  assertParticipants(participants, threshold);
  assert(quorumOf(keyType, threshold) <= participants.length, 'there are enough participants to use the key');
  const group = groupOf(keyTypes[keyType].curve);
  const setting = { party, keyType, threshold, group };

  // Round 1: commitments to the polynomial f, and the proof that f(0) is known.
  const f = randomPolynomial({ group, degree: threshold });
  const contribution = newContribution();
  const round1 = await exchangeSigned(party, 'dkg/package', packageOf(setting, f, contribution));
  const packages = new Map([...round1].map(([from, { message }]) => [from, readPackage(setting, from, message)]));

  // Round 2: the shares f(j), the echo of round 1, and what was contributed to the chain code.
  const round2 = await exchangeSigned(
    party,
    'dkg/share',
    revealOf(round1, contribution),
    dealtShares(setting, 'dkg/share', f, participants),
  );
  const chainCode = jointChainCode(
    party,
    { committed: { name: 'dkg/package', round: round1 }, revealed: { name: 'dkg/share', round: round2 } },
    new Map([...packages].map(([from, { chainCodeHash }]) => [from, chainCodeHash])),
  );
  let secret = evaluate(f, index, group.order);
  for (const [from, { toMe }] of round2) {
    if (from === index) continue;
    secret = (secret + receivedShare(setting, 'dkg/share', from, { box: toMe, commitments: commitmentsOf(from) })) % group.order;
  }

  // The sum of all polynomials, in the exponent.
  const sum = f.map((_, k) => group.add(...participants.map((i) => commitmentsOf(i)[k] ?? group.identity)));
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

  function commitmentsOf(i: number): readonly Point[] {
    return packages.get(i)?.commitments ?? [];
  }
}

interface Setting {
  readonly party: Party;
  readonly keyType: KeyType;
  readonly threshold: number;
  readonly group: Group;
}

interface Package {
  /** C_0 … C_t */
  readonly commitments: readonly Point[];
  readonly chainCodeHash: Uint8Array;
}

/** C_0 ‖ … ‖ C_t ‖ proof ‖ commitment to the chain code contribution. */
function packageOf(setting: Setting, f: Polynomial, contribution: Uint8Array): Uint8Array {
  const { party, group } = setting;
  const C = f.map((coefficient) => group.encodePoint(group.multiplyBase(coefficient)));
  const [C0 = new Uint8Array(0), a0 = 0n] = [C[0], f[0]];
  return concat(...C, provePossession(claimOf(setting, party.index, C0), a0), contributionCommitment(party, party.index, contribution));
}

function readPackage(setting: Setting, from: number, message: Uint8Array): Package {
  const { party, group, threshold } = setting;
  return reading(from, 'dkg/package', () => {
    const count = threshold + 1;
    const [points, proof, chainCodeHash] = cut(message, [count * group.pointBytes, proofBytes(group), digestBytes]);
    assert(points && proof && chainCodeHash, 'a package has three parts');
    const encoded = cutEvenly(points, group.pointBytes, count);
    const commitments = encoded.map((point) => group.decodePoint(point));
    const [C0] = commitments;
    assert(encoded[0] && C0, 'a package commits to a constant term');
    if (from !== party.index) verifyPossession(claimOf(setting, from, encoded[0]), C0, proof);
    return { commitments, chainCodeHash };
  });
}

function claimOf({ party, group, keyType }: Setting, i: number, commitment: Uint8Array): Claim {
  return { group, keyType, i, context: party.sessionId, commitment };
}
