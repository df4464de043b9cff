/** The kinds of key the service holds: which scheme goes with which curve (contract §5.3). Any other pair is refused. */
export const keyTypes = {
  'ECDSA/secp256k1': { scheme: 'ECDSA', curve: 'secp256k1' },
  'ECDSA/stark': { scheme: 'ECDSA', curve: 'stark' },
  'EdDSA/ed25519': { scheme: 'EdDSA', curve: 'ed25519' },
  'Schnorr/secp256k1': { scheme: 'Schnorr', curve: 'secp256k1' },
  'DH/secp256k1': { scheme: 'DH', curve: 'secp256k1' },
} as const;

export type KeyType = keyof typeof keyTypes;
export type SchemeName = (typeof keyTypes)[KeyType]['scheme'];
export type Curve = (typeof keyTypes)[KeyType]['curve'];

/** Under which names the shares of a key travel to and from other systems (contract §10.2); the first is today's. */
export const shareProtocols = {
  'ECDSA/secp256k1': ['CGGMP24', 'CGGMP21'],
  'ECDSA/stark': ['CGGMP24', 'CGGMP21'],
  'EdDSA/ed25519': ['FROST'],
  'Schnorr/secp256k1': ['FROST_BITCOIN'],
  'DH/secp256k1': ['GLOW20_DH'],
} as const satisfies Record<KeyType, readonly string[]>;

export function keyTypeOf(scheme: SchemeName, curve: Curve): KeyType | undefined {
  const name = `${scheme}/${curve}`;
  return name in keyTypes ? (name as KeyType) : undefined;
}
