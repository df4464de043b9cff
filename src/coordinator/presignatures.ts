/**
 * The stock of ECDSA presignatures: names of what lies in the signers' memories, with the public R of each. A presignature belongs to
 * the set of signers that made it. Stocks are refilled in batches when they run low; whoever finds one dry waits for the batch under way.
 * @module
 */

import { equal } from '../base/bytes.ts';
import { Abort } from '../base/errors.ts';
import type { Outcome } from '../signer/contract.ts';
import type { Link } from './link.ts';
import { runSession } from './session.ts';

export type EcdsaCurve = 'secp256k1' | 'stark';

export interface StockedPresignature {
  readonly batch: Uint8Array;
  readonly number: number;
  readonly R: Uint8Array;
}

export interface PresignatureStock {
  /** Takes one out for good. @throws {SignerFailures | Abort} when a batch had to be made and was not */
  take(curve: EcdsaCurve, links: readonly Link[]): Promise<StockedPresignature>;
  /** Forgets all that this signer took part in: its memory is gone. */
  forget(index: number): void;
}

/** stark arithmetic is some thirty times slower, and less asked for. */
const batchSizes = { secp256k1: 32, stark: 4 } as const satisfies Record<EcdsaCurve, number>;
/** Younger than what signers keep, so that no name outlives its secret. */
const maxAgeMs = 5 * 60_000;

interface Shelf {
  readonly participants: readonly number[];
  items: { presignature: StockedPresignature; since: number }[];
  refill: Promise<void> | undefined;
}

export function presignatureStock(): PresignatureStock {
  const shelves = new Map<string, Shelf>();

  const shelfOf = (curve: EcdsaCurve, links: readonly Link[]): Shelf => {
    const participants = links.map((link) => link.index);
    const name = `${curve}:${participants.join()}`;
    const shelf = shelves.get(name) ?? { participants, items: [], refill: undefined };
    shelves.set(name, shelf);
    return shelf;
  };

  const refill = (shelf: Shelf, curve: EcdsaCurve, links: readonly Link[]): Promise<void> => {
    shelf.refill ??= presignBatch(curve, links)
      .then((batch) => {
        const since = Date.now();
        shelf.items.push(...batch.map((presignature) => ({ presignature, since })));
      })
      .finally(() => {
        shelf.refill = undefined;
      });
    return shelf.refill;
  };

  return {
    async take(curve, links) {
      const shelf = shelfOf(curve, links);
      for (;;) {
        const item = shelf.items.shift();
        if (item === undefined) {
          await refill(shelf, curve, links);
          continue;
        }
        if (Date.now() - item.since > maxAgeMs) continue;
        // In the background; whoever finds the shelf empty meets the failure.
        if (shelf.items.length < batchSizes[curve] / 2) refill(shelf, curve, links).catch(() => undefined);
        return item.presignature;
      }
    },
    forget(index) {
      for (const [name, shelf] of shelves) if (shelf.participants.includes(index)) shelves.delete(name);
    },
  };
}

async function presignBatch(curve: EcdsaCurve, links: readonly Link[]): Promise<StockedPresignature[]> {
  const outcomes = await runSession(links, { kind: 'presign', curve, count: batchSizes[curve] });
  const [first, ...rest] = [...outcomes.values()].map(presigned);
  if (first === undefined || !rest.every((other) => sameBatch(first, other)))
    throw new Abort([], 'the signers made different presignatures');
  return first.commitments.map((R, number) => ({ batch: first.batch, number, R }));
}

type Presigned = Extract<Outcome, { kind: 'presign' }>;

function presigned(outcome: Outcome): Presigned {
  if (outcome.kind !== 'presign') throw new Abort([], `a presigning session ended as ${outcome.kind}`);
  return outcome;
}

function sameBatch(a: Presigned, b: Presigned): boolean {
  return (
    equal(a.batch, b.batch) &&
    a.commitments.length === b.commitments.length &&
    a.commitments.every((R, i) => equal(R, b.commitments[i] ?? new Uint8Array()))
  );
}
