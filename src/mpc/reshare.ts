/**
 * Re-dealing a key: from one sharing to another of the same secret, among the same participants or others, of the same threshold or another
 * (Desmedt, Jajodia 1997, with Feldman's commitments). Among the same participants it is a proactive refresh (Herzberg, Jarecki, Krawczyk,
 * Yung 1995), and it gives a participant that has lost its share a new one.
 *
 * Each dealer j, one of more than t_old who hold the old sharing, deals its share x_j by a polynomial f_j of the new degree, f_j(0) = x_j.
 * Participant i of the new sharing holds x'_i = Σ_j λ_j · f_j(i), with λ_j of the dealers at zero: a point of Σ_j λ_j · f_j, whose value at
 * zero is the secret.
 *
 *   reshare/deal      to all: the old sharing's public part, C_j1 … C_jt'; signed (nothing from who does not deal). To each: f_j(i), sealed
 *   reshare/confirm   to all: echo of the deals, hash of the new sharing; signed
 *
 * C_j0 is not sent: it is the dealer's old verification share X_j, so that a dealer can only deal what it holds. Secure with abort, as
 * long as one dealer is honest; f_j is fresh, so old and new shares have nothing in common but the secret.
 *
 * Everybody stores the new share before it confirms (`prepare`). Once all have confirmed, their signatures prove that everybody has it: what
 * was prepared may then count, whoever is asked, whenever. Old shares end later, and that is the caller's to decide.
 * @module
 */

import { concat, equal, lengthPrefixed, utf8 } from '../base/bytes.ts';
import { Abort, assert } from '../base/errors.ts';
import { type KeyType, keyTypes } from '../base/keyTypes.ts';
import type { Group, Point } from '../crypto/groups/group.ts';
import { groupOf } from '../crypto/groups/index.ts';
import { sha256 } from '../crypto/hash.ts';
import { dealtShares, evaluateInExponent, receivedShare } from './dealing.ts';
import { createKeyShare, encodePublic, type KeyShare, leadingSharing, type Sharing, verificationPoints } from './keyShare.ts';
import { compareEcho, cut, cutEvenly, digestBytes, echoBytes, echoOf, encodeNumbers, exchangeSigned, reading } from './messages.ts';
import type { Party } from './party.ts';
import { quorumOf } from './protocols.ts';
import { assertParticipants, evaluate, lagrangeAtZero, type Polynomial, randomPolynomial } from './shamir.ts';

/** Everybody says the same of these; the party's participants are all dealers and all of the new participants. */
export interface Redealing {
  readonly keyType: KeyType;
  /** More of the old sharing's participants than its threshold; ascending. */
  readonly dealers: readonly number[];
  /** By dealer: its number in the old sharing, where that is another than in the session: a key that comes from elsewhere. */
  readonly oldNumbers?: ReadonlyMap<number, number>;
  /** The new sharing's. */
  readonly threshold: number;
  readonly participants: readonly number[];
  /** What this participant knows of the old sharing. Who knows nothing believes what all dealers say alike. */
  readonly old?: Sharing;
  /** A dealer's share of it: overwritten as soon as it is read. */
  readonly secret?: Uint8Array;
  /** Makes what is prepared durable. When it returns, this participant confirms. */
  readonly prepare?: (prepared: Prepared) => void;
}

export interface Prepared {
  /** Everybody in the session, dealers and receivers: who must confirm. */
  readonly everybody: readonly number[];
  readonly sharing: Sharing;
  /** Undefined for one that only deals. */
  readonly share: KeyShare | undefined;
  /** What everybody signs, 32 bytes: `areConfirmed` reads it. */
  readonly confirmation: Uint8Array;
}

export interface Redealt extends Prepared {
  /** By participant: its identity-key signature over the confirmation. */
  readonly confirmations: ReadonlyMap<number, Uint8Array>;
}

const confirmRound = 'reshare/confirm';

/**
 * @returns the new sharing, this participant's share of it, and the proof that everybody holds theirs
 * @throws {Abort} naming who sent a bad deal or share, different deals to different participants, dealt from another sharing, or confirms
 * another one
 */
