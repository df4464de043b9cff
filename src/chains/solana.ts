/**
 * Solana.
 *
 * Keys      EdDSA ed25519.
 * Accepts   Transaction: hex of a whole transaction, legacy or version 0, with a slot for every signature (zeros where nobody has signed
 *           yet). Message: any bytes that are no transaction.
 * Payload   The message behind the slots, as it came, its version byte included. For Message its bytes as they are, which is what wallets
 *           sign; whoever wants the prefix of off-chain messages (0xff 'solana offchain') sends it along.
 * Encoded   r ‖ s. Signed data: the transaction with our slot filled, the other slots as they were.
 * Refused   A transaction in which this key is not asked to sign; lengths with superfluous bytes, indices that lead nowhere, an account
 *           twice, trailing bytes, more than 1232 bytes, malformed instructions of the programs that are read. A Message that holds this
 *           key's 32 bytes and might so be a transaction that the key signs.
 * Summary   What instructions.ts reads, where this key is the authority: lamports, tokens of TransferChecked and ApproveChecked (the asset is
 *           the mint, receivers are token accounts), control of accounts. Incomplete for every other instruction, for Transfer and Approve
 *           (which do not name the token), and for accounts that stand in a lookup table. Fee: 5000 lamports a signature and the bid for
 *           computing, when this key pays it.
 * Hash      base58 of the first signature: known when it is ours, or there already.
 * Decided   `blockchainKind` alone will do: a recent block hash is all that ties a transaction to a network. A slot of ours that is filled is
 *           filled anew. An account that a transaction makes for its receiver costs rent, a transfer like any other. Messages of version 1
 *           are not signed yet.
 *
 * Sources   https://solana.com/docs/core/transactions ; https://docs.anza.xyz/proposals/off-chain-message-signing
 * @module
 */

import { base58 } from '@scure/base';
import { concat, toHex } from '../base/bytes.ts';
import { assert, Refusal } from '../base/errors.ts';
import type { Chain, ChainKey, Effect, Summary, Unsigned } from './chain.ts';
import type { Body } from './requests.ts';
import { effectsOf, feeOf, nameOf } from './solana/instructions.ts';
import { type Message, readTransaction, withSignature } from './solana/transaction.ts';
import { bytesOf, decoding } from './target.ts';

/** No version of a transaction's message begins so, and off-chain messages do. */
const noTransaction = 0xff;

export const solana: Chain<'Solana'> = {
  keyTypes: ['EdDSA/ed25519'],
  formats: { Transaction: signTransaction, Message: signMessage },
  addressOf,
};

function signTransaction({ transaction }: Body<'Transaction'>, key: ChainKey): Unsigned {
  if (typeof transaction !== 'string') {
    throw new Refusal('BadRequest', 'a Solana transaction is the hex of its bytes, slots for signatures included');
  }
  const bytes = bytesOf(transaction);
  const own = addressOf(key);
  const { slots, messageBytes, message } = decoding('a Solana transaction with a slot for every signature', () => readTransaction(bytes));
  const place = message.signers.indexOf(own);
  if (place === -1) throw new Refusal('BadRequest', `the transaction is signed by ${message.signers.join(', ')}; this key is ${own}`);
  return {
    payloads: [{ bytes: messageBytes }],
    summary: decoding('instructions as their programs take them', () => summaryOf(message, own)),
    assemble(signatures) {
      const encoded = encode(signatures);
      const first = place === 0 ? encoded : slots[0];
      return {
        encoded: [encoded],
        signedData: withSignature(bytes, place, encoded),
        ...(first?.some((byte) => byte !== 0) ? { txHash: base58.encode(first) } : {}),
      };
    },
  };
}

function summaryOf({ signers, instructions }: Message, own: string): Summary {
  const read = instructions.map((instruction) => ({ instruction, effects: effectsOf(instruction, own) }));
  return {
    complete: read.every(({ instruction, effects }) => effects !== undefined && !instruction.looksUp),
    effects: read.flatMap(({ instruction, effects }) => effects ?? [call(instruction.program, nameOf(instruction))]),
    ...(signers[0] === own ? { fee: feeOf(signers.length, instructions) } : {}),
  };
}

function call(contract: string, method: string | undefined): Effect {
  return { kind: 'call', contract, ...(method === undefined ? {} : { method }) };
}

/** A transaction names its signers by their keys: bytes without this key's are none that it signs. */
function signMessage({ message }: Body<'Message'>, key: ChainKey): Unsigned {
  const bytes = bytesOf(message);
  if (bytes[0] !== noTransaction && toHex(bytes).includes(toHex(key.publicKey))) {
    throw new Refusal('BadRequest', 'the message holds the bytes of this key, and may be a transaction: send it as kind Transaction');
  }
  return {
    payloads: [{ bytes }],
    summary: { complete: false, effects: [] },
    assemble: (signatures) => ({ encoded: [encode(signatures)] }),
  };
}

function encode([signature]: Parameters<Unsigned['assemble']>[0]): Uint8Array {
  assert(signature, 'there is one payload');
  return concat(signature.r, signature.s);
}

function addressOf({ publicKey }: ChainKey): string {
  return base58.encode(publicKey);
}
