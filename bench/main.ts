/**
 * `npm run bench`: one run, side by side, on the embedded database and on PostgreSQL, client included.
 *
 *   (a) the sign request alone   (b) the full flow of three requests   (c) the same server doing nothing but one durable insert
 *   (a′) where its time goes, stage by stage and process by process
 *   (d) the processor time of the protocols   (e) key creation   (f) the processor time of a signer's own judgement
 */

import { randomBytes } from 'node:crypto';
import { cpus } from 'node:os';
import type { KeyType } from '../src/base/keyTypes.ts';
import { freePort, startInstance } from '../test/support/instance.ts';
import { type PostgresServer, startPostgres } from '../test/support/postgres.ts';
import { authorityCost } from './authority.ts';
import { bareServer } from './bare.ts';
import { type BenchClient, benchClient } from './client.ts';
import { type Measured, measure } from './measure.ts';
import { protocolCost } from './protocols.ts';
import { signatureOf, withActions } from './requests.ts';
import { watch } from './stages.ts';

const concurrencies = [1, 32] as const;
const runs = { 1: 500, 32: 2000 } as const;
/** Until the compilers of five processes are done with what is measured. */
const warmUpRuns = 6000;
const keysMade = 20;

const signedTypes = [
  { scheme: 'ECDSA', curve: 'secp256k1' },
  { scheme: 'EdDSA', curve: 'ed25519' },
] as const;

interface Row extends Measured {
  readonly what: string;
  readonly concurrency: number;
}

const { version } = process;
console.log(
  `${cpus().length} × ${cpus()[0]?.model ?? 'processor'}, Node ${version}; client, service, signers and database on the same machine.\n`,
);

const ways: Record<string, string>[] = [];
const rows: Row[] = [...(await bareLimit()), ...(await service('embedded')), ...(await onPostgres())];
const limit = new Map(rows.filter(({ what }) => what.startsWith('(c)')).map((row) => [row.concurrency, row.perSecond]));
console.table(
  rows.map(({ what, concurrency, perSecond, p50Ms, p99Ms }) => ({
    what,
    concurrency,
    'per second': Math.round(perSecond),
    'p50 ms': p50Ms.toFixed(2),
    'p99 ms': p99Ms.toFixed(2),
    'of (c)': `${((100 * perSecond) / (limit.get(concurrency) ?? Number.NaN)).toFixed(0)} %`,
  })),
);

console.log('\n(a′) where the time of a sign request goes, ms: of the clock by stage, of the processors by process (cpu)');
console.table(ways);

console.log('\n(d) processor time, all three parties and the combining, one process, no sockets');
const protocolRuns: readonly [KeyType, { batch: number; batches: number }][] = [
  ['ECDSA/secp256k1', { batch: 128, batches: 4 }],
  ['EdDSA/ed25519', { batch: 32, batches: 10 }],
  ['Schnorr/secp256k1', { batch: 32, batches: 10 }],
  ['ECDSA/stark', { batch: 16, batches: 4 }],
  ['DH/secp256k1', { batch: 32, batches: 4 }],
];
const costs = [];
for (const [keyType, size] of protocolRuns) {
  const { signMs, keygenMs } = await protocolCost(keyType, size);
  costs.push({ 'key type': keyType, 'signature or derivation, ms': signMs.toFixed(2), 'key, ms': keygenMs.toFixed(1) });
}
console.table(costs);

const judgementMs = await authorityCost(2000);
console.log(
  `\n(f) a signer's own judgement of a request (assertion, registry, payload, replay memory): ${judgementMs.toFixed(2)} ms of processor time`,
);

async function bareLimit(): Promise<Row[]> {
  const server = await bareServer();
  const client = benchClient({ ...server, admin: {} }, 32);
  const insert = () => client.send('POST', '/insert', { value: randomBytes(200).toString('hex') });
  try {
    await measure(warmUpRuns, 8, insert);
    return await each(async (concurrency) => ({
      what: '(c) one durable insert',
      ...(await measure(runs[concurrency], concurrency, insert)),
    }));
  } finally {
    client.close();
    await server.stop();
  }
}

async function onPostgres(): Promise<Row[]> {
  const server = await startPostgres();
  try {
    return await service('PostgreSQL', server);
  } finally {
    await server.stop();
  }
}

async function service(database: string, postgres?: PostgresServer): Promise<Row[]> {
  const databaseUrl = await postgres?.createDatabase('bench');
  const metricsPort = String(await freePort());
  const metricsUrl = `http://127.0.0.1:${metricsPort}/metrics`;
  const env = { LOG_LEVEL: 'warn', METRICS_PORT: metricsPort, ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }) };
  const instance = await startInstance({ env });
  const client = benchClient(instance, 32);
  try {
    const measured: Row[] = [];
    /** The user actions are made before the clock runs. */
    const signAlone = async (keyId: string, concurrency: 1 | 32, name: string): Promise<Measured> => {
      const count = runs[concurrency];
      const signing = await withActions(client, count, () => signatureOf(keyId));
      const watching = await watch(instance, metricsUrl, postgres);
      const result = await measure(count, concurrency, signing);
      const { stages, processors } = await watching.perRequest(count);
      const shown = (times: Record<string, number>, prefix = '') =>
        Object.entries(times).map(([part, ms]) => [`${prefix}${part}`, ms.toFixed(2)] as const);
      ways.push({ what: name, concurrency: String(concurrency), ...Object.fromEntries([...shown(stages), ...shown(processors, 'cpu ')]) });
      return result;
    };
    for (const type of signedTypes) {
      const { id } = (await client.act('POST', '/keys', type)) as { id: string };
      await measure(warmUpRuns, 8, () => signature(client, id));
      const name = `${type.scheme} ${type.curve}, ${database}`;
      measured.push(
        ...(await each(async (concurrency) => ({ what: `(a) sign request, ${name}`, ...(await signAlone(id, concurrency, name)) }))),
        ...(await each(async (concurrency) => ({
          what: `(b) full flow, ${name}`,
          ...(await measure(runs[concurrency], concurrency, () => signature(client, id))),
        }))),
      );
    }
    for (const type of signedTypes) {
      const create = await withActions(client, keysMade, () => ({ path: '/keys', body: type }));
      measured.push({
        what: `(e) create key, ${type.scheme} ${type.curve}, ${database}`,
        concurrency: 1,
        ...(await measure(keysMade, 1, create)),
      });
    }
    return measured;
  } finally {
    client.close();
    await instance.stop();
    await instance.remove();
  }
}

function signature(client: BenchClient, keyId: string): Promise<unknown> {
  const { path, body } = signatureOf(keyId);
  return client.act('POST', path, body);
}

async function each<T extends object>(work: (concurrency: 1 | 32) => Promise<T>): Promise<(T & { concurrency: number })[]> {
  const results = [];
  for (const concurrency of concurrencies) results.push({ ...(await work(concurrency)), concurrency });
  return results;
}
