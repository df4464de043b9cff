/**
 * The kinds of request a key signs, as the wire says them (contract §5.4). Browser-safe: the client and the CLI read it too.
 * @module
 */

import { z } from 'zod';
import { fromHex } from '../base/bytes.ts';
import { blockchainKinds, networks } from './networks.ts';

/** Hex of even length, with or without `0x`; kept as the caller wrote it. */
const hex = (maxBytes: number) =>
  z
    .string()
    .max(2 + 2 * maxBytes, `at most ${maxBytes} bytes of hex`)
    .refine((text) => fromHex(text) !== undefined, 'expected hex of even length, with or without 0x');

/** What one request may carry: the body limit of the server is above it. */
export const maxMessageBytes = 256 * 1024;

const common = {
  network: z.enum(networks).optional(),
  blockchainKind: z.enum(blockchainKinds).optional(),
  externalId: z
    .string()
    .min(1)
    .max(64)
    .refine((text) => !text.includes('\0'), 'must not contain U+0000')
    .optional(),
};

const hash32 = z.string().refine((text) => fromHex(text)?.length === 32, 'expected 32 bytes of hex, with or without 0x');
const typedDataTypes = z.record(z.string(), z.array(z.object({ name: z.string(), type: z.string() })));
const snip12Types = z.record(z.string(), z.array(z.object({ name: z.string(), type: z.string(), contains: z.string().optional() })));
const json = z.record(z.string(), z.unknown());

export const requestKinds = {
  Hash: z.object({
    kind: z.literal('Hash'),
    hash: hash32,
    taprootMerkleRoot: z
      .string()
      .refine((text) => text === '' || fromHex(text)?.length === 32, 'expected "" or 32 bytes of hex')
      .optional(),
    ...common,
  }),
  Message: z.object({ kind: z.literal('Message'), message: hex(maxMessageBytes), ...common }),
  Transaction: z.object({ kind: z.literal('Transaction'), transaction: z.union([hex(maxMessageBytes), json]), ...common }),
  Eip191: z.object({ kind: z.literal('Eip191'), message: hex(maxMessageBytes), ...common }),
  Eip712: z.object({ kind: z.literal('Eip712'), types: typedDataTypes, domain: json, message: json, ...common }),
  Eip7702: z.object({ kind: z.literal('Eip7702'), address: z.string(), nonce: z.number(), chainId: z.number(), ...common }),
  Snip12: z.object({
    kind: z.literal('Snip12'),
    primaryType: z.string(),
    types: snip12Types,
    domain: json,
    message: json,
    /** Hex, of the account contract: a member of ours (`starknet.ts`). */
    accountAddress: z.string().max(66).optional(),
    ...common,
  }),
  Psbt: z.object({ kind: z.literal('Psbt'), psbt: hex(maxMessageBytes), ...common }),
  Bip322: z.object({ kind: z.literal('Bip322'), message: hex(maxMessageBytes), format: z.enum(['Simple', 'Full']).optional(), ...common }),
  SignDocDirect: z.object({ kind: z.literal('SignDocDirect'), signDoc: hex(maxMessageBytes), ...common }),
  SignerPayload: z.object({ kind: z.literal('SignerPayload'), payload: z.union([hex(maxMessageBytes), json]), ...common }),
  Cip8: z.object({
    kind: z.literal('Cip8'),
    payload: hex(maxMessageBytes).optional(),
    externalAad: hex(maxMessageBytes).optional(),
    context: z.literal('Signature1'),
    ...common,
  }),
} as const;

export type RequestKind = keyof typeof requestKinds;
export type Body<K extends RequestKind = RequestKind> = z.output<(typeof requestKinds)[K]>;

/** The body of a signature request. The vendor's sponsored flows (smart account, fee bump) are not kinds of ours. */
export const signatureRequestBody = z.discriminatedUnion('kind', [
  requestKinds.Hash,
  requestKinds.Message,
  requestKinds.Transaction,
  requestKinds.Eip191,
  requestKinds.Eip712,
  requestKinds.Eip7702,
  requestKinds.Snip12,
  requestKinds.Psbt,
  requestKinds.Bip322,
  requestKinds.SignDocDirect,
  requestKinds.SignerPayload,
  requestKinds.Cip8,
]);
