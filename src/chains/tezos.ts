/**
 * Tezos.
 *
 * Keys      EdDSA ed25519 (tz1) or ECDSA secp256k1 (tz2).
 * Accepts   Transaction: hex of a forged operation, without watermark: branch, then reveal, transaction, delegation, origination. Other
 *           kinds of operation are refused, since their end, and so the meaning of what follows, is not known here: sign their hash instead.
 * Payload   BLAKE2b-256 of 0x03 ‖ the bytes as they came.
 * Encoded   64 bytes: the ed25519 signature, or r ‖ s with low s. Signed data: the bytes, then the signature.
 * Refused   A source other than the key's address, a revealed key other than this one, numbers with superfluous bytes, trailing bytes.
 * Summary   Transactions as transfers (mutez) and, to contracts, as calls of an entrypoint; delegation as control. Complete for transfers to
 *           implicit accounts, reveals and delegations; what contracts do with their parameters is not read. Fee: fees of all operations and
 *           the storage they may burn, at 250 mutez a byte.
 * Hash      base58check of 05 74 ‖ BLAKE2b-256 of the signed data: `o…`.
 * Decided   `blockchainKind` alone will do: an operation names its chain by a block only, which nothing here can judge. A reveal has the
 *           byte for its proof (protocol Seoul and later), which must say that there is none: proofs are for BLS keys.
 *
 * Sources   https://octez.tezos.com/docs/shell/p2p_api.html (operation encoding) ; octez-codec describe.
 * @module
 */

import { blake2b } from '@noble/hashes/blake2.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { createBase58check } from '@scure/base';
import { concat, equal } from '../base/bytes.ts';
import { assert, Refusal } from '../base/errors.ts';
import type { Chain, ChainKey, Effect, Unsigned } from './chain.ts';
import { type Reader, readerOf } from './encodings/reader.ts';
import type { Body } from './requests.ts';
import { bytesOf, decoding } from './target.ts';

const maxOperations = 256;
const maxNumberBytes = 10;
const mutezPerStorageByte = 250n;
const genericWatermark = Uint8Array.of(0x03);
const base58check = createBase58check(sha256);

/** By the tag of a public key hash. */
const accountPrefixes = [
  [0x06, 0xa1, 0x9f],
  [0x06, 0xa1, 0xa1],
  [0x06, 0xa1, 0xa4],
  [0x06, 0xa1, 0xa6],
] as const;
const contractPrefix = [0x02, 0x5a, 0x79] as const;
const operationPrefix = [0x05, 0x74] as const;

const tags = { reveal: 107, transaction: 108, origination: 109, delegation: 110 } as const;
/** By their tag; 255 stands before a name in full. */
const entrypoints = [
  'default',
  'root',
  'do',
  'set_delegate',
  'remove_delegate',
  'deposit',
  'stake',
  'unstake',
  'finalize_unstake',
  'set_delegate_parameters',
] as const;
const namedEntrypoint = 255;

export const tezos: Chain<'Tezos'> = {
  keyTypes: ['EdDSA/ed25519', 'ECDSA/secp256k1'],
  formats: { Transaction: signOperation },
  addressOf: (key) => addressOf(accountOf(key)),
};

function signOperation({ transaction }: Body<'Transaction'>, key: ChainKey): Unsigned {
  if (typeof transaction !== 'string') throw new Refusal('BadRequest', 'a Tezos transaction is the hex of a forged operation');
  const bytes = bytesOf(transaction);
  const operations = decoding('a forged operation', () => readOperations(bytes));
  for (const operation of operations) requireOwn(operation, key);
  return {
    payloads: [{ bytes: blake2b256(concat(genericWatermark, bytes)) }],
    summary: {
      complete: operations.every(({ complete }) => complete),
      effects: operations.flatMap(({ effects }) => effects),
      fee: operations.reduce((sum, { fee, storageLimit }) => sum + fee + storageLimit * mutezPerStorageByte, 0n),
    },
    assemble(signatures) {
      const [signature] = signatures;
      assert(signature, 'an operation has one payload');
      const encoded = concat(signature.r, signature.s);
      const signedData = concat(bytes, encoded);
      return { encoded: [encoded], signedData, txHash: base58(operationPrefix, blake2b256(signedData)) };
    },
  };
}

interface Operation {
  /** A tag and 20 bytes. */
  readonly source: Uint8Array;
  readonly fee: bigint;
  readonly storageLimit: bigint;
  /** As a reveal names it: a tag and the key. */
  readonly revealed?: Uint8Array;
  readonly effects: readonly Effect[];
  readonly complete: boolean;
}

/** @throws {Error} */
function readOperations(bytes: Uint8Array): readonly Operation[] {
  const reader = readerOf(bytes);
  reader.take(32); // the branch: a block that nothing here knows
  const operations: Operation[] = [];
  do {
    if (operations.length >= maxOperations) throw new Error(`it has more than ${maxOperations} operations`);
    operations.push(readOperation(reader));
  } while (reader.left > 0);
  return operations;
}

