/** PSBTs for tests, built and judged by @scure/btc-signer and bitcoinjs-lib. */

import * as scure from '@scure/btc-signer';
import * as bitcoin from 'bitcoinjs-lib';
import * as ecc from 'tiny-secp256k1';
import { equal, toHex } from '../../src/base/bytes.ts';
import { type Random, randomOf } from './random.ts';

bitcoin.initEccLib(ecc);

/** The four forms of output that one signature of a key spends. */
export const forms = ['wpkh', 'sh-wpkh', 'pkh', 'tr'] as const;
export type Form = (typeof forms)[number];

interface Payment {
  readonly script: Uint8Array;
  readonly redeemScript?: Uint8Array;
  readonly tapInternalKey?: Uint8Array;
}

/** They are computed once for each key: random transactions have the same few again and again. */
const payments = new Map<string, Payment>();

export function paymentOf(form: Form, publicKey: Uint8Array): Payment {
  const name = `${form}/${toHex(publicKey)}`;
  const payment = payments.get(name) ?? newPayment(form, publicKey);
  payments.set(name, payment);
  return payment;
}

function newPayment(form: Form, publicKey: Uint8Array): Payment {
  switch (form) {
    case 'wpkh':
      return { script: scure.p2wpkh(publicKey).script };
    case 'sh-wpkh': {
      const { script, redeemScript } = scure.p2sh(scure.p2wpkh(publicKey));
      return { script, redeemScript };
    }
    case 'pkh':
      return { script: scure.p2pkh(publicKey).script };
    case 'tr':
      return { script: scure.p2tr(publicKey.subarray(1)).script, tapInternalKey: publicKey.subarray(1) };
  }
}

export interface Funding {
  readonly txid: Uint8Array;
  readonly index: number;
  readonly transaction: Uint8Array;
  readonly output: { readonly script: Uint8Array; readonly amount: bigint };
}

/** A transaction that pays so much to the script, among other outputs. */
export function fundingOf(script: Uint8Array, amount: bigint, random: Random = randomOf('funding')): Funding {
  const transaction = new bitcoin.Transaction();
  transaction.addInput(random.bytes(32), random.int(4), 0xffff_fffe, random.bool() ? random.bytes(random.int(100)) : undefined);
  if (random.bool()) transaction.setWitness(0, [random.bytes(71), random.bytes(33)]);
  const others = random.int(3);
  for (let i = 0; i < others; i++) transaction.addOutput(random.bytes(22), 1n + random.bigint(40));
  transaction.addOutput(script, amount);
  if (random.bool()) transaction.addOutput(random.bytes(34), 1n + random.bigint(40));
  const txid = Uint8Array.from(transaction.getHash()).reverse();
  return { txid, index: others, transaction: Uint8Array.from(transaction.toBuffer()), output: { script, amount } };
}

type InputFields = Parameters<scure.Transaction['addInput']>[0];

export interface InputOptions {
  readonly amount?: bigint;
  readonly random?: Random;
  /** More of the input, or other. */
  readonly fields?: InputFields;
}

/** An input of the key, with its previous transaction. */
export function inputOf(form: Form, publicKey: Uint8Array, { amount = 100_000n, random = randomOf(form), fields }: InputOptions = {}) {
  const { script, ...others } = paymentOf(form, publicKey);
  const { txid, index, transaction, output } = fundingOf(script, amount, random);
  return { txid, index, nonWitnessUtxo: transaction, ...(form === 'pkh' ? {} : { witnessUtxo: output }), ...others, ...fields };
}

/** The same input without its previous transaction: what it spends is only said. */
export function unproven({ nonWitnessUtxo: _, ...input }: ReturnType<typeof inputOf>): InputFields {
  return input;
}

export interface Draft {
  readonly inputs: readonly InputFields[];
  readonly outputs: readonly { script: Uint8Array; amount: bigint }[];
  readonly version?: 0 | 2;
  readonly lockTime?: number;
}

/** As scure writes it. */
export function psbtOf({ inputs, outputs, version = 0, lockTime = 0 }: Draft): Uint8Array {
  const transaction = new scure.Transaction({
    version: 2,
    lockTime,
    PSBTVersion: version,
    allowUnknownInputs: true,
    allowUnknownOutputs: true,
    disableScriptCheck: true,
  });
  for (const input of inputs) transaction.addInput(input);
  for (const output of outputs) transaction.addOutput(output);
  return transaction.toPSBT();
}

const scureOptions = { allowUnknownInputs: true, allowUnknownOutputs: true, disableScriptCheck: true };

/** bitcoinjs-lib finds every signature of the key good, at these inputs and no others. @throws {Error} */
export function requireSigned(signedData: Uint8Array, indices: readonly number[], publicKey: Uint8Array): void {
  const read = scure.Transaction.fromPSBT(signedData, scureOptions);
  // bitcoinjs-lib reads version 0 only: scure writes one as the other.
  const psbt = bitcoin.Psbt.fromBuffer(read.opts.PSBTVersion === 0 ? signedData : read.toPSBT(0));
  for (const [index, { partialSig = [], tapKeySig }] of psbt.data.inputs.entries()) {
    const isSigned = tapKeySig !== undefined || partialSig.some(({ pubkey }) => equal(pubkey, publicKey));
    if (isSigned !== indices.includes(index)) throw new Error(`input ${index} is ${isSigned ? '' : 'not '}signed`);
    if (isSigned && !psbt.validateSignaturesOfInput(index, isGood)) throw new Error(`the signature of input ${index} is not good`);
  }
}

function isGood(publicKey: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean {
  return publicKey.length === 32 ? ecc.verifySchnorr(digest, publicKey, signature) : ecc.verify(digest, publicKey, signature);
}

/** Finalised and extracted by scure, when all its inputs are the signer's. */
export function extracted(signedData: Uint8Array): { id: string; bytes: Uint8Array } {
  const transaction = scure.Transaction.fromPSBT(signedData, scureOptions);
  transaction.finalize();
  return { id: transaction.id, bytes: transaction.extract() };
}
