/** What is signed is what a node of Ethereum mines. */

import { Transaction, Wallet } from 'ethers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { to0x } from '../../../src/base/bytes.ts';
import { addressOf } from '../../../src/chains/index.ts';
import { signed } from '../../conformance/chain.ts';
import { type Anvil, startAnvil } from '../../support/anvil.ts';
import { randomOf, runSeed } from '../../support/random.ts';
import { localSigner } from '../../support/wholeKey.ts';
import { sepolia } from './transactions.ts';

const network = 'EthereumSepolia';
const bob = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';
const random = randomOf(runSeed());

let anvil: Anvil;
beforeAll(async () => {
  anvil = await startAnvil(sepolia);
});
afterAll(() => anvil?.stop());

/** A new account with money, whose first transaction is signed and mined. */
async function mined(transactionOf: (sender: { address: string; secret: string }) => object | Promise<object>) {
  const signer = localSigner('ECDSA/secp256k1', Uint8Array.from([1, ...random.bytes(31)]));
  const address = (await addressOf(signer.key, network)) ?? '';
  await anvil.fund(address);
  const fields = await transactionOf({ address, secret: to0x(signer.secret) });
  const transaction = 'json' in fields ? fields.json : Transaction.from(fields).unsignedSerialized;
  const outcome = await signed(signer, { kind: 'Transaction', network, transaction });
  const receipt = await anvil.mine(to0x(outcome.signed.signedData ?? new Uint8Array(0)));
  expect(receipt).toMatchObject({ status: '0x1', from: address, transactionHash: outcome.signed.txHash });
  return { address, receipt };
}

const legacy = { type: 0, nonce: 0, gasLimit: 100_000, gasPrice: 2_000_000_000n, to: bob, value: 1n };
const dynamic = {
  type: 2,
  chainId: sepolia,
  nonce: 0,
  gasLimit: 100_000,
  maxFeePerGas: 4_000_000_000n,
  maxPriorityFeePerGas: 1n,
  to: bob,
  value: 1n,
};
// Returns one byte of code, STOP: PUSH1 1, PUSH1 0, RETURN.
const code = '0x60016000f3';

test.each<[string, object]>([
  ['legacy', { ...legacy, chainId: sepolia }],
  ['before EIP-155', { ...legacy, chainId: 0 }],
  ['EIP-2930', { ...legacy, type: 1, chainId: sepolia, accessList: [{ address: bob, storageKeys: [`0x${'01'.repeat(32)}`] }] }],
  ['EIP-1559', dynamic],
  ['JSON', { json: { to: bob, value: '1', nonce: 0, gasLimit: '0x186a0', maxFeePerGas: '4000000000', maxPriorityFeePerGas: '1' } }],
  ['JSON, legacy', { json: { type: 0, to: bob, value: '0x1', nonce: '0', gasLimit: 100_000, gasPrice: '4000000000' } }],
  [
    'JSON, EIP-2930',
    { json: { type: 1, to: bob, nonce: '0', gasLimit: 100_000, gasPrice: '4000000000', accessList: [{ address: bob, storageKeys: [] }] } },
  ],
])('%s', async (_, fields) => {
  await mined(() => fields);
});

test('a contract that is created', async () => {
  const { receipt } = await mined(() => ({ ...dynamic, to: null, value: 0n, data: code }));
  expect(await anvil.call('eth_getCode', receipt.contractAddress, 'latest')).toBe('0x00');
});

test.each(['bytes', 'JSON'])('an account that is given code, by its own EIP-7702 transaction as %s', async (form) => {
  const { address } = await mined(async ({ address: self, secret }) => {
    const authorization = new Wallet(secret).authorizeSync({ address: bob, nonce: 1, chainId: sepolia });
    if (form === 'bytes') return { ...dynamic, type: 4, to: self, authorizationList: [authorization] };
    const { signature, ...rest } = authorization;
    const given = { ...rest, nonce: String(rest.nonce), chainId: String(rest.chainId), signature: signature.serialized };
    return {
      json: {
        type: 4,
        to: self,
        nonce: 0,
        gasLimit: 100_000,
        maxFeePerGas: '4000000000',
        maxPriorityFeePerGas: '1',
        authorizationList: [given],
      },
    };
  });
  expect(await anvil.call('eth_getCode', address, 'latest')).toBe(`0xef0100${bob.slice(2)}`);
});

test('an account that is given code by an authorization of kind Eip7702, which another account carries', async () => {
  const giver = localSigner('ECDSA/secp256k1', Uint8Array.from([1, ...random.bytes(31)]));
  const { signatures } = await signed(giver, { kind: 'Eip7702', network, address: bob, nonce: 0, chainId: sepolia });
  const [signature] = signatures;
  const authorization = {
    address: bob,
    nonce: 0n,
    chainId: BigInt(sepolia),
    signature: {
      r: to0x(signature?.r ?? new Uint8Array(0)),
      s: to0x(signature?.s ?? new Uint8Array(0)),
      yParity: signature?.recid === 1 ? 1 : 0,
    },
  };
  await mined(() => ({ ...dynamic, type: 4, authorizationList: [authorization] }));
  expect(await anvil.call('eth_getCode', await addressOf(giver.key, network), 'latest')).toBe(`0xef0100${bob.slice(2)}`);
});
