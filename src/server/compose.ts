/**
 * The service, wired: each part is made of those before it.
 * @module
 */

import type { KeyObject } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Coordinator } from '../coordinator/coordinator.ts';
import { createActions } from '../features/access/actions.ts';
import { accessContract } from '../features/access/contract.ts';
import { createGate } from '../features/access/gate.ts';
import { accessRoutes } from '../features/access/routes.ts';
import { createAccessService } from '../features/access/service.ts';
import { createAccessStore } from '../features/access/store.ts';
import { createTokens } from '../features/access/tokens.ts';
import { keyStoresContract } from '../features/keyStores/contract.ts';
import { keyStoresRoutes } from '../features/keyStores/routes.ts';
import { createKeyStoreService } from '../features/keyStores/service.ts';
import { keysContract } from '../features/keys/contract.ts';
import { keysRoutes } from '../features/keys/routes.ts';
import { createKeyService } from '../features/keys/service.ts';
import { bootstrap, type Root } from '../features/organisations/bootstrap.ts';
import { findInstallation } from '../features/organisations/store.ts';
import { permissionsContract } from '../features/permissions/contract.ts';
import { permissionsRoutes } from '../features/permissions/routes.ts';
import { createPermissionService } from '../features/permissions/service.ts';
import { createReplica } from '../features/replicas/service.ts';
import { createReplicaStore } from '../features/replicas/store.ts';
import { serviceAccountsContract } from '../features/serviceAccounts/contract.ts';
import { serviceAccountsRoutes } from '../features/serviceAccounts/routes.ts';
import { createServiceAccountService } from '../features/serviceAccounts/service.ts';
import { signaturesContract } from '../features/signatures/contract.ts';
import { signaturesRoutes } from '../features/signatures/routes.ts';
import { createSignatureService } from '../features/signatures/service.ts';
import { createSignatureStore } from '../features/signatures/store.ts';
import type { Logger } from '../log.ts';
import type { Database } from '../store/database.ts';
import { createServer, mount } from './http.ts';
import { readiness } from './readiness.ts';

export interface Parts {
  readonly database: Database;
  readonly coordinator: Coordinator;
  /** Ed25519, private: signs the service's tokens. All replicas have the same. */
  readonly tokenKey: KeyObject;
  /** Kept over restarts; no other live process has it. */
  readonly replicaId: string;
  readonly corsOrigins: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
  /** For tests: checks each answer against its schema. */
  readonly checkAnswers?: boolean;
}

export interface Service {
  readonly server: FastifyInstance;
  /** Whether the database has its organisation. */
  isInstalled(): Promise<boolean>;
  /** Makes the organisation, if there is none: see `features/organisations`. */
  bootstrap(publicKey: string): Promise<Root | undefined>;
  /** To be awaited before the server listens. */
  start(): Promise<void>;
  /** After the last request is answered. */
  stop(): Promise<void>;
}

export function compose({ database, coordinator, tokenKey, replicaId, corsOrigins, clock, log, checkAnswers = false }: Parts): Service {
  const tokens = createTokens({ key: tokenKey, clock });
  const gate = createGate({ store: createAccessStore(database), tokens, database, clock });
  const actions = createActions({ database, clock });

  const access = createAccessService({ tokens, clock });
  const permissions = createPermissionService({ database, actions, clock });
  const serviceAccounts = createServiceAccountService({ database, actions, tokens, clock });
  const keyStores = createKeyStoreService({ database, coordinator });
  const keys = createKeyService({ database, actions, keyStores, coordinator, clock });
  const signatureStore = createSignatureStore(database);
  const signatures = createSignatureService({ database, store: signatureStore, keys, coordinator, clock, replicaId });
  const replica = createReplica({
    id: replicaId,
    alone: database.kind === 'pglite',
    store: createReplicaStore(database),
    settle: signatures.failAbandoned,
    onError: (error) => log.error({ reason: messageOf(error) }, 'the lease of this replica could not be renewed'),
  });

  const server = createServer({
    features: [
      mount(accessContract, accessRoutes(access)),
      mount(permissionsContract, permissionsRoutes(permissions)),
      mount(serviceAccountsContract, serviceAccountsRoutes(serviceAccounts)),
      mount(keyStoresContract, keyStoresRoutes(keyStores)),
      mount(keysContract, keysRoutes(keys)),
      mount(signaturesContract, signaturesRoutes(signatures)),
    ],
    gate,
    log,
    corsOrigins,
    ready: () => readiness(database, coordinator),
    checkAnswers,
  });

  return {
    server,
    isInstalled: async () => (await findInstallation(database)) !== undefined,
    bootstrap: (publicKey) => bootstrap({ database, tokens, clock, publicKey }),
    start: () => replica.start(),
    stop: () => replica.stop(),
  };
}
