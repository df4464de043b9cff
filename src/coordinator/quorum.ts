/**
 * Asking several signers at once, and choosing whom to ask. A signer that fails is left out and another takes its place, as long as
 * enough are there.
 * @module
 */

import { Abort, Refusal, type RefusalCode, refusals } from '../base/errors.ts';
import { type Link, SignerFailure } from './link.ts';

/** Some of those asked did not do their part. */
export class SignerFailures extends Error {
  readonly failures: readonly SignerFailure[];

  constructor(failures: readonly SignerFailure[]) {
    super(failures.map(({ message }) => message).join('; '));
    this.name = 'SignerFailures';
    this.failures = failures;
  }

  /** Who must be left out of the next attempt: those who are down, refuse, or are blamed by an honest majority's abort. */
  get toLeaveOut(): ReadonlySet<number> {
    return new Set(this.failures.flatMap((failure) => (failure.culprits.length > 0 ? failure.culprits : [failure.index])));
  }
}

/**
 * The refusal that so many signers give by the same rule: what t + 1 of them refuse, an honest one does.
 * @returns undefined when there is none
 */
export function commonRefusal(failures: readonly SignerFailure[], needed: number): Refusal | undefined {
  for (const { refusal, reason } of failures) {
    if (refusal === undefined || refusal === 'Unavailable') continue;
    const indices = new Set(failures.filter((failure) => failure.refusal === refusal).map(({ index }) => index));
    if (indices.size >= needed) return new Refusal(refusal, subjectIn(refusal, reason), { cause: new SignerFailures(failures) });
  }
  return undefined;
}

/** What a message of this refusal says in place of its `{}`. */
function subjectIn(code: RefusalCode, message: string): string {
  const [before = '', after = ''] = refusals[code].message.split('{}');
  return message.slice(before.length, message.length - after.length);
}

/** Waits for all, so that nobody is left working on what has failed already. @throws {SignerFailures} */
export async function askAll<T>(links: readonly Link[], ask: (link: Link) => Promise<T>): Promise<Map<number, T>> {
  const answers = await Promise.allSettled(links.map(async (link) => [link.index, await ask(link)] as const));
  const failures = answers.flatMap((answer) => (answer.status === 'rejected' ? [failureOf(answer.reason)] : []));
  if (failures.length > 0) throw new SignerFailures(failures);
  return new Map(answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : [])));
}

function failureOf(error: unknown): SignerFailure {
  if (error instanceof SignerFailure) return error;
  throw error;
}

/**
 * How often one request is tried with other signers or fresh nonces, and until when a new attempt may begin: two signers that hang, of
 * the five of a 5/2 cluster, may be found one after the other, each by a question that times out.
 */
const maxAttempts = 4;
const lastAttemptAfterMs = 8_000;

export interface Quorum {
  readonly links: readonly Link[];
  readonly size: number;
  /** How many signers may be corrupt. */
  readonly threshold: number;
  /** For the refusal: 'ECDSA signing'. */
  readonly purpose: string;
  readonly rotation?: number;
}

/**
 * Does `work` with `size` of the signers; when some fail, again with others.
 * @throws {Refusal} the signers' own when t + 1 of them refuse; Unavailable when too few are left, or the attempts are used up
 */
export async function withQuorum<T>(
  { links, size, threshold, purpose, rotation = 0 }: Quorum,
  work: (chosen: readonly Link[]) => Promise<T>,
): Promise<T> {
  const began = Date.now();
  const leftOut = new Set<number>();
  const causes: unknown[] = [];
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const chosen = choose(links, size, leftOut, rotation + attempt);
    if (chosen === undefined) break;
    try {
      return await work(chosen);
    } catch (error) {
      if (!(error instanceof SignerFailures || error instanceof Abort)) throw error;
      causes.push(error);
      for (const index of blamed(error)) leftOut.add(index);
    }
    if (Date.now() - began > lastAttemptAfterMs) break;
  }
  const failures = causes.flatMap((cause) => (cause instanceof SignerFailures ? cause.failures : []));
  const refusal = commonRefusal(failures, threshold + 1);
  if (refusal !== undefined) throw refusal;
  const missing = leftOut.size === 0 ? '' : `; failing: signer ${[...leftOut].sort((a, b) => a - b).join(', ')}`;
  throw new Refusal('Unavailable', `${purpose} needs ${size} of ${links.length} signers${missing}`, { cause: new AggregateError(causes) });
}

/** A presignature or nonce that is gone is nobody's fault: the same signers are asked again with a fresh one. */
function blamed(error: SignerFailures | Abort): readonly number[] {
  if (error instanceof Abort) return error.culprits;
  const faults = error.failures.filter((failure) => !failure.isOfMemory);
  return [...new SignerFailures(faults).toLeaveOut];
}

/** Those likely up first, turning with `rotation` so that the load is shared; ascending, as protocols want them. */
function choose(links: readonly Link[], size: number, leftOut: ReadonlySet<number>, rotation: number): readonly Link[] | undefined {
  const turned = links.map((_, i) => links[(i + rotation) % links.length] as Link).filter((link) => !leftOut.has(link.index));
  const ordered = [...turned.filter((link) => link.likelyUp), ...turned.filter((link) => !link.likelyUp)];
  return ordered.length < size ? undefined : ordered.slice(0, size).sort((a, b) => a.index - b.index);
}
