/**
 * The service over real HTTP, on a given database, above a given coordinator or the fake one; and callers of it.
 *
 *   const world = await startWorld({ database: await open() });
 *   const { status, body } = await world.root.call('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519' });
 * @module
 */

import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { initialRegistry, type Root } from '../../src/authority/root.ts';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { newId } from '../../src/base/ids.ts';
import type { Coordinator } from '../../src/coordinator/coordinator.ts';
import { createTokens } from '../../src/features/access/tokens.ts';
import { createOrganisation, type RootAccess, rootAccess } from '../../src/features/organisations/bootstrap.ts';
import { createLog } from '../../src/log.ts';
import type { RpcUrls } from '../../src/networks/index.ts';
import { compose, projection } from '../../src/server/compose.ts';
import type { Database } from '../../src/store/database.ts';
import { type Client, createClient } from './client.ts';
import { createFakeCoordinator, type FakeCoordinator } from './fakeCoordinator.ts';
import { signerIdOf } from './fakeSigner.ts';

/** What replicas of one installation share. */
export interface Secrets {
  readonly tokenKey: KeyObject;
  readonly rootKey: KeyObject;
  readonly root: Root;
  /** Of the fake signers, by participant number. */
  readonly identities: readonly KeyObject[];
}

export interface World {
  readonly origin: string;
  readonly database: Database;
  readonly secrets: Secrets;
  readonly root: Client & RootAccess;
  /** A service account with those operations, or as it is made without any permission. */
  serviceAccount(operations?: readonly string[]): Promise<Client & { userId: string; permissionId: string | undefined }>;
  /** The root of another organisation in the same database; of which the signers know nothing. */
  organisation(): Promise<Client & { organisationId: string; userId: string }>;
  /** Stops the server; the database stays open. */
  stop(): Promise<void>;
}

export interface FakeWorld extends World {
  readonly coordinator: FakeCoordinator;
}

export interface WorldOptions {
  database: Database;
  secrets?: Secrets;
  replicaId?: string;
  clock?: Clock;
  rpcUrls?: RpcUrls;
}

export function newSecrets(): Secrets {
  const rootKey = newKey();
  const identities = [newKey(), newKey(), newKey()];
  return { tokenKey: newKey(), rootKey, root: newRoot(rootKey, identities), identities };
}

export function startWorld(options: WorldOptions & { coordinator?: FakeCoordinator }): Promise<FakeWorld>;
export function startWorld(options: WorldOptions & { coordinator: Coordinator }): Promise<World>;
export async function startWorld(options: WorldOptions & { coordinator?: Coordinator }): Promise<World> {
  const { database, secrets = newSecrets(), replicaId = newId('replica'), clock = systemClock, rpcUrls = {} } = options;
  const { coordinator = createFakeCoordinator({ ...secrets, clock }) } = options;
  const service = compose({
    database,
    coordinator,
    root: secrets.root,
    tokenKey: secrets.tokenKey,
    replicaId,
    corsOrigins: [],
    rpcUrls,
    clock,
    log: createLog('test', process.env.TEST_LOG_LEVEL ?? 'silent'),
  });
  const { rootAccess: root } = service;
  await service.start();
  const origin = await service.server.listen({ host: '127.0.0.1', port: 0 });
  const client = createClient(origin, { accessToken: root.accessToken, credId: root.credentialId, privateKey: secrets.rootKey });

  const world = {
    origin,
    database,
    coordinator,
    secrets,
    root: { ...root, ...client },

    async serviceAccount(operations: readonly string[] = []) {
      const permission =
        operations.length === 0 ? undefined : await made(client, '/permissions', { name: newId('permission'), operations });
      const { privateKey } = generateKeyPairSync('ed25519');
      const account = await made(client, '/auth/service-accounts', {
        name: 'account',
        publicKey: publicPem(privateKey),
        ...(permission === undefined ? {} : { permissionId: permission.id }),
      });
      const [{ accessToken, credId }] = account.accessTokens;
      return {
        ...createClient(origin, { accessToken, credId, privateKey }),
        userId: account.userInfo.userId,
        permissionId: permission?.id,
      };
    },

    async organisation() {
      const privateKey = newKey();
      const other = newRoot(privateKey, []);
      await database.transaction((tx) => createOrganisation(tx, initialRegistry(other), projection));
      const access = rootAccess(other, createTokens({ key: secrets.tokenKey, clock: systemClock }));
      return { ...createClient(origin, { accessToken: access.accessToken, credId: access.credentialId, privateKey }), ...access };
    },

    async stop() {
      await service.server.close();
      await service.stop();
    },
  };
  return world;
}

function newKey(): KeyObject {
  return generateKeyPairSync('ed25519').privateKey;
}

function newRoot(key: KeyObject, identities: readonly KeyObject[]): Root {
  return {
    clusterId: newId('cluster'),
    publicKey: publicPem(key),
    createdAt: Math.floor(Date.now() / 1000),
    threshold: 1,
    signers: identities.map((identity) => ({ signerId: signerIdOf(identity) })),
  };
}

export function publicPem(privateKey: KeyObject): string {
  return createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();
}

async function made(client: Client, path: string, body: unknown) {
  const answer = await client.call('POST', path, body);
  if (answer.status !== 200) throw new Error(`${path}: ${JSON.stringify(answer)}`);
  return answer.body;
}
