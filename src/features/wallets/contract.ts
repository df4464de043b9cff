/** Wallets on the wire (contract §5.6): keys bound to networks. */

import { z } from 'zod';
import { curve, externalId, id, isStorable, name, scheme, walletTags } from '../../authority/bodies.ts';
import { keyRequests, registryRequests } from '../../authority/requests.ts';
import { pageOf, pageQuery } from '../../base/pagination.ts';
import { walletNetworks } from '../../chains/networks.ts';
import { signatureRequestBody } from '../../chains/requests.ts';
import { contract, signed } from '../endpoint.ts';
import { exportSchema } from '../keys/contract.ts';
import { signatureRequestSchema } from '../signatures/contract.ts';

const { createWallet, importWallet, exportWallet, delegateWallet } = registryRequests;
const { createWalletSignature } = keyRequests;
const ofWallet = createWalletSignature.params;

export const walletSchema = z.object({
  id: z.string(),
  network: z.enum(walletNetworks),
  address: z.string().exactOptional(),
  signingKey: z.object({ id: z.string(), scheme, curve, publicKey: z.string(), delegatedTo: z.string().exactOptional() }),
  status: z.enum(['Active', 'Archived']),
  dateCreated: z.iso.datetime(),
  dateDeleted: z.iso.datetime().exactOptional(),
  name: z.string().exactOptional(),
  custodial: z.boolean(),
  externalId: z.string().exactOptional(),
  tags: z.array(z.string()),
});

/** The network is the wallet's, and always there. */
export const walletSignatureSchema = signatureRequestSchema.extend({ walletId: z.string(), network: z.enum(walletNetworks) });

const owner = z.string().min(1).max(256).refine(isStorable, 'must not contain U+0000').optional();
const listQuery = pageQuery({ defaultLimit: 50, maxLimit: 200 }).extend({ owner, ownerId: owner, ownerUsername: owner });
const updateBody = z.object({ name: name.nullable().exactOptional(), externalId: externalId.nullable().exactOptional() });
const tagsBody = z.object({ tags: walletTags });
const nothing = z.object({});

export type Wallet = z.output<typeof walletSchema>;
export type WalletSignature = z.output<typeof walletSignatureSchema>;
export type ListWallets = z.output<typeof listQuery>;
export type UpdateWallet = z.output<typeof updateBody>;

export const walletsContract = contract({
  createWallet: {
    ...signed(createWallet),
    summary: 'Bind a key to a network: a new key, one that stands, or a child of a master key',
    body: createWallet.body,
    response: walletSchema,
  },
  importWallet: {
    ...signed(importWallet),
    summary: 'Hand a key in, as shares encrypted to the signers, and bind it to a network',
    body: importWallet.body,
    response: walletSchema,
  },
  exportWallet: {
    ...signed(exportWallet),
    params: ofWallet,
    summary: 'Take the key of a wallet away, as shares encrypted to your key: it signs here no more',
    body: exportWallet.body,
    response: exportSchema,
  },
  delegateWallet: {
    ...signed(delegateWallet),
    params: ofWallet,
    summary: 'Delegate the key of a wallet to an end user, for good, with all wallets on it',
    body: delegateWallet.body,
    response: z.object({ walletId: z.string(), status: z.literal('Delegated') }),
  },
  listWallets: {
    method: 'GET',
    path: '/wallets',
    summary: 'List wallets; with owner, those whose key is delegated to that user',
    access: 'Wallets:Read',
    userAction: false,
    query: listQuery,
    response: pageOf(walletSchema),
  },
  getWallet: {
    method: 'GET',
    path: '/wallets/:walletId',
    summary: 'Get a wallet',
    access: 'Wallets:Read',
    userAction: false,
    params: ofWallet,
    response: walletSchema,
  },
  updateWallet: {
    method: 'PUT',
    path: '/wallets/:walletId',
    summary: 'Give a wallet another name or externalId, or take it away (null)',
    access: 'Wallets:Update',
    userAction: true,
    params: ofWallet,
    body: updateBody,
    response: walletSchema,
  },
  tagWallet: {
    method: 'PUT',
    path: '/wallets/:walletId/tags',
    summary: 'Add tags to a wallet',
    access: 'Wallets:Tags:Add',
    userAction: true,
    params: ofWallet,
    body: tagsBody,
    response: nothing,
  },
  untagWallet: {
    method: 'DELETE',
    path: '/wallets/:walletId/tags',
    summary: 'Take tags off a wallet',
    access: 'Wallets:Tags:Delete',
    userAction: true,
    params: ofWallet,
    body: tagsBody,
    response: nothing,
  },
  createWalletSignature: {
    ...signed(createWalletSignature),
    params: ofWallet,
    summary: 'Have the signers sign a request for the network of the wallet',
    body: signatureRequestBody,
    response: walletSignatureSchema,
  },
  listWalletSignatures: {
    method: 'GET',
    path: '/wallets/:walletId/signatures',
    summary: 'List the signature requests that came through a wallet',
    access: 'Keys:Signatures:Read',
    userAction: false,
    params: ofWallet,
    query: pageQuery({ defaultLimit: 50, maxLimit: 200 }),
    response: pageOf(walletSignatureSchema).extend({ keyId: z.string() }),
  },
  getWalletSignature: {
    method: 'GET',
    path: '/wallets/:walletId/signatures/:signatureId',
    summary: 'Get a signature request that came through a wallet',
    access: 'Keys:Signatures:Read',
    userAction: false,
    params: ofWallet.extend({ signatureId: id }),
    response: walletSignatureSchema,
  },
});
