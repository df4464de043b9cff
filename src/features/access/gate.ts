/**
 * What stands before every handler: who calls, whether they may, and whether they signed this very request (contract §1.5, §3.6).
 * Implements the `Gate` of `server/gate.ts`.
 * @module
 */

import { grantOf, type Operation, operations } from '../../authority/operations.ts';
import type { Clock } from '../../base/clock.ts';
import { Refusal } from '../../base/errors.ts';
import { payloadHashOf } from '../../crypto/authorisation.ts';
import type { Database } from '../../store/database.ts';
import { auditEntry, spendEntry } from '../audit/store.ts';
import type { Caller } from './caller.ts';
import { isFor } from './service.ts';
import type { AccessStore, TokenState } from './store.ts';
import { sameTarget } from './target.ts';
import type { Tokens } from './tokens.ts';
import type { UserAction } from './userAction.ts';

export interface SignedRequest {
  readonly header: string | undefined;
  readonly method: string;
  /** The raw target, with its query. */
  readonly url: string;
  readonly body: Uint8Array;
}

export function createGate({ store, tokens, database, clock }: { store: AccessStore; tokens: Tokens; database: Database; clock: Clock }) {
  return {
    /** @throws {Refusal} Unauthorized, AccountDeactivated */
    async authenticate(authorization: string | undefined): Promise<Caller> {
      const tokenId = tokens.readBearer(bearerOf(authorization));
      const state = tokenId === undefined ? undefined : await store.findToken(tokenId);
      if (!state?.isActive || state.dateExpires.getTime() <= clock()) throw new Refusal('Unauthorized');
      if (!state.accountIsActive) throw new Refusal('AccountDeactivated');
      return callerOf(state);
    },

    authorise,

    /** Pure. @throws {Refusal} UserActionMissing */
    verifyUserAction(caller: Caller, { header, method, url, body }: SignedRequest): UserAction {
      const signed = header === undefined ? undefined : tokens.readUserAction(header);
      if (header === undefined || signed === undefined || !isFor(signed, caller)) throw new Refusal('UserActionMissing');
      const { binding, assertion, credentialUuid } = signed;
      const isThisRequest = binding.method === method && sameTarget(binding.path, url) && binding.payloadHash === payloadHashOf(body);
      // The credential may have been deactivated since it signed.
      const isStillUsable = caller.credentials.some(({ uuid }) => uuid === credentialUuid);
      if (!isThisRequest || !isStillUsable) throw new Refusal('UserActionMissing');
      return { binding, assertion, credentialUuid, token: header, body, spent: false };
    },

    /** @throws {Refusal} UserActionUsed */
    async spendRefused(caller: Caller, action: UserAction, refusal: Refusal): Promise<void> {
      const isFirst = await spendEntry(database, auditEntry({ caller, action, date: new Date(clock()), refusal: refusal.message }));
      if (!isFirst) throw new Refusal('UserActionUsed');
      action.spent = true;
    },
  };
}

/** @throws {Refusal} Forbidden, in the words of contract §1.5 */
export function authorise(caller: Caller, operation: Operation): void {
  if (caller.operations.has(operation)) return;
  throw new Refusal('Forbidden', `${caller.kind} ${caller.userId} is not authorized to perform operation (${operation})`);
}

const allOperations: ReadonlySet<Operation> = new Set(operations);

function callerOf(state: TokenState): Caller {
  const { organisationId, userId, id, userKind, isServiceAccount, isFullAdmin, credentials } = state;
  const held = isFullAdmin ? allOperations : new Set(state.operations.flat().flatMap(grantOf));
  return {
    organisationId,
    userId,
    tokenId: id,
    kind: isServiceAccount ? 'ServiceAccount' : userKind,
    operations: held,
    isFullAdmin,
    credentials,
  };
}

function bearerOf(authorization = ''): string {
  return /^Bearer +(\S+) *$/i.exec(authorization)?.[1] ?? '';
}
