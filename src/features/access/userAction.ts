/**
 * A user action: the caller's credential has signed this very request (contract §3). Verified before the handler runs, spent by the
 * handler together with its effect.
 * @module
 */

import type { ActionBinding, Assertion } from '../../crypto/authorisation.ts';

export interface UserAction {
  readonly binding: ActionBinding;
  readonly assertion: Assertion;
  /** The server's id of the credential that made the assertion. */
  readonly credentialUuid: string;
  /** The `x-dfns-useraction` header as it came. */
  readonly token: string;
  /** The raw bytes of the request's body. */
  readonly body: Uint8Array;
  /** Whether its audit row is durable. Set by what spends it, after the commit. */
  spent: boolean;
}
