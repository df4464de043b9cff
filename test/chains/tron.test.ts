/** Tron against tronweb, and the sample of the public documentation. */

import { utils } from 'tronweb';
import { describe, expect, test } from 'vitest';
import { concat, fromBigInt, fromHex, to0x, toHex, utf8 } from '../../src/base/bytes.ts';
import type { Effect } from '../../src/chains/chain.ts';
import { bytesField } from '../../src/chains/encodings/protobuf.ts';
import { addressOf, parseRequest } from '../../src/chains/index.ts';
import { chainConforms, type Outcome, refusalOf, signed } from '../conformance/chain.ts';
import { type Random, randomOf } from '../support/random.ts';
import { type LocalSigner, localSigner } from '../support/wholeKey.ts';

type Fields = Record<string, unknown>;

const keyType = 'ECDSA/secp256k1';
const hexBytes = (hex: string) => fromHex(hex) ?? new Uint8Array();
const alice = localSigner(keyType, hexBytes('ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'));
/** 21 bytes of hex, as tronweb writes addresses inside of transactions. */
const accountOf = ({ secret }: LocalSigner) => toHex(Uint8Array.from(utils.crypto.getAddressFromPriKey([...secret])));
const accountNamed = (seed: string) => toHex(concat(Uint8Array.of(0x41), randomOf(seed).bytes(20)));
const base58 = (account: string) => utils.crypto.getBase58CheckAddress([...hexBytes(account)]);
const own = accountOf(alice);
const [to, token, third] = [accountNamed('to'), accountNamed('token'), accountNamed('third')];

/** The parts of tronweb that have no types. */
interface Protobuf {
  serializeBinary(): Uint8Array;
}
const proto = utils.transaction as unknown as {
  txJsonToPb(transaction: unknown): Protobuf & { getRawData(): Protobuf };
  txPbToTxID(transaction: Protobuf): string;
};

interface Draft {
  readonly type: string;
  readonly value: Fields;
  readonly raw?: Fields;
  readonly permissionId?: number;
}

function encoded({ type, value, raw = {}, permissionId }: Draft) {
  const contract = {
    type,
    parameter: { value: { owner_address: own, ...value } },
    ...(permissionId === undefined ? {} : { Permission_id: permissionId }),
  };
  const block = {
    ref_block_bytes: '2722',
    ref_block_hash: 'b142ad939b228d78',
    expiration: 1_700_000_000_000,
    timestamp: 1_699_999_000_000,
  };
  return proto.txJsonToPb({ raw_data: { contract: [contract], ...block, ...raw } });
}

const bytesFor = (draft: Draft) => new Uint8Array(encoded(draft).serializeBinary());
const requestOf = (bytes: Uint8Array) => ({ kind: 'Transaction', network: 'Tron', transaction: to0x(bytes) });
const outcomeOf = (draft: Draft) => signed(alice, requestOf(bytesFor(draft)));
const summaryOf = async (draft: Draft) => (await outcomeOf(draft)).unsigned.summary;

const pay = (value: Fields = {}): Draft => ({ type: 'TransferContract', value: { to_address: to, amount: 5, ...value } });
const trigger = (value: Fields = {}): Draft => ({
  type: 'TriggerSmartContract',
  value: { contract_address: token, call_value: 0, data: calling('a9059cbb', word(to), word(7n)), ...value },
  raw: { fee_limit: 100_000_000 },
});
/** An address of Tron stands in arguments without its prefix. */
const word = (value: string | bigint) =>
  typeof value === 'bigint' ? fromBigInt(value, 32) : concat(new Uint8Array(12), hexBytes(value).subarray(1));
const calling = (selector: string, ...words: readonly Uint8Array[]) => toHex(concat(hexBytes(selector), ...words));
const permission = (type: string, ...keys: readonly string[]) => ({
  type,
  id: type === 'Owner' ? 0 : 2,
  permission_name: type.toLowerCase(),
  threshold: 1,
  keys: keys.map((address) => ({ address, weight: 1 })),
  ...(type === 'Active' && { operations: '7fff1fc0033e0000000000000000000000000000000000000000000000000000' }),
});

