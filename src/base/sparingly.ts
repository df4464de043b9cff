/** A flood of events is no flood of log lines. @module */

import type { Clock } from './clock.ts';

/**
 * Reports the first event of each interval.
 * @param report also gets how many before it were left out
 */
export function sparingly(
  report: (reason: string, leftOut: number) => void,
  { everyMs, clock }: { everyMs: number; clock: Clock },
): (reason: string) => void {
  let quietUntil = 0;
  let leftOut = 0;
  return (reason) => {
    const now = clock();
    if (now < quietUntil) {
      leftOut += 1;
      return;
    }
    report(reason, leftOut);
    quietUntil = now + everyMs;
    leftOut = 0;
  };
}
