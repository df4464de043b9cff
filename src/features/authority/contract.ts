/** The authority log on the wire: a copy of it, for whoever audits, and the way in for what no credential can ask for any more. @module */

import { z } from 'zod';
import { recoverySchema } from '../../authority/wire.ts';
import { contract } from '../endpoint.ts';

export const authorityContract = contract({
  listEntries: {
    method: 'GET',
    path: '/authority/entries',
    summary: 'Read the authority log, from entry number `from` on; an empty list is its end',
    access: 'Auth:Logs:Read',
    userAction: false,
    query: z.object({ from: z.coerce.number().int().min(1).default(1) }),
    response: z.object({ items: z.array(z.object({ sequence: z.int(), entry: z.string() })) }),
  },
  recover: {
    method: 'POST',
    path: '/authority/recovery',
    summary: 'Give the root a new credential, which the operators of enough signers have signed',
    access: 'anonymous',
    userAction: false,
    body: recoverySchema,
    response: z.object({
      organisationId: z.string(),
      applicationId: z.string(),
      /** Of the root's account, as `POST /auth/service-accounts` answers it. */
      accessToken: z.string(),
      credentialId: z.string(),
    }),
  },
});
