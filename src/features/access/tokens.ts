/**
 * The tokens the service issues: JWTs (RFC 7519), made good by the service's token key: bearers by its EdDSA signature (RFC 8037), the others
 * by a MAC. Three kinds, told apart by their audience, so that none passes for another:
 *
 *   bearer      says which token of the database a request comes with; the database says what it may do (contract §2.1)
 *   challenge   the `challengeIdentifier`: what a challenge commits to, so that nothing is stored until the action is spent
 *   userAction  the `x-dfns-useraction` header: the same, with the credential's assertion over the challenge
 * @module
 */

import { createHash, createPublicKey, hkdfSync, type KeyObject } from 'node:crypto';
import { createSigner, createVerifier } from 'fast-jwt';
import { z } from 'zod';
import { toBase64Url } from '../../base/bytes.ts';
import type { Clock } from '../../base/clock.ts';
import type { ActionBinding, Assertion } from '../../crypto/authorisation.ts';

const issuer = 'countersign';
const maxCachedBearers = 10_000;

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
  const signature = signatureOf(key);
  const mac = macOf(key);
  const bearer = jwt(signature, clock, { audience: 'countersign/api', claims: bearerClaims, cached: maxCachedBearers });
  const challenge = jwt(mac, clock, { audience: 'countersign/challenge', claims: challengeClaims, cached: 0 });
  const userAction = jwt(mac, clock, { audience: 'countersign/user-action', claims: userActionClaims, cached: 0 });

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

const expiring = z.object({ jti: z.string(), exp: z.number() });
const bearerClaims = expiring;

const challengeClaims = expiring.extend({
  sub: z.string(),
  userId: z.string(),
  tokenId: z.string(),
  method: z.string(),
  path: z.string(),
  payloadHash: z.string(),
});

const userActionClaims = challengeClaims.extend({
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

function claimsOf({ binding, tokenId }: IssuedChallenge): z.input<typeof challengeClaims> {
  const { method, path, payloadHash, organisationId, callerId, nonce, expiresAt } = binding;
  return { sub: organisationId, jti: nonce, exp: expiresAt, userId: callerId, tokenId, method, path, payloadHash };
}

function challengeOfClaims(claims: z.output<typeof challengeClaims>): IssuedChallenge {
  const { sub, jti, exp, userId, tokenId, method, path, payloadHash } = claims;
  return { tokenId, binding: { method, path, payloadHash, organisationId: sub, callerId: userId, nonce: jti, expiresAt: exp } };
}

interface Purpose<C extends z.ZodType<{ exp: number }>> {
  readonly audience: string;
  readonly claims: C;
  /** How many verified texts are remembered, so that the signature of each is checked once. */
  readonly cached: number;
}

/** How a token is made good: `signing` makes, `checking` recognises. */
interface Proof {
  readonly signing: { readonly key: string | Buffer; readonly algorithm: 'EdDSA' | 'HS256'; readonly kid?: string };
  readonly checking: { readonly key: string | Buffer; readonly algorithms: ('EdDSA' | 'HS256')[] };
}

/** For tokens that clients keep: anybody with the public key can tell them. */
function signatureOf(key: KeyObject): Proof {
  const publicKey = createPublicKey(key);
  return {
    signing: { key: key.export({ type: 'pkcs8', format: 'pem' }).toString(), algorithm: 'EdDSA', kid: keyIdOf(publicKey) },
    checking: { key: publicKey.export({ type: 'spki', format: 'pem' }).toString(), algorithms: ['EdDSA'] },
  };
}

/** For tokens that only come back here, minutes later: HMAC under a key derived from the token key (RFC 5869), a hundredth of the time. */
function macOf(key: KeyObject): Proof {
  const secret = Buffer.from(hkdfSync('sha256', key.export({ type: 'pkcs8', format: 'der' }), '', 'countersign/tokens/mac/v1', 32));
  return { signing: { key: secret, algorithm: 'HS256' }, checking: { key: secret, algorithms: ['HS256'] } };
}

/** Expiry is checked here, by our clock, so that a remembered text expires too. */
function jwt<C extends z.ZodType<{ exp: number }>>({ signing, checking }: Proof, clock: Clock, { audience, claims, cached }: Purpose<C>) {
  const read = createVerifier({
    ...checking,
    allowedIss: issuer,
    allowedAud: audience,
    ignoreExpiration: true,
    ...(cached > 0 ? { cache: cached } : {}),
  });
  const write = createSigner({ ...signing, iss: issuer, aud: audience });

  return {
    sign: (content: z.input<C> & Readonly<Record<string, unknown>>) => write(content),
    verify(text: string): z.output<C> | undefined {
      const content = claims.safeParse(attempt(() => read(text)));
      return content.success && content.data.exp * 1000 > clock() ? content.data : undefined;
    },
  };
}

/** Sixteen characters of the SHA-256 of the public key (SPKI): the header `kid`. */
function keyIdOf(publicKey: KeyObject): string {
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return toBase64Url(createHash('sha256').update(der).digest()).slice(0, 16);
}

function unixSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

/** The verifier throws for every text that is not a good token: whatever the reason, it is none. */
function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return undefined;
  }
}
