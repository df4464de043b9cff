/**
 * Every protocol once, with throw-away keys among parties in memory: proof at each start that arithmetic, libraries and protocols do on
 * this machine what the tests saw them do elsewhere.
 * @module
 */

import { messageOf } from '../base/errors.ts';
import type { KeyType } from '../base/keyTypes.ts';
import { keygen } from './dkg.ts';
import { memoryCluster } from './memory.ts';
import { memorySigner } from './memorySigner.ts';
import { protocols } from './protocols.ts';

const size = 3;
const threshold = 1;

/** @throws {Error} naming the key type whose protocol fails */
export async function selfTest(keyTypes: readonly KeyType[] = Object.keys(protocols) as KeyType[]): Promise<void> {
  const cluster = memoryCluster(size);
  for (const keyType of keyTypes) {
    try {
      const shares = await cluster.run((party) => keygen(party, { keyType, threshold }));
      const use = await memorySigner({ keyType, threshold, cluster, shares });
      await use(1);
    } catch (cause) {
      throw new Error(`the self-test of ${keyType} failed: ${messageOf(cause)}`, { cause });
    }
  }
}
