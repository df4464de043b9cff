/**
 * Signing a PSBT with one key: which inputs are the key's and may be signed, what the transaction does to it, and the PSBT with the
 * signatures. Inputs of others stay as they are. Shared by the kinds whose transactions are Bitcoin's.
 * @module
 */

import { concat, equal } from '../../base/bytes.ts';
import { assert, Refusal } from '../../base/errors.ts';
import type { Payload, Signature } from '../../crypto/schemes/scheme.ts';
import type { ChainKey, Signed, Unsigned } from '../chain.ts';
import { derOf } from '../encodings/der.ts';
import { bytesOf, decoding } from '../target.ts';
import { summaryOf } from './effects.ts';
import { type Coin, type OwnInput, ownInputs, type Spent, spentOutputs } from './inputs.ts';
import { encodePsbt, type Psbt, readPsbt, withoutModifiable, withPair } from './psbt.ts';
import { inputTypes, type Pair } from './psbtFields.ts';
import { payToKeyHash, readScript, sighashTypes } from './scripts.ts';
import { type Sighashes, sighashesOf } from './sighash.ts';
import { idText, type Output, type Transaction, transactionId } from './transaction.ts';

/** Each is a signature made by several signers, and a reading of the whole request by each of them. */
const maxSignatures = 200;

/** @throws {Refusal} BadRequest for what is not signed, saying why */
export function signPsbt(psbt: string, key: ChainKey, coin: Coin): Unsigned {
  const bytes = bytesOf(psbt);
  const read = decoding('a PSBT', () => readPsbt(bytes));
  assert(equal(encodePsbt(read), bytes), 'what is read of a PSBT is all of it');
  const spent = spentOutputs(read);
  const own = ownInputs(read, spent, key, coin);
  if (own.length === 0) throw new Refusal('BadRequest', `no input of the PSBT spends an output of this key${namesOf(coin)}`);
  if (own.length > maxSignatures)
    throw new Refusal('BadRequest', `at most ${maxSignatures} inputs are signed at once, ${own.length} are this key's`);

  const sighashes = sighashesOf(read.transaction, everyOutput(spent, own));
  return {
    payloads: own.map((input) => payloadOf(input, key, sighashes)),
    summary: summaryOf({ transaction: read.transaction, spent, own, coin }),
    assemble: (signatures) => assemble(read, { own, spent, key, signatures }),
  };
}

/** All that the inputs spend, if it is known. @throws {Refusal} BadRequest where it must be */
function everyOutput(spent: readonly (Spent | undefined)[], own: readonly OwnInput[]): readonly Output[] | undefined {
  const outputs = spent.flatMap((one) => one?.output ?? []);
  if (outputs.length === spent.length) return outputs;
  if (own.some(({ script }) => script.hashing === 'taproot')) {
    const unknown = spent.indexOf(undefined);
    throw new Refusal(
      'BadRequest',
      `input ${unknown} of the PSBT does not say what it spends: a taproot signature is over the outputs that all inputs spend`,
    );
  }
  return undefined;
}

function payloadOf({ index, script, amount, sighashType: type }: OwnInput, key: ChainKey, sighashes: Sighashes): Payload {
  switch (script.hashing) {
    case 'legacy':
      return { bytes: sighashes.legacy({ index, type, script: script.script }) };
    case 'bip143':
      return { bytes: sighashes.bip143({ index, type, script: payToKeyHash(key.publicKey), amount }) };
    case 'taproot':
      assert(script.merkleRoot, 'a taproot output has its merkle root');
      return { bytes: sighashes.taproot({ index, type }), taprootMerkleRoot: script.merkleRoot };
  }
}

function assemble(
  read: Psbt,
  {
    own,
    spent,
    key,
    signatures,
  }: { own: readonly OwnInput[]; spent: readonly (Spent | undefined)[]; key: ChainKey; signatures: readonly Signature[] },
): Signed {
  const signed = own.map((input, i) => {
    const signature = signatures[i];
    assert(signature, 'every input of the key has its signature');
    return signInput(input, key, signature);
  });
  const inputs = read.inputs.map((map, index) => {
    const ours = signed.find((one) => one.index === index);
    return ours === undefined ? map : withPair(map, ours.pair);
  });
  const signedData = encodePsbt({ ...read, global: withoutModifiable(read.global), inputs });
  const txHash = finalId(read.transaction, spent, signed);
  return { encoded: signed.map(({ encoded }) => encoded), signedData, ...(txHash === undefined ? {} : { txHash }) };
}

interface SignedInput {
  readonly index: number;
  readonly encoded: Uint8Array;
  readonly pair: Pair;
  readonly scriptSig: Uint8Array;
}

function signInput({ index, script, sighashType }: OwnInput, { publicKey }: ChainKey, signature: Signature): SignedInput {
  const isTaproot = script.hashing === 'taproot';
  const encoded = isTaproot ? concat(signature.r, signature.s) : derOf(signature);
  // BIP-341: the default type is said by saying none.
  const value = isTaproot && sighashType === sighashTypes.default ? encoded : concat(encoded, Uint8Array.of(sighashType));
  const pair = isTaproot
    ? { type: inputTypes.taprootSignature, keyData: new Uint8Array(0), value }
    : { type: inputTypes.partialSignature, keyData: publicKey, value };
  return { index, encoded, pair, scriptSig: script.scriptSig(value) };
}

/** The id of the transaction when it is final: known when no input of others has a script in it. */
function finalId(transaction: Transaction, spent: readonly (Spent | undefined)[], signed: readonly SignedInput[]): string | undefined {
  const scriptSigs = spent.map((one, index) => {
    const isWitness = one !== undefined && readScript(one.output.script)?.form === 'witness';
    return signed.find((ours) => ours.index === index)?.scriptSig ?? (isWitness ? new Uint8Array(0) : undefined);
  });
  const inputs = transaction.inputs.flatMap((input, i) => {
    const scriptSig = scriptSigs[i];
    return scriptSig === undefined ? [] : [{ ...input, scriptSig }];
  });
  return inputs.length === transaction.inputs.length ? idText(transactionId({ ...transaction, inputs })) : undefined;
}

function namesOf({ scripts, addressOf }: Coin): string {
  const addresses = scripts.flatMap(({ script }) => addressOf(script) ?? []);
  return addresses.length === 0 ? '' : ` (${addresses.join(', ')})`;
}
