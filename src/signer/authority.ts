/**
 * This signer's copy of the authority log, and the registry that it makes. An entry counts here when it is durable here; that it counts
 * for the cluster, t + 1 signers say, which this one hears of with the next entry. So the last entry may be *unconfirmed*, and no more than
 * that one: it is given up when t + 1 signers vouch for another in its place, or when it is shown that it never came to be. What is
 * confirmed stays: two confirmed histories are a fork, and no signer takes part in the second one.
 * @module
 */

import { decodeEntry, type Entry, encodeEntry, headOf } from '../authority/entry.ts';
import { type Head, sameHead } from '../authority/head.ts';
import { catchUp, check, forkedAt } from '../authority/log.ts';
import { recoveryLifetimeSeconds } from '../authority/recovery.ts';
import type { MutableRegistry, Registry } from '../authority/registry.ts';
import type { Root } from '../authority/root.ts';
import { headMessage, isConfirmed, type SignedHead, verifySignedHead } from '../authority/signedHead.ts';
import { verifyLog } from '../authority/verifyLog.ts';
import { toBase64Url, toHex } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { Refusal } from '../base/errors.ts';
import { maxEntriesPerPage, maxPageChars } from './contract.ts';
import { judgedAt, SignerRefusal } from './errors.ts';
import type { LogStore, StoredEntry } from './store.ts';
import { vouchersFrom, vouchersText } from './vouchers.ts';

export interface SignerAuthority {
  /** As the log stands now: ask again after every change. */
  readonly registry: Registry;
  /**
   * One more entry, judged live. The same entry again is harmless.
   * @param vouchers for the head it follows
   * @throws {SignerRefusal} Behind, Forked, Refused
   */
  append(text: string, vouchers: readonly SignedHead[]): SignedHead;
  /**
   * Entries that others have accepted, or none to hear who vouches for the last one here.
   * @param vouchers of t + 1 signers for the last of them
   * @throws {SignerRefusal} Behind, Forked, Refused
   */
  catchUp(texts: readonly string[], vouchers: readonly SignedHead[]): SignedHead;
  /**
   * Gives up an unconfirmed entry that has expired without reaching t + 1 signers.
   * @param heads of other signers, said after it expired, that do not have it
   * @throws {SignerRefusal} Refused
   */
  release(heads: readonly SignedHead[]): SignedHead;
  /** From number `from` on, up to the last entry of the page that has vouchers, or to the end of the log. */
  entries(from: number, count: number): { readonly entries: string[]; readonly vouchers: readonly SignedHead[] };
  signHead(): SignedHead;
}

export interface AuthorityParts {
  readonly root: Root;
  readonly signerId: string;
  /** By the identity key. */
  readonly sign: (message: Uint8Array) => Uint8Array;
  readonly store: LogStore;
  readonly clock: Clock;
  /** Told of every head that this log comes to. */
  readonly onHead: (head: SignedHead) => void;
}

