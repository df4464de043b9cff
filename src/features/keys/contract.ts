/** Keys on the wire (contract §5.3). The private key never exists; a key here is its public half and what may be done with it. */

import { z } from 'zod';
import { fromHex } from '../../base/bytes.ts';
import { pageOf, pageQuery } from '../../base/pagination.ts';
import { networks } from '../../chains/networks.ts';
import { contract } from '../endpoint.ts';
import { keyStoreKinds } from '../keyStores/contract.ts';
import { id, isStorable, name } from '../values.ts';

/** RFC 9380 §5.3.3: longer domain separation tags would be hashed first, an empty one is forbidden (§3.1). */
const maxDomainBytes = 255;
const maxSeedBytes = 4096;

const scheme = z.enum(['DH', 'ECDSA', 'EdDSA', 'Schnorr']);
const curve = z.enum(['ed25519', 'secp256k1', 'stark']);
const ofKey = z.object({ keyId: id });

const hexBytes = ({ min, max }: { min: number; max: number }) =>
  z
    .string()
    .max(2 + 2 * max, `at most ${max} bytes`)
    .transform((text, context) => {
      const bytes = fromHex(text);
      if (bytes !== undefined && bytes.length >= min && bytes.length <= max) return bytes;
      context.addIssue(`expected ${min} to ${max} bytes of hex, with or without 0x`);
      return z.NEVER;
    });

export const keySchema = z.object({
  id: z.string(),
  scheme,
  curve,
  publicKey: z.string(),
  masterKey: z.boolean().exactOptional(),
  derivedFrom: z.object({ keyId: z.string(), path: z.string() }).exactOptional(),
  name: z.string().exactOptional(),
  status: z.enum(['Active', 'Archived']),
  custodial: z.boolean(),
  dateCreated: z.iso.datetime(),
  imported: z.boolean().exactOptional(),
  exported: z.boolean().exactOptional(),
  dateExported: z.iso.datetime().exactOptional(),
  dateDeleted: z.iso.datetime().exactOptional(),
});

export const keyDetailSchema = keySchema.extend({
  wallets: z.array(z.object({ id: z.string(), network: z.enum(networks) })),
  store: z.object({ id: z.string(), kind: z.enum(keyStoreKinds), keyId: z.string(), derivationPath: z.string().exactOptional() }),
});

const createBody = z.object({
  scheme,
  curve,
  name: name.exactOptional(),
  masterKey: z.boolean().exactOptional(),
  deriveFrom: z.object({ keyId: id, path: z.string().max(256).exactOptional() }).exactOptional(),
  storeId: id.exactOptional(),
  delegateTo: id.exactOptional(),
  delayDelegation: z.boolean().exactOptional(),
});

const listQuery = pageQuery({ defaultLimit: 50, maxLimit: 200 }).extend({
  owner: z.string().min(1).max(256).refine(isStorable, 'must not contain U+0000').optional(),
});

export type Key = z.output<typeof keySchema>;
export type KeyDetail = z.output<typeof keyDetailSchema>;
export type CreateKey = z.output<typeof createBody>;
export type ListKeys = z.output<typeof listQuery>;

/** An answer that never comes: the endpoint refuses every request. */
const notOffered = z.never();
const anyBody = z.looseObject({});

export const keysContract = contract({
  createKey: {
    method: 'POST',
    path: '/keys',
    summary: 'Have the signers generate a key together',
    access: 'Keys:Create',
    userAction: true,
    body: createBody,
    response: keySchema,
  },
  listKeys: {
    method: 'GET',
    path: '/keys',
    summary: 'List keys; with owner, those delegated to that user',
    access: 'Keys:Read',
    userAction: false,
    query: listQuery,
    response: pageOf(keySchema),
  },
  getKey: {
    method: 'GET',
    path: '/keys/:keyId',
    summary: 'Get a key, and where it is kept',
    access: 'Keys:Read',
    userAction: false,
    params: ofKey,
    response: keyDetailSchema,
  },
  updateKey: {
    method: 'PUT',
    path: '/keys/:keyId',
    summary: 'Rename a key, or take its name away',
    access: 'Keys:Update',
    userAction: true,
    params: ofKey,
    body: z.object({ name: name.nullable() }),
    response: keySchema,
  },
  deleteKey: {
    method: 'DELETE',
    path: '/keys/:keyId',
    summary: 'Archive a key: it signs no more',
    access: 'Keys:Delete',
    userAction: true,
    params: ofKey,
    response: keySchema,
  },
  deriveKey: {
    method: 'POST',
    path: '/keys/:keyId/derive',
    summary: 'Evaluate a DH key at (domain, seed): 32 bytes, the same each time',
    access: 'Keys:Derive',
    userAction: true,
    params: ofKey,
    body: z.object({ domain: hexBytes({ min: 1, max: maxDomainBytes }), seed: hexBytes({ min: 0, max: maxSeedBytes }) }),
    response: z.object({ output: z.string() }),
  },
  importKey: {
    method: 'POST',
    path: '/keys/import',
    summary: 'Import a key (refused: not offered yet)',
    access: 'Keys:Import',
    userAction: true,
    body: anyBody,
    response: notOffered,
  },
  exportKey: {
    method: 'POST',
    path: '/keys/:keyId/export',
    summary: 'Export a key (refused: not offered yet)',
    access: 'Keys:Export',
    userAction: true,
    params: ofKey,
    body: anyBody,
    response: notOffered,
  },
  delegateKey: {
    method: 'POST',
    path: '/keys/:keyId/delegate',
    summary: 'Delegate a key to an end user (refused: not offered yet)',
    access: 'Keys:Delegate',
    userAction: true,
    params: ofKey,
    body: anyBody,
    response: notOffered,
  },
});
