/** Time comes from outside, so that tests can turn it. Milliseconds since the epoch. */
export type Clock = () => number;

export const systemClock: Clock = () => Date.now();

/** ISO-8601 in UTC with milliseconds, as every date on the wire. */
export function isoDate(ms: number): string {
  return new Date(ms).toISOString();
}
