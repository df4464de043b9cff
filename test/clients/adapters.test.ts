/**
 * Wallets in the libraries that people write with: accounts and signers of viem, ethers and @solana/kit over our own client, and the published
 * viem adapter over the official one. Real transactions, mined by a real node and executed by a real Solana runtime.
 */

import { DfnsWallet } from '@dfns/lib-viem';
import {
  appendTransactionMessageInstruction,
  createSignableMessage,
  createTransactionMessage,
  generateKeyPairSigner,
  lamports,
  pipe,
  setTransactionMessageFeePayerSigner,
  signTransactionMessageWithSigners,
} from '@solana/kit';
import { getTransferSolInstruction } from '@solana-program/system';
import { JsonRpcProvider, parseEther, verifyMessage, verifyTypedData } from 'ethers';
import { FailedTransactionMetadata, LiteSVM } from 'litesvm';
import { createPublicClient, createWalletClient, http, verifyMessage as verifyMessageViem } from 'viem';
import { sepolia } from 'viem/chains';
import { recoverAuthorizationAddress } from 'viem/utils';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Client, createClient } from '../../src/clients/client.ts';
import { EthersSigner } from '../../src/clients/ethers.ts';
import { solanaSigner } from '../../src/clients/solana.ts';
import { type Countersign, countersign } from '../../src/clients/typed.ts';
import { eip712Of } from '../../src/clients/typedData.ts';
import { viemAccount } from '../../src/clients/viem.ts';
import { type Anvil, startAnvil } from '../support/anvil.ts';
import { type Instance, officialClient, startInstance } from '../support/instance.ts';

const to = '0x00000000000000000000000000000000000000AA';
const typedData = {
  domain: { name: 'Shop', version: '1', chainId: sepolia.id, verifyingContract: to },
  types: {
    Person: [{ name: 'wallet', type: 'address' }],
    Order: [
      { name: 'buyer', type: 'Person' },
      { name: 'items', type: 'uint256[]' },
    ],
    // Not a part of what is signed.
    Unrelated: [{ name: 'order', type: 'Order' }],
  },
  primaryType: 'Order',
  message: { buyer: { wallet: to }, items: [1n, 2n ** 200n] },
} as const;

let instance: Instance;
let anvil: Anvil;
let client: Client;
let api: Countersign;
beforeAll(async () => {
  [instance, anvil] = await Promise.all([startInstance(), startAnvil(sepolia.id)]);
  const { DFNS_ORG_ID = '', DFNS_AUTH_TOKEN = '', DFNS_CRED_ID = '', DFNS_PRIVATE_KEY = '' } = instance.admin;
  client = createClient({
    apiUrl: instance.origin,
    organisationId: DFNS_ORG_ID,
    authToken: DFNS_AUTH_TOKEN,
    credId: DFNS_CRED_ID,
    privateKey: DFNS_PRIVATE_KEY,
  });
  api = countersign(client);
});
afterAll(async () => {
  await anvil?.stop();
  await instance?.remove();
});

const newWallet = async (network: 'EthereumSepolia' | 'SolanaDevnet' | 'KeyECDSA') => {
  const wallet = await api.wallets.createWallet({ body: { network } });
  if (network === 'EthereumSepolia') await anvil.fund(wallet.address ?? '');
  return wallet;
};

describe('the typed client', () => {
  test('asks by the contract, with path, query and body, and is answered by it', async () => {
    const { id } = await newWallet('KeyECDSA');
    const signed = await api.wallets.createWalletSignature({ params: { walletId: id }, body: { kind: 'Hash', hash: '11'.repeat(32) } });
    const listed = await api.wallets.listWalletSignatures({ params: { walletId: id }, query: { limit: '1' } });
    expect(listed.items).toEqual([signed]);
    expect((await api.keys.deleteKey({ params: { keyId: signed.keyId } })).status).toBe('Archived');
  });
});

