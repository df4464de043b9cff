/**
 * A caller of the service over HTTP: the three requests of a user action, each of which a test can also make by hand.
 * @module
 */

import { type KeyLike, sign } from 'node:crypto';
import { toBase64Url, utf8 } from '../../src/base/bytes.ts';
import { checked } from './contracts.ts';

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what a test expects of a body, it says by comparing
  readonly body: any;
}

export interface Credentials {
  readonly accessToken: string;
  readonly credId: string;
  readonly privateKey: KeyLike;
  /** Of RSA and ECDSA keys; Ed25519 has none. */
  readonly digest?: string;
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

export interface Client {
  readonly credentials: Credentials;
  /** Reads, or signs a user action and writes. A body that is not text becomes JSON. */
  call(method: Method, path: string, body?: unknown): Promise<Answer>;
  /** The token of a user action for that request. @throws {Error} when it is not given */
  action(method: Method, path: string, bodyText?: string): Promise<string>;
  /** One request, with that user action or none. */
  send(method: Method, path: string, options?: { bodyText?: string; userAction?: string }): Promise<Answer>;
  /** The assertion of this caller's credential over a challenge. */
  assertion(challenge: string): { kind: 'Key'; credentialAssertion: { credId: string; clientData: string; signature: string } };
}

export function createClient(origin: string, credentials: Credentials): Client {
  const { accessToken, credId, privateKey, digest } = credentials;

  async function send(
    method: Method,
    path: string,
    { bodyText, userAction }: { bodyText?: string; userAction?: string } = {},
  ): Promise<Answer> {
    const response = await fetch(new URL(path, origin), {
      method,
      headers: {
        authorization: `Bearer ${accessToken}`,
        ...(bodyText === undefined ? {} : { 'content-type': 'application/json' }),
        ...(userAction === undefined ? {} : { 'x-dfns-useraction': userAction }),
      },
      ...(bodyText === undefined ? {} : { body: bodyText }),
    });
    return checked(method, path, { status: response.status, body: await response.json() });
  }

  function assertion(challenge: string): ReturnType<Client['assertion']> {
    const clientData = utf8(JSON.stringify({ type: 'key.get', challenge }));
    const signature = sign(digest, clientData, privateKey);
    return { kind: 'Key', credentialAssertion: { credId, clientData: toBase64Url(clientData), signature: toBase64Url(signature) } };
  }

  async function action(method: Method, path: string, bodyText = ''): Promise<string> {
    const init = await send('POST', '/auth/action/init', {
      bodyText: JSON.stringify({
        userActionPayload: bodyText,
        userActionHttpMethod: method,
        userActionHttpPath: path.split('?')[0],
        userActionServerKind: 'Api',
      }),
    });
    if (init.status !== 200) throw new Error(`no challenge: ${JSON.stringify(init)}`);
    const { challenge, challengeIdentifier } = init.body;
    const complete = await send('POST', '/auth/action', {
      bodyText: JSON.stringify({ challengeIdentifier, firstFactor: assertion(challenge) }),
    });
    if (complete.status !== 200) throw new Error(`no user action: ${JSON.stringify(complete)}`);
    return complete.body.userAction;
  }

  return {
    credentials,
    send,
    action,
    assertion,
    async call(method, path, body) {
      if (method === 'GET') return send(method, path);
      const bodyText = body === undefined ? '{}' : typeof body === 'string' ? body : JSON.stringify(body);
      return send(method, path, { bodyText, userAction: await action(method, path, bodyText) });
    },
  };
}
