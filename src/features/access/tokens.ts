/**
 * The tokens the service issues: JWTs (RFC 7519), made good by the service's token key: bearers by its EdDSA signature (RFC 8037), the others
 * by a MAC. Three kinds, told apart by their audience, so that none passes for another:
 *
 *   bearer      says which token of the database a request comes with; the database says what it may do (contract §2.1)
 *   challenge   the `challengeIdentifier`: what a challenge commits to, so that nothing is stored until the action is spent
 *   userAction  the `x-dfns-useraction` header: the same, with the credential's assertion over the challenge
 * @module
 */

import { hkdfSync, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { boundedMap } from '../../base/boundedMap.ts';
import type { Clock } from '../../base/clock.ts';
import type { ActionBinding, Assertion } from '../../crypto/authorisation.ts';
import { edDsa, hs256, type Jwt, jwt } from './jwt.ts';

const issuer = 'countersign';
const maxRememberedBearers = 10_000;

export type TokenKind = 'Pat' | 'ServiceAccount' | 'Token' | 'Code' | 'Recovery' | 'Temp' | 'Application';

export interface BearerToken {
  readonly tokenId: string;
  readonly organisationId: string;
  readonly userId: string;
  readonly username: string;
  readonly kind: TokenKind;
  readonly dateIssued: Date;
  readonly dateExpires: Date;
}

/** A challenge that was issued: to whom, over what. */
export interface IssuedChallenge {
  readonly binding: ActionBinding;
  readonly tokenId: string;
}

/** A challenge that a credential has signed. */
export interface SignedChallenge extends IssuedChallenge {
  readonly assertion: Assertion;
  readonly credentialUuid: string;
}

export interface Tokens {
  /** Deterministic: the same claims give the same text. */
  issueBearer(token: BearerToken): string;
  /** @returns the id of the token, or undefined when it is forged, expired or none of ours */
  readBearer(text: string): string | undefined;
  issueChallenge(challenge: IssuedChallenge): string;
  readChallenge(text: string): IssuedChallenge | undefined;
  issueUserAction(signed: SignedChallenge): string;
  readUserAction(text: string): SignedChallenge | undefined;
}

/** @param key the Ed25519 private key of the service */
export function createTokens({ key, clock }: { key: KeyObject; clock: Clock }): Tokens {
  // Those that clients keep are signed. Those that only come back here, minutes later, have a MAC, at a hundredth of the time.
  const mac = jwt(hs256(macKeyOf(key)));
  const bearer = tokensFor({ ...remembering(jwt(edDsa(key))), audience: audiences.bearer, claims: bearerClaims, clock });
  const challenge = tokensFor({ ...mac, audience: audiences.challenge, claims: challengeClaims, clock });
  const userAction = tokensFor({ ...mac, audience: audiences.userAction, claims: userActionClaims, clock });

  return {
    issueBearer: ({ tokenId, organisationId, userId, username, kind, dateIssued, dateExpires }) =>
      bearer.sign({
        sub: organisationId,
        jti: tokenId,
        iat: unixSeconds(dateIssued),
        exp: unixSeconds(dateExpires),
        'https://custom/username': username,
        'https://custom/app_metadata': { userId, orgId: organisationId, tokenKind: kind },
      }),
    readBearer: (text) => bearer.verify(text)?.jti,
    issueChallenge: (issued) => challenge.sign({ iat: unixSeconds(new Date(clock())), ...claimsOf(issued) }),
    readChallenge: (text) => {
      const claims = challenge.verify(text);
      return claims && challengeOfClaims(claims);
    },
    issueUserAction: ({ assertion, credentialUuid, ...issued }) =>
      userAction.sign({ iat: unixSeconds(new Date(clock())), ...claimsOf(issued), assertion, credentialUuid }),
    readUserAction: (text) => {
      const claims = userAction.verify(text);
      return claims && { ...challengeOfClaims(claims), assertion: claims.assertion, credentialUuid: claims.credentialUuid };
    },
  };
}

const audiences = { bearer: 'countersign/api', challenge: 'countersign/challenge', userAction: 'countersign/user-action' } as const;

const claimsFor = (audience: string) => z.object({ iss: z.literal(issuer), aud: z.literal(audience), jti: z.string(), exp: z.number() });

const bearerClaims = claimsFor(audiences.bearer);

const challenged = {
  sub: z.string(),
  userId: z.string(),
  tokenId: z.string(),
  method: z.string(),
  path: z.string(),
  payloadHash: z.string(),
};

const challengeClaims = claimsFor(audiences.challenge).extend(challenged);

const userActionClaims = claimsFor(audiences.userAction).extend({
  ...challenged,
  credentialUuid: z.string(),
  assertion: z
    .object({
      kind: z.enum(['Key', 'PasswordProtectedKey', 'Fido2']),
      credId: z.string(),
      clientData: z.string(),
      signature: z.string(),
      algorithm: z.string().exactOptional(),
      authenticatorData: z.string().exactOptional(),
    })
    .readonly(),
});

type Claims<C extends z.ZodType> = Omit<z.output<C>, 'iss' | 'aud'>;

function claimsOf({ binding, tokenId }: IssuedChallenge): Claims<typeof challengeClaims> {
  const { method, path, payloadHash, organisationId, callerId, nonce, expiresAt } = binding;
  return { sub: organisationId, jti: nonce, exp: expiresAt, userId: callerId, tokenId, method, path, payloadHash };
}

function challengeOfClaims(claims: Claims<typeof challengeClaims>): IssuedChallenge {
  const { sub, jti, exp, userId, tokenId, method, path, payloadHash } = claims;
  return { tokenId, binding: { method, path, payloadHash, organisationId: sub, callerId: userId, nonce: jti, expiresAt: exp } };
}

/** Derived from the token key (RFC 5869). */
function macKeyOf(key: KeyObject): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key.export({ type: 'pkcs8', format: 'der' }), '', 'countersign/tokens/mac/v1', 32));
}

/** Expiry is checked here, so that what is remembered expires too. @param purpose.audience tells the kinds apart */
function tokensFor<C extends z.ZodType<{ exp: number }>>(purpose: Jwt & { audience: string; claims: C; clock: Clock }) {
  const { write, read, audience, claims, clock } = purpose;
  return {
    sign: (content: Claims<C> & Readonly<Record<string, unknown>>) => write({ ...content, aud: audience, iss: issuer }),
    verify(text: string): z.output<C> | undefined {
      const content = claims.safeParse(read(text));
      return content.success && content.data.exp * 1000 > clock() ? content.data : undefined;
    },
  };
}

/** The signature of a text is checked once. */
function remembering({ write, read }: Jwt): Jwt {
  const known = boundedMap<string, unknown>(maxRememberedBearers);
  return {
    write,
    read(text) {
      const remembered = known.get(text);
      if (remembered !== undefined) return remembered;
      const content = read(text);
      if (content !== undefined) known.set(text, content);
      return content;
    },
  };
}

function unixSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
