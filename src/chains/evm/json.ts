/**
 * Transactions as JSON: what the caller said, what is left to the service, and the bounds within which the service may fill it in.
 * @module
 */

import { equal, fromHex, toBigInt } from '../../base/bytes.ts';
import { integerOf } from '../encodings/typedData.ts';
import { addressText, parseAddress } from './address.ts';
import {
  type AccessEntry,
  type Authorization,
  type FieldName,
  type Fields,
  isTransactionType,
  named,
  requireSound,
  type Transaction,
  type TransactionType,
  transactionFields,
} from './transaction.ts';

/** A transaction that is not whole yet. */
export interface Draft {
  readonly type: TransactionType;
  readonly given: Partial<Fields> & Pick<Fields, 'to' | 'value' | 'data'>;
  /** What the caller left out, of what may be filled in. */
  readonly missing: readonly FieldName[];
}

const fillable: readonly FieldName[] = ['nonce', 'gasLimit', 'gasPrice', 'maxFeePerGas', 'maxPriorityFeePerGas'];
/** What the fee is made of. */
const priced: readonly FieldName[] = ['gasLimit', 'gasPrice', 'maxFeePerGas'];
/** What a transaction does not have as a field of its own, or not in every type. */
const besides = ['type', 'chainId', 'from'];

/** EIP-7825: no transaction may use more gas. */
const maxFilledGas = 2n ** 24n;
/** A tenth of the coin; networks whose coin is worth little have a bound of their own. */
const defaultMaxFilledFee = 10n ** 17n;

const defaultType = 2;
const maxListItems = 2000;
const noBytes = new Uint8Array(0);

/** @throws {Error} naming the field that is wrong */
export function readDraft(json: Readonly<Record<string, unknown>>, chainId: bigint): Draft {
  const type = json.type === undefined ? defaultType : Number(integerOf(json.type) ?? Number.NaN);
  if (!isTransactionType(type)) throw new Error('type: 0, 1, 2 and 4 are signed');
  const names = transactionFields[type];
  const unknown = Object.keys(json).find((name) => !besides.includes(name) && !names.some((known) => known === name));
  if (unknown !== undefined) throw new Error(`${unknown}: a transaction of type ${type} has ${names.join(', ')}`);
  if (json.chainId !== undefined && integerOf(json.chainId) !== chainId) throw new Error(`chainId: the network's is ${chainId}`);

  const given: Record<string, unknown> = { chainId };
  const missing: FieldName[] = [];
  for (const name of names) {
    if (name === 'chainId') continue;
    const value = json[name] ?? undefined; // null is what some libraries write for nothing
    if (value !== undefined) given[name] = named(name, () => readers[name](value));
    else if (fillable.includes(name)) missing.push(name);
    else given[name] = readers[name](undefined);
  }
  return { type, given: given as unknown as Draft['given'], missing }; // each by the reader of its name
}

/** @throws {Error} unless the transaction, where it names its sender, names this account */
export function requireSender({ from }: Readonly<Record<string, unknown>>, self: Uint8Array): void {
  if (from === undefined || from === null) return;
  const sender = named('from', () => parseAddress(from));
  if (equal(sender, self)) return;
  throw new Error(`from: the sender is ${addressText(sender)}, the key's address is ${addressText(self)}`);
}

/**
 * @param filled decimal numbers; of those that the caller left out, each must be there
 * @throws {Error} for what is still missing, and for what may not be filled in
 */
export function completeDraft(
  { type, given, missing }: Draft,
  filled: Readonly<Record<string, string>>,
  maxFilledFee = defaultMaxFilledFee,
): Transaction {
  const added = missing.map((name) => [name, named(name, () => filledNumber(filled[name]))] as const);
  const transaction = requireSound({ type, ...given, ...Object.fromEntries(added) } as Transaction); // whole now
  if (missing.includes('gasLimit') && transaction.gasLimit > maxFilledGas) {
    throw new Error(`gasLimit: ${transaction.gasLimit} is more than the service may fill in (${maxFilledGas}); say it yourself`);
  }
  const fee = feeOf(transaction);
  if (fee > maxFilledFee && missing.some((name) => priced.includes(name))) {
    throw new Error(`the fee may come to ${fee}, the service may fill in no more than ${maxFilledFee}; say gasLimit and the fees yourself`);
  }
  return transaction;
}

