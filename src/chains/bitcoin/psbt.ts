/**
 * Partially signed transactions, version 0 (BIP-174) and 2 (BIP-370), as maps of bytes to bytes: every pair is kept as it came, in its
 * place, and what is understood (psbtFields.ts) is checked.
 *
 * Sources: BIP-174, BIP-370.
 * @module
 */

import { concat, toHex, utf8 } from '../../base/bytes.ts';
import { type Reader, readerOf } from '../encodings/reader.ts';
import { globalTypes, inputTypes, onlyValue, outputTypes, type Pair, type PsbtMap, requireFields } from './psbtFields.ts';
import { checkedAmount, compactSize, readBytes, readCompactSize, readUnsigned, type Transaction, withSize } from './transaction.ts';

export interface Psbt {
  readonly version: 0 | 2;
  /** What the signatures are of. */
  readonly transaction: Transaction;
  readonly global: PsbtMap;
  /** As many as the transaction has. */
  readonly inputs: readonly PsbtMap[];
  readonly outputs: readonly PsbtMap[];
}

const magic = concat(utf8('psbt'), Uint8Array.of(0xff));
const maxInputs = 1000;
const maxOutputs = 3000;

/** @throws {Error} for what is not one, whole and in its only encoding */
export function readPsbt(bytes: Uint8Array): Psbt {
  const reader = readerOf(bytes);
  if (toHex(reader.take(magic.length)) !== toHex(magic)) throw new Error('it does not begin with "psbt" and 0xff');
  const global = readMap(reader);
  const version = versionOf(global);
  requireFields(global, 'global', version);
  const unsigned = onlyValue(global, globalTypes.unsignedTransaction);
  const declared = unsigned === undefined ? undefined : readUnsigned(unsigned);
  const inputCount = declared?.inputs.length ?? readCount(global, globalTypes.inputCount);
  const outputCount = declared?.outputs.length ?? readCount(global, globalTypes.outputCount);
  if (inputCount > maxInputs || outputCount > maxOutputs) {
    throw new Error(`at most ${maxInputs} inputs and ${maxOutputs} outputs are read, it has ${inputCount} and ${outputCount}`);
  }
  const inputs = Array.from({ length: inputCount }, () => requireFields(readMap(reader), 'input', version));
  const outputs = Array.from({ length: outputCount }, () => requireFields(readMap(reader), 'output', version));
  reader.end();
  return { version, transaction: requireSound(declared ?? assembled(global, inputs, outputs)), global, inputs, outputs };
}

export function encodePsbt({ global, inputs, outputs }: Pick<Psbt, 'global' | 'inputs' | 'outputs'>): Uint8Array {
  return concat(magic, ...[global, ...inputs, ...outputs].map(encodeMap));
}

/** @throws {Error} unless the value, where there is one, is a number of four bytes */
export function numberOf(map: PsbtMap, type: number): number | undefined {
  const value = onlyValue(map, type);
  return value && readerOf(value).u32le();
}

/** The map with one pair more: where the order of keys wants it, if the map is in that order. */
export function withPair(map: PsbtMap, pair: Pair): PsbtMap {
  const behind = map.findIndex((other) => toHex(keyOf(other)) > toHex(keyOf(pair)));
  const at = behind === -1 ? map.length : behind;
  return [...map.slice(0, at), pair, ...map.slice(at)];
}

/** Says that inputs and outputs may be added no more: a signature is over all of them (BIP-370, Signer). */
export function withoutModifiable(global: PsbtMap): PsbtMap {
  return global.map((pair) =>
    pair.type === globalTypes.modifiable ? { ...pair, value: pair.value.map((flags) => flags & ~modifiableFlags) } : pair,
  );
}

const modifiableFlags = 0b11;

