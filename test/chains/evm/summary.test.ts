/** What policies will see of Ethereum's requests: calls and permits as other libraries encode them, and others in their clothes. */

import { getCreateAddress, Interface, Transaction, Wallet } from 'ethers';
import { describe, expect, test } from 'vitest';
import { fromHex, to0x } from '../../../src/base/bytes.ts';
import { signed } from '../../conformance/chain.ts';
import { randomOf, runSeed } from '../../support/random.ts';
import { localSigner } from '../../support/wholeKey.ts';
import { sepolia } from './transactions.ts';

const alice = localSigner(
  'ECDSA/secp256k1',
  fromHex('ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80') ?? new Uint8Array(0),
);
const self = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const token = '0x5fbdb2315678afecb367f032d93f642f64180aa3';
const bob = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';
const permit2 = '0x000000000022d473030f116ddee9f6b43ac78ba3';
const everything = 2n ** 256n - 1n;

const abi = new Interface([
  'function transfer(address to, uint256 amount)',
  'function transferFrom(address from, address to, uint256 amount)',
  'function approve(address spender, uint256 amount)',
  'function increaseAllowance(address spender, uint256 amount)',
  'function decreaseAllowance(address spender, uint256 amount)',
  'function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)',
  'function setApprovalForAll(address operator, bool approved)',
  'function safeTransferFrom(address from, address to, uint256 id)',
  'function safeTransferFrom(address from, address to, uint256 id, bytes data)',
  'function safeTransferFrom(address from, address to, uint256 id, uint256 amount, bytes data)',
  'function safeBatchTransferFrom(address from, address to, uint256[] ids, uint256[] amounts, bytes data)',
  'function multicall(bytes[] calls)',
  'function execute(address to, uint256 value, bytes data)',
]);

const base = { type: 2, chainId: sepolia, nonce: 7, gasLimit: 100n, maxFeePerGas: 3n, maxPriorityFeePerGas: 1n, to: token, value: 0n };

async function summaryOf(fields: object, where: object = { network: 'EthereumSepolia' }) {
  const transaction = Transaction.from({ ...base, ...fields } as typeof base).unsignedSerialized;
  const { unsigned } = await signed(alice, { kind: 'Transaction', transaction, ...where });
  return unsigned.summary;
}

const call = (method: string, contract = token) => ({ kind: 'call', contract, method });
const transfer = (to: string, amount: bigint, asset: string) => ({ kind: 'transfer', to, amount, asset });
const allowance = (spender: string, amount: bigint, asset: string) => ({ kind: 'allowance', spender, amount, asset });
const word = '00'.repeat(32);

const understood: [method: string, given: readonly unknown[], effects: readonly object[]][] = [
  ['transfer(address,uint256)', [bob, 9n], [transfer(bob, 9n, token)]],
  ['transferFrom(address,address,uint256)', [self, bob, 9n], [transfer(bob, 9n, token), transfer(bob, 1n, `${token}/9`)]],
  ['transferFrom(address,address,uint256)', [token, bob, 9n], [transfer(bob, 9n, token), transfer(bob, 1n, `${token}/9`)]],
  ['approve(address,uint256)', [bob, everything], [allowance(bob, everything, token), allowance(bob, 1n, `${token}/${everything}`)]],
  ['increaseAllowance(address,uint256)', [bob, 9n], [allowance(bob, 9n, token)]],
  ['decreaseAllowance(address,uint256)', [bob, 9n], []],
  [
    'permit(address,address,uint256,uint256,uint8,bytes32,bytes32)',
    [self, bob, 9n, 1n, 27, `0x${word}`, `0x${word}`],
    [allowance(bob, 9n, token)],
  ],
  ['permit(address,address,uint256,uint256,uint8,bytes32,bytes32)', [bob, self, 9n, 1n, 27, `0x${word}`, `0x${word}`], []],
  ['setApprovalForAll(address,bool)', [bob, true], [allowance(bob, everything, token)]],
  ['setApprovalForAll(address,bool)', [bob, false], []],
  ['safeTransferFrom(address,address,uint256)', [self, bob, 9n], [transfer(bob, 1n, `${token}/9`)]],
  ['safeTransferFrom(address,address,uint256,bytes)', [self, bob, 9n, '0x0102'], [transfer(bob, 1n, `${token}/9`)]],
  ['safeTransferFrom(address,address,uint256,uint256,bytes)', [self, bob, 9n, 4n, '0x'], [transfer(bob, 4n, `${token}/9`)]],
  [
    'safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)',
    [self, bob, [1n, 2n], [3n, 4n], '0x01'],
    [transfer(bob, 3n, `${token}/1`), transfer(bob, 4n, `${token}/2`)],
  ],
];

