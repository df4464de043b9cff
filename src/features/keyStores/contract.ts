/** Where keys are kept, and the signers that keep them (contract §5.5). @module */

import { z } from 'zod';
import { contract } from '../endpoint.ts';

export const keyStoreKinds = ['Hsm', 'Mpc', 'OfflineSigner'] as const;

export const keyStoresContract = contract({
  listSigners: {
    method: 'GET',
    path: '/signers',
    summary: 'List the signers of each cluster, in the order of their ids',
    access: 'Signers:ListSigners',
    userAction: false,
    response: z.object({
      clusters: z.array(
        z.object({ clusterId: z.string(), signers: z.array(z.object({ signerId: z.string(), encryptionKey: z.string() })) }),
      ),
    }),
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
