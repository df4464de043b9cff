/**
 * The processor time of one signature, all parties and the combining together, in one process without any sockets: what the protocols
 * themselves cost.
 */

import type { KeyType } from '../src/base/keyTypes.ts';
import { keygen } from '../src/mpc/dkg.ts';
import { memoryCluster } from '../src/mpc/memory.ts';
import { memorySigner } from '../src/mpc/memorySigner.ts';

const threshold = 1;
const keysMade = 10;
const warmUps = 3;

export interface ProtocolCost {
  readonly keyType: KeyType;
  /** Milliseconds of CPU per signature, all parties. */
  readonly signMs: number;
  /** Milliseconds of CPU per key, all parties. */
  readonly keygenMs: number;
}

/**
 * Of a cluster of three, one of which may be corrupt.
 * @param batch signatures, for ECDSA presigned together, and how often that is done
 */
export async function protocolCost(keyType: KeyType, { batch, batches }: { batch: number; batches: number }): Promise<ProtocolCost> {
  const cluster = memoryCluster(3);
  const make = () => cluster.run((party) => keygen(party, { keyType, threshold }));
  const sign = await memorySigner({ keyType, threshold, cluster, shares: await make() });
  const signAll = async () => {
    for (let i = 0; i < batches; i++) await sign(batch);
  };
  for (let i = 0; i < warmUps; i++) await signAll();
  return {
    keyType,
    signMs: (await cpuMs(signAll)) / (batch * batches),
    keygenMs:
      (await cpuMs(async () => {
        for (let i = 0; i < keysMade; i++) await make();
      })) / keysMade,
  };
}

async function cpuMs(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
