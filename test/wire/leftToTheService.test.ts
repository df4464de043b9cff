/** JSON transactions whose nonce, gas and fees are left to the service: it asks a real node, the signers sign, the node mines. */

import { Transaction } from 'ethers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Anvil, startAnvil } from '../support/anvil.ts';
import { type Instance, officialClient, startInstance } from '../support/instance.ts';

const sepolia = 11_155_111;
const to = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';

let anvil: Anvil;
let instance: Instance;
let client: ReturnType<typeof officialClient>;
let walletId: string;
let address: string;

beforeAll(async () => {
  anvil = await startAnvil(sepolia);
  instance = await startInstance({ env: { RPC_URL_ETHEREUMSEPOLIA: `${anvil.url}/?key=a-secret`, LOG_LEVEL: 'debug' } });
  client = officialClient(instance);
  const wallet = await client.wallets.createWallet({ body: { network: 'EthereumSepolia' } });
  walletId = wallet.id;
  address = wallet.address ?? '';
  await anvil.fund(address);
});
afterAll(async () => {
  await instance?.remove();
  await anvil?.stop();
});

const sign = (transaction: object, externalId?: string) =>
  client.wallets.generateSignature({
    walletId,
    body: { kind: 'Transaction', transaction, ...(externalId === undefined ? {} : { externalId }) } as never,
  });

test('what is missing is filled in, told, signed and mined', async () => {
  const before = BigInt(await anvil.call<string>('eth_getBalance', to, 'latest'));
  for (const nonce of [0, 1]) {
    const { signedData, details, status } = await sign({ to, value: '5' });
    expect(status).toBe('Signed');
    const signed = Transaction.from(signedData ?? '');
    expect(details).toEqual({
      nonce: String(nonce),
      gasLimit: String(signed.gasLimit),
      maxFeePerGas: String(signed.maxFeePerGas),
      maxPriorityFeePerGas: String(signed.maxPriorityFeePerGas),
    });
    expect(signed).toMatchObject({ nonce, to: expect.stringMatching(new RegExp(to, 'i')), value: 5n, chainId: BigInt(sepolia) });
    expect(await anvil.mine(signedData ?? '')).toMatchObject({ status: '0x1', from: address });
  }
  expect(BigInt(await anvil.call<string>('eth_getBalance', to, 'latest'))).toBe(before + 10n);
});

test('a legacy transaction and one that creates a contract, too', async () => {
  const legacy = await sign({ type: 0, to, value: '5' });
  expect(Object.keys(legacy.details ?? {})).toEqual(['nonce', 'gasPrice', 'gasLimit']);
  expect(await anvil.mine(legacy.signedData ?? '')).toMatchObject({ status: '0x1' });
  const { signedData } = await sign({ data: '0x60016000f3' });
  const { contractAddress } = await anvil.mine(signedData ?? '');
  expect(await anvil.call('eth_getCode', contractAddress, 'latest')).toBe('0x00');
});

test('a repeat is answered with what was signed, whatever the node says meanwhile', async () => {
  const first = await sign({ to, value: '5' }, 'once');
  await anvil.mine(first.signedData ?? '');
  expect(await sign({ to, value: '5' }, 'once')).toEqual(first);
  await expect(sign({ to, value: '6' }, 'once')).rejects.toMatchObject({ httpStatus: 409 });
});

test('what fails, or has no endpoint, is refused, saying why', async () => {
  await expect(sign({ data: '0xfe' })).rejects.toMatchObject({
    httpStatus: 400,
    message: expect.stringContaining('gasLimit: the transaction would fail'),
  });
  const { id } = await client.wallets.createWallet({ body: { network: 'Polygon' } });
  const elsewhere = client.wallets.generateSignature({
    walletId: id,
    body: { kind: 'Transaction', transaction: { to, gasLimit: 1 } } as never,
  });
  await expect(elsewhere).rejects.toMatchObject({
    httpStatus: 400,
    message: expect.stringContaining(
      'nonce, maxPriorityFeePerGas, maxFeePerGas missing: say them, or have the service ask an RPC endpoint of Polygon',
    ),
  });
});

test('an endpoint that is gone is a 503 with nothing spoilt, and its address is nowhere', async () => {
  const { items } = await client.wallets.listSignatures({ walletId });
  await anvil.stop();
  await expect(sign({ to, value: '5' }, 'later')).rejects.toMatchObject({
    httpStatus: 503,
    message: expect.stringContaining('the RPC endpoint of EthereumSepolia does not answer'),
  });
  expect((await client.wallets.listSignatures({ walletId })).items).toHaveLength(items.length);
  // A repeat asks no node.
  expect(await sign({ to, value: '5' }, 'once')).toMatchObject({ status: 'Signed', externalId: 'once' });
  expect(instance.output()).not.toContain('a-secret');
});
