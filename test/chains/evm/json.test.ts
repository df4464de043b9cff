/** Transactions as JSON: what is accepted, what is left out, and how much of it a service may choose. */

import { Transaction } from 'ethers';
import { describe, expect, test } from 'vitest';
import { to0x } from '../../../src/base/bytes.ts';
import { missingFields, parseRequest } from '../../../src/chains/index.ts';
import { signatureRequestBody } from '../../../src/chains/requests.ts';
import { type ChainCase, chainConforms, refusalOf, signed } from '../../conformance/chain.ts';
import type { Random } from '../../support/random.ts';
import { localSigner } from '../../support/wholeKey.ts';
import { randomAuthorization, randomFields, type Type, verifySigned } from './transactions.ts';

const network = 'EthereumSepolia';
const alice = localSigner('ECDSA/secp256k1', new Uint8Array(32).fill(1));
const bob = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';

/** As callers write numbers: decimal or hexadecimal text, or a number where it is exact. */
function written(random: Random, value: unknown): unknown {
  const number = BigInt(String(value));
  return random.pick([
    String(number),
    `0x${number.toString(16)}`,
    number <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(number) : String(number),
  ]);
}

const numbers = ['nonce', 'gasLimit', 'gasPrice', 'maxFeePerGas', 'maxPriorityFeePerGas', 'value'] as const;

const asJson = (type: Type): ChainCase => ({
  name: `Transaction as JSON, ${type}`,
  keyType: 'ECDSA/secp256k1',
  request(random, signer) {
    const { chainId, to, ...fields } = randomFields(random, type);
    const authorization = randomAuthorization(random, signer);
    const given = {
      address: authorization.address,
      nonce: String(authorization.nonce),
      chainId: String(authorization.chainId),
      signature: authorization.signature.serialized,
    };
    const transaction = {
      ...fields,
      ...Object.fromEntries(numbers.flatMap((name) => (fields[name] === undefined ? [] : [[name, written(random, fields[name])]]))),
      ...(to || random.bool() ? { to: to ?? null } : {}),
      ...(random.bool() ? { chainId } : {}),
      ...(type === 'EIP-7702' ? { authorizationList: [given] } : {}),
    };
    return { kind: 'Transaction', network, transaction };
  },
  async verify(outcome) {
    await verifySigned(outcome);
    expect(outcome.unsigned.details).toBeUndefined();
    const { body } = outcome;
    if (body.kind !== 'Transaction' || typeof body.transaction === 'string') throw new Error('of another kind');
    const back = Transaction.from(to0x(outcome.signed.signedData ?? new Uint8Array(0)));
    for (const name of numbers) {
      if (body.transaction[name] !== undefined) expect(BigInt(back[name] ?? -1)).toBe(BigInt(String(body.transaction[name])));
    }
    expect(back.to?.toLowerCase() ?? null).toBe(body.transaction.to ?? null);
    expect(back.data).toBe(body.transaction.data);
  },
});

chainConforms('Evm', [asJson('legacy'), asJson('EIP-2930'), asJson('EIP-1559'), asJson('EIP-7702')]);

const whole = { to: bob, value: '1', nonce: 0, gasLimit: 21_000, maxFeePerGas: '2', maxPriorityFeePerGas: '1' };
const request = (transaction: object, where: object = { network }) => ({ kind: 'Transaction', transaction, ...where });
const without = (...names: string[]) => Object.fromEntries(Object.entries(whole).filter(([name]) => !names.includes(name)));

async function parsed(transaction: object, filled: Record<string, string>, where: object = { network }) {
  return parseRequest(signatureRequestBody.parse(request(transaction, where)), alice.key, { filled });
}

