/**
 * The service, wired: each part is made of those before it.
 * @module
 */

import type { KeyObject } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { ClusterChange } from '../authority/cluster.ts';
import type { Root } from '../authority/root.ts';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Coordinator } from '../coordinator/coordinator.ts';
import { createActions } from '../features/access/actions.ts';
import { accessContract } from '../features/access/contract.ts';
import { createGate } from '../features/access/gate.ts';
import { accessRoutes } from '../features/access/routes.ts';
import { createAccessService } from '../features/access/service.ts';
import { createAccessStore, rememberedAtHead } from '../features/access/store.ts';
import { createTokens } from '../features/access/tokens.ts';
import { authorityContract } from '../features/authority/contract.ts';
import { clusterProjection, type Projection } from '../features/authority/projection.ts';
import { createRecoveryService } from '../features/authority/recovery.ts';
import { authorityRoutes } from '../features/authority/routes.ts';
import { createAuthority } from '../features/authority/service.ts';
import { pageSize, readRows } from '../features/authority/store.ts';
import { keyStoresContract } from '../features/keyStores/contract.ts';
import { keyStoresRoutes } from '../features/keyStores/routes.ts';
import { createKeyStoreService } from '../features/keyStores/service.ts';
import { keysContract } from '../features/keys/contract.ts';
import { keysProjection } from '../features/keys/projection.ts';
import { createKeyRestoration } from '../features/keys/restoration.ts';
import { keysRoutes } from '../features/keys/routes.ts';
import { createKeyService } from '../features/keys/service.ts';
import { bootstrap, type RootAccess, rootAccess } from '../features/organisations/bootstrap.ts';
import { findInstallation } from '../features/organisations/store.ts';
import { permissionsContract } from '../features/permissions/contract.ts';
import { permissionsProjection } from '../features/permissions/projection.ts';
import { permissionsRoutes } from '../features/permissions/routes.ts';
import { createPermissionService } from '../features/permissions/service.ts';
import { refreshContract } from '../features/refresh/contract.ts';
import { refreshRoutes } from '../features/refresh/routes.ts';
import { createRefreshService } from '../features/refresh/service.ts';
import { createReplica } from '../features/replicas/service.ts';
import { createReplicaStore } from '../features/replicas/store.ts';
import { serviceAccountsContract } from '../features/serviceAccounts/contract.ts';
import { serviceAccountsProjection } from '../features/serviceAccounts/projection.ts';
import { serviceAccountsRoutes } from '../features/serviceAccounts/routes.ts';
import { createServiceAccountService } from '../features/serviceAccounts/service.ts';
import { signaturesContract } from '../features/signatures/contract.ts';
import { meteredStore } from '../features/signatures/metered.ts';
import { signaturesRoutes } from '../features/signatures/routes.ts';
import { createSignatureService } from '../features/signatures/service.ts';
import { createSignatureStore } from '../features/signatures/store.ts';
import { walletsContract } from '../features/wallets/contract.ts';
import { walletsProjection } from '../features/wallets/projection.ts';
import { walletsRoutes } from '../features/wallets/routes.ts';
import { createWalletService } from '../features/wallets/service.ts';
import type { Logger } from '../log.ts';
import { createNetworks, type RpcUrls } from '../networks/index.ts';
import type { Database } from '../store/database.ts';
import { createServer, mount } from './http.ts';
import type { Metrics } from './metrics.ts';
import { readiness } from './readiness.ts';

export interface Parts {
  readonly database: Database;
  readonly coordinator: Coordinator;
  /** What the cluster has pinned: all authority comes from it. */
  readonly root: Root;
  /** Ed25519, private: signs the service's tokens. All replicas have the same. */
  readonly tokenKey: KeyObject;
  /** Kept over restarts; no other live process has it. */
  readonly replicaId: string;
  readonly corsOrigins: readonly string[];
  readonly rpcUrls: RpcUrls;
  /** The last change of the cluster's signers: to be made an entry of the log, where it is not yet. */
  readonly clusterChange?: ClusterChange | undefined;
  /** Keys are dealt anew so often; left out: when asked for. */
  readonly refreshEveryMs?: number | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Absent: nobody counts. */
  readonly metrics?: Metrics | undefined;
  /** For tests: checks each answer against its schema. */
  readonly checkAnswers?: boolean;
}

