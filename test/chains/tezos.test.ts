/** Tezos against taquito. */

import { localForger } from '@taquito/local-forging';
import { InMemorySigner } from '@taquito/signer';
import { b58Encode, encodeOpHash, getPkhfromPk, PrefixV2, verifySignature } from '@taquito/utils';
import { describe, expect, test } from 'vitest';
import { concat, fromHex, to0x, toHex } from '../../src/base/bytes.ts';
import { addressOf } from '../../src/chains/index.ts';
import { chainConforms, type Outcome, refusalOf, signed } from '../conformance/chain.ts';
import type { Random } from '../support/random.ts';
import { type LocalSigner, localSigner, type SigningKeyType } from '../support/wholeKey.ts';

type Forged = Parameters<typeof localForger.forge>[0];
type Content = Forged['contents'][number];

const branch = 'BLzyjjHKEKMULtvkpSHxuZxx6ei6fpntH2BTkYZiLgs8zLVstvX';
const hexBytes = (hex: string) => fromHex(hex) ?? new Uint8Array();
const ed = localSigner('EdDSA/ed25519', hexBytes('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'));
const secp = localSigner('ECDSA/secp256k1', hexBytes('ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'));

const publicKeyOf = ({ key }: LocalSigner) =>
  b58Encode(key.publicKey, key.keyType === 'EdDSA/ed25519' ? PrefixV2.Ed25519PublicKey : PrefixV2.Secp256k1PublicKey);
const accountOf = (signer: LocalSigner) => getPkhfromPk(publicKeyOf(signer));

const common = (signer: LocalSigner) => ({ source: accountOf(signer), fee: '416', counter: '7', gas_limit: '1000', storage_limit: '0' });
const transfer = (signer: LocalSigner, more: object = {}) =>
  ({ kind: 'transaction', ...common(signer), amount: '1', destination: 'tz1burnburnburnburnburnburnburjAYjjX', ...more }) as Content;
const requestOf = async (...contents: readonly Content[]) => ({
  kind: 'Transaction',
  blockchainKind: 'Tezos',
  transaction: await localForger.forge({ branch, contents: [...contents] }),
});
const summaryOf = async (...contents: readonly Content[]) => (await signed(ed, await requestOf(...contents))).unsigned.summary;

function randomContent(random: Random, signer: LocalSigner): Content {
  const number = (bits: number) => random.bigint(bits).toString();
  const manager = { source: accountOf(signer), fee: number(40), counter: number(60), gas_limit: number(24), storage_limit: number(20) };
  const account = () =>
    random.pick([
      () => b58Encode(random.bytes(20), PrefixV2.Ed25519PublicKeyHash),
      () => b58Encode(random.bytes(20), PrefixV2.Secp256k1PublicKeyHash),
      () => b58Encode(random.bytes(20), PrefixV2.P256PublicKeyHash),
    ])();
  const destination = () => (random.bool() ? account() : b58Encode(random.bytes(20), PrefixV2.ContractHash));
  const parameters = () => ({
    entrypoint: random.pick(['default', 'root', 'do', 'stake', 'unstake', 'transfer', 'an_entrypoint_of_31_characters_']),
    value: { prim: 'Pair', args: [{ string: 'x' }, { int: number(80) }] },
  });
  const script = { code: [{ prim: 'parameter', args: [{ prim: 'unit' }] }], storage: { int: '1' } };
  return random.pick<() => object>([
    () => ({ kind: 'transaction', ...manager, amount: number(60), destination: account() }),
    () => ({ kind: 'transaction', ...manager, amount: number(60), destination: destination(), parameters: parameters() }),
    () => ({ kind: 'reveal', ...manager, public_key: publicKeyOf(signer) }),
    () => ({ kind: 'delegation', ...manager, ...(random.bool() ? { delegate: account() } : {}) }),
    () => ({ kind: 'origination', ...manager, balance: number(50), ...(random.bool() ? { delegate: account() } : {}), script }),
  ])() as Content;
}

function verify({ body, signer, signed: { encoded, signedData, txHash } }: Outcome): void {
  const forged = 'transaction' in body ? String(body.transaction) : '';
  const [signature = new Uint8Array()] = encoded;
  const prefix = signer.key.keyType === 'EdDSA/ed25519' ? PrefixV2.Ed25519Signature : PrefixV2.Secp256k1Signature;
  expect(verifySignature(forged, publicKeyOf(signer), b58Encode(signature, prefix), Uint8Array.of(3))).toBe(true);
  expect(toHex(signedData ?? new Uint8Array())).toBe(forged + toHex(signature));
  expect(txHash).toBe(encodeOpHash(forged + toHex(signature)));
}

chainConforms(
  'Tezos',
  (['EdDSA/ed25519', 'ECDSA/secp256k1'] as const).map((keyType: SigningKeyType) => ({
    name: `Transaction, ${keyType}`,
    keyType,
    request: async (random, signer) => requestOf(randomContent(random, signer), ...random.list(3, () => randomContent(random, signer))),
    verify,
    encodedIn: 'transaction',
    // One whole operation fewer.
    mayEndAt: (length, encoded) => isRead(encoded.subarray(0, length)),
  })),
);

/** Whether taquito reads it and writes it again. */
async function isRead(bytes: Uint8Array): Promise<boolean> {
  try {
    return (await localForger.forge(await localForger.parse(toHex(bytes)))) === toHex(bytes);
  } catch {
    return false;
  }
}

