/**
 * What instructions do to the one whose signature is asked for: those of the System, Token, Token-2022, Associated Token Account, Compute
 * Budget and Memo programs. An instruction acts for an account only when it names it, so whatever another signer gives is not ours to judge.
 *
 * Sources   solana-system-interface, spl-token-interface, spl-associated-token-account-interface, solana-compute-budget-interface.
 * @module
 */

import type { Effect } from '../chain.ts';
import { type Reader, readerOf } from '../encodings/reader.ts';
import { addressIn, type Instruction } from './transaction.ts';

/** Undefined for an instruction that is not understood. @throws {Error} for a malformed one of a program that is */
export function effectsOf(instruction: Instruction, own: string): readonly Effect[] | undefined {
  const effects = programs[instruction.program]?.(instruction, own);
  return effects?.filter((effect) => receiverOf(effect) !== own);
}

/** The name of an instruction, where it is known. */
export function nameOf({ program, data }: Instruction): string | undefined {
  const rules = rulesOf[program];
  return rules && ruleOf(rules, data)?.rule.name;
}

/**
 * The fee at most, in lamports: per signature, and per unit of computing what the transaction bids for it.
 * @throws {Error} for a bid that the network does not take
 */
export function feeOf(signatures: number, instructions: readonly Instruction[]): bigint {
  const bid = (tag: number): bigint | undefined => {
    const [data, ...others] = instructions.filter(({ program, data: [first] }) => program === computeBudget && first === tag);
    if (others.length > 0) throw new Error('it sets one thing of its compute budget twice');
    if (data === undefined) return undefined;
    const reader = readerOf(data.data.subarray(1));
    return tag === budgetTags.unitPrice ? reader.u64le() : BigInt(reader.u32le());
  };
  const others = instructions.filter(({ program }) => program !== computeBudget).length;
  const units = bid(budgetTags.unitLimit) ?? BigInt(others) * unitsPerInstruction;
  const price = bid(budgetTags.unitPrice) ?? 0n;
  // Each names in its first byte how many signatures it verifies; they cost like the transaction's own.
  const verified = instructions.reduce((sum, { program, data }) => sum + (verifiers.has(program) ? (data[0] ?? 0) : 0), 0);
  const priority = ((units < maxUnits ? units : maxUnits) * price + microLamports - 1n) / microLamports;
  return BigInt(signatures + verified) * lamportsPerSignature + priority;
}

const lamportsPerSignature = 5000n;
const microLamports = 1_000_000n;
/** When the transaction sets no limit. */
const unitsPerInstruction = 200_000n;
const maxUnits = 1_400_000n;
/** Two years' worth, for an account of 165 bytes and its 128 of overhead: at 3480 lamports a byte and year, which clusters start with. */
const rentOfTokenAccount = 2_039_280n;

const system = '11111111111111111111111111111111';
const token = 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA';
const token2022 = 'TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb';
const associatedToken = 'ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL';
const computeBudget = 'ComputeBudget111111111111111111111111111111';
const memos = ['MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr', 'Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo'];
const verifiers: ReadonlySet<string> = new Set([
  'Ed25519SigVerify111111111111111111111111111',
  'KeccakSecp256k11111111111111111111111111111',
  'Secp256r1SigVerify1111111111111111111111111',
]);
const budgetTags = { heapFrame: 1, unitLimit: 2, unitPrice: 3, dataSizeLimit: 4 } as const;

/** The account in a place. @throws {Error} when it is missing */
type Account = (place: number) => string;
/** The effect, if it is for us to allow. */
type By = (authority: string, effect: Effect) => readonly Effect[];

interface Rule {
  readonly name: string;
  /** So many accounts have a meaning. What follows them (references of payments, for example) has none, unless it is our own key. */
  readonly accounts: number;
  /** Reads all of the data behind the tag. Undefined when it cannot be said what happens. */
  effects(data: Reader, account: Account, by: By, own: string): readonly Effect[] | undefined;
}

/** The program says what an instruction is in its first bytes. */
interface Rules {
  readonly tagBytes: 1 | 4;
  readonly byTag: Readonly<Record<number, Rule>>;
}

