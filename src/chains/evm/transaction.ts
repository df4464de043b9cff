/**
 * Transactions of Ethereum: their fields by type, from bytes and to bytes.
 *
 * Sources: EIP-155, EIP-2718, EIP-2930, EIP-1559, EIP-7702; the yellow paper for what was before; EIP-2681 for the nonce.
 * @module
 */

import { concat, equal } from '../../base/bytes.ts';
import { Refusal } from '../../base/errors.ts';
import { decodeRlp, encodeRlp, integerIn, listIn, type RlpItem, rlpInteger, stringIn } from '../encodings/rlp.ts';
import { addressBytes } from './address.ts';

export interface AccessEntry {
  readonly address: Uint8Array;
  readonly storageKeys: readonly Uint8Array[];
}

/** An account's signed word that its code shall be the one at `address` (EIP-7702). */
export interface Authorization {
  /** 0: on every chain. */
  readonly chainId: bigint;
  readonly address: Uint8Array;
  readonly nonce: bigint;
  readonly yParity: number;
  readonly r: bigint;
  readonly s: bigint;
}

export interface Fields {
  readonly chainId: bigint;
  readonly nonce: bigint;
  readonly gasPrice: bigint;
  readonly maxPriorityFeePerGas: bigint;
  readonly maxFeePerGas: bigint;
  readonly gasLimit: bigint;
  /** No bytes: the transaction creates a contract. */
  readonly to: Uint8Array;
  readonly value: bigint;
  readonly data: Uint8Array;
  readonly accessList: readonly AccessEntry[];
  readonly authorizationList: readonly Authorization[];
}

export type FieldName = keyof Fields;

/** The fields of each type in the order of its bytes. */
export const transactionFields = {
  0: ['nonce', 'gasPrice', 'gasLimit', 'to', 'value', 'data'],
  1: ['chainId', 'nonce', 'gasPrice', 'gasLimit', 'to', 'value', 'data', 'accessList'],
  2: ['chainId', 'nonce', 'maxPriorityFeePerGas', 'maxFeePerGas', 'gasLimit', 'to', 'value', 'data', 'accessList'],
  4: ['chainId', 'nonce', 'maxPriorityFeePerGas', 'maxFeePerGas', 'gasLimit', 'to', 'value', 'data', 'accessList', 'authorizationList'],
} as const satisfies Record<number, readonly FieldName[]>;

export type TransactionType = keyof typeof transactionFields;

/** Type 0 has a chain id since EIP-155; without one it is good on every chain. */
export type Transaction = {
  [T in TransactionType]: { readonly type: T } & Pick<Fields, (typeof transactionFields)[T][number]> &
    (T extends 0 ? { readonly chainId?: bigint } : unknown);
}[TransactionType];

export interface EcdsaSignature {
  readonly r: bigint;
  readonly s: bigint;
  readonly yParity: number;
}

const firstOfList = 0xc0;
const blobType = 3;
/** EIP-2294; what 35 + 2 · chain id may be. */
const maxChainId = 2n ** 63n - 37n;
/** EIP-2681. */
const maxNonce = 2n ** 64n - 2n;
/** Whose each is takes a millisecond to find out. */
const maxAuthorizations = 64;
const noBytes = new Uint8Array(0);

/** @throws {Refusal} BadRequest @throws {Error} for bytes that are no unsigned transaction */
export function decodeTransaction(bytes: Uint8Array): Transaction {
  const [type] = bytes;
  if (type === undefined) throw new Error('it has no bytes');
  const transaction = requireSound(type >= firstOfList ? decodeLegacy(listIn(decodeRlp(bytes))) : decodeTyped(type, bytes));
  if (!equal(encodeTransaction(transaction), bytes)) throw new Error('it is written otherwise than it is read');
  return transaction;
}

function decodeTyped(type: number, bytes: Uint8Array): Transaction {
  if (type === blobType) {
    throw new Refusal('BadRequest', 'blob transactions (type 3) are not signed here: sign the hash of one as kind Hash');
  }
  if (!isTransactionType(type) || type === 0) throw new Error(`there is no transaction of type ${type}: 0, 1, 2 and 4 are signed`);
  return fieldsIn(type, listIn(decodeRlp(bytes.subarray(1))));
}

export function isTransactionType(type: number): type is TransactionType {
  return Object.hasOwn(transactionFields, type);
}

/** With a signature ready to broadcast, without one as it is hashed to be signed. */
export function encodeTransaction(transaction: Transaction, signature?: EcdsaSignature): Uint8Array {
  const fields = transactionFields[transaction.type].map((name) => write(name, transaction));
  if (transaction.type !== 0) return concat(Uint8Array.of(transaction.type), encodeRlp([...fields, ...(signature ? tail(signature) : [])]));
  const { chainId } = transaction;
  if (signature === undefined) return encodeRlp(chainId === undefined ? fields : [...fields, rlpInteger(chainId), noBytes, noBytes]);
  const v = BigInt(signature.yParity) + (chainId === undefined ? 27n : 35n + 2n * chainId);
  return encodeRlp([...fields, rlpInteger(v), rlpInteger(signature.r), rlpInteger(signature.s)]);
}

