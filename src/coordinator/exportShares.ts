/** The shares of a key that leaves, as the signers encrypt them: nothing here can read them. @module */

import { Refusal } from '../base/errors.ts';
import { type Link, SignerFailure } from './link.ts';
import { commonRefusal, SignerFailures } from './quorum.ts';

/**
 * Asks all holders; each that answers adds a share.
 * @param ask     what brings one signer's box
 * @param needed  so many make the key
 * @returns by participant number
 * @throws {Refusal} the signers' own, when so many refuse; Unavailable when too few answer
 */
export async function collectShares(
  holders: readonly Link[],
  needed: number,
  ask: (link: Link) => Promise<Uint8Array>,
): Promise<ReadonlyMap<number, Uint8Array>> {
  const boxes = new Map<number, Uint8Array>();
  const failures: SignerFailure[] = [];
  await Promise.all(
    holders.map(async (link) => {
      try {
        boxes.set(link.index, await ask(link));
      } catch (error) {
        if (!(error instanceof SignerFailure)) throw error;
        failures.push(error);
      }
    }),
  );
  if (boxes.size >= needed) return new Map([...boxes].sort(([a], [b]) => a - b));
  throw (
    commonRefusal(failures, needed) ??
    new Refusal('Unavailable', `export needs ${needed} of ${holders.length} signers; ${boxes.size} answer`, {
      cause: new SignerFailures(failures),
    })
  );
}
