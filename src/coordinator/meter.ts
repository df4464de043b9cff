/** What is told of every signature to whoever counts (`server/metrics.ts`): no key, no caller. @module */

import type { KeyType } from '../base/keyTypes.ts';
import type { StockMeter } from './stock.ts';

export interface Meter {
  /** Of what is made ahead for keys of this type. */
  pool(pool: KeyType): StockMeter;
  stage(stage: SigningStage, seconds: number): void;
  signature(keyType: KeyType, outcome: 'signed' | 'failed'): void;
}

/**
 * The way of a signature: the statement that begins the request; what is made ahead, and waited for if there is none; the signers' judgement
 * and their shares; combining and verifying; the statement that makes it Signed.
 */
export type SigningStage = 'begin' | 'pool' | 'signers' | 'combine' | 'move';

export const unmetered: Meter = {
  pool: () => ({ refilled: () => undefined, foundDry: () => undefined }),
  stage: () => undefined,
  signature: () => undefined,
};

/** Does the work, and tells how long it took if it did not fail. */
export async function timed<T>(meter: Meter, stage: SigningStage, work: () => T | Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await work();
  meter.stage(stage, (performance.now() - began) / 1000);
  return result;
}
