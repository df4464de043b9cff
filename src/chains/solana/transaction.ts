/**
 * A Solana transaction on the wire: slots for the signatures, then the message, legacy or version 0.
 *
 * Strict: lengths are compact-u16 without superfluous bytes, indices are within the accounts, nothing is left over. What is read has one
 * encoding, so reading it and writing it again gives what came.
 *
 * Sources   https://solana.com/docs/core/transactions/transaction-structure ; solana-short-vec, solana-message (sanitize).
 * @module
 */

import { base58 } from '@scure/base';
import { type Reader, readerOf } from '../encodings/reader.ts';

/** The network takes no larger one: what one packet of IPv6 holds. It bounds every count in here. */
const maxTransactionBytes = 1232;
const maxAccounts = 256;
const signatureBytes = 64;
const addressBytes = 32;
const versionFlag = 0x80;

export interface Transaction {
  /** One a required signer, in the order of the accounts; zeros where nobody has signed yet. */
  readonly slots: readonly Uint8Array[];
  /** As it came: what everybody signs. */
  readonly messageBytes: Uint8Array;
  readonly message: Message;
}

export interface Message {
  /** The accounts that must sign; the first pays the fee. */
  readonly signers: readonly string[];
  readonly instructions: readonly Instruction[];
}

export interface Instruction {
  readonly program: string;
  /** Base58; `table/index` for one that stands in a lookup table, whose content only the chain knows. */
  readonly accounts: readonly string[];
  readonly data: Uint8Array;
  /** An account of it stands in a lookup table. */
  readonly looksUp: boolean;
}

/** @throws {Error} saying what is malformed */
export function readTransaction(bytes: Uint8Array): Transaction {
  if (bytes.length > maxTransactionBytes) throw new Error(`it has ${bytes.length} bytes, the network takes ${maxTransactionBytes}`);
  const reader = readerOf(bytes);
  const slots = listOf(reader, () => reader.take(signatureBytes));
  const messageBytes = bytes.subarray(bytes.length - reader.left);
  const message = readMessage(reader);
  reader.end();
  if (slots.length !== message.signers.length) {
    throw new Error(`it has ${slots.length} slots for signatures, and ${message.signers.length} accounts that must sign`);
  }
  return { slots, messageBytes, message };
}

/** The place of a slot: what stands there is replaced by its signature. */
export function withSignature(bytes: Uint8Array, slot: number, signature: Uint8Array): Uint8Array {
  const signed = bytes.slice();
  // Fewer than 128 slots fit a transaction: their number is one byte.
  signed.set(signature, 1 + slot * signatureBytes);
  return signed;
}

function readMessage(reader: Reader): Message {
  const first = reader.u8();
  const isVersioned = first >= versionFlag;
  if (isVersioned && first !== versionFlag) throw new Error(`messages of version ${first - versionFlag} are not signed here`);
  const [required, readOnlySigners, readOnlyOthers] = [isVersioned ? reader.u8() : first, reader.u8(), reader.u8()];
  const own = listOf(reader, () => addressIn(reader));
  if (required + readOnlyOthers > own.length) throw new Error(`its header counts more accounts than the ${own.length} there are`);
  // The first signer pays, and so is written to.
  if (readOnlySigners >= required) throw new Error('its header leaves no signer to pay the fee');
  if (new Set(own).size !== own.length) throw new Error('it names an account twice');
  reader.take(32); // a recent block hash, or a nonce: which, only the chain knows

  const compiled = listOf(reader, () => ({ program: reader.u8(), accounts: readIndices(reader), data: readData(reader) }));
  const accounts = [...own, ...(isVersioned ? readLookups(reader) : [])];
  if (accounts.length > maxAccounts) throw new Error(`it has more than ${maxAccounts} accounts`);
  const instructions = compiled.map(({ program, accounts: indices, data }) => {
    const address = own[program];
    if (address === undefined || program === 0) throw new Error(`account ${program} is no program it may call`);
    const named = indices.map((index) => {
      const account = accounts[index];
      if (account === undefined) throw new Error(`an instruction names account ${index} of ${accounts.length}`);
      return account;
    });
    return { program: address, accounts: named, data, looksUp: indices.some((index) => index >= own.length) };
  });
  return { signers: own.slice(0, required), instructions };
}

/** What the tables add: first all that is written to, then all that is only read. */
function readLookups(reader: Reader): readonly string[] {
  const tables = listOf(reader, () => {
    const table = addressIn(reader);
    const [writable, readOnly] = [readIndices(reader), readIndices(reader)];
    if (writable.length + readOnly.length === 0) throw new Error('it takes nothing from a lookup table');
    return { table, writable, readOnly };
  });
  const named = (table: string, indices: readonly number[]) => indices.map((index) => `${table}/${index}`);
  return [
    ...tables.flatMap(({ table, writable }) => named(table, writable)),
    ...tables.flatMap(({ table, readOnly }) => named(table, readOnly)),
  ];
}

function readIndices(reader: Reader): readonly number[] {
  return [...readData(reader)];
}

function readData(reader: Reader): Uint8Array {
  return reader.take(readLength(reader));
}

export function addressIn(reader: Reader): string {
  return base58.encode(reader.take(addressBytes));
}

/** What `item` reads is never empty: the length of the bytes bounds the list. */
function listOf<T>(reader: Reader, item: () => T): readonly T[] {
  return Array.from({ length: readLength(reader) }, item);
}

/** compact-u16: seven bits a byte, the lowest first, in as few bytes as it takes. */
function readLength(reader: Reader): number {
  let value = 0;
  for (let i = 0; i < 3; i++) {
    const byte = reader.u8();
    value |= (byte & 0x7f) << (7 * i);
    if (byte >= 0x80) continue;
    if (i > 0 && byte === 0) throw new Error('a length has a superfluous byte');
    if (value > 0xffff) break;
    return value;
  }
  throw new Error('a length has more than 16 bits');
}
