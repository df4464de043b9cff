/**
 * What makes a request authorised: the request itself, and the caller's credential signature over a challenge that commits to it.
 * It travels with every signing session, so that whoever holds it (an auditor, a signer) can recompute what the credential signed.
 *
 * The challenge is base64url(SHA-256(UTF-8 of the JSON array below)): anyone with the request can compute it.
 *
 *   ["countersign/user-action/v1", method, path, hex SHA-256 of the body bytes, organisation id, caller id, nonce, expiry in unix seconds]
 * @module
 */

import { hash } from 'node:crypto';

/** What a challenge commits to. */
export interface ActionBinding {
  readonly method: string;
  /** As the caller named it: with the query or without. */
  readonly path: string;
  /** SHA-256 of the raw body bytes, lower-case hex. An absent body is the empty string. */
  readonly payloadHash: string;
  readonly organisationId: string;
  readonly callerId: string;
  /** 32 bytes, base64url: 16 random ones, and the anchor of the log's head (`authority/head.ts`). The user action's identity, spent once. */
  readonly nonce: string;
  /** Unix seconds. */
  readonly expiresAt: number;
}

/** The caller's signature over a challenge, as it came over the wire (contract §3.2): all base64url. */
export interface Assertion {
  readonly kind: 'Key' | 'PasswordProtectedKey' | 'Fido2';
  readonly credId: string;
  readonly clientData: string;
  readonly signature: string;
  readonly algorithm?: string;
  readonly authenticatorData?: string;
}

export interface Authorisation {
  readonly binding: ActionBinding;
  /** The raw body bytes the binding's `payloadHash` is of. */
  readonly body: Uint8Array;
  readonly assertion: Assertion;
}

/** The challenge of a user action: what the credential signs inside its clientData. */
export function challengeOf(binding: ActionBinding): string {
  const { method, path, payloadHash, organisationId, callerId, nonce, expiresAt } = binding;
  const text = JSON.stringify(['countersign/user-action/v1', method, path, payloadHash, organisationId, callerId, nonce, expiresAt]);
  return hash('sha256', text, 'base64url');
}

/** Lower-case hex SHA-256 of the raw body bytes. */
export function payloadHashOf(body: Uint8Array): string {
  return hash('sha256', body, 'hex');
}
