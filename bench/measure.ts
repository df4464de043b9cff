/** Runs work many times at a fixed concurrency and says how long it took. */

export interface Measured {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** @param work told which run it is; each of `concurrency` workers starts its next when its last is done */
export async function measure(runs: number, concurrency: number, work: (run: number) => Promise<unknown>): Promise<Measured> {
  const times: number[] = [];
  let next = 0;
  const began = performance.now();
  const worker = async (): Promise<void> => {
    for (let run = next++; run < runs; run = next++) {
      const since = performance.now();
      await work(run);
      times.push(performance.now() - since);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  const seconds = (performance.now() - began) / 1000;
  times.sort((a, b) => a - b);
  return { perSecond: runs / seconds, p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99) };
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}
