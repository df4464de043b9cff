/** Ledgers of a world's first signer, in directories of their own. */

import { sign } from 'node:crypto';
import type { Entry } from '../../src/authority/entry.ts';
import { headOf } from '../../src/authority/entry.ts';
import { check } from '../../src/authority/log.ts';
import type { MutableRegistry } from '../../src/authority/registry.ts';
import { type Ledger, openLedger } from '../../src/signer/ledger.ts';
import { openSignerStore, type SignerStore } from '../../src/signer/store.ts';
import { contentOf, vouch, type World } from '../authority/world.ts';

export interface TestLedger {
  readonly ledger: Ledger;
  readonly store: SignerStore;
  readonly distrusted: readonly string[];
  readonly faults: readonly Error[];
}

export function testLedger(world: Pick<World, 'root' | 'signers'>, dataDir: string): TestLedger {
  const [signer] = world.signers;
  if (signer === undefined) throw new Error('a world has signers');
  const store = openSignerStore(dataDir);
  const distrusted: string[] = [];
  const faults: Error[] = [];
  try {
    const ledger = openLedger({
      root: world.root,
      signerId: signer.signerId,
      sign: (message) => new Uint8Array(sign(null, message, signer.privateKey)),
      store,
      onDistrust: (reason) => void distrusted.push(reason),
      onFault: (fault) => void faults.push(fault),
    });
    return { ledger, store, distrusted, faults };
  } catch (error) {
    store.close();
    throw error;
  }
}

/** Of two signers: of t + 1. */
export function vouchersFor({ root, signers }: Pick<World, 'root' | 'signers'>, entry: Entry) {
  return signers.slice(0, 2).map((signer) => vouch(signer, root.clusterId, headOf(entry)));
}

/** One entry, as a signer takes it that was there. */
export function put(ledger: Ledger, entry: Entry): void {
  ledger.add(entry, check(ledger.registry, entry, 'replay'));
}

export function storedContentOf({ registry }: Ledger) {
  return contentOf(registry as MutableRegistry); // which it is, though nobody else is to change it
}
