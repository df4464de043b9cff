/**
 * Signed messages, BIP-322: a transaction that spends nothing, signed as any other; what it pretends to spend commits to the message.
 *
 * Source: https://github.com/bitcoin/bips/blob/master/bip-0322.mediawiki
 * @module
 */

import { concat } from '../../base/bytes.ts';
import { taggedHash } from '../../crypto/schemes/taggedHash.ts';
import { littleEndian } from '../encodings/littleEndian.ts';
import { opReturn, push } from './scripts.ts';
import { type Output, type Transaction, transactionId } from './transaction.ts';

interface MessageToSign {
  /** `to_sign`, without its witness. */
  readonly transaction: Transaction;
  /** The output of `to_spend` that its one input spends. */
  readonly spent: Output;
}

const messageHash = taggedHash('BIP0322-signed-message');
const nowhere = concat(new Uint8Array(32), littleEndian(0xffff_ffff, 4));
const none = new Uint8Array(0);

/** @param script of the address that signs: "message_challenge" */
export function messageToSign(message: Uint8Array, script: Uint8Array): MessageToSign {
  const spent = { amount: 0n, script };
  const common = { version: 0, lockTime: 0 };
  const commitment = concat(Uint8Array.of(0x00), push(messageHash(message)));
  const toSpend = { ...common, inputs: [{ outPoint: nowhere, scriptSig: commitment, sequence: 0 }], outputs: [spent] };
  const outPoint = concat(transactionId(toSpend), littleEndian(0, 4));
  const inputs = [{ outPoint, scriptSig: none, sequence: 0 }];
  return { transaction: { ...common, inputs, outputs: [{ amount: 0n, script: opReturn }] }, spent };
}
