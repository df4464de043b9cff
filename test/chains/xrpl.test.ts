/** XRP Ledger against xrpl.js, and the sample of the public documentation. */

import { secp256k1 } from '@noble/curves/secp256k1.js';
import { decode, encode } from 'ripple-binary-codec';
import { describe, expect, test } from 'vitest';
import { deriveAddress, type Transaction, verifySignature, Wallet } from 'xrpl';
import { concat, fromHex, toHex } from '../../src/base/bytes.ts';
import type { Effect } from '../../src/chains/chain.ts';
import { addressOf, parseRequest } from '../../src/chains/index.ts';
import { networkTable } from '../../src/chains/networks.ts';
import { xrpl } from '../../src/chains/xrpl.ts';
import { chainConforms, type Outcome, refusalOf, signed } from '../conformance/chain.ts';
import { type Random, randomOf } from '../support/random.ts';
import { type LocalSigner, localSigner, type SigningKeyType } from '../support/wholeKey.ts';

type Fields = Record<string, unknown>;

const hexBytes = (hex: string) => fromHex(hex) ?? new Uint8Array();
const secp = localSigner('ECDSA/secp256k1', hexBytes('ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'));
const ed = localSigner('EdDSA/ed25519', hexBytes('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'));

/** As xrpl.js writes keys: those of ed25519 with 0xED before them, secrets of secp256k1 with a zero. */
const publicKeyOf = ({ key }: LocalSigner) => toHex(concat(Uint8Array.from(isEd(key) ? [0xed] : []), key.publicKey)).toUpperCase();
const walletOf = (signer: LocalSigner) =>
  new Wallet(publicKeyOf(signer), toHex(concat(Uint8Array.of(isEd(signer.key) ? 0xed : 0), signer.secret)).toUpperCase());
const isEd = ({ keyType }: { keyType: string }) => keyType === 'EdDSA/ed25519';
const addressNamed = (seed: string) => deriveAddress(publicKeyOf(localSigner('EdDSA/ed25519', randomOf(seed).bytes(32))));
const [own, to, issuer] = [deriveAddress(publicKeyOf(secp)), addressNamed('to'), addressNamed('issuer')];

const common = (account = own) => ({ Account: account, Fee: '12', Sequence: 7, LastLedgerSequence: 100 });
const payment = (more: Fields = {}): Fields => ({ TransactionType: 'Payment', ...common(), Destination: to, Amount: '5', ...more });
const without = (fields: Fields, name: string): Fields => Object.fromEntries(Object.entries(fields).filter(([field]) => field !== name));
const of = (type: string, more: Fields): Fields => ({ TransactionType: type, ...common(), ...more });
const usd = (value: string, by = issuer) => ({ currency: 'USD', issuer: by, value });
const where = { network: 'XrpLedger' } as const;
const requestOf = (fields: Fields, target: object = where) => ({ kind: 'Transaction', ...target, transaction: encode(fields) });
const summaryOf = async (fields: Fields) => (await signed(secp, requestOf(fields))).unsigned.summary;

function randomTransaction(random: Random, account: string): Fields {
  const address = () => deriveAddress(toHex(concat(Uint8Array.of(0xed), random.bytes(32))));
  const drops = () => String(random.bigint(56));
  const value = () => `${1 + random.int(2 ** 31)}e${random.int(40) - 20}`;
  const issued = () => ({
    currency: random.pick(['USD', 'EUR', toHex(random.bytes(20)).toUpperCase()]),
    issuer: address(),
    value: value(),
  });
  const amount = () => (random.bool() ? drops() : issued());
  const maybe = (fields: Fields) => (random.bool() ? fields : {});
  const memos = { Memos: [{ Memo: { MemoData: toHex(random.bytes(1 + random.int(40))).toUpperCase() } }] };
  const hash = () => toHex(random.bytes(32)).toUpperCase();
  const type = random.pick<() => Fields>([
    () => ({
      TransactionType: 'Payment',
      Destination: address(),
      Amount: amount(),
      ...maybe({ DestinationTag: random.int(2 ** 32) }),
      ...maybe({ SendMax: issued(), Paths: [[{ currency: 'EUR', issuer: address() }, { account: address() }]], Flags: 0x00020000 }),
    }),
    () => ({ TransactionType: 'CheckCreate', Destination: address(), SendMax: amount() }),
    () => ({ TransactionType: 'EscrowCreate', Destination: address(), Amount: drops(), FinishAfter: random.int(2 ** 32) }),
    () => ({ TransactionType: 'TrustSet', LimitAmount: issued(), ...maybe({ QualityIn: random.int(2 ** 32) }) }),
    () => ({ TransactionType: 'OfferCreate', TakerGets: amount(), TakerPays: amount() }),
    () => ({ TransactionType: 'AccountSet', ...maybe({ SetFlag: 1 + random.int(10), Domain: '6578616D706C65' }) }),
    () => ({ TransactionType: 'SetRegularKey', ...maybe({ RegularKey: address() }) }),
    () => ({
      TransactionType: 'SignerListSet',
      SignerQuorum: 2,
      SignerEntries: [1, 2].map((SignerWeight) => ({ SignerEntry: { Account: address(), SignerWeight } })),
    }),
    () => ({ TransactionType: 'AccountDelete', Destination: address() }),
    () => ({ TransactionType: 'NFTokenMint', NFTokenTaxon: 0, URI: toHex(random.bytes(10)).toUpperCase() }),
    () => ({ TransactionType: 'PaymentChannelClaim', Channel: hash(), Amount: drops(), Balance: drops() }),
    () => ({ TransactionType: 'CheckCash', CheckID: hash(), Amount: amount() }),
  ])();
  return {
    ...type,
    Account: account,
    Fee: String(random.bigint(30)),
    Sequence: random.int(2 ** 32),
    ...maybe({ LastLedgerSequence: random.int(2 ** 32) }),
    ...maybe(memos),
    ...maybe({ SourceTag: random.int(2 ** 32) }),
  };
}

