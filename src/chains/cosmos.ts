/**
 * Cosmos SDK chains: Cosmos Hub, Sei, Babylon, Origyn.
 *
 * Keys      ECDSA secp256k1.
 * Accepts   SignDocDirect: hex of the protobuf SignDoc, sign mode DIRECT. No Amino JSON; its digest can be signed as Hash.
 * Payload   SHA-256 of the SignDoc as it came.
 * Encoded   r ‖ s, 64 bytes, low s. No signed data: the transaction is the caller's to assemble, and may want others' signatures.
 * Refused   A SignDoc that does not name this key as a signer in mode DIRECT, a chain id other than the network's, a message of ours whose
 *           sender is somebody else, anything the strict reading of protobuf does not allow (ADR-027: no superfluous bytes, no unknown
 *           fields in what is read, no field twice).
 * Summary   MsgSend, MsgMultiSend and IBC MsgTransfer as transfers; every other message makes it incomplete. Amounts in the denomination
 *           named: the asset is the denomination, also for the chain's own. Incomplete too when several sign, since then messages of others
 *           are among ours; and for what is in extension options. Fee: of the one denomination it is paid in, when this key pays it.
 * Hash      upper-case hex of SHA-256 over TxRaw, when this key is the only signer.
 * Decided   `blockchainKind` alone will do: the chain id is in the bytes. The key must stand in the SignDoc, although chains accept its
 *           absence for accounts they know: it is how we know whose transaction it is. A MsgTransfer with a memo is incomplete, because a
 *           memo may forward the money. A network without a published chain id takes any.
 *
 * Sources   https://github.com/cosmos/cosmos-sdk/blob/main/proto/cosmos/tx/v1beta1/tx.proto ; ADR-020, ADR-027.
 * @module
 */

import { createHash } from 'node:crypto';
import { ripemd160 } from '@noble/hashes/legacy.js';
import { bech32 } from '@scure/base';
import { concat, equal, toHex } from '../base/bytes.ts';
import { assert, Refusal } from '../base/errors.ts';
import type { Chain, ChainKey, Effect, Target, Unsigned } from './chain.ts';
import { bytesField, type Message, messageOf } from './encodings/protobuf.ts';
import type { Body } from './requests.ts';
import { bytesOf, decoding } from './target.ts';

const maxMessages = 256;
const directMode = 1n;
const send = '/cosmos.bank.v1beta1.MsgSend';
const multiSend = '/cosmos.bank.v1beta1.MsgMultiSend';
const ibcTransfer = '/ibc.applications.transfer.v1.MsgTransfer';
/** The others are not read: what they hold is theirs. */
const understood: ReadonlySet<string> = new Set([send, multiSend, ibcTransfer]);
const publicKeyUrl = '/cosmos.crypto.secp256k1.PubKey';

export const cosmos: Chain<'Cosmos'> = {
  keyTypes: ['ECDSA/secp256k1'],
  formats: { SignDocDirect: signDirect },
  addressOf: ({ publicKey }, { prefix }) => bech32.encode(prefix, bech32.toWords(accountOf(publicKey))),
};

function signDirect({ signDoc }: Body<'SignDocDirect'>, key: ChainKey, target: Target<'Cosmos'>): Unsigned {
  const bytes = bytesOf(signDoc);
  const doc = decoding('a SignDoc', () => readSignDoc(bytes));
  requireChain(doc.chainId, target);
  const { signers, fee } = decoding('an AuthInfo in the SignDoc', () => readAuthInfo(doc.authInfo));
  const own = signers.find(({ publicKey }) => publicKey !== undefined && equal(publicKey, key.publicKey));
  if (own === undefined) throw new Refusal('BadRequest', `the SignDoc does not name this key (${toHex(key.publicKey)}) among its signers`);
  if (own.mode !== directMode) throw new Refusal('BadRequest', 'the SignDoc asks this key for another sign mode than SIGN_MODE_DIRECT');
  const body = decoding('a TxBody in the SignDoc', () => readBody(doc.body));

  const account = accountOf(key.publicKey);
  const isAlone = signers.length === 1;
  const effects = body.messages.map((message) => decoding(`a message of type ${message.url}`, () => effectsOf(message, account, isAlone)));
  const read = effects.flatMap((found) => found ?? []);
  const paysFee = fee.payer === '' ? signers[0] === own : isAccount(fee.payer, account);
  return {
    payloads: [{ bytes: sha256(bytes) }],
    summary: {
      complete: isAlone && !body.hasOptions && !fee.hasTip && effects.every((found) => found !== undefined),
      effects: read,
      ...(paysFee && fee.granter === '' && fee.coins.length === 1 ? { fee: fee.coins[0]?.amount ?? 0n } : {}),
    },
    assemble(signatures) {
      const [signature] = signatures;
      assert(signature, 'a SignDoc has one payload');
      const encoded = concat(signature.r, signature.s);
      return { encoded: [encoded], ...(isAlone ? { txHash: hashOf(doc, encoded) } : {}) };
    },
  };
}

interface SignDoc {
  readonly body: Uint8Array;
  readonly authInfo: Uint8Array;
  readonly chainId: string;
}

function readSignDoc(bytes: Uint8Array): SignDoc {
  const doc = known(messageOf(bytes), [1, 2, 3, 4]);
  doc.number(4); // the account number, which nothing here can judge
  const [body, authInfo] = [doc.bytes(1), doc.bytes(2)];
  if (body === undefined || authInfo === undefined) throw new Error('it has no body or no auth info');
  return { body, authInfo, chainId: doc.text(3) };
}