function randomDraft(random: Random, account: string): Draft {
  const address = () => toHex(concat(Uint8Array.of(0x41), random.bytes(20)));
  const amount = () => 1 + random.int(2 ** 50);
  const resource = random.pick(['BANDWIDTH', 'ENERGY']);
  const data = () => toHex(concat(random.pick([hexBytes('a9059cbb'), random.bytes(4)]), random.bytes(32 * random.int(5))));
  const [type, value] = random.pick<() => readonly [string, Fields]>([
    () => ['TransferContract', { to_address: address(), amount: amount() }],
    () => [
      'TransferAssetContract',
      { to_address: address(), amount: amount(), asset_name: toHex(utf8(String(1_000_001 + random.int(999)))) },
    ],
    () => ['TriggerSmartContract', { contract_address: address(), call_value: random.pick([0, amount()]), data: data() }],
    () => [
      'TriggerSmartContract',
      { contract_address: address(), call_value: 0, data: data(), call_token_value: amount(), token_id: 1_000_001 },
    ],
    () => ['FreezeBalanceV2Contract', { frozen_balance: amount(), resource }],
    () => ['UnfreezeBalanceV2Contract', { unfreeze_balance: amount(), resource }],
    () => ['VoteWitnessContract', { votes: [{ vote_address: address(), vote_count: 1 + random.int(1000) }] }],
    () => ['DelegateResourceContract', { receiver_address: address(), balance: amount(), resource, lock: random.bool(), lock_period: 0 }],
    () => ['WithdrawBalanceContract', {}],
    () => ['CancelAllUnfreezeV2Contract', {}],
    () => ['AccountUpdateContract', { account_name: toHex(random.bytes(8)) }],
    () => ['SetAccountIdContract', { account_id: toHex(random.bytes(8)) }],
    () => [
      'AccountPermissionUpdateContract',
      { owner: permission('Owner', account, address()), actives: [permission('Active', address())] },
    ],
  ])();
  const raw = {
    ref_block_bytes: toHex(random.bytes(2)),
    ref_block_hash: toHex(random.bytes(8)),
    ...(random.bool() ? { data: toHex(random.bytes(1 + random.int(30))) } : {}),
    ...(random.bool() ? { fee_limit: amount() } : {}),
  };
  return { type, value: { owner_address: account, ...value }, raw, ...(random.bool() ? { permissionId: 2 + random.int(8) } : {}) };
}

/** As tronweb signs with the same key. */
function verify({
  body,
  signer,
  signed: {
    encoded: [signature = new Uint8Array()],
    signedData = new Uint8Array(),
    txHash,
  },
}: Outcome): void {
  const transaction = 'transaction' in body ? hexBytes(String(body.transaction)) : new Uint8Array();
  const theirs = utils.crypto.signTransaction(toHex(signer.secret), { txID: txHash } as never) as { signature: readonly string[] };
  expect(theirs.signature.map((one) => one.toLowerCase())).toEqual([toHex(signature)]);
  expect(utils.crypto.ecRecover(String(txHash), toHex(signature)).toLowerCase()).toBe(accountOf(signer));
  expect(toHex(signedData)).toBe(toHex(concat(transaction, bytesField(2, signature))));
}

/** The transaction of tronweb by the bytes that were made of it. */
const txIds = new Map<string, string>();

chainConforms('Tron', [
  {
    name: 'Transaction',
    keyType,
    request: (random, signer) => {
      const transaction = encoded(randomDraft(random, accountOf(signer)));
      const request = requestOf(new Uint8Array(transaction.serializeBinary()));
      txIds.set(request.transaction, proto.txPbToTxID(transaction));
      return request;
    },
    verify(outcome) {
      verify(outcome);
      expect(`0x${outcome.signed.txHash}`).toBe(txIds.get('transaction' in outcome.body ? String(outcome.body.transaction) : ''));
    },
    encodedIn: 'transaction',
  },
  {
    name: 'Message',
    keyType,
    request: (random) => ({ kind: 'Message', blockchainKind: 'Tron', message: to0x(random.bytes(random.int(300))) }),
    verify({
      body,
      signer,
      signed: {
        encoded: [signature = new Uint8Array()],
      },
    }) {
      const message = 'message' in body ? hexBytes(String(body.message)) : new Uint8Array();
      expect(utils.message.verifyMessage(message, to0x(signature))).toBe(base58(accountOf(signer)));
    },
  },
]);