describe('a transaction is understood', () => {
  test('that sends native money, and what it may cost', async () => {
    expect(await summaryOf({ to: bob, value: 5n })).toEqual({ complete: true, effects: [transfer(bob, 5n, 'native')], fee: 300n });
  });

  test.each(understood)('that calls %s (%#)', async (method, given, effects) => {
    const data = abi.encodeFunctionData(method, given);
    expect(await summaryOf({ data })).toEqual({ complete: true, effects: [call(method), ...effects], fee: 300n });
  });

  test('that pays the contract it calls', async () => {
    const data = abi.encodeFunctionData('transfer', [bob, 9n]);
    const effects = [transfer(token, 5n, 'native'), call('transfer(address,uint256)'), transfer(bob, 9n, token)];
    expect(await summaryOf({ data, value: 5n })).toEqual({ complete: true, effects, fee: 300n });
  });
});

describe('a transaction is not understood, and what is seen of it is told', () => {
  const transferData = abi.encodeFunctionData('transfer', [bob, 9n]);

  test.each<[string, object, readonly object[]]>([
    ['a batch of calls', { data: abi.encodeFunctionData('multicall', [[transferData]]) }, [call('0xac9650d8')]],
    ['a call through a wallet contract', { data: abi.encodeFunctionData('execute', [token, 0n, transferData]) }, [call('0xb61d27f6')]],
    ['a selector that is cut off', { data: '0xa9059c' }, [{ kind: 'call', contract: token }]],
    ['arguments that are cut off', { data: transferData.slice(0, -2) }, [call('transfer(address,uint256)')]],
    ['bytes after the arguments', { data: `${transferData}00` }, [call('transfer(address,uint256)')]],
    ['an address with something before it', { data: `0xa9059cbb01${transferData.slice(12)}` }, [call('transfer(address,uint256)')]],
    [
      'a flag that is neither',
      { data: `${abi.encodeFunctionData('setApprovalForAll', [bob, true]).slice(0, -1)}2` },
      [call('setApprovalForAll(address,bool)')],
    ],
    [
      'amounts and tokens that do not match',
      { data: abi.encodeFunctionData('safeBatchTransferFrom', [self, bob, [1n], [3n, 4n], '0x']) },
      [call('safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)')],
    ],
    ['a call of the account itself', { to: self, data: transferData }, [call('transfer(address,uint256)', self), transfer(bob, 9n, self)]],
  ])('%s', async (_, fields, effects) => {
    expect(await summaryOf(fields)).toEqual({ complete: false, effects, fee: 300n });
  });

  test('calldata that is altered, unless ethers reads and writes it as it stands', async () => {
    const random = randomOf(runSeed());
    for (let run = 0; run < 500; run++) {
      const [method, given] = random.pick(understood);
      const data = fromHex(abi.encodeFunctionData(method, given)) ?? new Uint8Array(0);
      const at = 4 + random.int(data.length - 4);
      data[at] = (data[at] ?? 0) ^ random.pick([1, 0x80, 1 + random.int(255)]);
      const { complete } = await summaryOf({ data: to0x(data) });
      if (!complete) continue;
      expect(abi.encodeFunctionData(method, abi.decodeFunctionData(method, to0x(data))), `SEED=${random.seed}`).toBe(to0x(data));
    }
  });

  test('lists that two arguments share', async () => {
    const data = abi.encodeFunctionData('safeBatchTransferFrom', [self, bob, [1n, 2n], [3n, 4n], '0x']);
    const words = data.slice(10).match(/.{64}/g) ?? [];
    words[3] = words[2] ?? '';
    expect(await summaryOf({ data: `0x2eb2c2d6${words.join('')}` })).toMatchObject({ complete: false });
  });

  test('a contract that is created: where it will stand, and what is sent there', async () => {
    const contract = getCreateAddress({ from: self, nonce: 7 }).toLowerCase();
    const effects = [call('constructor', contract), transfer(contract, 5n, 'native')];
    expect(await summaryOf({ to: null, value: 5n, data: '0x6000' })).toEqual({ complete: false, effects, fee: 300n });
  });

  test('a transaction without chain id, which is good on every chain', async () => {
    const legacy = { type: 0, chainId: 0, gasPrice: 3n, maxFeePerGas: undefined, maxPriorityFeePerGas: undefined, to: bob, value: 5n };
    expect(await summaryOf(legacy)).toEqual({ complete: false, effects: [transfer(bob, 5n, 'native')], fee: 300n });
    expect(await summaryOf({ ...legacy, chainId: sepolia })).toMatchObject({ complete: true });
  });
});

