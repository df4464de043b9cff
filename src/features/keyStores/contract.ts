/** Where keys are kept, and the signers that keep them (contract §5.5). @module */

import { z } from 'zod';
import { takeOverSignerBody } from '../../authority/bodies.ts';
import { registryRequests } from '../../authority/requests.ts';
import { contract, signed } from '../endpoint.ts';

export const keyStoreKinds = ['Hsm', 'Mpc', 'OfflineSigner'] as const;

/**
 * Where a signer's authority log stands, signed by that signer (`authority/signedHead.ts`): with it, `countersign audit verify` sees that a
 * copy of the log lacks nothing.
 */
export const headSchema = z.object({
  sequence: z.int().min(0),
  /** Hex of 32 bytes. */
  hash: z.string(),
  /** Unix seconds. */
  at: z.int(),
  /** base64url of 64 bytes. */
  signature: z.string(),
});

export const keyStoresContract = contract({
  listSigners: {
    method: 'GET',
    path: '/signers',
    summary: 'List the signers of each cluster, in the order of their ids, with the heads of their authority logs',
    access: 'Signers:ListSigners',
    userAction: false,
    response: z.object({
      clusters: z.array(
        z.object({
          clusterId: z.string(),
          signers: z.array(z.object({ signerId: z.string(), encryptionKey: z.string(), head: headSchema.exactOptional() })),
        }),
      ),
    }),
  },
  takeOverSigner: {
    ...signed(registryRequests.takeOverSigner),
    body: takeOverSignerBody,
    summary: 'From now on this instance of a signer acts in its name, and no other (docs/standby.md)',
    response: takeOverSignerBody,
  },
  listKeyStores: {
    method: 'GET',
    path: '/key-stores',
    summary: 'List key stores',
    access: 'KeyStores:Read',
    userAction: false,
    response: z.object({
      items: z.array(z.object({ id: z.string(), kind: z.enum(keyStoreKinds), name: z.string().exactOptional(), primary: z.boolean() })),
    }),
  },
});