describe('a JSON transaction is refused', () => {
  test.each<[string, object, string]>([
    ['without a network', request(whole, { blockchainKind: 'Evm' }), 'network is required here, blockchainKind alone does not do'],
    ['for a network without a known chain id', request(whole, { network: 'Tsc' }), 'the chain id of Tsc is not known here'],
    ['of type 3', request({ ...whole, type: 3 }), 'type: 0, 1, 2 and 4 are signed'],
    ['of a type that is no number', request({ ...whole, type: 'legacy' }), 'type: 0, 1, 2 and 4 are signed'],
    ['with a field that nobody knows', request({ ...whole, gas: 1 }), 'gas: a transaction of type 2 has chainId, nonce'],
    ['with a field of another type', request({ ...whole, gasPrice: 1 }), 'gasPrice: a transaction of type 2 has'],
    ['for another chain id', request({ ...whole, chainId: 1 }), "chainId: the network's is 11155111"],
    ['of another sender', request({ ...whole, from: bob }), `from: the sender is ${bob}, the key's address is 0x`],
    [
      'to an address with a wrong checksum',
      request({ ...whole, to: `0x70997970C${bob.slice(11)}` }),
      'to: 0x70997970C51812dc3a010c7d01b50e0d17dc79c8 is no address',
    ],
    ['to a name', request({ ...whole, to: 'vitalik.eth' }), 'to: expected an address'],
    ['with a fraction of wei', request({ ...whole, value: '1.5' }), 'value: expected a decimal or 0x number'],
    [
      'with a value that JSON rounds',
      request({ ...whole, value: 1e18 }),
      'value: expected a decimal or 0x number of at most 256 bits, above 2^53 as a text',
    ],
    ['with a negative value', request({ ...whole, value: '-1' }), 'value: expected a decimal or 0x number'],
    [
      'with a value of 257 bits',
      request({ ...whole, value: String(2n ** 256n) }),
      'value: expected a decimal or 0x number of at most 256 bits',
    ],
    [
      'with a gas limit of 65 bits',
      request({ ...whole, gasLimit: String(2n ** 64n) }),
      'gasLimit: expected a decimal or 0x number of at most 64 bits',
    ],
    ['with an empty number', request({ ...whole, nonce: '' }), 'nonce: expected a decimal or 0x number'],
    ['with data that is no hex', request({ ...whole, data: '0x0' }), 'data: expected 0x and hex'],
    ['with data without 0x', request({ ...whole, data: '00' }), 'data: expected 0x and hex'],
    ['without recipient and without code', request(without('to')), 'neither a recipient nor the code of a contract to create'],
    ['with a tip above the fee', request({ ...whole, maxPriorityFeePerGas: 3 }), 'maxPriorityFeePerGas is above maxFeePerGas'],
    ['with an access list that is none', request({ ...whole, accessList: {} }), 'accessList: expected a list'],
    [
      'with an access list of other things',
      request({ ...whole, accessList: [{ address: bob }] }),
      'accessList: expected {address, storageKeys} in each',
    ],
    [
      'with a short storage key',
      request({ ...whole, accessList: [{ address: bob, storageKeys: ['0x00'] }] }),
      'accessList: expected 0x and hex of 32 bytes',
    ],
    ['of type 4 without authorizations', request({ ...whole, type: 4 }), 'at least one authorization'],
    [
      'with an authorization that is not signed',
      request({ ...whole, type: 4, authorizationList: [{ chainId: 1, address: bob, nonce: 0 }] }),
      'expected {chainId, address, nonce, signature} in each',
    ],
    [
      'with an authorization whose signature says neither',
      request({ ...whole, type: 4, authorizationList: [{ chainId: 1, address: bob, nonce: 0, signature: `0x${'01'.repeat(64)}1d` }] }),
      'whose last byte is 27 or 28, found 29',
    ],
  ])('%s', async (_, body, message) => {
    expect((await refusalOf(alice, body))?.message).toContain(message);
  });
});

