/** The table of networks against the official client's types, and against what the chain modules say of themselves. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as viem from 'viem/chains';
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

  test('of Ethereum’s family have the chain ids that viem knows, or that their makers publish, or none', () => {
    const chainIds = Object.entries(networkTable).flatMap(([name, facts]) => (facts.kind === 'Evm' ? [[name, facts.chainId ?? 0]] : []));
    expect(Object.fromEntries(chainIds)).toEqual({
      ...Object.fromEntries(Object.entries(asViem).map(([name, { id }]) => [name, id])),
      AdiTestnetAb: 99_999,
      EthereumClassicMordor: 63,
      Race: 6805,
      RaceSepolia: 6806,
      SonicTestnet: 14_601,
      TempoAndantino: 42_429,
      ...{ AdiTestnet: 0, BesuTestnet: 0, Tsc: 0, TscTestnet1: 0 },
    });
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

const asViem = {
  Adi: viem.adi,
  ArbitrumGoerli: viem.arbitrumGoerli,
  ArbitrumOne: viem.arbitrum,
  ArbitrumSepolia: viem.arbitrumSepolia,
  ArcTestnet: viem.arcTestnet,
  Areum: viem.areum,
  AvalancheC: viem.avalanche,
  AvalancheCFuji: viem.avalancheFuji,
  Base: viem.base,
  BaseGoerli: viem.baseGoerli,
  BaseSepolia: viem.baseSepolia,
  Berachain: viem.berachain,
  BerachainBArtio: viem.berachainTestnetbArtio,
  BerachainBepolia: viem.berachainBepolia,
  Bob: viem.bob,
  BobSepolia: viem.bobSepolia,
  Bsc: viem.bsc,
  BscTestnet: viem.bscTestnet,
  Celo: viem.celo,
  CeloAlfajores: viem.celoAlfajores,
  Codex: viem.codex,
  CodexSepolia: viem.codexTestnet,
  Ethereum: viem.mainnet,
  EthereumClassic: viem.classic,
  EthereumGoerli: viem.goerli,
  EthereumHolesky: viem.holesky,
  EthereumHoodi: viem.hoodi,
  EthereumSepolia: viem.sepolia,
  FantomOpera: viem.fantom,
  FantomTestnet: viem.fantomTestnet,
  FlareC: viem.flare,
  FlareCCoston2: viem.flareTestnet,
  FlowEvm: viem.flowMainnet,
  FlowEvmTestnet: viem.flowTestnet,
  Ink: viem.ink,
  InkSepolia: viem.inkSepolia,
  Optimism: viem.optimism,
  OptimismGoerli: viem.optimismGoerli,
  OptimismSepolia: viem.optimismSepolia,
  Plasma: viem.plasma,
  PlasmaTestnet: viem.plasmaTestnet,
  Plume: viem.plumeMainnet,
  PlumeSepolia: viem.plumeSepolia,
  Polygon: viem.polygon,
  PolygonAmoy: viem.polygonAmoy,
  PolygonMumbai: viem.polygonMumbai,
  Sonic: viem.sonic,
  Tempo: viem.tempo,
  TempoModerato: viem.tempoModerato,
  Xdc: viem.xdc,
  XdcApothem: viem.xdcTestnet,
  XLayer: viem.xLayer,
  XLayerSepolia: viem.xLayerTestnet,
};
