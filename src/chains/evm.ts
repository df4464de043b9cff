/**
 * Ethereum and the chains that are like it.
 *
 * Keys      ECDSA secp256k1.
 * Accepts   Transaction as hex: unsigned, of type 0 (with chain id or, before EIP-155, without), 1, 2, 4. Transaction as JSON: the same types,
 *           2 unless it says another; numbers decimal or 0x; nonce, gas limit and fees may be left to the service. Message = Eip191. Eip712:
 *           the primary type is the one that no other refers to. Eip7702. Blobs (type 3) are not signed: they travel beside the transaction.
 * Payload   keccak-256 of the transaction as it came (JSON: as it is serialised); of "\x19Ethereum Signed Message:\n", the length and the message;
 *           of 0x1901, domain and message; of 0x05 and the authorization.
 * Encoded   r ‖ s ‖ 27 + recid. Signed data: the transaction with its signature, ready to broadcast.
 * Refused   a chain id that is not the network's; a network without a known one, where the chain id is signed (`blockchainKind` will do there:
 *           the bytes have it); a sender who is not the key; a transaction that is signed already, or that no node takes; one with neither
 *           recipient nor code.
 * Amounts   wei. Tokens in their smallest unit; the asset is the contract, of one item contract/id.
 * Summary   native transfers; the standards' calls of ERC-20, ERC-721 and ERC-1155; permits of EIP-2612, DAI, EIP-3009 and Permit2; delegations
 *           of EIP-7702. All else is incomplete: other calls (batches among them), created contracts, calls of the account itself, messages,
 *           unknown typed data. `fee`: gas limit · price; rollups that charge for data apart take more.
 * Hash      keccak-256 of the signed transaction.
 * Decided   A transaction without chain id is good on every chain: signed, because old devices and deployments need it, and incomplete,
 *           because elsewhere it does the same again. An EIP-7702 authorization for chain id 0 gives the account away on every chain: it takes
 *           `blockchainKind` without a network, and is incomplete. What the service fills in is bounded (json.ts), since the caller has not
 *           signed it.
 *
 * Sources   EIP-155, 191, 712, 2718, 2930, 1559, 7702.
 * @module
 */

import { keccak_256 } from '@noble/hashes/sha3.js';
import { concat, equal, to0x, toBigInt, utf8 } from '../base/bytes.ts';
import { assert, Refusal } from '../base/errors.ts';
import type { Signature } from '../crypto/schemes/scheme.ts';
import type { Chain, ChainKey, Effect, Summary, Target, Unsigned } from './chain.ts';
import { encodeRlp, rlpInteger } from './encodings/rlp.ts';
import { describeTypedData, integerOf } from './encodings/typedData.ts';
import { accountOf, addressBytes, addressText, parseAddress, signerOf } from './evm/address.ts';
import { readCall } from './evm/calls.ts';
import { completeDraft, type Draft, feeOf, readDraft, requireSender } from './evm/json.ts';
import { readTypedData } from './evm/permits.ts';
import { type Authorization, decodeTransaction, type EcdsaSignature, encodeTransaction, type Transaction } from './evm/transaction.ts';
import type { Network } from './networks.ts';
import type { Body } from './requests.ts';
import { bytesOf, decoding, requireNetwork } from './target.ts';

export const evm: Chain<'Evm'> = {
  keyTypes: ['ECDSA/secp256k1'],
  formats: {
    Transaction: signTransaction,
    Message: signMessage,
    Eip191: signMessage,
    Eip712: signTypedData,
    Eip7702: signAuthorization,
  },
  addressOf: ({ publicKey }) => addressText(accountOf(publicKey)),
  missingFields(body, target) {
    if (body.kind !== 'Transaction' || typeof body.transaction === 'string') return [];
    return draftOf(body.transaction, networkOf(target)).missing;
  },
};

function signTransaction({ transaction }: Body<'Transaction'>, key: ChainKey, target: Target<'Evm'>): Unsigned {
  const self = accountOf(key.publicKey);
  if (typeof transaction === 'string') {
    const read = decoding('an unsigned Ethereum transaction', () => decodeTransaction(bytesOf(transaction)));
    requireChain(read.chainId, target, 'the transaction');
    return unsignedTransaction(read, self);
  }
  const network = networkOf(target);
  const draft = draftOf(transaction, network);
  const whole = decoding('a transaction', () => {
    requireSender(transaction, self);
    requireFilled(draft.missing, target);
    return completeDraft(draft, target.filled, network.maxFilledFee);
  });
  const filled = Object.fromEntries(draft.missing.map((name) => [name, target.filled[name]]));
  return { ...unsignedTransaction(whole, self), ...(draft.missing.length > 0 ? { details: filled } : {}) };
}

interface Known {
  readonly chainId: bigint;
  readonly maxFilledFee?: bigint | undefined;
}

function networkOf(target: Target<'Evm'>): Known {
  const { name, facts } = requireNetwork(target, 'a JSON transaction is for the chain id of its network');
  if (facts.chainId === undefined) throw new Refusal('BadRequest', unknownChainId(name));
  return { chainId: BigInt(facts.chainId), maxFilledFee: facts.maxFilledFee };
}

function draftOf(json: Readonly<Record<string, unknown>>, { chainId }: Known): Draft {
  return decoding('a transaction', () => readDraft(json, chainId));
}

function requireFilled(missing: readonly string[], { filled, network }: Target<'Evm'>): void {
  const left = missing.filter((name) => filled[name] === undefined);
  if (left.length === 0) return;
  const variable = `RPC_URL_${network?.name.toUpperCase()}`;
  throw new Error(`${left.join(', ')} missing: say them, or have the service ask an RPC endpoint of ${network?.name} (${variable})`);
}

