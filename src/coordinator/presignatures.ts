/**
 * The stock of ECDSA presignatures: names of what lies in the signers' memories, with the public R of each. A presignature belongs to
 * the set of signers that made it, and to no key.
 * @module
 */

import { equal } from '../base/bytes.ts';
import { Abort } from '../base/errors.ts';
import type { Outcome } from '../signer/contract.ts';
import type { Link } from './link.ts';
import { runSession } from './session.ts';
import { createStock, type Stock, type StockMeter } from './stock.ts';
import type { Claimant } from './turns.ts';

export type EcdsaCurve = 'secp256k1' | 'stark';
type EcdsaKeyType = `ECDSA/${EcdsaCurve}`;

export interface StockedPresignature {
  readonly batch: Uint8Array;
  readonly number: number;
  readonly R: Uint8Array;
}

export interface PresignatureStock {
  /** Takes one out for good. @throws {SignerFailures | Abort} when a batch had to be made and was not */
  take(curve: EcdsaCurve, links: readonly Link[], claimant: Claimant): Promise<StockedPresignature>;
  /** Forgets all that this signer took part in: its memory is gone. */
  forget(index: number): void;
  depths(): readonly { readonly pool: EcdsaKeyType; readonly depth: number }[];
}

/** stark arithmetic is some seven times slower, and less asked for. */
const batchSizes = { secp256k1: { least: 32, most: 128 }, stark: { least: 4, most: 16 } } as const;

interface Shelf {
  readonly pool: EcdsaKeyType;
  readonly participants: readonly number[];
  readonly stock: Stock<StockedPresignature>;
}

export function presignatureStock(meterOf: (pool: EcdsaKeyType) => StockMeter): PresignatureStock {
  const shelves = new Map<string, Shelf>();

  return {
    take(curve, links, claimant) {
      const participants = links.map((link) => link.index);
      const name = `${curve}:${participants.join()}`;
      const known = shelves.get(name);
      if (known !== undefined) return known.stock.take(claimant);
      const pool = `ECDSA/${curve}` as const;
      const stock = createStock({
        make: (count) => presignBatch(curve, links, count),
        batch: batchSizes[curve],
        meter: meterOf(pool),
      });
      shelves.set(name, { pool, participants, stock });
      return stock.take(claimant);
    },
    forget(index) {
      for (const { participants, stock } of shelves.values()) if (participants.includes(index)) stock.discard(() => true);
    },
    depths: () => [...shelves.values()].map(({ pool, stock }) => ({ pool, depth: stock.depth })),
  };
}

async function presignBatch(curve: EcdsaCurve, links: readonly Link[], count: number): Promise<StockedPresignature[]> {
  const outcomes = await runSession(links, { kind: 'presign', curve, count });
  const [first, ...rest] = [...outcomes.values()].map(presigned);
  if (first?.commitments.length !== count || !rest.every((other) => sameBatch(first, other)))
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