describe('Tron', () => {
  test('signs the transaction of the public documentation', async () => {
    const unsigned =
      '0a83010a0227f52208511ce7ed0476508040c8d9e1a9cf315a65080112610a2d747970652e676f6f676c65617069732e636f6d2f70726f746f636f6c2e5472616e73666572436f6e747261637412300a15419d31b91d72b58d7c8c02a7124410e168989f372d12154102a69d5d85c05864dc6fd74f57db3fa37aff7b94180170e884dea9cf31';
    const encodedSignature =
      'a7c36732ea21596a533ad44e1d2f5eff72ae3d178225a0cdb9869ff3954a389837b7f22f119801ce5fe1723f3a397254ba8f968ba5ad63e66404caf7506669681c';
    const txId = '22b046f221ad2ac4563730db011a3df35241412a4948d3163e6e4f9f8ca41bf6';
    const { secp256k1 } = await import('@noble/curves/secp256k1.js');
    const [r, s] = [hexBytes(encodedSignature).slice(0, 32), hexBytes(encodedSignature).slice(32, 64)];
    const publicKey = secp256k1.Signature.fromBytes(concat(r, s), 'compact')
      .addRecoveryBit(1)
      .recoverPublicKey(hexBytes(txId))
      .toBytes(true);
    const key = { keyType, publicKey } as const;
    expect(await addressOf(key, 'Tron')).toBe('TQJNezrbfJ3akrGgR7eM2fWyFpsKeM8wzN');
    const parsed = await parseRequest({ kind: 'Transaction', blockchainKind: 'Tron', transaction: unsigned }, key);
    expect(parsed.payloads.map(({ bytes }) => toHex(bytes))).toEqual([txId]);
    expect(parsed.summary).toMatchObject({ complete: true, effects: [{ kind: 'transfer', amount: 1n, asset: 'native' }] });
    const result = parsed.assemble([{ r, s, recid: 1 }]);
    expect(result.encoded.map(toHex)).toEqual([encodedSignature]);
    expect(toHex(result.signedData ?? new Uint8Array())).toBe(`${unsigned}1241${encodedSignature}`);
    expect(result.txHash).toBe(txId);
  });

  test('signs a message to the digest that tronweb signs', async () => {
    const { unsigned } = await signed(alice, { kind: 'Message', network: 'TronNile', message: to0x(utf8('I love Dfns')) });
    expect(unsigned.payloads.map(({ bytes }) => toHex(bytes))).toEqual([
      'b556c673099b41c244c08bc34d3a4a45246047ea5abb8e0b4e0b9327078fbd72',
    ]);
    expect(utils.message.hashMessage('I love Dfns')).toBe('0xb556c673099b41c244c08bc34d3a4a45246047ea5abb8e0b4e0b9327078fbd72');
    expect(unsigned.summary).toEqual({ complete: false, effects: [] });
  });

  test('addresses are those of tronweb', async () => {
    expect(await addressOf(alice.key, 'Tron')).toBe('TYBNgWfhGuNzdLtjKtxXTfskAhTbMcqbaG');
    const signer = localSigner(keyType, randomOf('another').bytes(32));
    expect(await addressOf(signer.key, 'TronNile')).toBe(base58(accountOf(signer)));
  });

  test('puts its signature behind those that are there', async () => {
    const bytes = concat(bytesFor(pay()), bytesField(2, new Uint8Array(65).fill(1)));
    const { signed: result } = await signed(alice, requestOf(bytes));
    expect(toHex(result.signedData ?? new Uint8Array())).toBe(toHex(concat(bytes, bytesField(2, result.encoded[0] ?? new Uint8Array()))));
  });
});

