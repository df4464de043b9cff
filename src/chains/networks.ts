/**
 * The networks on the wire (contract, appendix A), one row each: the blockchain family that says how it signs, and the facts that are part of
 * what is signed or of an address. Browser-safe.
 * @module
 */

import type { KeyType } from '../base/keyTypes.ts';

export const blockchainKinds = [
  'Algorand',
  'Aptos',
  'Bitcoin',
  'BitcoinCash',
  'Canton',
  'Cardano',
  'Concordium',
  'Cosmos',
  'Evm',
  'Hedera',
  'Icp',
  'Iota',
  'Kaspa',
  'Near',
  'Polymesh',
  'Solana',
  'Starknet',
  'Stellar',
  'Substrate',
  'Sui',
  'Tezos',
  'Ton',
  'Tron',
  'Xrpl',
] as const;

export type BlockchainKind = (typeof blockchainKinds)[number];

/** What a family has to know of one of its networks. */
export interface NetworkFacts {
  /** EIP-155; absent where no published one is known: then nothing that binds the chain is signed for the network. */
  Evm: {
    readonly chainId?: number;
    /** In wei: how much fee the service may fill in for a caller who left it out. Said where the coin is worth little. */
    readonly maxFilledFee?: bigint;
  };
  /** Litecoin and Dogecoin too. Dogecoin has no segregated witness, so no bech32 prefix. */
  Bitcoin: { readonly bech32?: string; readonly p2pkh: number; readonly p2sh: number };
  BitcoinCash: { readonly prefix: string };
  /** From 1025 on a transaction must name it (XLS-37). */
  Xrpl: { readonly networkId: number };
  Stellar: { readonly passphrase: string };
  Kaspa: { readonly prefix: string };
  Starknet: { readonly chainId: string };
  /** The chain id is absent where none is published. */
  Cosmos: { readonly prefix: string; readonly chainId?: string };
}

type FactsOf<K extends BlockchainKind> = K extends keyof NetworkFacts ? NetworkFacts[K] : object;
export type NetworkRow<K extends BlockchainKind = BlockchainKind> = K extends unknown ? { readonly kind: K } & FactsOf<K> : never;

const evm = (chainId?: number): NetworkRow<'Evm'> => ({ kind: 'Evm', ...(chainId === undefined ? {} : { chainId }) });
/** Ten of a coin that is worth little. */
const cheapEvm = (chainId: number): NetworkRow<'Evm'> => ({ kind: 'Evm', chainId, maxFilledFee: 10n ** 19n });
const bitcoin = (facts: NetworkFacts['Bitcoin']): NetworkRow<'Bitcoin'> => ({ kind: 'Bitcoin', ...facts });