export async function reshare(party: Party, redealing: Redealing): Promise<Redealt> {
  const setting = settingOf(party, redealing);
  const { index, participants: everybody, sessionId } = party;
  const { group, receivers } = setting;

  // Round 1: commitments to the polynomials f_j, and the shares f_j(i).
  const f = takenPolynomial(setting);
  const own = f && receivers.includes(index) ? evaluate(f, index, group.order) : undefined;
  const round1 = await exchangeSigned(party, 'reshare/deal', dealOf(setting, f), f && dealtShares(setting, 'reshare/deal', f, receivers));
  const deals = new Map([...round1].map(([from, { message }]) => [from, readDeal(setting, from, message)]));
  const old = agreedSharing(setting, deals);
  const commitments = commitmentsOf(setting, old, deals);

  // The new polynomial, in the exponent and at this participant.
  const numbers = setting.dealers.map(setting.oldNumberOf);
  const weights = lagrangeAtZero(numbers, group.order);
  const sum = Array.from({ length: setting.threshold + 1 }, (_, k) =>
    group.linearCombination(
      weights,
      commitments.map(({ C }) => C[k] ?? group.identity),
    ),
  );
  const sharing: Sharing = {
    keyType: setting.keyType,
    threshold: setting.threshold,
    participants: receivers,
    publicKey: old.publicKey,
    verificationShares: new Map(receivers.map((i) => [i, encoded(group, evaluateInExponent(group, sum, i))])),
    chainCode: old.chainCode,
  };
  assert(group.equals(sum[0] ?? group.identity, group.decodePoint(old.publicKey)), 'a key that is re-dealt stays what it was');
  const share = receivers.includes(index) ? newShare() : undefined;

  // Round 2: everybody has the same new sharing, and its share of it, kept.
  const echo = echoOf(round1);
  const agreed = sha256(
    lengthPrefixed(
      utf8('countersign/reshare/confirm/v1'),
      sessionId,
      encodeNumbers([...setting.dealers, ...numbers]),
      encodePublic(old),
      encodePublic(sharing),
    ),
  );
  const confirmation = sha256(concat(echo, agreed));
  redealing.prepare?.({ everybody, sharing, share, confirmation });
  try {
    const round2 = await exchangeSigned(party, confirmRound, concat(echo, agreed));
    for (const [from, { message }] of round2) {
      const [theirEcho, theirs] = reading(from, confirmRound, () => cut(message, [echoBytes(party), digestBytes]));
      assert(theirEcho && theirs, 'a confirmation has two parts');
      if (from === index) continue;
      compareEcho(party, 'reshare/deal', echo, from, theirEcho);
      if (!equal(theirs, agreed)) throw new Abort([from], `${confirmRound}: participant ${from} confirms another sharing`);
    }
    const confirmations = new Map([...round2].map(([from, { signature }]) => [from, signature]));
    return { everybody, sharing, share, confirmation, confirmations };
  } catch (error) {
    share?.secret.fill(0);
    throw error;
  }

  /** Σ λ_j · f_j(index): every dealer's part is checked against its commitments. */
  function newShare(): KeyShare {
    const parts = commitments.map(({ j, C }) => {
      const box = round1.get(j)?.toMe ?? new Uint8Array(0);
      return j === index ? (own ?? 0n) : receivedShare(setting, 'reshare/deal', j, { box, commitments: C });
    });
    const secret = parts.reduce((total, part, at) => (total + part * (weights[at] ?? 0n)) % group.order, 0n);
    return createKeyShare({ ...sharing, index, secret: group.encodeScalar(secret) });
  }
}

/** Whether everybody in the session has confirmed what was prepared in it. */
export function areConfirmed(
  { verify }: Pick<Party, 'verify'>,
  { everybody, confirmation }: Pick<Prepared, 'everybody' | 'confirmation'>,
  confirmations: ReadonlyMap<number, Uint8Array>,
): boolean {
  return everybody.every((from) => verify(from, confirmRound, confirmation, confirmations.get(from) ?? new Uint8Array(0)));
}

interface Setting extends Omit<Redealing, 'participants' | 'oldNumbers'> {
  readonly party: Party;
  oldNumberOf(dealer: number): number;
  readonly group: Group;
  /** Who holds the new sharing. */
  readonly receivers: readonly number[];
}

