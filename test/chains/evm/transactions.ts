/** Random transactions, as ethers and viem write them: they take turns, and each must accept what the other made. */

import { type Authorization, Transaction, type TransactionLike, Wallet } from 'ethers';
import { type Hex, keccak256, recoverTransactionAddress, serializeTransaction, type TransactionSerializable } from 'viem';
import { expect } from 'vitest';
import { to0x } from '../../../src/base/bytes.ts';
import { addressOf } from '../../../src/chains/index.ts';
import type { Outcome } from '../../conformance/chain.ts';
import type { Random } from '../../support/random.ts';
import type { LocalSigner } from '../../support/wholeKey.ts';

export const sepolia = 11_155_111;

export type Type = 'legacy' | 'before EIP-155' | 'EIP-2930' | 'EIP-1559' | 'EIP-7702';

/** Fields as ethers names them, without the authorizations. */
export function randomFields(random: Random, type: Type): TransactionLike {
  const creates = type !== 'EIP-7702' && random.int(5) === 0;
  const tip = random.bigint(40);
  const price = tip + random.bigint(40);
  const numbers = { 'before EIP-155': 0, legacy: 0, 'EIP-2930': 1, 'EIP-1559': 2, 'EIP-7702': 4 } as const;
  return {
    type: numbers[type],
    chainId: type === 'before EIP-155' ? 0 : sepolia,
    nonce: Number(random.bigint(32)),
    gasLimit: random.bigint(24),
    ...(numbers[type] < 2 ? { gasPrice: price } : { maxFeePerGas: price, maxPriorityFeePerGas: tip }),
    to: creates ? null : address(random),
    value: random.bigint(90),
    data: to0x(random.bytes(creates ? 1 + random.int(200) : random.int(2) * random.int(200))),
    ...(numbers[type] === 0 ? {} : { accessList: random.list(2, () => accessEntry(random)) }),
  };
}

export function address(random: Random): Hex {
  return to0x(random.bytes(20)) as Hex;
}

function accessEntry(random: Random) {
  return { address: address(random), storageKeys: random.list(2, () => to0x(random.bytes(32))) };
}

/** Signed by the signer itself, or by somebody else. */
export function randomAuthorization(random: Random, signer: LocalSigner): Authorization {
  const by = new Wallet(random.bool() ? to0x(signer.secret) : to0x(Uint8Array.from([1, ...random.bytes(31)])));
  return by.authorizeSync({ address: address(random), nonce: Number(random.bigint(32)), chainId: random.pick([0, sepolia]) });
}

/** Unsigned, by one library or the other. */
export function serialized(random: Random, fields: TransactionLike): string {
  return random.bool() ? Transaction.from(fields).unsignedSerialized : serializeTransaction(forViem(fields));
}

function forViem({ type, chainId, to, gasLimit, authorizationList, ...rest }: TransactionLike): TransactionSerializable {
  const names = ['legacy', 'eip2930', 'eip1559', undefined, 'eip7702'] as const;
  const authorizations = authorizationList?.map(({ address: contractAddress, nonce, chainId: of, signature: { r, s, yParity } }) => {
    return { address: contractAddress, nonce: Number(nonce), chainId: Number(of), r, s, yParity };
  });
  const fields: unknown = {
    ...rest,
    type: names[type ?? 0],
    gas: gasLimit,
    ...(chainId ? { chainId: Number(chainId) } : {}),
    ...(to ? { to } : {}),
    ...(authorizations ? { authorizationList: authorizations } : {}),
  };
  return fields as TransactionSerializable; // ethers' fields under viem's names
}

/** Both libraries find the hash; viem the signer. */
export async function verifySigned({ signer, unsigned, signed }: Outcome): Promise<void> {
  const signedData = to0x(signed.signedData ?? new Uint8Array(0)) as Hex;
  const own = await addressOf(signer.key, 'EthereumSepolia');
  const byEthers = Transaction.from(signedData);
  expect(byEthers.hash).toBe(signed.txHash);
  expect(byEthers.unsignedHash).toBe(to0x(unsigned.payloads[0]?.bytes ?? new Uint8Array(0)));
  expect((await recoverTransactionAddress({ serializedTransaction: signedData as `0x02${string}` })).toLowerCase()).toBe(own);
  expect(keccak256(signedData)).toBe(signed.txHash);
}