describe('a delegation', () => {
  const delegated = (secret: Uint8Array, address: string, chainId = sepolia) =>
    new Wallet(to0x(secret)).authorizeSync({ address, nonce: 8, chainId });
  const typed = (fields: object) => summaryOf({ type: 4, to: bob, ...fields });

  test('of the account is seen in the transaction that carries it', async () => {
    const effects = [{ kind: 'control', to: token }, transfer(bob, 0n, 'native')];
    expect(await typed({ authorizationList: [delegated(alice.secret, token)] })).toEqual({ complete: true, effects, fee: 300n });
  });

  test('of the account for every chain is incomplete', async () => {
    expect(await typed({ authorizationList: [delegated(alice.secret, token, 0)] })).toMatchObject({ complete: false });
  });

  test('that runs at once is incomplete', async () => {
    expect(await typed({ to: self, authorizationList: [delegated(alice.secret, token)] })).toMatchObject({ complete: false });
  });

  test('of another account is not the signer’s', async () => {
    const other = Uint8Array.from(alice.secret);
    other[31] = 1;
    expect(await typed({ authorizationList: [delegated(other, token)] })).toMatchObject({ effects: [transfer(bob, 0n, 'native')] });
  });

  test.each<[string, object, object]>([
    ['to code is control', { address: token, chainId: sepolia }, { complete: true, effects: [{ kind: 'control', to: token }] }],
    ['to no code gives control back', { address: `0x${'00'.repeat(20)}`, chainId: sepolia }, { complete: true, effects: [] }],
    ['for every chain is incomplete', { address: token, chainId: 0 }, { complete: false, effects: [{ kind: 'control', to: token }] }],
  ])('by itself %s', async (_, fields, summary) => {
    const { unsigned } = await signed(alice, { kind: 'Eip7702', blockchainKind: 'Evm', nonce: 0, ...fields });
    expect(unsigned.summary).toEqual(summary);
  });
});

