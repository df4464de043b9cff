/**
 * The official clients: the direct one, and the delegated one as an integrator uses it, where the challenge of each write goes to the
 * device that holds the credential and comes back signed.
 * @module
 */

import { type CredentialSigner, DfnsApiClient, DfnsDelegatedApiClient, type UserActionChallenge } from '@dfns/sdk';
import { AsymmetricKeySigner } from '@dfns/sdk-keysigner';
import { expect } from 'vitest';
import type { Instance } from '../support/instance.ts';

/** The groups of routes that both clients are tested with. */
export type Client = Pick<DfnsApiClient, 'keys' | 'wallets' | 'auth' | 'permissions' | 'signers'>;

export interface Account {
  readonly orgId: string;
  readonly authToken: string;
  readonly credId: string;
  /** PEM. */
  readonly privateKey: string;
}

export function administratorOf({ admin }: Instance): Account {
  const { DFNS_ORG_ID: orgId = '', DFNS_AUTH_TOKEN: authToken = '', DFNS_CRED_ID: credId = '', DFNS_PRIVATE_KEY: privateKey = '' } = admin;
  return { orgId, authToken, credId, privateKey };
}

export function clientOf(kind: 'direct' | 'delegated', baseUrl: string, { orgId, authToken, ...credential }: Account): Client {
  const signer = new AsymmetricKeySigner(credential);
  const options = { baseUrl, orgId, authToken };
  return kind === 'direct' ? new DfnsApiClient({ ...options, signer }) : delegatedClient(new DfnsDelegatedApiClient(options), signer);
}

type Method = (request?: unknown, signed?: unknown) => Promise<unknown>;

/** With the methods of the direct client: `createKey(…)` is `createKeyInit`, the signature, and `createKeyComplete`. */
function delegatedClient({ keys, wallets, auth, permissions, signers }: DfnsDelegatedApiClient, signer: CredentialSigner): Client {
  const whole = (group: object): object =>
    new Proxy(group, {
      get(methods, name) {
        const method = (suffix = ''): Method | undefined => Reflect.get(methods, `${String(name)}${suffix}`)?.bind(methods);
        const [read, init, complete] = [method(), method('Init'), method('Complete')];
        if (init === undefined || complete === undefined) return read;
        return async (request: unknown) => {
          const challenge = (await init(request)) as UserActionChallenge; // what every xxxInit resolves to
          const firstFactor = await signer.sign(challenge);
          return complete(request, { challengeIdentifier: challenge.challengeIdentifier, firstFactor });
        };
      },
    });
  // Generated from the same definitions: what one client takes and gives is what the other does.
  return {
    keys: whole(keys),
    wallets: whole(wallets),
    auth: whole(auth),
    permissions: whole(permissions),
    signers: whole(signers),
  } as Client;
}

/** What a token says. */
export function claimsOf(token: string) {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

/** All items of a list, read three a page. */
export async function pages<T>(
  list: (query: { limit: number; paginationToken?: string }) => Promise<{ items: T[]; nextPageToken?: string | undefined }>,
): Promise<T[]> {
  const items: T[] = [];
  let paginationToken: string | undefined;
  do {
    const page = await list({ limit: 3, ...(paginationToken === undefined ? {} : { paginationToken }) });
    if (page.nextPageToken !== undefined) expect(page.items).toHaveLength(3);
    items.push(...page.items);
    paginationToken = page.nextPageToken;
  } while (paginationToken !== undefined);
  return items;
}
