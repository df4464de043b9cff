/** Solana against @solana/kit, its program clients and litesvm, which runs what was signed; and the sample of the public documentation. */

import {
  AccountRole,
  type Address,
  address,
  appendTransactionMessageInstructions,
  type Blockhash,
  compileTransaction,
  compressTransactionMessageUsingAddressLookupTables,
  createKeyPairFromPrivateKeyBytes,
  createNoopSigner,
  createTransactionMessage,
  getAddressDecoder,
  getSignatureFromTransaction,
  getTransactionDecoder,
  getTransactionEncoder,
  type Instruction,
  lamports,
  partiallySignTransaction,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
} from '@solana/kit';
import * as system from '@solana-program/system';
import * as token from '@solana-program/token';
import { LiteSVM, TransactionMetadata } from 'litesvm';
import { describe, expect, test } from 'vitest';
import { concat, fromHex, to0x, toHex, utf8 } from '../../src/base/bytes.ts';
import type { Effect } from '../../src/chains/chain.ts';
import { addressOf, parseRequest } from '../../src/chains/index.ts';
import { chainConforms, type Outcome, refusalOf, signed } from '../conformance/chain.ts';
import { type Random, randomOf } from '../support/random.ts';
import { type LocalSigner, localSigner } from '../support/wholeKey.ts';

const hexBytes = (hex: string) => fromHex(hex) ?? new Uint8Array();
const base58Of = (bytes: Uint8Array) => getAddressDecoder().decode(bytes);
const signerNamed = (seed: string) => localSigner('EdDSA/ed25519', randomOf(seed).bytes(32));
const alice = localSigner('EdDSA/ed25519', hexBytes('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'));
const bob = signerNamed('bob');
const ownOf = ({ key }: LocalSigner) => createNoopSigner(base58Of(key.publicKey));
const [own, other] = [ownOf(alice), ownOf(bob)];
const [mint, source, to] = ['mint', 'source', 'to'].map((name) => base58Of(randomOf(name).bytes(32))) as [Address, Address, Address];
const blockhash = base58Of(new Uint8Array(32).fill(9)) as string as Blockhash;
const token2022 = address('TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb');
const computeBudget = address('ComputeBudget111111111111111111111111111111');

interface Draft {
  readonly instructions: readonly Instruction[];
  readonly payer?: Address;
  readonly version?: 'legacy' | 0;
  readonly tables?: Readonly<Record<Address, readonly Address[]>>;
  readonly blockhash?: Blockhash;
}

/** The transaction on the wire, its slots empty. */
function compiled({ instructions, payer = own.address, version = 0, tables = {}, blockhash: hash = blockhash }: Draft): Uint8Array {
  const empty = setTransactionMessageFeePayer(payer, createTransactionMessage({ version }));
  const lifetime = { blockhash: hash, lastValidBlockHeight: 1n };
  const message = appendTransactionMessageInstructions([...instructions], setTransactionMessageLifetimeUsingBlockhash(lifetime, empty));
  const compressed = version === 0 ? compressTransactionMessageUsingAddressLookupTables(message as never, tables as never) : message;
  return new Uint8Array(getTransactionEncoder().encode(compileTransaction(compressed as typeof message)));
}

const requestOf = (bytes: Uint8Array) => ({ kind: 'Transaction', network: 'Solana', transaction: to0x(bytes) });
const draft = (...instructions: readonly Instruction[]) => requestOf(compiled({ instructions }));
const summaryOf = async (request: object, by = alice) => (await signed(by, request)).unsigned.summary;

const pay = (from = own, receiver = to, amount = 7n) => system.getTransferSolInstruction({ source: from, destination: receiver, amount });
const budget = (...data: readonly number[]): Instruction => ({ programAddress: computeBudget, data: Uint8Array.from(data) });
const unknown = (...signers: readonly Address[]): Instruction => ({
  programAddress: address('Stake11111111111111111111111111111111111111'),
  accounts: signers.map((signer) => ({ address: signer, role: AccountRole.READONLY_SIGNER })),
  data: Uint8Array.of(4, 0, 0, 0),
});

