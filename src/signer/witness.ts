/**
 * A signer that came back (from a backup, or in another's place) may have forgotten what it said: entries of the log that it vouched for are
 * not in its copy, and the cluster counts on them. So it takes part in nothing, and dates none of its heads, until others have witnessed
 * that its log lacks nothing.
 *
 * An entry that it vouched for and that counts has t more vouchers among the others. So n − t of the others, who say, after its return, that
 * their logs end where its own does or before, leave out fewer than t: one of the vouchers is among them.
 * @module
 */

import type { Registry } from '../authority/registry.ts';
import { compareHeads, type SignedHead, verifySignedHead } from '../authority/signedHead.ts';
import { fromBigInt, toBigInt } from '../base/bytes.ts';
import type { Method, Params } from './contract.ts';
import { SignerRefusal } from './errors.ts';
import type { Instance } from './instance.ts';
import { putSecret, readSecret } from './secrets.ts';
import type { SignerStore } from './store.ts';

export interface Witness {
  /** Whether this signer still waits to be witnessed. */
  readonly isAwaited: boolean;
  /** @throws {SignerRefusal} Unwitnessed, for a question that a signer with a gap in its memory must not answer */
  guard(method: Method, params: unknown): void;
  /**
   * @param heads of other signers, said after this one returned; more are harmless
   * @throws {SignerRefusal} Behind where its log lacks what they have, Forked, Unwitnessed where they are too few
   */
  hear(registry: Registry, heads: readonly SignedHead[]): void;
}

const name = 'returned';

/** Marks a signer as one that came back at this time. Durable when it returns. */
export function markReturned(store: SignerStore, keyEncryptionKey: Uint8Array, atSeconds: number): void {
  putSecret(store, keyEncryptionKey, { name, plain: fromBigInt(BigInt(atSeconds), 8) });
}

/** Whether it still waits to be witnessed. */
export function hasReturned(store: SignerStore, keyEncryptionKey: Uint8Array): boolean {
  return readSecret(store, keyEncryptionKey, name) !== undefined;
}

export function openWitness({
  store,
  keyEncryptionKey,
  signerId,
  takeover,
  onWitnessed,
}: {
  store: SignerStore;
  keyEncryptionKey: Uint8Array;
  signerId: string;
  /** Of the instance: heads before its takeover witness nothing. */
  takeover: () => Instance['takeover'];
  /** Before it takes part again. */
  onWitnessed: () => void;
}): Witness {
  const mark = readSecret(store, keyEncryptionKey, name);
  let returnedAt = mark && Number(toBigInt(mark));

  return {
    get isAwaited() {
      return returnedAt !== undefined;
    },

    guard(method, params) {
      if (returnedAt === undefined || isHarmless(method, params)) return;
      throw new SignerRefusal('Unwitnessed', `this signer came back and waits for others to witness that its log is complete`);
    },

    hear(registry, heads) {
      if (returnedAt === undefined) return;
      const { cluster } = registry;
      const needed = cluster.signers.length - cluster.threshold;
      const [since, by] = [returnedAt, takeover()];
      const from = typeof by === 'number' ? by : 0;
      const isSaid = (head: SignedHead) => head.at > since && head.sequence >= from && verifySignedHead(cluster, head);
      const said = heads.filter((head) => head.signerId !== signerId && isSaid(head));
      const relations = new Map(said.map((head) => [head.signerId, compareHeads(registry, head)]));
      const count = (wanted: readonly string[]) => [...relations.values()].filter((relation) => wanted.includes(relation)).length;
      const witnesses = count(['equal', 'behind']);
      if (witnesses >= needed && by !== 'awaited') {
        onWitnessed();
        store.removeSecret(name);
        returnedAt = undefined;
        return;
      }
      const { head } = registry;
      if (count(['ahead']) > 0)
        throw new SignerRefusal('Behind', `the log of another signer goes on after entry ${head.sequence}`, { head });
      if (count(['fork']) > 0)
        throw new SignerRefusal('Forked', `fork: the log of another signer differs up to ${head.sequence}`, { head });
      if (by === 'awaited') throw new SignerRefusal('Unwitnessed', 'this instance waits for its takeover: an entry of the authority log');
      throw new SignerRefusal('Unwitnessed', `${witnesses} others have witnessed that the log is complete, it takes ${needed}`);
    },
  };
}

/** What says nothing, uses no share and adds nothing to the log but what t + 1 signers vouch for. */
function isHarmless(method: Method, params: unknown): boolean {
  if (harmless.has(method)) return true;
  if (method !== 'openSession') return false;
  const { kind } = (params as Params<'openSession'>).task; // of this very method
  return kind === 'seeds' || kind === 'presign';
}

const harmless: ReadonlySet<Method> = new Set<Method>([
  'hello',
  'witness',
  'catchUp',
  'entries',
  'signHead',
  'describeKey',
  'continueSession',
  'commit',
]);
