/**
 * The service as a process: opens what it needs in the order of its dependencies, says where everything is, and closes it in the reverse
 * order when told to stop. `start` runs its signers as children; `serve` expects them elsewhere.
 * @module
 */

import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../base/clock.ts';
import { newId } from '../base/ids.ts';
import { type Config, ConfigError } from '../config.ts';
import type { Coordinator } from '../coordinator/coordinator.ts';
import { createCoordinator } from '../coordinator/create.ts';
import { writeDurably } from '../files.ts';
import { createLog, type Logger } from '../log.ts';
import { type ClusterFile, currentOf, rootOf } from '../signer/contract.ts';
import { lockDirectory } from '../store/lock.ts';
import { openDatabase } from '../store/open.ts';
import type { Transport } from '../transport/transport.ts';
import { unixTransport } from '../transport/unix.ts';
import { adminFile, completeAdmin, ensureAdminKey } from './adminEnv.ts';
import { ensureLocalCluster, indicesOf, localSigners, readCluster } from './cluster.ts';
import { compose } from './compose.ts';
import { createMetrics, serveMetrics } from './metrics.ts';
import { signerTransports } from './signerTransports.ts';
import { stopSignal } from './stop.ts';
import { supervise } from './supervisor.ts';
import { tokenKeyOf } from './tokenKey.ts';

/** How long the signers have, at the start, to answer all together. */
const signersWithinMs = 30_000;
const askSignersEveryMs = 100;

/** The service with its signers as child processes. Resolves when it has been told to stop and has closed everything. */
export async function start(config: Config): Promise<void> {
  await using opened = new AsyncDisposableStack();
  const log = createLog('service', config.logLevel);
  const stop = stopSignal();
  opened.adopt(lockDirectory(config.dataDir), (lock) => lock.release());
  const { cluster, signers } = await ensureLocalCluster({
    ...config.cluster,
    dataDir: config.dataDir,
    file: config.clusterFile,
    rootPublicKey: () => ensureAdminKey(adminFileOf(config)),
  });
  const children = signers.map(({ index, dataDir, address }) =>
    supervise({ name: `signer-${index}`, args: ['signer', '--data-dir', dataDir, '--socket', address.path] }, log),
  );
  opened.defer(async () => void (await Promise.all(children.map((child) => child.stop()))));
  const ready = Promise.all(children.map((child) => child.ready));
  await serveUntil(stop, { config, cluster, transports: signers.map(({ address }) => unixTransport(address.path)), ready, log });
}

/** The service alone: a replica, or one whose signers somebody else runs. */
export async function serve(config: Config): Promise<void> {
  await using opened = new AsyncDisposableStack();
  const log = createLog('service', config.logLevel);
  const stop = stopSignal();
  opened.adopt(lockDirectory(config.dataDir), (lock) => lock.release());
  if (!existsSync(config.clusterFile)) throw new ConfigError(`CLUSTER_FILE: there is no cluster file at ${config.clusterFile}`);
  const cluster = readCluster(config.clusterFile);
  const addresses = config.signers ?? localSigners(config.dataDir, indicesOf(cluster)).map(({ address }) => address);
  const transports = signerTransports(addresses, { cluster, tlsKeyFile: config.tlsKeyFile });
  await serveUntil(stop, { config, cluster, transports, ready: Promise.resolve(), log });
}

interface Parts {
  readonly config: Config;
  readonly cluster: ClusterFile;
  readonly transports: readonly Transport[];
  /** Rejects when a signer does not come up. */
  readonly ready: Promise<unknown>;
  readonly log: Logger;
}

