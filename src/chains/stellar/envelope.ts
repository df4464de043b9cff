/**
 * Transaction envelopes of Stellar, all of them: whoever cannot read to the end of a transaction cannot know what it does.
 *
 * Sources   https://github.com/stellar/stellar-xdr (Stellar-transaction.x, Stellar-ledger-entries.x, Stellar-contract.x), protocol 23.
 * @module
 */

import { bool, i64, list, nested, nothing, opaque, optional, struct, u32, u64, union, variable, type Xdr } from '../encodings/xdr.ts';

const maxOperations = 100;
const maxSignatures = 20;
/** What XDR leaves unbounded is bounded by the size of a request; these bound the number of items. */
const many = 1000;

const hash = opaque(32);
const ed25519 = opaque(32);
const accountId = union({ 0: ed25519 });
/** `id` is told apart by the receiver alone: the money is the account's. */
export const muxedAccount = union({ 0: struct({ ed25519 }), 256: struct({ id: u64, ed25519 }) });

const alphaNum4 = struct({ code: opaque(4), issuer: accountId });
const alphaNum12 = struct({ code: opaque(12), issuer: accountId });
const asset = union({ 0: nothing, 1: alphaNum4, 2: alphaNum12 });
const poolParameters = union({ 0: struct({ assetA: asset, assetB: asset, fee: u32 }) });
const changeTrustAsset = union({ 0: nothing, 1: alphaNum4, 2: alphaNum12, 3: poolParameters });
const trustLineAsset = union({ 0: nothing, 1: alphaNum4, 2: alphaNum12, 3: hash });
const price = struct({ n: u32, d: u32 });
const signerKey = union({ 0: ed25519, 1: hash, 2: hash, 3: struct({ ed25519, payload: variable(64) }) });
const balanceId = union({ 0: hash });

const predicate: Xdr<unknown> = nested(() =>
  union({ 0: nothing, 1: list(predicate, 2), 2: list(predicate, 2), 3: optional(predicate), 4: i64, 5: i64 }),
);
const claimant = union({ 0: struct({ destination: accountId, predicate }) });

// Contracts.

const scAddress = union({ 0: accountId, 1: hash, 2: struct({ id: u64, ed25519 }), 3: balanceId, 4: hash });
const executable = union({ 0: hash, 1: nothing });
const scError = union({ 0: u32, ...Object.fromEntries(Array.from({ length: 9 }, (_, i) => [i + 1, u32])) });
const scVal: Xdr<unknown> = nested(() =>
  union({
    0: bool,
    1: nothing,
    2: scError,
    3: u32,
    4: u32,
    5: u64,
    6: i64,
    7: u64,
    8: u64,
    9: opaque(16),
    10: opaque(16),
    11: opaque(32),
    12: opaque(32),
    13: variable(0xffffffff),
    14: variable(0xffffffff),
    15: variable(32),
    16: optional(list(scVal, many)),
    17: optional(list(struct({ key: scVal, value: scVal }), many)),
    18: scAddress,
    19: struct({ executable, storage: optional(list(struct({ key: scVal, value: scVal }), many)) }),
    20: nothing,
    21: i64,
  }),
);
const invocation = struct({ contract: scAddress, method: variable(32), args: list(scVal, many) });
const preimage = union({ 0: struct({ address: scAddress, salt: hash }), 1: asset });
const creation = struct({ preimage, executable });
const creationWithArguments = struct({ preimage, executable, args: list(scVal, many) });
const hostFunction = union({ 0: invocation, 1: creation, 2: variable(0xffffffff), 3: creationWithArguments });
const authorised = union({ 0: invocation, 1: creation, 2: creationWithArguments });
const authorisedTree: Xdr<unknown> = nested(() => struct({ authorised, below: list(authorisedTree, many) }));
const credentials = union({ 0: nothing, 1: struct({ address: scAddress, nonce: i64, expiration: u32, signature: scVal }) });

const ledgerKey = union({
  0: struct({ account: accountId }),
  1: struct({ account: accountId, asset: trustLineAsset }),
  2: struct({ seller: accountId, offer: i64 }),
  3: struct({ account: accountId, name: variable(64) }),
  4: balanceId,
  5: hash,
  6: struct({ contract: scAddress, key: scVal, durability: u32 }),
  7: hash,
  8: u32,
  9: hash,
});
const footprint = struct({ readOnly: list(ledgerKey, many), readWrite: list(ledgerKey, many) });
const sorobanData = struct({
  ext: union({ 0: nothing, 1: list(u32, many) }),
  resources: struct({ footprint, instructions: u32, readBytes: u32, writeBytes: u32 }),
  resourceFee: i64,
});
const noExtension = union({ 0: nothing });

