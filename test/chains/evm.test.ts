/** Ethereum's formats against ethers and viem. What is understood of them is in evm/, by subject. */

import { hashMessage, Transaction, verifyMessage, Wallet } from 'ethers';
import { hashAuthorization } from 'viem/utils';
import { describe, expect, test } from 'vitest';
import { fromHex, to0x } from '../../src/base/bytes.ts';
import { encodeRlp, type RlpItem, rlpInteger } from '../../src/chains/encodings/rlp.ts';
import { addressOf } from '../../src/chains/index.ts';
import { type ChainCase, chainConforms, refusalOf, signed } from '../conformance/chain.ts';
import { type LocalSigner, localSigner } from '../support/wholeKey.ts';
import { address, randomAuthorization, randomFields, sepolia, serialized, type Type, verifySigned } from './evm/transactions.ts';

const network = 'EthereumSepolia';

const asHex = (type: Type): ChainCase => ({
  name: `Transaction as hex, ${type}`,
  keyType: 'ECDSA/secp256k1',
  request(random, signer) {
    const fields = randomFields(random, type);
    const authorizationList =
      type === 'EIP-7702' ? [randomAuthorization(random, signer), ...random.list(1, () => randomAuthorization(random, signer))] : undefined;
    const transaction = serialized(random, { ...fields, ...(authorizationList && { authorizationList }) });
    return { kind: 'Transaction', ...(random.bool() ? { network } : { blockchainKind: 'Evm' }), transaction };
  },
  verify: verifySigned,
  encodedIn: 'transaction',
});

const messages: ChainCase = {
  name: 'Message and Eip191',
  keyType: 'ECDSA/secp256k1',
  request: (random) => ({ kind: random.pick(['Message', 'Eip191']), blockchainKind: 'Evm', message: to0x(random.bytes(random.int(200))) }),
  async verify({ body, signer, unsigned, signed: { encoded, signedData } }) {
    const message = fromHex('message' in body ? String(body.message) : '') ?? new Uint8Array(0);
    expect(to0x(unsigned.payloads[0]?.bytes ?? new Uint8Array(0))).toBe(hashMessage(message));
    expect(verifyMessage(message, to0x(encoded[0] ?? new Uint8Array(0))).toLowerCase()).toBe(await addressOf(signer.key, network));
    expect(signedData).toBeUndefined();
    expect(unsigned.summary).toEqual({ complete: false, effects: [] });
  },
};

const authorizations: ChainCase = {
  name: 'Eip7702',
  keyType: 'ECDSA/secp256k1',
  request: (random) => ({
    kind: 'Eip7702',
    ...(random.bool() ? { network, chainId: sepolia } : { blockchainKind: 'Evm', chainId: random.int(2) * random.int(2 ** 40) }),
    address: address(random),
    nonce: Number(random.bigint(53)),
  }),
  verify({ body, signer, unsigned, signatures, signed: { encoded } }) {
    if (body.kind !== 'Eip7702') throw new Error('of another kind');
    const { address: contractAddress, chainId, nonce } = body;
    expect(to0x(unsigned.payloads[0]?.bytes ?? new Uint8Array(0))).toBe(
      hashAuthorization({ address: contractAddress as `0x${string}`, chainId, nonce }),
    );
    const [signature] = signatures;
    const byEthers = new Wallet(to0x(signer.secret)).authorizeSync({ address: contractAddress, chainId, nonce }).signature;
    expect(to0x(encoded[0] ?? new Uint8Array(0))).toBe(byEthers.serialized);
    expect(signature?.recid).toBe(byEthers.yParity);
  },
};

chainConforms('Evm', [
  asHex('legacy'),
  asHex('before EIP-155'),
  asHex('EIP-2930'),
  asHex('EIP-1559'),
  asHex('EIP-7702'),
  messages,
  authorizations,
]);

const signerOf = (secret: string): LocalSigner => localSigner('ECDSA/secp256k1', fromHex(secret) ?? new Uint8Array(0));
const alice = signerOf('ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80');
const aliceAddress = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const transactionOf = (transaction: unknown, where: object = { network }) => ({ kind: 'Transaction', transaction, ...where });

