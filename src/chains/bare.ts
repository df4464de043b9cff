/**
 * Requests that name no blockchain: the key signs what it is given.
 *
 * Keys      all that sign.
 * Accepts   Hash: 32 bytes. Message: EdDSA keys only, any length, also empty; the others sign digests, so they get a Hash.
 * Payload   ECDSA: the hash as the number it is (SEC 1 §4.1.3; not zero; stark: below 2^251). EdDSA: the bytes (RFC 8032), for Hash its 32 bytes.
 *           Schnorr: the hash (BIP-340), under the key tweaked by `taprootMerkleRoot` (BIP-341), which must be said: "" is no scripts.
 * Encoded   secp256k1 ECDSA: r ‖ s ‖ 27 + recid. stark: r ‖ s ‖ recid. EdDSA and Schnorr: r ‖ s.
 * Summary   nothing can be read from a digest or from bytes of unknown meaning: never complete.
 * @module
 */

import { concat, toBigInt } from '../base/bytes.ts';
import { assert, Refusal } from '../base/errors.ts';
import { type Curve, type KeyType, keyTypes } from '../base/keyTypes.ts';
import { groupOf } from '../crypto/groups/index.ts';
import type { Payload, Signature } from '../crypto/schemes/scheme.ts';
import type { Chain, ChainKey, Unsigned } from './chain.ts';
import type { Body } from './requests.ts';
import { bytesOf } from './target.ts';

const starkDigestBits = 251n;

export const bare: Pick<Chain, 'keyTypes' | 'formats'> = {
  keyTypes: ['ECDSA/secp256k1', 'ECDSA/stark', 'EdDSA/ed25519', 'Schnorr/secp256k1'],
  formats: { Hash: signHash, Message: signMessage },
};

function signHash(body: Body<'Hash'>, key: ChainKey): Unsigned {
  const bytes = bytesOf(body.hash);
  if (key.keyType === 'Schnorr/secp256k1') {
    if (body.taprootMerkleRoot === undefined) {
      throw new Refusal('BadRequest', 'taprootMerkleRoot is required for a Schnorr key: "" for a key without scripts, or 32 bytes of hex');
    }
    return unsigned(key, { bytes, taprootMerkleRoot: bytesOf(body.taprootMerkleRoot) });
  }
  if (body.taprootMerkleRoot !== undefined) {
    throw new Refusal('BadRequest', `taprootMerkleRoot is for Schnorr keys; this key is ${keyTypes[key.keyType].scheme}`);
  }
  if (keyTypes[key.keyType].scheme === 'ECDSA') requireSignable(toBigInt(bytes), keyTypes[key.keyType].curve);
  return unsigned(key, { bytes });
}

/** A signature over zero proves nothing: anybody can make one (R = v·P, s = r/v), so signers refuse it. @throws {Refusal} BadRequest */
function requireSignable(digest: bigint, curve: Curve): void {
  if (curve === 'stark' && digest >> starkDigestBits !== 0n) {
    throw new Refusal('BadRequest', 'a hash signed by a stark key must be below 2^251');
  }
  if (digest % groupOf(curve).order === 0n) throw new Refusal('BadRequest', 'a hash that is zero in the order of the curve is not signed');
}

function signMessage(body: Body<'Message'>, key: ChainKey): Unsigned {
  if (key.keyType !== 'EdDSA/ed25519') {
    throw new Refusal('BadRequest', 'Message without a network is for EdDSA keys; send the digest as kind Hash instead');
  }
  return unsigned(key, { bytes: bytesOf(body.message) });
}

function unsigned(key: ChainKey, payload: Payload): Unsigned {
  return {
    payloads: [payload],
    summary: { complete: false, effects: [] },
    assemble: (signatures) => ({ encoded: signatures.map((signature) => encode(key.keyType, signature)) }),
  };
}

function encode(keyType: KeyType, { r, s, recid }: Signature): Uint8Array {
  if (keyTypes[keyType].scheme !== 'ECDSA') return concat(r, s);
  assert(recid !== undefined, 'an ECDSA signature has its recovery id');
  return concat(r, s, Uint8Array.of(keyType === 'ECDSA/stark' ? recid : 27 + recid));
}
