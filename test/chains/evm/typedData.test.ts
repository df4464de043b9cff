/** EIP-712 against ethers and viem: random documents, the standard's example, and what could be read in two ways. */

import { TypedDataEncoder, verifyTypedData } from 'ethers';
import { hashTypedData } from 'viem';
import { describe, expect, test } from 'vitest';
import { fromHex, to0x } from '../../../src/base/bytes.ts';
import { addressOf } from '../../../src/chains/index.ts';
import { type ChainCase, chainConforms, refusalOf, signed } from '../../conformance/chain.ts';
import type { Random } from '../../support/random.ts';
import { localSigner } from '../../support/wholeKey.ts';
import { address, sepolia } from './transactions.ts';

type Member = { name: string; type: string };
type Types = Record<string, Member[]>;

const alice = localSigner(
  'ECDSA/secp256k1',
  fromHex('ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80') ?? new Uint8Array(0),
);

/** Each struct refers to those after it, the first to all: it is the primary one. */
function randomTypes(random: Random): Types {
  const names = Array.from({ length: 1 + random.int(4) }, (_, i) => `${random.pick(['Order', 'Mail', 'a', '$_', 'Zz'])}${i}`);
  return Object.fromEntries(
    names.map((name, i) => {
      const later = names.slice(i + 1);
      const others = i === 0 ? later : later.filter(() => random.bool());
      const bases = [...others, ...random.list(4, () => atomic(random)), atomic(random)];
      return [name, bases.map((base, at) => ({ name: `m${at}`, type: `${base}${random.pick(['', '', '', '[]', '[2]', '[][1]'])}` }))];
    }),
  );
}

function atomic(random: Random): string {
  const size = 8 * (1 + random.int(32));
  return random.pick(['bool', 'string', 'address', 'bytes', `uint${size}`, `int${size}`, `bytes${size / 8}`]);
}

function sample(random: Random, type: string, types: Types): unknown {
  const [, element, length] = /^(.*)\[(\d*)\]$/.exec(type) ?? [];
  if (element !== undefined)
    return Array.from({ length: length === '' ? random.int(3) : Number(length) }, () => sample(random, element, types));
  const members = types[type];
  if (members) return Object.fromEntries(members.map((member) => [member.name, sample(random, member.type, types)]));
  if (type === 'bool') return random.bool();
  if (type === 'string') return random.pick(['', 'häß', '✓ \u{1f512}', 'a"b\\', to0x(random.bytes(40))]);
  if (type === 'address') return address(random);
  if (type === 'bytes') return to0x(random.bytes(random.int(70)));
  const [, name, digits] = /^(\D+)(\d+)$/.exec(type) ?? [];
  if (name === 'bytes') return to0x(random.bytes(Number(digits)));
  const magnitude = random.bigint(Number(digits) - (name === 'int' ? 1 : 0));
  const number = name === 'int' && random.bool() ? -magnitude - 1n : magnitude;
  if (number >= 0n && random.int(3) === 0) return `0x${number.toString(16)}`;
  return Number.isSafeInteger(Number(number)) && random.bool() ? Number(number) : String(number);
}

function randomDomain(random: Random) {
  return {
    ...(random.bool() ? { name: 'Ether Mail' } : {}),
    ...(random.bool() ? { version: '1' } : {}),
    ...(random.bool() ? { chainId: random.pick([sepolia, String(sepolia), `0x${sepolia.toString(16)}`]) } : {}),
    ...(random.bool() ? { verifyingContract: address(random) } : {}),
    ...(random.bool() ? { salt: to0x(random.bytes(32)) } : {}),
  };
}

const documents = (half: string): ChainCase => ({
  name: `Eip712, ${half}`,
  keyType: 'ECDSA/secp256k1',
  request(random) {
    const types = randomTypes(random);
    const primary = Object.keys(types)[0] ?? '';
    const domain = randomDomain(random);
    return {
      kind: 'Eip712',
      ...(random.bool() ? { network: 'EthereumSepolia' } : { blockchainKind: 'Evm' }),
      types: random.bool()
        ? types
        : {
            EIP712Domain: TypedDataEncoder.getPayload(domain, { X: [{ name: 'x', type: 'bool' }] }, { x: true }).types.EIP712Domain,
            ...types,
          },
      domain,
      message: sample(random, primary, types),
    };
  },
  async verify({ body, signer, unsigned, signed: { encoded } }) {
    if (body.kind !== 'Eip712') throw new Error('of another kind');
    const { domain, message } = body;
    const { EIP712Domain: _, ...types } = body.types;
    const digest = to0x(unsigned.payloads[0]?.bytes ?? new Uint8Array(0));
    const primaryType = TypedDataEncoder.from(types).primaryType;
    expect(digest).toBe(TypedDataEncoder.hash(domain, types, message));
    expect(digest).toBe(hashTypedData({ domain, types, primaryType, message } as Parameters<typeof hashTypedData>[0]));
    const by = verifyTypedData(domain, types, message, to0x(encoded[0] ?? new Uint8Array(0)));
    expect(by.toLowerCase()).toBe(await addressOf(signer.key, 'Ethereum'));
  },
});

