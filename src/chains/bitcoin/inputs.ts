/**
 * The inputs of a PSBT: what each spends, as far as it is said and proven, and which are the key's, and may be signed.
 * @module
 */

import { equal, toHex } from '../../base/bytes.ts';
import { Refusal } from '../../base/errors.ts';
import type { ChainKey } from '../chain.ts';
import { readerOf } from '../encodings/reader.ts';
import { decoding } from '../target.ts';
import { numberOf, type Psbt } from './psbt.ts';
import { inputTypes, onlyValue, type PsbtMap } from './psbtFields.ts';
import { hash160, type OwnScript, taprootScript } from './scripts.ts';
import { idText, type Output, readOutput, readTransaction, transactionId } from './transaction.ts';

/** What differs from coin to coin. */
export interface Coin {
  /** That the key spends, so that an output with one of them is change. */
  readonly scripts: readonly OwnScript[];
  /** Undefined for a script that has none, or when the network is not known. */
  addressOf(script: Uint8Array): string | undefined;
}

/** An output that an input spends. */
export interface Spent {
  readonly output: Output;
  /** By the transaction that made it, whose id the input names; else it is what the PSBT says. */
  readonly isProven: boolean;
}

export interface OwnInput {
  readonly index: number;
  readonly script: OwnScript;
  readonly amount: bigint;
  readonly sighashType: number;
}

const none = new Uint8Array(0);

/** What each input spends: undefined where the PSBT does not say. @throws {Refusal} BadRequest where it contradicts itself */
export function spentOutputs(psbt: Psbt): readonly (Spent | undefined)[] {
  return psbt.inputs.map((map, index) => decoding(`sound data of input ${index} in the PSBT`, () => readSpent(map, psbt, index)));
}

/** @throws {Refusal} BadRequest for an input that is the key's, or names it, and is not signed */
export function ownInputs(psbt: Psbt, spent: readonly (Spent | undefined)[], key: ChainKey, coin: Coin): readonly OwnInput[] {
  return psbt.inputs.flatMap((map, index) => {
    const one = spent[index];
    const script = one && ownScriptOf(map, one.output, key, coin);
    if (one !== undefined && script !== undefined) return [ownInput(map, { index, key, script, spent: one })];
    requireOthers(map, { index, key, output: one?.output });
    return [];
  });
}

/** Undefined where the PSBT does not say. @throws {Error} where it contradicts itself */
function readSpent(map: PsbtMap, { transaction }: Psbt, index: number): Spent | undefined {
  const outPoint = readerOf(transaction.inputs[index]?.outPoint ?? new Uint8Array(0));
  const [id, outputIndex] = [outPoint.take(32), outPoint.u32le()];
  const previousBytes = onlyValue(map, inputTypes.previousTransaction);
  const claimedBytes = onlyValue(map, inputTypes.previousOutput);
  const claimed = claimedBytes && readOutput(claimedBytes);
  if (previousBytes === undefined) return claimed && { output: claimed, isProven: false };

  const previous = readTransaction(previousBytes);
  const previousId = transactionId(previous);
  if (!equal(previousId, id)) throw new Error(`the previous transaction given is ${idText(previousId)}, the input spends ${idText(id)}`);
  const output = previous.outputs[outputIndex];
  if (output === undefined) throw new Error(`the previous transaction has no output ${outputIndex}`);
  if (claimed !== undefined && !(claimed.amount === output.amount && equal(claimed.script, output.script))) {
    throw new Error('the witness UTXO is not the output of the previous transaction');
  }
  return { output, isProven: true };
}

function ownScriptOf(map: PsbtMap, output: Output, key: ChainKey, { scripts }: Coin): OwnScript | undefined {
  const known = scripts.find(({ script }) => equal(script, output.script));
  if (known !== undefined || !scripts.some(({ hashing }) => hashing === 'taproot')) return known;
  // A key with scripts: its output is not one of a wallet of ours, but its key path is the key's to spend.
  const { internalKey, merkleRoot } = taprootOf(map);
  if (internalKey === undefined || merkleRoot === undefined || !equal(internalKey, key.publicKey.subarray(1))) return undefined;
  const withScripts = taprootScript(key.publicKey, merkleRoot);
  return equal(withScripts.script, output.script) ? withScripts : undefined;
}