/** At most, in wei. */
export function feeOf(transaction: Transaction): bigint {
  return transaction.gasLimit * ('maxFeePerGas' in transaction ? transaction.maxFeePerGas : transaction.gasPrice);
}

function filledNumber(text: string | undefined): bigint {
  const number = text === undefined || text.startsWith('0x') ? undefined : integerOf(text);
  if (number === undefined || number < 0n) throw new Error('it is missing');
  return number;
}

/** What a field is when it is left out is what its reader makes of undefined. */
const readers: { readonly [F in FieldName]: (value: unknown) => Fields[F] } = {
  chainId: quantity(64),
  nonce: quantity(64),
  gasPrice: quantity(256),
  maxPriorityFeePerGas: quantity(256),
  maxFeePerGas: quantity(256),
  gasLimit: quantity(64),
  to: (value) => (value === undefined ? noBytes : parseAddress(value)),
  value: (value) => (value === undefined ? 0n : quantity(256)(value)),
  data: (value) => (value === undefined ? noBytes : hex(value)),
  accessList: (value) => (value === undefined ? [] : list(value).map(accessEntry)),
  authorizationList: (value) => (value === undefined ? [] : list(value).map(authorization)),
};

/** Decimal or hexadecimal text, or a number that JSON keeps exactly. */
function quantity(bits: number): (value: unknown) => bigint {
  return (value) => {
    const number = integerOf(value);
    if (number === undefined || number < 0n || number >> BigInt(bits) !== 0n) {
      throw new Error(`expected a decimal or 0x number of at most ${bits} bits, above 2^53 as a text`);
    }
    return number;
  };
}

function hex(value: unknown, length?: number): Uint8Array {
  const bytes = typeof value === 'string' && value.startsWith('0x') ? fromHex(value) : undefined;
  if (bytes === undefined || (length !== undefined && bytes.length !== length)) {
    throw new Error(`expected 0x and hex${length === undefined ? '' : ` of ${length} bytes`}`);
  }
  return bytes;
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value) || value.length > maxListItems) throw new Error(`expected a list of at most ${maxListItems}`);
  return value;
}

function members<K extends string>(value: unknown, names: readonly K[]): Readonly<Record<K, unknown>> {
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  if (keys.length !== names.length || names.some((name) => !keys.includes(name))) throw new Error(`expected {${names.join(', ')}} in each`);
  return value as Readonly<Record<K, unknown>>; // it has these members and no others
}

function accessEntry(value: unknown): AccessEntry {
  const { address, storageKeys } = members(value, ['address', 'storageKeys']);
  return { address: parseAddress(address), storageKeys: list(storageKeys).map((key) => hex(key, 32)) };
}

/** `signature`: r ‖ s ‖ v, v being 27 or 28, or the parity itself. */
function authorization(value: unknown): Authorization {
  const { chainId, address, nonce, signature } = members(value, ['chainId', 'address', 'nonce', 'signature']);
  const bytes = hex(signature, 65);
  const v = bytes[64] ?? 0;
  const yParity = v >= 27 ? v - 27 : v;
  if (yParity > 1) throw new Error(`expected a signature whose last byte is 27 or 28, found ${v}`);
  const half = (from: number) => toBigInt(bytes.subarray(from, from + 32));
  return {
    chainId: quantity(64)(chainId),
    address: parseAddress(address),
    nonce: quantity(64)(nonce),
    yParity,
    r: half(0),
    s: half(32),
  };
}
