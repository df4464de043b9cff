/** What the coordinator tells of its work to whoever counts (`server/metrics.ts`). @module */

import type { KeyType } from '../base/keyTypes.ts';
import type { StockMeter } from './stock.ts';

export interface CoordinatorMeter {
  pool(pool: KeyType): StockMeter;
  /** How long a part of a signature took: waiting for what is made ahead, asking the signers, combining and verifying. */
  stage(stage: SigningStage, keyType: KeyType, seconds: number): void;
}

export type SigningStage = 'pool' | 'signers' | 'combine';

export const unmetered: CoordinatorMeter = {
  pool: () => ({ refilled: () => undefined, foundDry: () => undefined }),
  stage: () => undefined,
};
