/**
 * The authority log: entries in one order, each hashed with the one before it, each verified before it counts.
 *
 *   check    what an entry does, if it is good at this head; writes nothing, so that a signer can make the entry durable in between
 *   commit   of the registry: the entry counts
 *   catchUp  many entries at once, which others have accepted while this one was away
 * @module
 */

import { equal } from '../base/bytes.ts';
import { Refusal } from '../base/errors.ts';
import { type Moment, timeOf, timeShownBy } from './authorise.ts';
import { decideClusterChange, isSignedBy, isVouchedFor, timeShownByChange } from './cluster.ts';
import { decide } from './decide.ts';
import { type Entry, headOf } from './entry.ts';
import type { Head } from './head.ts';
import { operatorsLifetimeSeconds } from './operators.ts';
import { decideRecovery, timeShownByRecovery } from './recovery.ts';
import type { Accepted, MutableRegistry, Registry } from './registry.ts';
import { isConfirmed, type SignedHead } from './signedHead.ts';
import type { SetInForce } from './signers.ts';

/** @throws {Refusal} Conflict when it does not follow this head; and what the entry itself is refused for */
export function check(registry: Registry, entry: Entry, moment: Moment): Accepted {
  requireNext(registry.head, entry);
  const position = { follows: registry.head, head: headOf(entry) };
  if ('recovery' in entry) {
    const changes = decideRecovery(registry, entry.recovery, moment);
    return { ...position, time: timeShownByRecovery(registry, entry.recovery), changes };
  }
  if ('cluster' in entry) {
    const changes = decideClusterChange(registry, entry.cluster, position.head, moment);
    return { ...position, time: timeShownByChange(registry, entry.cluster), changes };
  }
  const { binding } = entry.authorisation;
  const { changes } = decide(registry, entry.authorisation, moment);
  return { ...position, time: timeShownBy(registry, binding), spent: { nonce: binding.nonce, expiresAt: binding.expiresAt }, changes };
}

/** Checks and commits. @throws {Refusal} and nothing has changed */
export function apply(registry: MutableRegistry, entry: Entry, moment: Moment): Accepted {
  const accepted = check(registry, entry, moment);
  registry.commit(accepted);
  return accepted;
}

/**
 * Takes over entries that were accepted elsewhere. Their expiry cannot be judged any more, so t + 1 signers must vouch for the last of
 * them: one of those is honest, and has accepted it in time or seen the same proof. Then every entry is verified as always.
 *
 * @throws {Refusal} Forbidden when too few vouch, Conflict when the entries do not follow this head, and what an entry is refused for:
 * those before it stand then, and they are vouched for
 */
export function catchUp(registry: MutableRegistry, entries: readonly Entry[], vouchers: readonly SignedHead[]): readonly Accepted[] {
  requireConfirmed(registry, entries, vouchers);
  return entries.map((entry) => apply(registry, entry, 'replay'));
}

/** @throws {Refusal} Forbidden when too few vouch for the last of these entries, Conflict when they do not follow this head */
export function requireConfirmed(registry: Registry, entries: readonly Entry[], vouchers: readonly SignedHead[]): void {
  let head: Head = registry.head;
  for (const entry of entries) {
    requireNext(head, entry);
    head = headOf(entry);
  }
  if (!areVouchedFor(registry, entries, vouchers)) {
    const { threshold } = registry.cluster;
    throw new Refusal('Forbidden', `entries up to ${head.sequence} are taken over when ${threshold + 1} signers vouch for the last one`);
  }
}

/**
 * Whether signers vouch for the last of these entries whose word counts there (`isVouchedFor`), where this registry need not have the
 * entries. Changes of signers among them are followed as far as operators have signed them, each set handing over to the next; whatever else
 * they are worth is found when they are applied.
 */
export function areVouchedFor(registry: Registry, entries: readonly Entry[], vouchers: readonly SignedHead[]): boolean {
  const [first, last] = [entries[0], entries.at(-1)];
  if (first === undefined || last === undefined) return isVouchedFor(registry, registry.head, vouchers);
  let sets: readonly (SetInForce | undefined)[] = registry.clustersAt(first.sequence).slice(0, 1);
  for (const entry of entries) {
    const current = sets.at(-1);
    sets = [current];
    if (current === undefined || !('cluster' in entry) || !isSignedBy(current, entry.cluster)) continue;
    const { threshold, signers } = entry.cluster;
    sets = [current, { clusterId: current.clusterId, threshold, signers, since: headOf(entry) }];
  }
  return sets.some((set) => set !== undefined && isConfirmed(set, headOf(last), vouchers));
}

/**
 * Where another's log parts from this one: the number of the first entry that is another's; undefined when the two agree as far as both go.
 * @param entries consecutive ones of the other log
 */
export function forkedAt({ head, hashAt }: Registry, entries: readonly Entry[]): number | undefined {
  const differs = (entry: Entry) => {
    const before = hashAt(entry.sequence - 1);
    const own = hashAt(entry.sequence);
    return (before && !equal(entry.previous, before)) || (own && !equal(headOf(entry).hash, own));
  };
  return entries.find((entry) => entry.sequence <= head.sequence + 1 && differs(entry))?.sequence;
}

/** When what an entry says was asked for, or agreed on: unix seconds. */
export function askedAt(entry: Entry): number {
  if ('recovery' in entry) return entry.recovery.at;
  return 'cluster' in entry ? entry.cluster.at : timeOf(entry.authorisation.binding);
}

/** Unix seconds: from then on nobody accepts it live. */
export function expiryOf(entry: Entry): number {
  return 'authorisation' in entry ? entry.authorisation.binding.expiresAt : askedAt(entry) + operatorsLifetimeSeconds;
}

function requireNext(head: Head, { sequence, previous }: Entry): void {
  if (sequence !== head.sequence + 1) throw new Refusal('Conflict', `entry ${sequence} does not follow entry ${head.sequence}`);
  if (!equal(previous, head.hash))
    throw new Refusal('Conflict', `entry ${sequence} follows another entry ${head.sequence} than this log's`);
}
