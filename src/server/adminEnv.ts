/**
 * The first credentials, for the administrator: made with the organisation and written to `admin.env` (mode 0600), and nowhere else. The
 * variables' names are those that existing client examples read.
 *
 * The private key is durable in the file before the organisation is made with its public half, so that a start that was cut short is taken
 * up again with the same key, and no organisation is ever left without its administrator.
 * @module
 */

import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { Root } from '../features/organisations/bootstrap.ts';
import { writeDurably } from './files.ts';

/**
 * @param isInstalled whether the database has its organisation
 * @param bootstrap   makes the organisation with this root credential (PEM), or finds it; undefined when it was made with another
 * @returns what the file holds now: the administrator of this organisation, or nothing because it was made elsewhere
 * @throws {Error} when the file is of another database
 */
export async function ensureAdmin(options: {
  file: string;
  apiUrl: string;
  isInstalled: () => Promise<boolean>;
  bootstrap: (publicKey: string) => Promise<Root | undefined>;
}): Promise<'admin' | 'nothing'> {
  const { file, apiUrl, isInstalled, bootstrap } = options;
  const isComplete = existsSync(file) && variablesOf(file).DFNS_AUTH_TOKEN !== undefined;
  if (await isInstalled()) {
    if (!existsSync(file)) return 'nothing';
    if (isComplete) {
      if (variablesOf(file).DFNS_API_URL !== apiUrl) writeVariables(file, { ...variablesOf(file), DFNS_API_URL: apiUrl });
      return 'admin';
    }
  } else if (isComplete) {
    throw new Error(`${file} belongs to another database: the one configured has no organisation. Move the file away to make a new one`);
  }
  const privateKey = variablesOf(file).DFNS_PRIVATE_KEY ?? newPrivateKey();
  writeVariables(file, { DFNS_PRIVATE_KEY: privateKey });
  const root = await bootstrap(createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString());
  if (root === undefined) {
    rmSync(file); // another replica was first; this key opens nothing
    return 'nothing';
  }
  writeVariables(file, {
    DFNS_API_URL: apiUrl,
    DFNS_ORG_ID: root.organisationId,
    DFNS_APP_ID: root.applicationId,
    DFNS_AUTH_TOKEN: root.accessToken,
    DFNS_CRED_ID: root.credentialId,
    DFNS_PRIVATE_KEY: privateKey,
  });
  return 'admin';
}

function newPrivateKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().trimEnd();
}

function variablesOf(file: string): Record<string, string> {
  // parseEnv gives no undefined values; its type only says that a name may be missing.
  return existsSync(file) ? (parseEnv(readFileSync(file, 'utf8')) as Record<string, string>) : {};
}

/** dotenv: one line each, in double quotes, where `\n` is a newline. */
function writeVariables(file: string, variables: Readonly<Record<string, string>>): void {
  const lines = Object.entries(variables).map(([name, value]) => `${name}="${value.replaceAll('\n', '\\n')}"\n`);
  writeDurably(file, lines.join(''), 0o600);
}
