/** A flood of events is no flood of log lines. @module */

/**
 * Reports the first event at once, and of those that follow within the interval the last one at its end.
 * @param report also gets how many before it were left out
 */
export function sparingly(report: (reason: string, leftOut: number) => void, everyMs: number): (reason: string) => void {
  let isQuiet = false;
  let held: string | undefined;
  let leftOut = 0;

  const tell = (reason: string): void => {
    report(reason, leftOut);
    leftOut = 0;
    isQuiet = true;
    setTimeout(() => {
      isQuiet = false;
      const last = held;
      held = undefined;
      if (last !== undefined) tell(last);
    }, everyMs).unref();
  };

  return (reason) => {
    if (!isQuiet) {
      tell(reason);
      return;
    }
    if (held !== undefined) leftOut += 1;
    held = reason;
  };
}
