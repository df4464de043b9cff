/**
 * `npm run bench:scale [keys…]`: what a start, a signature and a new key cost where there are many keys, and the memory that each process
 * takes. One run, on the embedded database, client included.
 */

import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { keyTypes } from '../src/base/keyTypes.ts';
import { freshDirectory, signerPids, startInstance } from '../test/support/instance.ts';
import { benchClient } from './client.ts';
import { makeKeys, types } from './manyKeys.ts';
import { measure } from './measure.ts';
import { signatureOf, withActions } from './requests.ts';

const counts = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [100, 10_000, 100_000];
const starts = 3;
const warmUpRuns = 300;
const signatures = { 1: 400, 32: 2000 } as const;
const keysMade = 20;

console.log(
  `${cpus().length} × ${cpus()[0]?.model ?? 'processor'}, Node ${process.version}; client, service, signers and database on the same machine.`,
);
const rows = [];
for (const count of counts) rows.push(await measured(count));
console.table(rows);

async function measured(count: number): Promise<Record<string, string | number>> {
  const dataDir = freshDirectory();
  const since = performance.now();
  const ids = await makeKeys(dataDir, count);
  console.log(`${count} keys are made, in ${seconds(performance.now() - since)} s`);

  await (await startInstance({ dataDir, env: { LOG_LEVEL: 'warn' } })).stop(); // agrees on seeds
  const startMs: number[] = [];
  for (let i = 1; i < starts; i++) {
    const before = performance.now();
    const instance = await startInstance({ dataDir, env: { LOG_LEVEL: 'warn' } });
    startMs.push(performance.now() - before);
    await instance.stop();
  }
  const before = performance.now();
  const instance = await startInstance({ dataDir, env: { LOG_LEVEL: 'warn' } });
  startMs.push(performance.now() - before);
  const client = benchClient(instance, 32);
  const pids = [instance.process.pid ?? 0, ...signerPids(dataDir)];
  const cpuMs = () => pids.map(processorMs).reduce((sum, ms) => sum + ms, 0);
  try {
    const cpuOfStart = cpuMs();
    const atStart = pids.map(residentMb);
    const random = () => signatureOf(ids[Math.floor(Math.random() * ids.length)] ?? '');
    await measure(warmUpRuns, 8, await withActions(client, warmUpRuns, random));
    const alone = await measure(signatures[1], 1, await withActions(client, signatures[1], random));
    const prepared = await withActions(client, signatures[32], random);
    const cpuBefore = cpuMs();
    const together = await measure(signatures[32], 32, prepared);
    const cpuAfter = cpuMs();
    const type = () => ({ path: '/keys', body: keyTypes[types[1]] });
    const creation = await measure(keysMade, 1, await withActions(client, keysMade, type));
    const afterwards = pids.map(residentMb);
    return {
      keys: count,
      'start, s': seconds(startMs.sort((a, b) => a - b)[Math.floor(startMs.length / 2)] ?? Number.NaN),
      'of it processor, s': seconds(cpuOfStart),
      'service, MB': `${atStart[0]} / ${afterwards[0]}`,
      'a signer, MB': `${Math.max(...atStart.slice(1))} / ${Math.max(...afterwards.slice(1))}`,
      'p50 at 1, ms': alone.p50Ms.toFixed(1),
      'per second at 32': Math.round(together.perSecond),
      'processor ms a signature': ((cpuAfter - cpuBefore) / signatures[32]).toFixed(1),
      'new key p50, ms': creation.p50Ms.toFixed(0),
    };
  } finally {
    client.close();
    await instance.stop();
    await instance.remove();
  }
}

/** Linux. */
function residentMb(pid: number): number {
  const [, kilobytes = ''] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kilobytes) / 1024);
}

/** Of all threads since the process began. Linux counts in hundredths of a second. */
function processorMs(pid: number): number {
  const [user = '', system = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ').slice(11, 13) ?? [];
  return 10 * (Number(user) + Number(system));
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
