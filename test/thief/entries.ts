/** Putting entries to signers as the service would, or as a thief in its place. */

import { type Entry, encodeEntry, entryAfter } from '../../src/authority/entry.ts';
import type { Head } from '../../src/authority/head.ts';
import type { SignedHead } from '../../src/authority/signedHead.ts';
import type { Authorisation } from '../../src/crypto/authorisation.ts';
import type { TestCluster, TestSigner } from '../signer/cluster.ts';
import { outcomeOf } from '../signer/shares.ts';

/** `taken`, or why not. */
export async function takenBy(signer: TestSigner, entry: Entry | string, vouchers: readonly SignedHead[]): Promise<string> {
  const text = typeof entry === 'string' ? entry : encodeEntry(entry);
  return taken(await outcomeOf(signer.ask('append', { entry: text, vouchers: [...vouchers] })));
}

/** This request as the next entry, at each of these signers; into no log of the service. */
export async function proposed(
  cluster: TestCluster,
  authorisation: Authorisation,
  among: readonly TestSigner[] = cluster.signers,
  at: Head = cluster.registry.head,
): Promise<string[]> {
  const entry = entryAfter(at, { authorisation });
  return Promise.all(among.map((signer) => takenBy(signer, entry, cluster.vouchers.get(at.sequence) ?? [])));
}

export async function caughtUp(signer: TestSigner, entries: readonly (Entry | string)[], vouchers: readonly SignedHead[]): Promise<string> {
  const texts = entries.map((entry) => (typeof entry === 'string' ? entry : encodeEntry(entry)));
  return taken(await outcomeOf(signer.ask('catchUp', { entries: texts, vouchers: [...vouchers] })));
}

function taken(outcome: string): string {
  return outcome === 'a share' ? 'taken' : outcome;
}
