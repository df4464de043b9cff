/** Adds the entries of a seeded world to a ledger until it is killed, and says each when it stands: `node ledgerWriter.ts <dataDir> <seed>`. */

import { writeSync } from 'node:fs';
import { createWorld } from '../authority/world.ts';
import { put, testLedger, vouchersFor } from './ledgers.ts';

const atMost = 5_000;
const [, , dataDir = '', seed = ''] = process.argv;
const world = createWorld(seed);
const { ledger } = testLedger(world, dataDir);
for (let i = 0; i < atMost; i++) {
  world.wait(7);
  world.addKey();
  const entry = world.entries[i];
  if (entry === undefined) throw new Error('a key that was asked for is in the log');
  if (entry.sequence <= ledger.registry.head.sequence) continue;
  put(ledger, entry);
  ledger.confirm(vouchersFor(world, entry));
  writeSync(1, `${entry.sequence}\n`); // at once: what waits in this process is not said
}
