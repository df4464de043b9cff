/**
 * The first credentials, for the administrator: written once, when the organisation is made, and nowhere else. The names are those that
 * existing client examples read.
 * @module
 */

import { generateKeyPairSync } from 'node:crypto';
import { writeDurably } from './files.ts';

export interface AdminCredentials {
  readonly organisationId: string;
  readonly applicationId: string;
  readonly accessToken: string;
  readonly credentialId: string;
}

/** A fresh Ed25519 credential, as PEM. */
export function newAdminKey(): { privateKey: string; publicKey: string } {
  return generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
}

/** Durable when it returns, mode 0600. */
export function writeAdminEnv(
  file: string,
  { apiUrl, privateKey, ...admin }: AdminCredentials & { apiUrl: string; privateKey: string },
): void {
  const variables = {
    DFNS_API_URL: apiUrl,
    DFNS_ORG_ID: admin.organisationId,
    DFNS_APP_ID: admin.applicationId,
    DFNS_AUTH_TOKEN: admin.accessToken,
    DFNS_CRED_ID: admin.credentialId,
    DFNS_PRIVATE_KEY: privateKey.trimEnd().replaceAll('\n', '\\n'),
  };
  const lines = Object.entries(variables).map(([name, value]) => `${name}="${value}"`);
  writeDurably(file, `${lines.join('\n')}\n`, 0o600);
}