function requireChain(chainId: string, { network }: Target<'Cosmos'>): void {
  if (chainId === '') throw new Refusal('BadRequest', 'the SignDoc names no chain id');
  const wanted = network?.facts.chainId;
  if (wanted === undefined || wanted === chainId) return;
  throw new Refusal('BadRequest', `the SignDoc is for chain ${JSON.stringify(chainId)}, ${network?.name} is ${wanted}`);
}

interface Coin {
  readonly denom: string;
  readonly amount: bigint;
}

function readAuthInfo(bytes: Uint8Array) {
  const info = known(messageOf(bytes), [1, 2, 3]);
  const signers = info.list(1).map((signer) => {
    const fields = known(messageOf(signer), [1, 2, 3]);
    fields.number(3);
    const mode = known(messageOf(fields.bytes(2) ?? new Uint8Array(0)), [1, 2]);
    const single = mode.bytes(1);
    return {
      publicKey: publicKeyIn(fields.bytes(1)),
      mode: single === undefined ? undefined : known(messageOf(single), [1]).number(1),
    };
  });
  if (signers.length === 0) throw new Error('it has no signers');
  const fee = known(messageOf(info.bytes(2) ?? new Uint8Array(0)), [1, 2, 3, 4]);
  fee.number(2);
  return {
    signers,
    fee: { coins: fee.list(1).map(readCoin), payer: fee.text(3), granter: fee.text(4), hasTip: info.bytes(3) !== undefined },
  };
}

/** Undefined for a key of another kind, such as a multisignature's. */
function publicKeyIn(any: Uint8Array | undefined): Uint8Array | undefined {
  if (any === undefined) return undefined;
  const { url, value } = readAny(any);
  return url === publicKeyUrl ? known(messageOf(value), [1]).bytes(1) : undefined;
}

interface Any {
  readonly url: string;
  readonly value: Uint8Array;
}

function readAny(bytes: Uint8Array): Any {
  const any = known(messageOf(bytes), [1, 2]);
  return { url: any.text(1), value: any.bytes(2) ?? new Uint8Array(0) };
}

/** Timeouts only keep a transaction from being valid for longer. */
function readBody(bytes: Uint8Array) {
  const body = known(messageOf(bytes), [1, 2, 3, 4, 5, 1023, 2047]);
  body.text(2);
  const messages = body.list(1).map(readAny);
  if (messages.length === 0) throw new Error('it has no messages');
  if (messages.length > maxMessages) throw new Error(`it has more than ${maxMessages} messages`);
  return { messages, hasOptions: body.list(1023).length + body.list(2047).length > 0 };
}

function readCoin(bytes: Uint8Array): Coin {
  const coin = known(messageOf(bytes), [1, 2]);
  const text = coin.text(2);
  if (!/^(0|[1-9]\d{0,77})$/.test(text)) throw new Error(`${JSON.stringify(text)} is not an amount`);
  return { denom: coin.text(1), amount: BigInt(text) };
}

/**
 * Undefined for a message that is not understood.
 * @throws {Error} for a malformed one @throws {Refusal} BadRequest when the only signer is not the sender
 */
function effectsOf({ url, value }: Any, account: Uint8Array, isAlone: boolean): readonly Effect[] | undefined {
  const requireOurs = (sender: string): void => {
    if (!isAlone || isAccount(sender, account)) return;
    throw new Refusal('BadRequest', `the sender of a message is ${sender}, which is not the account of this key`);
  };
  if (!understood.has(url)) return undefined;
  const message = messageOf(value);
  const isRead = (...fields: readonly number[]) => message.unknown(fields).length === 0;
  switch (url) {
    case send:
      requireOurs(message.text(1));
      return isRead(1, 2, 3) ? message.list(3).map((coin) => transfer(message.text(2), readCoin(coin))) : undefined;
    case multiSend:
      for (const input of message.list(1)) requireOurs(known(messageOf(input), [1, 2]).text(1));
      return isRead(1, 2) ? message.list(2).flatMap(outputTransfers) : undefined;
    case ibcTransfer: {
      requireOurs(message.text(4));
      const token = message.bytes(3);
      if (token === undefined) throw new Error('it transfers nothing');
      const mayForward = message.text(8) !== '';
      return isRead(1, 2, 3, 4, 5, 6, 7, 8) && !mayForward ? [transfer(message.text(5), readCoin(token))] : undefined;
    }
    default:
      return undefined;
  }
}

function outputTransfers(output: Uint8Array): readonly Effect[] {
  const fields = known(messageOf(output), [1, 2]);
  return fields.list(2).map((coin) => transfer(fields.text(1), readCoin(coin)));
}

function transfer(to: string, { amount, denom }: Coin): Effect {
  // A denomination may have any name; `native` is what other chains' own assets are called in a summary.
  return { kind: 'transfer', to, amount, asset: denom === 'native' ? 'denom:native' : denom };
}

/** Whatever the prefix: the account is the same on every chain. */
function isAccount(address: string, account: Uint8Array): boolean {
  const decoded = bech32.decodeUnsafe(address);
  const bytes = decoded && bech32.fromWordsUnsafe(decoded.words);
  return bytes instanceof Uint8Array && equal(bytes, account);
}

/** RIPEMD-160(SHA-256(public key)), 20 bytes. */
function accountOf(publicKey: Uint8Array): Uint8Array {
  return ripemd160(sha256(publicKey));
}

/** TxRaw: body, auth info, signature. */
function hashOf({ body, authInfo }: SignDoc, signature: Uint8Array): string {
  return toHex(sha256(concat(bytesField(1, body), bytesField(2, authInfo), bytesField(3, signature)))).toUpperCase();
}

function known(message: Message, fields: readonly number[]): Message {
  const [unknown] = message.unknown(fields);
  if (unknown !== undefined) throw new Error(`it has an unknown field ${unknown}`);
  return message;
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}
