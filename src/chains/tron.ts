/**
 * Tron.
 *
 * Keys      ECDSA secp256k1.
 * Accepts   Transaction: hex of the protobuf Transaction with its raw_data; signatures in it stay. Message: TIP-191, version 2.
 * Payload   SHA-256 of raw_data as it came. Message: keccak-256 of "\x19TRON Signed Message:\n", the length in decimal digits and the bytes.
 * Encoded   r ‖ s ‖ 27 + recid. Signed data: the transaction with this signature behind those it has.
 * Refused   An owner_address that is not the key's; kinds of contract whose owner is not known; more or fewer contracts than one; a type that
 *           is not that of its parameter; unknown fields, and whatever nodes would write otherwise, since they hash what they write.
 * Amounts   sun (10⁻⁶ TRX). TRC-10: the asset is the id of the token, TRC-20: the contract.
 * Summary   What contracts.ts reads. Fee: the fee limit, and what bandwidth, a memo, a new account and several signatures may cost.
 * Hash      the payload of the transaction, lower-case hex without 0x.
 * Decided   `blockchainKind` alone will do: a transaction names its chain by a block only. Permission_id is the caller's to choose: it says
 *           under which of the account's permissions the key signs, not what happens. An owner whose account lets this key sign for it, but
 *           is not this key's, is refused; its transactions can be signed as Hash. Version 2 of TIP-191, since version 1 counts 32 bytes
 *           whatever it signs.
 *
 * Sources   https://github.com/tronprotocol/protocol ; https://developers.tron.network/docs/tron-protocol-transaction ; TIP-191.
 * @module
 */

import { createHash } from 'node:crypto';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { concat, equal, toHex, utf8 } from '../base/bytes.ts';
import { assert, Refusal } from '../base/errors.ts';
import type { Signature } from '../crypto/schemes/scheme.ts';
import type { Chain, ChainKey, Summary, Unsigned } from './chain.ts';
import { bytesField, canonicalMessageOf } from './encodings/protobuf.ts';
import { accountOf } from './evm/address.ts';
import type { Body } from './requests.ts';
import { bytesOf, decoding } from './target.ts';
import { addressOfAccount } from './tron/address.ts';
import { type Contract, effectsOf, readContract } from './tron/contracts.ts';

const signatureBytes = 65;
/** A permission has no more keys. */
const maxSignatures = 5;

/** What the network charges, in sun, where the account has no bandwidth left: parameters of the chain, which its witnesses vote on. */
const fees = { byte: 1000n, memo: 1_000_000n, newAccount: 1_100_000n, severalSignatures: 1_000_000n, permissions: 100_000_000n } as const;
/** What a node counts for the result. */
const resultBytes = 64;

export const tron: Chain<'Tron'> = {
  keyTypes: ['ECDSA/secp256k1'],
  formats: { Transaction: signTransaction, Message: signMessage },
  addressOf,
};

function signTransaction({ transaction }: Body<'Transaction'>, key: ChainKey): Unsigned {
  if (typeof transaction !== 'string') throw new Refusal('BadRequest', 'a Tron transaction is the hex of a protobuf Transaction');
  const bytes = bytesOf(transaction);
  const own = accountOf(key.publicKey);
  const read = decoding('a Tron transaction', () => readTransaction(bytes));
  const { contract, rawData } = read;
  if (!equal(contract.owner, own)) {
    throw new Refusal('BadRequest', `the owner_address is ${addressOfAccount(contract.owner)}, this key is ${addressOf(key)}`);
  }
  const txId = sha256(rawData);
  return {
    payloads: [{ bytes: txId }],
    summary: decoding(`a ${contract.name}`, () => summaryOf(read, bytes.length)),
    assemble(signatures) {
      const encoded = encode(signatures);
      return { encoded: [encoded], signedData: concat(bytes, bytesField(2, encoded)), txHash: toHex(txId) };
    },
  };
}

interface Transaction {
  readonly rawData: Uint8Array;
  readonly contract: Contract;
  readonly signatures: number;
  readonly feeLimit: bigint;
  readonly hasMemo: boolean;
}

/** @throws {Error} */
function readTransaction(bytes: Uint8Array): Transaction {
  const transaction = canonicalMessageOf(bytes, [1, 2]);
  const rawData = transaction.bytes(1);
  if (rawData === undefined) throw new Error('it has no raw_data');
  const signatures = transaction.list(2);
  if (signatures.some(({ length }) => length !== signatureBytes)) throw new Error(`a signature has ${signatureBytes} bytes`);
  if (signatures.length >= maxSignatures) throw new Error(`it has ${signatures.length} signatures already`);

  // Reference to a block (1, 3, 4), expiration (8) and timestamp (14): when it is valid, not what it does.
  const raw = canonicalMessageOf(rawData, [1, 3, 4, 8, 10, 11, 14, 18]);
  for (const time of [3, 8, 14]) raw.number(time);
  const [contract, ...others] = raw.list(11);
  if (contract === undefined || others.length > 0) throw new Error('it does not have exactly one contract');
  return {
    rawData,
    contract: readContract(contract),
    signatures: signatures.length,
    feeLimit: raw.number(18),
    hasMemo: raw.bytes(10) !== undefined,
  };
}

function summaryOf({ contract, signatures, feeLimit, hasMemo }: Transaction, unsignedBytes: number): Summary {
  const { effects, complete, costs } = effectsOf(contract);
  if (costs === undefined) return { effects, complete };
  const signedBytes = BigInt(unsignedBytes + bytesField(2, new Uint8Array(signatureBytes)).length + resultBytes);
  const fee =
    signedBytes * fees.byte +
    (costs === 'energy' ? feeLimit : fees[costs]) +
    (hasMemo ? fees.memo : 0n) +
    (signatures > 0 || contract.permissionId > 0n ? fees.severalSignatures : 0n);
  return { effects, complete, fee };
}

function signMessage({ message }: Body<'Message'>): Unsigned {
  const bytes = bytesOf(message);
  return {
    payloads: [{ bytes: keccak_256(concat(utf8(`\x19TRON Signed Message:\n${bytes.length}`), bytes)) }],
    summary: { complete: false, effects: [] },
    assemble: (signatures) => ({ encoded: [encode(signatures)] }),
  };
}

function encode([signature]: readonly Signature[]): Uint8Array {
  assert(signature?.recid !== undefined, 'there is one payload, and an ECDSA signature has its recovery id');
  return concat(signature.r, signature.s, Uint8Array.of(27 + signature.recid));
}

function addressOf({ publicKey }: ChainKey): string {
  return addressOfAccount(accountOf(publicKey));
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}
