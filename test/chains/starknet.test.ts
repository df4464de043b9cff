/** Starknet against starknet.js, and the published vectors of SNIP-12. */

import * as curve from '@scure/starknet';
import { hash, type TypedData, typedData } from 'starknet';
import { describe, expect, test } from 'vitest';
import { fromHex, toBigInt, toHex } from '../../src/base/bytes.ts';
import { addressOf } from '../../src/chains/index.ts';
import { chainConforms, refusalOf, signed } from '../conformance/chain.ts';
import type { Random } from '../support/random.ts';
import { localSigner } from '../support/wholeKey.ts';

const keyType = 'ECDSA/stark';
const alice = localSigner(keyType, fromHex(`01${'23'.repeat(31)}`) ?? new Uint8Array());

const mail = {
  types: {
    StarkNetDomain: [
      { name: 'name', type: 'felt' },
      { name: 'version', type: 'felt' },
      { name: 'chainId', type: 'felt' },
    ],
    Person: [
      { name: 'name', type: 'felt' },
      { name: 'wallet', type: 'felt' },
    ],
    Mail: [
      { name: 'from', type: 'Person' },
      { name: 'to', type: 'Person' },
      { name: 'contents', type: 'felt' },
    ],
  },
  primaryType: 'Mail',
  domain: { name: 'StarkNet Mail', version: '1', chainId: 1 },
  message: {
    from: { name: 'Cow', wallet: '0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826' },
    to: { name: 'Bob', wallet: '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB' },
    contents: 'Hello, Bob!',
  },
};

const requestOf = (data: object, more: object = {}) => ({ kind: 'Snip12', network: 'StarknetSepolia', ...data, ...more });
const sepolia = { name: 'app', version: '1', chainId: 'SN_SEPOLIA' };
const activeDomain = ['name', 'version', 'chainId', 'revision'].map((name) => ({ name, type: 'shortstring' }));
const legacyDomain = ['name', 'version', 'chainId'].map((name) => ({ name, type: 'felt' }));

/** A document of one primary type whose members are these. */
const activeData = (members: readonly object[], message: object, types: object = {}) => ({
  types: { StarknetDomain: activeDomain, Message: members, ...types },
  primaryType: 'Message',
  domain: { ...sepolia, revision: '1' },
  message,
});
const legacyData = (members: readonly object[], message: object, types: object = {}) => ({
  types: { StarkNetDomain: legacyDomain, Message: members, ...types },
  primaryType: 'Message',
  domain: sepolia,
  message,
});

const feltOf = (random: Random) =>
  random.pick<() => unknown>([
    () => random.int(1000),
    () => random.bigint(250).toString(),
    () => `0x${random.bigint(250).toString(16)}`,
    () => 'short text'.slice(0, random.int(11)),
  ])();
const hexFelt = (random: Random) => `0x${random.bigint(250).toString(16)}`;
const asciiOf = (random: Random) => Array.from({ length: random.int(100) }, () => String.fromCharCode(32 + random.int(95))).join('');

type Made = { member: { name: string; type: string; contains?: string }; value: unknown };
function membersOf(random: Random, kinds: readonly ((name: string) => Made)[]): { members: object[]; message: object } {
  const made = Array.from({ length: 1 + random.int(6) }, (_, i) => random.pick(kinds)(`member ${i}`.replace(' ', '_')));
  return { members: made.map(({ member }) => member), message: Object.fromEntries(made.map(({ member, value }) => [member.name, value])) };
}

function randomActive(random: Random): TypedData {
  const types = {
    Inner: [
      { name: 'amount', type: 'u256' },
      { name: 'who', type: 'ContractAddress' },
    ],
    'Some Enum': [
      { name: 'Nothing', type: '()' },
      { name: 'Several', type: '(u128,Inner,felt*)' },
    ],
  };
  const inner = () => ({ amount: { low: random.bigint(128).toString(), high: random.int(99) }, who: hexFelt(random) });
  const kinds: ((name: string) => Made)[] = [
    (name) => ({ member: { name, type: 'felt' }, value: feltOf(random) }),
    (name) => ({ member: { name, type: 'shortstring' }, value: feltOf(random) }),
    (name) => ({ member: { name, type: 'string' }, value: asciiOf(random) }),
    (name) => ({ member: { name, type: 'u128' }, value: random.bigint(128).toString() }),
    (name) => ({ member: { name, type: 'i128' }, value: (random.bool() ? random.bigint(127) : -random.bigint(127)).toString() }),
    (name) => ({ member: { name, type: 'timestamp' }, value: random.int(2 ** 31) }),
    (name) => ({ member: { name, type: 'bool' }, value: random.bool() }),
    (name) => ({ member: { name, type: 'ClassHash' }, value: hexFelt(random) }),
    (name) => ({ member: { name, type: 'selector' }, value: random.bool() ? 'transfer' : hexFelt(random) }),
    (name) => ({ member: { name, type: 'felt*' }, value: random.list(4, () => feltOf(random)) }),
    (name) => ({ member: { name, type: 'Inner' }, value: inner() }),
    (name) => ({ member: { name, type: 'Inner*' }, value: random.list(3, inner) }),
    (name) => ({ member: { name, type: 'TokenAmount' }, value: { token_address: hexFelt(random), amount: inner().amount } }),
    (name) => ({ member: { name, type: 'NftId' }, value: { collection_address: hexFelt(random), token_id: inner().amount } }),
    (name) => ({ member: { name, type: 'merkletree', contains: 'Inner' }, value: [inner(), ...random.list(4, inner)] }),
    (name) => ({
      member: { name, type: 'enum', contains: 'Some Enum' },
      value: random.bool() ? { Nothing: [] } : { Several: [random.int(9), inner(), random.list(3, () => feltOf(random))] },
    }),
  ];
  const { members, message } = membersOf(random, kinds);
  return activeData(members, message, types) as unknown as TypedData;
}