function randomInstruction(random: Random, self: LocalSigner): Instruction {
  const me = ownOf(self);
  const somebody = () => base58Of(random.bytes(32));
  const [amount, space] = [random.bigint(64), random.bigint(32)];
  const [seed, base] = ['a seed', me.address];
  const checked = { amount, decimals: random.int(20), mint: somebody() };
  return random.pick<() => Instruction>([
    () => pay(me, somebody(), amount),
    () => pay(createNoopSigner(somebody()), me.address, amount),
    () =>
      system.getCreateAccountInstruction({
        payer: me,
        newAccount: createNoopSigner(somebody()),
        lamports: amount,
        space,
        programAddress: somebody(),
      }),
    () =>
      system.getCreateAccountWithSeedInstruction({
        payer: me,
        newAccount: somebody(),
        base,
        seed,
        amount,
        space,
        programAddress: somebody(),
      }),
    () =>
      system.getTransferSolWithSeedInstruction({
        source: somebody(),
        baseAccount: me,
        destination: somebody(),
        amount,
        fromSeed: seed,
        fromOwner: somebody(),
      }),
    () => system.getAssignInstruction({ account: me, programAddress: somebody() }),
    () => system.getAllocateInstruction({ newAccount: me, space }),
    () => system.getAdvanceNonceAccountInstruction({ nonceAccount: somebody(), nonceAuthority: me }),
    () => token.getTransferInstruction({ source: somebody(), destination: somebody(), authority: me, amount }),
    () => token.getTransferCheckedInstruction({ source: somebody(), destination: somebody(), authority: me, ...checked }),
    () => token.getApproveCheckedInstruction({ source: somebody(), delegate: somebody(), owner: me, ...checked }),
    () => token.getCloseAccountInstruction({ account: somebody(), destination: somebody(), owner: me }),
    () => token.getBurnInstruction({ account: somebody(), mint: somebody(), authority: me, amount }),
    () =>
      token.getSetAuthorityInstruction({
        owned: somebody(),
        owner: me,
        authorityType: token.AuthorityType.AccountOwner,
        newAuthority: random.bool() ? somebody() : null,
      }),
    () => unknown(me.address),
    () => budget(3, ...random.bytes(8)),
  ])();
}

/** A transaction of this signer, alone or with another, who pays or does not. */
function randomTransaction(random: Random, self: LocalSigner, version: 'legacy' | 0): Uint8Array {
  const me = ownOf(self);
  const stranger = createNoopSigner(base58Of(random.bytes(32)));
  const payer = random.bool() ? me.address : stranger.address;
  const [table, listed] = [base58Of(random.bytes(32)), base58Of(random.bytes(32))];
  // At least one asks for this signer; kit itself refuses two bids for computing.
  const drawn = random.list(2, () => randomInstruction(random, self));
  const instructions = [
    pay(me, listed),
    ...drawn.filter(({ programAddress }) => programAddress !== computeBudget),
    ...drawn.filter(isBid).slice(0, 1),
  ];
  return compiled({ instructions, payer, version, tables: random.bool() ? { [table]: [to, listed] } : {} });
}
const isBid = ({ programAddress }: Instruction) => programAddress === computeBudget;

/** As kit signs with the same key. */
async function verify({ body, signer, signed: { encoded, signedData = new Uint8Array(), txHash } }: Outcome): Promise<void> {
  const unsigned = getTransactionDecoder().decode(hexBytes('transaction' in body ? String(body.transaction) : ''));
  const keyPair = await createKeyPairFromPrivateKeyBytes(signer.secret);
  const theirs = await partiallySignTransaction([keyPair], unsigned);
  expect(toHex(signedData)).toBe(toHex(new Uint8Array(getTransactionEncoder().encode(theirs))));
  expect(toHex(encoded[0] ?? new Uint8Array())).toBe(toHex(new Uint8Array(theirs.signatures[base58Of(signer.key.publicKey)] ?? [])));
  const isFirst = Object.keys(theirs.signatures)[0] === base58Of(signer.key.publicKey);
  expect(txHash).toBe(isFirst ? getSignatureFromTransaction(theirs) : undefined);
}

