/** The names of networks and of blockchain families on the wire (contract, appendix A). @module */

// biome-ignore format: a list to scan, not a column of 130 lines.
export const networks = [
  'Algorand', 'AlgorandTestnet', 'Aptos', 'AptosTestnet', 'ArbitrumOne', 'ArbitrumGoerli', 'ArbitrumSepolia', 'ArcTestnet', 'Areum',
  'AvalancheC', 'AvalancheCFuji', 'Adi', 'AdiTestnet', 'AdiTestnetAb', 'BabylonGenesis', 'BabylonTestnet5', 'Base', 'BaseGoerli',
  'BaseSepolia', 'Berachain', 'BerachainBArtio', 'BerachainBepolia', 'BesuTestnet', 'Bitcoin', 'BitcoinSignet', 'BitcoinTestnet3',
  'BitcoinTestnet4', 'BitcoinCash', 'BitcoinCashTestnet', 'Bob', 'BobSepolia', 'Bsc', 'BscTestnet', 'Canton', 'CantonDevnet',
  'CantonTestnet', 'Cardano', 'CardanoPreprod', 'Concordium', 'ConcordiumTestnet', 'Celo', 'CeloAlfajores', 'Codex', 'CodexSepolia',
  'CosmosHub4', 'CosmosIcsTestnet', 'Dogecoin', 'DogecoinTestnet', 'Ethereum', 'EthereumClassic', 'EthereumClassicMordor',
  'EthereumGoerli', 'EthereumSepolia', 'EthereumHolesky', 'EthereumHoodi', 'FantomOpera', 'FantomTestnet', 'FlareC', 'FlareCCoston2',
  'FlowEvm', 'FlowEvmTestnet', 'Hedera', 'HederaTestnet', 'Ink', 'InkSepolia', 'InternetComputer', 'Ion', 'IonTestnet', 'Iota',
  'IotaTestnet', 'IotaZodianet', 'Kaspa', 'KaspaTestnet11', 'Kusama', 'KusamaAssetHub', 'Litecoin', 'LitecoinTestnet', 'Near',
  'NearTestnet', 'Optimism', 'OptimismGoerli', 'OptimismSepolia', 'Origyn', 'Plasma', 'PlasmaTestnet', 'Plume', 'PlumeSepolia', 'Paseo',
  'PaseoAssetHub', 'Polkadot', 'PolkadotAssetHub', 'Polygon', 'PolygonAmoy', 'PolygonMumbai', 'Polymesh', 'PolymeshTestnet', 'Race',
  'RaceSepolia', 'SeiAtlantic2', 'SeiPacific1', 'Solana', 'SolanaDevnet', 'Sonic', 'SonicTestnet', 'Starknet', 'StarknetSepolia',
  'Stellar', 'StellarTestnet', 'Sui', 'SuiTestnet', 'Tezos', 'TezosGhostnet', 'TezosShadownet', 'Tempo', 'TempoAndantino',
  'TempoModerato', 'Tsc', 'TscTestnet1', 'Ton', 'TonTestnet', 'Tron', 'TronNile', 'Westend', 'WestendAssetHub', 'Xdc', 'XdcApothem',
  'XLayer', 'XLayerSepolia', 'XrpLedger', 'XrpLedgerTestnet',
] as const;

export type Network = (typeof networks)[number];

// biome-ignore format: as above.
export const blockchainKinds = [
  'Algorand', 'Aptos', 'Bitcoin', 'BitcoinCash', 'Canton', 'Cardano', 'Concordium', 'Cosmos', 'Evm', 'Hedera', 'Icp', 'Iota', 'Kaspa',
  'Near', 'Polymesh', 'Solana', 'Starknet', 'Stellar', 'Substrate', 'Sui', 'Tezos', 'Ton', 'Tron', 'Xrpl',
] as const;

export type BlockchainKind = (typeof blockchainKinds)[number];