const systemRules: Rules = {
  tagBytes: 4,
  byTag: {
    0: {
      name: 'createAccount',
      accounts: 2,
      effects(data, account, by) {
        const [lamports] = [data.u64le(), data.u64le()];
        const owner = addressIn(data);
        return [...by(account(0), transfer(account(1), lamports)), ...by(account(1), control(owner))];
      },
    },
    1: { name: 'assign', accounts: 1, effects: (data, account, by) => by(account(0), control(addressIn(data))) },
    2: { name: 'transfer', accounts: 2, effects: (data, account, by) => by(account(0), transfer(account(1), data.u64le())) },
    3: {
      name: 'createAccountWithSeed',
      accounts: 3,
      effects(data, account, by) {
        skipBaseAndSeed(data);
        const [lamports] = [data.u64le(), data.u64le(), addressIn(data)];
        return by(account(0), transfer(account(1), lamports));
      },
    },
    4: { name: 'advanceNonceAccount', accounts: 3, effects: () => [] },
    5: {
      name: 'withdrawNonceAccount',
      accounts: 5,
      effects(data, account, by, own) {
        const lamports = data.u64le();
        // A nonce account that is not set up yet is its own authority.
        return by(account(0) === own ? own : account(4), transfer(account(1), lamports));
      },
    },
    6: { name: 'initializeNonceAccount', accounts: 3, effects: (data, account, by) => by(account(0), control(addressIn(data))) },
    7: { name: 'authorizeNonceAccount', accounts: 2, effects: (data, account, by) => by(account(1), control(addressIn(data))) },
    8: {
      name: 'allocate',
      accounts: 1,
      effects(data, account, _by, own) {
        data.u64le();
        // An account with data pays nobody any more.
        return account(0) === own ? undefined : [];
      },
    },
    9: {
      name: 'allocateWithSeed',
      accounts: 2,
      effects(data, account, by) {
        skipBaseAndSeed(data);
        data.u64le();
        return by(account(1), control(addressIn(data)));
      },
    },
    10: {
      name: 'assignWithSeed',
      accounts: 2,
      effects(data, account, by) {
        skipBaseAndSeed(data);
        return by(account(1), control(addressIn(data)));
      },
    },
    11: {
      name: 'transferWithSeed',
      accounts: 3,
      effects(data, account, by) {
        const lamports = data.u64le();
        skipSeed(data);
        addressIn(data); // the owner from which, with the seed, the sender's address follows
        return by(account(1), transfer(account(2), lamports));
      },
    },
    12: { name: 'upgradeNonceAccount', accounts: 1, effects: () => [] },
  },
};

const tokenRules: Rules = {
  tagBytes: 1,
  byTag: {
    1: { name: 'initializeAccount', accounts: 4, effects: () => [] },
    // These two do not say of which token.
    3: { name: 'transfer', accounts: 3, effects: amountOfUnknown },
    4: { name: 'approve', accounts: 3, effects: amountOfUnknown },
    5: { name: 'revoke', accounts: 2, effects: () => [] },
    6: {
      name: 'setAuthority',
      accounts: 2,
      effects(data, account, by, own) {
        data.u8(); // which: of the account, to close it, to mint, to freeze …
        const isSet = data.u8();
        if (isSet > 1) throw new Error(`${isSet} says neither that there is an authority nor that there is none`);
        if (isSet === 1) return by(account(1), control(addressIn(data)));
        return account(1) === own ? undefined : [];
      },
    },
    // Whoever gets what the account holds of lamports gets all of it, for wrapped SOL the tokens themselves.
    9: { name: 'closeAccount', accounts: 3, effects: (_data, account, by) => by(account(2), control(account(1))) },
    12: {
      name: 'transferChecked',
      accounts: 4,
      effects: (data, account, by) => by(account(3), { ...transfer(account(2), checkedAmount(data)), asset: account(1) }),
    },
    13: {
      name: 'approveChecked',
      accounts: 4,
      effects: (data, account, by) =>
        by(account(3), { kind: 'allowance', spender: account(2), amount: checkedAmount(data), asset: account(1) }),
    },
    16: { name: 'initializeAccount2', accounts: 3, effects: readOwner },
    17: { name: 'syncNative', accounts: 1, effects: () => [] },
    18: { name: 'initializeAccount3', accounts: 2, effects: readOwner },
    22: { name: 'initializeImmutableOwner', accounts: 1, effects: () => [] },
  },
};