function taprootOf(map: PsbtMap): { readonly internalKey: Uint8Array | undefined; readonly merkleRoot: Uint8Array | undefined } {
  return { internalKey: onlyValue(map, inputTypes.taprootInternalKey), merkleRoot: onlyValue(map, inputTypes.taprootMerkleRoot) };
}

/** @throws {Refusal} BadRequest for an input of this key that must not be signed */
function ownInput(
  map: PsbtMap,
  { index, key, script, spent }: { index: number; key: ChainKey; script: OwnScript; spent: Spent },
): OwnInput {
  const refuse = (why: string) => new Refusal('BadRequest', `input ${index} of the PSBT: ${why}`);
  if (isSigned(map, key)) throw refuse('it is signed already');

  const [usual] = script.sighashTypes;
  const sighashType = numberOf(map, inputTypes.sighashType) ?? usual;
  if (!script.sighashTypes.includes(sighashType)) {
    const signed = script.sighashTypes.map(hexByte).join(' or ');
    throw refuse(`its sighash type is ${hexByte(sighashType)}; only ${signed} is signed, which is over all inputs and outputs`);
  }
  if (script.hashing === 'legacy' && !spent.isProven) {
    throw refuse('its previous transaction (non-witness UTXO) is required: a signature of such an input does not commit to the amount');
  }
  const redeemScript = onlyValue(map, inputTypes.redeemScript);
  if (redeemScript !== undefined && !(script.redeemScript && equal(redeemScript, script.redeemScript))) {
    throw refuse('its redeem script is not that of the output it spends');
  }
  if (onlyValue(map, inputTypes.witnessScript) !== undefined) throw refuse('it has a witness script, which the output it spends has not');
  const { internalKey, merkleRoot = none } = taprootOf(map);
  if (script.merkleRoot !== undefined && !equal(merkleRoot, script.merkleRoot))
    throw refuse('its merkle root is not that of the output it spends');
  if (internalKey !== undefined && !equal(internalKey, key.publicKey.subarray(1))) throw refuse('its internal key is not this key');
  return { index, script, amount: spent.output.amount, sighashType };
}

function isSigned(map: PsbtMap, { publicKey }: ChainKey): boolean {
  return map.some(
    ({ type, keyData }) =>
      (type === inputTypes.partialSignature && equal(keyData, publicKey)) || type === inputTypes.taprootSignature || isFinal(type),
  );
}

function isFinal(type: number): boolean {
  return type === inputTypes.finalScriptSig || type === inputTypes.finalWitness;
}

/** Where an input names keys of scripts: in the value, for scripts, or in the key of the pair. */
const scriptTypes: ReadonlySet<number> = new Set([
  inputTypes.redeemScript,
  inputTypes.witnessScript,
  inputTypes.taprootLeafScript,
  inputTypes.taprootInternalKey,
]);
const keyedTypes: ReadonlySet<number> = new Set([inputTypes.partialSignature, inputTypes.derivation, inputTypes.taprootDerivation]);

/** @throws {Refusal} BadRequest for an input that involves this key otherwise than is signed: left out in silence, it would look signed */
function requireOthers(map: PsbtMap, { index, key, output }: { index: number; key: ChainKey; output: Output | undefined }): void {
  if (map.some(({ type }) => isFinal(type))) return;
  const xOnly = key.publicKey.subarray(1);
  const names = (bytes: Uint8Array) => includes(bytes, xOnly) || includes(bytes, hash160(key.publicKey));
  const isNamed =
    (output !== undefined && names(output.script)) ||
    map.some(({ type, keyData, value }) => (scriptTypes.has(type) && names(value)) || (keyedTypes.has(type) && names(keyData)));
  if (!isNamed) return;
  throw new Refusal(
    'BadRequest',
    output === undefined
      ? `input ${index} of the PSBT names this key, but not the output that it spends`
      : `input ${index} of the PSBT names this key in a script that is not signed here (${toHex(output.script)}): several keys, a script path, or a form that a key of this type or network does not have`,
  );
}

function includes(bytes: Uint8Array, part: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(Buffer.from(part));
}

function hexByte(value: number): string {
  return `0x${value.toString(16).padStart(2, '0')}`;
}
