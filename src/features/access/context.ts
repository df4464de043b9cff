/** What every handler is told besides its checked input. @module */

import { assert } from '../../base/errors.ts';
import type { Authorisation } from '../../crypto/authorisation.ts';
import type { Caller } from './caller.ts';
import type { UserAction } from './userAction.ts';

export interface Context {
  readonly caller: Caller;
  /** There on every endpoint that demands one, and only there. */
  readonly action?: UserAction | undefined;
  /** Also in the log, and in the body of an error. */
  readonly requestId: string;
  /** The path of the request, without the query, as it came. */
  readonly path: string;
}

/** The action of an endpoint that demands one. @throws {Bug} on any other */
export function actionOf(context: Context): UserAction {
  assert(context.action, 'an endpoint that spends a user action demands one');
  return context.action;
}

/** What the signers are shown: the request, and the caller's signature over it. @throws {Bug} as `actionOf` */
export function authorisationOf(context: Context): Authorisation {
  const { binding, body, assertion } = actionOf(context);
  return { binding, body, assertion };
}
