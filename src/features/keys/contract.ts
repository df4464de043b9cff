/** Keys on the wire (contract §5.3). The private key never exists; a key here is its public half and what may be done with it. */

import { z } from 'zod';
import { curve, isStorable, name, scheme, shareProtocol } from '../../authority/bodies.ts';
import { keyRequests, registryRequests } from '../../authority/requests.ts';
import { pageOf, pageQuery } from '../../base/pagination.ts';
import { walletNetworks } from '../../chains/networks.ts';
import { contract, signed } from '../endpoint.ts';
import { keyStoreKinds } from '../keyStores/contract.ts';

const { createKey, deleteKey, importKey, exportKey, delegateKey } = registryRequests;
const { deriveKey } = keyRequests;
const ofKey = deriveKey.params;

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
  wallets: z.array(z.object({ id: z.string(), network: z.enum(walletNetworks) })),
  store: z.object({ id: z.string(), kind: z.enum(keyStoreKinds), keyId: z.string(), derivationPath: z.string().exactOptional() }),
});

/** A key as it travels: any `minSigners` of the shares are it. */
export const exportSchema = z.object({
  publicKey: z.string(),
  protocol: shareProtocol,
  curve,
  minSigners: z.int(),
  encryptedKeyShares: z.array(z.object({ signerId: z.string(), encryptedKeyShare: z.string() })),
});

const listQuery = pageQuery({ defaultLimit: 50, maxLimit: 200 }).extend({
  owner: z.string().min(1).max(256).refine(isStorable, 'must not contain U+0000').optional(),
});

export type Key = z.output<typeof keySchema>;
export type KeyDetail = z.output<typeof keyDetailSchema>;
export type KeyExport = z.output<typeof exportSchema>;
export type ListKeys = z.output<typeof listQuery>;

export const keysContract = contract({
  createKey: {
    ...signed(createKey),
    summary: 'Have the signers generate a key together',
    body: createKey.body,
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
    ...signed(deleteKey),
    summary: 'Archive a key: it signs no more',
    params: ofKey,
    response: keySchema,
  },
  deriveKey: {
    ...signed(deriveKey),
    summary: 'Evaluate a DH key at (domain, seed): 32 bytes, the same each time',
    params: ofKey,
    body: deriveKey.body,
    response: z.object({ output: z.string() }),
  },
  importKey: {
    ...signed(importKey),
    summary: 'Hand a key in, as shares encrypted to the signers: whoever split it, they deal it anew among themselves',
    body: importKey.body,
    response: keySchema,
  },
  exportKey: {
    ...signed(exportKey),
    summary: 'Take a key away, as shares encrypted to your key: it signs here no more',
    params: ofKey,
    body: exportKey.body,
    response: exportSchema,
  },
  delegateKey: {
    ...signed(delegateKey),
    summary: 'Delegate a key to an end user, for good',
    params: ofKey,
    body: delegateKey.body,
    response: z.object({ keyId: z.string(), status: z.literal('Delegated') }),
  },
});
