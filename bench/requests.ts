/** Requests of benchmarks, their user actions made before the clock runs. */

import { randomBytes } from 'node:crypto';
import type { BenchClient } from './client.ts';
import { measure } from './measure.ts';

export interface Wanted {
  readonly path: string;
  readonly body: object;
}

/** @returns the requests themselves, to be sent once each */
export async function withActions(client: BenchClient, count: number, wanted: () => Wanted): Promise<(run: number) => Promise<void>> {
  const prepared: (Wanted & { userAction: string })[] = new Array(count);
  await measure(count, 16, async (run) => {
    const { path, body } = wanted();
    prepared[run] = { path, body, userAction: await client.userAction('POST', path, body) };
  });
  return async (run) => {
    const request = prepared[run];
    if (request === undefined) throw new Error('more runs than user actions');
    const { path, body, userAction } = request;
    const answer = await client.send('POST', path, body, { 'x-dfns-useraction': userAction });
    if (answer.status !== 200) throw new Error(`answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  };
}

export function signatureOf(keyId: string): Wanted {
  return { path: `/keys/${keyId}/signatures`, body: { kind: 'Hash', hash: randomBytes(32).toString('hex') } };
}
