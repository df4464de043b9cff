/**
 * How one share of a key follows another, at this signer (`mpc/reshare.ts` makes them, docs/protocols.md has the whole). A share is
 *
 *   prepared   durable before this signer confirms it; does not count yet
 *   confirmed  everybody in the session has signed that theirs is prepared: it counts, and so does the one before, for whoever is behind
 *   settled    everybody has acknowledged to have seen that: the ones before are overwritten
 *
 * so that whatever stops between two steps, enough signers hold shares of one sharing, and whoever relays their signatures brings them
 * forward. Nobody is believed, and nothing is timed:
 *
 * - A signer deals only from the newest sharing that counts here, and gives up before it what it has prepared since: what it has dealt
 *   over, it will never acknowledge.
 * - It takes what more dealers than the threshold deal from a sharing that it knows: one of them is honest, so that no later one was ever
 *   settled anywhere. It never goes back behind what is settled here.
 * - Who is to hold a key is what the authority log says, never what is asked.
 * @module
 */

import { z } from 'zod';
import { lengthPrefixed, toBase64, u32, utf8 } from '../base/bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import type { Identity } from '../mpc/identity.ts';
import { encodePublic, type Sharing } from '../mpc/keyShare.ts';
import type { Party } from '../mpc/party.ts';
import { areConfirmed, type Prepared, reshare } from '../mpc/reshare.ts';
import type { Outcome, Params, Result, Task } from './contract.ts';
import { SignerRefusal } from './errors.ts';
import type { Shares } from './shares.ts';
import type { SignerStore, Successor } from './store.ts';

export type Redeal = Extract<Task, { kind: 'redeal' }>;

export interface Succession {
  /** @throws {Abort} as `reshare` @throws {SignerRefusal} for what this signer does not deal or take */
  redeal(task: Redeal, party: Party): Promise<Outcome>;
  describe(keyId: string): Result<'describeShares'>;
  unsettled(after: string): readonly string[];
  /** @returns the acknowledgement @throws {SignerRefusal} */
  confirm(shown: Params<'confirmShare'>): Uint8Array;
  /** @throws {SignerRefusal} and those before it are settled */
  settle(shown: Params<'settleShares'>['keys']): void;
}

/** Who holds keys now. */
export interface Holders {
  readonly threshold: number;
  /** Ascending. */
  readonly participants: readonly number[];
  /** The largest threshold of the sets that may hold a key still: to deal one takes more. */
  readonly largestThreshold: number;
}

const acknowledgementRound = 'share/confirmed';
const maxUnsettled = 256;
/** Epochs are passed over where one came to nothing after it was confirmed; they must not be used up. */
const maxEpochStep = 16;

