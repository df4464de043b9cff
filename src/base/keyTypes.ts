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

export function keyTypeOf(scheme: SchemeName, curve: Curve): KeyType | undefined {
  const name = `${scheme}/${curve}`;
  return name in keyTypes ? (name as KeyType) : undefined;
}
