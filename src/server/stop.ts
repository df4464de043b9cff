/** When to stop: at SIGTERM or Ctrl-C. Asked again, the process ends at once. @module */

const signals = ['SIGTERM', 'SIGINT'] as const;
/** Ctrl-C reaches the whole process group, and npm passes on what it got: one key press is two signals. */
const sameAskMs = 1_000;

/** Resolves with the first signal. */
export function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    let askedAt: number | undefined;
    for (const signal of signals) {
      process.on(signal, () => {
        if (askedAt !== undefined && Date.now() - askedAt > sameAskMs) process.exit(1);
        askedAt ??= Date.now();
        resolve(signal);
      });
    }
  });
}