/** What every node refuses, and what loses the money that is sent. @throws {Error} */
export function requireSound(transaction: Transaction): Transaction {
  const { nonce, to, data, chainId } = transaction;
  if (chainId !== undefined && (chainId === 0n || chainId > maxChainId)) throw new Error(`${chainId} is no chain id`);
  if (nonce > maxNonce) throw new Error(`the nonce ${nonce} is too high (EIP-2681)`);
  if (to.length === 0 && data.length === 0) throw new Error('it has neither a recipient nor the code of a contract to create');
  if ('maxFeePerGas' in transaction && transaction.maxPriorityFeePerGas > transaction.maxFeePerGas) {
    throw new Error('maxPriorityFeePerGas is above maxFeePerGas');
  }
  if (transaction.type !== 4) return transaction;
  if (to.length === 0) throw new Error('a type 4 transaction creates no contract: to is missing');
  if (transaction.authorizationList.length === 0) throw new Error('a type 4 transaction has at least one authorization');
  if (transaction.authorizationList.length > maxAuthorizations) throw new Error(`it has more than ${maxAuthorizations} authorizations`);
  return transaction;
}

/** Since EIP-155 the chain id stands where the signature will. */
function decodeLegacy(items: readonly RlpItem[]): Transaction {
  const bare = transactionFields[0].length;
  const transaction = fieldsIn(0, items.slice(0, bare));
  if (items.length === bare) return transaction;
  const [chainId, r, s] = items.slice(bare);
  if (items.length !== bare + 3 || chainId === undefined || r === undefined || s === undefined) {
    throw new Error(`a legacy transaction has 6 fields, or 9 with its chain id; there are ${items.length}`);
  }
  if (r.length > 0 || s.length > 0) throw new Error('it has a signature already');
  return { ...transaction, chainId: integerIn(chainId, 64) } as Transaction; // of type 0, which may have one
}

function fieldsIn(type: TransactionType, items: readonly RlpItem[]): Transaction {
  const names = transactionFields[type];
  if (items.length === names.length + 3 && type !== 0) throw new Error('it has a signature already');
  const fields = names.map((name, i) => {
    const item = items[i];
    if (item === undefined || items.length !== names.length) {
      throw new Error(`a transaction of type ${type} has ${names.length} fields; there are ${items.length}`);
    }
    return [name, named(name, () => codecs[name].read(item))];
  });
  return { type, ...Object.fromEntries(fields) }; // the fields of this type, each read by the codec of its name
}

function write(name: FieldName, transaction: Transaction): RlpItem {
  const codec = codecs[name] as Codec<unknown>; // of the field of this name
  return codec.write((transaction as Partial<Fields>)[name]);
}

interface Codec<T> {
  read(item: RlpItem): T;
  write(value: T): RlpItem;
}

const integer = (bits: number): Codec<bigint> => ({ read: (item) => integerIn(item, bits), write: rlpInteger });

const codecs: { readonly [F in FieldName]: Codec<Fields[F]> } = {
  chainId: integer(64),
  nonce: integer(64),
  gasPrice: integer(256),
  maxPriorityFeePerGas: integer(256),
  maxFeePerGas: integer(256),
  gasLimit: integer(64),
  to: { read: (item) => (item.length === 0 ? stringIn(item) : bytesIn(item, addressBytes)), write: (to) => to },
  value: integer(256),
  data: { read: stringIn, write: (data) => data },
  accessList: {
    read: (item) => listIn(item).map(accessEntryIn),
    write: (list) => list.map(({ address, storageKeys }) => [address, storageKeys]),
  },
  authorizationList: { read: (item) => listIn(item).map(authorizationIn), write: (list) => list.map(authorizationItem) },
};

function accessEntryIn(item: RlpItem): AccessEntry {
  const [address, storageKeys] = exactly(2, item);
  return { address: bytesIn(address, addressBytes), storageKeys: listIn(storageKeys).map((key) => bytesIn(key, 32)) };
}

function authorizationIn(item: RlpItem): Authorization {
  const [chainId, address, nonce, yParity, r, s] = exactly(6, item);
  return {
    chainId: integerIn(chainId, 256),
    address: bytesIn(address, addressBytes),
    nonce: integerIn(nonce, 64),
    yParity: Number(integerIn(yParity, 8)),
    r: integerIn(r, 256),
    s: integerIn(s, 256),
  };
}

function authorizationItem({ chainId, address, nonce, ...signature }: Authorization): RlpItem {
  return [rlpInteger(chainId), address, rlpInteger(nonce), ...tail(signature)];
}

function tail({ yParity, r, s }: EcdsaSignature): readonly RlpItem[] {
  return [rlpInteger(BigInt(yParity)), rlpInteger(r), rlpInteger(s)];
}

function bytesIn(item: RlpItem, length: number): Uint8Array {
  const bytes = stringIn(item);
  if (bytes.length !== length) throw new Error(`${length} bytes are due, ${bytes.length} are there`);
  return bytes;
}

interface Lists {
  2: readonly [RlpItem, RlpItem];
  6: readonly [RlpItem, RlpItem, RlpItem, RlpItem, RlpItem, RlpItem];
}

function exactly<N extends keyof Lists>(count: N, item: RlpItem): Lists[N] {
  const items = listIn(item);
  if (items.length !== count) throw new Error(`a list of ${count} is due, ${items.length} are there`);
  return items as readonly RlpItem[] as Lists[N]; // of that length
}

/** Says of what. */
export function named<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    throw new Error(`${name}: ${cause instanceof Error ? cause.message : 'malformed'}`, { cause });
  }
}