const budgetRules: Rules = {
  tagBytes: 1,
  byTag: {
    [budgetTags.heapFrame]: { name: 'requestHeapFrame', accounts: 0, effects: skipU32 },
    [budgetTags.unitLimit]: { name: 'setComputeUnitLimit', accounts: 0, effects: skipU32 },
    [budgetTags.unitPrice]: {
      name: 'setComputeUnitPrice',
      accounts: 0,
      effects(data) {
        data.u64le();
        return [];
      },
    },
    [budgetTags.dataSizeLimit]: { name: 'setLoadedAccountsDataSizeLimit', accounts: 0, effects: skipU32 },
  },
};

const rulesOf: Readonly<Record<string, Rules>> = {
  [system]: systemRules,
  [token]: tokenRules,
  [token2022]: tokenRules,
  [computeBudget]: budgetRules,
};

type Program = (instruction: Instruction, own: string) => readonly Effect[] | undefined;

const programs: Readonly<Record<string, Program>> = {
  [system]: (instruction, own) => follow(systemRules, instruction, own),
  [token]: (instruction, own) => follow(tokenRules, instruction, own),
  [token2022](instruction, own) {
    const effects = follow(tokenRules, instruction, own);
    // Accounts behind those of a transfer are for the program that its mint has hooked to transfers.
    return instruction.data[0] === 12 && instruction.accounts.length > 4 ? undefined : effects;
  },
  [associatedToken]: createAssociated,
  [computeBudget]: (instruction, own) => follow(budgetRules, instruction, own),
  ...Object.fromEntries(memos.map((memo) => [memo, () => []])),
};

function follow(rules: Rules, { accounts, data }: Instruction, own: string): readonly Effect[] | undefined {
  const found = ruleOf(rules, data);
  if (found === undefined) return undefined;
  const { rule, rest } = found;
  const account: Account = (place) => named(accounts, place);
  const by: By = (authority, effect) => (authority === own ? [effect] : []);
  const effects = rule.effects(rest, account, by, own);
  rest.end();
  // Our signature would count for something that the rule does not know: a multisignature, for example.
  return accounts.indexOf(own, rule.accounts) === -1 ? effects : undefined;
}

function ruleOf({ tagBytes, byTag }: Rules, data: Uint8Array): { rule: Rule; rest: Reader } | undefined {
  if (data.length < tagBytes) return undefined;
  const rest = readerOf(data);
  const rule = byTag[tagBytes === 4 ? rest.u32le() : rest.u8()];
  return rule && { rule, rest };
}

/** Who pays sees rent leave for the new account, at most so much: nothing when the account is there already. */
function createAssociated({ accounts, data }: Instruction, own: string): readonly Effect[] | undefined {
  const isCreate = data.length === 0 || (data.length === 1 && (data[0] === 0 || data[0] === 1));
  if (!isCreate || accounts.indexOf(own, 6) !== -1) return undefined;
  const [payer, created, program] = [0, 1, 5].map((place) => named(accounts, place));
  if (payer !== own) return [];
  // An account of Token-2022 has the size that the extensions of its mint ask for.
  return program === token && created !== undefined ? [transfer(created, rentOfTokenAccount)] : undefined;
}

function named(accounts: readonly string[], place: number): string {
  const account = accounts[place];
  if (account === undefined) throw new Error(`an instruction names ${accounts.length} accounts, ${place + 1} are due`);
  return account;
}

function amountOfUnknown(data: Reader, account: Account, _by: By, own: string): readonly Effect[] | undefined {
  data.u64le();
  return account(2) === own ? undefined : [];
}

function checkedAmount(data: Reader): bigint {
  const amount = data.u64le();
  data.u8(); // decimals
  return amount;
}

function readOwner(data: Reader): readonly Effect[] {
  addressIn(data);
  return [];
}

function skipU32(data: Reader): readonly Effect[] {
  data.u32le();
  return [];
}

function skipBaseAndSeed(data: Reader): void {
  addressIn(data);
  skipSeed(data);
}

function skipSeed(data: Reader): void {
  const length = data.u64le();
  if (length > BigInt(data.left)) throw new Error('a seed is cut off');
  data.take(Number(length));
}

function transfer(to: string, amount: bigint) {
  return { kind: 'transfer', to, amount, asset: 'native' } as const;
}

function control(to: string): Effect {
  return { kind: 'control', to };
}

function receiverOf(effect: Effect): string {
  switch (effect.kind) {
    case 'allowance':
      return effect.spender;
    case 'call':
      return effect.contract;
    default:
      return effect.to;
  }
}