chainConforms(
  'Solana',
  (['legacy', 0] as const).map((version) => ({
    name: `Transaction, ${version === 0 ? 'version 0' : version}`,
    keyType: 'EdDSA/ed25519' as const,
    request: (random, signer) => requestOf(randomTransaction(random, signer, version)),
    verify,
    encodedIn: 'transaction',
  })),
);

describe('Solana', () => {
  test('signs the transaction of the public documentation', async () => {
    const transaction =
      '0x01000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000008001000103b25c8c464080ab2835a166d2b3f13195c2ff3c8f281c7ebe492f0d45d830ff4824a8b38a94b73d2756f2be68655a49706be9b1dc900978984d6eeaf65ab62e900000000000000000000000000000000000000000000000000000000000000000ed589eed2559d935c834cd6d6cbee12970423ad37853618d39e632032aa4c51201020200010c02000000010000000000000000';
    const encoded =
      '87e2fafa916877495baed6adb66283fcecd6166c73b1bb5812441045fc52b5ac52f5216e39945db8a1fc7a19778813ed30e4cb84787ff9fe7a1e4f1d7976d70f';
    const publicKey = hexBytes(transaction.slice(2 + 2 * 70, 2 + 2 * 102));
    const unsigned = await parseRequest(
      { kind: 'Transaction', blockchainKind: 'Solana', transaction },
      { keyType: 'EdDSA/ed25519', publicKey },
    );
    expect(unsigned.summary).toEqual({
      complete: true,
      effects: [{ kind: 'transfer', to: '3U6stgsD1FmA7o3omUguritCU8iWmUM7Rs6KqAHHxHVZ', amount: 1n, asset: 'native' }],
      fee: 5000n,
    });
    const [r, s] = [hexBytes(encoded).subarray(0, 32), hexBytes(encoded).subarray(32)];
    const result = unsigned.assemble([{ r, s }]);
    expect(toHex(result.signedData ?? new Uint8Array())).toBe(transaction.slice(2).replace('0'.repeat(128), encoded));
    expect(result.txHash).toBe('3iaM5crMNyYsp8cc6AMb6JxCxkSYm2MrvpYvQwd1gdwxS1wu7Fue2USVhkXnXgfCGKaBr7TQcp8oKWRKURpwt9We');
  });

  test('addresses are those of kit', async () => {
    expect(await addressOf(alice.key, 'Solana')).toBe('FVen3X669xLzsi6N2V91DoiyzHzg1uAgqiT8jZ9nS96Z');
    expect(await addressOf(alice.key, 'SolanaDevnet')).toBe(own.address);
  });
});

