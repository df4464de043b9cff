/**
 * Whether a request was asked for by a credential of this registry. Everything is recomputed from the request itself: the hash of its body,
 * the challenge, the head it was made at. Nothing that the service says about it is believed.
 * @module
 */

import { Refusal } from '../base/errors.ts';
import { verifyAssertion } from '../crypto/assertions.ts';
import { type ActionBinding, type Authorisation, challengeOf, payloadHashOf } from '../crypto/authorisation.ts';
import type { Caller } from './grants.ts';
import { anchorOf } from './head.ts';
import { parsed } from './parse.ts';
import type { Account, Credential, Registry } from './registry.ts';
import { assertionSchema, bindingSchema } from './wire.ts';

/** From the challenge to the expiry of what it authorises (contract §3.6). */
export const actionLifetimeSeconds = 300;
/** How far the clocks of service and signers may be apart. */
export const clockSkewSeconds = 30;

/**
 * When something is judged: now (milliseconds since the epoch), or after the fact, when a log is read that was judged before: one's own, or
 * one that the heads of t + 1 signers vouch for.
 */
export type Moment = { readonly now: number } | 'replay';

/**
 * Who asks for this request. Says nothing about whether they may.
 * @throws {Refusal} Forbidden, UserActionUsed, Unavailable when this registry is not the one the request was made at, BadRequest: each
 * with its reason
 */
export function authorise(registry: Registry, authorisation: Authorisation, moment: Moment): Caller {
  const binding = parsed('binding', bindingSchema, authorisation.binding);
  requireInTime(registry, binding, moment);
  if (registry.isSpent(binding.nonce)) throw new Refusal('UserActionUsed');
  const { account, credential } = authenticate(registry, authorisation);
  requireStanding(account, credential, { at: timeOf(binding), moment });
  requireAnchored(registry, binding);
  return {
    organisationId: registry.organisationId,
    userId: account.id,
    tokenId: account.tokenId,
    kind: account.kind,
    credentialUuid: credential.uuid,
  };
}

/** When the request was made, in unix seconds: the same for all who judge it, and whenever. */
export function timeOf({ expiresAt }: Pick<ActionBinding, 'expiresAt'>): number {
  return expiresAt - actionLifetimeSeconds;
}

/** What the log shows of the time, once it holds this action: nobody has accepted it earlier. */
export function timeShownBy(registry: Registry, binding: ActionBinding): number {
  return Math.max(registry.time, timeOf(binding) - clockSkewSeconds);
}

/**
 * Whether a credential of this registry signed this very request, be it in force or not.
 * @throws {Refusal} Forbidden, BadRequest
 */
export function authenticate(
  registry: Registry,
  { binding, body, assertion }: Authorisation,
): { account: Account; credential: Credential } {
  const { organisationId, callerId, payloadHash } = binding;
  const { kind, credId } = parsed('assertion', assertionSchema, assertion);
  if (organisationId !== registry.organisationId) {
    throw no(`the request is of organisation ${organisationId}, not of ${registry.organisationId}`);
  }
  const account = registry.accounts.get(callerId);
  const credential = registry.credentials.get(credId);
  if (account === undefined) throw no(`account ${callerId} is unknown`);
  if (credential === undefined) throw no(`credential ${credId} is unknown`);
  if (credential.accountId !== callerId) throw no(`credential ${credential.uuid} is not of account ${callerId}`);
  if (credential.kind !== kind) throw no(`credential ${credential.uuid} is of kind ${credential.kind}, the assertion says ${kind}`);
  if (payloadHash !== payloadHashOf(body)) throw no('the body is not the one that was signed');
  if (!verifyAssertion({ key: credential.key, assertion, challenge: challengeOf(binding) })) {
    throw no(`credential ${credential.uuid} has not signed this request`);
  }
  return { account, credential };
}

/**
 * Live, an action is good from its making to its expiry. In a log whose entries were accepted one after the other, each was good at some
 * time not before its predecessors': so an entry that had expired when an earlier one was made was never accepted in this order.
 */
function requireInTime(registry: Registry, { expiresAt }: ActionBinding, moment: Moment): void {
  if (expiresAt <= registry.time) throw no('the authorisation had expired when an earlier entry of the log was made');
  if (moment === 'replay') return;
  const left = expiresAt - moment.now / 1000;
  if (left <= 0) throw no(`the authorisation expired ${Math.ceil(-left)} seconds ago`);
  const allowed = actionLifetimeSeconds + clockSkewSeconds;
  if (left > allowed) throw no(`the authorisation expires in ${Math.ceil(left)} seconds, which is more than ${allowed}`);
}

function requireStanding(account: Account, credential: Credential, { at, moment }: { at: number; moment: Moment }): void {
  if (account.status !== 'Active') throw no(`account ${account.id} is ${account.status.toLowerCase()}`);
  if (!credential.isActive) throw no(`credential ${credential.uuid} is deactivated`);
  const latest = moment === 'replay' ? at : Math.max(at, moment.now / 1000);
  if (latest >= account.validUntil) throw no(`account ${account.id} was valid until ${new Date(account.validUntil * 1000).toISOString()}`);
}

function requireAnchored(registry: Registry, { nonce }: ActionBinding): void {
  const anchor = anchorOf(nonce);
  if (anchor !== undefined && registry.sequenceOf(anchor) !== undefined) return;
  const { sequence } = registry.head;
  throw new Refusal(
    'Unavailable',
    `the request was made at a head that the log up to entry ${sequence} does not have: it is behind, or forked`,
  );
}

function no(reason: string): Refusal {
  return new Refusal('Forbidden', reason);
}
