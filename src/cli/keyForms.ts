/**
 * A whole private key in the forms that others import. Secret throughout.
 *
 *   hex         32 bytes, big-endian on secp256k1 and stark (Ethereum's, Tron's and Starknet's wallets), little-endian on ed25519
 *   wif         secp256k1, compressed, of Bitcoin's main network
 *   xprv        secp256k1 master keys: BIP-32, at depth 0, so that m/i derives the same children as here
 *   expanded    ed25519: scalar ‖ prefix, what RFC 8032 §5.1.5 has after hashing a seed. There is no seed: this key was never made from
 *               one, so what asks for a seed or a mnemonic cannot import it. The prefix, which a signature's nonce is hashed with, is a hash
 *               of the scalar
 * @module
 */

import { createHash } from 'node:crypto';
import { createBase58check } from '@scure/base';
import { concat, toHex, utf8 } from '../base/bytes.ts';
import { keyTypes } from '../base/keyTypes.ts';
import type { RecoveredKey } from '../signer/recoverKeys.ts';

const wifMainnet = 0x80;
/** BIP-32: version of a private key of the main network, depth, parent's fingerprint, number. */
const xprvHeader = Uint8Array.of(0x04, 0x88, 0xad, 0xe4, 0, 0, 0, 0, 0, 0, 0, 0, 0);

const base58check = createBase58check((bytes: Uint8Array) => hashOf('sha256', bytes));

export function keyForms({ keyType, secret, chainCode, isMaster }: RecoveredKey): Record<string, string> {
  const hex = toHex(secret);
  switch (keyTypes[keyType].curve) {
    case 'secp256k1':
      return {
        hex,
        wif: base58check.encode(concat(Uint8Array.of(wifMainnet), secret, Uint8Array.of(1))),
        ...(isMaster && { xprv: base58check.encode(concat(xprvHeader, chainCode, Uint8Array.of(0), secret)) }),
      };
    case 'ed25519':
      return { hex, expanded: toHex(concat(secret, prefixOf(secret))) };
    case 'stark':
      return { hex };
  }
}

function prefixOf(scalar: Uint8Array): Uint8Array {
  return hashOf('sha512', concat(utf8('countersign/recovered-ed25519-prefix/v1'), scalar)).slice(0, 32);
}

function hashOf(algorithm: string, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash(algorithm).update(bytes).digest());
}