describe('Evm reproduces', () => {
  test('the address of the key, in lower case', async () => {
    expect(await addressOf(alice.key, 'Ethereum')).toBe(aliceAddress);
  });

  test('the example of EIP-155, signature included', async () => {
    const key = signerOf('46'.repeat(32));
    const transaction = '0xec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080';
    const outcome = await signed(key, transactionOf(transaction, { network: 'Ethereum' }));
    expect(digestOf(outcome)).toBe('0xdaf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53');
    const [signature] = outcome.signatures;
    expect(BigInt(to0x(signature?.r ?? new Uint8Array(0)))).toBe(
      18515461264373351373200002665853028612451056578545711640558177340181847433846n,
    );
    expect(BigInt(to0x(signature?.s ?? new Uint8Array(0)))).toBe(
      46948507304638947509940763649030358759909902576025900602547168820602576006531n,
    );
    expect(to0x(outcome.signed.signedData ?? new Uint8Array(0))).toBe(
      '0xf86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025' +
        'a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276' +
        'a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83',
    );
  });

  test('the transaction of the vendor’s documentation', async () => {
    const transaction = '0x02e783aa36a71503850d40e49def82520894e5a2ebc128e262ab1e3bd02bffbe16911adfbffb0180c0';
    const outcome = await signed(alice, transactionOf(transaction));
    expect(digestOf(outcome)).toBe('0x47b2c74ea845eab0545065b3ec250233be300d2515b6ec2b82ebff8fab4c4b15');
    expect(outcome.unsigned.summary).toEqual({
      complete: true,
      effects: [{ kind: 'transfer', to: '0xe5a2ebc128e262ab1e3bd02bffbe16911adfbffb', amount: 1n, asset: 'native' }],
      fee: 21_000n * 0x0d40e49defn,
    });
  });

  test('a message and its signature', async () => {
    const outcome = await signed(alice, { kind: 'Eip191', blockchainKind: 'Evm', message: to0x(new TextEncoder().encode('I love Dfns')) });
    expect(digestOf(outcome)).toBe('0x3a823776bcb21889b390e41a05c2c65dbac2436c34af65a399c4ab853d923d40');
    expect(to0x(outcome.signed.encoded[0] ?? new Uint8Array(0))).toBe(
      '0xcc25abdf1164c3701a3bc8f45419429e191b26202c6716c1ff678a5a44a443024e649f977a0bfb4e3aa676f60d20ba8829844df5884b58b1e67e1f0ce13542d91c',
    );
  });

  test('an authorization of EIP-7702', async () => {
    const request = {
      kind: 'Eip7702',
      blockchainKind: 'Evm',
      chainId: 31_337,
      address: '0x5FbDB2315678afecb367f032d93F642f64180aa3',
      nonce: 6,
    };
    const outcome = await signed(alice, request);
    expect(digestOf(outcome)).toBe('0xc8eb02b6f9510934e734bd96fa96bb71cb2e989efe483871528b29198e9d78da');
    const control = { kind: 'control', to: '0x5fbdb2315678afecb367f032d93f642f64180aa3' };
    expect(outcome.unsigned.summary).toEqual({ complete: true, effects: [control] });
  });
});

