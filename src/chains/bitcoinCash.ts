/**
 * Bitcoin Cash.
 *
 * Keys      ECDSA secp256k1: spends P2PKH outputs, its address is the CashAddr of one.
 * Accepts   Psbt: version 0 or 2, as of Bitcoin.
 * Payload   for every input of the key the hash of BIP-143, with the sighash type ALL | FORKID (0x41), which no Bitcoin signature has.
 * Encoded   DER without sighash type, one for each input of the key, in their order. Signed data: the PSBT with our signatures, not finalised.
 * Refused   Other sighash types. Otherwise as of Bitcoin (bitcoin.ts).
 * Amounts   satoshi (10⁻⁸ BCH).
 * Summary   as of Bitcoin. An output with tokens (CHIP-2022-02) is no address, so it is incomplete.
 * Hash      the id of the final transaction, lower-case hex without 0x; unknown while others have inputs.
 * Decided   The vendor has no page about it; we took the PSBT, since Bitcoin's tools write and combine it, with the types of signature that
 *           this chain wants. A previous transaction is not required, because the hash is over the amount; for the fee see bitcoin.ts.
 *           Inputs that hold tokens are not signed: their hash is another.
 *
 * Sources   https://documentation.cash/protocol/blockchain/transaction/transaction-signing ; CashAddr (encodings/cashaddr.ts).
 * @module
 */

import { forkIdScript, hash160, readScript } from './bitcoin/scripts.ts';
import { signPsbt } from './bitcoin/spending.ts';
import type { Chain } from './chain.ts';
import { cashAddress } from './encodings/cashaddr.ts';

/** Of the byte before a hash: what it is of, and its length. */
const versions = { keyHash: 0x00, scriptHash: 0x08, scriptHash32: 0x0b } as const;

export const bitcoinCash: Chain<'BitcoinCash'> = {
  keyTypes: ['ECDSA/secp256k1'],
  formats: {
    Psbt: ({ psbt }, key, { network }) =>
      signPsbt(psbt, key, {
        scripts: [forkIdScript(key.publicKey)],
        addressOf: (script) => network && addressOfScript(script, network.facts.prefix),
      }),
  },
  addressOf: ({ publicKey }, { prefix }) => cashAddress(prefix, versions.keyHash, hash160(publicKey)),
};

/** Undefined for a script that has none. */
function addressOfScript(script: Uint8Array, prefix: string): string | undefined {
  const read = readScript(script);
  return read === undefined || read.form === 'witness' ? undefined : cashAddress(prefix, versions[read.form], read.hash);
}
