/**
 * User actions: challenge and answer. Neither step writes: the challenge commits to the request and travels inside a token of ours, and
 * so does its signature; the action is spent by the request itself.
 * @module
 */

import { actionLifetimeSeconds } from '../../authority/authorise.ts';
import { boundedMap } from '../../base/boundedMap.ts';
import { utf8 } from '../../base/bytes.ts';
import type { Clock } from '../../base/clock.ts';
import { Refusal } from '../../base/errors.ts';
import { type CredentialKey, importCredentialKey, verifyAssertion } from '../../crypto/assertions.ts';
import { type ActionBinding, type Assertion, challengeOf, payloadHashOf } from '../../crypto/authorisation.ts';
import type { Caller, CallerCredential } from './caller.ts';
import type { Challenge, CompleteAction, Factor, InitAction } from './contract.ts';
import type { Tokens } from './tokens.ts';

const maxKeysKept = 10_000;

export interface AccessService {
  initAction(caller: Caller, body: InitAction): Challenge;
  /** @throws {Refusal} ChallengeInvalid, CredentialUnusable, Unauthorized for a wrong signature, BadRequest */
  completeAction(caller: Caller, body: CompleteAction): { userAction: string };
}

export function createAccessService({
  tokens,
  nonce,
  clock,
}: {
  tokens: Tokens;
  /** A fresh one, which names the head of the authority log. */
  nonce: () => string;
  clock: Clock;
}): AccessService {
  const keyOf = rememberingKeys();

  function verified(caller: Caller, factor: Factor, challenge: string): { credential: CallerCredential; assertion: Assertion } {
    const assertion = assertionOf(factor);
    const credential = caller.credentials.find(({ credId, kind }) => credId === assertion.credId && kind === assertion.kind);
    if (credential === undefined) throw new Refusal('CredentialUnusable');
    if (!verifyAssertion({ key: keyOf(credential.publicKey), assertion, challenge })) throw new Refusal('Unauthorized');
    return { credential, assertion };
  }

  return {
    initAction(caller, body) {
      const binding = bindingOf(caller, body, { nonce: nonce(), now: clock() });
      return {
        challenge: challengeOf(binding),
        challengeIdentifier: tokens.issueChallenge({ binding, tokenId: caller.tokenId }),
        ...offerTo(caller),
      };
    },

    completeAction(caller, { challengeIdentifier, firstFactor, secondFactor }) {
      const issued = tokens.readChallenge(challengeIdentifier);
      if (issued === undefined || !isFor(issued, caller)) throw new Refusal('ChallengeInvalid');
      const challenge = challengeOf(issued.binding);
      const { credential, assertion } = verified(caller, firstFactor, challenge);
      if (secondFactor !== undefined && verified(caller, secondFactor, challenge).credential === credential) {
        throw new Refusal('BadRequest', 'the second factor must be another credential');
      }
      return { userAction: tokens.issueUserAction({ ...issued, assertion, credentialUuid: credential.uuid }) };
    },
  };
}

/** Whether a challenge or an action was issued to this very caller. */
export function isFor(issued: { binding: ActionBinding; tokenId: string }, caller: Caller): boolean {
  const { organisationId, callerId } = issued.binding;
  return organisationId === caller.organisationId && callerId === caller.userId && issued.tokenId === caller.tokenId;
}

function bindingOf(caller: Caller, body: InitAction, { nonce, now }: { nonce: string; now: number }): ActionBinding {
  return {
    method: body.userActionHttpMethod,
    path: body.userActionHttpPath,
    payloadHash: payloadHashOf(utf8(body.userActionPayload ?? '')),
    organisationId: caller.organisationId,
    callerId: caller.userId,
    nonce,
    expiresAt: Math.floor(now / 1000) + actionLifetimeSeconds,
  };
}

function offerTo({ credentials }: Caller): Omit<Challenge, 'challenge' | 'challengeIdentifier'> {
  const kinds = [...new Set(credentials.map(({ kind }) => kind))];
  const idsOf = (wanted: CallerCredential['kind']) =>
    credentials.filter(({ kind }) => kind === wanted).map(({ credId }) => ({ type: 'public-key' as const, id: credId }));
  return {
    supportedCredentialKinds: kinds.map((kind) => ({ kind, factor: 'first', requiresSecondFactor: false })),
    userVerification: 'required',
    attestation: 'direct',
    allowCredentials: { key: idsOf('Key'), webauthn: idsOf('Fido2') },
    externalAuthenticationUrl: '',
  };
}

function assertionOf(factor: Factor): Assertion {
  switch (factor.kind) {
    case 'Password':
    case 'Totp':
      throw new Refusal('BadRequest', `${factor.kind} is not accepted; sign the challenge with a credential`);
    case 'Fido2': {
      const { userHandle: _, ...assertion } = factor.credentialAssertion;
      return { kind: factor.kind, ...assertion };
    }
    default:
      return { kind: factor.kind, ...factor.credentialAssertion };
  }
}

/** Reading a PEM costs as much as a verification; the oldest is forgotten first. */
function rememberingKeys(): (pem: string) => CredentialKey {
  const kept = boundedMap<string, CredentialKey>(maxKeysKept);
  return (pem) => {
    const known = kept.get(pem);
    if (known !== undefined) return known;
    const key = importCredentialKey(pem);
    kept.set(pem, key);
    return key;
  };
}
