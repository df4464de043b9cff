/**
 * The root gets a new credential: the operators of t + 1 signers have agreed on it, offline (`authority/recovery.ts`). Nobody who calls here
 * has a credential; what is brought speaks for itself.
 * @module
 */

import type { Recovery } from '../../authority/recovery.ts';
import { assert } from '../../base/errors.ts';
import type { Database } from '../../store/database.ts';
import type { Tokens } from '../access/tokens.ts';
import { bearerOf } from '../serviceAccounts/account.ts';
import { findServiceAccount } from '../serviceAccounts/store.ts';
import type { Authority } from './service.ts';

export interface RecoveryService {
  /** The same again, when its answer was lost, answers the same. @throws {Refusal} Forbidden, BadRequest, Unavailable */
  recover(recovery: Recovery, requestId: string): Promise<RecoveredAccess>;
}

export interface RecoveredAccess {
  organisationId: string;
  applicationId: string;
  accessToken: string;
  credentialId: string;
}

export function createRecoveryService(parts: { database: Database; authority: Authority; tokens: Tokens }): RecoveryService {
  const { database, authority, tokens } = parts;
  return {
    async recover(recovery, requestId) {
      await authority.recover(recovery, requestId);
      const { organisationId, applicationId, userId } = authority.registry.ids;
      const root = await findServiceAccount(database, organisationId, userId);
      assert(root, 'a recovered root stands');
      return { organisationId, applicationId, accessToken: tokens.issueBearer(bearerOf(root)), credentialId: root.credId };
    },
  };
}
