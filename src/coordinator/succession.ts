/**
 * Deals keys anew, and brings to its end what was interrupted. What becomes of a share every signer decides (`signer/succession.ts`); here
 * it is only seen to that each hears what the others have signed.
 * @module
 */

import { Abort, Refusal } from '../base/errors.ts';
import type { KeyType } from '../base/keyTypes.ts';
import type { Outcome, Result } from '../signer/contract.ts';
import { maxKeysPerSettlement } from '../signer/contract.ts';
import type { NewKey } from './coordinator.ts';
import { type Link, SignerFailure } from './link.ts';
import { newKeyOf, sameKey } from './newKey.ts';
import { SignerFailures } from './quorum.ts';
import { runSession } from './session.ts';

export interface Succession {
  redeal(key: { id: string; keyType: KeyType }): Promise<NewKey>;
  settle(keyIds: readonly string[]): Promise<readonly string[]>;
  unsettled(): Promise<readonly string[]>;
}

/** Of the cluster as it is now. */
export interface Holders {
  /** Everybody who is to hold a key, in order. */
  readonly links: readonly Link[];
  /** The largest of the thresholds a key may be shared with still. */
  readonly largestThreshold: number;
}

type State = Result<'describeShares'>;
type States = ReadonlyMap<Link, State>;
type Acknowledgements = Record<string, Uint8Array>;

/** A successor that everybody has acknowledged. */
interface Acknowledged {
  readonly keyId: string;
  readonly epoch: number;
  readonly acknowledgements: Acknowledgements;
  /** Who took part, those first who hold it. */
  readonly everybody: readonly Link[];
}

const questionTimeoutMs = 3_000;
/** Dealers that fail are replaced so often. */
const maxAttempts = 2;

/**
 * @param links all that may be asked: those who are to hold keys, and those who still do
 * @param holders may change; asked for with every key
 */
