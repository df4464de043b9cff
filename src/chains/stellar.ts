/**
 * Stellar.
 *
 * Keys      EdDSA ed25519 (G…).
 * Accepts   Transaction: hex of the XDR of a TransactionEnvelope: V0, V1, or fee bump; signatures that it has stay. `network` is required:
 *           its passphrase is part of what is signed.
 * Payload   SHA-256 of (SHA-256 of the passphrase ‖ envelope type ‖ transaction), 32 bytes. V0 is hashed as V1.
 * Encoded   the ed25519 signature, 64 bytes. Signed data: the envelope with our signature, and its hint, behind those it had.
 * Refused   An envelope in which this key is not the source: of the transaction or one of its operations, or of the fee of a fee bump (its
 *           inner transaction is signed by itself first). Twenty signatures already.
 * Amounts   stroops (10⁻⁷ XLM), and 10⁻⁷ of other assets, which are `code.issuer`.
 * Summary   Of the operations whose source is this key: payments (of path payments, what is sent at most), new accounts, claimable balances
 *           as transfers; an account merge and a new signer as control. Complete for those, and for trust lines and data entries; every
 *           other operation makes it incomplete. A fee bump takes its fee and nothing else. Muxed accounts show as the account (G…) that is
 *           paid. Fee: the whole transaction's, when this key pays it.
 * Hash      lower-case hex of the payload, without 0x.
 *
 * Sources   https://github.com/stellar/stellar-xdr ; https://developers.stellar.org/docs/learn/fundamentals/transactions ; SEP-23 (strkey).
 * @module
 */

import { sha256 } from '@noble/hashes/sha2.js';
import { base32 } from '@scure/base';
import { concat, equal, toHex, u32, utf8 } from '../base/bytes.ts';
import { assert, Refusal } from '../base/errors.ts';
import type { Chain, ChainKey, Effect, Summary, Target, Unsigned } from './chain.ts';
import { readXdr } from './encodings/xdr.ts';
import type { Body } from './requests.ts';
import {
  type AccountId,
  type Asset,
  type Envelope,
  envelope,
  envelopeTypes,
  type MuxedAccount,
  type Operation,
  type SignerKey,
} from './stellar/envelope.ts';
import { bytesOf, decoding, requireNetwork } from './target.ts';

const maxSignatures = 20;
const versions = { account: 6 << 3, preAuthorised: 19 << 3, hash: 23 << 3, signedPayload: 15 << 3 } as const;

export const stellar: Chain<'Stellar'> = {
  keyTypes: ['EdDSA/ed25519'],
  formats: { Transaction: signTransaction },
  addressOf: ({ publicKey }) => strkey(versions.account, publicKey),
};

function signTransaction({ transaction }: Body<'Transaction'>, key: ChainKey, target: Target<'Stellar'>): Unsigned {
  if (typeof transaction !== 'string') throw new Refusal('BadRequest', 'a Stellar transaction is the hex of an XDR TransactionEnvelope');
  const { facts } = requireNetwork(target, 'its passphrase is part of what is signed');
  const bytes = bytesOf(transaction);
  const read = decoding('an XDR TransactionEnvelope', () => readXdr(bytes, envelope));
  const { before, after } = read.value.transaction.bytesLeft;
  const content = bytes.subarray(bytes.length - before, bytes.length - after);
  const { signatures: others } = read.value;
  if (others.length >= maxSignatures)
    throw new Refusal('BadRequest', `the envelope has ${maxSignatures} signatures already, and takes no more`);

  const digest = sha256(concat(sha256(utf8(facts.passphrase)), hashedForm(read.type, content)));
  return {
    payloads: [{ bytes: digest }],
    summary: summaryOf(read, key.publicKey),
    assemble(signatures) {
      const [signature] = signatures;
      assert(signature, 'an envelope has one payload');
      const encoded = concat(signature.r, signature.s);
      const hint = key.publicKey.subarray(-4);
      const before = bytes.subarray(0, bytes.length - after);
      const existing = bytes.subarray(bytes.length - after + 4);
      const signedData = concat(before, u32(others.length + 1), existing, hint, u32(encoded.length), encoded);
      return { encoded: [encoded], signedData, txHash: toHex(digest) };
    },
  };
}

/** Envelope type and transaction. A V0 transaction is a V1 whose source is of the kind that V0 had alone. */
function hashedForm(type: Envelope['type'], content: Uint8Array): Uint8Array {
  return type === envelopeTypes.v0 ? concat(u32(envelopeTypes.v1), u32(0), content) : concat(u32(type), content);
}

