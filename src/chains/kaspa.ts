/**
 * Kaspa.
 *
 * Keys      Schnorr secp256k1 (version 0 addresses), the internal key without a tweak; ECDSA secp256k1 (version 1).
 * Accepts   Psbt: hex of the UTF-8 JSON that `Transaction.serializeToJSON()` of Kaspa's own library gives, every input with its `utxo`.
 * Payload   For each input that this key's script locks, of those without a signature: BLAKE2b-256, keyed "TransactionSigningHash", over the
 *           transaction for that input, SIGHASH_ALL. ECDSA: SHA-256(SHA-256("TransactionSigningHashECDSA") ‖ that).
 * Encoded   64 bytes each: BIP-340, or r ‖ s. Signed data: the same JSON with `signatureScript` of those inputs: 41 ‖ signature ‖ 01.
 * Refused   No input of this key; one of its inputs signed already; other subnetworks than the native one, gas, payloads; another JSON than
 *           the library's (members, their order, blanks, numbers that are not whole and below 2⁶⁴); an `id` that is another transaction's.
 * Amounts   sompi (10⁻⁸ KAS).
 * Summary   Outputs that are not this key's own. Complete when every output is a plain address and every input this key's. Fee: inputs less
 *           outputs, when all inputs have their amounts: each signature commits to the amount of its own input only, so an amount that is
 *           wrong spoils that input's signature, not the others'.
 * Hash      BLAKE2b-256, keyed "TransactionID", over the transaction without its signatures: lower-case hex.
 * Decided   Both schemes, told apart by the key, since both have addresses. `blockchainKind` alone will do: the network is not signed, it
 *           is only the prefix of addresses (`kaspa` when none is named). Payloads are refused: what is hashed of them has changed with the
 *           protocol, and no library at hand confirms the new rule.
 *
 * Sources   https://github.com/kaspanet/rusty-kaspa (consensus/core/src/hashing) ; verified against @dfns/kaspa-wasm.
 * @module
 */

import { blake2b } from '@noble/hashes/blake2.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { z } from 'zod';
import { concat, toHex, utf8 } from '../base/bytes.ts';
import { assert, Refusal } from '../base/errors.ts';
import type { Signature } from '../crypto/schemes/scheme.ts';
import type { Chain, ChainKey, Effect, Target, Unsigned } from './chain.ts';
import { cashAddress } from './encodings/cashaddr.ts';
import { littleEndian } from './encodings/littleEndian.ts';
import type { Body } from './requests.ts';
import { bytesOf, decoding } from './target.ts';

const maxInputs = 1000;
const maxOutputs = 1000;
const sighashAll = Uint8Array.of(0x01);
const nativeSubnetwork = '00'.repeat(20);
const defaultPrefix = 'kaspa';
const opData32 = 0x20;
const opData33 = 0x21;
const opData65 = 0x41;
const opCheckSigEcdsa = 0xab;
const opCheckSig = 0xac;

const hex = z.string().regex(/^([0-9a-f]{2})*$/, 'expected lower-case hex');
const hash = hex.length(64);
const below = (limit: bigint) =>
  z
    .bigint()
    .min(0n)
    .max(limit - 1n);
const [u16, u32, u64] = [below(2n ** 16n), below(2n ** 32n), below(2n ** 64n)];

/** Members in the order in which the library writes them. */
const transactionSchema = z.strictObject({
  id: hash,
  version: u16,
  inputs: z
    .array(
      z.strictObject({
        transactionId: hash,
        index: u32,
        sequence: u64,
        sigOpCount: below(2n ** 8n),
        signatureScript: hex,
        utxo: z.strictObject({
          address: z.string().nullable(),
          amount: u64,
          scriptPublicKey: hex.min(4),
          blockDaaScore: u64,
          isCoinbase: z.boolean(),
        }),
      }),
    )
    .min(1)
    .max(maxInputs),
  outputs: z.array(z.strictObject({ value: u64, scriptPublicKey: hex.min(4) })).max(maxOutputs),
  lockTime: u64,
  gas: u64,
  subnetworkId: hex.length(40),
  payload: hex,
});

type Transaction = z.output<typeof transactionSchema>;
type Input = Transaction['inputs'][number];

export const kaspa: Chain<'Kaspa'> = {
  keyTypes: ['Schnorr/secp256k1', 'ECDSA/secp256k1'],
  formats: { Psbt: signTransaction },
  addressOf: (key, { prefix }) => addressOf(scriptOf(key), prefix) ?? '',
};

