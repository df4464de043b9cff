/** User actions on the wire (contract §3): a challenge over a request to come, and its signature by a credential. @module */

import { z } from 'zod';
import { isStorable } from '../../authority/bodies.ts';
import { contract } from '../endpoint.ts';

export const credentialKinds = ['Fido2', 'Key', 'Password', 'Totp', 'RecoveryKey', 'PasswordProtectedKey'] as const;

/** Longest texts: the action token carries them in a header, and servers bound headers to 16 KB. */
const maxPath = 1024;
const maxClientData = 4096;
const maxSignature = 1400;
const maxAuthenticatorData = 1024;
const maxChallengeIdentifier = 8192;

/** The body size limit of the server is what bounds a payload. */
const maxPayload = 4 * 1024 * 1024;

const initBody = z.object({
  userActionPayload: z.string().max(maxPayload).optional(),
  userActionHttpMethod: z.enum(['POST', 'PUT', 'DELETE', 'GET']),
  userActionHttpPath: z.string().max(maxPath).startsWith('/').refine(isStorable, 'must not contain U+0000'),
  userActionServerKind: z.literal('Api', 'only Api is offered').optional(),
});

const credentialList = z.array(z.object({ type: z.literal('public-key'), id: z.string() }));

export const challengeSchema = z.object({
  challenge: z.string(),
  challengeIdentifier: z.string(),
  supportedCredentialKinds: z.array(
    z.object({ kind: z.enum(credentialKinds), factor: z.enum(['first', 'second', 'either']), requiresSecondFactor: z.boolean() }),
  ),
  userVerification: z.enum(['required', 'preferred', 'discouraged']),
  attestation: z.enum(['none', 'indirect', 'direct', 'enterprise']),
  allowCredentials: z.object({ key: credentialList, webauthn: credentialList }),
  externalAuthenticationUrl: z.string(),
});

const assertion = z.object({
  credId: z.string().min(1).max(1024),
  clientData: z.string().max(maxClientData),
  signature: z.string().max(maxSignature),
  algorithm: z.string().max(32).exactOptional(),
});

const credentialFactors = [
  z.object({ kind: z.literal('Key'), credentialAssertion: assertion }),
  z.object({ kind: z.literal('PasswordProtectedKey'), credentialAssertion: assertion }),
  z.object({
    kind: z.literal('Fido2'),
    credentialAssertion: assertion.extend({ authenticatorData: z.string().max(maxAuthenticatorData), userHandle: z.string().optional() }),
  }),
] as const;

const firstFactor = z.discriminatedUnion('kind', [...credentialFactors, z.object({ kind: z.literal('Password') })]);
const secondFactor = z.discriminatedUnion('kind', [...credentialFactors, z.object({ kind: z.literal('Totp') })]);

const completeBody = z.object({
  challengeIdentifier: z.string().max(maxChallengeIdentifier),
  firstFactor,
  secondFactor: secondFactor.optional(),
});

export type InitAction = z.output<typeof initBody>;
export type CompleteAction = z.output<typeof completeBody>;
export type Challenge = z.output<typeof challengeSchema>;
export type Factor = z.output<typeof firstFactor> | z.output<typeof secondFactor>;

export const accessContract = contract({
  initAction: {
    method: 'POST',
    path: '/auth/action/init',
    summary: 'Get the challenge that authorises one request',
    access: 'authenticated',
    userAction: false,
    body: initBody,
    response: challengeSchema,
  },
  completeAction: {
    method: 'POST',
    path: '/auth/action',
    summary: 'Turn a signed challenge into the user action token of that request',
    access: 'authenticated',
    userAction: false,
    body: completeBody,
    response: z.object({ userAction: z.string() }),
  },
});