/** As xrpl.js signs with the same key. */
function verify({ body, signer, signed: { encoded, signedData = new Uint8Array(), txHash } }: Outcome): void {
  const fields = decode('transaction' in body ? String(body.transaction) : '');
  const blob = toHex(signedData).toUpperCase();
  const theirs = walletOf(signer).sign(fields as unknown as Transaction);
  // To the byte: both sign with the nonces of RFC 6979.
  expect({ tx_blob: blob, hash: txHash }).toEqual(theirs);
  expect(verifySignature(blob)).toBe(true);
  expect(decode(blob).TxnSignature).toBe(toHex(encoded[0] ?? new Uint8Array()).toUpperCase());
}

chainConforms(
  'Xrpl',
  (['ECDSA/secp256k1', 'EdDSA/ed25519'] as const).map((keyType: SigningKeyType) => ({
    name: `Transaction, ${keyType}`,
    keyType,
    request: (random, signer) => {
      const fields = randomTransaction(random, deriveAddress(publicKeyOf(signer)));
      return requestOf(random.bool() ? { ...fields, SigningPubKey: publicKeyOf(signer) } : fields);
    },
    verify,
    encodedIn: 'transaction',
    // Fields stand in the order of their types: what ends between two of them may be whole.
    mayEndAt: (length, encoded) => isWhole(encoded.subarray(0, length)),
  })),
);

/** Whether the codec reads a transaction that has all it needs. */
function isWhole(bytes: Uint8Array): boolean {
  try {
    const fields = decode(toHex(bytes));
    return ['Account', 'Fee', 'Sequence'].every((name) => name in fields) && encode(fields) === toHex(bytes).toUpperCase();
  } catch {
    return false;
  }
}