function signTransaction({ psbt }: Body<'Psbt'>, key: ChainKey, target: Target<'Kaspa'>): Unsigned {
  const transaction = readTransaction(bytesOf(psbt));
  const script = `0000${toHex(scriptOf(key))}`; // of version 0
  const isOwn = ({ utxo }: Input) => utxo.scriptPublicKey === script;
  const own = transaction.inputs.flatMap((input, index) => (isOwn(input) ? [index] : []));
  if (own.length === 0) throw new Refusal('BadRequest', `no input is locked by this key's script, ${script}`);
  const signed = own.find((index) => transaction.inputs[index]?.signatureScript !== '');
  if (signed !== undefined) throw new Refusal('BadRequest', `input ${signed} is signed already`);

  const hashes = commonHashes(transaction);
  const isSchnorr = key.keyType === 'Schnorr/secp256k1';
  const digests = own.map((index) => sighash(transaction, index, hashes));
  return {
    payloads: digests.map((bytes) => (isSchnorr ? { bytes, taprootMerkleRoot: 'untweaked' } : { bytes: ecdsaHash(bytes) })),
    summary: summaryOf(transaction, {
      script,
      prefix: target.network?.facts.prefix ?? defaultPrefix,
      isAlone: own.length === transaction.inputs.length,
    }),
    assemble(signatures) {
      const encoded = signatures.map(({ r, s }: Signature) => concat(r, s));
      const inputs = transaction.inputs.map((input, index) => {
        const signature = encoded[own.indexOf(index)];
        return signature === undefined
          ? input
          : { ...input, signatureScript: toHex(concat(Uint8Array.of(opData65), signature, sighashAll)) };
      });
      return { encoded, signedData: utf8(jsonOf({ ...transaction, inputs })), txHash: transactionId(transaction) };
    },
  };
}

/** @throws {Refusal} BadRequest */
function readTransaction(bytes: Uint8Array): Transaction {
  const text = decoding('the UTF-8 JSON of a Kaspa transaction', () =>
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes),
  );
  const parsed = transactionSchema.safeParse(decoding('the JSON of a Kaspa transaction', () => parseWhole(text)));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Refusal('BadRequest', `the Kaspa transaction: ${issue?.path.join('.')}: ${issue?.message}`);
  }
  const transaction = parsed.data;
  if (jsonOf(transaction) !== text) {
    throw new Refusal(
      'BadRequest',
      'the JSON of the Kaspa transaction is not as serializeToJSON() writes it: compact, its members in order, each once',
    );
  }
  if (transaction.subnetworkId !== nativeSubnetwork || transaction.gas !== 0n || transaction.payload !== '') {
    throw new Refusal('BadRequest', 'Kaspa transactions are signed for the native subnetwork only, without gas and payload');
  }
  const isUnnamed = /^0+$/.test(transaction.id);
  if (!isUnnamed && transaction.id !== transactionId(transaction)) {
    throw new Refusal('BadRequest', `the id of the Kaspa transaction is another's; it is ${transactionId(transaction)}, or all zeros`);
  }
  return transaction;
}

/** Whole numbers as bigint, however large: an amount must not lose its last digits. */
function parseWhole(text: string): unknown {
  return JSON.parse(text, (_name, value: unknown, context?: { source?: string }) => {
    if (typeof value !== 'number') return value;
    const source = context?.source ?? '';
    if (!/^(0|[1-9]\d{0,19})$/.test(source)) throw new Error(`${source} is not a whole number as it is written here`);
    return BigInt(source);
  });
}

function jsonOf(transaction: Transaction): string {
  return JSON.stringify(transaction, (_name, value: unknown) => (typeof value === 'bigint' ? rawJson(value.toString()) : value));
}

/** `JSON.rawJSON`, which the types of the language do not know yet. */
const { rawJSON: rawJson } = JSON as typeof JSON & { rawJSON(text: string): unknown };

function summaryOf(
  { inputs, outputs }: Transaction,
  { script, prefix, isAlone }: { script: string; prefix: string; isAlone: boolean },
): Unsigned['summary'] {
  const foreign = outputs.filter(({ scriptPublicKey }) => scriptPublicKey !== script);
  const effects = foreign.map(({ value, scriptPublicKey }): Effect => {
    const to = scriptPublicKey.startsWith('0000') ? addressOf(bytesOf(scriptPublicKey.slice(4)), prefix) : undefined;
    return { kind: 'transfer', to: to ?? `script:${scriptPublicKey}`, amount: value, asset: 'native' };
  });
  const sum = (amounts: readonly bigint[]) => amounts.reduce((a, b) => a + b, 0n);
  const fee = sum(inputs.map(({ utxo }) => utxo.amount)) - sum(outputs.map(({ value }) => value));
  if (fee < 0n) throw new Refusal('BadRequest', 'the outputs of the Kaspa transaction are more than its inputs');
  const isPlain = effects.every((effect) => effect.kind === 'transfer' && !effect.to.startsWith('script:'));
  return { complete: isAlone && isPlain, effects, ...(isAlone ? { fee } : {}) };
}

