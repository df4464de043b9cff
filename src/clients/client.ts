/**
 * Our own client of the API. It signs nothing but what it was asked to send: before its credential signs a challenge, it recomputes the
 * challenge from the request itself, and refuses a service that hands out another (docs/authority.md).
 * @module
 */

import { createPrivateKey, sign } from 'node:crypto';
import { z } from 'zod';
import { fromBase64Url, toBase64Url, utf8 } from '../base/bytes.ts';
import { challengeOf, payloadHashOf } from '../crypto/authorisation.ts';

export interface Credentials {
  /** The origin of the service. */
  readonly apiUrl: string;
  readonly organisationId: string;
  readonly authToken: string;
  readonly credId: string;
  /** PEM. */
  readonly privateKey: string;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

export interface Client {
  /**
   * One request; any but GET is signed by the credential.
   * @param path with its query, if it has one
   * @returns the answer's JSON
   * @throws {RequestFailed} for any answer but 2xx
   * @throws {LyingService} when the challenge is not of this request: nothing was signed
   */
  call(method: Method, path: string, body?: unknown): Promise<unknown>;
}

/** The service answered that it does not do it. */
export class RequestFailed extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(`${status}: ${message}`);
    this.name = 'RequestFailed';
    this.status = status;
  }
}

/** The service asked for a signature over something else than the request. */
export class LyingService extends Error {
  override readonly name = 'LyingService';
}

/** Longer than the service's user actions live, shorter than anybody would need to misuse one. */
const longestLifetimeSeconds = 15 * 60;
const answerWithinMs = 30_000;
/** By the type of the key: ECDSA and RSA sign a SHA-256 digest, Ed25519 has its own (contract §3.2). */
const digestOf = (type: string | undefined) => (type === 'ed25519' ? null : 'sha256');

const challengeAnswer = z.object({ challenge: z.string(), challengeIdentifier: z.string() });
const actionAnswer = z.object({ userAction: z.string() });
const errorAnswer = z.object({ error: z.object({ message: z.string() }) });
/** The claims that a challenge commits to and only the service knows. */
const challengeClaims = z.object({ jti: z.string(), exp: z.int() });
const tokenClaims = z.object({ 'https://custom/app_metadata': z.object({ userId: z.string() }) });

/** @throws {Error} for credentials that are not in their form */
export function createClient({ apiUrl, organisationId, authToken, credId, privateKey }: Credentials): Client {
  const { origin } = new URL(apiUrl);
  const key = createPrivateKey(privateKey);
  const callerId = tokenClaims.parse(claimsOf(authToken))['https://custom/app_metadata'].userId;

  async function send(method: Method, path: string, text: string, userAction?: string): Promise<unknown> {
    const url = new URL(path, origin);
    if (url.origin !== origin) throw new Error(`${path} is not a path of ${origin}: nothing was sent`);
    const response = await fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${authToken}`,
        ...(text === '' ? {} : { 'content-type': 'application/json' }),
        ...(userAction === undefined ? {} : { 'x-dfns-useraction': userAction }),
      },
      ...(text === '' ? {} : { body: text }),
      redirect: 'error',
      signal: AbortSignal.timeout(answerWithinMs),
    });
    const answer: unknown = await response.json();
    if (response.ok) return answer;
    const failure = errorAnswer.safeParse(answer);
    throw new RequestFailed(response.status, failure.success ? failure.data.error.message : 'an error without a message');
  }

  async function userAction(method: Method, path: string, text: string): Promise<string> {
    const asked = { userActionPayload: text, userActionHttpMethod: method, userActionHttpPath: path };
    const { challenge, challengeIdentifier } = challengeAnswer.parse(await send('POST', '/auth/action/init', JSON.stringify(asked)));
    const { jti: nonce, exp: expiresAt } = challengeClaims.parse(claimsOf(challengeIdentifier));
    const binding = { method, path, payloadHash: payloadHashOf(utf8(text)), organisationId, callerId, nonce, expiresAt };
    if (challenge !== challengeOf(binding))
      throw new LyingService('the challenge of the service is not of this request: nothing was signed');
    if (expiresAt * 1000 > Date.now() + longestLifetimeSeconds * 1000) {
      throw new LyingService('the service wants an authorisation that lives too long: nothing was signed');
    }
    const clientData = utf8(JSON.stringify({ type: 'key.get', challenge }));
    const signature = toBase64Url(new Uint8Array(sign(digestOf(key.asymmetricKeyType), clientData, key)));
    const firstFactor = { kind: 'Key', credentialAssertion: { credId, clientData: toBase64Url(clientData), signature } };
    return actionAnswer.parse(await send('POST', '/auth/action', JSON.stringify({ challengeIdentifier, firstFactor }))).userAction;
  }

  return {
    async call(method, path, body) {
      const text = body === undefined ? '' : JSON.stringify(body);
      return send(method, path, text, method === 'GET' ? undefined : await userAction(method, path, text));
    },
  };
}

/** The claims of a JWT, unverified: what is read of them is checked by what they lead to. */
function claimsOf(token: string): unknown {
  const bytes = fromBase64Url(token.split('.')[1] ?? '');
  return bytes === undefined ? undefined : JSON.parse(new TextDecoder().decode(bytes));
}