/** @param chainId undefined where the request binds none */
function requireChain(chainId: bigint | undefined, { network }: Target<'Evm'>, what: string): void {
  if (chainId === undefined || network === undefined) return;
  const { name, facts } = network;
  if (facts.chainId === undefined) throw new Refusal('BadRequest', unknownChainId(name));
  if (chainId === BigInt(facts.chainId)) return;
  throw new Refusal('BadRequest', `${what} is for chain id ${chainId}, ${name} is ${facts.chainId}`);
}

function unknownChainId(name: Network): string {
  return `the chain id of ${name} is not known here; blockchainKind Evm without a network signs for the chain id in the request`;
}

function unsignedTransaction(transaction: Transaction, self: Uint8Array): Unsigned {
  return {
    payloads: [{ bytes: keccak_256(encodeTransaction(transaction)) }],
    summary: summaryOf(transaction, self),
    assemble([signature]) {
      const parts = partsOf(signature);
      const signedData = encodeTransaction(transaction, parts);
      return { encoded: [parts.encoded], signedData, txHash: to0x(keccak_256(signedData)) };
    },
  };
}

function summaryOf(transaction: Transaction, self: Uint8Array): Summary {
  const { chainId, to, value, data } = transaction;
  const own = 'authorizationList' in transaction ? transaction.authorizationList.filter((one) => isBy(one, self)) : [];
  const controls = own.flatMap(controlOf);
  const sent = (recipient: string): Effect => ({ kind: 'transfer', to: recipient, amount: value, asset: 'native' });
  const fee = feeOf(transaction);
  if (to.length === 0) {
    const contract = addressText(createdBy(transaction, self));
    const creation: Effect = { kind: 'call', contract, method: 'constructor' };
    return { complete: false, effects: [creation, ...(value > 0n ? [sent(contract)] : [])], fee };
  }
  const recipient = addressText(to);
  const call = data.length === 0 ? undefined : readCall({ contract: recipient, data, self, addressText });
  // A call of the account itself runs whatever code it has been given.
  const runsOwnCode = equal(to, self) && (call !== undefined || own.length > 0);
  const isEverywhere = chainId === undefined || own.some((one) => one.chainId === 0n);
  return {
    complete: call?.complete !== false && !runsOwnCode && !isEverywhere,
    effects: [...controls, ...(call === undefined || value > 0n ? [sent(recipient)] : []), ...(call?.effects ?? [])],
    fee,
  };
}

/** Where the contract will stand: the hash of its creator and the creator's nonce. */
function createdBy({ nonce }: Transaction, self: Uint8Array): Uint8Array {
  return keccak_256(encodeRlp([self, rlpInteger(nonce)])).subarray(-addressBytes);
}

function isBy(one: Authorization, account: Uint8Array): boolean {
  const by = signerOf(authorizationDigest(one), one);
  return by !== undefined && equal(by, account);
}

/** No code at all is no control. */
function controlOf({ address }: Pick<Authorization, 'address'>): readonly Effect[] {
  return address.some((byte) => byte !== 0) ? [{ kind: 'control', to: addressText(address) }] : [];
}

function signMessage({ message }: Body<'Message' | 'Eip191'>): Unsigned {
  const bytes = bytesOf(message);
  const prefix = utf8(`\x19Ethereum Signed Message:\n${bytes.length}`);
  return unsignedDigest(keccak_256(concat(prefix, bytes)), { complete: false, effects: [] });
}

function signTypedData(body: Body<'Eip712'>, key: ChainKey, target: Target<'Evm'>): Unsigned {
  const { digest, description } = decoding('typed data', () => describeTypedData(body, parseAddress));
  requireChain(integerOf(body.domain.chainId), target, 'the domain');
  return unsignedDigest(digest, readTypedData(body, description, accountOf(key.publicKey)));
}

function signAuthorization(body: Body<'Eip7702'>, _key: ChainKey, target: Target<'Evm'>): Unsigned {
  const [chainId, nonce] = [integerOf(body.chainId), integerOf(body.nonce)];
  if (chainId === undefined || chainId < 0n) throw new Refusal('BadRequest', 'chainId: expected a whole number');
  if (nonce === undefined || nonce < 0n) throw new Refusal('BadRequest', 'nonce: expected a whole number');
  const address = decoding('an authorization', () => parseAddress(body.address));
  if (chainId === 0n && target.network !== undefined) {
    const { name } = target.network;
    throw new Refusal('BadRequest', `chainId 0 is an authorization for every chain: ask for it by blockchainKind Evm, not for ${name}`);
  }
  requireChain(chainId, target, 'the authorization');
  const summary = { complete: chainId !== 0n, effects: controlOf({ address }) };
  return unsignedDigest(authorizationDigest({ chainId, address, nonce }), summary);
}

/** EIP-7702, MAGIC being 0x05: no transaction begins so. */
function authorizationDigest({ chainId, address, nonce }: Pick<Authorization, 'chainId' | 'address' | 'nonce'>): Uint8Array {
  return keccak_256(concat(Uint8Array.of(0x05), encodeRlp([rlpInteger(chainId), address, rlpInteger(nonce)])));
}

function unsignedDigest(digest: Uint8Array, summary: Summary): Unsigned {
  return { payloads: [{ bytes: digest }], summary, assemble: ([signature]) => ({ encoded: [partsOf(signature).encoded] }) };
}

function partsOf(signature: Signature | undefined): EcdsaSignature & { readonly encoded: Uint8Array } {
  assert(signature?.recid === 0 || signature?.recid === 1, 'there is one signature, and its recovery id is a parity');
  const { r, s, recid } = signature;
  return { r: toBigInt(r), s: toBigInt(s), yParity: recid, encoded: concat(r, s, Uint8Array.of(27 + recid)) };
}