describe('a chain in this process takes what was signed', () => {
  const send = (svm: LiteSVM, bytes: Uint8Array): TransactionMetadata => {
    const result = svm.sendTransaction(getTransactionDecoder().decode(bytes));
    if (!(result instanceof TransactionMetadata)) throw new Error(`not taken: ${result.toString()}`);
    return result;
  };
  const start = (): LiteSVM => {
    const svm = new LiteSVM();
    svm.airdrop(own.address, lamports(10_000_000_000n));
    return svm;
  };
  const signedData = async (by: LocalSigner, bytes: Uint8Array) =>
    (await signed(by, requestOf(bytes))).signed.signedData ?? new Uint8Array();

  test('a transfer, at the fee that was foretold', async () => {
    const svm = start();
    // 1000 units at 2.0005 lamports: part of a lamport is a whole one.
    const instructions = [budget(2, 0xe8, 3, 0, 0), budget(3, 0x74, 0x86, 0x1e, 0, 0, 0, 0, 0), pay(own, to, 5_000_000n)];
    const bytes = compiled({ instructions, blockhash: svm.latestBlockhash() });
    const { fee } = await summaryOf(requestOf(bytes));
    send(svm, await signedData(alice, bytes));
    expect(svm.getBalance(to)).toBe(5_000_000n);
    expect(svm.getBalance(own.address)).toBe(10_000_000_000n - 5_000_000n - (fee ?? 0n));
  });

  test('what two keys signed, one after the other', async () => {
    const svm = start();
    svm.airdrop(other.address, lamports(1_000_000_000n));
    const bytes = compiled({ instructions: [pay(own, to, 2_000_000n), pay(other, to, 3_000_000n)], blockhash: svm.latestBlockhash() });
    const byBob = await signed(bob, requestOf(bytes));
    expect(byBob.signed.txHash).toBeUndefined();
    expect(byBob.unsigned.summary).toEqual({ complete: true, effects: [{ kind: 'transfer', to, amount: 3_000_000n, asset: 'native' }] });
    const half = byBob.signed.signedData ?? new Uint8Array();
    expect(() => send(svm, half)).toThrow('missing signatures');
    const byAlice = await signed(alice, requestOf(half));
    expect(byAlice.unsigned.summary).toEqual({
      complete: true,
      effects: [{ kind: 'transfer', to, amount: 2_000_000n, asset: 'native' }],
      fee: 10_000n,
    });
    send(svm, byAlice.signed.signedData ?? new Uint8Array());
    expect(svm.getBalance(to)).toBe(5_000_000n);
    // Whoever signs last knows the hash.
    expect((await signed(bob, requestOf(byAlice.signed.signedData ?? new Uint8Array()))).signed.txHash).toBe(byAlice.signed.txHash);
  });

  test('a payment in tokens, whose rent was foretold too', async () => {
    const svm = start();
    const token1 = createNoopSigner(base58Of(bob.key.publicKey));
    const [mine] = await token.findAssociatedTokenPda({
      owner: own.address,
      mint: token1.address,
      tokenProgram: token.TOKEN_PROGRAM_ADDRESS,
    });
    const [theirs] = await token.findAssociatedTokenPda({ owner: to, mint: token1.address, tokenProgram: token.TOKEN_PROGRAM_ADDRESS });
    const create = (owner: Address, ata: Address) =>
      token.getCreateAssociatedTokenIdempotentInstruction({ payer: own, ata, owner, mint: token1.address });
    const setUp = compiled({
      instructions: [
        system.getCreateAccountInstruction({
          payer: own,
          newAccount: token1,
          lamports: svm.minimumBalanceForRentExemption(82n),
          space: 82n,
          programAddress: token.TOKEN_PROGRAM_ADDRESS,
        }),
        token.getInitializeMint2Instruction({ mint: token1.address, decimals: 2, mintAuthority: own.address }),
        create(own.address, mine),
        token.getMintToInstruction({ mint: token1.address, token: mine, mintAuthority: own, amount: 1000n }),
      ],
      blockhash: svm.latestBlockhash(),
    });
    send(svm, await signedData(alice, await signedData(bob, setUp)));

    const before = svm.getBalance(own.address) ?? 0n;
    const checked = { source: mine, mint: token1.address, destination: theirs, authority: own, amount: 250n, decimals: 2 };
    const bytes = compiled({
      instructions: [create(to, theirs), token.getTransferCheckedInstruction(checked)],
      blockhash: svm.latestBlockhash(),
    });
    const summary = await summaryOf(requestOf(bytes));
    send(svm, await signedData(alice, bytes));
    const account = svm.getAccount(theirs);
    if (!account.exists) throw new Error('the account of the receiver is not there');
    expect(token.decodeToken(account).data.amount).toBe(250n);
    const rent = before - (svm.getBalance(own.address) ?? 0n) - 5000n;
    expect(summary).toEqual({
      complete: true,
      effects: [
        { kind: 'transfer', to: theirs, amount: rent, asset: 'native' },
        { kind: 'transfer', to: theirs, amount: 250n, asset: token1.address },
      ],
      fee: 5000n,
    });
  });
});