describe('Evm refuses', () => {
  const to = '0xe5a2ebc128e262ab1e3bd02bffbe16911adfbffb';
  const dynamic = { type: 2, chainId: sepolia, nonce: 0, gasLimit: 21_000, maxFeePerGas: 2n, maxPriorityFeePerGas: 1n, to, value: 1n };
  const legacy = { type: 0, chainId: 1, nonce: 0, gasLimit: 21_000, gasPrice: 1n, to, value: 1n };
  const hexOf = (fields: object) => Transaction.from(fields as typeof legacy).unsignedSerialized;
  const rlpOf = (type: number | undefined, ...items: RlpItem[]) =>
    to0x(Uint8Array.from([...(type === undefined ? [] : [type]), ...encodeRlp(items)]));
  const none = new Uint8Array(0);
  const one = Uint8Array.of(1);
  const bob = fromHex(to) ?? none;
  const signedByEthers = new Wallet(to0x(alice.secret)).signTransaction.bind(new Wallet(to0x(alice.secret)));

  test.each<[string, object, string]>([
    [
      'the chain id of another network',
      transactionOf(hexOf({ ...dynamic, chainId: 1 })),
      'the transaction is for chain id 1, EthereumSepolia is 11155111',
    ],
    [
      'another chain id in a legacy transaction',
      transactionOf(hexOf(legacy)),
      'the transaction is for chain id 1, EthereumSepolia is 11155111',
    ],
    [
      'a network without a known chain id',
      transactionOf(hexOf(legacy), { network: 'BesuTestnet' }),
      'the chain id of BesuTestnet is not known here',
    ],
    ['chain id 0', transactionOf(rlpOf(undefined, none, one, one, bob, one, none, none, none, none)), '0 is no chain id'],
    ['blobs', transactionOf('0x03c0'), 'blob transactions (type 3) are not signed here'],
    ['an unknown type', transactionOf('0x05c0'), 'there is no transaction of type 5'],
    ['a message under the prefix of messages', transactionOf('0x1901'), 'there is no transaction of type 25'],
    ['a legacy transaction in a type’s envelope', transactionOf('0x00c0'), 'there is no transaction of type 0'],
    ['no transaction', transactionOf('0x'), 'it has no bytes'],
    ['fields too few', transactionOf(rlpOf(2, one)), 'a transaction of type 2 has 9 fields; there are 1'],
    ['fields too many', transactionOf(rlpOf(undefined, none, one, one, bob, one, none, one)), 'a legacy transaction has 6 fields, or 9'],
    ['leading zeros', transactionOf(rlpOf(undefined, Uint8Array.of(0, 1), one, one, bob, one, none)), 'nonce: it has leading zeros'],
    [
      'a zero that is written as a byte',
      transactionOf(rlpOf(undefined, Uint8Array.of(0), one, one, bob, one, none)),
      'nonce: it has leading zeros',
    ],
    [
      'a recipient of 19 bytes',
      transactionOf(rlpOf(undefined, none, one, one, bob.subarray(1), one, none)),
      'to: 20 bytes are due, 19 are there',
    ],
    [
      'a recipient of 32 bytes',
      transactionOf(rlpOf(undefined, none, one, one, new Uint8Array(32).fill(1), one, none)),
      'to: 20 bytes are due, 32 are there',
    ],
    ['a list for a number', transactionOf(rlpOf(undefined, [], one, one, bob, one, none)), 'nonce: it is a list, bytes are due'],
    [
      'a gas limit of 65 bits',
      transactionOf(rlpOf(undefined, none, one, rlpInteger(2n ** 64n), bob, one, none)),
      'gasLimit: it has more than 64 bits',
    ],
    [
      'the last nonce there is',
      transactionOf(rlpOf(undefined, rlpInteger(2n ** 64n - 1n), one, one, bob, one, none)),
      'is too high (EIP-2681)',
    ],
    ['neither recipient nor code', transactionOf(rlpOf(undefined, none, one, one, none, one, none)), 'neither a recipient nor the code'],
    [
      'a tip above the fee',
      transactionOf(rlpOf(2, rlpInteger(BigInt(sepolia)), none, Uint8Array.of(2), one, one, bob, one, none, [])),
      'maxPriorityFeePerGas is above maxFeePerGas',
    ],
    [
      'a type 4 transaction without authorizations',
      transactionOf(rlpOf(4, rlpInteger(BigInt(sepolia)), none, one, one, one, bob, one, none, [], [])),
      'at least one authorization',
    ],
    [
      'authorizations without end',
      transactionOf(
        rlpOf(
          4,
          rlpInteger(BigInt(sepolia)),
          none,
          one,
          one,
          one,
          bob,
          one,
          none,
          [],
          Array.from({ length: 65 }, () => [none, bob, none, none, one, one]),
        ),
      ),
      'it has more than 64 authorizations',
    ],
    [
      'a type 4 transaction without recipient',
      transactionOf(rlpOf(4, rlpInteger(BigInt(sepolia)), none, one, one, one, none, one, one, [], [])),
      'creates no contract',
    ],
    [
      'an authorization for another chain than the network’s',
      { kind: 'Eip7702', network, chainId: 1, address: to, nonce: 0 },
      'the authorization is for chain id 1, EthereumSepolia is 11155111',
    ],
    [
      'an authorization for every chain, for one network',
      { kind: 'Eip7702', network, chainId: 0, address: to, nonce: 0 },
      'chainId 0 is an authorization for every chain',
    ],
    [
      'an authorization with half a nonce',
      { kind: 'Eip7702', network, chainId: sepolia, address: to, nonce: 0.5 },
      'nonce: expected a whole number',
    ],
    [
      'an authorization with a negative chain id',
      { kind: 'Eip7702', network, chainId: -1, address: to, nonce: 0 },
      'chainId: expected a whole number',
    ],
    [
      'an address with a wrong checksum',
      { kind: 'Eip7702', network, chainId: sepolia, address: `0xE${to.slice(3)}`, nonce: 0 },
      'its checksum (EIP-55) is wrong',
    ],
    [
      'an address without 0x',
      { kind: 'Eip7702', network, chainId: sepolia, address: to.slice(2), nonce: 0 },
      'expected an address: 0x and 40 hex digits',
    ],
    [
      'another kind',
      { kind: 'Psbt', network, psbt: '0x' },
      'kind Psbt is not signed for EthereumSepolia: Transaction, Message, Eip191, Eip712, Eip7702 and Hash are',
    ],
  ])('%s', async (_, request, message) => {
    expect((await refusalOf(alice, request))?.message).toContain(message);
  });

  test.each(['legacy', 'EIP-1559'])('a transaction that is signed already: %s', async (type) => {
    const fields = type === 'legacy' ? { ...legacy, chainId: sepolia } : dynamic;
    expect((await refusalOf(alice, transactionOf(await signedByEthers(fields))))?.message).toContain('it has a signature already');
  });

  test('a key of another type', async () => {
    const other = localSigner('Schnorr/secp256k1', alice.secret);
    expect((await refusalOf(other, transactionOf(hexOf(dynamic))))?.message).toBe('a Schnorr key on secp256k1 does not sign here');
  });
});

function digestOf({ unsigned }: Awaited<ReturnType<typeof signed>>): string {
  return to0x(unsigned.payloads[0]?.bytes ?? new Uint8Array(0));
}
