/** Time that passes when nothing else happens: what waits three seconds for an answer waits no longer than it takes to see that none comes. */

import { vi } from 'vitest';

/** Turns of the event loop without any event, after which nothing is on its way. */
const quietTurns = 10;

export interface VirtualTime {
  /** Something happened. */
  stir(): void;
  /** Waits for `work`, in virtual time. @throws {Error} if it takes longer than it may */
  until<T>(work: Promise<T>, maxSeconds?: number): Promise<T>;
}

/** Only while `until` waits does time pass. Undone by `vi.useRealTimers()`. */
export function startVirtualTime(): VirtualTime {
  const { setImmediate } = globalThis;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  let stirred = 0;

  return {
    stir: () => void stirred++,
    async until(work, maxSeconds = 120) {
      let isDone = false;
      const done = () => {
        isDone = true;
      };
      work.then(done, done);
      const began = Date.now();
      await turn();
      while (!isDone) {
        const before = stirred;
        for (let i = 0; i < quietTurns && !isDone; i++) await turn();
        if (isDone || stirred !== before) continue;
        if (Date.now() - began > maxSeconds * 1000) throw new Error(`nothing came of it in ${maxSeconds} seconds`);
        await vi.advanceTimersToNextTimerAsync();
      }
      return work;
    },
  };
}