describe('says what a transaction does', () => {
  const native = (amount: bigint, receiver = to): Effect => ({ kind: 'transfer', to: receiver, amount, asset: 'native' });
  const control: Effect = { kind: 'control', to };
  const checked = { source, mint, destination: to, authority: own, amount: 5n, decimals: 6 };
  const nonce = { nonceAccount: source, nonceAuthority: own };
  const memo: Instruction = { programAddress: address('MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr'), data: utf8('send it to me') };
  const reference: Instruction = { ...pay(), accounts: [...pay().accounts, { address: mint, role: AccountRole.READONLY }] };

  test.each<[string, readonly Instruction[], readonly Effect[]]>([
    ['lamports', [pay()], [native(7n)]],
    ['lamports, with the reference of a payment', [reference], [native(7n)]],
    ['lamports to oneself', [pay(own, own.address)], []],
    ['lamports of another signer', [pay(other, to)], []],
    ['a memo, whatever it says', [memo], []],
    ['bids for computing', [budget(1, 0, 0, 1, 0), budget(2, 1, 0, 0, 0), budget(4, 1, 0, 0, 0)], []],
    [
      'a new account',
      [system.getCreateAccountInstruction({ payer: own, newAccount: other, lamports: 8n, space: 1n, programAddress: to })],
      [native(8n, other.address)],
    ],
    [
      'a program that takes over the key, as a new account',
      [system.getCreateAccountInstruction({ payer: other, newAccount: own, lamports: 8n, space: 1n, programAddress: to })],
      [control],
    ],
    ['a program that takes over the key', [system.getAssignInstruction({ account: own, programAddress: to })], [control]],
    [
      'a new account by seed',
      [
        system.getCreateAccountWithSeedInstruction({
          payer: own,
          newAccount: source,
          base: own.address,
          seed: 's',
          amount: 9n,
          space: 1n,
          programAddress: to,
        }),
      ],
      [native(9n, source)],
    ],
    [
      'lamports of an account by seed',
      [
        system.getTransferSolWithSeedInstruction({
          source,
          baseAccount: own,
          destination: to,
          amount: 10n,
          fromSeed: 'stake:0',
          fromOwner: mint,
        }),
      ],
      [native(10n)],
    ],
    [
      'accounts by seed that are given away',
      [
        system.getAssignWithSeedInstruction({ account: source, baseAccount: own, base: own.address, seed: '', programAddress: to }),
        system.getAllocateWithSeedInstruction({
          newAccount: source,
          baseAccount: own,
          base: own.address,
          seed: '',
          space: 1n,
          programAddress: to,
        }),
      ],
      [control, control],
    ],
    [
      'nonce accounts',
      [
        system.getAdvanceNonceAccountInstruction(nonce),
        system.getWithdrawNonceAccountInstruction({ ...nonce, recipientAccount: to, withdrawAmount: 11n }),
        system.getAuthorizeNonceAccountInstruction({ ...nonce, newNonceAuthority: to }),
        system.getUpgradeNonceAccountInstruction({ nonceAccount: source }),
      ],
      [native(11n), control],
    ],
    ['tokens', [token.getTransferCheckedInstruction(checked)], [{ ...native(5n), asset: mint } as Effect]],
    [
      'tokens of Token-2022',
      [token.getTransferCheckedInstruction(checked, { programAddress: token2022 })],
      [{ ...native(5n), asset: mint } as Effect],
    ],
    ['tokens of another signer', [token.getTransferCheckedInstruction({ ...checked, authority: other })], []],
    [
      'an allowance',
      [token.getApproveCheckedInstruction({ source, mint, delegate: to, owner: own, amount: 6n, decimals: 6 })],
      [{ kind: 'allowance', spender: to, amount: 6n, asset: mint }],
    ],
    ['an allowance that ends', [token.getRevokeInstruction({ source, owner: own })], []],
    [
      'a token account that is given away',
      [
        token.getSetAuthorityInstruction({
          owned: source,
          owner: own,
          authorityType: token.AuthorityType.CloseAccount,
          newAuthority: to,
        }),
      ],
      [control],
    ],
    [
      'a token account that is closed',
      [
        token.getCloseAccountInstruction({ account: source, destination: to, owner: own }),
        token.getCloseAccountInstruction({ account: source, destination: own.address, owner: own }),
      ],
      [control],
    ],
    ['lamports that become tokens', [pay(own, source), token.getSyncNativeInstruction({ account: source })], [native(7n, source)]],
    [
      'a new token account',
      [
        token.getInitializeAccountInstruction({ account: source, mint, owner: own.address }),
        token.getInitializeAccount3Instruction({ account: source, mint, owner: to }),
        token.getInitializeImmutableOwnerInstruction({ account: source }),
      ],
      [],
    ],
    [
      'a token account that another pays for',
      [token.getCreateAssociatedTokenInstruction({ payer: other, ata: source, owner: own.address, mint })],
      [],
    ],
  ])('when it is about %s', async (_, instructions, effects) => {
    // Another signs too where an instruction asks for it; this key always does, since it pays.
    const { complete, effects: seen } = await summaryOf(draft(...instructions));
    expect({ complete, effects: seen }).toEqual({ complete: true, effects });
  });

  const hook = { address: base58Of(new Uint8Array(32).fill(5)), role: AccountRole.READONLY };
  const withMore = (instruction: ReturnType<typeof token.getTransferCheckedInstruction>, more: typeof hook): Instruction => ({
    ...instruction,
    accounts: [...instruction.accounts, more],
  });
  const call = (contract: string, method?: string) => ({ kind: 'call', contract, ...(method && { method }) });
  test.each<[string, Instruction, object]>([
    ['a program that is not known', unknown(own.address), call('Stake11111111111111111111111111111111111111')],
    ['a program that is not known and does not ask for this key', unknown(), call('Stake11111111111111111111111111111111111111')],
    [
      'tokens of a mint that is not named',
      token.getTransferInstruction({ source, destination: to, authority: own, amount: 1n }),
      call(token.TOKEN_PROGRAM_ADDRESS, 'transfer'),
    ],
    [
      'an allowance of a mint that is not named',
      token.getApproveInstruction({ source, delegate: to, owner: own, amount: 1n }),
      call(token.TOKEN_PROGRAM_ADDRESS, 'approve'),
    ],
    [
      'tokens that are burnt',
      token.getBurnInstruction({ account: source, mint, authority: own, amount: 1n }),
      call(token.TOKEN_PROGRAM_ADDRESS),
    ],
    [
      'an authority that nobody has any more',
      token.getSetAuthorityInstruction({ owned: source, owner: own, authorityType: token.AuthorityType.AccountOwner, newAuthority: null }),
      call(token.TOKEN_PROGRAM_ADDRESS, 'setAuthority'),
    ],
    [
      'tokens of a multisignature that this key belongs to',
      token.getTransferCheckedInstruction({ ...checked, authority: hook.address, multiSigners: [own] }),
      call(token.TOKEN_PROGRAM_ADDRESS, 'transferChecked'),
    ],
    [
      'a mint that hooks a program to transfers',
      withMore(token.getTransferCheckedInstruction(checked, { programAddress: token2022 }), hook),
      call(token2022, 'transferChecked'),
    ],
    [
      'room for data in the account of the key',
      system.getAllocateInstruction({ newAccount: own, space: 1n }),
      call(system.SYSTEM_PROGRAM_ADDRESS, 'allocate'),
    ],
    [
      'several instructions in one',
      {
        programAddress: token.TOKEN_PROGRAM_ADDRESS,
        accounts: token.getTransferCheckedInstruction(checked).accounts,
        data: Uint8Array.of(255, 4, 10),
      },
      call(token.TOKEN_PROGRAM_ADDRESS),
    ],
    [
      'a token account whose size is not known',
      token.getCreateAssociatedTokenInstruction({ payer: own, ata: source, owner: to, mint, tokenProgram: token2022 }),
      call(token.ASSOCIATED_TOKEN_PROGRAM_ADDRESS),
    ],
    [
      'an instruction of a later version',
      { programAddress: system.SYSTEM_PROGRAM_ADDRESS, data: Uint8Array.of(99, 0, 0, 0) },
      call(system.SYSTEM_PROGRAM_ADDRESS),
    ],
  ])('as incomplete with %s', async (_, instruction, effect) => {
    expect(await summaryOf(draft(pay(), instruction))).toMatchObject({ complete: false, effects: [native(7n), effect] });
  });

  test('as incomplete with accounts that stand in a lookup table, whoever they are', async () => {
    const table = base58Of(new Uint8Array(32).fill(6));
    const bytes = compiled({ instructions: [pay()], tables: { [table]: [source, to] } });
    expect(await summaryOf(requestOf(bytes))).toMatchObject({ complete: false, effects: [native(7n, `${table}/1` as Address)] });
  });

  test('and a fee where this key pays it, with all that may raise it', async () => {
    const feeOf = async (...instructions: readonly Instruction[]) => (await summaryOf(draft(...instructions))).fee;
    expect(await feeOf(pay(), pay(other))).toBe(10_000n);
    expect((await summaryOf(requestOf(compiled({ instructions: [pay()], payer: other.address })))).fee).toBeUndefined();
    const price = budget(3, 0x40, 0x42, 0x0f, 0, 0, 0, 0, 0); // a lamport a unit
    expect(await feeOf(price, pay())).toBe(205_000n);
    expect(await feeOf(price, ...Array.from({ length: 9 }, () => pay()))).toBe(1_405_000n);
    expect(await feeOf(price, budget(2, 9, 0, 0, 0), pay())).toBe(5009n);
    expect(await feeOf({ programAddress: address('Ed25519SigVerify111111111111111111111111111'), data: Uint8Array.of(2) })).toBe(15_000n);
  });
});

