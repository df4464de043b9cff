/** The client that trusts no challenge: against a service made here, honest or lying, over real HTTP. */

import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createClient, LyingService, RequestFailed } from '../../src/clients/client.ts';
import { type ActionBinding, challengeOf, payloadHashOf } from '../../src/crypto/authorisation.ts';

const organisationId = 'or-aaaaa-bbbbb-cccccccccccccccc';
const callerId = 'us-aaaaa-bbbbb-cccccccccccccccc';
const jwt = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sig`;
const authToken = jwt({ 'https://custom/app_metadata': { userId: callerId } });
const ed25519 = () => generateKeyPairSync('ed25519').privateKey;

let server: Server | undefined;
afterEach(() => server?.close());

/** What the service was sent, and the binding whose challenge it hands out: the request's own, changed by `lie`. */
async function serviceThat(lie: (binding: ActionBinding) => ActionBinding) {
  const seen = { assertions: [] as { clientData: string; signature: string }[], requests: [] as string[] };
  server = createServer(async (request, response) => {
    const text = Buffer.concat(await request.toArray()).toString();
    const answer = (status: number, body: object) => response.writeHead(status).end(JSON.stringify(body));
    if (request.url === '/auth/action/init') {
      const asked = JSON.parse(text) as Record<string, string>;
      const binding = lie({
        method: asked.userActionHttpMethod ?? '',
        path: asked.userActionHttpPath ?? '',
        payloadHash: payloadHashOf(Buffer.from(asked.userActionPayload ?? '')),
        organisationId,
        callerId,
        nonce: 'n'.repeat(43),
        expiresAt: Math.floor(Date.now() / 1000) + 300,
      });
      return answer(200, { challenge: challengeOf(binding), challengeIdentifier: jwt({ jti: binding.nonce, exp: binding.expiresAt }) });
    }
    if (request.url === '/auth/action') {
      seen.assertions.push(JSON.parse(text).firstFactor.credentialAssertion);
      return answer(200, { userAction: 'the-action' });
    }
    seen.requests.push(`${request.method} ${request.url} ${request.headers['x-dfns-useraction'] ?? '-'} ${text}`);
    return request.url === '/refused' ? answer(409, { error: { message: 'taken' } }) : answer(200, { done: true });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return { seen, apiUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function clientOf(apiUrl: string, key: KeyObject = ed25519()) {
  const privateKey = key.export({ type: 'pkcs8', format: 'pem' }).toString();
  return createClient({ apiUrl, organisationId, authToken, credId: 'cred', privateKey });
}

describe('an honest service', () => {
  test.each([
    ['Ed25519', null, ed25519],
    ['P-256', 'sha256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey],
    ['secp256k1', 'sha256', () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey],
    ['RSA', 'sha256', () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
  ])('gets its challenge signed by a key of %s, and then the request', async (_name, digest, newKey) => {
    const { seen, apiUrl } = await serviceThat((binding) => binding);
    const key = newKey();
    expect(await clientOf(apiUrl, key).call('POST', '/keys', { scheme: 'EdDSA' })).toEqual({ done: true });
    expect(seen.requests).toEqual(['POST /keys the-action {"scheme":"EdDSA"}']);
    const [{ clientData, signature } = { clientData: '', signature: '' }] = seen.assertions;
    expect(verify(digest, Buffer.from(clientData, 'base64url'), createPublicKey(key), Buffer.from(signature, 'base64url'))).toBe(true);
  });

  test('is read without a signature', async () => {
    const { seen, apiUrl } = await serviceThat((binding) => binding);
    await clientOf(apiUrl).call('GET', '/keys?limit=2');
    expect(seen).toEqual({ assertions: [], requests: ['GET /keys?limit=2 - '] });
  });

  test('that refuses is reported in its own words', async () => {
    const { apiUrl } = await serviceThat((binding) => binding);
    await expect(clientOf(apiUrl).call('PUT', '/refused')).rejects.toThrow(new RequestFailed(409, 'taken'));
  });
});

describe('a service that lies gets no signature', () => {
  test.each<[string, Partial<ActionBinding>]>([
    ['another method', { method: 'DELETE' }],
    ['another path', { path: '/keys/key-of-the-thief/signatures' }],
    ['another body', { payloadHash: payloadHashOf(Buffer.from('{"hash":"of the thief"}')) }],
    ['another organisation', { organisationId: 'or-ttttt-hhhhh-iiiiiiiiiiiiiiii' }],
    ['another caller', { callerId: 'us-ttttt-hhhhh-iiiiiiiiiiiiiiii' }],
    ['a year to use it', { expiresAt: Math.floor(Date.now() / 1000) + 31_536_000 }],
  ])('over %s', async (_name, lie) => {
    const { seen, apiUrl } = await serviceThat((binding) => ({ ...binding, ...lie }));
    await expect(clientOf(apiUrl).call('POST', '/keys', { scheme: 'EdDSA' })).rejects.toBeInstanceOf(LyingService);
    expect(seen).toEqual({ assertions: [], requests: [] });
  });
});
