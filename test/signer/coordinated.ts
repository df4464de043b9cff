/** The service's own coordinator over a cluster of signers in this process, by unix sockets. */

import { join } from 'node:path';
import { pino } from 'pino';
import type { Coordinator, KeyReference } from '../../src/coordinator/coordinator.ts';
import { createCoordinator } from '../../src/coordinator/create.ts';
import type { Signature } from '../../src/crypto/schemes/scheme.ts';
import { listen } from '../../src/signer/listen.ts';
import { unixTransport } from '../../src/transport/unix.ts';
import { digestOf, type TestCluster, type TestSigner } from './cluster.ts';

export interface Coordinated extends Coordinator {
  /** A signature over the text's digest; verified by the coordinator itself. */
  signText(key: KeyReference, text: string): Promise<Signature>;
  /** The process of a signer is killed and started again: its memory is lost, and connections to it break. */
  restart(signer: TestSigner): Promise<void>;
}

export async function coordinate(cluster: TestCluster): Promise<Coordinated> {
  const transports = cluster.signers.map((signer) => unixTransport(socketOf(signer)));
  const listenAt = (signer: TestSigner) => listen(unixTransport(socketOf(signer)), signer.answer, () => undefined);
  const listening = new Map(await Promise.all(cluster.signers.map(async (signer) => [signer, await listenAt(signer)] as const)));
  const coordinator = createCoordinator({ cluster: cluster.file, transports, log: pino({ level: 'silent' }) });
  coordinator.setHistory(cluster.history);
  await coordinator.prepare();
  return {
    ...coordinator,
    signText(key, text) {
      const bytes = digestOf(text);
      const body = { kind: 'Hash', hash: Buffer.from(bytes).toString('hex') };
      const authorisation = cluster.sign(cluster.admin, { method: 'POST', path: `/keys/${key.id}/signatures`, body });
      return coordinator.sign({ key, payload: { bytes }, payloadIndex: 0, authorisation });
    },
    async restart(signer) {
      const closed = listening.get(signer)?.close();
      signer.restart();
      await closed;
      listening.set(signer, await listenAt(signer));
      await coordinator.health(); // it has noticed
    },
    async close() {
      await coordinator.close();
      await Promise.all([...listening.values()].map((one) => one.close()));
    },
  };
}

const socketOf = ({ dataDir }: TestSigner) => join(dataDir, 's');
