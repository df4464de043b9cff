/**
 * `countersign call METHOD PATH [BODY]`: one request to the API, signed by the credential of the environment (admin.env), by the client that
 * recomputes every challenge before it signs it. The answer's JSON goes to standard output.
 * @module
 */

import type { Method } from '../../clients/client.ts';
import { clientOf } from '../environment.ts';

const methods: readonly string[] = ['GET', 'POST', 'PUT', 'DELETE'] satisfies Method[];

/** @throws {Error} saying what is wrong with the words, the environment, or the request */
export async function call(
  [method = '', path = '', body, ...more]: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  if (!methods.includes(method) || !path.startsWith('/') || more.length > 0)
    throw new Error('it is written: countersign call GET|POST|PUT|DELETE /path [JSON]');
  const answer = await clientOf(env).call(method as Method, path, body === undefined ? undefined : jsonOf(body)); // one of the four, as checked
  console.log(JSON.stringify(answer, null, 2));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error('the body is not JSON', { cause });
  }
}
