/** Where the time of a sign request goes: stage by stage as the service's own metrics say it, and process by process as the kernel does. */

import { type Instance, signerPids } from '../test/support/instance.ts';
import type { PostgresServer } from '../test/support/postgres.ts';
import { type Thread, threadsOf } from '../test/support/processes.ts';

/** In the order of the way. */
const stages = ['begin', 'pool', 'signers', 'combine', 'move'] as const;
const answer = 'countersign_http_answer_seconds_sum{method="POST",route="/keys/:keyId/signatures",status="200"}';

export interface Watch {
  /** Milliseconds per request since the watch began: wall-clock time of each stage, processor time of each process. */
  perRequest(requests: number): Promise<{ stages: Record<string, number>; processors: Record<string, number> }>;
}

export async function watch(instance: Instance, metricsUrl: string, postgres?: PostgresServer): Promise<Watch> {
  const [before, cpuBefore] = [await samples(metricsUrl), processorMs(instance, postgres)];
  return {
    async perRequest(requests) {
      const [after, cpuAfter] = [await samples(metricsUrl), processorMs(instance, postgres)];
      const spent = (name: string) => (1000 * ((after.get(name) ?? 0) - (before.get(name) ?? 0))) / requests;
      const ofStages = stages.map((stage) => [stage, spent(`countersign_signature_stage_seconds_sum{stage="${stage}"}`)] as const);
      const inStages = ofStages.reduce((sum, [, ms]) => sum + ms, 0);
      const processors = Object.entries(cpuAfter).map(([name, ms]) => [name, (ms - (cpuBefore[name] ?? 0)) / requests] as const);
      return {
        stages: Object.fromEntries([['HTTP and gate', spent(answer) - inStages], ...ofStages]),
        processors: Object.fromEntries(processors),
      };
    },
  };
}

async function samples(url: string): Promise<ReadonlyMap<string, number>> {
  const lines = (await (await fetch(url)).text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
}

/** Processor time by process so far; the embedded database is a thread of the service. */
function processorMs({ process: { pid = 0 }, dataDir }: Instance, postgres: PostgresServer | undefined): Record<string, number> {
  const sum = (threads: readonly Thread[]) => threads.reduce((total, { ms }) => total + ms, 0);
  const threads = threadsOf(pid);
  const embedded = threads.filter(({ name }) => name === 'WorkerThread');
  return {
    client: sum(threadsOf(process.pid)),
    service: sum(threads) - sum(embedded),
    database: sum(postgres === undefined ? embedded : postgres.pids().flatMap(threadsOf)),
    signers: sum(signerPids(dataDir).flatMap(threadsOf)),
  };
}
