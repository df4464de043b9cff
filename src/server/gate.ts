/**
 * What the HTTP adapter asks about a request before a handler sees it, in the order of contract §1.5. `features/access` answers.
 * @module
 */

import type { Operation } from '../authority/operations.ts';
import type { Refusal } from '../base/errors.ts';
import type { Caller } from '../features/access/caller.ts';
import type { UserAction } from '../features/access/userAction.ts';

export interface Gate {
  /** Who holds this bearer token. @throws {Refusal} Unauthorized, AccountDeactivated */
  authenticate(authorization: string | undefined): Promise<Caller>;

  /** @throws {Refusal} Forbidden */
  authorise(caller: Caller, operation: Operation): void;

  /**
   * The user action of this very request: signature, binding and expiry of the `x-dfns-useraction` header. Writes nothing: single use is
   * enforced where the action is spent, in the statement of the handler.
   *
   * @param request.url  the raw target, percent-encoded, with query
   * @param request.body the raw bytes received; empty when there was no body
   * @throws {Refusal} UserActionMissing
   */
  verifyUserAction(caller: Caller, request: SignedRequest): UserAction;

  /**
   * Spends an action whose request was refused before its handler spent it: verified counts as spent (contract §1.5).
   * @throws {Refusal} UserActionUsed, which then is the answer
   */
  spendRefused(caller: Caller, action: UserAction, refusal: Refusal): Promise<void>;
}

export interface SignedRequest {
  readonly header: string | undefined;
  readonly method: string;
  readonly url: string;
  readonly body: Uint8Array;
}
