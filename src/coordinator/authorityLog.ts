/**
 * The signers' copies of the authority log: puts entries to them, brings up those that were away, and reads back what they vouch for.
 * Nothing here decides what an entry is worth; every signer does.
 * @module
 */

import { setTimeout as pause } from 'node:timers/promises';
import { decodeEntry, type Entry, encodeEntry, headOf } from '../authority/entry.ts';
import { type Head, sameHead } from '../authority/head.ts';
import { contradict, isConfirmed, type SignedHead, verifySignedHead } from '../authority/signedHead.ts';
import { Refusal } from '../base/errors.ts';
import { type ClusterFile, maxEntriesPerPage, maxPageChars, rootOf } from '../signer/contract.ts';
import type { EntrySource } from './coordinator.ts';
import { type Link, SignerFailure } from './link.ts';
import { commonRefusal, SignerFailures } from './quorum.ts';

export interface AuthorityLog {
  append(entry: Entry, history: EntrySource): Promise<readonly SignedHead[]>;
  heads(): Promise<readonly SignedHead[]>;
  entriesFrom(from: number, history: EntrySource | undefined): Promise<Continuation | undefined>;
  /**
   * Brings one signer's log up to the history, also one that ends with an entry that never came to be.
   * @returns whether its log has changed
   * @throws {SignerFailure} Forked, or whatever else kept it from it
   */
  catchUp(link: Link, head: Head, history: EntrySource): Promise<boolean>;
  /** Shows a signer that came back what the others say: brought up to them, it takes part again. @throws {SignerFailure} */
  witness(link: Link, history: EntrySource): Promise<void>;
  /** Asks; a signer that says no because its log is behind is brought up and asked once more. */
  whenCurrent<T>(link: Link, history: EntrySource | undefined, ask: () => Promise<T>): Promise<T>;
}

interface Continuation {
  readonly entries: readonly Entry[];
  readonly vouchers: readonly SignedHead[];
}

/** Verifying a page of entries takes a signer longer than a question. */
const catchUpTimeoutMs = 10_000;
/** A signer that is further behind is brought up by the next question it is asked. */
const maxPagesAtOnce = 64;
/** Who has not vouched so long after t + 1 others have is not waited for; it gets the entry all the same. */
const stragglersMs = 100;
const headTimeoutMs = 1_000;

/**
 * @param onContradiction told of two heads that one signer has shown and no append-only log has: it was rolled back, or shows two histories,
 * or has given up an entry that never came to be
 */