describe('refuses', () => {
  const bytes = compiled({ instructions: [pay()], version: 'legacy' });
  const changed = (at: number, ...values: readonly number[]) => {
    const copy = bytes.slice();
    copy.set(values, at);
    return requestOf(copy);
  };
  const spliced = (at: number, remove: number, ...values: readonly number[]) =>
    requestOf(Uint8Array.from([...bytes.subarray(0, at), ...values, ...bytes.subarray(at + remove)]));
  // 1 + 64 bytes of slots, 3 of header, 1 of accounts.
  const [header, accounts] = [65, 68];
  const firstInstruction = accounts + 1 + 3 * 32 + 32 + 1;
  const system8 = (...data: readonly number[]): Instruction => ({ ...pay(), data: Uint8Array.from(data) });

  test.each<[string, object, string]>([
    [
      'a transaction that this key does not sign',
      requestOf(compiled({ instructions: [pay(other)], payer: other.address })),
      `the transaction is signed by ${other.address}; this key is ${own.address}`,
    ],
    [
      'a transaction that only pays this key',
      requestOf(compiled({ instructions: [pay(other, own.address)], payer: other.address })),
      'the transaction is signed by',
    ],
    ['the message alone', requestOf(bytes.subarray(header)), 'expected a Solana transaction with a slot for every signature'],
    [
      'a slot too few',
      requestOf(concat(Uint8Array.of(0), bytes.subarray(header))),
      'it has 0 slots for signatures, and 1 accounts that must sign',
    ],
    ['a length with a superfluous byte', spliced(0, 1, 0x81, 0), 'a length has a superfluous byte'],
    ['a length of more than 16 bits', spliced(0, 1, 0x81, 0x80, 4), 'a length has more than 16 bits'],
    ['a length that goes on', spliced(0, 1, 0x81, 0x80, 0x80), 'a length has more than 16 bits'],
    ['a later version', spliced(header, 0, 0x81), 'messages of version 1 are not signed here'],
    ['a header of more accounts than there are', changed(header + 2, 3), 'its header counts more accounts'],
    ['a header of no signer who pays', changed(header + 1, 1), 'leaves no signer to pay the fee'],
    ['an account twice', changed(accounts + 1 + 32, ...bytes.subarray(accounts + 1, accounts + 33)), 'it names an account twice'],
    ['a program that pays the fee', changed(firstInstruction, 0), 'account 0 is no program it may call'],
    ['a program that is not there', changed(firstInstruction, 3), 'account 3 is no program it may call'],
    ['an account that is not there', changed(firstInstruction + 2, 9), 'an instruction names account 9 of 3'],
    ['a transfer that names nobody', draft({ ...pay(), accounts: [] }), 'an instruction names 0 accounts, 1 are due'],
    ['a transfer that is cut off', draft(system8(2, 0, 0, 0, 1)), 'expected instructions as their programs take them: it is cut off'],
    ['a transfer with something behind it', draft(system8(2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9)), '1 bytes are left over behind its end'],
    ['a seed of absurd length', draft(system8(11, 0, 0, 0, ...new Uint8Array(8), ...new Uint8Array(8).fill(255))), 'a seed is cut off'],
    ['two bids for computing', draft(budget(2, 1, 0, 0, 0), budget(2, 2, 0, 0, 0)), 'it sets one thing of its compute budget twice'],
    [
      'more than the network takes',
      draft({ programAddress: address('MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr'), data: new Uint8Array(1200) }),
      'the network takes 1232',
    ],
    ['JSON', { kind: 'Transaction', network: 'Solana', transaction: { instructions: [] } }, 'the hex of its bytes'],
    [
      'another kind',
      { kind: 'SignDocDirect', network: 'Solana', signDoc: '00' },
      'kind SignDocDirect is not signed for Solana: Transaction, Message and Hash are',
    ],
  ])('%s', async (_, request, message) => {
    expect((await refusalOf(alice, request))?.message).toContain(message);
  });

  test('a lookup table from which nothing is taken', async () => {
    const version0 = compiled({ instructions: [pay()] });
    const ending = (...table: readonly number[]) => requestOf(Uint8Array.from([...version0.subarray(0, -1), ...table]));
    const named = [1, ...new Uint8Array(32).fill(4)];
    expect((await refusalOf(alice, ending(...named, 0, 0)))?.message).toContain('it takes nothing from a lookup table');
    expect(await refusalOf(alice, ending(...named, 0, 1, 7))).toBeUndefined();
  });

  test('a key of another type', async () => {
    const ecdsa = localSigner('ECDSA/secp256k1', randomOf('ecdsa').bytes(32));
    expect((await refusalOf(ecdsa, requestOf(bytes)))?.message).toBe('a ECDSA key on secp256k1 does not sign here');
  });
});

