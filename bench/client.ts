/** A lean client for the benchmarks: keep-alive connections and nothing between, so that what is measured is the service. */

import { createPrivateKey, sign } from 'node:crypto';
import { Agent, request } from 'node:http';
import type { Instance } from '../test/support/instance.ts';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface BenchClient {
  /** One request as it is. */
  send(method: string, path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** The first two requests of the user action flow. @returns what goes into `x-dfns-useraction` */
  userAction(method: string, path: string, body: unknown): Promise<string>;
  /** All three requests. @throws {Error} unless answered 200 */
  act(method: string, path: string, body: unknown): Promise<unknown>;
  close(): void;
}

export function benchClient({ origin, admin }: Pick<Instance, 'origin' | 'admin'>, connections: number): BenchClient {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const { hostname, port } = new URL(origin);
  const key = admin.DFNS_PRIVATE_KEY === undefined ? undefined : createPrivateKey(admin.DFNS_PRIVATE_KEY);
  const authorization = `Bearer ${admin.DFNS_AUTH_TOKEN}`;

  const send: BenchClient['send'] = (method, path, body, headers = {}) =>
    new Promise((resolve, reject) => {
      const payload = body === undefined ? '' : JSON.stringify(body);
      const sent = request(
        {
          agent,
          hostname,
          port,
          method,
          path,
          headers: { authorization, 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload), ...headers },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString()) }));
          response.on('error', reject);
        },
      );
      sent.on('error', reject);
      sent.end(payload);
    });

  const ok = async (answer: Promise<Answer>): Promise<unknown> => {
    const { status, body } = await answer;
    if (status !== 200) throw new Error(`answered ${status}: ${JSON.stringify(body)}`);
    return body;
  };

  const userAction: BenchClient['userAction'] = async (method, path, body) => {
    if (key === undefined) throw new Error('a user action needs the credential of admin.env');
    const asked = { userActionPayload: JSON.stringify(body), userActionHttpMethod: method, userActionHttpPath: path };
    const { challenge, challengeIdentifier } = (await ok(send('POST', '/auth/action/init', asked))) as Record<string, string>;
    const clientData = Buffer.from(JSON.stringify({ type: 'key.get', challenge }));
    const credentialAssertion = {
      credId: admin.DFNS_CRED_ID,
      clientData: clientData.toString('base64url'),
      signature: sign(null, clientData, key).toString('base64url'),
    };
    const signed = await ok(send('POST', '/auth/action', { challengeIdentifier, firstFactor: { kind: 'Key', credentialAssertion } }));
    return (signed as { userAction: string }).userAction;
  };

  return {
    send,
    userAction,
    act: async (method, path, body) => ok(send(method, path, body, { 'x-dfns-useraction': await userAction(method, path, body) })),
    close: () => agent.destroy(),
  };
}
