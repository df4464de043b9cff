/**
 * The signer as a process: opens its store, proves its arithmetic, listens, and stops when asked or when its parent is gone.
 * @module
 */

import { join } from 'node:path';
import { type Address, addressText } from '../base/address.ts';
import { systemClock } from '../base/clock.ts';
import type { Curve } from '../base/keyTypes.ts';
import { sparingly } from '../base/sparingly.ts';
import { pinOf } from '../crypto/certificate.ts';
import { groupOf } from '../crypto/groups/index.ts';
import type { Logger } from '../log.ts';
import { selfTest } from '../mpc/selfTest.ts';
import { transportTo } from '../transport/create.ts';
import { type PublicSigner, pinnedClusterFile } from './contract.ts';
import { publicSignerOf, readIdentity } from './identity.ts';
import { ensureIdentity } from './keyEncryption/create.ts';
import { openKeyEncryptionKey } from './keyEncryption/open.ts';
import type { KeyEncryptionSettings } from './keyEncryption/settings.ts';
import { listen } from './listen.ts';
import { openSigner, type Signer } from './open.ts';
import { standbyPeer } from './replication.ts';
import { openSignerStore, type SignerStore } from './store.ts';
import { ensureTlsKey, renewTlsKey } from './tlsKey.ts';

/** Connections that were turned away or cut off are logged once in this time. */
const refusalsEveryMs = 1_000;

/**
 * Makes this signer's key-encryption key, identity and TLS key, or finds them.
 * @returns what the cluster file says of it
 */
export async function initialiseSigner(dataDir: string, settings: KeyEncryptionSettings): Promise<PublicSigner> {
  await ensureIdentity(dataDir, settings);
  return withStore({ dataDir, settings }, (store, key) => ({
    ...publicSignerOf(readIdentity(store, key)),
    tlsPin: pinOf(ensureTlsKey(store, key)),
  }));
}

/** Gives this signer another TLS key. @returns what the service's cluster file must say from now on */
export async function renewSignerTlsKey(dataDir: string, settings: KeyEncryptionSettings): Promise<PublicSigner> {
  return withStore({ dataDir, settings }, (store, key) => ({
    ...publicSignerOf(readIdentity(store, key)),
    tlsPin: pinOf(renewTlsKey(store, key)),
  }));
}

interface Opening {
  readonly dataDir: string;
  readonly settings: KeyEncryptionSettings;
}

async function withStore<T>({ dataDir, settings }: Opening, work: (store: SignerStore, keyEncryptionKey: Uint8Array) => T): Promise<T> {
  const keyEncryptionKey = await openKeyEncryptionKey(dataDir, settings);
  const store = openSignerStore(dataDir);
  try {
    return work(store, keyEncryptionKey);
  } finally {
    store.close();
    keyEncryptionKey.fill(0);
  }
}

/** Runs until told to stop. @throws {Error} when it cannot start, and when it was found that what it keeps is not what it was */
export async function runSigner({
  dataDir,
  settings,
  address,
  log,
}: {
  dataDir: string;
  settings: KeyEncryptionSettings;
  address: Address;
  log: Logger;
}): Promise<void> {
  const keyEncryptionKey = await openKeyEncryptionKey(dataDir, settings);
  const signer = openSigner({ dataDir, keyEncryptionKey, clock: systemClock, log });
  const transport = transportTo(address, () => ({ key: signer.tlsKey(), peers: peersOf(signer, dataDir) }));

  await selfTest();

  const turnedAway = sparingly((reason, leftOut) => log.warn({ reason, leftOut }, 'a connection was closed'), refusalsEveryMs);
  const answer = (question: unknown, peer: string) => (peer === standbyPeer ? signer.replica(question) : signer.answer(question));
  const listener = await listen(transport, answer, turnedAway);
  log.info({ signer: signer.index, address: addressText(listener.address), arithmetic: arithmetic() }, 'the signer listens');
  process.send?.('ready');

  const failure = await Promise.race([stopped(), signer.failed]);
  await listener.close();
  signer.close();
  if (failure !== undefined) throw failure;
  log.info('the signer has stopped');
}

/** Which implementation each curve has on this machine: without the native libraries signing is many times slower. */
function arithmetic(): Record<Curve, string> {
  const of = (curve: Curve) => groupOf(curve).implementation;
  return { secp256k1: of('secp256k1'), ed25519: of('ed25519'), stark: of('stark') };
}

/** Who may connect over TLS: names by pin. The signer's own is its standby's. */
function peersOf({ cluster: { services = [] }, tlsKey }: Signer, dataDir: string): ReadonlyMap<string, string> {
  if (services.length === 0) throw new Error(`${join(dataDir, pinnedClusterFile)} has no \`services\`: nobody could connect over TLS`);
  return new Map([...services.map(({ name, tlsPin }) => [tlsPin, name] as const), [pinOf(tlsKey()), standbyPeer]]);
}

/** SIGTERM, or the end of the parent. Ctrl-C reaches the whole process group: the parent decides, after it has drained. */
function stopped(): Promise<void> {
  return new Promise((resolve) => {
    process.on('SIGINT', () => undefined);
    process.once('SIGTERM', () => resolve());
    process.once('disconnect', () => resolve());
  });
}
