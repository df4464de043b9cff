/**
 * Who calls: what the bearer token of a request stands for at this moment, as the database says it.
 * @module
 */

import type { Operation } from '../../authority/operations.ts';

/** How a caller is named in refusals (contract §1.5). */
export type CallerKind = 'CustomerEmployee' | 'EndUser' | 'ServiceAccount' | 'Pat';

/** An active credential the caller may sign user actions with through this token. */
export interface CallerCredential {
  readonly uuid: string;
  /** The authenticator's own id. */
  readonly credId: string;
  readonly kind: 'Key' | 'PasswordProtectedKey' | 'Fido2';
  /** PEM. */
  readonly publicKey: string;
}

export interface Caller {
  readonly organisationId: string;
  readonly userId: string;
  readonly tokenId: string;
  readonly kind: CallerKind;
  /** What the caller may do now: every operation for a full admin. */
  readonly operations: ReadonlySet<Operation>;
  /** Holds every operation, those of the future included. */
  readonly isFullAdmin: boolean;
  readonly credentials: readonly CallerCredential[];
}