export const networkTable = {
  Adi: evm(36_900),
  AdiTestnet: evm(),
  AdiTestnetAb: evm(99_999),
  Algorand: { kind: 'Algorand' },
  AlgorandTestnet: { kind: 'Algorand' },
  Aptos: { kind: 'Aptos' },
  AptosTestnet: { kind: 'Aptos' },
  ArbitrumGoerli: evm(421_613),
  ArbitrumOne: evm(42_161),
  ArbitrumSepolia: evm(421_614),
  ArcTestnet: cheapEvm(5_042_002),
  Areum: cheapEvm(463),
  AvalancheC: evm(43_114),
  AvalancheCFuji: evm(43_113),
  BabylonGenesis: { kind: 'Cosmos', prefix: 'bbn', chainId: 'bbn-1' },
  BabylonTestnet5: { kind: 'Cosmos', prefix: 'bbn', chainId: 'bbn-test-5' },
  Base: evm(8453),
  BaseGoerli: evm(84_531),
  BaseSepolia: evm(84_532),
  Berachain: cheapEvm(80_094),
  BerachainBArtio: cheapEvm(80_084),
  BerachainBepolia: cheapEvm(80_069),
  BesuTestnet: evm(),
  Bitcoin: bitcoin({ bech32: 'bc', p2pkh: 0x00, p2sh: 0x05 }),
  BitcoinCash: { kind: 'BitcoinCash', prefix: 'bitcoincash' },
  BitcoinCashTestnet: { kind: 'BitcoinCash', prefix: 'bchtest' },
  BitcoinSignet: bitcoin({ bech32: 'tb', p2pkh: 0x6f, p2sh: 0xc4 }),
  BitcoinTestnet3: bitcoin({ bech32: 'tb', p2pkh: 0x6f, p2sh: 0xc4 }),
  BitcoinTestnet4: bitcoin({ bech32: 'tb', p2pkh: 0x6f, p2sh: 0xc4 }),
  Bob: evm(60_808),
  BobSepolia: evm(808_813),
  Bsc: evm(56),
  BscTestnet: evm(97),
  Canton: { kind: 'Canton' },
  CantonDevnet: { kind: 'Canton' },
  CantonTestnet: { kind: 'Canton' },
  Cardano: { kind: 'Cardano' },
  CardanoPreprod: { kind: 'Cardano' },
  Celo: cheapEvm(42_220),
  CeloAlfajores: cheapEvm(44_787),
  Codex: evm(81_224),
  CodexSepolia: evm(812_242),
  Concordium: { kind: 'Concordium' },
  ConcordiumTestnet: { kind: 'Concordium' },
  CosmosHub4: { kind: 'Cosmos', prefix: 'cosmos', chainId: 'cosmoshub-4' },
  CosmosIcsTestnet: { kind: 'Cosmos', prefix: 'cosmos', chainId: 'provider' },
  Dogecoin: bitcoin({ p2pkh: 0x1e, p2sh: 0x16 }),
  DogecoinTestnet: bitcoin({ p2pkh: 0x71, p2sh: 0xc4 }),
  Ethereum: evm(1),
  EthereumClassic: evm(61),
  EthereumClassicMordor: evm(63),
  EthereumGoerli: evm(5),
  EthereumHolesky: evm(17_000),
  EthereumHoodi: evm(560_048),
  EthereumSepolia: evm(11_155_111),
  FantomOpera: cheapEvm(250),
  FantomTestnet: cheapEvm(4002),
  FlareC: cheapEvm(14),
  FlareCCoston2: cheapEvm(114),
  FlowEvm: cheapEvm(747),
  FlowEvmTestnet: cheapEvm(545),
  Hedera: { kind: 'Hedera' },
  HederaTestnet: { kind: 'Hedera' },
  Ink: evm(57_073),
  InkSepolia: evm(763_373),
  InternetComputer: { kind: 'Icp' },
  Ion: { kind: 'Ton' },
  IonTestnet: { kind: 'Ton' },
  Iota: { kind: 'Iota' },
  IotaTestnet: { kind: 'Iota' },
  IotaZodianet: { kind: 'Iota' },
  Kaspa: { kind: 'Kaspa', prefix: 'kaspa' },
  KaspaTestnet11: { kind: 'Kaspa', prefix: 'kaspatest' },
  Kusama: { kind: 'Substrate' },
  KusamaAssetHub: { kind: 'Substrate' },
  Litecoin: bitcoin({ bech32: 'ltc', p2pkh: 0x30, p2sh: 0x32 }),
  LitecoinTestnet: bitcoin({ bech32: 'tltc', p2pkh: 0x6f, p2sh: 0xc4 }),
  Near: { kind: 'Near' },
  NearTestnet: { kind: 'Near' },
  Optimism: evm(10),
  OptimismGoerli: evm(420),
  OptimismSepolia: evm(11_155_420),
  Origyn: { kind: 'Cosmos', prefix: 'origyn' },
  Paseo: { kind: 'Substrate' },
  PaseoAssetHub: { kind: 'Substrate' },
  Plasma: cheapEvm(9745),
  PlasmaTestnet: cheapEvm(9746),
  Plume: cheapEvm(98_866),
  PlumeSepolia: cheapEvm(98_867),
  Polkadot: { kind: 'Substrate' },
  PolkadotAssetHub: { kind: 'Substrate' },
  Polygon: cheapEvm(137),
  PolygonAmoy: cheapEvm(80_002),
  PolygonMumbai: cheapEvm(80_001),
  Polymesh: { kind: 'Polymesh' },
  PolymeshTestnet: { kind: 'Polymesh' },
  Race: evm(6805),
  RaceSepolia: evm(6806),
  SeiAtlantic2: { kind: 'Cosmos', prefix: 'sei', chainId: 'atlantic-2' },
  SeiPacific1: { kind: 'Cosmos', prefix: 'sei', chainId: 'pacific-1' },
  Solana: { kind: 'Solana' },
  SolanaDevnet: { kind: 'Solana' },
  Sonic: cheapEvm(146),
  SonicTestnet: cheapEvm(14_601),
  Starknet: { kind: 'Starknet', chainId: 'SN_MAIN' },
  StarknetSepolia: { kind: 'Starknet', chainId: 'SN_SEPOLIA' },
  Stellar: { kind: 'Stellar', passphrase: 'Public Global Stellar Network ; September 2015' },
  StellarTestnet: { kind: 'Stellar', passphrase: 'Test SDF Network ; September 2015' },
  Sui: { kind: 'Sui' },
  SuiTestnet: { kind: 'Sui' },
  Tempo: evm(4217),
  TempoAndantino: evm(42_429),
  TempoModerato: evm(42_431),
  Tezos: { kind: 'Tezos' },
  TezosGhostnet: { kind: 'Tezos' },
  TezosShadownet: { kind: 'Tezos' },
  Ton: { kind: 'Ton' },
  TonTestnet: { kind: 'Ton' },
  Tron: { kind: 'Tron' },
  TronNile: { kind: 'Tron' },
  Tsc: evm(),
  TscTestnet1: evm(),
  Westend: { kind: 'Substrate' },
  WestendAssetHub: { kind: 'Substrate' },
  Xdc: cheapEvm(50),
  XdcApothem: cheapEvm(51),
  XLayer: evm(196),
  XLayerSepolia: evm(1952),
  XrpLedger: { kind: 'Xrpl', networkId: 0 },
  XrpLedgerTestnet: { kind: 'Xrpl', networkId: 1 },
} as const satisfies Record<string, NetworkRow>;

