/**
 * What transactions of the XRP Ledger bring about.
 *
 * Whatever leaves is at most what is reported: for a payment its SendMax where there is one, whoever converts it on the way. A type, field
 * or flag that is not known here makes the transaction incomplete; offers, AMMs, NFTs, vaults and loans are.
 *
 * Sources   https://xrpl.org/docs/references/protocol/transactions/types
 * @module
 */

import type { Effect } from '../chain.ts';

/** As the codec reads them. */
export type Fields = Readonly<Record<string, unknown>>;

/** @throws {Error} for a transaction that lacks what its type needs */
export function effectsOf(transaction: Fields, own: string): { readonly complete: boolean; readonly effects: readonly Effect[] } {
  const rule = rules[text(transaction, 'TransactionType')];
  if (rule === undefined) return { complete: false, effects: [] };
  const known = new Set([...commonFields, ...rule.fields]);
  const isKnown =
    Object.keys(transaction).every((field) => known.has(field)) && (flagsOf(transaction) & ~(rule.flags ?? 0) & ~fullyCanonical) === 0;
  const { effects, complete = true } = rule.read(transaction, own);
  return { complete: complete && isKnown, effects };
}

export function flagsOf({ Flags: flags }: Fields): number {
  return typeof flags === 'number' ? flags : 0;
}

/** An amount of XRP. @throws {Error} when it is none */
export function dropsOf(transaction: Fields, field: string): bigint {
  const { amount, asset } = amountOf(transaction, field);
  if (asset !== 'native') throw new Error(`its ${field} is not in XRP`);
  return amount;
}

const commonFields = [
  'TransactionType',
  'Account',
  'Fee',
  'Sequence',
  'TicketSequence',
  'AccountTxnID',
  'LastLedgerSequence',
  'Flags',
  'Memos',
  'NetworkID',
  'SourceTag',
  'SigningPubKey',
];
/** tfFullyCanonicalSig: signatures have low s, which ours have anyway. */
const fullyCanonical = 0x80000000;
/** tfNoRippleDirect, tfPartialPayment, tfLimitQuality: they deliver less, or not at all. */
const paymentFlags = 0x00010000 | 0x00020000 | 0x00040000;
/** tfSetfAuth, tfSetNoRipple, and freezing and thawing: not tfClearNoRipple, which lets others pay through the account. */
const trustFlags = 0x00010000 | 0x00020000 | 0x00100000 | 0x00200000 | 0x00400000 | 0x00800000;
/** Units of an issued currency: finer amounts are rounded up. */
const decimals = 15;

interface Rule {
  readonly fields: readonly string[];
  readonly flags?: number;
  /** What leaves cannot be told where `complete` is false. */
  readonly read: (transaction: Fields, own: string) => { readonly effects: readonly Effect[]; readonly complete?: boolean };
}

const nothing: Rule['read'] = () => ({ effects: [] });