describe('what a JSON transaction leaves out', () => {
  test('is named', async () => {
    const missing = (transaction: object) => missingFields(signatureRequestBody.parse(request(transaction)), alice.key);
    expect(await missing({ to: bob })).toEqual(['nonce', 'maxPriorityFeePerGas', 'maxFeePerGas', 'gasLimit']);
    expect(await missing({ to: bob, type: 0, nonce: null })).toEqual(['nonce', 'gasPrice', 'gasLimit']);
    expect(await missing(whole)).toEqual([]);
    expect((await refusalOf(alice, request({ to: bob, nonce: 1 })))?.message).toBe(
      'expected a transaction: maxPriorityFeePerGas, maxFeePerGas, gasLimit missing: say them, or have the service ask an RPC endpoint of ' +
        'EthereumSepolia (RPC_URL_ETHEREUMSEPOLIA)',
    );
  });

  test('is what the service fills in, and told', async () => {
    const filled = { nonce: '0', gasLimit: '21000', maxFeePerGas: '2', maxPriorityFeePerGas: '1' };
    const { payloads, details } = await parsed({ to: bob, value: 1 }, filled);
    expect(details).toEqual(filled);
    expect(payloads).toEqual((await signed(alice, request(whole))).unsigned.payloads);
  });

  test('is nothing that the caller said', async () => {
    const { payloads, details } = await parsed(whole, { nonce: '9', gasLimit: '9', maxFeePerGas: '9', to: '9', value: '9' });
    expect(details).toBeUndefined();
    expect(payloads).toEqual((await signed(alice, request(whole))).unsigned.payloads);
  });

  const ether = 10n ** 18n;

  test.each<[string, object, Record<string, string>, string]>([
    [
      'a fee beyond a tenth of the coin',
      without('maxFeePerGas'),
      { maxFeePerGas: String(ether / 10n / 21_000n + 1n) },
      'the service may fill in no more than 100000000000000000',
    ],
    [
      'a gas limit that makes it so',
      { ...without('gasLimit'), maxFeePerGas: String(ether / 10n ** 6n) },
      { gasLimit: '100001' },
      'the fee may come to',
    ],
    ['a gas price that makes it so', { type: 0, to: bob, nonce: 0, gasLimit: 21_000 }, { gasPrice: String(ether) }, 'the fee may come to'],
    [
      'more gas than a transaction may use',
      without('gasLimit'),
      { gasLimit: String(2n ** 24n + 1n) },
      'gasLimit: 16777217 is more than the service may fill in',
    ],
    [
      'a tip above the caller’s fee',
      without('maxPriorityFeePerGas'),
      { maxPriorityFeePerGas: '3' },
      'maxPriorityFeePerGas is above maxFeePerGas',
    ],
    ['a nonce that is no number', without('nonce'), { nonce: '-1' }, 'nonce: it is missing'],
    ['a nonce in hexadecimal', without('nonce'), { nonce: '0x1' }, 'nonce: it is missing'],
    ['nothing', without('nonce'), { nonce: '' }, 'nonce: it is missing'],
    ['a nonce that is too high', without('nonce'), { nonce: String(2n ** 64n) }, 'is too high (EIP-2681)'],
  ])('is not %s', async (_, transaction, filled, message) => {
    await expect(parsed(transaction, filled)).rejects.toMatchObject({ status: 400, message: expect.stringContaining(message) });
  });

  test('may be a fee of ten coins where they are worth little', async () => {
    const filled = { maxFeePerGas: String((10n * ether) / 21_000n) };
    await expect(parsed(without('maxFeePerGas'), filled)).rejects.toThrow('the fee may come to');
    await expect(parsed(without('maxFeePerGas'), filled, { network: 'Polygon' })).resolves.toBeDefined();
    await expect(parsed(without('maxFeePerGas'), { maxFeePerGas: String(ether) }, { network: 'Polygon' })).rejects.toThrow(
      'the fee may come to',
    );
  });

  test('bounds nothing that the caller said', async () => {
    await expect(parsed({ ...without('nonce'), maxFeePerGas: String(ether) }, { nonce: '1' })).resolves.toBeDefined();
  });
});