export function authorityLog(
  links: readonly Link[],
  cluster: ClusterFile,
  onContradiction: (link: Link, before: SignedHead, now: SignedHead) => void,
): AuthorityLog {
  const { clusterId } = cluster;
  const needed = cluster.threshold + 1;
  /** Of these very signers; whose word counts where, the history says. */
  const isSigned = (head: SignedHead) => verifySignedHead({ clusterId, signers: cluster.signers }, head);
  const signerIds = new Map(cluster.signers.map(({ index, signerId }) => [index, signerId]));
  const underWay = new Map<Link, Promise<boolean>>();
  const lastShown = new Map<Link, SignedHead>();

  function requireOwn(link: Link, head: SignedHead): SignedHead {
    if (head.signerId !== signerIds.get(link.index) || !isSigned(head)) {
      throw new SignerFailure(link.index, 'Aborted', 'shows a head of its log that it has not signed', [link.index]);
    }
    const before = lastShown.get(link);
    if (before !== undefined && contradict(before, head)) onContradiction(link, before, head);
    lastShown.set(link, head);
    return head;
  }

  async function signedHead(link: Link): Promise<SignedHead> {
    return requireOwn(link, (await link.ask('signHead', {}, headTimeoutMs)).head);
  }

  async function heads(): Promise<readonly SignedHead[]> {
    const answers = await Promise.allSettled(links.map(signedHead));
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  }

  async function pages(link: Link, head: Head, history: EntrySource): Promise<boolean> {
    // Its last entry with it: that may be one which never came to be.
    let from = Math.max(1, head.sequence);
    let reached = head;
    for (let page = 0; page < maxPagesAtOnce; page++) {
      const next = await pageOf(history, from);
      if (next === undefined) break;
      const entries = next.entries.map(encodeEntry);
      const answer = await link.ask('catchUp', { entries, vouchers: [...next.vouchers] }, catchUpTimeoutMs);
      reached = requireOwn(link, answer.head);
      if (reached.sequence < from) throw new SignerFailure(link.index, 'Aborted', `takes no entry ${from}`, [link.index]);
      from = reached.sequence + 1;
    }
    return !sameHead(reached, head);
  }

  /** One at a time for each signer: whoever comes meanwhile waits for it. */
  function catchUp(link: Link, head: Head, history: EntrySource): Promise<boolean> {
    const running = underWay.get(link);
    if (running !== undefined) return running;
    const started = pages(link, head, history).finally(() => underWay.delete(link));
    underWay.set(link, started);
    return started;
  }

  async function witness(link: Link, history: EntrySource): Promise<void> {
    const show = async () => link.ask('witness', { heads: [...(await heads())] }, headTimeoutMs);
    try {
      await show();
    } catch (error) {
      // Forked: its last entry may be one that never came to be, and gives way.
      if (!(error instanceof SignerFailure) || error.head === undefined) throw error;
      await catchUp(link, error.head, history);
      await show();
    }
  }

  async function whenCurrent<T>(link: Link, history: EntrySource | undefined, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (history === undefined || !(error instanceof SignerFailure)) throw error;
      if (error.code === 'Unwitnessed') await witness(link, history);
      else if (error.head === undefined || error.code === 'Forked' || !(await catchUp(link, error.head, history))) throw error;
      return ask();
    }
  }

  /** Puts the entry to these signers: who vouches for it, and who does not. */
  async function put(asked: readonly Link[], entry: Entry, history: EntrySource) {
    const wanted = headOf(entry);
    const question = { entry: encodeEntry(entry), vouchers: [...(await history.vouchers(entry.sequence - 1))] };
    const vouchers: SignedHead[] = [];
    const failures: SignerFailure[] = [];
    const answers = asked.map(async (link) => {
      try {
        const { head } = await whenCurrent(link, history, () => link.ask('append', question));
        if (!sameHead(requireOwn(link, head), wanted)) {
          throw new SignerFailure(link.index, 'Refused', `its log stands at another entry ${head.sequence}`);
        }
        vouchers.push(head);
      } catch (error) {
        if (!(error instanceof SignerFailure)) throw error;
        failures.push(error);
      }
    });
    await enough(answers, () => vouchers.length >= needed);
    return { vouchers, failures };
  }

  /** Lets signers give up entries that expired before they came to be. @returns whether one of them did */
  async function release(): Promise<boolean> {
    const said = await heads();
    const answers = await Promise.allSettled(links.map((link) => link.ask('release', { heads: [...said] }, headTimeoutMs)));
    return answers.some(
      (answer) =>
        answer.status === 'fulfilled' &&
        said.every((head) => head.signerId !== answer.value.head.signerId || !sameHead(head, answer.value.head)),
    );
  }

  return {
    heads,
    catchUp,
    witness,
    whenCurrent,

    async append(entry, history) {
      let { vouchers, failures } = await put(links, entry, history);
      if (vouchers.length < needed && failures.some(({ refusal }) => refusal === 'Conflict') && (await release())) {
        ({ vouchers, failures } = await put(links, entry, history));
      }
      if (vouchers.length >= needed) return [...vouchers];
      const cause = new SignerFailures(failures);
      const message = `an entry of the authority log needs ${needed} of ${links.length} signers; ${vouchers.length} took entry ${entry.sequence}`;
      throw commonRefusal(failures, needed) ?? new Refusal('Unavailable', message, { cause });
    },

    async entriesFrom(from, history) {
      const said = await heads();
      const lengthOf = (link: Link) => said.find(({ signerId }) => signerId === signerIds.get(link.index))?.sequence ?? 0;
      const longestFirst = links.filter((link) => lengthOf(link) >= from).sort((a, b) => lengthOf(b) - lengthOf(a));

      const read = async (link: Link, count: number): Promise<Continuation | undefined> => {
        const page = await link.ask('entries', { from, count });
        const entries = page.entries.map(decodeEntry);
        const last = entries.at(-1);
        if (last === undefined) return undefined;
        const head = headOf(last);
        const vouchers = [...page.vouchers, ...said].filter((one) => sameHead(one, head));
        if (history?.areVouchedFor(entries, vouchers) ?? isConfirmed(rootOf(cluster), head, vouchers))
          return { entries, vouchers: onePerSigner(vouchers) };
        // Its last entry may be one that never came to be.
        const isEnd = last.sequence === lengthOf(link);
        return isEnd && entries.length > 1 ? read(link, entries.length - 1) : undefined;
      };
      for (const link of longestFirst) {
        try {
          const found = await read(link, Math.min(maxEntriesPerPage, lengthOf(link) - from + 1));
          if (found !== undefined) return found;
        } catch (error) {
          if (!(error instanceof SignerFailure || error instanceof Refusal)) throw error; // another signer may have it
        }
      }
      return undefined;
    },
  };
}

/** The entries from `from` on that one message holds, up to one that has vouchers. */
async function pageOf(history: EntrySource, from: number): Promise<Continuation | undefined> {
  const found = await history.entries(from, maxEntriesPerPage);
  let chars = 0;
  const over = found.findIndex((entry) => {
    chars += encodeEntry(entry).length;
    return chars > maxPageChars;
  });
  const fitting = over < 0 ? found : found.slice(0, over);
  for (let end = fitting.length; end > 0; end--) {
    const last = fitting[end - 1];
    const vouchers = last === undefined ? [] : await history.vouchers(last.sequence);
    if (vouchers.length > 0) return { entries: fitting.slice(0, end), vouchers };
  }
  return undefined;
}

/** Waits for all, but for stragglers not long once there are enough. @throws what one of them throws before that */
async function enough(answers: readonly Promise<void>[], isEnough: () => boolean): Promise<void> {
  const waiting = new AbortController();
  const sufficient = new Promise<void>((resolve) => {
    for (const answer of answers)
      answer.then(
        () => isEnough() && resolve(),
        () => undefined,
      );
  });
  const graced = sufficient.then(() => pause(stragglersMs, undefined, { signal: waiting.signal })).catch(() => undefined);
  try {
    await Promise.race([Promise.all(answers), graced]);
  } finally {
    waiting.abort();
  }
}

function onePerSigner(heads: readonly SignedHead[]): readonly SignedHead[] {
  return [...new Map(heads.map((head) => [head.signerId, head])).values()];
}
