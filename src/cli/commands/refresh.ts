/**
 * `countersign cluster refresh`: has the signers deal one key anew, or all, and waits until it is done (credentials of admin.env in the
 * environment). Interrupting it does not interrupt the signers.
 * @module
 */

import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { clientOf } from '../environment.ts';

const progress = z.object({ due: z.int(), reason: z.string().optional() });
const askEveryMs = 1_000;

export async function refresh(args: readonly string[], env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { key: { type: 'string' }, all: { type: 'boolean' } } });
  if ((values.key === undefined) === (values.all === undefined))
    throw new Error('it is written: countersign cluster refresh --key ID | --all');
  const client = clientOf(env);
  let said = '';
  for (let answer = await client.call('POST', '/cluster/refresh', values.key === undefined ? {} : { keyId: values.key }); ; ) {
    const { due, reason } = progress.parse(answer);
    if (due === 0) break;
    const line = `${due} to go${reason === undefined ? '' : `; waiting: ${reason}`}`;
    if (line !== said) console.log(line);
    said = line;
    await pause(askEveryMs);
    answer = await client.call('GET', '/cluster/refresh');
  }
  console.log('Done: the same keys, under fresh shares. The shares before end within half a minute.');
}