export function succession(parts: {
  clusterId: string;
  index: number;
  store: SignerStore;
  shares: Shares;
  identity: () => Identity;
  holders: () => Holders;
}): Succession {
  const { clusterId, index, shares, holders } = parts;
  const { successors } = parts.store;

  const heldEpochs = (keyId: string) => parts.store.sharesOf(keyId).map(({ epoch }) => epoch);
  /** What counts, be it that this signer is to hold nothing of the key any more. */
  const confirmedEpochs = (keyId: string) =>
    successors.of(keyId).flatMap(({ epoch, confirmations }) => (confirmations === null ? [] : [epoch]));
  const newestOf = (keyId: string) => [...heldEpochs(keyId), ...confirmedEpochs(keyId)].reduce((a, b) => Math.max(a, b), -1);
  /** None at a signer that had no share before those that are to follow. */
  const settledOf = (keyId: string) => heldEpochs(keyId).find((epoch) => !confirmedEpochs(keyId).includes(epoch));

  const refuse = (reason: string) => new SignerRefusal('Refused', reason);
  const stale = (reason: string) => new SignerRefusal('StaleShare', reason);

  function requireTask({ keyId, base, epoch, dealers }: Redeal, party: Party): void {
    const { participants, largestThreshold } = holders();
    const everybody = [...new Set([...dealers, ...participants])].sort((a, b) => a - b);
    if (party.participants.join() !== everybody.join())
      throw refuse(`a key is dealt anew among its dealers and all signers of the cluster: ${everybody.join(', ')}`);
    if (dealers.length <= largestThreshold) throw refuse(`a key is dealt anew by ${largestThreshold + 1} dealers or more`);
    const newest = newestOf(keyId);
    if (epoch <= Math.max(base, newest) || epoch > base + maxEpochStep)
      throw refuse(`epoch ${epoch} does not follow epoch ${base} of key ${keyId}`);
    const settled = settledOf(keyId) ?? 0;
    if (base < settled) throw stale(`key ${keyId} has come to epoch ${settled} here: it is not dealt from epoch ${base} again`);
    if (dealers.includes(index) && newest !== base)
      throw stale(`this signer deals key ${keyId} from epoch ${newest}, not from epoch ${base}`);
  }

  /** Known where it is held; what is confirmed after it gives way only to what is dealt from a sharing that this signer knows. */
  function knownSharing({ keyId, base }: Redeal): { old: Sharing } | undefined {
    if (heldEpochs(keyId).includes(base)) return { old: shares.use(keyId, publicPart, base) };
    if (newestOf(keyId) > base) throw refuse(`this signer does not know epoch ${base} of key ${keyId}`);
    return undefined;
  }

  function prepare({ keyId, keyType, base, epoch }: Redeal, { sessionId }: Party, prepared: Prepared): void {
    const { everybody, sharing, share, confirmation } = prepared;
    const sealed = share && shares.seal(keyId, epoch, share).sealed;
    const clear = { keyId, epoch, keyType, publicKey: sharing.publicKey };
    const check = { session: sessionId, everybody: JSON.stringify(everybody), confirmation, sharing: hashOf(sharing) };
    successors.prepare({ ...clear, ...check, sealed: sealed ?? null, confirmations: null }, base);
    shares.forget(keyId);
  }

  const inAcknowledgement = (keyId: string, epoch: number) =>
    parts.identity().inSession(sha256(lengthPrefixed(utf8('countersign/share/confirmed/v1'), utf8(clusterId), utf8(keyId), u32(epoch))));

  const acknowledge = (keyId: string, epoch: number, sharing: Uint8Array) =>
    inAcknowledgement(keyId, epoch).sign(acknowledgementRound, sharing);

  function requireAcknowledged({ keyId, epoch, everybody, sharing }: Successor, acknowledgements: Record<string, Uint8Array>): void {
    const { verify } = inAcknowledgement(keyId, epoch);
    for (const from of numbersIn(everybody)) {
      if (!verify(from, acknowledgementRound, sharing, acknowledgements[String(from)] ?? new Uint8Array()))
        throw refuse(`signer ${from} has not acknowledged epoch ${epoch} of key ${keyId}`);
    }
  }

  return {
    async redeal(task, party) {
      const { keyId, keyType, base, epoch, dealers } = task;
      requireTask(task, party);
      const known = knownSharing(task);
      const deals = dealers.includes(index);
      if (deals) {
        successors.drop(keyId, base);
        shares.forget(keyId);
      }
      const { threshold, participants } = holders();
      const { sharing, share, confirmations } = await reshare(party, {
        keyType,
        dealers,
        threshold,
        participants,
        ...known,
        ...(deals && { secret: shares.use(keyId, ({ secret }) => secret.slice(), base) }),
        prepare: (prepared) => {
          requireTask(task, party); // nothing may have come in between
          prepare(task, party, prepared);
        },
      });
      share?.secret.fill(0);
      successors.confirm(keyId, epoch, textOf(confirmations));
      shares.forget(keyId);
      const { publicKey, verificationShares, chainCode } = sharing;
      return {
        kind: 'redeal',
        epoch,
        threshold,
        publicKey,
        verificationShares: byText(verificationShares),
        chainCode,
        confirmations: byText(confirmations),
        acknowledgement: acknowledge(keyId, epoch, hashOf(sharing)),
      };
    },

    describe(keyId) {
      const settled = settledOf(keyId);
      const [newest] = heldEpochs(keyId);
      const counting = newest !== undefined && { epoch: newest, threshold: shares.use(keyId, ({ threshold }) => threshold, newest) };
      return {
        ...(counting && { counting }),
        ...(settled !== undefined && { settled }),
        successors: successors.of(keyId).map(({ epoch, everybody, confirmations }) => ({
          epoch,
          everybody: [...numbersIn(everybody)],
          ...(confirmations !== null && { confirmations: byText(signaturesIn(confirmations)) }),
        })),
      };
    },

    unsettled: (after) => successors.keys(after, maxUnsettled),

    confirm({ keyId, epoch, confirmations }) {
      const successor = successors.of(keyId).find((one) => one.epoch === epoch);
      if (successor === undefined)
        return acknowledge(
          keyId,
          epoch,
          shares.use(keyId, (share) => hashOf(publicPart(share)), epoch),
        );
      const { session, everybody, confirmation, sharing } = successor;
      const shown = new Map(Object.entries(confirmations).map(([from, signature]) => [Number(from), signature]));
      const prepared = { everybody: numbersIn(everybody), confirmation };
      if (!areConfirmed(parts.identity().inSession(session), prepared, shown))
        throw refuse(`not everybody has confirmed epoch ${epoch} of key ${keyId}`);
      if (successor.confirmations === null) successors.confirm(keyId, epoch, textOf(shown));
      shares.forget(keyId);
      return acknowledge(keyId, epoch, sharing);
    },

    settle(keys) {
      for (const { keyId, epoch, acknowledgements } of keys) {
        const successor = successors.of(keyId).find((one) => one.epoch === epoch);
        if (successor === undefined) continue; // it is settled, or was dealt over
        if (successor.confirmations === null) throw refuse(`epoch ${epoch} of key ${keyId} is not confirmed here`);
        requireAcknowledged(successor, acknowledgements);
        successors.settle(keyId, epoch);
        shares.forget(keyId);
      }
      parts.store.sweep();
    },
  };
}

function publicPart({ keyType, threshold, participants, publicKey, verificationShares, chainCode }: Sharing): Sharing {
  return { keyType, threshold, participants, publicKey, verificationShares, chainCode };
}

const numbers = z.array(z.int());
const texts = z.record(z.string(), z.base64());

function numbersIn(everybody: string): readonly number[] {
  return numbers.parse(JSON.parse(everybody));
}

function textOf(signatures: ReadonlyMap<number, Uint8Array>): string {
  return JSON.stringify(Object.fromEntries([...signatures].map(([from, signature]) => [from, toBase64(signature)])));
}

function signaturesIn(text: string): ReadonlyMap<number, Uint8Array> {
  return new Map(
    Object.entries(texts.parse(JSON.parse(text))).map(([from, signature]) => [
      Number(from),
      new Uint8Array(Buffer.from(signature, 'base64')),
    ]),
  );
}

function hashOf(sharing: Sharing): Uint8Array {
  return sha256(encodePublic(sharing));
}

function byText<V>(map: ReadonlyMap<number, V>): Record<string, V> {
  return Object.fromEntries([...map].map(([key, value]) => [String(key), value]));
}