describe('typed data', () => {
  const members = (text: string) => text.split(',').map((one) => ({ type: one.split(' ')[0] ?? '', name: one.split(' ')[1] ?? '' }));
  const domain = { name: 'Token', chainId: sepolia, verifyingContract: token };
  const permit = members('address owner,address spender,uint256 value,uint256 nonce,uint256 deadline');
  const daiPermit = members('address holder,address spender,uint256 nonce,uint256 expiry,bool allowed');
  const authorization = members('address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce');
  const details = members('address token,uint160 amount,uint48 expiration,uint48 nonce');
  const permissions = members('address token,uint256 amount');
  const one = { token: bob, amount: '9', expiration: 1, nonce: 0 };
  const own = { owner: self, spender: bob, value: 9, nonce: 0, deadline: 1 };
  const authorized = { from: self, to: bob, value: '9', validAfter: 0, validBefore: 1, nonce: `0x${word}` };
  const atPermit2 = { name: 'Permit2', chainId: sepolia, verifyingContract: permit2 };
  const witness = {
    PermitWitnessTransferFrom: members('TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,Order witness'),
    TokenPermissions: permissions,
    Order: members('address recipient'),
  };

  async function summary(types: object, message: object, of: object = domain) {
    const known = Object.fromEntries(Object.entries(types).filter(([, type]) => type !== undefined));
    const { unsigned } = await signed(alice, { kind: 'Eip712', network: 'EthereumSepolia', types: known, message, domain: of });
    return unsigned.summary;
  }

  test.each<[string, object, object, object, readonly object[]]>([
    ['EIP-2612', { Permit: permit }, own, domain, [allowance(bob, 9n, token)]],
    [
      'DAI',
      { Permit: daiPermit },
      { holder: self, spender: bob, nonce: 0, expiry: 0, allowed: true },
      domain,
      [allowance(bob, everything, token)],
    ],
    ['DAI, taken back', { Permit: daiPermit }, { holder: self, spender: bob, nonce: 0, expiry: 0, allowed: false }, domain, []],
    ['EIP-3009', { TransferWithAuthorization: authorization }, authorized, domain, [transfer(bob, 9n, token)]],
    ['EIP-3009, received', { ReceiveWithAuthorization: authorization }, authorized, domain, [transfer(bob, 9n, token)]],
    [
      'EIP-3009, cancelled',
      { CancelAuthorization: members('address authorizer,bytes32 nonce') },
      { authorizer: self, nonce: `0x${word}` },
      domain,
      [],
    ],
    [
      'Permit2, single',
      { PermitSingle: members('PermitDetails details,address spender,uint256 sigDeadline'), PermitDetails: details },
      { details: one, spender: token, sigDeadline: 1 },
      atPermit2,
      [allowance(token, 9n, bob)],
    ],
    [
      'Permit2, batch',
      { PermitBatch: members('PermitDetails[] details,address spender,uint256 sigDeadline'), PermitDetails: details },
      { details: [one, { ...one, amount: '0x10' }], spender: token, sigDeadline: 1 },
      atPermit2,
      [allowance(token, 9n, bob), allowance(token, 16n, bob)],
    ],
    [
      'Permit2, one transfer',
      {
        PermitTransferFrom: members('TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline'),
        TokenPermissions: permissions,
      },
      { permitted: { token: bob, amount: 9 }, spender: token, nonce: 0, deadline: 1 },
      atPermit2,
      [allowance(token, 9n, bob)],
    ],
    [
      'Permit2, transfers',
      {
        PermitBatchTransferFrom: members('TokenPermissions[] permitted,address spender,uint256 nonce,uint256 deadline'),
        TokenPermissions: permissions,
      },
      { permitted: [{ token: bob, amount: 9 }], spender: token, nonce: 0, deadline: 1 },
      atPermit2,
      [allowance(token, 9n, bob)],
    ],
  ])('is understood: %s', async (_, types, message, of, effects) => {
    expect(await summary(types, message, of)).toEqual({ complete: true, effects });
  });

  test.each<[string, object, object, object, readonly object[]]>([
    ['a permit of another’s tokens', { Permit: permit }, { ...own, owner: bob }, domain, [allowance(bob, 9n, token)]],
    ['a permit on every chain', { Permit: permit }, own, { name: 'Token', verifyingContract: token }, []],
    ['a permit of another shape', { Permit: [...permit, { name: 'data', type: 'bytes' }] }, { ...own, data: '0x' }, domain, []],
    ['what is named like one', { Permit: members('address spender,uint256 value') }, { spender: bob, value: 1 }, domain, []],
    [
      'Permit2 somewhere else',
      {
        PermitTransferFrom: members('TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline'),
        TokenPermissions: permissions,
      },
      { permitted: { token: bob, amount: 9 }, spender: token, nonce: 0, deadline: 1 },
      domain,
      [allowance(token, 9n, bob)],
    ],
    [
      'Permit2 with an order',
      witness,
      { permitted: { token: bob, amount: 9 }, spender: token, nonce: 0, deadline: 1, witness: { recipient: bob } },
      atPermit2,
      [allowance(token, 9n, bob)],
    ],
    [
      'Permit2 with an order for a batch',
      {
        ...witness,
        PermitWitnessTransferFrom: undefined,
        PermitBatchWitnessTransferFrom: members(
          'TokenPermissions[] permitted,address spender,uint256 nonce,uint256 deadline,Order witness',
        ),
      },
      { permitted: [{ token: bob, amount: 9 }], spender: token, nonce: 0, deadline: 1, witness: { recipient: bob } },
      atPermit2,
      [allowance(token, 9n, bob)],
    ],
    [
      'Permit2 in other words, with its own among the order',
      { ...witness, TokenPermissions: members('bool x'), Order: members('XTokenPermissions all'), XTokenPermissions: permissions },
      { permitted: { x: true }, spender: token, nonce: 0, deadline: 1, witness: { all: { token: bob, amount: 9 } } },
      atPermit2,
      [],
    ],
  ])('is not understood: %s', async (_, types, message, of, effects) => {
    expect(await summary(types, message, of)).toEqual({ complete: false, effects });
  });
});