chainConforms('Evm', [documents('the first half'), documents('the second half')]);

const person = [
  { name: 'name', type: 'string' },
  { name: 'wallet', type: 'address' },
];
const mail = {
  types: {
    Person: person,
    Mail: [
      { name: 'from', type: 'Person' },
      { name: 'to', type: 'Person' },
      { name: 'contents', type: 'string' },
    ],
  },
  domain: { name: 'Ether Mail', version: '1', chainId: 1, verifyingContract: '0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC' },
  message: {
    from: { name: 'Cow', wallet: '0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826' },
    to: { name: 'Bob', wallet: '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB' },
    contents: 'Hello, Bob!',
  },
};
const request = (data: object) => ({ kind: 'Eip712', network: 'Ethereum', ...mail, ...data });
/** A document of one type with one member. */
const single = (type: string, value: unknown) => request({ types: { Only: [{ name: 'x', type }] }, message: { x: value } });

describe('Eip712 reproduces', () => {
  test('the example of the standard', async () => {
    const outcome = await signed(alice, request({}));
    expect(to0x(outcome.unsigned.payloads[0]?.bytes ?? new Uint8Array(0))).toBe(
      '0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2',
    );
    expect(outcome.signed.signedData).toBeUndefined();
  });

  test('the document of the vendor’s documentation, salt included', async () => {
    const document = {
      types: mail.types,
      domain: {
        name: 'Ether Mail',
        version: '1',
        chainId: 1,
        verifyingContract: '0x1b352de7a926ebd1bf52194dab487c2cb0793a9b',
        salt: '0xf2d857f4a3edcb9b78b4d503bfe733db1e3f6cdc2b7971ee739626c97e86a558',
      },
      message: {
        from: { name: 'Chris', wallet: '0x00e3495cf6af59008f22ffaf32d4c92ac33dac47' },
        to: { name: 'Bob', wallet: '0xcc0ee1a1c5e788b61916c8f1c96c960f9a9d3db7' },
        contents: 'Hello, Bob!',
      },
    };
    const { unsigned } = await signed(alice, request(document));
    expect(to0x(unsigned.payloads[0]?.bytes ?? new Uint8Array(0))).toBe(
      '0x13eda53b4c918354fb14b151715a7881f35749ea55ace4b4b05c69f62d4fe94a',
    );
  });

  test('the same whether or not the domain is among the types', async () => {
    const EIP712Domain = [
      { name: 'name', type: 'string' },
      { name: 'version', type: 'string' },
      { name: 'chainId', type: 'uint256' },
      { name: 'verifyingContract', type: 'address' },
    ];
    const [without, within] = await Promise.all([
      signed(alice, request({})),
      signed(alice, request({ types: { ...mail.types, EIP712Domain } })),
    ]);
    expect(within.unsigned.payloads).toEqual(without.unsigned.payloads);
  });
});

