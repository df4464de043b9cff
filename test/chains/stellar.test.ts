/** Stellar against its own SDK, and the sample of the public documentation. */

import {
  Account,
  Asset,
  Claimant,
  type FeeBumpTransaction,
  Keypair,
  Memo,
  MuxedAccount,
  nativeToScVal,
  Operation,
  StrKey,
  type Transaction,
  TransactionBuilder,
} from '@stellar/stellar-sdk';
import { describe, expect, test } from 'vitest';
import { fromHex, to0x, toHex } from '../../src/base/bytes.ts';
import { addressOf, parseRequest } from '../../src/chains/index.ts';
import { chainConforms, type Outcome, refusalOf, signed } from '../conformance/chain.ts';
import type { Random } from '../support/random.ts';
import { type LocalSigner, localSigner } from '../support/wholeKey.ts';

const keyType = 'EdDSA/ed25519';
const passphrase = 'Test SDF Network ; September 2015';
const alice = localSigner(keyType, fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60') ?? new Uint8Array());
const bob = localSigner(keyType, new Uint8Array(32).fill(7));
const pairOf = ({ secret }: LocalSigner) => Keypair.fromRawEd25519Seed(Buffer.from(secret));
const accountOf = (signer: LocalSigner) => pairOf(signer).publicKey();
const [from, to] = [accountOf(alice), accountOf(bob)];
const usd = new Asset('USD', to);

type Op = ReturnType<typeof Operation.payment>;
function transactionOf(
  operations: readonly Op[],
  options: { source?: string; fee?: string; memo?: Memo; passphrase?: string } = {},
): Transaction {
  const { source = from, fee = '100', memo, passphrase: networkPassphrase = passphrase } = options;
  const builder = new TransactionBuilder(new Account(source, '41'), { fee, networkPassphrase, ...(memo && { memo }) });
  for (const operation of operations) builder.addOperation(operation);
  return builder.setTimeout(300).build();
}

const hexOf = (transaction: Transaction | FeeBumpTransaction) => `0x${transaction.toEnvelope().toXDR('hex')}`;
const requestOf = (transaction: Transaction | FeeBumpTransaction | string) => ({
  kind: 'Transaction',
  network: 'StellarTestnet',
  transaction: typeof transaction === 'string' ? transaction : hexOf(transaction),
});
const payment = (destination = to, amount = '5', asset = Asset.native(), source?: string) =>
  Operation.payment({ destination, amount, asset, ...(source && { source }) });
const summaryOf = async (...operations: readonly Op[]) => (await signed(alice, requestOf(transactionOf(operations)))).unsigned.summary;

function randomOperation(random: Random, own: string): Op {
  const account = () => StrKey.encodeEd25519PublicKey(Buffer.from(random.bytes(32)));
  const destination = () =>
    random.bool()
      ? account()
      : MuxedAccount.fromAddress(new MuxedAccount(new Account(account(), '1'), random.bigint(60).toString()).accountId(), '1').accountId();
  const asset = () => random.pick([() => Asset.native(), () => new Asset('USDC', account()), () => new Asset('LONGERCODE12', account())])();
  const amount = () => (Number(1n + random.bigint(40)) / 1e7).toFixed(7);
  const price = () => ({ n: 1 + random.int(1000), d: 1 + random.int(1000) });
  const scValue = () => nativeToScVal({ a: [random.int(9), 'text', random.bytes(5)], b: { c: random.bigint(60), d: null, e: true } });
  const source = random.bool() ? {} : { source: own };
  return random.pick<() => Op>([
    () => Operation.payment({ destination: destination(), asset: asset(), amount: amount(), ...source }),
    () => Operation.createAccount({ destination: account(), startingBalance: amount(), ...source }),
    () =>
      Operation.pathPaymentStrictReceive({
        sendAsset: asset(),
        sendMax: amount(),
        destination: destination(),
        destAsset: asset(),
        destAmount: amount(),
        path: random.list(5, asset),
        ...source,
      }),
    () =>
      Operation.pathPaymentStrictSend({
        sendAsset: asset(),
        sendAmount: amount(),
        destination: destination(),
        destAsset: asset(),
        destMin: amount(),
        path: random.list(5, asset),
      }),
    () => Operation.manageSellOffer({ selling: asset(), buying: asset(), amount: amount(), price: price(), offerId: random.int(99) }),
    () => Operation.manageBuyOffer({ selling: asset(), buying: asset(), buyAmount: amount(), price: price() }),
    () => Operation.createPassiveSellOffer({ selling: asset(), buying: asset(), amount: amount(), price: price() }),
    () =>
      Operation.setOptions({ homeDomain: 'example.org', masterWeight: random.int(9), signer: { ed25519PublicKey: account(), weight: 1 } }),
    () => Operation.setOptions({ signer: { sha256Hash: Buffer.from(random.bytes(32)), weight: 1 } }),
    () => Operation.changeTrust({ asset: new Asset('EURT', account()), limit: amount() }),
    () => Operation.accountMerge({ destination: destination() }),
    () => Operation.inflation({}),
    () =>
      Operation.manageData({
        name: 'n'.repeat(1 + random.int(64)),
        value: random.bool() ? Buffer.from(random.bytes(random.int(65))) : null,
      }),
    () => Operation.bumpSequence({ bumpTo: random.bigint(60).toString() }),
    () =>
      Operation.createClaimableBalance({
        asset: asset(),
        amount: amount(),
        claimants: [
          new Claimant(account()),
          new Claimant(
            account(),
            Claimant.predicateNot(Claimant.predicateAnd(Claimant.predicateBeforeRelativeTime('60'), Claimant.predicateUnconditional())),
          ),
        ],
      }),
    () => Operation.claimClaimableBalance({ balanceId: `00000000${toHex(random.bytes(32))}` }),
    () => Operation.beginSponsoringFutureReserves({ sponsoredId: account() }),
    () => Operation.endSponsoringFutureReserves({}),
    () => Operation.revokeTrustlineSponsorship({ account: account(), asset: new Asset('X', account()) }),
    () => Operation.revokeDataSponsorship({ account: account(), name: 'x' }),
    () => Operation.revokeSignerSponsorship({ account: account(), signer: { preAuthTx: Buffer.from(random.bytes(32)) } }),
    () => Operation.clawback({ asset: new Asset('X', account()), from: account(), amount: amount() }),
    () => Operation.setTrustLineFlags({ trustor: account(), asset: new Asset('X', account()), flags: { authorized: true } }),
    () =>
      Operation.liquidityPoolDeposit({
        liquidityPoolId: toHex(random.bytes(32)),
        maxAmountA: amount(),
        maxAmountB: amount(),
        minPrice: price(),
        maxPrice: price(),
      }),
    () =>
      Operation.liquidityPoolWithdraw({
        liquidityPoolId: toHex(random.bytes(32)),
        amount: amount(),
        minAmountA: amount(),
        minAmountB: amount(),
      }),
    () =>
      Operation.invokeContractFunction({
        contract: StrKey.encodeContract(Buffer.from(random.bytes(32))),
        function: 'transfer',
        args: random.list(4, scValue),
      }),
    () => Operation.uploadContractWasm({ wasm: Buffer.from(random.bytes(random.int(200))) }),
    () => Operation.extendFootprintTtl({ extendTo: random.int(9999) }),
    () => Operation.restoreFootprint({}),
  ])();
}

function randomTransaction(random: Random, signer: LocalSigner): Transaction {
  const own = accountOf(signer);
  const memo = random.pick([
    Memo.none(),
    Memo.text('x'.repeat(random.int(29))),
    Memo.id(random.bigint(60).toString()),
    Memo.hash(Buffer.from(random.bytes(32))),
  ]);
  const operations = [randomOperation(random, own), ...random.list(4, () => randomOperation(random, own))];
  const transaction = transactionOf(operations, { source: own, fee: String(100 + random.int(10_000)), memo });
  for (let i = random.int(3); i > 0; i--) transaction.sign(Keypair.fromRawEd25519Seed(Buffer.from(random.bytes(32))));
  return transaction;
}

function verify({ body, signer, signed: { encoded, signedData, txHash } }: Outcome): void {
  const before = TransactionBuilder.fromXDR(
    Buffer.from('transaction' in body ? String(body.transaction).slice(2) : '', 'hex').toString('base64'),
    passphrase,
  );
  const after = TransactionBuilder.fromXDR(Buffer.from(signedData ?? []).toString('base64'), passphrase);
  expect(after.hash()).toEqual(before.hash());
  expect(txHash).toBe(toHex(before.hash()));
  expect(pairOf(signer).verify(after.hash(), Buffer.from(encoded[0] ?? []))).toBe(true);
  before.sign(pairOf(signer));
  expect(to0x(signedData ?? new Uint8Array())).toBe(hexOf(before));
}

chainConforms('Stellar', [
  {
    name: 'Transaction, V1',
    keyType,
    request: (random, signer) => requestOf(randomTransaction(random, signer)),
    verify,
    encodedIn: 'transaction',
  },
  {
    name: 'Transaction, fee bump',
    keyType,
    request: (random, signer) =>
      requestOf(
        TransactionBuilder.buildFeeBumpTransaction(
          pairOf(signer),
          String(20_000 + random.int(9)),
          randomTransaction(random, bob),
          passphrase,
        ),
      ),
    verify,
    encodedIn: 'transaction',
  },
]);

describe('Stellar', () => {
  const sample =
    '0x0000000500000000d6319d6ad33ba335eb96bf1355a5d930d95f2894067023e15d6046eb698de33700000000000001900000000200000000d6319d6ad33ba335eb96bf1355a5d930d95f2894067023e15d6046eb698de337000000640013442f00000039000000010000000000000000000000006630fac3000000010000001054657374205472616e73616374696f6e00000001000000000000000100000000d6319d6ad33ba335eb96bf1355a5d930d95f2894067023e15d6046eb698de3370000000000000000000000640000000000000001698de33700000040d3c6d585afb419d91e35576327b084515a4e38cf80b1614923b60c09161db46d7624cdc5fcbde7077db82121f421f1d1ab5365c2d949680fe0decbd2c5b7a9080000000000000000';

  test('makes of the documented signature the documented signed data', async () => {
    const publicKey = fromHex('d6319d6ad33ba335eb96bf1355a5d930d95f2894067023e15d6046eb698de337') ?? new Uint8Array();
    const signature =
      fromHex(
        '42d0aeedc08cf943a8d860eb5e5c93b07a18e438e07992f3113697faae876701885fa61a33137c7d5a95a22de2761efa6095ee29cb1fae6f933bcd80f2be1805',
      ) ?? new Uint8Array();
    const unsigned = await parseRequest({ kind: 'Transaction', transaction: sample, network: 'StellarTestnet' }, { keyType, publicKey });
    expect(unsigned.payloads.map(({ bytes }) => toHex(bytes))).toEqual([
      '1f9f03bb9925a05889ee7ff7a90b3edb3f5d36b9f664b5cae3529bab5ebc3107',
    ]);
    expect(unsigned.summary).toEqual({ complete: true, effects: [], fee: 400n });
    const { signedData } = unsigned.assemble([{ r: signature.subarray(0, 32), s: signature.subarray(32) }]);
    expect(to0x(signedData ?? new Uint8Array())).toBe(`${sample.slice(0, -8)}00000001698de33700000040${toHex(signature)}`);
  });

  test('hashes an envelope of version 0 as one of version 1', async () => {
    const v1 = transactionOf([payment()]);
    const hex = hexOf(v1).slice(2);
    const v0 = `00000000${hex.slice(16)}`; // without the kind of the source
    const outcome = await signed(alice, requestOf(v0));
    expect(outcome.signed.txHash).toBe(toHex(v1.hash()));
    const read = TransactionBuilder.fromXDR(Buffer.from(outcome.signed.signedData ?? []).toString('base64'), passphrase);
    expect(pairOf(alice).verify(read.hash(), Buffer.from(outcome.signed.encoded[0] ?? []))).toBe(true);
  });

  test('addresses are those of its SDK', async () => {
    expect(await addressOf(alice.key, 'Stellar')).toBe('GDLVVGABQKYQVN6VJP7NHSLEA45A5YLS6PNKMIZFV4BBU2HXA5IRVHUR');
    expect(await addressOf(bob.key, 'StellarTestnet')).toBe(to);
  });

  test('says what operations do', async () => {
    const muxed = new MuxedAccount(new Account(to, '1'), '77').accountId();
    const summary = await summaryOf(
      payment(muxed, '1.5'),
      payment(to, '2', usd),
      Operation.createAccount({ destination: to, startingBalance: '3' }),
      Operation.pathPaymentStrictReceive({
        sendAsset: usd,
        sendMax: '9',
        destination: to,
        destAsset: Asset.native(),
        destAmount: '1',
        path: [],
      }),
      Operation.createClaimableBalance({ asset: usd, amount: '4', claimants: [new Claimant(to)] }),
      Operation.accountMerge({ destination: to }),
      Operation.setOptions({ signer: { ed25519PublicKey: to, weight: 1 } }),
      Operation.changeTrust({ asset: usd }),
    );
    const transfer = (amount: bigint, asset: string) => ({ kind: 'transfer', to, amount, asset });
    expect(summary).toEqual({
      complete: true,
      effects: [
        transfer(15_000_000n, 'native'),
        transfer(20_000_000n, `USD.${to}`),
        transfer(30_000_000n, 'native'),
        transfer(90_000_000n, `USD.${to}`),
        transfer(40_000_000n, `USD.${to}`),
        { kind: 'control', to },
        { kind: 'control', to },
      ],
      fee: 800n,
    });
  });

  test.each<[string, Op]>([
    ['an offer', Operation.manageSellOffer({ selling: usd, buying: Asset.native(), amount: '1', price: '2' })],
    ['a change of thresholds', Operation.setOptions({ masterWeight: 0, signer: { ed25519PublicKey: to, weight: 1 } })],
    [
      'the call of a contract',
      Operation.invokeContractFunction({ contract: StrKey.encodeContract(Buffer.alloc(32, 1)), function: 'transfer', args: [] }),
    ],
    ['a sponsorship', Operation.beginSponsoringFutureReserves({ sponsoredId: to })],
    ['a jump of the sequence', Operation.bumpSequence({ bumpTo: '9223372036854775807' })],
  ])('is incomplete with %s', async (_, operation) => {
    expect((await summaryOf(operation)).complete).toBe(false);
    expect((await summaryOf(payment(), operation)).complete).toBe(false);
  });

  test('counts only what is this key’s: operations of others in one transaction do nothing to it', async () => {
    const theirs = transactionOf([payment(to, '5', Asset.native()), payment(to, '1', Asset.native(), from)], { source: to });
    expect((await signed(alice, requestOf(theirs))).unsigned.summary).toEqual({
      complete: true,
      effects: [{ kind: 'transfer', to, amount: 10_000_000n, asset: 'native' }],
    });
  });

  test.each<[string, () => object, string]>([
    [
      'without a network',
      () => ({ ...requestOf(transactionOf([payment()])), network: undefined, blockchainKind: 'Stellar' }),
      'network is required here',
    ],
    ['of another source', () => requestOf(transactionOf([payment(from)], { source: to })), `the source of the transaction is ${to}`],
    [
      'that bumps the fee by another',
      () => requestOf(TransactionBuilder.buildFeeBumpTransaction(pairOf(bob), '500', transactionOf([payment()]), passphrase)),
      `the fee of the fee bump is paid by ${to}`,
    ],
    [
      'with twenty signatures',
      () => {
        const full = transactionOf([payment()]);
        for (let i = 1; i <= 20; i++) full.sign(Keypair.fromRawEd25519Seed(Buffer.alloc(32, i)));
        return requestOf(full);
      },
      'has 20 signatures already',
    ],
    [
      'as JSON',
      () => ({ kind: 'Transaction', network: 'Stellar', transaction: { source: from } }),
      'the hex of an XDR TransactionEnvelope',
    ],
    [
      'with padding that is not zero',
      () => requestOf(hexOf(transactionOf([payment()], { memo: Memo.text('abc') })).replace('61626300', '61626301')),
      'padding is not zero',
    ],
    [
      'of a negative amount',
      () => requestOf(hexOf(transactionOf([payment(to, '5')])).replace('0000000002faf080', 'ffffffffffffffff')),
      'an amount of -1 is none',
    ],
    [
      'of an asset whose code hides another',
      () => requestOf(hexOf(transactionOf([payment(to, '5', usd)])).replace('55534400', '55004400')),
      'the code of an asset',
    ],
    ['as a message', () => ({ kind: 'Message', message: '00', network: 'Stellar' }), 'kind Message is not signed for Stellar'],
  ])('refuses one %s', async (_, request, message) => {
    expect((await refusalOf(alice, request()))?.message).toContain(message);
  });

  test('refuses what is nested too deep, without reading it', async () => {
    const invoke = Operation.invokeContractFunction({
      contract: StrKey.encodeContract(Buffer.alloc(32, 1)),
      function: 'f',
      args: [nativeToScVal([])],
    });
    const hex = hexOf(transactionOf([invoke]));
    // A vector in a vector, again and again: type 16, present, one item.
    const deep = hex.replace('000000100000000100000000', `${'000000100000000100000001'.repeat(5000)}00000001`);
    expect((await refusalOf(alice, requestOf(deep)))?.message).toContain('it is nested deeper than 64');
  });
});