export function succession(links: readonly Link[], holders: () => Holders): Succession {
  const linkOf = (index: number) => links.find((link) => link.index === index);

  async function statesOf(keyId: string): Promise<States> {
    const answers = await Promise.allSettled(links.map((link) => link.ask('describeShares', { keyId }, questionTimeoutMs)));
    return new Map(answers.flatMap((answer, i) => (answer.status === 'fulfilled' ? [[links[i] as Link, answer.value] as const] : [])));
  }

  /**
   * Shows everybody who prepared the newest sharing that everybody has confirmed it.
   * @returns undefined when there is none that is not settled, or not everybody can acknowledge it now
   */
  async function bringForward(keyId: string, states: States): Promise<Acknowledged | undefined> {
    const newest = confirmedIn(states);
    if (newest === undefined) return undefined;
    const { epoch, confirmations } = newest;
    const everybody = newest.everybody.flatMap((index) => linkOf(index) ?? []);
    if (everybody.length < newest.everybody.length) return undefined;
    const answers = await Promise.allSettled(everybody.map((link) => link.ask('confirmShare', { keyId, epoch, confirmations })));
    const acknowledgements = Object.fromEntries(
      answers.flatMap((answer, i) => (answer.status === 'fulfilled' ? [[everybody[i]?.index ?? 0, answer.value.acknowledgement]] : [])),
    );
    if (Object.keys(acknowledgements).length < everybody.length) return undefined;
    const holds = (link: Link) => holders().links.includes(link);
    return { keyId, epoch, acknowledgements, everybody: [...everybody].sort((a, b) => Number(holds(b)) - Number(holds(a))) };
  }

  async function redeal({ id: keyId, keyType }: { id: string; keyType: KeyType }): Promise<NewKey> {
    const receivers = holders().links;
    const before = await statesOf(keyId);
    const silent = receivers.filter((link) => !before.has(link)).map(({ index }) => index);
    if (silent.length > 0) throw unavailable(`all signers must answer; signer ${silent.join(', ')} does not`);
    await bringForward(keyId, before);

    const leftOut = new Set<number>();
    for (let attempt = 1; ; attempt++) {
      const states = await statesOf(keyId);
      const { base, epoch, dealers } = dealing(states, leftOut);
      const participants = links.filter((link) => receivers.includes(link) || dealers.includes(link));
      try {
        const task = { kind: 'redeal', keyId, keyType, base, epoch, dealers: dealers.map(({ index }) => index) } as const;
        const [first, ...rest] = [...(await runSession(participants, task)).values()].map(redealt);
        if (first === undefined || !rest.every((other) => sameKey(first, other)))
          throw new Abort([], 'the signers made different sharings');
        return newKeyOf(first);
      } catch (cause) {
        if (!(cause instanceof SignerFailures || cause instanceof SignerFailure || cause instanceof Abort)) throw cause;
        for (const index of cause instanceof SignerFailures ? cause.toLeaveOut : cause.culprits) leftOut.add(index);
        const mayDo = attempt < maxAttempts && dealers.some(({ index }) => leftOut.has(index));
        if (!mayDo) throw unavailable(cause.message, cause);
      }
    }
  }

  /** From the newest sharing that enough signers hold; who stays deals first. */
  function dealing(states: States, leftOut: ReadonlySet<number>): { base: number; epoch: number; dealers: readonly Link[] } {
    const { links: receivers, largestThreshold } = holders();
    const epochs = [...new Set([...states.values()].flatMap(({ counting }) => (counting ? [counting.epoch] : [])))].sort((a, b) => b - a);
    const newest = Math.max(0, ...epochs, ...[...states.values()].flatMap(confirmedEpochs));
    for (const base of epochs) {
      const able = [...states].filter(([link, { counting }]) => counting?.epoch === base && !leftOut.has(link.index));
      const needed = Math.max(largestThreshold, ...able.map(([, { counting }]) => counting?.threshold ?? 0)) + 1;
      if (able.length < needed) continue;
      const staying = able.map(([link]) => link).sort((a, b) => Number(receivers.includes(b)) - Number(receivers.includes(a)));
      const dealers = staying.slice(0, needed).sort((a, b) => a.index - b.index);
      return { base, epoch: newest + 1, dealers };
    }
    throw unavailable('too few signers hold shares of one sharing');
  }

  async function settlePage(keyIds: readonly string[]): Promise<readonly string[]> {
    const brought = await Promise.all(keyIds.map(async (keyId) => bringForward(keyId, await statesOf(keyId))));
    const ready = brought.flatMap((one) => one ?? []);
    const failed = new Set<string>();
    // One after the other: who holds nothing afterwards cannot acknowledge again, and comes last.
    const order = (link: Link) => Math.max(...ready.map(({ everybody }) => everybody.indexOf(link)));
    for (const link of [...links].sort((a, b) => order(a) - order(b))) {
      const keys = ready.filter(({ keyId, everybody }) => everybody.includes(link) && !failed.has(keyId));
      if (keys.length === 0) continue;
      try {
        await link.ask('settleShares', { keys: keys.map(({ keyId, epoch, acknowledgements }) => ({ keyId, epoch, acknowledgements })) });
      } catch (error) {
        if (!(error instanceof SignerFailure)) throw error;
        for (const { keyId } of keys) failed.add(keyId);
      }
    }
    return ready.map(({ keyId }) => keyId).filter((keyId) => !failed.has(keyId));
  }

  return {
    redeal,

    async settle(keyIds) {
      const settled: string[] = [];
      for (let at = 0; at < keyIds.length; at += maxKeysPerSettlement) {
        settled.push(...(await settlePage(keyIds.slice(at, at + maxKeysPerSettlement))));
      }
      return settled;
    },

    async unsettled() {
      const answers = await Promise.allSettled(links.map(unsettledAt));
      return [...new Set(answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : [])))];
    },
  };
}

/** A first part of them: the others are asked for when these are settled. */
async function unsettledAt(link: Link): Promise<readonly string[]> {
  return (await link.ask('unsettledKeys', { after: '' })).keyIds;
}

/** The newest successor that somebody knows to be confirmed. */
function confirmedIn(
  states: States,
): { epoch: number; everybody: readonly number[]; confirmations: Record<string, Uint8Array> } | undefined {
  const all = [...states.values()].flatMap(({ successors }) => successors);
  const confirmed = all.flatMap(({ epoch, everybody, confirmations }) => (confirmations ? [{ epoch, everybody, confirmations }] : []));
  return confirmed.reduce<(typeof confirmed)[number] | undefined>((a, b) => (a === undefined || b.epoch > a.epoch ? b : a), undefined);
}

function confirmedEpochs({ successors }: State): readonly number[] {
  return successors.flatMap(({ epoch, confirmations }) => (confirmations ? [epoch] : []));
}

type Redealt = Extract<Outcome, { kind: 'redeal' }>;

function redealt(outcome: Outcome): Redealt {
  if (outcome.kind !== 'redeal') throw new Abort([], `a key that was to be dealt anew ended as ${outcome.kind}`);
  return outcome;
}

function unavailable(reason: string, cause?: unknown): Refusal {
  return new Refusal('Unavailable', `the key could not be dealt anew: ${reason}`, { cause });
}