describe('Eip712 refuses', () => {
  const many = (count: number, make: (i: number) => [string, Member[]]) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => make(i)));

  test.each<[string, object, string]>([
    [
      'two types that nothing refers to',
      request({ types: { ...mail.types, Other: person } }),
      'the primary type is not clear: nothing refers to "Mail", "Other"',
    ],
    [
      'no type that nothing refers to',
      request({ types: { A: [{ name: 'b', type: 'B' }], B: [{ name: 'a', type: 'A[]' }] } }),
      'contains itself',
    ],
    [
      'a type within itself',
      request({ types: { P: [{ name: 'a', type: 'A' }], A: [{ name: 'a', type: 'A[]' }] } }),
      'types.A contains itself',
    ],
    ['no types', request({ types: {} }), 'no type is the primary one'],
    ['an unknown type', single('Nothing', 1), 'types.Only.x: "Nothing" is neither a type of Ethereum nor among the types'],
    ['a type that objects have', single('toString', 1), 'neither a type of Ethereum'],
    ['an alias, which libraries hash in two ways', single('uint', 1), 'types.Only.x: write uint256 for uint'],
    ['an integer of 7 bits', single('uint7', 1), 'neither a type of Ethereum'],
    ['bytes33', single('bytes33', '0x'), 'neither a type of Ethereum'],
    ['an array of no length', single('bool[0]', []), '"bool[0]" is no type'],
    ['an array that does not end', single('bool[', []), '"bool[" is no type'],
    ['arrays of arrays without end', single(`bool${'[]'.repeat(17)}`, []), 'is no type'],
    [
      'a name that pretends to be more',
      request({ types: { Only: [{ name: 'a,uint256 b', type: 'bool' }] } }),
      '"a,uint256 b" is no name for a member',
    ],
    ['a type whose name pretends to be more', request({ types: { 'Only(bool a)Two': [] } }), '"Only(bool a)Two" is no name for a type'],
    ['a type named like one of Ethereum’s', request({ types: { uint256: person } }), '"uint256" is no name for a type'],
    ['a member named twice', request({ types: { Only: [...person, ...person] } }), 'types.Only has name twice'],
    ['a member that is missing', request({ message: { ...mail.message, to: { name: 'Bob' } } }), 'message.to.wallet is missing'],
    ['a member that would not be signed', request({ message: { ...mail.message, cc: 'Eve' } }), 'message.cc: type Mail has no such member'],
    ['nothing for an object', request({ message: { ...mail.message, to: null } }), 'message.to: expected an object of type Person'],
    ['a list for an object', request({ message: { ...mail.message, to: [] } }), 'message.to: expected an object of type Person'],
    ['a number that is too big', single('uint8', 256), 'message.x: expected an integer of type uint8'],
    ['a number that is too small', single('int8', '-129'), 'message.x: expected an integer of type int8'],
    ['a negative number', single('uint256', -1), 'message.x: expected an integer of type uint256'],
    ['a fraction', single('uint256', 1.5), 'message.x: expected an integer'],
    ['a number that JSON has rounded', single('uint256', 2 ** 60), 'message.x: expected an integer of type uint256, above 2^53 as a text'],
    ['a number with a blank', single('uint256', ' 1'), 'message.x: expected an integer'],
    ['text for a bool', single('bool', 'true'), 'message.x: expected true or false'],
    ['a number for a text', single('string', 1), 'message.x: expected a text'],
    ['half a character', single('string', '\ud800'), 'message.x: expected a text'],
    ['bytes without 0x', single('bytes', '00'), 'message.x: expected hex with 0x'],
    ['bytes too few', single('bytes4', '0x000000'), 'message.x: expected 0x and 4 bytes of hex'],
    [
      'an address with a wrong checksum',
      single('address', '0xcD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826'),
      'message.x: 0xcD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826 is no address',
    ],
    ['items too few', single('bool[2]', [true]), 'message.x: expected 2 items, found 1'],
    ['an item that is wrong', single('bool[]', [true, 1]), 'message.x[1]: expected true or false'],
    ['a single for a list', single('bool[]', true), 'message.x: expected an array'],
    ['values without end', single('bool[]', Array(20_000).fill(true)), 'there are more than 10000 values'],
    ['types without end', request({ types: many(65, (i) => [`T${i}`, []]) }), 'there are more than 64 types'],
    [
      'members without end',
      request({ types: many(1, () => ['T', Array.from({ length: 513 }, (_, i) => ({ name: `m${i}`, type: 'bool' }))]) }),
      'more than 512 members',
    ],
    [
      'a field that domains do not have',
      request({ domain: { ...mail.domain, owner: '0x' } }),
      'domain.owner: a domain has name, version, chainId, verifyingContract, salt',
    ],
    [
      'a domain that is described otherwise',
      request({ types: { ...mail.types, EIP712Domain: [{ name: 'name', type: 'string' }] } }),
      'does not describe the domain as it is given',
    ],
    ['the domain of another chain', request({ domain: { ...mail.domain, chainId: '5' } }), 'the domain is for chain id 5, Ethereum is 1'],
    [
      'a chain, for a network without a known chain id',
      request({ network: 'BesuTestnet' }),
      'the chain id of BesuTestnet is not known here',
    ],
  ])('%s', async (_, document, message) => {
    expect((await refusalOf(alice, document))?.message).toContain(message);
  });

  test('a description that takes long to hash, in no time', async () => {
    const name = (i: number) => `T${i}`.padEnd(128, 'x');
    const types = many(64, (i) => [
      name(i),
      [
        ...Array.from({ length: 7 }, (_, j) => ({ name: `m${j}`.padEnd(128, 'y'), type: 'bool' })),
        ...(i < 63 ? [{ name: 'z', type: name(i + 1) }] : []),
      ],
    ]);
    expect(await refusalOf(alice, request({ types }))).toMatchObject({ code: 'BadRequest' });
  });
});