function randomLegacy(random: Random): TypedData {
  const types = {
    Inner: [
      { name: 'a', type: 'felt' },
      { name: 'b', type: 'felt*' },
    ],
  };
  const inner = () => ({ a: feltOf(random), b: random.list(2, () => feltOf(random)) });
  const kinds: ((name: string) => Made)[] = [
    (name) => ({ member: { name, type: 'felt' }, value: feltOf(random) }),
    (name) => ({ member: { name, type: 'string' }, value: feltOf(random) }),
    (name) => ({ member: { name, type: 'u128' }, value: random.bigint(128).toString() }),
    (name) => ({ member: { name, type: 'selector' }, value: random.bool() ? 'transfer' : hexFelt(random) }),
    (name) => ({ member: { name, type: 'felt*' }, value: random.list(3, () => feltOf(random)) }),
    (name) => ({ member: { name, type: 'Inner' }, value: inner() }),
    (name) => ({ member: { name, type: 'Inner*' }, value: random.list(2, inner) }),
    (name) => ({ member: { name, type: 'merkletree', contains: 'Inner' }, value: [inner(), ...random.list(2, inner)] }),
  ];
  const { members, message } = membersOf(random, kinds);
  return legacyData(members, message, types) as unknown as TypedData;
}

chainConforms(
  'Starknet',
  (
    [
      ['revision 1', randomActive],
      ['revision 0', randomLegacy],
    ] as const
  ).map(([name, make]) => ({
    name: `Snip12, ${name}`,
    keyType,
    request: (random) => requestOf(make(random)),
    async verify({ body, signer, unsigned, signed: { encoded, signedData } }) {
      const account = await addressOf(signer.key, 'StarknetSepolia');
      const { types, primaryType, domain, message } = body as unknown as TypedData;
      const digest = typedData.getMessageHash({ types, primaryType, domain, message }, account ?? '');
      expect(toBigInt(unsigned.payloads[0]?.bytes ?? new Uint8Array())).toBe(BigInt(digest));
      const [r, s] = [0, 32].map((at) => toBigInt((encoded[0] ?? new Uint8Array()).subarray(at, at + 32)));
      expect(curve.verify(new curve.Signature(r ?? 0n, s ?? 0n), digest.slice(2).padStart(64, '0'), toHex(signer.key.publicKey))).toBe(
        true,
      );
      expect(signedData).toBeUndefined();
    },
  })),
);

