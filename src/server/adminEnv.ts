/**
 * What the administrator is given: `admin.env` (mode 0600), with the private key of the root credential, and what follows from the root.
 * The variables' names are those that existing client examples read.
 *
 * The private key is durable in the file before the cluster is made with its public half, so that a start that was cut short is taken up
 * again with the same key, and no cluster is ever left without its administrator. Where the root's key was made elsewhere, the file is
 * written without it.
 * @module
 */

import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { RootAccess } from '../features/organisations/bootstrap.ts';
import { writeDurably } from '../files.ts';

export const adminFile = 'admin.env';

/**
 * Makes the root's private key in the file, or finds it.
 * @returns its public half, PEM
 * @throws {Error} when the file is of another cluster
 */
export function ensureAdminKey(file: string): string {
  const { DFNS_ORG_ID, DFNS_PRIVATE_KEY } = variablesOf(file);
  if (DFNS_ORG_ID !== undefined) {
    throw new Error(`${file} belongs to another cluster: the one configured is not made yet. Move the file away to make a new one`);
  }
  const privateKey = DFNS_PRIVATE_KEY ?? newPrivateKey();
  if (DFNS_PRIVATE_KEY === undefined) writeVariables(file, { DFNS_PRIVATE_KEY: privateKey });
  return publicHalfOf(privateKey);
}

/**
 * Completes the file. A replica that comes later has none and gets none.
 * @param rootPublicKey PEM, as the cluster has pinned it
 * @param isInstalled   whether the database has its organisation
 * @returns what the file holds now; 'withoutKey': the root's private key is elsewhere
 * @throws {Error} when the file is of another cluster
 */
export async function completeAdmin(options: {
  file: string;
  apiUrl: string;
  rootPublicKey: string;
  rootAccess: RootAccess;
  isInstalled: () => Promise<boolean>;
}): Promise<'admin' | 'withoutKey' | 'nothing'> {
  const { file, apiUrl, rootPublicKey, rootAccess, isInstalled } = options;
  if (!existsSync(file) && (await isInstalled())) return 'nothing';
  const known = variablesOf(file);
  const { DFNS_PRIVATE_KEY, DFNS_ORG_ID = rootAccess.organisationId } = known;
  if (DFNS_ORG_ID !== rootAccess.organisationId) {
    throw new Error(`${file} belongs to another cluster: its organisation is ${DFNS_ORG_ID}, here it is ${rootAccess.organisationId}`);
  }
  // Once complete it is the administrator's: a credential that has replaced the root's, for one.
  const isComplete = known.DFNS_AUTH_TOKEN !== undefined;
  if (!isComplete && DFNS_PRIVATE_KEY !== undefined && publicHalfOf(DFNS_PRIVATE_KEY) !== rootPublicKey) {
    throw new Error(`the private key in ${file} is not the one whose public half the cluster has pinned as its root`);
  }
  const variables = isComplete
    ? { ...known, DFNS_API_URL: apiUrl }
    : {
        DFNS_API_URL: apiUrl,
        DFNS_ORG_ID,
        DFNS_APP_ID: rootAccess.applicationId,
        DFNS_AUTH_TOKEN: rootAccess.accessToken,
        DFNS_CRED_ID: rootAccess.credentialId,
        ...(DFNS_PRIVATE_KEY !== undefined && { DFNS_PRIVATE_KEY }),
      };
  if (!isComplete || known.DFNS_API_URL !== apiUrl) writeVariables(file, variables);
  return DFNS_PRIVATE_KEY === undefined ? 'withoutKey' : 'admin';
}

function newPrivateKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().trimEnd();
}

function publicHalfOf(privateKey: string): string {
  return createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();
}

function variablesOf(file: string): Record<string, string> {
  // parseEnv gives no undefined values; its type only says that a name may be missing.
  return existsSync(file) ? (parseEnv(readFileSync(file, 'utf8')) as Record<string, string>) : {};
}

/** dotenv: one line each, in double quotes, where `\n` is a newline; the file is for its owner alone (0600). */
export function writeVariables(file: string, variables: Readonly<Record<string, string>>): void {
  const lines = Object.entries(variables).map(([name, value]) => `${name}="${value.replaceAll('\n', '\\n')}"\n`);
  writeDurably(file, lines.join(''), 0o600);
}
