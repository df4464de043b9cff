/** Where the time of a sign request goes: stage by stage as the service's own metrics say it, and process by process as the kernel does. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { type Instance, signerPids } from '../test/support/instance.ts';

/** In the order of the way. */
const stages = ['begin', 'pool', 'signers', 'combine', 'move'] as const;
const answer = 'countersign_http_answer_seconds_sum{method="POST",route="/keys/:keyId/signatures",status="200"}';

export interface Watch {
  /** Milliseconds per request since the watch began: wall-clock time of each stage, processor time of each process. */
  perRequest(requests: number): Promise<{ stages: Record<string, number>; processors: Record<string, number> }>;
}

export async function watch(instance: Instance, metricsUrl: string): Promise<Watch> {
  const [before, cpuBefore] = [await samples(metricsUrl), processorMs(instance)];
  return {
    async perRequest(requests) {
      const [after, cpuAfter] = [await samples(metricsUrl), processorMs(instance)];
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

/** A clock tick of the kernel's accounting (USER_HZ), the same on all Linux. */
const tickMs = 10;

/** Processor time by process so far; the embedded database is a thread of the service. Empty where there is no /proc. */
function processorMs({ process: { pid = 0 }, dataDir }: Instance): Record<string, number> {
  if (!existsSync('/proc/self/task')) return {};
  const threads = threadsOf(pid);
  const database = threads.filter(({ name }) => name === 'WorkerThread');
  const sum = (some: readonly { ms: number }[]) => some.reduce((total, { ms }) => total + ms, 0);
  return {
    client: sum(threadsOf(process.pid)),
    service: sum(threads) - sum(database),
    'embedded database': sum(database),
    signers: sum(signerPids(dataDir).flatMap(threadsOf)),
  };
}

function threadsOf(pid: number): { name: string; ms: number }[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
    // utime and stime are fields 14 and 15 (proc_pid_stat(5)); the name before them may hold spaces, within brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    return { name, ms: tickMs * (Number(fields[11]) + Number(fields[12])) };
  });
}