describe('viem', () => {
  test('signs and sends a transaction that is mined', async () => {
    const account = await viemAccount(api, (await newWallet('EthereumSepolia')).id);
    const transport = http(anvil.url);
    const wallet = createWalletClient({ account, chain: sepolia, transport });
    const hash = await wallet.sendTransaction({ to, value: 5n });
    const receipt = await createPublicClient({ chain: sepolia, transport }).waitForTransactionReceipt({ hash, pollingInterval: 20 });
    expect(receipt).toMatchObject({ status: 'success', from: account.address.toLowerCase() });
  });

  test('signs messages, typed data, hashes and authorizations', async () => {
    const account = await viemAccount(api, (await newWallet('EthereumSepolia')).id);
    const { address } = account;
    for (const message of ['hello', { raw: '0x00ff' }] as const) {
      expect(await verifyMessageViem({ address, message, signature: await account.signMessage({ message }) })).toBe(true);
    }
    expect(await account.signTypedData(typedData)).toMatch(/^0x[0-9a-f]{130}$/);
    expect(await account.sign?.({ hash: `0x${'11'.repeat(32)}` })).toMatch(/^0x[0-9a-f]{130}$/);
    const authorization = await account.signAuthorization?.({ contractAddress: to, chainId: sepolia.id, nonce: 3 });
    expect(authorization && (await recoverAuthorizationAddress({ authorization }))).toBe(address);
  });

  test('takes no wallet that is not of an EVM network, or archived', async () => {
    const wallet = await newWallet('EthereumSepolia');
    await expect(viemAccount(api, (await newWallet('SolanaDevnet')).id)).rejects.toThrow('an active one of an EVM network');
    await api.keys.deleteKey({ params: { keyId: wallet.signingKey.id } });
    await expect(viemAccount(api, wallet.id)).rejects.toThrow('is Archived');
  });

  test('passes on no signature of another account', async () => {
    const [mine, other] = [await newWallet('EthereumSepolia'), await newWallet('EthereumSepolia')];
    const lying: Pick<Countersign, 'wallets'> = {
      wallets: {
        ...api.wallets,
        createWalletSignature: ({ body }) => api.wallets.createWalletSignature({ params: { walletId: other.id }, body }),
      },
    };
    const account = await viemAccount(lying, mine.id);
    await expect(account.signMessage({ message: 'x' })).rejects.toThrow('the service answered a signature by');
    await expect(account.signTransaction({ chainId: sepolia.id, type: 'eip1559', to })).rejects.toThrow(
      'the service answered a signature by',
    );
  });

  test('signs through the published adapter and the official client', async () => {
    const wallet = await newWallet('EthereumSepolia');
    // The adapter was made for an older client, whose types it names; it is called as it is.
    const dfnsClient = officialClient(instance) as unknown as Parameters<typeof DfnsWallet.init>[0]['dfnsClient'];
    const adapter = await DfnsWallet.init({ walletId: wallet.id, dfnsClient });
    expect(adapter.address.toLowerCase()).toBe(wallet.address);
    const address = adapter.address as `0x${string}`;
    const signature = (await adapter.signMessage({ message: 'hello' })) as `0x${string}`;
    expect(await verifyMessageViem({ address, message: 'hello', signature })).toBe(true);
    const transaction = {
      chainId: sepolia.id,
      type: 'eip1559',
      to,
      value: 7n,
      gas: 21_000n,
      nonce: 0,
      maxFeePerGas: 10n ** 10n,
      maxPriorityFeePerGas: 1n,
    } as const;
    expect(await anvil.mine(await adapter.signTransaction(transaction))).toMatchObject({ status: '0x1', from: wallet.address });
  });
});

describe('ethers', () => {
  test('signs and sends a transaction that is mined', async () => {
    const provider = new JsonRpcProvider(anvil.url, undefined, { cacheTimeout: -1 });
    try {
      const signer = await EthersSigner.of(api, (await newWallet('EthereumSepolia')).id, provider);
      const sent = await signer.sendTransaction({ to, value: parseEther('0.1') });
      expect(await sent.wait()).toMatchObject({ status: 1, from: signer.address });
      await expect(signer.signTransaction({ from: to, to })).rejects.toThrow('this signer is');
    } finally {
      provider.destroy();
    }
  });

  test('signs messages, typed data and authorizations', async () => {
    const signer = await EthersSigner.of(api, (await newWallet('EthereumSepolia')).id);
    expect(verifyMessage('hello', await signer.signMessage('hello'))).toBe(signer.address);
    const { domain, message } = typedData;
    const types = { Person: [...typedData.types.Person], Order: [...typedData.types.Order] };
    expect(verifyTypedData(domain, types, message, await signer.signTypedData(domain, types, message))).toBe(signer.address);
    const authorization = await signer.authorize({ address: to, nonce: 1, chainId: sepolia.id });
    expect(authorization).toMatchObject({ address: to, nonce: 1n, chainId: BigInt(sepolia.id) });
  });
});

describe('@solana/kit', () => {
  test('signs a transfer, beside another signer who pays for it, that a runtime executes', async () => {
    const signer = await solanaSigner(api, (await newWallet('SolanaDevnet')).id);
    const payer = await generateKeyPairSigner();
    const receiver = await generateKeyPairSigner();
    const svm = new LiteSVM();
    svm.airdrop(signer.address, lamports(1_000_000_000n));
    svm.airdrop(payer.address, lamports(1_000_000_000n));
    const transfer = getTransferSolInstruction({ source: signer, destination: receiver.address, amount: 5_000_000n });
    const message = pipe(
      createTransactionMessage({ version: 0 }),
      (one) => setTransactionMessageFeePayerSigner(payer, one),
      (one) => svm.setTransactionMessageLifetimeUsingLatestBlockhash(one),
      (one) => appendTransactionMessageInstruction(transfer, one),
    );
    const result = svm.sendTransaction(await signTransactionMessageWithSigners(message));
    expect(result).not.toBeInstanceOf(FailedTransactionMetadata);
    expect(svm.getBalance(receiver.address)).toBe(5_000_000n);
  });

  test('signs messages', async () => {
    const signer = await solanaSigner(api, (await newWallet('SolanaDevnet')).id);
    const [signatures] = await signer.signMessages([createSignableMessage('hello')]);
    expect(signatures?.[signer.address]).toHaveLength(64);
  });
});

describe('typed data for the API', () => {
  test('holds what the primary type needs and nothing else, numbers as decimal texts', () => {
    const body = eip712Of(typedData);
    expect(Object.keys(body.types)).toEqual(['Order', 'Person']);
    expect(body.message).toEqual({ buyer: { wallet: to }, items: ['1', (2n ** 200n).toString()] });
  });

  test('cannot have a primary type that others refer to', () => {
    const types = { Node: [{ name: 'next', type: 'Node[]' }] };
    expect(() => eip712Of({ domain: {}, types, primaryType: 'Node', message: { next: [] } })).toThrow('refers to itself');
  });
});
