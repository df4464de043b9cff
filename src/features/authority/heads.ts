/** The heads that signers show, held against the log of the database. @module */

import type { Entry } from '../../authority/entry.ts';
import { forkedAt } from '../../authority/log.ts';
import type { Registry } from '../../authority/registry.ts';
import { compareHeads, type SignedHead } from '../../authority/signedHead.ts';
import { toHex } from '../../base/bytes.ts';
import type { Coordinator } from '../../coordinator/coordinator.ts';
import type { LogCopy } from './copy.ts';

/**
 * Up to t signers may be corrupt, or have an entry that never came to be: they are named, and done without. More than that, and it is this
 * log that is wrong.
 * @throws {Error} naming the signers and where they part from this log
 */
export function judgeHeads(registry: Registry, heads: readonly SignedHead[], log: { warn(fields: object, message: string): void }): void {
  const forked = heads.filter((head) => compareHeads(registry, head) === 'fork');
  const named = forked.map(({ signerId, sequence, hash }) => ({ signerId, sequence, hash: toHex(hash) }));
  if (forked.length > registry.cluster.threshold) {
    const places = named.map(({ signerId, sequence, hash }) => `signer ${signerId} has ${hash} as entry ${sequence}`).join(', ');
    throw new Error(
      `the authority log in the database is not the signers', it forks: ${places}. It was tampered with, or is of another cluster`,
    );
  }
  for (const fields of named) log.warn(fields, 'this signer has another entry than the authority log: it is behind, or forked');
}

/**
 * That entries which the signers have after this log go on from it.
 * @throws {Error} naming the first entry of the log that the signers have another of
 */
export async function requireSameHistory(
  judge: LogCopy['judge'],
  after: readonly Entry[],
  { entriesFrom }: Pick<Coordinator, 'entriesFrom'>,
): Promise<void> {
  let forked = await judge((registry) => forkedAt(registry, after));
  if (forked === undefined) return;
  for (let from = 1; from < forked; ) {
    const page = await entriesFrom(from);
    const last = page?.entries.at(-1);
    if (page === undefined || last === undefined) break;
    forked = (await judge((registry) => forkedAt(registry, page.entries))) ?? forked;
    from = last.sequence + 1;
  }
  throw new Error(`the authority log in the database is not the signers': it forks at entry ${forked}. It was tampered with`);
}
