/**
 * The signer as a process: opens its store, proves its arithmetic, listens, and stops when asked or when its parent is gone.
 * @module
 */

import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../log.ts';
import { identityOf, type PublicIdentity } from '../mpc/identity.ts';
import { selfTest } from '../mpc/selfTest.ts';
import { answerer } from './answer.ts';
import { type ClusterFile, clusterFile, pinnedClusterFile } from './contract.ts';
import { createHandlers } from './handlers.ts';
import { createIdentity, hasIdentity, type PublicSigner, publicSignerOf, readIdentity } from './identity.ts';
import { createKeyEncryptionKey, hasKeyEncryptionKey, readKeyEncryptionKey } from './keyEncryption.ts';
import { listen } from './listen.ts';
import { sealedSeeds } from './seeds.ts';
import { sealedShares } from './shares.ts';
import { openSignerStore } from './store.ts';

/**
 * Makes this signer's key-encryption key and identity, or finds them.
 * @returns what the cluster file says of it
 */
export function initialiseSigner(dataDir: string): PublicSigner {
  const store = openSignerStore(dataDir);
  try {
    const keyEncryptionKey = hasKeyEncryptionKey(dataDir) ? readKeyEncryptionKey(dataDir) : createKeyEncryptionKey(dataDir);
    return publicSignerOf(hasIdentity(store) ? readIdentity(store, keyEncryptionKey) : createIdentity(store, keyEncryptionKey));
  } finally {
    store.close();
  }
}

/** Runs until told to stop. @throws {Error} when it cannot start */
export async function runSigner({ dataDir, socket, log }: { dataDir: string; socket: string; log: Logger }): Promise<void> {
  const store = openSignerStore(dataDir);
  const keyEncryptionKey = readKeyEncryptionKey(dataDir);
  const secrets = readIdentity(store, keyEncryptionKey);
  const { signerId } = publicSignerOf(secrets);
  const cluster = readPinnedCluster(dataDir);
  const self = cluster.signers.find((signer) => signer.signerId === signerId);
  if (self === undefined) throw new Error(`${join(dataDir, pinnedClusterFile)} does not name this signer (${signerId})`);

  await selfTest();

  const handlers = createHandlers({
    cluster,
    index: self.index,
    identity: identityOf({ ...secrets, index: self.index, directory: directoryOf(cluster) }),
    shares: sealedShares({ store, keyEncryptionKey, signerId }),
    seeds: sealedSeeds({ store, keyEncryptionKey }),
    clock: systemClock,
  });
  const answer = answerer(handlers, (error) => log.error({ error }, 'a question failed'));
  rmSync(socket, { force: true }); // left by a signer that was killed; the store's lock says that none is running
  const listener = await listen(socket, answer, (error) => log.warn({ reason: messageOf(error) }, 'a connection was closed'));
  chmodSync(socket, 0o600);
  log.info({ signer: self.index, socket }, 'the signer listens');
  process.send?.('ready');

  await stopped();
  await listener.close();
  store.close();
  log.info('the signer has stopped');
}

function readPinnedCluster(dataDir: string): ClusterFile {
  return clusterFile.parse(JSON.parse(readFileSync(join(dataDir, pinnedClusterFile), 'utf8')));
}

function directoryOf(cluster: ClusterFile): ReadonlyMap<number, PublicIdentity> {
  return new Map(
    cluster.signers.map(({ index, signerId, encryptionKey }) => [
      index,
      { identityKey: fromBase64(signerId), transportKey: fromBase64(encryptionKey).subarray(1) },
    ]),
  );
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

/** SIGTERM, or the end of the parent. Ctrl-C reaches the whole process group: the parent decides, after it has drained. */
function stopped(): Promise<void> {
  return new Promise((resolve) => {
    process.on('SIGINT', () => undefined);
    process.once('SIGTERM', () => resolve());
    process.once('disconnect', () => resolve());
  });
}
