/**
 * What calls of token contracts bring about. Only the standards' own methods are understood, and only in the encoding that compilers write.
 *
 * Sources: ERC-20, ERC-721, ERC-1155, ERC-2612; increaseAllowance as OpenZeppelin's contracts had it.
 * @module
 */

import { keccak_256 } from '@noble/hashes/sha3.js';
import { equal, to0x, toHex, utf8 } from '../../base/bytes.ts';
import type { Effect } from '../chain.ts';
import { type Arguments, decodeArguments } from '../encodings/abi.ts';

/** All there is, in the future too. */
export const unlimited = 2n ** 256n - 1n;

export interface Call {
  /** As the chain writes it. */
  readonly contract: string;
  readonly data: Uint8Array;
  /** The caller: 20 bytes. */
  readonly self: Uint8Array;
  readonly addressText: (address: Uint8Array) => string;
}

/** Of one call, the call itself among its effects. */
export function readCall({ contract, data, self, addressText }: Call): { complete: boolean; effects: readonly Effect[] } {
  const selector = data.subarray(0, selectorBytes);
  const method = data.length < selectorBytes ? undefined : methods.get(toHex(selector));
  if (method === undefined) {
    const name = data.length < selectorBytes ? {} : { method: to0x(selector) };
    return { complete: false, effects: [{ kind: 'call', contract, ...name }] };
  }
  const call: Effect = { kind: 'call', contract, method: method.signature };
  try {
    const given = decodeArguments(method.types, data.subarray(selectorBytes));
    return { complete: true, effects: [call, ...method.effects(given, { contract, self, addressText })] };
  } catch {
    return { complete: false, effects: [call] }; // a contract may read what is not encoded as it should be
  }
}

const selectorBytes = 4;

interface Method {
  readonly signature: string;
  readonly types: readonly string[];
  readonly effects: (given: Arguments, context: Omit<Call, 'data'>) => readonly Effect[];
}

/**
 * A token of ERC-20 and one of ERC-721 have `approve` and `transferFrom` in common, the last argument being an amount or a token: both
 * readings are reported, one of which is true.
 */
const byName: Readonly<Record<string, Method['effects']>> = {
  'transfer(address,uint256)': (given, { contract, addressText }) => [
    { kind: 'transfer', to: addressText(given.address(0)), amount: given.number(1), asset: contract },
  ],
  'transferFrom(address,address,uint256)': (given, { contract, addressText }) => {
    const to = addressText(given.address(1));
    return [
      { kind: 'transfer', to, amount: given.number(2), asset: contract },
      { kind: 'transfer', to, amount: 1n, asset: item(contract, given.number(2)) },
    ];
  },
  'approve(address,uint256)': (given, { contract, addressText }) => {
    const spender = addressText(given.address(0));
    return [
      { kind: 'allowance', spender, amount: given.number(1), asset: contract },
      { kind: 'allowance', spender, amount: 1n, asset: item(contract, given.number(1)) },
    ];
  },
  'increaseAllowance(address,uint256)': (given, { contract, addressText }) => [
    { kind: 'allowance', spender: addressText(given.address(0)), amount: given.number(1), asset: contract },
  ],
  'decreaseAllowance(address,uint256)': () => [],
  // Somebody's signed permit, carried to the contract: it is the caller's own when the owner is.
  'permit(address,address,uint256,uint256,uint8,bytes32,bytes32)': (given, { contract, self, addressText }) =>
    equal(given.address(0), self)
      ? [{ kind: 'allowance', spender: addressText(given.address(1)), amount: given.number(2), asset: contract }]
      : [],
  'safeTransferFrom(address,address,uint256)': ofItem,
  'safeTransferFrom(address,address,uint256,bytes)': ofItem,
  'setApprovalForAll(address,bool)': (given, { contract, addressText }) =>
    given.flag(1) ? [{ kind: 'allowance', spender: addressText(given.address(0)), amount: unlimited, asset: contract }] : [],
  'safeTransferFrom(address,address,uint256,uint256,bytes)': (given, { contract, addressText }) => [
    { kind: 'transfer', to: addressText(given.address(1)), amount: given.number(3), asset: item(contract, given.number(2)) },
  ],
  'safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)': (given, { contract, addressText }) => {
    const amounts = given.numbers(3);
    if (amounts.length !== given.numbers(2).length) throw new Error('there are not as many amounts as tokens');
    const to = addressText(given.address(1));
    return given.numbers(2).map((id, i) => ({ kind: 'transfer', to, amount: amounts[i] ?? 0n, asset: item(contract, id) }));
  },
};

function ofItem(given: Arguments, { contract, addressText }: Omit<Call, 'data'>): readonly Effect[] {
  return [{ kind: 'transfer', to: addressText(given.address(1)), amount: 1n, asset: item(contract, given.number(2)) }];
}

function item(contract: string, id: bigint): string {
  return `${contract}/${id}`;
}

/** By selector: the first bytes of the hash of the signature. */
const methods: ReadonlyMap<string, Method> = new Map(
  Object.entries(byName).map(([signature, effects]) => {
    const types = signature.slice(signature.indexOf('(') + 1, -1).split(',');
    return [toHex(keccak_256(utf8(signature)).subarray(0, selectorBytes)), { signature, types, effects }];
  }),
);
