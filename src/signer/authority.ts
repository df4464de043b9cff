/**
 * This signer's copy of the authority log, and the registry that it makes. An entry counts here when it is durable here; that it counts
 * for the cluster, t + 1 signers say, which this one hears of with the next entry. So the last entry may be *unconfirmed*, and no more than
 * that one: it is given up when t + 1 signers vouch for another in its place, or when it is shown that it never came to be. What is
 * confirmed stays: two confirmed histories are a fork, and no signer takes part in the second one.
 * @module
 */

import { isVouchedFor } from '../authority/cluster.ts';
import { decodeEntry, type Entry, headOf } from '../authority/entry.ts';
import { type Head, sameHead } from '../authority/head.ts';
import { areVouchedFor, check, expiryOf, forkedAt } from '../authority/log.ts';
import type { Registry } from '../authority/registry.ts';
import { headMessage, type SignedHead, verifySignedHead } from '../authority/signedHead.ts';
import { toBase64Url, toHex } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { assert, Refusal } from '../base/errors.ts';
import { maxEntriesPerPage, maxPageChars } from './contract.ts';
import { judgedAt, SignerRefusal } from './errors.ts';
import { type Ledger, type LedgerParts, openLedger } from './ledger.ts';
import type { StoredEntry } from './store.ts';
import { vouchersFrom } from './vouchers.ts';

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
  /** As of the ledger. */
  review: Ledger['review'];
}

export interface AuthorityParts extends LedgerParts {
  readonly clock: Clock;
  /** Whether its heads say when: one without a date vouches for what is in the log, not for what is not. */
  readonly isDated: () => boolean;
  /** Told of every head that this log comes to. */
  readonly onHead: (head: SignedHead) => void;
}

