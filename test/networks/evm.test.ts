/** What an RPC endpoint says of a transaction, and what becomes of endpoints that say something else. A real node's answers are in test/wire. */

import { afterEach, describe, expect, test } from 'vitest';
import { Refusal } from '../../src/base/errors.ts';
import { signatureRequestBody } from '../../src/chains/requests.ts';
import { createNetworks } from '../../src/networks/index.ts';
import { localSigner } from '../support/wholeKey.ts';
import { type Answers, type Endpoint, startEndpoint } from './endpoint.ts';

const { key } = localSigner('ECDSA/secp256k1', new Uint8Array(32).fill(1));
const to = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';
const honest: Answers = {
  eth_chainId: '0xaa36a7',
  eth_getTransactionCount: '0x7',
  eth_estimateGas: '0x5208',
  eth_gasPrice: '0x64',
  eth_maxPriorityFeePerGas: '0x3',
  eth_getBlockByNumber: { number: '0x1', baseFeePerGas: '0xa' },
};

let endpoint: Endpoint | undefined;
afterEach(() => endpoint?.close());

async function filled(transaction: object, answers: Answers = {}, network = 'EthereumSepolia') {
  endpoint = await startEndpoint({ ...honest, ...answers });
  const body = signatureRequestBody.parse({ kind: 'Transaction', network, transaction });
  return createNetworks({ EthereumSepolia: endpoint.url }).fill(body, key, {});
}

describe('is asked for', () => {
  test('all that is missing', async () => {
    expect(await filled({ to })).toEqual({ nonce: '7', gasLimit: '21000', maxFeePerGas: '23', maxPriorityFeePerGas: '3' });
  });

  test('what a legacy transaction has', async () => {
    expect(await filled({ to, type: 0 })).toEqual({ nonce: '7', gasLimit: '21000', gasPrice: '100' });
  });

  test('nothing else', async () => {
    expect(await filled({ to, gasLimit: 1, maxFeePerGas: 9, maxPriorityFeePerGas: 1 })).toEqual({ nonce: '7' });
    expect(endpoint?.asked.sort()).toEqual(['eth_chainId', 'eth_getTransactionCount']);
  });

  test('a tip that the caller’s fee allows', async () => {
    expect(await filled({ to, nonce: 0, gasLimit: 1, maxFeePerGas: 2 })).toEqual({ maxPriorityFeePerGas: '2' });
  });

  test('a fee above the caller’s tip', async () => {
    expect(await filled({ to, nonce: 0, gasLimit: 1, maxPriorityFeePerGas: 50 })).toEqual({ maxFeePerGas: '70' });
  });

  test('nothing, where a network has none', async () => {
    expect(await filled({ to }, {}, 'Ethereum')).toBeUndefined();
    expect(endpoint?.asked).toEqual([]);
  });
});

describe('is not believed', () => {
  const what = 'the RPC endpoint of EthereumSepolia';

  test.each<[string, Answers, string, string]>([
    ['for another chain', { eth_chainId: '0x1' }, 'Unavailable', `${what} is of chain id 1, not 11155111`],
    ['with a number that is none', { eth_getTransactionCount: '7' }, 'Unavailable', `${what} answers no number to eth_getTransactionCount`],
    ['with nothing', { eth_getTransactionCount: null }, 'Unavailable', `${what} answers no number to eth_getTransactionCount`],
    [
      'with a number without end',
      { eth_estimateGas: `0x${'f'.repeat(65)}` },
      'Unavailable',
      `${what} answers no number to eth_estimateGas`,
    ],
    ['with an error', { eth_getTransactionCount: new Error('rate limit\u0000') }, 'Unavailable', `${what} answers: rate limit?`],
    [
      'when the transaction fails',
      { eth_estimateGas: new Error('execution reverted: no') },
      'BadRequest',
      'gasLimit: the transaction would fail, says the network: execution reverted: no',
    ],
    ['without a base fee', { eth_getBlockByNumber: {} }, 'BadRequest', 'the network has no base fee'],
    ['without a block', { eth_getBlockByNumber: null }, 'BadRequest', 'the network has no base fee'],
    [
      'with no JSON',
      { eth_chainId: (response: { end(text: string): void }) => response.end('<html>') },
      'Unavailable',
      `${what} does not answer eth_chainId as it should (no JSON)`,
    ],
    [
      'with a list',
      { eth_chainId: (response: { end(text: string): void }) => response.end('[]') },
      'Unavailable',
      '(it is no answer of JSON-RPC)',
    ],
    [
      'with too much',
      { eth_chainId: (response: { end(text: string): void }) => response.end(`"${'x'.repeat(2 ** 21)}"`) },
      'Unavailable',
      '(too long)',
    ],
    [
      'from elsewhere',
      {
        eth_chainId: (response: { writeHead(status: number, headers: object): { end(): void } }) =>
          response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
      },
      'Unavailable',
      `${what} does not answer eth_chainId as it should`,
    ],
    [
      'when it hangs up',
      { eth_chainId: (response: { destroy(): void }) => response.destroy() },
      'Unavailable',
      `${what} does not answer eth_chainId as it should`,
    ],
  ])('%s', async (_, answers, code, message) => {
    const refusal: unknown = await filled({ to }, answers).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Refusal);
    expect(refusal).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(JSON.stringify([String(refusal), (refusal as Refusal).cause ?? ''])).not.toContain('secret');
  });

  test('when more wait for it than may', async () => {
    const silent = await startEndpoint({ ...honest, eth_chainId: () => undefined, eth_getTransactionCount: () => undefined });
    const networks = createNetworks({ EthereumSepolia: silent.url });
    const transaction = { to, gasLimit: 1, maxFeePerGas: 1, maxPriorityFeePerGas: 1 };
    const body = signatureRequestBody.parse({ kind: 'Transaction', network: 'EthereumSepolia', transaction });
    const waiting = Array.from({ length: 100 }, () => networks.fill(body, key, {}).catch((error: unknown) => error));
    await expect(networks.fill(body, key, {})).rejects.toMatchObject({
      code: 'Unavailable',
      message: 'the RPC endpoint of EthereumSepolia is asked too much at once',
    });
    await silent.close();
    for (const outcome of await Promise.all(waiting)) expect(outcome).toMatchObject({ code: 'Unavailable' });
  });

  test('when nobody is there', async () => {
    const networks = createNetworks({ EthereumSepolia: new URL('http://127.0.0.1:1/v2/this-is-a-secret') });
    const body = signatureRequestBody.parse({ kind: 'Transaction', network: 'EthereumSepolia', transaction: { to } });
    await expect(networks.fill(body, key, {})).rejects.toMatchObject({
      code: 'Unavailable',
      message: expect.not.stringContaining('secret'),
    });
  });
});