function readOperation(reader: Reader): Operation {
  const tag = reader.u8();
  if (!Object.values<number>(tags).includes(tag)) {
    throw new Error(`operation kind ${tag} is not signed here: ${Object.keys(tags).join(', ')} are`);
  }
  const source = readAccount(reader);
  const [fee] = [readMutez(reader), readNumber(reader), readNumber(reader)]; // fee, counter, gas
  const storageLimit = readNumber(reader);
  const common = { source, fee, storageLimit };
  switch (tag) {
    case tags.reveal: {
      const revealed = readPublicKey(reader);
      if (reader.u8() !== 0) throw new Error('a reveal has a proof for BLS keys only');
      return { ...common, revealed, effects: [], complete: true };
    }
    case tags.transaction:
      return { ...common, ...readTransaction(reader) };
    case tags.delegation: {
      const delegate = readOption(reader) ? addressOf(readAccount(reader)) : undefined;
      return { ...common, effects: delegate === undefined ? [] : [{ kind: 'control', to: delegate }], complete: true };
    }
    default: {
      const amount = readMutez(reader);
      if (readOption(reader)) readAccount(reader);
      for (const _ of ['code', 'storage']) reader.take(reader.u32());
      return { ...common, effects: [{ kind: 'transfer', to: 'a new contract', amount, asset: 'native' }], complete: false };
    }
  }
}

function readTransaction(reader: Reader): Pick<Operation, 'effects' | 'complete'> {
  const amount = readMutez(reader);
  const { address: to, isContract } = readDestination(reader);
  const hasParameters = readOption(reader);
  const method = hasParameters ? readEntrypoint(reader) : 'default';
  if (hasParameters) reader.take(reader.u32());
  const transfer: Effect = { kind: 'transfer', to, amount, asset: 'native' };
  if (!isContract && !hasParameters) return { effects: [transfer], complete: true };
  return { effects: [...(amount === 0n ? [] : [transfer]), { kind: 'call', contract: to, method }], complete: false };
}

/** A contract id has 22 bytes: an implicit account, or a contract of 20 bytes with one of padding. */
function readDestination(reader: Reader): { address: string; isContract: boolean } {
  const kind = reader.u8();
  if (kind === 0) return { address: addressOf(readAccount(reader)), isContract: false };
  if (kind !== 1) throw new Error(`${kind} is no kind of contract that is paid here`);
  const hash = reader.take(20);
  if (reader.u8() !== 0) throw new Error('the padding of a contract is not zero');
  return { address: base58(contractPrefix, hash), isContract: true };
}

function readEntrypoint(reader: Reader): string {
  const tag = reader.u8();
  const name = entrypoints[tag];
  if (name !== undefined) return name;
  if (tag !== namedEntrypoint) throw new Error(`${tag} is no entrypoint`);
  const bytes = reader.take(reader.u8());
  if (bytes.length > 31 || bytes.some((byte) => byte < 0x20 || byte > 0x7e)) throw new Error('the name of an entrypoint is malformed');
  return String.fromCharCode(...bytes);
}

function readAccount(reader: Reader): Uint8Array {
  const account = reader.take(21);
  if (accountPrefixes[account[0] ?? 0xff] === undefined) throw new Error(`${account[0]} is no kind of account`);
  return account;
}

function readPublicKey(reader: Reader): Uint8Array {
  const tag = reader.u8();
  const length = [32, 33, 33, 48][tag];
  if (length === undefined) throw new Error(`${tag} is no kind of public key`);
  return concat(Uint8Array.of(tag), reader.take(length));
}

function readOption(reader: Reader): boolean {
  const byte = reader.u8();
  if (byte !== 0 && byte !== 0xff) throw new Error(`${byte} is neither there nor absent`);
  return byte === 0xff;
}

function readMutez(reader: Reader): bigint {
  const value = readNumber(reader);
  if (value >= 2n ** 63n) throw new Error('an amount has more than 63 bits');
  return value;
}

/** Seven bits a byte, the lowest first. */
function readNumber(reader: Reader): bigint {
  let value = 0n;
  for (let i = 0; i < maxNumberBytes; i++) {
    const byte = reader.u8();
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte >= 0x80) continue;
    if (i > 0 && byte === 0) throw new Error('a number has a superfluous byte');
    return value;
  }
  throw new Error(`a number has more than ${maxNumberBytes} bytes`);
}

/** @throws {Refusal} BadRequest */
function requireOwn({ source, revealed }: Operation, key: ChainKey): void {
  const account = accountOf(key);
  if (!equal(source, account)) {
    throw new Refusal('BadRequest', `the source of an operation is ${addressOf(source)}, this key is ${addressOf(account)}`);
  }
  if (revealed !== undefined && !equal(revealed, concat(account.subarray(0, 1), key.publicKey))) {
    throw new Refusal('BadRequest', 'the operation reveals another public key than this one');
  }
}

/** The tag of the key's type, then BLAKE2b-160 of the key. */
function accountOf({ keyType, publicKey }: ChainKey): Uint8Array {
  return concat(Uint8Array.of(keyType === 'EdDSA/ed25519' ? 0 : 1), blake2b(publicKey, { dkLen: 20 }));
}

function addressOf(account: Uint8Array): string {
  const prefix = accountPrefixes[account[0] ?? 0xff];
  assert(prefix, 'an account has been read, or is of a key');
  return base58(prefix, account.subarray(1));
}

function base58(prefix: readonly number[], bytes: Uint8Array): string {
  return base58check.encode(concat(Uint8Array.from(prefix), bytes));
}

function blake2b256(bytes: Uint8Array): Uint8Array {
  return blake2b(bytes, { dkLen: 32 });
}
