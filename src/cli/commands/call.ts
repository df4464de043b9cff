/**
 * `countersign call METHOD PATH [BODY]`: one request to the API, signed by the credential of the environment (admin.env), by the client that
 * recomputes every challenge before it signs it. The answer's JSON goes to standard output.
 * @module
 */

import { createClient, type Method } from '../client.ts';
import { required } from '../options.ts';

const methods: readonly string[] = ['GET', 'POST', 'PUT', 'DELETE'] satisfies Method[];

/** @throws {Error} saying what is wrong with the words, the environment, or the request */
export async function call(
  [method = '', path = '', body]: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  if (!methods.includes(method) || !path.startsWith('/'))
    throw new Error('it is written: countersign call GET|POST|PUT|DELETE /path [JSON]');
  const client = createClient({
    apiUrl: required(env.DFNS_API_URL, 'DFNS_API_URL (of admin.env)'),
    organisationId: required(env.DFNS_ORG_ID, 'DFNS_ORG_ID (of admin.env)'),
    authToken: required(env.DFNS_AUTH_TOKEN, 'DFNS_AUTH_TOKEN (of admin.env)'),
    credId: required(env.DFNS_CRED_ID, 'DFNS_CRED_ID (of admin.env)'),
    privateKey: required(env.DFNS_PRIVATE_KEY, 'DFNS_PRIVATE_KEY (of admin.env)'),
  });
  const answer = await client.call(method as Method, path, body === undefined ? undefined : jsonOf(body)); // one of the four, as checked
  console.log(JSON.stringify(answer, null, 2));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error('the body is not JSON', { cause });
  }
}
