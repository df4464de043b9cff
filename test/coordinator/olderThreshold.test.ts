/** While the threshold of a cluster grows, the keys that have not been dealt anew yet are used by their own. */

import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Coordinator } from '../../src/coordinator/coordinator.ts';
import { createCoordinator } from '../../src/coordinator/create.ts';
import type { ClusterFile } from '../../src/signer/contract.ts';
import { listen } from '../../src/signer/listen.ts';
import { unixTransport } from '../../src/transport/unix.ts';
import { createCluster, digestOf, type TestCluster } from '../signer/cluster.ts';

let cluster: TestCluster;
let before: Coordinator;
let growing: Coordinator;
const closings: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  cluster = await createCluster();
  const transports = cluster.signers.map(({ dataDir }) => unixTransport(join(dataDir, 's')));
  for (const [i, transport] of transports.entries()) {
    const listening = await listen(
      transport,
      (question) => cluster.signers[i]?.answer(question) ?? Promise.reject(),
      () => undefined,
    );
    closings.push(() => listening.close());
  }
  const newcomers = [4, 5].map((index) => ({ ...cluster.file.signers[0], index, signerId: `newcomer-${index}` }));
  const signers = [...cluster.file.signers, ...newcomers] as ClusterFile['signers'];
  const grown: ClusterFile = { ...cluster.file, changes: [{ threshold: 2, signers, at: 0, signatures: [] }] };
  const absent = { connect: () => Promise.reject(new Error('does not answer')) };
  before = coordinatorOf(cluster.file, transports);
  growing = coordinatorOf(grown, [...transports, absent, absent]);
});
afterAll(async () => {
  for (const close of closings.reverse()) await close();
  cluster.close();
});

function coordinatorOf(file: ClusterFile, transports: Parameters<typeof createCoordinator>[0]['transports']): Coordinator {
  const coordinator = createCoordinator({ cluster: file, transports, log: pino({ level: 'silent' }) });
  coordinator.setHistory(cluster.history);
  closings.push(() => coordinator.close());
  return coordinator;
}

test('a DH key derives what it derived before', async () => {
  const key = await cluster.addKey('DH/secp256k1');
  const derive = (coordinator: Coordinator) => {
    const body = { domain: '0x0a', seed: '0x0b' };
    const authorisation = cluster.sign(cluster.admin, { method: 'POST', path: `/keys/${key.id}/derive`, body });
    return coordinator.derive({ key, domain: Uint8Array.of(0x0a), seed: Uint8Array.of(0x0b), authorisation });
  };
  expect(await derive(growing)).toEqual(await derive(before));
});

test.each(['EdDSA/ed25519', 'ECDSA/secp256k1'] as const)(
  'a key of %s signs, as long as its signers hold the old seeds',
  async (keyType) => {
    const key = await cluster.addKey(keyType);
    await before.prepare();
    const bytes = digestOf('one');
    const body = { kind: 'Hash', hash: Buffer.from(bytes).toString('hex') };
    const authorisation = cluster.sign(cluster.admin, { method: 'POST', path: `/keys/${key.id}/signatures`, body });
    await expect(growing.sign({ key, payload: { bytes }, payloadIndex: 0, authorisation })).resolves.toBeDefined(); // verified by the coordinator
  },
);