const rules: Readonly<Record<string, Rule>> = {
  Payment: {
    fields: ['Destination', 'DestinationTag', 'Amount', 'SendMax', 'DeliverMin', 'Paths', 'InvoiceID', 'CredentialIDs', 'DomainID'],
    flags: paymentFlags,
    read: readPayment,
  },
  EscrowCreate: {
    fields: ['Destination', 'DestinationTag', 'Amount', 'FinishAfter', 'CancelAfter', 'Condition'],
    read: readTransfer,
  },
  PaymentChannelCreate: {
    fields: ['Destination', 'DestinationTag', 'Amount', 'SettleDelay', 'PublicKey', 'CancelAfter'],
    read: readTransfer,
  },
  CheckCreate: {
    fields: ['Destination', 'DestinationTag', 'SendMax', 'Expiration', 'InvoiceID'],
    read(transaction) {
      const { amount, asset } = amountOf(transaction, 'SendMax');
      return { effects: [{ kind: 'allowance', spender: text(transaction, 'Destination'), amount, asset }] };
    },
  },
  TrustSet: {
    fields: ['LimitAmount'],
    flags: trustFlags,
    // Credit: so much may the issuer owe this account instead of what it gave.
    read(transaction) {
      const { amount, asset, issuer } = amountOf(transaction, 'LimitAmount');
      if (issuer === undefined) throw new Error('its LimitAmount is not of an issued currency');
      return { effects: amount === 0n ? [] : [{ kind: 'allowance', spender: issuer, amount, asset }] };
    },
  },
  AccountDelete: {
    fields: ['Destination', 'DestinationTag', 'CredentialIDs'],
    // All that is left goes there.
    read: (transaction) => ({ effects: [control(text(transaction, 'Destination'))] }),
  },
  SetRegularKey: {
    fields: ['RegularKey'],
    read: (transaction) => ({ effects: transaction.RegularKey === undefined ? [] : [control(text(transaction, 'RegularKey'))] }),
  },
  SignerListSet: {
    fields: ['SignerQuorum', 'SignerEntries'],
    // Without entries there is no list any more.
    read: (transaction) => ({
      effects:
        transaction.SignerEntries === undefined
          ? []
          : list(transaction, 'SignerEntries').map((entry) => control(text(member(entry, 'SignerEntry'), 'Account'))),
    }),
  },
  DelegateSet: {
    fields: ['Authorize', 'Permissions'],
    read: (transaction) => ({
      effects: list(transaction, 'Permissions').length === 0 ? [] : [control(text(transaction, 'Authorize'))],
    }),
  },
  // These only take back, or prepare.
  CheckCancel: { fields: ['CheckID'], read: nothing },
  OfferCancel: { fields: ['OfferSequence'], read: nothing },
  TicketCreate: { fields: ['TicketCount'], read: nothing },
  DepositPreauth: { fields: ['Authorize', 'Unauthorize', 'AuthorizeCredentials', 'UnauthorizeCredentials'], read: nothing },
};

function readPayment(transaction: Fields, own: string): ReturnType<Rule['read']> {
  const to = text(transaction, 'Destination');
  const delivered = amountOf(transaction, 'Amount');
  const isConverted = transaction.SendMax !== undefined;
  const { amount, asset, issuer } = isConverted ? amountOf(transaction, 'SendMax') : delivered;
  return {
    effects: [{ kind: 'transfer', to, amount, asset }],
    // Paid to oneself it is a trade. A currency that names its sender as issuer, or without SendMax takes a path, may be anybody's.
    complete: to !== own && issuer !== own && (isConverted || issuer === undefined || transaction.Paths === undefined),
  };
}

function readTransfer(transaction: Fields): ReturnType<Rule['read']> {
  const { amount, asset } = amountOf(transaction, 'Amount');
  return { effects: [{ kind: 'transfer', to: text(transaction, 'Destination'), amount, asset }] };
}

interface Amount {
  readonly amount: bigint;
  readonly asset: string;
  /** Of an issued currency. */
  readonly issuer?: string;
}

/** @throws {Error} when it is absent, or negative */
function amountOf(transaction: Fields, field: string): Amount {
  const value = transaction[field];
  if (typeof value === 'string') return { amount: whole(value), asset: 'native' };
  const parts = member(transaction, field);
  if (parts.mpt_issuance_id !== undefined) return { amount: whole(text(parts, 'value')), asset: text(parts, 'mpt_issuance_id') };
  const issuer = text(parts, 'issuer');
  return { amount: scaled(text(parts, 'value')), asset: `${text(parts, 'currency')}.${issuer}`, issuer };
}

function whole(value: string): bigint {
  if (!/^\d+$/.test(value)) throw new Error(`${value} is no amount that is paid`);
  return BigInt(value);
}

function scaled(value: string): bigint {
  const [integer = '', fraction = '', ...more] = value.split('.');
  if (more.length > 0 || !/^\d*$/.test(fraction)) throw new Error(`${value} is no amount that is paid`);
  const isFiner = /[1-9]/.test(fraction.slice(decimals));
  return whole(integer) * 10n ** BigInt(decimals) + whole(fraction.slice(0, decimals).padEnd(decimals, '0')) + (isFiner ? 1n : 0n);
}

function control(to: string): Effect {
  return { kind: 'control', to };
}

function text(fields: Fields, field: string): string {
  const value = fields[field];
  if (typeof value !== 'string') throw new Error(`it has no ${field}`);
  return value;
}

function list(fields: Fields, field: string): readonly unknown[] {
  const value = fields[field];
  if (!Array.isArray(value)) throw new Error(`it has no ${field}`);
  return value;
}

function member(fields: unknown, field: string): Fields {
  const value = isFields(fields) ? fields[field] : undefined;
  if (!isFields(value)) throw new Error(`it has no ${field}`);
  return value;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}