describe('Message', () => {
  const requestOfMessage = (message: Uint8Array) => ({ kind: 'Message', blockchainKind: 'Solana', message: to0x(message) });

  test.each<[string, Uint8Array]>([
    ['any bytes', utf8('hello')],
    ['none', new Uint8Array()],
    [
      'an off-chain message, which names its signers',
      concat(Uint8Array.of(0xff), utf8('solana offchain'), Uint8Array.of(0, 1), alice.key.publicKey),
    ],
    ['a transaction of somebody else', compiled({ instructions: [pay(other)], payer: other.address }).subarray(65)],
  ])('signs %s as they are', async (_, message) => {
    const { unsigned, signed: result } = await signed(alice, requestOfMessage(message));
    expect(unsigned.payloads).toEqual([{ bytes: message }]);
    expect(unsigned.summary.complete).toBe(false);
    expect(result.encoded[0]).toHaveLength(64);
    expect(result.signedData).toBeUndefined();
  });

  test.each<[string, Uint8Array]>([
    ['legacy', compiled({ instructions: [pay()], version: 'legacy' })],
    ['version 0', compiled({ instructions: [pay()] })],
    ['malformed behind its accounts', concat(compiled({ instructions: [pay()] }), Uint8Array.of(1, 2, 3))],
    ['of a version to come', Uint8Array.from([...new Uint8Array(65), 0x81, 1, 0, 1, ...alice.key.publicKey])],
  ])('refuses a transaction of this key, %s', async (_, bytes) => {
    const refused = await refusalOf(alice, requestOfMessage(bytes.subarray(65)));
    expect(refused?.message).toBe('the message holds the bytes of this key, and may be a transaction: send it as kind Transaction');
  });
});