describe('says what a transaction does', () => {
  const [receiver, contract] = [base58(to), base58(token)];
  const transfer = (amount: bigint, asset = 'native', by = receiver): Effect => ({ kind: 'transfer', to: by, amount, asset });
  const call = (method: string): Effect => ({ kind: 'call', contract, method });

  test.each<[string, Draft, readonly Effect[]]>([
    ['pays TRX', pay(), [transfer(5n)]],
    [
      'pays a token by its id',
      { type: 'TransferAssetContract', value: { to_address: to, amount: 6, asset_name: toHex(utf8('1002000')) } },
      [transfer(6n, '1002000')],
    ],
    ['pays a token of a contract', trigger(), [call('transfer(address,uint256)'), transfer(7n, contract)]],
    [
      'pays a token and TRX, and a token by its id besides',
      trigger({ call_value: 8, call_token_value: 9, token_id: 1_002_000 }),
      [transfer(8n, 'native', contract), transfer(9n, '1002000', contract), call('transfer(address,uint256)'), transfer(7n, contract)],
    ],
    [
      'lets another spend',
      trigger({ data: calling('39509351', word(to), word(2n ** 256n - 1n)) }),
      [call('increaseAllowance(address,uint256)'), { kind: 'allowance', spender: receiver, amount: 2n ** 256n - 1n, asset: contract }],
    ],
    [
      'gives the account to others',
      {
        type: 'AccountPermissionUpdateContract',
        value: { owner: permission('Owner', own, to), actives: [permission('Active', third, to)] },
      },
      [
        { kind: 'control', to: receiver },
        { kind: 'control', to: base58(third) },
      ],
    ],
    [
      'keeps the account',
      { type: 'AccountPermissionUpdateContract', value: { owner: permission('Owner', own), actives: [permission('Active', own)] } },
      [],
    ],
    ['has a memo, whatever it says', { ...pay(), raw: { data: toHex(utf8('send more')) } }, [transfer(5n)]],
  ])('when it %s', async (_, draft, effects) => {
    const { complete, effects: seen } = await summaryOf(draft);
    expect({ complete, effects: seen }).toEqual({ complete: true, effects });
  });

  test('when it lets another spend, or take what it was let: an amount, or an item', async () => {
    const approve = await summaryOf(trigger({ data: calling('095ea7b3', word(to), word(3n)) }));
    expect(approve).toMatchObject({
      complete: true,
      effects: [{}, { kind: 'allowance', spender: receiver, amount: 3n, asset: contract }, {}],
    });
    const take = await summaryOf(trigger({ data: calling('23b872dd', word(third), word(to), word(3n)) }));
    expect(take).toMatchObject({ complete: true, effects: [{}, transfer(3n, contract), {}] });
  });

  test.each<[string, Draft, readonly Effect[]]>([
    ['a call that is not known', trigger({ data: 'd73dd623' }), [call('0xd73dd623')]],
    [
      'a call with something behind it',
      trigger({ data: `${calling('a9059cbb', word(to), word(7n))}00` }),
      [call('transfer(address,uint256)')],
    ],
    [
      'a receiver with something before it, as old libraries write it',
      trigger({ data: calling('a9059cbb', concat(new Uint8Array(11), hexBytes(to)), word(7n)) }),
      [call('transfer(address,uint256)')],
    ],
    ['code that runs without data', trigger({ data: '', call_value: 5 }), [transfer(5n, 'native', contract), { kind: 'call', contract }]],
    ['a stake', { type: 'FreezeBalanceV2Contract', value: { frozen_balance: 5, resource: 'ENERGY' } }, []],
    ['resources for another', { type: 'DelegateResourceContract', value: { receiver_address: to, balance: 5, resource: 'ENERGY' } }, []],
    ['a vote', { type: 'VoteWitnessContract', value: { votes: [{ vote_address: to, vote_count: 1 }] } }, []],
    ['a new account', { type: 'AccountCreateContract', value: { account_address: to } }, []],
  ])('as incomplete with %s', async (_, draft, effects) => {
    const { complete, effects: seen } = await summaryOf(draft);
    expect({ complete, effects: seen }).toEqual({ complete: false, effects });
  });

  test('and what it costs at most', async () => {
    const feeOf = async (draft: Draft) => {
      const { unsigned, signed: result } = await outcomeOf(draft);
      const bandwidth = 1000n * BigInt((result.signedData?.length ?? 0) + 64);
      return unsigned.summary.fee === undefined ? undefined : unsigned.summary.fee - bandwidth;
    };
    expect(await feeOf(pay())).toBe(1_100_000n);
    expect(await feeOf({ ...pay(), raw: { data: 'ab' } })).toBe(2_100_000n);
    expect(await feeOf({ ...pay(), permissionId: 2 })).toBe(2_100_000n);
    expect(await feeOf(trigger())).toBe(100_000_000n);
    expect(await feeOf({ type: 'WitnessCreateContract', value: { url: 'ab' } })).toBeUndefined();
  });
});

