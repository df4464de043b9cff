/**
 * A whole log, read from its root: either the registry it makes, or the first place where it is not the log that was kept.
 *
 * Without a head to reach, a log whose end was cut off is a shorter log like any other. With one (a signer's, from its logs or from
 * `GET /signers`), nothing is missing.
 * @module
 */

import { equal } from '../base/bytes.ts';
import { Refusal } from '../base/errors.ts';
import { authenticate, authorise } from './authorise.ts';
import { type Entry, headOf } from './entry.ts';
import { anchorOf, type Head, sameHead } from './head.ts';
import { apply } from './log.ts';
import type { MutableRegistry, Registry } from './registry.ts';
import { initialRegistry, type Root } from './root.ts';

/**
 * What was done to a log. `rewritten`: one of the other four, and then it was hashed anew. That is noticed at the first entry which was
 * signed at a head that the log has no more; usually it is the first one after what was done.
 */
export type Fault = 'altered' | 'removed' | 'inserted' | 'reordered' | 'rewritten';

export interface Problem {
  /** The number of the entry that is not what it was, not there, or not one; of two in the wrong order, the number that comes first. */
  readonly sequence: number;
  readonly fault: Fault;
  readonly reason: string;
}

/** An entry, or why it could not be read. */
export type Slot = Entry | { readonly unreadable: string };

export type Verified = Good | Bad;

interface Good {
  readonly registry: MutableRegistry;
  readonly head: Head;
  readonly problem?: undefined;
}

interface Bad {
  readonly problem: Problem;
  /** Where it was noticed, counted from 0. */
  readonly at: number;
}

/** @param expected a head that the log is known to have had */
export function verifyLog(root: Root, slots: readonly Slot[], expected?: Head): Verified {
  const registry = initialRegistry(root);
  for (const [at, slot] of slots.entries()) {
    try {
      if ('unreadable' in slot) throw new Refusal('BadRequest', slot.unreadable);
      apply(registry, slot, 'replay');
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const found = diagnosis({ registry, slots, at, expected });
      const reason = found.fault === 'rewritten' ? `${error.message}; ${provenance(registry, slots.slice(0, at))}` : error.message;
      return { problem: { ...found, reason }, at };
    }
  }
  const problem = expected && departure(registry, expected);
  return problem ? { problem, at: slots.length } : { registry, head: registry.head };
}

/** How a log that is good in itself is not the one of this head. */
function departure(registry: Registry, expected: Head): Problem | undefined {
  const { sequence } = registry.head;
  if (expected.sequence > sequence) {
    return {
      sequence: sequence + 1,
      fault: 'removed',
      reason: `the log ends with entry ${sequence}, and had ${expected.sequence} entries`,
    };
  }
  const hash = registry.hashAt(expected.sequence);
  if (hash !== undefined && equal(hash, expected.hash)) return undefined;
  return {
    sequence: expected.sequence,
    fault: 'altered',
    reason: `entry ${expected.sequence} has another hash than the head that is known`,
  };
}

interface Scene {
  /** As the entries before this slot made it. */
  readonly registry: Registry;
  readonly slots: readonly Slot[];
  readonly at: number;
  readonly expected: Head | undefined;
}

/** What was done, judged by what stands around the first slot that is not accepted. */
function diagnosis({ registry, slots, at, expected }: Scene): Pick<Problem, 'sequence' | 'fault'> {
  const { head } = registry;
  const sequence = head.sequence + 1;
  const slot = slots[at];
  const others = slots.filter((other, i): other is Entry => i !== at && !('unreadable' in other));
  const rightfulIsLater = slots.slice(at + 1).some((later) => !('unreadable' in later) && follows(later, head));

  if (slot === undefined || 'unreadable' in slot) return { sequence, fault: rightfulIsLater ? 'inserted' : 'altered' };
  if (slot.sequence !== sequence && !equal(slot.previous, head.hash)) {
    const own = headOf(slot);
    const isRepeated = slot.sequence < sequence || others.some((other) => sameHead(headOf(other), own));
    if (isRepeated || !isOurs(registry, slot)) return { sequence, fault: 'inserted' };
    if (!rightfulIsLater) return { sequence, fault: 'removed' };
    const hasItsPlace = others.some((other) => sameHead(headOf(other), { sequence: slot.sequence - 1, hash: slot.previous }));
    return { sequence, fault: hasItsPlace ? 'reordered' : 'inserted' };
  }
  if (slot.sequence !== sequence) return { sequence, fault: 'altered' };
  if (rightfulIsLater || !isOurs(registry, slot)) return { sequence, fault: 'inserted' };
  if (!equal(slot.previous, head.hash)) {
    // Intact as those after it know it: then it is the entry before that changed, in a part that no signature covers.
    const next = slots[at + 1];
    const own = headOf(slot);
    const isKnown = next === undefined ? expected !== undefined && sameHead(own, expected) : !('unreadable' in next) && follows(next, own);
    return { sequence: isKnown && at > 0 ? head.sequence : sequence, fault: 'altered' };
  }
  if (!isAuthentic(registry, slot)) return { sequence, fault: 'altered' };
  return { sequence, fault: isOfThisHistory(registry, slot) ? 'inserted' : 'rewritten' };
}

function follows(entry: Entry, head: Head): boolean {
  return entry.sequence === head.sequence + 1 && equal(entry.previous, head.hash);
}

/** Whether anything about the entry is of this organisation. */
function isOurs({ organisationId, credentials }: Registry, entry: Entry): boolean {
  if (!('authorisation' in entry)) return true;
  const { binding, assertion } = entry.authorisation;
  return binding.organisationId === organisationId || credentials.has(assertion.credId);
}

function isAuthentic(registry: Registry, entry: Entry): boolean {
  return 'authorisation' in entry && refusalOf(() => authenticate(registry, entry.authorisation)) === undefined;
}

/** Whether it was made at a head of this log, be it refused for another reason. */
function isOfThisHistory(registry: Registry, entry: Entry): boolean {
  return !('authorisation' in entry) || refusalOf(() => authorise(registry, entry.authorisation, 'replay'))?.code !== 'Unavailable';
}

/** Requests prove the log up to the head they were made at. */
function provenance(registry: Registry, before: readonly Slot[]): string {
  const anchors = before.map((slot) => ('authorisation' in slot ? anchorOf(slot.authorisation.binding.nonce) : undefined));
  const proven = anchors.reduce((latest, anchor) => Math.max(latest, (anchor && registry.sequenceOf(anchor)) || 0), 0);
  return `the entries up to ${proven} are proven by those after them, the following up to here are not`;
}

function refusalOf(work: () => unknown): Refusal | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}
