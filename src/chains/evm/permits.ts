/**
 * What a signature over typed data lets others do: the permits of tokens. A description is compared whole, so that nothing that is called
 * Permit and is something else passes for one.
 *
 * Sources: EIP-2612; EIP-3009; DAI's permit; Permit2, https://github.com/Uniswap/permit2 (one address on every chain).
 * @module
 */

import { equal } from '../../base/bytes.ts';
import { assert } from '../../base/errors.ts';
import type { Effect, Summary } from '../chain.ts';
import { integerOf, type TypedData } from '../encodings/typedData.ts';
import { addressText, parseAddress } from './address.ts';
import { unlimited } from './calls.ts';

/**
 * @param description the primary type, as it is hashed
 * @param self 20 bytes: a permit of another's tokens is not understood
 */
export function readTypedData({ domain, message }: TypedData, description: string, self: Uint8Array): Summary {
  const permit = permits[description] ?? witnessed(description);
  const bound = domain.chainId !== undefined && domain.verifyingContract !== undefined;
  if (permit === undefined || !bound) return { complete: false, effects: [] };
  const contract = address(domain.verifyingContract);
  const owner = permit.owner === undefined ? undefined : message[permit.owner];
  const isOurs = owner === undefined || equal(parseAddress(owner), self);
  const isKnownContract = permit.contract === undefined || permit.contract === contract;
  return { complete: isOurs && isKnownContract && !permit.isPartOfMore, effects: permit.effects(message, contract) };
}

type Message = TypedData['message'];

interface Permit {
  /** The member that names whose tokens they are. */
  readonly owner?: string;
  /** The only one that is known to mean it so. */
  readonly contract?: string;
  /** It carries what another contract reads. */
  readonly isPartOfMore?: boolean;
  readonly effects: (message: Message, contract: string) => readonly Effect[];
}

const permit2 = '0x000000000022d473030f116ddee9f6b43ac78ba3';
const authorization = 'address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce';
const details = 'PermitDetails(address token,uint160 amount,uint48 expiration,uint48 nonce)';
const permissions = 'TokenPermissions(address token,uint256 amount)';

const permits: Readonly<Record<string, Permit | undefined>> = {
  'Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)': {
    owner: 'owner',
    effects: ({ spender, value }, contract) => [allowance(spender, amount(value), contract)],
  },
  'Permit(address holder,address spender,uint256 nonce,uint256 expiry,bool allowed)': {
    owner: 'holder',
    effects: ({ spender, allowed }, contract) => (allowed === true ? [allowance(spender, unlimited, contract)] : []),
  },
  [`TransferWithAuthorization(${authorization})`]: { owner: 'from', effects: authorizedTransfer },
  [`ReceiveWithAuthorization(${authorization})`]: { owner: 'from', effects: authorizedTransfer },
  'CancelAuthorization(address authorizer,bytes32 nonce)': { owner: 'authorizer', effects: () => [] },
  [`PermitSingle(PermitDetails details,address spender,uint256 sigDeadline)${details}`]: {
    contract: permit2,
    effects: ({ details: one, spender }) => [tokenAllowance(spender, one)],
  },
  [`PermitBatch(PermitDetails[] details,address spender,uint256 sigDeadline)${details}`]: {
    contract: permit2,
    effects: ({ details: all, spender }) => list(all).map((one) => tokenAllowance(spender, one)),
  },
  [`PermitTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline)${permissions}`]: {
    contract: permit2,
    effects: ({ permitted, spender }) => [tokenAllowance(spender, permitted)],
  },
  [`PermitBatchTransferFrom(TokenPermissions[] permitted,address spender,uint256 nonce,uint256 deadline)${permissions}`]: {
    contract: permit2,
    effects: ({ permitted, spender }) => list(permitted).map((one) => tokenAllowance(spender, one)),
  },
};

function authorizedTransfer({ to, value }: Message, contract: string): readonly Effect[] {
  return [{ kind: 'transfer', to: address(to), amount: amount(value), asset: contract }];
}

function tokenAllowance(spender: unknown, one: unknown): Effect {
  const { token, amount: most } = one as Readonly<Record<string, unknown>>; // of a type that the encoder has checked
  return allowance(spender, amount(most), address(token));
}

function allowance(spender: unknown, most: bigint, asset: string): Effect {
  return { kind: 'allowance', spender: address(spender), amount: most, asset };
}

/**
 * With words for another contract, an order for example: what may be taken is clear, the words are not. The description is that of the
 * permit, with one member more, and of all it refers to, each after the bracket that ends the one before.
 */
function witnessed(description: string): Permit | undefined {
  const plain = Object.entries(permits).find(([text]) => {
    const [head = '', rest] = text.split(`)${permissions}`);
    const withWitness = `${head.replace('TransferFrom(', 'WitnessTransferFrom(')},`;
    return rest !== undefined && description.startsWith(withWitness) && description.includes(`)${permissions}`);
  })?.[1];
  return plain && { ...plain, isPartOfMore: true };
}

/** The encoder has checked that it is one. */
function list(value: unknown): readonly unknown[] {
  return value as readonly unknown[];
}

function address(value: unknown): string {
  return addressText(parseAddress(value));
}

function amount(value: unknown): bigint {
  const number = integerOf(value);
  assert(number !== undefined, 'the encoder has checked that it is an integer');
  return number;
}