describe('Xrpl', () => {
  test('signs the transaction of the public documentation', async () => {
    const signedData =
      '120000220000000024029a62a82e0001e240201b02a6242361400000000000000168400000000000000c732102790b1b6ab9bc9d816dda4d2d4528996a2c78ad90e176f87d48c6f5333989dbc374463044022062a635aa543697406c1b15e6ec33b8bba1c62ab741d255ad822fc6f45d6c2881022024737ad61088a13134a75556707f7f73fa830991a812810daeacf9dffbe92db08114860184b4f4c6cc17ae9c2a77cfcd328b43ec2aac8314543aba55a3bede29c5d512ff0cb17db626b9ed9a';
    const encoded =
      '3044022062a635aa543697406c1b15e6ec33b8bba1c62ab741d255ad822fc6f45d6c2881022024737ad61088a13134a75556707f7f73fa830991a812810daeacf9dffbe92db0';
    const { SigningPubKey, TxnSignature: _, ...fields } = decode(signedData);
    const key = { keyType: 'ECDSA/secp256k1', publicKey: hexBytes(String(SigningPubKey)) } as const;
    const unsigned = await parseRequest({ kind: 'Transaction', network: 'XrpLedgerTestnet', transaction: encode(fields) }, key);
    expect(unsigned.payloads.map(({ bytes }) => toHex(bytes))).toEqual([
      '4e5adfc8ccb5569834cd550218918535910884aaac9c34a8f7929a3a8b69f351',
    ]);
    const { r, s } = secp256k1.Signature.fromBytes(hexBytes(encoded), 'der');
    const bytes = (scalar: bigint) => hexBytes(scalar.toString(16).padStart(64, '0'));
    const result = unsigned.assemble([{ r: bytes(r), s: bytes(s), recid: 0 }]);
    expect(toHex(result.signedData ?? new Uint8Array())).toBe(signedData);
    expect(toHex(result.encoded[0] ?? new Uint8Array())).toBe(encoded);
    expect(await addressOf(key, 'XrpLedger')).toBe('rDDZ4U1GKtggdXKZAdr1i9t2dw72t2qBbb');
    expect(unsigned.summary).toMatchObject({ complete: true, fee: 12n, effects: [{ kind: 'transfer', amount: 1n, asset: 'native' }] });
  });

  test('signs a payment to published hashes', async () => {
    const transaction =
      '12000022000000002400000007201b000000646140000000000000016840000000000000c88114a55476015c13afb8afb92160329a8cde976f1f2e831473b9472b89e93869c4330361281720df04160d1f';
    const bySecp = await signed(secp, { kind: 'Transaction', blockchainKind: 'Xrpl', transaction });
    expect(bySecp.signed.txHash).toBe('AF3068FC71E9E75D2D5463CF0058173EA275BF602140C78E5F89D5989413EF4F');
    const byEd = await signed(ed, requestOf({ ...decode(transaction), Account: deriveAddress(publicKeyOf(ed)) }));
    expect(byEd.signed.txHash).toBe('9A00342681F15A63529059F7567D3720B3D4C6D1E98EC9A9C0826BCD46C2EE05');
  });

  test('addresses are those of xrpl.js', async () => {
    expect([await addressOf(secp.key, 'XrpLedger'), await addressOf(ed.key, 'XrpLedgerTestnet')]).toEqual([
      'rGnBgaAh1iA9anMrJSYTE4tDghCXFeY6si',
      'rGoMvPW8NFU9vkcAQVuFj9buMLjxhxRsVS',
    ]);
    expect([own, deriveAddress(publicKeyOf(ed))]).toEqual([await addressOf(secp.key, 'XrpLedger'), await addressOf(ed.key, 'XrpLedger')]);
  });
});

