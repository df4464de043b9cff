/**
 * The signer as a process: opens its store, proves its arithmetic, listens, and stops when asked or when its parent is gone.
 * @module
 */

import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Address, addressText } from '../base/address.ts';
import { systemClock } from '../base/clock.ts';
import { reasonsOf } from '../base/errors.ts';
import { sparingly } from '../base/sparingly.ts';
import { pinOf } from '../crypto/certificate.ts';
import type { Logger } from '../log.ts';
import { identityOf, type PublicIdentity } from '../mpc/identity.ts';
import { selfTest } from '../mpc/selfTest.ts';
import { transportTo } from '../transport/create.ts';
import { answerer } from './answer.ts';
import { type ClusterFile, clusterFile, type PublicSigner, pinnedClusterFile } from './contract.ts';
import { createHandlers } from './handlers.ts';
import { createIdentity, hasIdentity, publicSignerOf, readIdentity } from './identity.ts';
import { createKeyEncryptionKey, hasKeyEncryptionKey, readKeyEncryptionKey } from './keyEncryption.ts';
import { listen } from './listen.ts';
import { sealedSeeds } from './seeds.ts';
import { sealedShares } from './shares.ts';
import { openSignerStore, type SignerStore } from './store.ts';
import { ensureTlsKey, readTlsKey, renewTlsKey } from './tlsKey.ts';

/** Connections that were turned away or cut off are logged once in this time. */
const refusalsEveryMs = 1_000;

/**
 * Makes this signer's key-encryption key, identity and TLS key, or finds them.
 * @returns what the cluster file says of it
 */
export function initialiseSigner(dataDir: string): PublicSigner {
  const store = openSignerStore(dataDir);
  try {
    const keyEncryptionKey = hasKeyEncryptionKey(dataDir) ? readKeyEncryptionKey(dataDir) : createKeyEncryptionKey(dataDir);
    const identity = hasIdentity(store) ? readIdentity(store, keyEncryptionKey) : createIdentity(store, keyEncryptionKey);
    return { ...publicSignerOf(identity), tlsPin: pinOf(ensureTlsKey(store, keyEncryptionKey)) };
  } finally {
    store.close();
  }
}

/** Gives this signer another TLS key. @returns what the service's cluster file must say from now on */
export function renewSignerTlsKey(dataDir: string): PublicSigner {
  const keyEncryptionKey = readKeyEncryptionKey(dataDir);
  const store = openSignerStore(dataDir);
  try {
    return { ...publicSignerOf(readIdentity(store, keyEncryptionKey)), tlsPin: pinOf(renewTlsKey(store, keyEncryptionKey)) };
  } finally {
    store.close();
  }
}

/** Runs until told to stop. @throws {Error} when it cannot start */
export async function runSigner({ dataDir, address, log }: { dataDir: string; address: Address; log: Logger }): Promise<void> {
  const store = openSignerStore(dataDir);
  const keyEncryptionKey = readKeyEncryptionKey(dataDir);
  const secrets = readIdentity(store, keyEncryptionKey);
  const { signerId } = publicSignerOf(secrets);
  const cluster = readPinnedCluster(dataDir);
  const self = cluster.signers.find((signer) => signer.signerId === signerId);
  if (self === undefined) throw new Error(`${join(dataDir, pinnedClusterFile)} does not name this signer (${signerId})`);
  const transport = transportTo(address, () => ({ key: tlsKeyOf(store, keyEncryptionKey), peers: servicesOf(cluster, dataDir) }));

  await selfTest();

  const handlers = createHandlers({
    cluster,
    index: self.index,
    identity: identityOf({ ...secrets, index: self.index, directory: directoryOf(cluster) }),
    shares: sealedShares({ store, keyEncryptionKey, signerId }),
    seeds: sealedSeeds({ store, keyEncryptionKey }),
    clock: systemClock,
  });
  const answer = answerer(handlers, (error) => log.error({ reasons: reasonsOf(error) }, 'a question failed'));
  const turnedAway = sparingly((reason, leftOut) => log.warn({ reason, leftOut }, 'a connection was closed'), refusalsEveryMs);
  const listener = await listen(transport, answer, turnedAway);
  log.info({ signer: self.index, address: addressText(listener.address) }, 'the signer listens');
  process.send?.('ready');

  await stopped();
  await listener.close();
  store.close();
  log.info('the signer has stopped');
}

function readPinnedCluster(dataDir: string): ClusterFile {
  return clusterFile.parse(JSON.parse(readFileSync(join(dataDir, pinnedClusterFile), 'utf8')));
}

function tlsKeyOf(store: SignerStore, keyEncryptionKey: Uint8Array): KeyObject {
  const key = readTlsKey(store, keyEncryptionKey);
  if (key === undefined) throw new Error('this signer has no TLS key yet: run `countersign signer init` again');
  return key;
}

/** Who may connect over TLS: names by pin. */
function servicesOf({ services = [] }: ClusterFile, dataDir: string): ReadonlyMap<string, string> {
  if (services.length === 0) throw new Error(`${join(dataDir, pinnedClusterFile)} has no \`services\`: nobody could connect over TLS`);
  return new Map(services.map(({ name, tlsPin }) => [tlsPin, name]));
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
