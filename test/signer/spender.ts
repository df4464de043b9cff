/** Spends nonces until it is killed, and says each one when it is spent: `node spender.ts <dataDir>`. */

import { writeSync } from 'node:fs';
import { openReplayMemory } from '../../src/signer/replayMemory.ts';

const atMost = 100_000;
const [, , dataDir = ''] = process.argv;
const memory = openReplayMemory({ dataDir, clock: () => 1_750_000_000_000, hasHistory: false });
for (let i = 0; i < atMost; i++) {
  await memory.spend({ nonce: `nonce-${i}`, index: 0, expiresAt: 1_750_000_300 });
  writeSync(1, `${i}\n`); // at once: what waits in this process is not said
}
