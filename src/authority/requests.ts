/**
 * The requests that signers understand, one entry each: what it demands and what it is made of. A request that is not here changes no
 * registry and uses no key, whoever signed it. Browser-safe.
 *
 * Not here although they write: the names, externalIds and tags of what stands. What a thing is called decides nothing, so it is the
 * service's alone.
 * @module
 */

import { z } from 'zod';
import {
  archivePermissionBody,
  createAssignmentBody,
  createKeyBody,
  createPermissionBody,
  createServiceAccountBody,
  createWalletBody,
  deactivateServiceAccountBody,
  delegateKeyBody,
  deriveBody,
  exportKeyBody,
  forceQuery,
  id,
  importKeyBody,
  importWalletBody,
  takeOverSignerBody,
  updatePermissionBody,
} from './bodies.ts';
import type { Operation } from './operations.ts';

export interface KnownRequest<P extends z.ZodType = z.ZodType, Q extends z.ZodType = z.ZodType, B extends z.ZodType = z.ZodType> {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  /** With `:name` parameters. */
  readonly path: string;
  /** What the caller must hold. */
  readonly operation: Operation;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
}

/** Whatever is there says nothing. */
const ignored = z.unknown();
const ofServiceAccount = z.object({ serviceAccountId: id });
const ofPermission = z.object({ permissionId: id });
const ofAssignment = z.object({ permissionId: id, assignmentId: id });
const ofKey = z.object({ keyId: id });
const ofWallet = z.object({ walletId: id });

/** They become entries of the authority log. */
export const registryRequests = {
  createServiceAccount: {
    method: 'POST',
    path: '/auth/service-accounts',
    operation: 'Auth:ServiceAccounts:Create',
    params: ignored,
    query: ignored,
    body: createServiceAccountBody,
  },
  activateServiceAccount: {
    method: 'PUT',
    path: '/auth/service-accounts/:serviceAccountId/activate',
    operation: 'Auth:ServiceAccounts:Activate',
    params: ofServiceAccount,
    query: ignored,
    body: ignored,
  },
  deactivateServiceAccount: {
    method: 'PUT',
    path: '/auth/service-accounts/:serviceAccountId/deactivate',
    operation: 'Auth:ServiceAccounts:Deactivate',
    params: ofServiceAccount,
    query: ignored,
    body: deactivateServiceAccountBody,
  },
  deleteServiceAccount: {
    method: 'DELETE',
    path: '/auth/service-accounts/:serviceAccountId',
    operation: 'Auth:ServiceAccounts:Delete',
    params: ofServiceAccount,
    query: forceQuery,
    body: ignored,
  },
  createPermission: {
    method: 'POST',
    path: '/permissions',
    operation: 'Permissions:Create',
    params: ignored,
    query: ignored,
    body: createPermissionBody,
  },
  updatePermission: {
    method: 'PUT',
    path: '/permissions/:permissionId',
    operation: 'Permissions:Update',
    params: ofPermission,
    query: ignored,
    body: updatePermissionBody,
  },
  archivePermission: {
    method: 'PUT',
    path: '/permissions/:permissionId/archive',
    operation: 'Permissions:Archive',
    params: ofPermission,
    query: ignored,
    body: archivePermissionBody,
  },
  createAssignment: {
    method: 'POST',
    path: '/permissions/:permissionId/assignments',
    operation: 'Permissions:Assign',
    params: ofPermission,
    query: ignored,
    body: createAssignmentBody,
  },
  deleteAssignment: {
    method: 'DELETE',
    path: '/permissions/:permissionId/assignments/:assignmentId',
    operation: 'Permissions:Revoke',
    params: ofAssignment,
    query: forceQuery,
    body: ignored,
  },
  createKey: { method: 'POST', path: '/keys', operation: 'Keys:Create', params: ignored, query: ignored, body: createKeyBody },
  deleteKey: { method: 'DELETE', path: '/keys/:keyId', operation: 'Keys:Delete', params: ofKey, query: ignored, body: ignored },
  importKey: { method: 'POST', path: '/keys/import', operation: 'Keys:Import', params: ignored, query: ignored, body: importKeyBody },
  exportKey: {
    method: 'POST',
    path: '/keys/:keyId/export',
    operation: 'Keys:Export',
    params: ofKey,
    query: ignored,
    body: exportKeyBody,
  },
  delegateKey: {
    method: 'POST',
    path: '/keys/:keyId/delegate',
    operation: 'Keys:Delegate',
    params: ofKey,
    query: ignored,
    body: delegateKeyBody,
  },
  createWallet: {
    method: 'POST',
    path: '/wallets',
    operation: 'Wallets:Create',
    params: ignored,
    query: ignored,
    body: createWalletBody,
  },
  /** And `Wallets:Create`. */
  importWallet: {
    method: 'POST',
    path: '/wallets/import',
    operation: 'Keys:Import',
    params: ignored,
    query: ignored,
    body: importWalletBody,
  },
  exportWallet: {
    method: 'POST',
    path: '/wallets/:walletId/export',
    operation: 'Keys:Export',
    params: ofWallet,
    query: ignored,
    body: exportKeyBody,
  },
  delegateWallet: {
    method: 'POST',
    path: '/wallets/:walletId/delegate',
    operation: 'Keys:Delegate',
    params: ofWallet,
    query: ignored,
    body: delegateKeyBody,
  },
  takeOverSigner: {
    method: 'POST',
    path: '/signers/takeovers',
    operation: 'Orgs:Settings:Update',
    params: ignored,
    query: ignored,
    body: takeOverSignerBody,
  },
} as const satisfies Record<string, KnownRequest>;

export type RegistryRequest = keyof typeof registryRequests;

/** They use a key and leave the registry as it is. */
export const keyRequests = {
  /** Its body is for `chains/` to read. */
  createSignature: {
    method: 'POST',
    path: '/keys/:keyId/signatures',
    operation: 'Keys:Signatures:Create',
    params: ofKey,
    query: ignored,
    body: ignored,
  },
  /** With the key of the wallet, for its network. */
  createWalletSignature: {
    method: 'POST',
    path: '/wallets/:walletId/signatures',
    operation: 'Keys:Signatures:Create',
    params: ofWallet,
    query: ignored,
    body: ignored,
  },
  deriveKey: { method: 'POST', path: '/keys/:keyId/derive', operation: 'Keys:Derive', params: ofKey, query: ignored, body: deriveBody },
} as const satisfies Record<string, KnownRequest>;