export type Network = keyof typeof networkTable;

// The table's keys are literal.
export const networks = Object.keys(networkTable) as [Network, ...Network[]];

/** Networks that are none: a wallet of one is a key with a name, and has no address (contract §5.6). */
const pseudoNetworkTable = {
  KeyECDSA: ['ECDSA/secp256k1'],
  KeyEdDSA: ['EdDSA/ed25519'],
  KeyECDSAStark: ['ECDSA/stark'],
} as const satisfies Record<string, readonly KeyType[]>;

export type PseudoNetwork = keyof typeof pseudoNetworkTable;
export type WalletNetwork = Network | PseudoNetwork;

export const walletNetworks = [...networks, ...Object.keys(pseudoNetworkTable)] as [WalletNetwork, ...WalletNetwork[]]; // as above

/** What keys of a family may be. A family that is absent has no wallets yet. */
const familyKeyTypes: { readonly [K in BlockchainKind]?: readonly [KeyType, ...KeyType[]] } = {
  Bitcoin: ['ECDSA/secp256k1', 'Schnorr/secp256k1'],
  BitcoinCash: ['ECDSA/secp256k1'],
  Cosmos: ['ECDSA/secp256k1'],
  Evm: ['ECDSA/secp256k1'],
  Kaspa: ['Schnorr/secp256k1', 'ECDSA/secp256k1'],
  Solana: ['EdDSA/ed25519'],
  Starknet: ['ECDSA/stark'],
  Stellar: ['EdDSA/ed25519'],
  Tezos: ['EdDSA/ed25519', 'ECDSA/secp256k1'],
  Tron: ['ECDSA/secp256k1'],
  Xrpl: ['ECDSA/secp256k1', 'EdDSA/ed25519'],
};

/** The types of key that a wallet of the network may have, the usual one first; none where wallets of the network are not offered. */
export function walletKeyTypes(network: WalletNetwork): readonly KeyType[] {
  if (isPseudoNetwork(network)) return pseudoNetworkTable[network];
  const facts = networkTable[network];
  const keyTypes = familyKeyTypes[facts.kind] ?? [];
  // Taproot is a kind of segregated witness.
  return facts.kind === 'Bitcoin' && !('bech32' in facts) ? keyTypes.filter((keyType) => keyType !== 'Schnorr/secp256k1') : keyTypes;
}

export function isPseudoNetwork(network: WalletNetwork): network is PseudoNetwork {
  return network in pseudoNetworkTable;
}