function settingOf(party: Party, { participants: receivers, oldNumbers, ...redealing }: Redealing): Setting {
  const { keyType, dealers, threshold, old, secret } = redealing;
  assertParticipants(receivers, threshold);
  assert(quorumOf(keyType, threshold) <= receivers.length, 'there are enough participants to use the key');
  assertParticipants(dealers, 1);
  const everybody = [...new Set([...dealers, ...receivers])].sort((a, b) => a - b);
  assert(everybody.join() === party.participants.join(), 'the session is among dealers and receivers, and nobody else');
  assert((secret !== undefined) === dealers.includes(party.index), 'who deals has a share, and who does not has none here');
  assert(!dealers.includes(party.index) || old !== undefined, 'who deals knows the sharing');
  const oldNumberOf = (dealer: number) => oldNumbers?.get(dealer) ?? dealer;
  return { ...redealing, oldNumberOf, party, receivers, group: groupOf(keyTypes[keyType].curve) };
}

interface Deal {
  readonly old: Sharing;
  /** C_1 … C_t'. */
  readonly points: readonly Point[];
}

/** f_j of a dealer: its constant term is the share. */
function takenPolynomial({ group, secret, threshold }: Setting): Polynomial | undefined {
  if (secret === undefined) return undefined;
  const x = group.decodeScalar(secret);
  secret.fill(0);
  return [x, ...randomPolynomial({ group, degree: threshold }).slice(1)];
}

/** The old sharing ‖ C_1 ‖ … ‖ C_t'; empty from who does not deal. */
function dealOf({ group, old }: Setting, f: Polynomial | undefined): Uint8Array {
  if (f === undefined || old === undefined) return new Uint8Array(0);
  return concat(encodePublic(old), ...f.slice(1).map((coefficient) => group.encodePoint(group.multiplyBase(coefficient))));
}

function readDeal({ dealers, oldNumberOf, group, keyType, threshold }: Setting, from: number, message: Uint8Array): Deal | undefined {
  return reading(from, 'reshare/deal', () => {
    if (!dealers.includes(from)) {
      assert(message.length === 0, 'who does not deal sends nothing');
      return undefined;
    }
    const { length, ...old } = leadingSharing(message);
    assert(old.keyType === keyType, 'the deal is of the key type of the session');
    assert(
      dealers.length > old.threshold && dealers.every((j) => old.participants.includes(oldNumberOf(j))),
      'more dealers than the old threshold hold the old sharing',
    );
    const points = cutEvenly(message.subarray(length), group.pointBytes, threshold).map((point) => group.decodePoint(point));
    return { old, points };
  });
}

/** The sharing that all dealers deal from: the one that is known here, or, where none is, what all of them say alike. */
function agreedSharing({ old: known }: Setting, deals: ReadonlyMap<number, Deal | undefined>): Sharing {
  const said = [...deals].flatMap(([from, deal]) => (deal ? [{ from, old: deal.old }] : []));
  const [first] = said;
  assert(first, 'somebody deals');
  const expected = encodePublic(known ?? first.old);
  const others = said.filter(({ old }) => !equal(encodePublic(old), expected)).map(({ from }) => from);
  if (others.length > 0 && known !== undefined)
    throw new Abort(others, `reshare/deal: participant ${others.join()} deals from another sharing`);
  if (others.length > 0) throw new Abort([], 'reshare/deal: the dealers deal from different sharings');
  return first.old;
}

/** C_j0 … C_jt' of each dealer. C_j0 is its old verification share: checked to be of a sharing of the public key. */
function commitmentsOf(
  { dealers, oldNumberOf, group }: Setting,
  old: Sharing,
  deals: ReadonlyMap<number, Deal | undefined>,
): readonly { readonly j: number; readonly C: readonly Point[] }[] {
  const X = sharedPoints(old, dealers);
  return dealers.map((j) => ({ j, C: [X.get(oldNumberOf(j)) ?? group.identity, ...(deals.get(j)?.points ?? [])] }));
}

/** @throws {Abort} naming all dealers, who say alike what is no sharing: with an honest one among them it does not come to this */
function sharedPoints(old: Sharing, dealers: readonly number[]): ReadonlyMap<number, Point> {
  try {
    return verificationPoints(old);
  } catch (cause) {
    throw new Abort([...dealers], 'reshare/deal: what all dealers deal from is no sharing of the key', { cause });
  }
}

/** A share that came out as zero, by a chance that nobody has, has no encoding. */
function encoded(group: Group, point: Point): Uint8Array {
  if (group.isIdentity(point)) throw new Abort([], 'reshare: a share came out as zero');
  return group.encodePoint(point);
}