/** @throws {Error} naming the first entry that is not what it was */
export function openAuthority({
  root,
  signerId,
  sign,
  store,
  clock,
  isDated,
  onHead,
  onDistrust,
  onFault,
}: AuthorityParts): SignerAuthority {
  const ledger = openLedger({ root, signerId, sign, store, onDistrust, onFault });

  const refuse = (code: 'Behind' | 'Forked' | 'Refused', message: string): SignerRefusal =>
    new SignerRefusal(code, message, {
      head: ledger.registry.head,
      ...(code === 'Refused' && { cause: new Refusal('Conflict', message) }),
    });

  const tooEarly = ({ sequence }: Entry): SignerRefusal =>
    refuse('Behind', `this log ends with entry ${ledger.registry.head.sequence}: entry ${sequence} comes too early`);

  function signHead(): SignedHead {
    const { head } = ledger.registry;
    const at = isDated() ? Math.floor(clock() / 1000) : 0;
    return { ...head, at, signerId, signature: toBase64Url(sign(headMessage(root.clusterId, head, at))) };
  }

  function moved(): SignedHead {
    const head = signHead();
    onHead(head);
    return head;
  }

  function confirmHead(vouchers: readonly SignedHead[]): void {
    if (ledger.unconfirmed !== undefined && isVouchedFor(ledger.registry, ledger.registry.head, vouchers)) ledger.confirm(vouchers);
  }

  /** Makes room for another history that t + 1 signers vouch for. @throws {SignerRefusal} Forked where this one is confirmed */
  function giveWay(sequence: number): void {
    if (ledger.unconfirmed?.sequence !== sequence) {
      const own = toHex(ledger.registry.hashAt(sequence) ?? new Uint8Array());
      throw refuse('Forked', `fork: others vouch for another entry ${sequence} than the confirmed one of this log (${own})`);
    }
    ledger.drop();
  }

  function append(text: string, vouchers: readonly SignedHead[]): SignedHead {
    const entry = judgedAt(ledger.registry.head, () => decodeEntry(text));
    const head = headOf(entry);
    if (sameHead(head, ledger.registry.head)) return signHead();
    const before: Head = { sequence: entry.sequence - 1, hash: entry.previous };
    if (before.sequence > ledger.registry.head.sequence) throw tooEarly(entry);
    if (
      before.sequence === ledger.registry.head.sequence &&
      !sameHead(before, ledger.registry.head) &&
      isVouchedFor(ledger.registry, before, vouchers)
    ) {
      giveWay(before.sequence);
      throw tooEarly(entry);
    }
    if (before.sequence === ledger.registry.head.sequence) {
      confirmHead(vouchers);
      if (ledger.unconfirmed !== undefined) {
        throw refuse(
          'Refused',
          `entry ${entry.sequence} comes when ${ledger.registry.cluster.threshold + 1} signers vouch for entry ${before.sequence}`,
        );
      }
    }
    if (ledger.unconfirmed?.sequence === entry.sequence) {
      throw refuse('Refused', `this signer has another entry ${entry.sequence}, which is not confirmed yet`);
    }
    const accepted = judgedAt(ledger.registry.head, () => check(ledger.registry, entry, { now: clock() }));
    ledger.add(entry, accepted);
    return moved();
  }

  function takeOver(texts: readonly string[], vouchers: readonly SignedHead[]): SignedHead {
    const entries = judgedAt(ledger.registry.head, () => texts.map(decodeEntry));
    const [first, last] = [entries[0], entries.at(-1)];
    if (first === undefined || last === undefined) {
      confirmHead(vouchers);
      return signHead();
    }
    if (first.sequence > ledger.registry.head.sequence + 1) throw tooEarly(first);
    requireVouched(entries, headOf(last), vouchers);
    const fork = forkedAt(ledger.registry, entries);
    if (fork !== undefined) giveWay(Math.min(fork, ledger.registry.head.sequence));
    if (first.sequence > ledger.registry.head.sequence + 1) throw tooEarly(first);

    const missing = entries.filter(({ sequence }) => sequence > ledger.registry.head.sequence);
    if (missing.length === 0) {
      confirmHead(vouchers);
      return signHead();
    }
    judgedAt(ledger.registry.head, () => ledger.takeOver(missing, vouchers));
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
    if (areVouchedFor(ledger.registry, entries, vouchers)) return;
    const message = `entries up to ${head.sequence} are taken over when ${ledger.registry.cluster.threshold + 1} signers vouch for the last one`;
    throw new SignerRefusal('Refused', message, { head: ledger.registry.head, cause: new Refusal('Forbidden', message) });
  }

  /**
   * An entry that expired unconfirmed can still be one of the cluster's: then t more signers had it in time. So all but t of the signers,
   * this one aside, must say that they do not, at a time when they would not accept it any more.
   */
  function release(heads: readonly SignedHead[]): SignedHead {
    const held = ledger.unconfirmed;
    if (held === undefined) return signHead();
    const expiry = expiryOf(held);
    const own = headOf(held);
    const [set] = ledger.registry.clustersAt(held.sequence);
    assert(set, 'some signers are in force');
    const lacks = (head: SignedHead) =>
      head.signerId !== signerId &&
      head.at > expiry &&
      head.sequence <= own.sequence &&
      !sameHead(head, own) &&
      verifySignedHead(set, head);
    const lacking = new Set(heads.filter(lacks).map((head) => head.signerId));
    const needed = set.signers.length - set.threshold;
    if (clock() / 1000 <= expiry || lacking.size < needed) {
      throw refuse('Refused', `entry ${own.sequence} is given up when it has expired and ${needed} other signers show that they lack it`);
    }
    ledger.drop();
    return moved();
  }

  return {
    get registry() {
      return ledger.registry;
    },
    append,
    catchUp: takeOver,
    release,
    signHead,
    review: ledger.review,
    entries(from, count) {
      const page = fitting(store.log.read(from, Math.min(count, maxEntriesPerPage)));
      const isEnd = page.at(-1)?.sequence === ledger.registry.head.sequence;
      const end = isEnd ? page.length : page.findLastIndex(({ vouchers }) => vouchers !== null) + 1;
      const entries = page.slice(0, end);
      return { entries: entries.map(({ text }) => text), vouchers: vouchersFrom(entries.at(-1)?.vouchers ?? null) };
    },
  };
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
