/**
 * What a signature of an input is over, for hash types that sign all inputs and all outputs: others are not signed here.
 *
 * Sources: BIP-143 (witness version 0; Bitcoin Cash with its own type), BIP-341 (taproot key path, no annex).
 * @module
 */

import { concat } from '../../base/bytes.ts';
import { assert } from '../../base/errors.ts';
import { taggedHash } from '../../crypto/schemes/taggedHash.ts';
import { littleEndian } from '../encodings/littleEndian.ts';
import { encodeOutput, encodeTransaction, hash256, type Output, sha256, type Transaction, withSize } from './transaction.ts';

interface SighashOptions {
  readonly index: number;
  readonly type: number;
}

export interface Sighashes {
  /** @param script of the output that is spent */
  legacy(options: SighashOptions & { readonly script: Uint8Array }): Uint8Array;
  /** @param script of the key's hash, OP_DUP…, whatever form the output has */
  bip143(options: SighashOptions & { readonly script: Uint8Array; readonly amount: bigint }): Uint8Array;
  taproot(options: SighashOptions): Uint8Array;
}

const empty = new Uint8Array(0);
const tapSighash = taggedHash('TapSighash');
const epoch = Uint8Array.of(0x00);
/** No annex, key path. */
const spendType = Uint8Array.of(0x00);

/**
 * What the inputs have in common is hashed once, so that the work grows with their number and not its square (but for `legacy`).
 * @param spent the outputs that the inputs spend, in their order: `taproot` wants them all
 */
export function sighashesOf(transaction: Transaction, spent?: readonly Output[]): Sighashes {
  const { version, inputs, outputs, lockTime } = transaction;
  const prevouts = sha256(...inputs.map(({ outPoint }) => outPoint));
  const sequences = sha256(...inputs.map(({ sequence }) => littleEndian(sequence, 4)));
  const allOutputs = sha256(...outputs.map(encodeOutput));
  const twice = { prevouts: sha256(prevouts), sequences: sha256(sequences), outputs: sha256(allOutputs) };
  const amounts = spent && sha256(...spent.map(({ amount }) => littleEndian(amount, 8)));
  const scripts = spent && sha256(...spent.map(({ script }) => withSize(script)));
  const [versionBytes, lockTimeBytes] = [littleEndian(version, 4), littleEndian(lockTime, 4)];

  return {
    legacy({ index, type, script }) {
      const signed = inputs.map((input, i) => ({ ...input, scriptSig: i === index ? script : empty }));
      return hash256(encodeTransaction({ ...transaction, inputs: signed }), littleEndian(type, 4));
    },
    bip143({ index, type, script, amount }) {
      const input = inputs[index];
      assert(input, 'the transaction has the input that is signed');
      const own = concat(input.outPoint, withSize(script), littleEndian(amount, 8), littleEndian(input.sequence, 4));
      return hash256(versionBytes, twice.prevouts, twice.sequences, own, twice.outputs, lockTimeBytes, littleEndian(type, 4));
    },
    taproot({ index, type }) {
      assert(amounts && scripts, 'a taproot signature is over the outputs that all inputs spend');
      const common = [versionBytes, lockTimeBytes, prevouts, amounts, scripts, sequences, allOutputs];
      return tapSighash(epoch, Uint8Array.of(type), ...common, spendType, littleEndian(index, 4));
    },
  };
}
