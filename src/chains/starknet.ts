/**
 * Starknet.
 *
 * Keys      ECDSA on the STARK curve.
 * Accepts   Snip12: typed data (`types`, `primaryType`, `domain`, `message`), revisions 0 and 1; with `accountAddress` where the account is
 *           another than the wallet's. Transactions are not offered: sign their hash (Hash, below 2²⁵¹).
 * Payload   the SNIP-12 hash, 32 bytes, big-endian. It contains the address of the account that signs.
 * Encoded   r ‖ s, 64 bytes. No signed data.
 * Refused   A domain for another chain than the network's; typed data that could be read in two ways (encodings/snip12.ts).
 * Summary   What a contract makes of typed data is its own: never complete, no effects.
 * Address   of the contract account that OpenZeppelin's Account 1.0.0 has for this key: class hash, the key as constructor argument and as
 *           salt, deployed by itself.
 * Decided   The account is a contract, and which one is the user's choice: the address is the one above unless the request names another in
 *           `accountAddress`, a member of ours that the caller signs with the rest. `network` is required: the chain is part of every domain.
 *
 * Sources   SNIP-12; https://docs.starknet.io (contract address); class hash as Starknet Foundry deploys it.
 * @module
 */

import { concat, fromBigInt, fromHex, toBigInt } from '../base/bytes.ts';
import { assert, Refusal } from '../base/errors.ts';
import type { Chain, ChainKey, Target, Unsigned } from './chain.ts';
import { pedersenOnElements, shortString, snip12Hash } from './encodings/snip12.ts';
import type { Body } from './requests.ts';
import { decoding, requireNetwork } from './target.ts';

/** OpenZeppelin Account 1.0.0. */
const accountClassHash = 0x5b4b537eaa2399e3aa99c4e2e0208ebd6c71bc1467938cd52c798c601e43564n;
const addressBound = 2n ** 251n - 256n;

export const starknet: Chain<'Starknet'> = {
  keyTypes: ['ECDSA/stark'],
  formats: { Snip12: signTypedData },
  addressOf: (key) => `0x${accountOf(key).toString(16).padStart(64, '0')}`,
};

function signTypedData(body: Body<'Snip12'>, key: ChainKey, target: Target<'Starknet'>): Unsigned {
  const { facts, name } = requireNetwork(target, 'the chain is part of the domain that is signed');
  const { chainId } = body.domain;
  if (chainId !== undefined && !isChain(chainId, facts.chainId)) {
    throw new Refusal('BadRequest', `the domain is for chain ${JSON.stringify(chainId)}, ${name} is ${facts.chainId}`);
  }
  const account = body.accountAddress === undefined ? accountOf(key) : addressIn(body.accountAddress);
  const hash = decoding('SNIP-12 typed data', () => snip12Hash(body, account));
  return {
    payloads: [{ bytes: fromBigInt(hash, 32) }],
    summary: { complete: false, effects: [] },
    assemble(signatures) {
      const [signature] = signatures;
      assert(signature, 'typed data has one payload');
      return { encoded: [concat(signature.r, signature.s)] };
    },
  };
}

/** A chain id is a short string, or the number it makes. */
function isChain(said: unknown, wanted: string): boolean {
  if (said === wanted) return true;
  const isNumber = typeof said === 'number' || (typeof said === 'string' && /^(\d{1,80}|0x[0-9a-f]{1,64})$/i.test(said));
  return isNumber && BigInt(said) === shortString(wanted);
}

/** @throws {Refusal} BadRequest */
function addressIn(text: string): bigint {
  const bytes = fromHex(text.length % 2 === 0 ? text : text.replace(/^0x/i, '0'));
  const address = bytes && bytes.length <= 32 ? toBigInt(bytes) : 0n;
  if (address > 0n && address < addressBound) return address;
  throw new Refusal('BadRequest', 'accountAddress is the address of a contract, in hex');
}

/** The address of the contract that the key deploys itself. */
function accountOf({ publicKey }: ChainKey): bigint {
  const x = toBigInt(publicKey.subarray(1));
  const constructorArguments = pedersenOnElements([x]);
  return pedersenOnElements([shortString('STARKNET_CONTRACT_ADDRESS'), 0n, x, accountClassHash, constructorArguments]) % addressBound;
}