describe('Starknet', () => {
  test('hashes the published mail in both revisions, for the published account', async () => {
    const accountAddress = '0xcd2a3d9f938e13cd947ec05abc7fe734df8dd826';
    const digestOf = async (data: object) =>
      `0x${toBigInt((await signed(alice, requestOf(data, { accountAddress }))).unsigned.payloads[0]?.bytes ?? new Uint8Array()).toString(16)}`;
    const anyChain = ({ domain, ...rest }: typeof mail) => {
      const { chainId: _, ...others } = domain;
      return { ...rest, types: { ...rest.types, StarkNetDomain: rest.types.StarkNetDomain.slice(0, 2) }, domain: others };
    };
    // The published one is for chain 1, which is no network: it is refused, and hashes as published where no network says otherwise.
    expect((await refusalOf(alice, requestOf(mail)))?.message).toBe('the domain is for chain 1, StarknetSepolia is SN_SEPOLIA');
    expect(await digestOf(anyChain(mail))).toBe(typedData.getMessageHash(anyChain(mail) as unknown as TypedData, accountAddress));
    const { snip12Hash } = await import('../../src/chains/encodings/snip12.ts');
    expect(`0x${snip12Hash(mail, BigInt(accountAddress)).toString(16)}`).toBe(
      '0x6fcff244f63e38b9d88b9e3378d44757710d1b244282b435cb472053c8d78d0',
    );
  });

  test('addresses are those that starknet.js computes for OpenZeppelin’s account', async () => {
    const x = `0x${toHex(alice.key.publicKey.subarray(1))}`;
    const classHash = '0x5b4b537eaa2399e3aa99c4e2e0208ebd6c71bc1467938cd52c798c601e43564';
    const address = await addressOf(alice.key, 'Starknet');
    expect(address).toMatch(/^0x[0-9a-f]{64}$/);
    expect(BigInt(address ?? '')).toBe(BigInt(hash.calculateContractAddressFromHash(x, classHash, [x], 0)));
  });

  test('says nothing of what typed data does', async () => {
    const data = activeData([{ name: 'a', type: 'felt' }], { a: 1 });
    expect((await signed(alice, requestOf(data))).unsigned.summary).toEqual({ complete: false, effects: [] });
  });

  const one = [{ name: 'a', type: 'felt' }];
  const typed = (type: string, a: unknown, more: object = {}) => activeData([{ name: 'a', type, ...more }], { a });
  test.each<[string, object, string]>([
    [
      'for another chain',
      { ...activeData(one, { a: 1 }), domain: { ...sepolia, chainId: 'SN_MAIN', revision: '1' } },
      'the domain is for chain "SN_MAIN"',
    ],
    [
      'for another chain, by its number',
      { ...activeData(one, { a: 1 }), domain: { ...sepolia, chainId: '0x534e5f4d41494e', revision: '1' } },
      'the domain is for chain',
    ],
    ['without a network', { ...activeData(one, { a: 1 }), network: undefined, blockchainKind: 'Starknet' }, 'network is required here'],
    [
      'of another revision',
      { ...activeData(one, { a: 1 }), domain: { ...sepolia, revision: '2' } },
      'StarknetDomain and domain.revision is 1',
    ],
    ['of a primary type that is not there', { ...activeData(one, { a: 1 }), primaryType: 'Other' }, 'there is no type Other'],
    ['of a primary type of the language', { ...activeData(one, { a: 1 }), primaryType: 'constructor' }, 'there is no type constructor'],
    ['with a member that is missing', activeData(one, {}), 'message.a is a whole number'],
    ['with a member that would not be signed', activeData(one, { a: 1, b: 2 }), 'message.b is not in type Message'],
    ['with a text that could be a number', typed('felt', ' 12'), 'could be a number or a text'],
    ['with another text that could be', typed('felt', '0b11'), 'could be a number or a text'],
    ['with a felt beyond the field', typed('felt', (2n ** 252n).toString()), 'message.a is out of range'],
    ['with a u128 beyond its range', typed('u128', (2n ** 128n).toString()), 'message.a is out of range'],
    ['with an i128 beyond its range', typed('i128', (2n ** 127n).toString()), 'message.a is out of range'],
    ['with a number that no JavaScript holds', typed('u128', 2 ** 60), 'message.a is a whole number'],
    ['with a text that is not ASCII', typed('string', 'ü'), 'message.a is a text of ASCII'],
    ['with a short string that is not short', typed('shortstring', 'x'.repeat(32)), 'is no short string'],
    ['of an unknown type', typed('u64', 1), 'message.a: there is no type u64'],
    ['with a truth that is none', typed('bool', 1), 'message.a is true or false'],
    ['with a list that is none', typed('felt*', 1), 'message.a is a list'],
    ['with a tree without leaves', typed('merkletree', [], { contains: 'felt' }), 'message.a has no leaves'],
    ['with a tree of lists', typed('merkletree', [[1]], { contains: 'felt*' }), 'says what it contains, and that is no list'],
    [
      'with too many values',
      typed(
        'felt*',
        Array.from({ length: 1001 }, () => 1),
      ),
      'more than 1000 values',
    ],
    ['with a name that hides another type', activeData([{ name: 'a","b":"felt', type: 'felt' }], {}), 'is no name'],
    ['that redefines a standard type', activeData(one, { a: 1 }, { u256: one }), 'types.u256 is the standard’s own'.replace('’', "'")],
    ['with a type in itself', activeData([{ name: 'a', type: 'Message' }], { a: {} }), 'message.a.a is an object'],
    [
      'of an account that is none',
      requestOf(activeData(one, { a: 1 }), { accountAddress: '0x0' }),
      'accountAddress is the address of a contract',
    ],
    [
      'as a transaction',
      { kind: 'Transaction', transaction: {}, network: 'Starknet' },
      'kind Transaction is not signed for Starknet: Snip12 and Hash are',
    ],
  ])('refuses one %s', async (_, data, message) => {
    expect((await refusalOf(alice, 'kind' in data ? data : { ...requestOf({}), ...data }))?.message).toContain(message);
  });

  test('refuses what is nested too deep', async () => {
    const types = { Node: [{ name: 'next', type: 'Node*' }] };
    const deep = (depth: number): object => ({ next: depth === 0 ? [] : [deep(depth - 1)] });
    const data = { ...activeData([{ name: 'a', type: 'Node' }], { a: deep(30) }, types) };
    expect((await refusalOf(alice, requestOf(data)))?.message).toContain('nested deeper than 32');
  });
});