function readMap(reader: Reader): PsbtMap {
  const pairs: Pair[] = [];
  const keys = new Set<string>();
  for (let key = readBytes(reader); key.length > 0; key = readBytes(reader)) {
    const name = toHex(key);
    if (keys.has(name)) throw new Error(`the key ${name} is there twice`);
    keys.add(name);
    const ofKey = readerOf(key);
    const type = readCompactSize(ofKey);
    pairs.push({ type, keyData: ofKey.take(ofKey.left), value: readBytes(reader) });
  }
  return pairs;
}

function encodeMap(map: PsbtMap): Uint8Array {
  return concat(...map.flatMap((pair) => [withSize(keyOf(pair)), withSize(pair.value)]), Uint8Array.of(0x00));
}

function keyOf({ type, keyData }: Pair): Uint8Array {
  return concat(compactSize(type), keyData);
}

function versionOf(global: PsbtMap): 0 | 2 {
  const value = onlyValue(global, globalTypes.version);
  if (value !== undefined && value.length !== 4) throw new Error('its version is not of four bytes');
  const version = value === undefined ? 0 : readerOf(value).u32le();
  if (version !== 0 && version !== 2) throw new Error(`version ${version} is not known, 0 and 2 are`);
  return version;
}

function readCount(global: PsbtMap, type: number): number {
  const reader = readerOf(onlyValue(global, type) ?? new Uint8Array(0));
  const count = readCompactSize(reader);
  reader.end();
  return count;
}

/** The transaction of a version 2, whose parts stand in its maps. */
function assembled(global: PsbtMap, inputs: readonly PsbtMap[], outputs: readonly PsbtMap[]): Transaction {
  return {
    version: numberOf(global, globalTypes.transactionVersion) ?? 0,
    inputs: inputs.map((map) => ({
      outPoint: concat(required(map, inputTypes.previousId), required(map, inputTypes.outputIndex)),
      scriptSig: new Uint8Array(0),
      sequence: numberOf(map, inputTypes.sequence) ?? finalSequence,
    })),
    outputs: outputs.map((map) => ({
      amount: checkedAmount(readerOf(required(map, outputTypes.amount)).u64le()),
      script: required(map, outputTypes.script),
    })),
    lockTime: lockTimeOf(global, inputs),
  };
}

const finalSequence = 0xffff_ffff;

function required(map: PsbtMap, type: number): Uint8Array {
  const value = onlyValue(map, type);
  if (value === undefined) throw new Error(`the field 0x${type.toString(16)} is missing`);
  return value;
}

/** Below, a lock time is a height; from here on, a time in seconds. */
const leastTime = 500_000_000;

/** BIP-370, "Determining Lock Time": of the kind that all inputs with a wish can live with, height before time, the latest. */
function lockTimeOf(global: PsbtMap, inputs: readonly PsbtMap[]): number {
  const wishes = inputs
    .map((map) => ({ time: numberOf(map, inputTypes.timeLock), height: numberOf(map, inputTypes.heightLock) }))
    .filter(({ time, height }) => time !== undefined || height !== undefined);
  for (const { time = leastTime, height = 1 } of wishes) {
    if (time < leastTime) throw new Error(`the required time ${time} is a height`);
    if (height === 0 || height >= leastTime) throw new Error(`the required height ${height} is none`);
  }
  if (wishes.length === 0) return numberOf(global, globalTypes.fallbackLockTime) ?? 0;
  for (const kind of ['height', 'time'] as const) {
    const times = wishes.flatMap((wish) => wish[kind] ?? []);
    if (times.length === wishes.length) return Math.max(...times);
  }
  throw new Error('its inputs require a height and a time: one transaction cannot wait for both');
}

/** @throws {Error} for what no node would take */
function requireSound(transaction: Transaction): Transaction {
  const { inputs, outputs } = transaction;
  if (inputs.length === 0 || outputs.length === 0) throw new Error('a transaction has inputs and outputs');
  if (inputs.some(({ scriptSig }) => scriptSig.length > 0)) throw new Error('its transaction is not unsigned: an input has a script');
  if (new Set(inputs.map(({ outPoint }) => toHex(outPoint))).size < inputs.length)
    throw new Error('two of its inputs spend the same output');
  return transaction;
}