describe('says what a transaction does', () => {
  const transfer = (amount: bigint, asset = 'native'): Effect => ({ kind: 'transfer', to, amount, asset });
  const control = (receiver = to): Effect => ({ kind: 'control', to: receiver });
  const unit = 10n ** 15n;
  const asset = `USD.${issuer}`;
  const token = '00002403C84A0A28E0190E208E982C352BBD5006600555CF';
  const paths = [[{ account: issuer }]];

  test.each<[string, Fields, readonly Effect[]]>([
    ['pays XRP', payment(), [transfer(5n)]],
    ['pays an issued currency', payment({ Amount: usd('1.25') }), [transfer((unit * 5n) / 4n, asset)]],
    ['pays so little that it is rounded up', payment({ Amount: usd('1e-80') }), [transfer(1n, asset)]],
    ['pays very much', payment({ Amount: usd('9999999999999999e80') }), [transfer(9_999_999_999_999_999n * 10n ** 95n, asset)]],
    ['pays a multi-purpose token', payment({ Amount: { mpt_issuance_id: token, value: '100' } }), [transfer(100n, token)]],
    [
      'pays what others convert, at most so much',
      payment({ Amount: usd('7'), SendMax: '9000', Paths: paths, Flags: 0x00020000 }),
      [transfer(9000n)],
    ],
    ['pays XRP out of an issued currency', payment({ SendMax: usd('2') }), [transfer(2n * unit, asset)]],
    ['pays later', of('EscrowCreate', { Destination: to, Amount: '6', FinishAfter: 1 }), [transfer(6n)]],
    [
      'opens a channel',
      of('PaymentChannelCreate', { Destination: to, Amount: '8', SettleDelay: 1, PublicKey: publicKeyOf(ed) }),
      [transfer(8n)],
    ],
    [
      'writes a check',
      of('CheckCreate', { Destination: to, SendMax: '9' }),
      [{ kind: 'allowance', spender: to, amount: 9n, asset: 'native' }],
    ],
    [
      'gives credit',
      of('TrustSet', { LimitAmount: usd('10'), Flags: 0x00020000 }),
      [{ kind: 'allowance', spender: issuer, amount: 10n * unit, asset }],
    ],
    ['gives no more credit', of('TrustSet', { LimitAmount: usd('0') }), []],
    ['leaves', of('AccountDelete', { Destination: to }), [control()]],
    ['has another sign', of('SetRegularKey', { RegularKey: to }), [control()]],
    ['has no other sign', of('SetRegularKey', {}), []],
    [
      'has others sign together',
      of('SignerListSet', {
        SignerQuorum: 2,
        SignerEntries: [to, issuer].map((Account) => ({ SignerEntry: { Account, SignerWeight: 1 } })),
      }),
      [control(), control(issuer)],
    ],
    ['has no others sign together', of('SignerListSet', { SignerQuorum: 0 }), []],
    ['lets another act', of('DelegateSet', { Authorize: to, Permissions: [{ Permission: { PermissionValue: 'Payment' } }] }), [control()]],
    ['lets no other act', of('DelegateSet', { Authorize: to, Permissions: [] }), []],
    ['takes back a check', of('CheckCancel', { CheckID: 'AB'.repeat(32) }), []],
    ['takes back an offer', of('OfferCancel', { OfferSequence: 1 }), []],
    ['makes tickets', of('TicketCreate', { TicketCount: 2 }), []],
    ['has a memo, whatever it says', payment({ Memos: [{ Memo: { MemoData: 'AB' } }], SourceTag: 1, TicketSequence: 4 }), [transfer(5n)]],
  ])('when it %s', async (_, fields, effects) => {
    expect(await summaryOf(fields)).toEqual({ complete: true, effects, fee: 12n });
  });

  test.each<[string, Fields, readonly Effect[]]>([
    ['an offer, which gives away what it asks for', of('OfferCreate', { TakerGets: '1000000000', TakerPays: usd('1e-80') }), []],
    [
      'a deposit to an AMM',
      of('AMMDeposit', { Asset: { currency: 'XRP' }, Asset2: { currency: 'USD', issuer }, Amount: '5', Flags: 1 }),
      [],
    ],
    ['settings of the account', of('AccountSet', { SetFlag: 4 }), []],
    ['an offer for an NFT that is accepted', of('NFTokenAcceptOffer', { NFTokenBuyOffer: 'AB'.repeat(32) }), []],
    ['a claim on a channel', of('PaymentChannelFund', { Channel: 'AB'.repeat(32), Amount: '5' }), []],
    [
      'a payment to oneself, which is a trade',
      payment({ Destination: own, Amount: usd('1'), SendMax: '5' }),
      [{ ...transfer(5n), to: own } as Effect],
    ],
    ['a currency of any issuer', payment({ Amount: usd('1'), SendMax: usd('2', own) }), [transfer(2n * unit, `USD.${own}`)]],
    ['a currency on a path without a limit', payment({ Amount: usd('1'), Paths: paths }), [transfer(unit, asset)]],
    ['a field that the type does not have', payment({ SetFlag: 4 }), [transfer(5n)]],
    ['a flag that the type does not have', payment({ Flags: 0x00080000 }), [transfer(5n)]],
    [
      'credit that others may use',
      of('TrustSet', { LimitAmount: usd('1'), Flags: 0x00040000 }),
      [{ kind: 'allowance', spender: issuer, amount: unit, asset }],
    ],
    [
      'credit at another price',
      of('TrustSet', { LimitAmount: usd('1'), QualityIn: 5 }),
      [{ kind: 'allowance', spender: issuer, amount: unit, asset }],
    ],
  ])('as incomplete with %s', async (_, fields, effects) => {
    expect(await summaryOf(fields)).toEqual({ complete: false, effects, fee: 12n });
  });
});

