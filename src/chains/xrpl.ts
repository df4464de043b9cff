/**
 * XRP Ledger.
 *
 * Keys      ECDSA secp256k1 (33 bytes, compressed) or EdDSA ed25519 (prefixed with 0xED).
 * Accepts   Transaction: hex of the binary codec, unsigned. SigningPubKey is put in when it is absent.
 * Payload   secp256k1: first half of SHA-512 over 'STX\0' ‖ transaction, 32 bytes. ed25519: 'STX\0' ‖ transaction itself.
 * Encoded   the TxnSignature: DER with low s, or r ‖ s. Signed data: the transaction with key and signature in their places.
 * Refused   Another Account than the key's address, and so pseudo-transactions (EnableAmendment, SetFee, UNLModify), which have none; another
 *           SigningPubKey, or the empty one of a multisignature; a transaction that is signed; Batch and what is meant for its inside; a
 *           Delegate, who signs instead of the account; a NetworkID that the network does not want; no Fee or Sequence; whatever the codec
 *           would write otherwise.
 * Amounts   drops (10⁻⁶ XRP). Issued currencies are `code.issuer`, in units of 10⁻¹⁵, rounded up. Multi-purpose tokens: their id.
 * Summary   What effects.ts reads. Fee: as the transaction says.
 * Hash      first half of SHA-512 over 'TXN\0' ‖ signed transaction, upper-case hex.
 * Decided   `blockchainKind` alone will do: only networks above 1024 are named in their transactions, so one for XrpLedgerTestnet is good on
 *           XrpLedger too. The key must be the account's own: what a regular key or a signer list signs is not offered.
 *
 * Sources   https://xrpl.org/docs/references/protocol/binary-format ; /transactions/common-fields ; XLS-37 (NetworkID), XLS-56 (Batch).
 * @module
 */

import { createHash } from 'node:crypto';
import { ripemd160 } from '@noble/hashes/legacy.js';
import { base58xrp } from '@scure/base';
import { decode, encode, encodeForSigning } from 'ripple-binary-codec';
import { concat, toHex, utf8 } from '../base/bytes.ts';
import { assert, Refusal } from '../base/errors.ts';
import type { Signature } from '../crypto/schemes/scheme.ts';
import type { Chain, ChainKey, Target, Unsigned } from './chain.ts';
import { derOf } from './encodings/der.ts';
import type { Body } from './requests.ts';
import { bytesOf, decoding } from './target.ts';
import { dropsOf, effectsOf, type Fields, flagsOf } from './xrpl/effects.ts';

/** The largest that are in use have a few thousand. */
const maxTransactionBytes = 16 * 1024;
/** Above it, a transaction must name the network; below, it must not (rippled: telNETWORK_ID_MAKES_TX_NON_CANONICAL). */
const lastUnnamedNetwork = 1024;
/** tfInnerBatchTxn: valid without a signature of its own, inside a Batch. */
const innerBatchFlag = 0x40000000;
const expected = 'expected an XRP Ledger transaction in the binary codec';
const neverSigned: ReadonlySet<unknown> = new Set(['EnableAmendment', 'SetFee', 'UNLModify', 'Batch', 'Invalid']);

export const xrpl: Chain<'Xrpl'> = {
  keyTypes: ['ECDSA/secp256k1', 'EdDSA/ed25519'],
  formats: { Transaction: signTransaction },
  addressOf,
};

function signTransaction({ transaction }: Body<'Transaction'>, key: ChainKey, target: Target<'Xrpl'>): Unsigned {
  if (typeof transaction !== 'string') throw new Refusal('BadRequest', 'an XRP Ledger transaction is the hex of the binary codec');
  const unsigned = readTransaction(bytesOf(transaction));
  requireSignable(unsigned, key, target);
  const own = addressOf(key);
  const { effects, complete, fee } = decoding('a whole transaction', () => {
    if (typeof unsigned.Sequence !== 'number') throw new Error('it has no Sequence');
    return { ...effectsOf(unsigned, own), fee: dropsOf(unsigned, 'Fee') };
  });

  const keyed = { ...unsigned, SigningPubKey: upperHex(signingKeyOf(key)) };
  const message = bytesOf(encodeForSigning(keyed));
  return {
    payloads: [{ bytes: key.keyType === 'EdDSA/ed25519' ? message : sha512Half(message) }],
    summary: { complete, effects, fee },
    assemble([signature]) {
      assert(signature, 'a transaction has one payload');
      const encoded = encodeSignature(signature, key);
      const signedData = bytesOf(encode({ ...keyed, TxnSignature: upperHex(encoded) }));
      return { encoded: [encoded], signedData, txHash: upperHex(sha512Half(concat(utf8('TXN\0'), signedData))) };
    },
  };
}