describe('Tezos', () => {
  test('signs the transfers of the published operations', async () => {
    const tz1 =
      'a99b946c97ada0f42c1bdeae0383db7893351232a832d00d0cd716eb6f66e5616c001b3517cf5af0ac86b8efe88452908c45f5c7e0799c0337f00b00c0843d00008017ed86b1bbb1c6a9399fc47b83fb8a919e013400';
    const outcome = await signed(ed, { kind: 'Transaction', blockchainKind: 'Tezos', transaction: `0x${tz1}` });
    expect(outcome.signed.txHash).toBe('ooZSjgHSABv3D4pjE5zc3EZDX9FeziLCjZyMViqDuChefMiVwhw');
    const signer = await InMemorySigner.fromSecretKey(b58Encode(ed.secret, PrefixV2.Ed25519Seed));
    expect(toHex(outcome.signed.signedData ?? new Uint8Array())).toBe((await signer.sign(tz1, Uint8Array.of(3))).sbytes);
    const [content] = (await localForger.parse(tz1)).contents;
    expect(outcome.unsigned.summary).toEqual({
      complete: true,
      effects: [{ kind: 'transfer', to: (content as { destination: string }).destination, amount: 1_000_000n, asset: 'native' }],
      fee: 412n,
    });
  });

  test('addresses are those of taquito', async () => {
    expect(await addressOf(ed.key, 'Tezos')).toBe('tz1N7tYGMGs3GGjeJAJKtbycAWcvoPNSUYgu');
    expect(await addressOf(secp.key, 'TezosGhostnet')).toBe('tz2EGo71xkS1SD9BEBvtWbGe4GdZvxn3nnXm');
    expect([accountOf(ed), accountOf(secp)]).toEqual([await addressOf(ed.key, 'Tezos'), await addressOf(secp.key, 'Tezos')]);
  });

  test('says what operations do', async () => {
    const to = 'tz1burnburnburnburnburnburnburjAYjjX';
    const delegation = { kind: 'delegation', ...common(ed), delegate: to, storage_limit: '2' } as Content;
    expect(await summaryOf(transfer(ed), delegation, { kind: 'reveal', ...common(ed), public_key: publicKeyOf(ed) } as Content)).toEqual({
      complete: true,
      effects: [
        { kind: 'transfer', to, amount: 1n, asset: 'native' },
        { kind: 'control', to },
      ],
      fee: 3n * 416n + 500n,
    });
  });

  const contract = 'KT1XM8VUFBiM9AC5czWU15fEeE9nmuEYWt3Y';
  test.each<[string, object, readonly object[]]>([
    [
      'a call of a contract',
      { destination: contract, amount: '0', parameters: { entrypoint: 'transfer', value: { int: '5' } } },
      [{ kind: 'call', contract, method: 'transfer' }],
    ],
    [
      'a payment to a contract, whose code runs',
      { destination: contract },
      [
        { kind: 'transfer', to: contract, amount: 1n, asset: 'native' },
        { kind: 'call', contract, method: 'default' },
      ],
    ],
    [
      'staking',
      { destination: accountOf(ed), amount: '5', parameters: { entrypoint: 'stake', value: { prim: 'Unit' } } },
      [
        { kind: 'transfer', to: accountOf(ed), amount: 5n, asset: 'native' },
        { kind: 'call', contract: accountOf(ed), method: 'stake' },
      ],
    ],
  ])('shows %s, and is incomplete', async (_, more, effects) => {
    expect(await summaryOf(transfer(ed, more), transfer(ed))).toMatchObject({
      complete: false,
      effects: [...effects, { kind: 'transfer' }],
    });
  });

  test.each<[string, () => Promise<object>, string]>([
    [
      'of another source',
      () => requestOf(transfer(secp)),
      `the source of an operation is ${accountOf(secp)}, this key is ${accountOf(ed)}`,
    ],
    ['with one operation of another source', () => requestOf(transfer(ed), transfer(secp)), 'the source of an operation is'],
    [
      'that reveals another key',
      () =>
        requestOf({
          kind: 'reveal',
          ...common(ed),
          public_key: publicKeyOf(localSigner('EdDSA/ed25519', new Uint8Array(32).fill(3))),
        } as Content),
      'reveals another public key',
    ],
    [
      'of a kind that is not read',
      () => requestOf({ kind: 'register_global_constant', ...common(ed), value: { int: '1' } } as Content),
      'operation kind 111 is not signed here',
    ],
    ['as JSON', async () => ({ kind: 'Transaction', blockchainKind: 'Tezos', transaction: { branch } }), 'the hex of a forged operation'],
    [
      'of another kind of request',
      async () => ({ kind: 'Message', blockchainKind: 'Tezos', message: '00' }),
      'kind Message is not signed for Tezos: Transaction and Hash are',
    ],
    ['of too many operations', () => requestOf(...Array.from({ length: 257 }, () => transfer(ed))), 'more than 256 operations'],
    [
      'with a watermark before it',
      async () => ({
        kind: 'Transaction',
        blockchainKind: 'Tezos',
        transaction: to0x(concat(Uint8Array.of(3), hexBytes(String((await requestOf(transfer(ed))).transaction)))),
      }),
      'expected a forged operation',
    ],
  ])('refuses one %s', async (_, request, message) => {
    expect((await refusalOf(ed, await request()))?.message).toContain(message);
  });
});
