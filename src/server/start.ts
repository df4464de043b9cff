/**
 * The service as a process: opens what it needs in the order of its dependencies, says where everything is, and closes it in the reverse
 * order when told to stop. `start` runs its signers as children; `serve` expects them elsewhere.
 * @module
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../base/clock.ts';
import { type Config, ConfigError } from '../config.ts';
import type { Coordinator } from '../coordinator/coordinator.ts';
import { createCoordinator } from '../coordinator/create.ts';
import { createLog, type Logger } from '../log.ts';
import type { ClusterFile } from '../signer/contract.ts';
import { lockDirectory } from '../store/lock.ts';
import { openDatabase } from '../store/open.ts';
import { newAdminKey, writeAdminEnv } from './adminEnv.ts';
import { ensureLocalCluster, localSigners, readCluster } from './cluster.ts';
import { compose } from './compose.ts';
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
  const { cluster, signers } = await ensureLocalCluster({ ...config.cluster, dataDir: config.dataDir, file: config.clusterFile });
  const children = signers.map(({ index, dataDir, socket }) =>
    supervise({ name: `signer-${index}`, args: ['signer', '--data-dir', dataDir, '--socket', socket] }, log),
  );
  opened.defer(async () => void (await Promise.all(children.map((child) => child.stop()))));
  const ready = Promise.all(children.map((child) => child.ready));
  await serveUntil(stop, { config, cluster, sockets: signers.map(({ socket }) => socket), ready, log });
}

/** The service alone: a replica, or one whose signers somebody else runs. */
export async function serve(config: Config): Promise<void> {
  await using opened = new AsyncDisposableStack();
  const log = createLog('service', config.logLevel);
  const stop = stopSignal();
  opened.adopt(lockDirectory(config.dataDir), (lock) => lock.release());
  if (!existsSync(config.clusterFile)) throw new ConfigError(`CLUSTER_FILE: there is no cluster file at ${config.clusterFile}`);
  const cluster = readCluster(config.clusterFile);
  const sockets = config.signerSockets ?? localSigners(config.dataDir, cluster.signers.length).map(({ socket }) => socket);
  if (sockets.length !== cluster.signers.length) throw new ConfigError(`SIGNERS: the cluster has ${cluster.signers.length} signers`);
  await serveUntil(stop, { config, cluster, sockets, ready: Promise.resolve(), log });
}

interface Parts {
  readonly config: Config;
  readonly cluster: ClusterFile;
  readonly sockets: readonly string[];
  /** Rejects when a signer does not come up. */
  readonly ready: Promise<unknown>;
  readonly log: Logger;
}

async function serveUntil(stop: Promise<string>, { config, cluster, sockets, ready, log }: Parts): Promise<void> {
  await using opened = new AsyncDisposableStack();
  const database = openDatabase(config); // beside the signers' start, which takes as long
  database.catch(() => undefined); // awaited next; a signer that fails first is reported first
  await ready;
  opened.adopt(await database, (open) => open.close());
  const coordinator = opened.adopt(createCoordinator({ cluster, sockets, log }), (open) => open.close());
  await prepare(coordinator);

  const service = compose({
    database: await database,
    coordinator,
    tokenKey: tokenKeyOf(config.tokenKeyFile),
    clock: systemClock,
    log,
    config,
  });
  const { origin } = await listen();
  log.info({ origin }, 'the service listens');
  log.info({ signal: await stop }, 'stopping: no new requests, those under way are finished');
}
