/** The client of whoever's credentials the environment holds: the variables of admin.env. @module */

import { type Client, createClient } from '../clients/client.ts';
import { required } from './options.ts';

/** @throws {Error} naming the variable that is missing, or saying that one is not in its form */
export function clientOf(env: Readonly<Record<string, string | undefined>>): Client {
  const variable = (name: string) => required(env[name], `${name} (of admin.env, in the environment)`);
  const credentials = {
    apiUrl: variable('DFNS_API_URL'),
    organisationId: variable('DFNS_ORG_ID'),
    authToken: variable('DFNS_AUTH_TOKEN'),
    credId: variable('DFNS_CRED_ID'),
    privateKey: variable('DFNS_PRIVATE_KEY').replaceAll('\\n', '\n'), // a shell that reads the file leaves them as they stand
  };
  try {
    return createClient(credentials);
  } catch (cause) {
    throw new Error('the variables of admin.env in the environment are not what they were', { cause });
  }
}