/** @throws {Refusal} BadRequest when this key has nothing to sign here */
function summaryOf(read: Envelope, publicKey: Uint8Array): Summary {
  if (read.type === envelopeTypes.feeBump) {
    const { feeSource, fee } = read.value.transaction.content;
    if (equal(keyOf(feeSource), publicKey)) return { complete: true, effects: [], fee };
    throw notOurs(
      publicKey,
      `the fee of the fee bump is paid by ${addressOf(feeSource)}; its inner transaction is signed before it is bumped`,
    );
  }
  const { content } = read.value.transaction;
  const source: MuxedAccount = 'source' in content ? content.source : { type: 0, value: { ed25519: content.ed25519 } };
  const isSource = equal(keyOf(source), publicKey);
  const own = content.operations.filter((operation) => equal(keyOf(operation.source ?? source), publicKey));
  if (!isSource && own.length === 0)
    throw notOurs(publicKey, `the source of the transaction is ${addressOf(source)}, and no operation has another`);
  const effects = own.map(effectsOf);
  return {
    complete: effects.every((found) => found !== undefined),
    effects: effects.flatMap((found) => found ?? []),
    ...(isSource ? { fee: BigInt(content.fee) } : {}),
  };
}

function notOurs(publicKey: Uint8Array, why: string): Refusal {
  return new Refusal('BadRequest', `this key is ${strkey(versions.account, publicKey)}: ${why}`);
}

/** Undefined for an operation that is not understood as far as its effects go. */
function effectsOf({ body }: Operation): readonly Effect[] | undefined {
  switch (body.type) {
    case 0:
      return [transfer(accountOf(body.value.destination), body.value.startingBalance, 'native')];
    case 1:
      return [transfer(addressOf(body.value.destination), body.value.amount, assetOf(body.value.asset))];
    case 2:
      return [transfer(addressOf(body.value.destination), body.value.sendMax, assetOf(body.value.sendAsset))];
    case 13:
      return [transfer(addressOf(body.value.destination), body.value.sendAmount, assetOf(body.value.sendAsset))];
    case 14: {
      const { asset, amount, claimants } = body.value;
      return claimants.map(({ value }) => transfer(accountOf(value.destination), amount, assetOf(asset)));
    }
    case 8:
      return [{ kind: 'control', to: addressOf(body.value) }];
    case 5: {
      // Only one that adds a signer and changes nothing else is understood.
      const { signer, ...others } = body.value;
      const control: Effect[] = signer === undefined ? [] : [{ kind: 'control', to: signerOf(signer.key) }];
      return Object.values(others).every((value) => value === undefined) ? control : undefined;
    }
    case 6:
    case 10:
      return [];
    default:
      return undefined;
  }
}

/** @throws {Refusal} BadRequest */
function transfer(to: string, amount: bigint, asset: string): Effect {
  if (amount < 0n) throw new Refusal('BadRequest', `an amount of ${amount} is none`);
  return { kind: 'transfer', to, amount, asset };
}

/** @throws {Refusal} BadRequest */
function assetOf(asset: Asset): string {
  if (asset.type === 0) return 'native';
  const { code, issuer } = asset.value;
  const text = String.fromCharCode(...code);
  if (!/^[A-Za-z0-9]+\0*$/.test(text)) throw new Refusal('BadRequest', 'the code of an asset is letters and digits, then zeros');
  return `${text.replace(/\0+$/, '')}.${accountOf(issuer)}`;
}

function keyOf(account: MuxedAccount): Uint8Array {
  return account.value.ed25519;
}

function addressOf(account: MuxedAccount): string {
  return strkey(versions.account, keyOf(account));
}

function accountOf(account: AccountId): string {
  return strkey(versions.account, account.value);
}

function signerOf(signer: SignerKey): string {
  switch (signer.type) {
    case 0:
      return strkey(versions.account, signer.value);
    case 1:
      return strkey(versions.preAuthorised, signer.value);
    case 2:
      return strkey(versions.hash, signer.value);
    default: {
      const { ed25519, payload } = signer.value;
      const padding = new Uint8Array((4 - (payload.length % 4)) % 4);
      return strkey(versions.signedPayload, concat(ed25519, u32(payload.length), payload, padding));
    }
  }
}

/** SEP-23: base32 of version, bytes and CRC-16/XModem, little-endian, without padding. */
function strkey(version: number, bytes: Uint8Array): string {
  const body = concat(Uint8Array.of(version), bytes);
  const checksum = crc16(body);
  return base32.encode(concat(body, Uint8Array.of(checksum & 0xff, checksum >> 8))).replace(/=+$/, '');
}

function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return crc;
}
