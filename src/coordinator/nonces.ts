/**
 * The stock of FROST nonces: names of what lies in one signer's memory, with the public commitments, for each signer and ciphersuite. They
 * belong to no key and no set of signers; whatever set signs takes one of each of its members.
 * @module
 */

import { equal } from '../base/bytes.ts';
import type { Result } from '../signer/contract.ts';
import { type Link, SignerFailure } from './link.ts';
import { createStock, type Stock, type StockMeter } from './stock.ts';
import type { Claimant } from './turns.ts';

export type FrostKeyType = 'EdDSA/ed25519' | 'Schnorr/secp256k1';

export interface StockedNonces {
  readonly batch: Uint8Array;
  readonly number: number;
  readonly hiding: Uint8Array;
  readonly binding: Uint8Array;
}

export interface NonceStock {
  /** Takes one out for good. @throws {SignerFailure} when a batch had to be made and was not */
  take(keyType: FrostKeyType, link: Link, claimant: Claimant): Promise<StockedNonces>;
  /** Forgets one batch, which the signer does not have any more. */
  discard(link: Link, batch: Uint8Array): void;
  /** Forgets all of this signer's: its memory is gone. */
  forget(index: number): void;
  depths(): readonly { readonly pool: FrostKeyType; readonly depth: number }[];
}

const batchSizes = { least: 32, most: 128 } as const;

export function nonceStock(meterOf: (pool: FrostKeyType) => StockMeter): NonceStock {
  const shelves = new Map<string, { readonly keyType: FrostKeyType; readonly index: number; readonly stock: Stock<StockedNonces> }>();

  return {
    take(keyType, link, claimant) {
      const name = `${keyType}:${link.index}`;
      const known = shelves.get(name);
      if (known !== undefined) return known.stock.take(claimant);
      const stock = createStock({ make: (count) => commitments(link, keyType, count), batch: batchSizes, meter: meterOf(keyType) });
      shelves.set(name, { keyType, index: link.index, stock });
      return stock.take(claimant);
    },
    discard(link, batch) {
      for (const { index, stock } of shelves.values()) if (index === link.index) stock.discard((nonces) => equal(nonces.batch, batch));
    },
    forget(index) {
      for (const shelf of shelves.values()) if (shelf.index === index) shelf.stock.discard(() => true);
    },
    depths: () => [...shelves.values()].map(({ keyType, stock }) => ({ pool: keyType, depth: stock.depth })),
  };
}

async function commitments(link: Link, keyType: FrostKeyType, count: number): Promise<readonly StockedNonces[]> {
  const { batch, commitments: made }: Result<'commit'> = await link.ask('commit', { keyType, count });
  if (made.length !== count) throw new SignerFailure(link.index, 'Aborted', 'makes another number of nonces than asked for', [link.index]);
  return made.map((commitment, number) => ({ batch, number, ...commitment }));
}
