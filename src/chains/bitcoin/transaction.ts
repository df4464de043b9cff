/**
 * Transactions as Bitcoin and its descendants serialise them: strict, so that every transaction has one encoding, with witnesses or without.
 *
 * Sources: https://developer.bitcoin.org/reference/transactions.html ; BIP-144 (witnesses).
 * @module
 */

import { createHash } from 'node:crypto';
import { concat, toBigInt, toHex } from '../../base/bytes.ts';
import { littleEndian } from '../encodings/littleEndian.ts';
import { type Reader, readerOf } from '../encodings/reader.ts';

export interface Input {
  /** The output that is spent: its transaction's id in the order of hashing, 32 bytes, then its index, four bytes little-endian. */
  readonly outPoint: Uint8Array;
  readonly scriptSig: Uint8Array;
  readonly sequence: number;
}

export interface Output {
  /** In satoshi. */
  readonly amount: bigint;
  readonly script: Uint8Array;
}

export interface Transaction {
  readonly version: number;
  readonly inputs: readonly Input[];
  readonly outputs: readonly Output[];
  readonly lockTime: number;
}

export type Witness = readonly Uint8Array[];

/** Amounts are signed 64-bit numbers, and never negative. Each coin has a lower limit of its own; its nodes know it. */
const maxAmount = 2n ** 63n - 1n;
const smallestInput = 41;
const smallestOutput = 9;
/** What stands where the number of inputs does, in a transaction with witnesses: none, then a flag. */
const witnessMarker = 0x00;
const witnessFlag = 0x01;

/** A transaction with its witnesses, or without: what is said of it here is the same. @throws {Error} */
export function readTransaction(bytes: Uint8Array): Transaction {
  return readWith(bytes, bytes[4] === witnessMarker ? readWitnesses : undefined);
}

/** One that is to be signed. @throws {Error} for one that has witnesses, or no inputs, which looks the same */
export function readUnsigned(bytes: Uint8Array): Transaction {
  if (bytes[4] === witnessMarker) throw new Error('a transaction to be signed has inputs, and no place for witnesses');
  return readWith(bytes, undefined);
}

function readWith(bytes: Uint8Array, witnesses: typeof readWitnesses | undefined): Transaction {
  const reader = readerOf(bytes);
  const version = reader.u32le();
  if (witnesses !== undefined) {
    reader.u8();
    if (reader.u8() !== witnessFlag) throw new Error('a transaction without inputs, or with an extension that is not known, is not read');
  }
  const inputs = readList(reader, smallestInput, () => ({
    outPoint: reader.take(36),
    scriptSig: readBytes(reader),
    sequence: reader.u32le(),
  }));
  const outputs = readList(reader, smallestOutput, () => readOutputFrom(reader));
  witnesses?.(reader, inputs.length);
  const lockTime = reader.u32le();
  reader.end();
  return { version, inputs, outputs, lockTime };
}

function readWitnesses(reader: Reader, inputs: number): void {
  let isEmpty = true;
  for (let input = 0; input < inputs; input++) if (readList(reader, 1, () => readBytes(reader)).length > 0) isEmpty = false;
  if (isEmpty) throw new Error('it has a place for witnesses, and no witness');
}

/** @throws {Error} unless it is one output, whole */
export function readOutput(bytes: Uint8Array): Output {
  const reader = readerOf(bytes);
  const output = readOutputFrom(reader);
  reader.end();
  return output;
}

function readOutputFrom(reader: Reader): Output {
  return { amount: checkedAmount(reader.u64le()), script: readBytes(reader) };
}

/** @throws {Error} */
export function checkedAmount(amount: bigint): bigint {
  if (amount > maxAmount) throw new Error(`${amount} is no amount`);
  return amount;
}

/** Without witnesses, as its id is computed. */
export function encodeTransaction(transaction: Transaction): Uint8Array {
  return concat(littleEndian(transaction.version, 4), encodeBody(transaction), littleEndian(transaction.lockTime, 4));
}

/** @param witnesses one for each input */
export function encodeWithWitnesses(transaction: Transaction, witnesses: readonly Witness[]): Uint8Array {
  return concat(
    littleEndian(transaction.version, 4),
    Uint8Array.of(witnessMarker, witnessFlag),
    encodeBody(transaction),
    ...witnesses.map(encodeWitness),
    littleEndian(transaction.lockTime, 4),
  );
}

function encodeBody({ inputs, outputs }: Transaction): Uint8Array {
  return concat(
    compactSize(inputs.length),
    ...inputs.flatMap(({ outPoint, scriptSig, sequence }) => [outPoint, withSize(scriptSig), littleEndian(sequence, 4)]),
    compactSize(outputs.length),
    ...outputs.map(encodeOutput),
  );
}

export function encodeOutput({ amount, script }: Output): Uint8Array {
  return concat(littleEndian(amount, 8), withSize(script));
}

export function encodeWitness(witness: Witness): Uint8Array {
  return concat(compactSize(witness.length), ...witness.map(withSize));
}

/** In the order of hashing: the reverse of what explorers show. */
export function transactionId(transaction: Transaction): Uint8Array {
  return hash256(encodeTransaction(transaction));
}

/** As explorers show it. */
export function idText(id: Uint8Array): string {
  return toHex(id.slice().reverse());
}

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

export function hash256(...parts: readonly Uint8Array[]): Uint8Array {
  return sha256(sha256(...parts));
}

/** Up to 252 a size is its only byte; above, its first byte says how many follow: 0xfd two, 0xfe four. */
const firstOfTwo = 0xfd;
const firstOfFour = 0xfe;
const leastOfFour = 0x1_0000;

/** @throws {Error} for one with superfluous bytes, and for what no message here can hold */
export function readCompactSize(reader: Reader): number {
  const first = reader.u8();
  if (first < firstOfTwo) return first;
  if (first > firstOfFour) throw new Error('a size is larger than anything that is read here');
  const size = Number(
    toBigInt(
      reader
        .take(first === firstOfTwo ? 2 : 4)
        .slice()
        .reverse(),
    ),
  );
  if (size < (first === firstOfTwo ? firstOfTwo : leastOfFour)) throw new Error(`the size ${size} has superfluous bytes`);
  return size;
}

export function compactSize(size: number): Uint8Array {
  if (size < firstOfTwo) return Uint8Array.of(size);
  const [first, length] = size < leastOfFour ? [firstOfTwo, 2] : [firstOfFour, 4];
  return concat(Uint8Array.of(first), littleEndian(size, length));
}

/** Bytes behind their size. */
export function withSize(bytes: Uint8Array): Uint8Array {
  return concat(compactSize(bytes.length), bytes);
}

/** @throws {Error} */
export function readBytes(reader: Reader): Uint8Array {
  return reader.take(readCompactSize(reader));
}

/** A count is believed only as far as so many items could follow. */
function readList<T>(reader: Reader, smallestItem: number, item: () => T): T[] {
  const count = readCompactSize(reader);
  if (count * smallestItem > reader.left) throw new Error(`it is cut off: ${count} items do not fit ${reader.left} bytes`);
  return Array.from({ length: count }, item);
}