async function serveUntil(stop: Promise<string>, { config, cluster, transports, ready, log }: Parts): Promise<void> {
  await using opened = new AsyncDisposableStack();
  const opening = openDatabase(config); // beside the signers' start, which takes as long
  opening.catch(() => undefined); // awaited below; a signer that fails is reported first
  await ready;
  const metrics = config.metrics && createMetrics();
  const database = opened.adopt(await opening, (open) => open.close());
  const coordinator = opened.adopt(createCoordinator({ cluster, transports, log, ...(metrics && { meter: metrics.meter }) }), (open) =>
    open.close(),
  );
  // What signers share they agree on when their logs know each other: of changed signers, after the log is brought up.
  const clusterChange = cluster.changes?.at(-1);
  const first = clusterChange === undefined ? () => coordinator.prepare() : () => requireReachable(coordinator);
  const isToldToStop = await Promise.race([withinTime(first).then(() => false), stop.then(() => true)]);
  if (isToldToStop) return;

  const service = compose({
    database,
    coordinator,
    root: rootOf(cluster),
    tokenKey: tokenKeyOf(config.tokenKeyFile),
    replicaId: replicaIdOf(config.dataDir),
    corsOrigins: config.corsOrigins,
    rpcUrls: config.rpcUrls,
    clusterChange,
    refreshEveryMs: config.refreshEveryMs,
    clock: systemClock,
    log,
    metrics,
  });
  const apiUrl = config.publicUrl ?? urlOf(config);
  const admin = await completeAdmin({ ...service, file: adminFileOf(config), apiUrl, rootPublicKey: cluster.root.publicKey });
  opened.defer(() => service.stop());
  await service.start();
  if (clusterChange !== undefined) await withinTime(() => coordinator.prepare());
  opened.defer(() => service.server.close());
  if (metrics && config.metrics) {
    metrics.watch(coordinator);
    const { address } = opened.adopt(await serveMetrics(metrics, config.metrics), (listening) => listening.close());
    log.info({ address }, 'metrics');
  }
  log.info({ address: await service.server.listen({ host: config.host, port: config.port }) }, 'the service listens');
  welcome({ config, cluster, apiUrl, admin });
  log.info({ signal: await stop }, 'stopping: no new requests, those under way are finished');
}

/** @throws {Error} unless all signers answer */
async function requireReachable(coordinator: Coordinator): Promise<void> {
  const silent = (await coordinator.health()).filter(({ up }) => !up).map(({ index }) => index);
  if (silent.length > 0) throw new Error(`signer ${silent.join(', ')} does not answer`);
}

/** Signers take a while to start: tries again until they have. */
async function withinTime(work: () => Promise<void>): Promise<void> {
  const until = Date.now() + signersWithinMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() > until) throw error;
      await pause(askSignersEveryMs);
    }
  }
}

/** Where this machine reaches the service. */
function urlOf({ host, port }: Config): string {
  const everywhere = host === '0.0.0.0' || host === '::';
  return `http://${everywhere ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host}:${port}`;
}

function adminFileOf({ dataDir }: Config): string {
  return join(dataDir, adminFile);
}

/** Names this replica over its restarts: what it left unfinished is its own to settle. */
function replicaIdOf(dataDir: string): string {
  const file = join(dataDir, 'replica.id');
  if (!existsSync(file)) writeDurably(file, `${newId('replica')}\n`, 0o600);
  return readFileSync(file, 'utf8').trim();
}

function welcome({
  config,
  cluster,
  apiUrl,
  admin,
}: {
  config: Config;
  cluster: ClusterFile;
  apiUrl: string;
  admin: Awaited<ReturnType<typeof completeAdmin>>;
}): void {
  const { threshold, signers } = currentOf(cluster);
  const database = config.databaseUrl === undefined ? 'embedded database' : 'PostgreSQL';
  const file = relative(process.cwd(), adminFileOf(config)) || adminFileOf(config);
  const credentials = {
    admin: `${file}   (a service account that may do everything: keep it safe)`,
    withoutKey: `${file}   (the private key of the cluster's root goes there too, as DFNS_PRIVATE_KEY)`,
    nothing: 'made by another replica, or moved away',
  };
  console.log(`
Countersign listens at ${apiUrl}   (OpenAPI: ${apiUrl}/openapi.json)

  data         ${config.dataDir}   (${database}; ${signers.length} signers, any ${threshold + 1} of which hold a key)
  credentials  ${credentials[admin]}
  try next     npm run example   (makes a key and signs; the official client with those credentials)
`);
}
