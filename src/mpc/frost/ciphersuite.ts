/**
 * The ciphersuites of FROST (RFC 9591 §6): FROST(Ed25519, SHA-512) of §6.1, and FROST(secp256k1, SHA-256)-TR, which is §6.5 with the
 * changes that make its signatures those of BIP-340 under keys tweaked as in BIP-341.
 *
 * A suite is data plus hashes; the protocol (commit, sign, aggregate) is the same for both.
 * @module
 */

import { concat, utf8 } from '../../base/bytes.ts';
import { Refusal } from '../../base/errors.ts';
import type { KeyType } from '../../base/keyTypes.ts';
import type { Group } from '../../crypto/groups/group.ts';
import { groupOf } from '../../crypto/groups/index.ts';
import { sha256, sha512 } from '../../crypto/hash.ts';
import { schemeOf } from '../../crypto/schemes/index.ts';
import type { Payload, Scheme } from '../../crypto/schemes/scheme.ts';
import { bip340Challenge } from '../../crypto/schemes/schnorr.ts';
import { tapTweak } from '../../crypto/schemes/taproot.ts';
import { hashToScalar } from '../hashToScalar.ts';

export type FrostKeyType = Extract<KeyType, 'EdDSA/ed25519' | 'Schnorr/secp256k1'>;

export interface Ciphersuite {
  readonly keyType: FrostKeyType;
  readonly group: Group;
  readonly scheme: Scheme;
  /** Binding factors. Of the parts of a message, one behind another. */
  H1(...parts: readonly Uint8Array[]): bigint;
  /** Nonces. */
  H3(...parts: readonly Uint8Array[]): bigint;
  /** The message. */
  H4(message: Uint8Array): Uint8Array;
  /** The list of commitments. */
  H5(...parts: readonly Uint8Array[]): Uint8Array;
  /** c of the signature that results. @param R encoded @param publicKey encoded, of the signing key */
  challenge(R: Uint8Array, publicKey: Uint8Array, message: Uint8Array): bigint;
  /** r of the signature that results. @param R encoded */
  signatureR(R: Uint8Array): Uint8Array;
  /** Whether the nonces are negated because the verifier only knows the other R with this x. @param R encoded */
  negatesNonces(R: Uint8Array): boolean;
  /** @throws {Refusal} BadRequest if the payload is not one of this scheme */
  signingKey(publicKey: Uint8Array, payload: Payload): SigningKey;
}

/**
 * The key that a payload is signed with: the shared key x, or ±x ± t. A share x_i becomes sign·x_i + tweak, since the Lagrange
 * coefficients add up to 1.
 */
export interface SigningKey {
  readonly publicKey: Uint8Array;
  readonly sign: 1n | -1n;
  /** In [0, order). */
  readonly tweak: bigint;
}

export function ciphersuiteOf(keyType: FrostKeyType): Ciphersuite {
  return keyType === 'EdDSA/ed25519' ? ed25519Sha512 : secp256k1Sha256Taproot;
}

const ed25519Sha512: Ciphersuite = {
  keyType: 'EdDSA/ed25519',
  group: groupOf('ed25519'),
  scheme: schemeOf('EdDSA/ed25519'),
  ...hashesOf('ed25519', 'FROST-ED25519-SHA512-v1', sha512),
  challenge: hashToScalar('ed25519', ''),
  signatureR: (R) => R,
  negatesNonces: () => false,
  signingKey: (publicKey) => ({ publicKey, sign: 1n, tweak: 0n }),
};

const secp256k1Sha256Taproot: Ciphersuite = {
  keyType: 'Schnorr/secp256k1',
  group: groupOf('secp256k1'),
  scheme: schemeOf('Schnorr/secp256k1'),
  ...hashesOf('secp256k1', 'FROST-secp256k1-SHA256-TR-v1', sha256),
  challenge: (R, publicKey, message) => bip340Challenge(groupOf('secp256k1'), R.subarray(1), publicKey.subarray(1), message),
  signatureR: (R) => R.subarray(1),
  negatesNonces: (R) => R[0] === 0x03,
  /** −x where y(P) is odd, plus t; all negated where y(Q) is odd. Untweaked: −x where y(P) is odd. */
  signingKey(publicKey, { bytes, taprootMerkleRoot }) {
    if (taprootMerkleRoot === undefined)
      throw new Refusal('BadRequest', 'a Schnorr signature needs a taproot merkle root, or the empty one');
    if (bytes.length !== 32) throw new Refusal('BadRequest', 'a digest has 32 bytes');
    if (taprootMerkleRoot === 'untweaked') {
      const evenKey = concat(Uint8Array.of(0x02), publicKey.subarray(1));
      return { publicKey: evenKey, sign: publicKey[0] === 0x03 ? -1n : 1n, tweak: 0n };
    }
    if (taprootMerkleRoot.length !== 0 && taprootMerkleRoot.length !== 32) {
      throw new Refusal('BadRequest', 'a taproot merkle root is empty or has 32 bytes');
    }
    const { tweak, internalKeyIsOdd, outputKeyIsOdd, outputKey } = tapTweak(publicKey, taprootMerkleRoot);
    const { order } = groupOf('secp256k1');
    return {
      publicKey: concat(Uint8Array.of(0x02), outputKey),
      sign: internalKeyIsOdd === outputKeyIsOdd ? 1n : -1n,
      tweak: outputKeyIsOdd ? (order - tweak) % order : tweak,
    };
  },
};

function hashesOf(curve: Group['curve'], context: string, digest: typeof sha256): Pick<Ciphersuite, 'H1' | 'H3' | 'H4' | 'H5'> {
  const [forMessage, forCommitments] = [utf8(`${context}msg`), utf8(`${context}com`)];
  return {
    H1: hashToScalar(curve, `${context}rho`),
    H3: hashToScalar(curve, `${context}nonce`),
    H4: (message) => digest(forMessage, message),
    H5: (...parts) => digest(forCommitments, ...parts),
  };
}