export interface Service {
  readonly server: FastifyInstance;
  /** What the administrator is given, besides the private key that the service never sees. */
  readonly rootAccess: RootAccess;
  /** Whether the database has its organisation. */
  isInstalled(): Promise<boolean>;
  /** Makes the organisation, if there is none, and brings it up to the authority log. To be awaited before the server listens. */
  start(): Promise<void>;
  /** After the last request is answered. */
  stop(): Promise<void>;
}

/** From the authority log to each feature's tables. */
export const projection: Projection = {
  ...permissionsProjection,
  ...serviceAccountsProjection,
  ...keysProjection,
  ...walletsProjection,
  ...clusterProjection,
};

export function compose(parts: Parts): Service {
  const {
    database,
    coordinator,
    root,
    tokenKey,
    replicaId,
    corsOrigins,
    rpcUrls,
    clusterChange,
    refreshEveryMs,
    clock,
    log,
    metrics,
    checkAnswers = false,
  } = parts;
  const tokens = createTokens({ key: tokenKey, clock });
  const actions = createActions({ database, clock });
  const authority = createAuthority({ database, coordinator, root, projection, clock, log });
  const accessStore = createAccessStore(database);
  const isAlone = database.kind === 'pglite';
  const gate = createGate({
    store: isAlone ? rememberedAtHead(accessStore, () => authority.registry.head) : accessStore,
    tokens,
    database,
    clock,
  });

  const recovery = createRecoveryService({ database, authority, tokens });
  const access = createAccessService({ tokens, nonce: authority.nonce, clock });
  const permissions = createPermissionService({ database, authority });
  const serviceAccounts = createServiceAccountService({ database, authority, actions, tokens });
  const keyStores = createKeyStoreService({ database, authority, coordinator });
  const keys = createKeyService({ database, authority, actions, coordinator });
  const restoration = createKeyRestoration({ database, authority, coordinator, clock, log });
  const unmeteredStore = createSignatureStore(database);
  const signatureStore = metrics === undefined ? unmeteredStore : meteredStore(unmeteredStore, metrics.meter);
  const networks = createNetworks(rpcUrls);
  const signatures = createSignatureService({ database, store: signatureStore, keys, coordinator, networks, clock, replicaId });
  const wallets = createWalletService({ database, authority, actions, keys, signatures });
  const refresh = createRefreshService({ database, coordinator, keys, actions, everyMs: refreshEveryMs, clock, log });
  const replica = createReplica({
    id: replicaId,
    alone: isAlone,
    store: createReplicaStore(database),
    async settle(lease) {
      await signatures.failAbandoned(lease);
      if (lease.startingReplica !== null) return; // `start` has done it
      await authority.settle();
      await restoration.run();
    },
    onError: (error) =>
      log.error({ reason: messageOf(error) }, 'the lease of this replica could not be renewed, or what was left not be settled'),
  });

  const server = createServer({
    features: [
      mount(accessContract, accessRoutes(access)),
      mount(
        authorityContract,
        authorityRoutes((from) => readRows(database, from, pageSize), recovery),
      ),
      mount(permissionsContract, permissionsRoutes(permissions)),
      mount(serviceAccountsContract, serviceAccountsRoutes(serviceAccounts)),
      mount(keyStoresContract, keyStoresRoutes(keyStores)),
      mount(keysContract, keysRoutes(keys)),
      mount(refreshContract, refreshRoutes(refresh)),
      mount(signaturesContract, signaturesRoutes(signatures)),
      mount(walletsContract, walletsRoutes(wallets)),
    ],
    gate,
    log,
    corsOrigins,
    ready: () => readiness(database, coordinator),
    ...(metrics && { answered: metrics.answered }),
    checkAnswers,
  });

  return {
    server,
    isInstalled: async () => (await findInstallation(database)) !== undefined,
    rootAccess: rootAccess(root, tokens),
    async start() {
      await bootstrap({ database, root, projection });
      await authority.start();
      if (clusterChange !== undefined) await authority.changeCluster(clusterChange);
      await restoration.run();
      await replica.start();
      refresh.start(await authority.clusterChanged());
    },
    async stop() {
      await refresh.stop();
      await authority.stop();
      await replica.stop();
    },
  };
}