/** @throws {Refusal} BadRequest for bytes that are not what the codec writes */
function readTransaction(bytes: Uint8Array): Fields {
  if (bytes.length > maxTransactionBytes) refuse(`${expected}: it has ${bytes.length} bytes, at most ${maxTransactionBytes} are signed`);
  const { fields, written } = readAndWrite(toHex(bytes));
  if (written.toLowerCase() !== toHex(bytes)) refuse(`${expected}: the codec writes it otherwise`);
  return fields;
}

/** @throws {Refusal} BadRequest: what the codec says when it fails is about itself */
function readAndWrite(hex: string): { fields: Fields; written: string } {
  try {
    const fields = decode(hex);
    return { fields, written: encode(fields) };
  } catch (cause) {
    throw new Refusal('BadRequest', `${expected}: the codec cannot read it`, { cause });
  }
}

/** @throws {Refusal} BadRequest */
function requireSignable(transaction: Fields, key: ChainKey, target: Target<'Xrpl'>): void {
  const { TransactionType: type, Account: account, SigningPubKey: signingKey } = transaction;
  if (neverSigned.has(type)) refuse(`transactions of type ${type} are not signed`);
  if ((flagsOf(transaction) & innerBatchFlag) !== 0) refuse('a transaction for the inside of a Batch (tfInnerBatchTxn) is not signed');
  if (transaction.TxnSignature !== undefined || transaction.Signers !== undefined) refuse('the transaction is signed already');
  if (signingKey === '') refuse('the transaction is for several signers: its SigningPubKey is empty');
  if (signingKey !== undefined && signingKey !== upperHex(signingKeyOf(key))) refuse(`the transaction is for the key ${signingKey}`);
  const own = addressOf(key);
  if (account !== own) refuse(`the Account of the transaction is ${account}, this key is ${own}`);
  if (transaction.Delegate !== undefined) refuse(`the transaction is signed by its Delegate ${transaction.Delegate}, this key is ${own}`);
  requireNetworkId(transaction.NetworkID, target);
}

/** @throws {Refusal} BadRequest */
function requireNetworkId(networkId: unknown, { network }: Target<'Xrpl'>): void {
  if (network === undefined) {
    if (networkId === undefined || Number(networkId) > lastUnnamedNetwork) return;
    refuse(`the transaction has NetworkID ${networkId}: networks up to ${lastUnnamedNetwork} are not named in theirs`);
  }
  const { name, facts } = network;
  const wanted = facts.networkId > lastUnnamedNetwork ? facts.networkId : undefined;
  if (networkId !== wanted) refuse(`the transaction has NetworkID ${networkId ?? 'none'}, for ${name} it is ${wanted ?? 'none'}`);
}

function refuse(why: string): never {
  throw new Refusal('BadRequest', why);
}

function encodeSignature(signature: Signature, { keyType }: ChainKey): Uint8Array {
  return keyType === 'EdDSA/ed25519' ? concat(signature.r, signature.s) : derOf(signature);
}

/** 33 bytes. */
function signingKeyOf({ keyType, publicKey }: ChainKey): Uint8Array {
  return keyType === 'EdDSA/ed25519' ? concat(Uint8Array.of(0xed), publicKey) : publicKey;
}

/** Base58check with the ledger's own alphabet. */
function addressOf(key: ChainKey): string {
  const account = concat(Uint8Array.of(0), ripemd160(sha256(signingKeyOf(key))));
  return base58xrp.encode(concat(account, sha256(sha256(account)).subarray(0, 4)));
}

function sha512Half(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha512').update(bytes).digest()).subarray(0, 32);
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

function upperHex(bytes: Uint8Array): string {
  return toHex(bytes).toUpperCase();
}