describe('refuses', () => {
  const bytes = bytesFor(pay());
  const raw = new Uint8Array(encoded(pay()).getRawData().serializeBinary());
  const ofRaw = (rawData: Uint8Array) => requestOf(bytesField(1, rawData));
  const replaced = (from: string, by: string) => ofRaw(hexBytes(toHex(raw).replace(from, by)));
  const signature = bytesField(2, new Uint8Array(65));
  const transferType = '5a650801';
  const transferName = toHex(utf8('protocol.TransferContract'));

  test.each<[string, object, string]>([
    [
      'another owner',
      requestOf(bytesFor(pay({ owner_address: third }))),
      `the owner_address is ${base58(third)}, this key is ${base58(own)}`,
    ],
    [
      'another owner, where it is not the first field',
      requestOf(bytesFor({ type: 'AccountUpdateContract', value: { owner_address: third, account_name: 'ab' } })),
      'the owner_address is',
    ],
    [
      'an owner that is no address',
      requestOf(bytesFor(pay({ owner_address: `42${own.slice(2)}` }))),
      'its owner_address is no address of Tron',
    ],
    ['a receiver that is no address', requestOf(bytesFor(pay({ to_address: `00${to.slice(2)}` }))), 'its to_address is no address of Tron'],
    ['raw data alone', requestOf(raw), 'expected a Tron transaction'],
    ['nothing', requestOf(signature), 'it has no raw_data'],
    ['two contracts', ofRaw(concat(raw.subarray(0, -7), raw.subarray(raw.indexOf(0x5a), -7), raw.subarray(-7))), 'exactly one contract'],
    ['no contract', ofRaw(raw.subarray(0, raw.indexOf(0x5a))), 'exactly one contract'],
    [
      'a type that is not that of its parameter',
      replaced(transferType, '5a65081f'),
      'its type is TriggerSmartContract, its parameter "type.googleapis.com/protocol.TransferContract"',
    ],
    ['a type that nobody knows', replaced(transferType, '5a650833'), 'contracts of type 51 are not signed here'],
    [
      'a parameter of another host',
      replaced(toHex(utf8('type.googleapis.com')), toHex(utf8('type.googleapis.cox'))),
      'its type is TransferContract',
    ],
    [
      'a parameter of a type that nobody knows',
      replaced(transferName, toHex(utf8('protocol.TransferContracu'))),
      'its type is TransferContract',
    ],
    ['a field of later versions', ofRaw(concat(raw, Uint8Array.of(0x98, 1, 1))), 'it has an unknown field 19'],
    ['authorities of old', ofRaw(concat(raw, bytesField(9, new Uint8Array(1)))), 'it has an unknown field 9'],
    ['results', requestOf(concat(bytes, bytesField(5, new Uint8Array(1)))), 'it has an unknown field 5'],
    ['fields in another order', ofRaw(concat(raw, bytesField(10, new Uint8Array(1)))), 'field 10 is behind field 14'],
    ['a field that is empty', ofRaw(concat(raw, Uint8Array.of(0x90, 1, 0))), 'field 18 is there, and empty'],
    ['a field twice', ofRaw(concat(raw, Uint8Array.of(0x90, 1, 1, 0x90, 1, 2))), 'field 18 is there more than once'],
    [
      'an amount that is negative',
      requestOf(bytesFor(pay({ amount: -5 }))),
      'expected a TransferContract: the amount in field 3 is negative',
    ],
    [
      'a token by a name',
      requestOf(bytesFor({ type: 'TransferAssetContract', value: { to_address: to, amount: 6, asset_name: toHex(utf8('native')) } })),
      '"native" is not the id of a token',
    ],
    ['a signature of another length', requestOf(concat(bytes, bytesField(2, new Uint8Array(64)))), 'a signature has 65 bytes'],
    ['a sixth signature', requestOf(concat(bytes, ...Array.from({ length: 5 }, () => signature))), 'it has 5 signatures already'],
    ['JSON', { kind: 'Transaction', network: 'Tron', transaction: { raw_data: {} } }, 'the hex of a protobuf Transaction'],
    [
      'another kind',
      { kind: 'Eip191', network: 'Tron', message: '00' },
      'kind Eip191 is not signed for Tron: Transaction, Message and Hash are',
    ],
  ])('%s', async (_, request, message) => {
    expect((await refusalOf(alice, request))?.message).toContain(message);
  });

  test('a key of another type', async () => {
    const ed = localSigner('EdDSA/ed25519', randomOf('ed').bytes(32));
    expect((await refusalOf(ed, requestOf(bytes)))?.message).toBe('a EdDSA key on ed25519 does not sign here');
  });
});