// Operations, by their number.

const offer = { selling: asset, buying: asset, amount: i64, price };
export const operationBody = union({
  0: struct({ destination: accountId, startingBalance: i64 }),
  1: struct({ destination: muxedAccount, asset, amount: i64 }),
  2: struct({ sendAsset: asset, sendMax: i64, destination: muxedAccount, destAsset: asset, destAmount: i64, path: list(asset, 5) }),
  3: struct({ ...offer, offerId: i64 }),
  4: struct(offer),
  5: struct({
    inflationDestination: optional(accountId),
    clearFlags: optional(u32),
    setFlags: optional(u32),
    masterWeight: optional(u32),
    lowThreshold: optional(u32),
    mediumThreshold: optional(u32),
    highThreshold: optional(u32),
    homeDomain: optional(variable(32)),
    signer: optional(struct({ key: signerKey, weight: u32 })),
  }),
  6: struct({ line: changeTrustAsset, limit: i64 }),
  7: struct({ trustor: accountId, code: union({ 1: opaque(4), 2: opaque(12) }), authorize: u32 }),
  8: muxedAccount,
  9: nothing,
  10: struct({ name: variable(64), value: optional(variable(64)) }),
  11: struct({ bumpTo: i64 }),
  12: struct({ ...offer, offerId: i64 }),
  13: struct({ sendAsset: asset, sendAmount: i64, destination: muxedAccount, destAsset: asset, destMin: i64, path: list(asset, 5) }),
  14: struct({ asset, amount: i64, claimants: list(claimant, 10) }),
  15: balanceId,
  16: struct({ sponsored: accountId }),
  17: nothing,
  18: union({ 0: ledgerKey, 1: struct({ account: accountId, signer: signerKey }) }),
  19: struct({ asset, from: muxedAccount, amount: i64 }),
  20: balanceId,
  21: struct({ trustor: accountId, asset, clearFlags: u32, setFlags: u32 }),
  22: struct({ pool: hash, maxA: i64, maxB: i64, minPrice: price, maxPrice: price }),
  23: struct({ pool: hash, amount: i64, minA: i64, minB: i64 }),
  24: struct({ function: hostFunction, auth: list(struct({ credentials, tree: authorisedTree }), many) }),
  25: struct({ ext: noExtension, extendTo: u32 }),
  26: noExtension,
});
const operation = struct({ source: optional(muxedAccount), body: operationBody });

const timeBounds = struct({ from: u64, to: u64 });
const preconditions = union({
  0: nothing,
  1: timeBounds,
  2: struct({
    timeBounds: optional(timeBounds),
    ledgerBounds: optional(struct({ from: u32, to: u32 })),
    minSequence: optional(i64),
    minSequenceAge: u64,
    minSequenceLedgerGap: u32,
    extraSigners: list(signerKey, 2),
  }),
});
const memo = union({ 0: nothing, 1: variable(28), 2: u64, 3: hash, 4: hash });
const signatures = list(struct({ hint: opaque(4), signature: variable(64) }), maxSignatures);

const operations = list(operation, maxOperations);
const transactionV0 = struct({
  ed25519,
  fee: u32,
  sequence: i64,
  timeBounds: optional(timeBounds),
  memo,
  operations,
  ext: noExtension,
});
const transaction = struct({
  source: muxedAccount,
  fee: u32,
  sequence: i64,
  preconditions,
  memo,
  operations,
  ext: union({ 0: nothing, 1: sorobanData }),
});
const feeBump = struct({
  feeSource: muxedAccount,
  fee: i64,
  inner: union({ 2: struct({ transaction, signatures }) }),
  ext: noExtension,
});

/** An envelope's transaction, with the bytes it has there. */
const located =
  <T>(type: Xdr<T>): Xdr<{ readonly content: T; readonly bytesLeft: { readonly before: number; readonly after: number } }> =>
  (reader) => {
    const before = reader.left;
    return { content: type(reader), bytesLeft: { before, after: reader.left } };
  };

export const envelopeTypes = { v0: 0, v1: 2, feeBump: 5 } as const;

export const envelope = union({
  0: struct({ transaction: located(transactionV0), signatures }),
  2: struct({ transaction: located(transaction), signatures }),
  5: struct({ transaction: located(feeBump), signatures }),
});

export type Envelope = ReturnType<typeof envelope>;
export type MuxedAccount = ReturnType<typeof muxedAccount>;
export type AccountId = ReturnType<typeof accountId>;
export type Asset = ReturnType<typeof asset>;
export type SignerKey = ReturnType<typeof signerKey>;
export type Operation = ReturnType<typeof operation>;