describe('refuses', () => {
  const blob = encode(payment());
  const wallet = walletOf(secp);
  const ofBytes = (transaction: string) => ({ kind: 'Transaction', ...where, transaction });
  const inside = (type: string) => ({ ...of(type, {}), Account: 'rrrrrrrrrrrrrrrrrrrrrhoLvTp' });

  test.each<[string, object, string]>([
    ['another account', requestOf(payment({ Account: to })), `the Account of the transaction is ${to}, this key is ${own}`],
    [
      'the address of the same key of another type',
      requestOf(payment({ Account: deriveAddress(publicKeyOf(ed)) })),
      'the Account of the transaction is',
    ],
    ['another key', requestOf(payment({ SigningPubKey: publicKeyOf(ed) })), `the transaction is for the key ${publicKeyOf(ed)}`],
    ['a multisignature', requestOf(payment({ SigningPubKey: '' })), 'for several signers: its SigningPubKey is empty'],
    [
      'a transaction with signers',
      requestOf(payment({ SigningPubKey: '', Signers: [{ Signer: { Account: to, SigningPubKey: publicKeyOf(ed), TxnSignature: 'AB' } }] })),
      'the transaction is signed already',
    ],
    ['a signed one', ofBytes(wallet.sign(payment() as unknown as Transaction).tx_blob), 'the transaction is signed already'],
    [
      'an amendment',
      requestOf({ ...inside('EnableAmendment'), Amendment: 'AB'.repeat(32), LedgerSequence: 1 }),
      'of type EnableAmendment are not signed',
    ],
    [
      'new fees',
      requestOf({ ...inside('SetFee'), BaseFee: '1', ReferenceFeeUnits: 1, ReserveBase: 1, ReserveIncrement: 1 }),
      'of type SetFee are not signed',
    ],
    ['a list of validators', requestOf({ ...inside('UNLModify'), UNLModifyDisabling: 1 }), 'of type UNLModify are not signed'],
    [
      'a batch',
      requestOf(
        of('Batch', { Flags: 0x00010000, RawTransactions: [{ RawTransaction: payment({ Flags: 0x40000000, SigningPubKey: '' }) }] }),
      ),
      'of type Batch are not signed',
    ],
    ['a transaction for a batch', requestOf(payment({ Flags: 0x40000000 })), 'inside of a Batch (tfInnerBatchTxn) is not signed'],
    ['a delegate', requestOf(payment({ Delegate: to })), `the transaction is signed by its Delegate ${to}, this key is ${own}`],
    ['the id of a network', requestOf(payment({ NetworkID: 21337 })), 'the transaction has NetworkID 21337, for XrpLedger it is none'],
    [
      'the id of a network that is not named',
      requestOf(payment({ NetworkID: 1 }), { blockchainKind: 'Xrpl' }),
      'the transaction has NetworkID 1: networks up to 1024 are not named in theirs',
    ],
    ['no fee', requestOf(without(payment(), 'Fee')), 'expected a whole transaction: it has no Fee'],
    ['a fee that is not in XRP', requestOf(payment({ Fee: usd('1') })), 'its Fee is not in XRP'],
    ['no sequence', requestOf(without(payment(), 'Sequence')), 'it has no Sequence'],
    ['no destination', requestOf(without(payment(), 'Destination')), 'it has no Destination'],
    ['a negative amount', requestOf(payment({ Amount: usd('-5') })), '-5 is no amount that is paid'],
    ['a negative amount of XRP', ofBytes(blob.replace('614000000000000005', '610000000000000005')), 'the codec cannot read it'],
    ['credit in XRP', requestOf(of('TrustSet', { LimitAmount: '5' })), 'not of an issued currency'],
    ['fields in another order', ofBytes(blob.replace('2400000007201B00000064', '201B000000642400000007')), 'the codec writes it otherwise'],
    ['a field twice', ofBytes(blob.replace('2400000007', '24000000072400000007')), 'the codec writes it otherwise'],
    ['an end of an object that is none', ofBytes(`${blob}E1`), 'the codec writes it otherwise'],
    ['objects inside of each other without end', ofBytes('EA'.repeat(16_000)), 'the codec cannot read it'],
    ['more than there are', ofBytes('00'.repeat(16_385)), 'it has 16385 bytes, at most 16384 are signed'],
    ['JSON', { kind: 'Transaction', ...where, transaction: payment() }, 'the hex of the binary codec'],
    ['another kind', { kind: 'Message', ...where, message: '00' }, 'kind Message is not signed for XrpLedger: Transaction and Hash are'],
  ])('%s', async (_, request, message) => {
    expect((await refusalOf(secp, request))?.message).toContain(message);
  });

  test('another network than its transactions name, where they must', () => {
    // None of the networks on the wire is above 1024 yet.
    expect(Object.values(networkTable).filter((row) => row.kind === 'Xrpl' && row.networkId > 1024)).toEqual([]);
    const target = { network: { name: 'XrpLedger', facts: { kind: 'Xrpl', networkId: 21337 } }, filled: {} } as const;
    const sign = (more: Fields) =>
      xrpl.formats.Transaction?.({ kind: 'Transaction', transaction: encode(payment(more)) }, secp.key, target).payloads.length;
    expect(sign({ NetworkID: 21337 })).toBe(1);
    expect(() => sign({})).toThrow('the transaction has NetworkID none, for XrpLedger it is 21337');
    expect(() => sign({ NetworkID: 21338 })).toThrow('the transaction has NetworkID 21338, for XrpLedger it is 21337');
  });

  test('a key of another type', async () => {
    const schnorr = localSigner('Schnorr/secp256k1', secp.secret);
    expect((await refusalOf(schnorr, requestOf(payment())))?.message).toBe('a Schnorr key on secp256k1 does not sign here');
  });
});