/** The script that pays to a key, without its version. */
function scriptOf({ keyType, publicKey }: ChainKey): Uint8Array {
  return keyType === 'Schnorr/secp256k1'
    ? concat(Uint8Array.of(opData32), publicKey.subarray(1), Uint8Array.of(opCheckSig))
    : concat(Uint8Array.of(opData33), publicKey, Uint8Array.of(opCheckSigEcdsa));
}

/** Undefined for a script that is none of the standard three. */
function addressOf(script: Uint8Array, prefix: string): string | undefined {
  const last = script.at(-1);
  if (script.length === 34 && script[0] === opData32 && last === opCheckSig) return cashAddress(prefix, 0, script.subarray(1, 33));
  if (script.length === 35 && script[0] === opData33 && last === opCheckSigEcdsa) return cashAddress(prefix, 1, script.subarray(1, 34));
  const isScriptHash = script.length === 35 && script[0] === 0xaa && script[1] === opData32 && last === 0x87;
  return isScriptHash ? cashAddress(prefix, 8, script.subarray(2, 34)) : undefined;
}

// What is hashed: numbers are little-endian, and what has a length stands behind it (eight bytes).

const signingKey = utf8('TransactionSigningHash');
const idKey = utf8('TransactionID');
const ecdsaPrefix = sha256(utf8('TransactionSigningHashECDSA'));

interface CommonHashes {
  readonly outpoints: Uint8Array;
  readonly sequences: Uint8Array;
  readonly sigOpCounts: Uint8Array;
  readonly outputs: Uint8Array;
}

function commonHashes({ inputs, outputs }: Transaction): CommonHashes {
  return {
    outpoints: signingHash(...inputs.map(outpointOf)),
    sequences: signingHash(...inputs.map(({ sequence }) => littleEndian(sequence, 8))),
    sigOpCounts: signingHash(...inputs.map(({ sigOpCount }) => littleEndian(sigOpCount, 1))),
    outputs: signingHash(...outputs.map(outputOf)),
  };
}

function sighash(transaction: Transaction, index: number, hashes: CommonHashes): Uint8Array {
  const input = transaction.inputs[index];
  assert(input, 'the input is one of the transaction');
  return signingHash(
    littleEndian(transaction.version, 2),
    hashes.outpoints,
    hashes.sequences,
    hashes.sigOpCounts,
    outpointOf(input),
    scriptPublicKeyOf(input.utxo.scriptPublicKey),
    littleEndian(input.utxo.amount, 8),
    littleEndian(input.sequence, 8),
    littleEndian(input.sigOpCount, 1),
    hashes.outputs,
    littleEndian(transaction.lockTime, 8),
    bytesOf(transaction.subnetworkId),
    littleEndian(transaction.gas, 8),
    new Uint8Array(32), // no payload
    sighashAll,
  );
}

function transactionId({ version, inputs, outputs, lockTime, subnetworkId, gas, payload }: Transaction): string {
  const parts = [
    littleEndian(version, 2),
    littleEndian(BigInt(inputs.length), 8),
    ...inputs.flatMap((input) => [outpointOf(input), littleEndian(0n, 8), littleEndian(input.sequence, 8)]),
    littleEndian(BigInt(outputs.length), 8),
    ...outputs.map(outputOf),
    littleEndian(lockTime, 8),
    bytesOf(subnetworkId),
    littleEndian(gas, 8),
    behindLength(bytesOf(payload)),
  ];
  return toHex(blake2b(concat(...parts), { dkLen: 32, key: idKey }));
}

function outpointOf({ transactionId, index }: Input): Uint8Array {
  return concat(bytesOf(transactionId), littleEndian(index, 4));
}

function outputOf({ value, scriptPublicKey }: Transaction['outputs'][number]): Uint8Array {
  return concat(littleEndian(value, 8), scriptPublicKeyOf(scriptPublicKey));
}

/** Four digits of version, big-endian in the JSON; then the script. */
function scriptPublicKeyOf(text: string): Uint8Array {
  const bytes = bytesOf(text);
  return concat(bytes.slice(0, 2).reverse(), behindLength(bytes.subarray(2)));
}

function behindLength(bytes: Uint8Array): Uint8Array {
  return concat(littleEndian(BigInt(bytes.length), 8), bytes);
}

function signingHash(...parts: readonly Uint8Array[]): Uint8Array {
  return blake2b(concat(...parts), { dkLen: 32, key: signingKey });
}

function ecdsaHash(digest: Uint8Array): Uint8Array {
  return sha256(concat(ecdsaPrefix, digest));
}
