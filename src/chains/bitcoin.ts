/**
 * Bitcoin, Litecoin, Dogecoin.
 *
 * Keys      ECDSA secp256k1: spends P2WPKH, P2SH-P2WPKH and P2PKH outputs; its address is P2WPKH, on Dogecoin, which has no segregated witness,
 *           P2PKH. Schnorr secp256k1: spends P2TR outputs by their key path; its address has no scripts (BIP-86). Not on Dogecoin.
 * Accepts   Psbt: version 0 or 2. Bip322: Simple (default) or Full, the message as hex; `network` is required, since it says what address the
 *           key has. No Message: what wallets call one is BIP-322 here.
 * Payload   for every input of the key BIP-143, the legacy hash (P2PKH), or BIP-341 under the key tweaked by the merkle root.
 * Encoded   ECDSA: DER without sighash type. Schnorr: 64 bytes. One for each input of the key, in their order.
 *           Signed data: the PSBT with our signatures, not finalised; of BIP-322 the witness (Simple) or the whole to_sign (Full).
 * Refused   Sighash types other than ALL and, for taproot, DEFAULT. A P2PKH input without its previous transaction. Data of an input that
 *           contradicts its previous transaction, its output or itself. A taproot input when what some input spends is not said. Nothing to
 *           sign, an input that is signed already, one that names the key in another script (several keys, script path). Outputs of more than
 *           the inputs. Duplicate keys of a map, superfluous bytes.
 * Amounts   satoshi (10⁻⁸ of a coin).
 * Summary   every output but change as a transfer, to an address or, incomplete, to a script in hex (OP_RETURN among them). Change is what this
 *           key spends on this network; outputs of others who take part are transfers too. Fee only when all amounts are proven; without
 *           it incomplete. Messages are never complete: what they mean is not known.
 * Hash      the id of the final transaction, lower-case hex without 0x; unknown while another's input may have a script in it.
 * Decided   Psbt takes `blockchainKind`, since nothing in it names a network; outputs then have no address, so it is incomplete.
 *           A witness 0 input is signed without its previous transaction, as the vendor does. Its signature is over its own amount only, so
 *           with two of them the fee could be more than is said (effects.ts, `feeOf`): then none is said. Give previous transactions.
 *           Taproot with a merkle root is signed when the PSBT has internal key and root, and the output is theirs. A redeem script may be
 *           missing: the output proves it. BIP-322 is refused where the address is P2PKH: wallets use an older format for those.
 *           A previous transaction with extension data of Litecoin (MWEB) is not read: without that data its id is the same.
 *           A hash type ALL in a taproot input stands behind the 64 bytes in the PSBT, as BIP-341 has it, and not in `encoded`.
 *
 * Sources   BIP-143, 174, 322, 341, 370, 371.
 * @module
 */

import { concat } from '../base/bytes.ts';
import { assert, Refusal } from '../base/errors.ts';
import { messageToSign } from './bitcoin/bip322.ts';
import { addressOfScript, keyHashScript, type OwnScript, payToKeyHash, taprootScript, witnessKeyHashScripts } from './bitcoin/scripts.ts';
import { sighashesOf } from './bitcoin/sighash.ts';
import { signPsbt } from './bitcoin/spending.ts';
import { encodeWithWitnesses, encodeWitness } from './bitcoin/transaction.ts';
import type { Chain, ChainKey, Target, Unsigned } from './chain.ts';
import { derOf } from './encodings/der.ts';
import type { NetworkRow } from './networks.ts';
import type { Body } from './requests.ts';
import { bytesOf, requireNetwork } from './target.ts';

export const bitcoin: Chain<'Bitcoin'> = {
  keyTypes: ['ECDSA/secp256k1', 'Schnorr/secp256k1'],
  formats: {
    Psbt: ({ psbt }, key, target) => {
      const facts = target.network?.facts;
      return signPsbt(psbt, key, {
        scripts: scriptsOf(key, facts),
        addressOf: (script) => facts && addressOfScript(script, facts),
      });
    },
    Bip322: signMessage,
  },
  addressOf(key, facts) {
    const [{ script }] = scriptsOf(key, facts);
    const address = addressOfScript(script, facts);
    assert(address !== undefined, 'the first script of a key has an address');
    return address;
  },
};

/** That of the key's address first. Of a family alone, the scripts of all its networks. @throws {Refusal} BadRequest for a key that has none */
function scriptsOf({ keyType, publicKey }: ChainKey, facts: NetworkRow<'Bitcoin'> | undefined): readonly [OwnScript, ...OwnScript[]] {
  const hasWitness = facts === undefined || facts.bech32 !== undefined;
  if (keyType === 'Schnorr/secp256k1') {
    if (!hasWitness) throw new Refusal('BadRequest', 'a Schnorr key has no address on a network without segregated witness');
    return [taprootScript(publicKey, withoutScripts)];
  }
  const keyHash = keyHashScript(publicKey);
  return hasWitness ? [...witnessKeyHashScripts(publicKey), keyHash] : [keyHash];
}

const withoutScripts = new Uint8Array(0);

function signMessage({ message, format = 'Simple' }: Body<'Bip322'>, key: ChainKey, target: Target<'Bitcoin'>): Unsigned {
  const { name, facts } = requireNetwork(target, 'it says what address the key signs for');
  if (facts.bech32 === undefined) {
    throw new Refusal('BadRequest', `BIP-322 is signed for addresses of segregated witness, which ${name} has not`);
  }
  const [{ script, hashing, sighashTypes }] = scriptsOf(key, facts);
  const { transaction, spent } = messageToSign(bytesOf(message), script);
  const sighashes = sighashesOf(transaction, [spent]);
  const [type] = sighashTypes;
  const isTaproot = hashing === 'taproot';
  const payload = isTaproot
    ? { bytes: sighashes.taproot({ index: 0, type }), taprootMerkleRoot: withoutScripts }
    : { bytes: sighashes.bip143({ index: 0, type, script: payToKeyHash(key.publicKey), amount: spent.amount }) };
  return {
    payloads: [payload],
    summary: { complete: false, effects: [] },
    assemble(signatures) {
      const [signature] = signatures;
      assert(signature, 'a message has one payload');
      const encoded = isTaproot ? concat(signature.r, signature.s) : derOf(signature);
      const witness = isTaproot ? [encoded] : [concat(encoded, Uint8Array.of(type)), key.publicKey];
      return { encoded: [encoded], signedData: format === 'Simple' ? encodeWitness(witness) : encodeWithWitnesses(transaction, [witness]) };
    },
  };
}
