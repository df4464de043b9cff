/** The table of networks against the official client's types, and against what the chain modules say of themselves. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { blockchainKinds, networks, networkTable, walletKeyTypes, walletNetworks } from '../../src/chains/networks.ts';

const types = readFileSync(createRequire(import.meta.url).resolve('@dfns/sdk/generated/wallets/types.d.ts'), 'utf8');

/** The members of the first union of literals that begins with these. */
function unionOf(...first: readonly string[]): string[] {
  const union = new RegExp(`"${first.join('" \\| "')}"(?: \\| "[A-Za-z0-9]+")*`).exec(types)?.[0] ?? '';
  return [...union.matchAll(/"([A-Za-z0-9]+)"/g)].map(([, name = '']) => name);
}

describe('networks', () => {
  test('are those of the official client, all 130', () => {
    expect(networks).toHaveLength(130);
    expect([...networks].sort()).toEqual(unionOf('Algorand', 'AlgorandTestnet').sort());
  });

  test('belong to the families of the official client', () => {
    expect([...blockchainKinds].sort()).toEqual(unionOf('Algorand', 'Aptos', 'Bitcoin').sort());
    expect(new Set(Object.values(networkTable).map(({ kind }) => kind))).toEqual(new Set(blockchainKinds));
  });

  test('of Ethereum’s family have chain ids of their own', () => {
    const ids = Object.values(networkTable).flatMap((facts) =>
      facts.kind === 'Evm' && facts.chainId !== undefined ? [facts.chainId] : [],
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('wallets have the keys that the client’s documentation names', () => {
    expect(walletKeyTypes('EthereumSepolia')).toEqual(['ECDSA/secp256k1']);
    expect(walletKeyTypes('Bitcoin')).toEqual(['ECDSA/secp256k1', 'Schnorr/secp256k1']);
    expect(walletKeyTypes('Dogecoin')).toEqual(['ECDSA/secp256k1']);
    expect(walletKeyTypes('KeyECDSAStark')).toEqual(['ECDSA/stark']);
    expect(walletKeyTypes('Ton')).toEqual([]);
    expect(walletNetworks).toHaveLength(133);
  });
});