/** Replays the log of the store. @throws {Error} naming the first entry that is not what it was */
export function openAuthority({ root, signerId, sign, store, clock, onHead }: AuthorityParts): SignerAuthority {
  let { registry, unconfirmed } = load(store, root);

  const refuse = (code: 'Behind' | 'Forked' | 'Refused', message: string): SignerRefusal =>
    new SignerRefusal(code, message, { head: registry.head, ...(code === 'Refused' && { cause: new Refusal('Conflict', message) }) });

  const tooEarly = ({ sequence }: Entry): SignerRefusal =>
    refuse('Behind', `this log ends with entry ${registry.head.sequence}: entry ${sequence} comes too early`);

  function signHead(): SignedHead {
    const { head } = registry;
    const at = Math.floor(clock() / 1000);
    return { ...head, at, signerId, signature: toBase64Url(sign(headMessage(root.clusterId, head, at))) };
  }

  function moved(): SignedHead {
    const head = signHead();
    onHead(head);
    return head;
  }

  /** Whatever fails in between leaves the log and the registry as they were. */
  function change<T>(work: () => T): T {
    try {
      return store.atomically(work);
    } catch (error) {
      ({ registry, unconfirmed } = load(store, root));
      throw error;
    }
  }

  function confirmHead(vouchers: readonly SignedHead[]): void {
    if (unconfirmed === undefined || !isConfirmed(root, registry.head, vouchers)) return;
    store.confirm(registry.head.sequence, vouchersText(vouchers));
    unconfirmed = undefined;
  }

  function drop(entry: Entry): void {
    change(() => store.dropFrom(entry.sequence));
    ({ registry, unconfirmed } = load(store, root));
  }

  /** Makes room for another history that t + 1 signers vouch for. @throws {SignerRefusal} Forked where this one is confirmed */
  function giveWay(sequence: number): void {
    if (unconfirmed?.sequence !== sequence) {
      const own = toHex(registry.hashAt(sequence) ?? new Uint8Array());
      throw refuse('Forked', `fork: others vouch for another entry ${sequence} than the confirmed one of this log (${own})`);
    }
    drop(unconfirmed);
  }

  function append(text: string, vouchers: readonly SignedHead[]): SignedHead {
    const entry = judgedAt(registry.head, () => decodeEntry(text));
    const head = headOf(entry);
    if (sameHead(head, registry.head)) return signHead();
    const before: Head = { sequence: entry.sequence - 1, hash: entry.previous };
    if (before.sequence > registry.head.sequence) throw tooEarly(entry);
    if (before.sequence === registry.head.sequence && !sameHead(before, registry.head) && isConfirmed(root, before, vouchers)) {
      giveWay(before.sequence);
      throw tooEarly(entry);
    }
    if (before.sequence === registry.head.sequence) {
      confirmHead(vouchers);
      if (unconfirmed !== undefined) {
        throw refuse('Refused', `entry ${entry.sequence} comes when ${root.threshold + 1} signers vouch for entry ${before.sequence}`);
      }
    }
    if (unconfirmed?.sequence === entry.sequence) {
      throw refuse('Refused', `this signer has another entry ${entry.sequence}, which is not confirmed yet`);
    }
    const accepted = judgedAt(registry.head, () => check(registry, entry, { now: clock() }));
    store.atomically(() => store.add([stored(entry)]));
    registry.commit(accepted);
    unconfirmed = entry;
    return moved();
  }

  function takeOver(texts: readonly string[], vouchers: readonly SignedHead[]): SignedHead {
    const entries = judgedAt(registry.head, () => texts.map(decodeEntry));
    const [first, last] = [entries[0], entries.at(-1)];
    if (first === undefined || last === undefined) {
      confirmHead(vouchers);
      return signHead();
    }
    if (first.sequence > registry.head.sequence + 1) throw tooEarly(first);
    requireVouched(entries, headOf(last), vouchers);
    const fork = forkedAt(registry, entries);
    if (fork !== undefined) giveWay(Math.min(fork, registry.head.sequence));
    if (first.sequence > registry.head.sequence + 1) throw tooEarly(first);

    const missing = entries.filter(({ sequence }) => sequence > registry.head.sequence);
    if (missing.length === 0) {
      confirmHead(vouchers);
      return signHead();
    }
    change(() => {
      judgedAt(registry.head, () => catchUp(registry, missing, vouchers));
      store.add(missing.map((entry) => stored(entry, entry === last ? vouchers : undefined)));
      unconfirmed = undefined;
    });
    return moved();
  }

  function requireVouched(entries: readonly Entry[], head: Head, vouchers: readonly SignedHead[]): void {
    for (const [i, entry] of entries.entries()) {
      const before = entries[i - 1];
      if (before === undefined) continue;
      if (!sameHead(headOf(before), { sequence: entry.sequence - 1, hash: entry.previous })) {
        throw refuse('Refused', `entry ${entry.sequence} does not follow the one before it`);
      }
    }
    if (isConfirmed(root, head, vouchers)) return;
    const message = `entries up to ${head.sequence} are taken over when ${root.threshold + 1} signers vouch for the last one`;
    throw new SignerRefusal('Refused', message, { head: registry.head, cause: new Refusal('Forbidden', message) });
  }

  /**
   * An entry that expired unconfirmed can still be one of the cluster's: then t more signers had it in time. So all but t of the signers,
   * this one aside, must say that they do not, at a time when they would not accept it any more.
   */
  function release(heads: readonly SignedHead[]): SignedHead {
    const held = unconfirmed;
    if (held === undefined) return signHead();
    const expiry = expiryOf(held);
    const own = headOf(held);
    const lacks = (head: SignedHead) =>
      head.signerId !== signerId &&
      head.at > expiry &&
      head.sequence <= own.sequence &&
      !sameHead(head, own) &&
      verifySignedHead(root, head);
    const lacking = new Set(heads.filter(lacks).map((head) => head.signerId));
    const needed = root.signers.length - root.threshold;
    if (clock() / 1000 <= expiry || lacking.size < needed) {
      throw refuse('Refused', `entry ${own.sequence} is given up when it has expired and ${needed} other signers show that they lack it`);
    }
    drop(held);
    return moved();
  }

  return {
    get registry() {
      return registry;
    },
    append,
    catchUp: takeOver,
    release,
    signHead,
    entries(from, count) {
      const page = fitting(store.read(from, Math.min(count, maxEntriesPerPage)));
      const isEnd = page.at(-1)?.sequence === registry.head.sequence;
      const end = isEnd ? page.length : page.findLastIndex(({ vouchers }) => vouchers !== null) + 1;
      const entries = page.slice(0, end);
      return { entries: entries.map(({ text }) => text), vouchers: vouchersFrom(entries.at(-1)?.vouchers ?? null) };
    },
  };
}

function load(store: LogStore, root: Root): { registry: MutableRegistry; unconfirmed: Entry | undefined } {
  const stored = [...store.all()];
  const verified = verifyLog(root, stored.map(slotOf));
  if (verified.problem !== undefined) {
    const { sequence, fault, reason } = verified.problem;
    throw new Error(`the authority log of this signer is not what it was: entry ${sequence} was ${fault} (${reason})`);
  }
  const last = stored.at(-1);
  return { registry: verified.registry, unconfirmed: last?.vouchers === null ? decodeEntry(last.text) : undefined };
}

function slotOf({ text }: StoredEntry): Entry | { unreadable: string } {
  try {
    return decodeEntry(text);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { unreadable: error.message };
  }
}

function stored(entry: Entry, vouchers?: readonly SignedHead[]): StoredEntry {
  return { sequence: entry.sequence, text: encodeEntry(entry), vouchers: vouchers === undefined ? null : vouchersText(vouchers) };
}

/** As many as one message holds. */
function fitting(page: readonly StoredEntry[]): readonly StoredEntry[] {
  let chars = 0;
  const over = page.findIndex(({ text }) => {
    chars += text.length;
    return chars > maxPageChars;
  });
  return over < 0 ? page : page.slice(0, over);
}

/** Unix seconds: from then on nobody accepts it live. */
function expiryOf(entry: Entry): number {
  return 'recovery' in entry ? entry.recovery.at + recoveryLifetimeSeconds : entry.authorisation.binding.expiresAt;
}
