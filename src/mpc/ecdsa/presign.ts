/**
 * ECDSA presignatures, independent of key and message, in batches: Damgård, Jakobsen, Nielsen, Pagter, Østergaard, "Fast threshold
 * ECDSA with honest majority" (SCN 2020), with pseudo-random sharings (prss.ts) in the place of interactive ones.
 *
 *   presign/nonce  to all: 32 fresh random bytes, signed
 *   presign/R      to all: echo of the nonces, R_i of each presignature of the batch, in full, signed
 *
 * Per presignature, with random sharings k and φ of degree t and a sharing of zero of degree 2t:
 *
 *   u_i = k_i·φ_i + zero_i        R_i = k_i·G        R = k·G, interpolated once all R_i are seen to be on one polynomial of degree t
 *
 * The sharings are deterministic, so a label that comes back would be a nonce that comes back. The batch id is a hash of everybody's
 * fresh nonce: for a signer that contributes to it, it never repeats, not after a restart, not from a restored backup, and whatever a
 * coordinator does. Presignatures live in memory only.
 *
 * A signer takes R_i from its own signer's signature, never from the relay: who could alter an R_i, would obtain a signature on another
 * digest. A batch belongs to the 2t + 1 signers that made it: presignatures usable by several sets of signers give away the key.
 * @module
 */

import { randomBytes } from 'node:crypto';
import { concat, lengthPrefixed, u32, utf8 } from '../../base/bytes.ts';
import { Abort, assert } from '../../base/errors.ts';
import type { Point } from '../../crypto/groups/group.ts';
import { groupOf } from '../../crypto/groups/index.ts';
import { sha256 } from '../../crypto/hash.ts';
import { interpolation } from '../exponent.ts';
import { compareEcho, cut, cutEvenly, echoBytes, echoOf, encodeNumbers, exchangeSigned, reading } from '../messages.ts';
import { joined, OneUse } from '../oneUse.ts';
import type { Party } from '../party.ts';
import type { EcdsaCurve } from '../protocols.ts';
import { pseudoRandomSharing, type Seeds } from '../prss.ts';
import { assertParticipants } from '../shamir.ts';

/** Good for one signature by exactly its participants. */
export interface Presignature {
  /** Batch id, 32 bytes; with `number` it names the presignature. */
  readonly batch: Uint8Array;
  /** Place in the batch, from 0. */
  readonly number: number;
  readonly curve: EcdsaCurve;
  /** Those who made it, ascending: 2t + 1. */
  readonly participants: readonly number[];
  /** k·G, 33 bytes. */
  readonly R: Uint8Array;
  readonly point: Point;
  /** φ_i ‖ u_i, 32 bytes each. */
  readonly secrets: OneUse;
}

export const maxBatch = 1024;
const nonceBytes = 32;

/** Before the batch id, the label of a batch's pseudo-random sharings. */
const domain = utf8('countersign/presign/v2');

/**
 * @param party.participants exactly 2t + 1 of those who hold seeds
 * @throws {Abort} naming who sent what is not of the form, or different nonces to different participants; without culprit when the R_i
 * are inconsistent, since 2t + 1 points do not tell which is wrong
 */
export async function presign(
  party: Party,
  { curve, threshold, seeds, count }: { curve: EcdsaCurve; threshold: number; seeds: Seeds; count: number },
): Promise<readonly Presignature[]> {
  const { index, participants, sessionId } = party;
  assertParticipants(participants, threshold);
  assert(participants.length === 2 * threshold + 1, 'exactly 2t + 1 signers presign');
  assert(seeds.index === index && seeds.threshold === threshold, 'the seeds are this signer’s, for this threshold');
  assert(
    participants.every((i) => seeds.participants.includes(i)),
    'those who presign hold seeds',
  );
  assert(Number.isInteger(count) && count >= 1 && count <= maxBatch, 'a batch has 1 to 1024 presignatures');
  const group = groupOf(curve);

  // Round 1: the batch id.
  const nonces = await exchangeSigned(party, 'presign/nonce', new Uint8Array(randomBytes(nonceBytes)));
  const fresh = [...nonces].map(([from, { message }]) => reading(from, 'presign/nonce', () => cut(message, [nonceBytes])[0] ?? message));
  const batch = sha256(
    lengthPrefixed(
      utf8('countersign/presign/batch/v1'),
      sessionId,
      utf8(curve),
      u32(threshold),
      u32(count),
      encodeNumbers(participants),
      concat(...fresh),
    ),
  );

  // Round 2: R_i. All k come first in what is drawn, then all φ.
  const { random, zero } = pseudoRandomSharing(seeds, group.order)([domain, batch], { random: 2 * count, zero: count });
  const own = zero.map((masked, number) => {
    const [k, phi] = [random[number] ?? 0n, random[count + number] ?? 0n];
    const u = (k * phi + masked) % group.order;
    const secrets = new OneUse('presignature', joined(group.encodeScalar(phi), group.encodeScalar(u)));
    return { R: group.multiplyBase(k), secrets };
  });

  try {
    const echo = echoOf(nonces);
    const lists = await exchangeSigned(party, 'presign/R', concat(echo, ...own.map(({ R }) => group.encodeFullPoint(R))));
    const points = [...lists].map(([from, { message }]) => {
      if (from === index) return own.map(({ R }) => R);
      const [theirEcho, list] = reading(from, 'presign/R', () => cut(message, [echoBytes(party), count * group.fullPointBytes]));
      assert(theirEcho && list, 'the message has two parts');
      compareEcho(party, 'presign/nonce', echo, from, theirEcho);
      return reading(from, 'presign/R', () => cutEvenly(list, group.fullPointBytes, count).map((point) => group.decodeFullPoint(point)));
    });

    const interpolate = interpolation({ group, participants, degree: threshold });
    return own.map(({ secrets }, number) => {
      const point = interpolate.atZero(points.map((list) => list[number] ?? group.identity));
      if (point === undefined || group.isIdentity(point)) throw new Abort([], `presign/R: the R_i of number ${number} are inconsistent`);
      return { batch, number, curve, participants, R: group.encodePoint(point), point, secrets };
    });
  } catch (error) {
    for (const { secrets } of own) secrets.wipe();
    throw error;
  }
}

/** For a presignature that will not be used. */
export function wipePresignature({ secrets }: Presignature): void {
  secrets.wipe();
}
